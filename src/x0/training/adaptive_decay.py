"""In Adam, L2 hardly shrinks weights with large gradients; AdamW shrinks all.

AdamW: theta_t = (1 - eta omega)^t theta_0 without a gradient on average
Adam with L2: the rate omega is divided by the size of the gradient

Loshchilov and Hutter (2019).
"""

# --8<-- [start:imports]
import functools

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

SEED = 0
WEIGHTS, STEPS, RATE, DECAY = 500, 1000, 0.01, 0.1
SIZES = (1.0, 10.0, 100.0)
# --8<-- [end:imports]


# --8<-- [start:shrink]
@functools.cache
def mean_weight(decoupled: bool, size: float) -> Tensor:
    """Return the mean over weights that start at 1, by step.

    The gradients are noise of a given size, so that only the decay pulls.

    Args:
        decoupled: AdamW; else Adam with the decay in the gradient.
        size: standard deviation of the gradient.

    Raises:
        ValueError: the size is not positive.
    """
    if size <= 0:
        raise ValueError(f"Expected a positive number. Received: {size=}")
    generator = torch.Generator().manual_seed(SEED)
    weight = nn.Parameter(torch.ones(WEIGHTS))
    maker = torch.optim.AdamW if decoupled else torch.optim.Adam
    optimizer = maker([weight], lr=RATE, weight_decay=DECAY)
    means = [weight.detach().mean()]
    half = torch.randn(STEPS, WEIGHTS // 2, generator=generator)
    for row in half:
        weight.grad = size * torch.cat([row, -row])  # the noise cancels
        optimizer.step()
        means.append(weight.detach().mean())
    return torch.stack(means)


# --8<-- [end:shrink]


if __name__ == "__main__":
    # --8<-- [start:demo]
    left = {}
    print("size of the gradient     1      10     100")
    for name, decoupled in (("AdamW", True), ("Adam, L2", False)):
        left[name] = [mean_weight(decoupled, s)[-1] for s in SIZES]
        print(f"{name:<18}" + "".join(f"{x:8.2f}" for x in left[name]))
    predicted = [(1 - RATE * DECAY / s) ** STEPS for s in SIZES]
    print("predicted for L2  " + "".join(f"{x:8.2f}" for x in predicted))
    # --8<-- [end:demo]


# --8<-- [start:plot_shrink]
def plot_shrink() -> Figure:
    """Draw the mean weight by step for three sizes of the gradient."""
    fig, ax = plt.subplots(figsize=(5.2, 3.4), layout="constrained")
    t = torch.arange(0, STEPS + 1, 50)
    for i, size in enumerate(SIZES):
        for decoupled in (True, False):
            at = t[2 * i + (not decoupled) :: 6]
            name = "AdamW" if decoupled else "Adam, L2"
            ax.plot(at, mean_weight(decoupled, size)[at], "os^"[i], ms=4.5)
            face = "none" if decoupled else f"C{i}"
            label = f"{name}, {size:g}"
            ax.lines[-1].set(color=f"C{i}", mfc=face, label=label)
        line = (1 - RATE * DECAY / size) ** t
        ax.plot(t, line, "k--", lw=1, label="predicted" if i == 2 else None)
    ax.set_yscale("log")
    ax.set_ylim(0.3, 1.05)
    ax.set_yticks([0.4, 0.6, 0.8, 1], ["0.4", "0.6", "0.8", "1"])
    ax.minorticks_off()
    ax.set_xlabel("step")
    ax.set_ylabel("mean weight")
    ax.legend(loc="lower left", ncols=2)
    return fig


if __name__ == "__main__":
    plot_shrink()
    plt.show()
# --8<-- [end:plot_shrink]
