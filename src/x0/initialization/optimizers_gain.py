"""From twice He's scale the best rates of SGD and momentum are far smaller.

Each optimizer and scale has its own learning rate, from six decades.
"""

# --8<-- [start:imports]
import functools
import math

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from torch import Tensor

SEED = 0
NAMES = ("SGD", "momentum", "Adam")
GAINS = (0.25, 0.5, 1.0, 2.0, 4.0)  # multiples of He's std
RATES = tuple(4.0**-k for k in range(-1, 10))  # 4 … 4e-6
SEEDS, DEPTH, WIDTH, STEPS, SAMPLES = 8, 8, 32, 50, 48
# --8<-- [end:imports]


# --8<-- [start:train]
@functools.cache
def final_losses(optimizer: str) -> Tensor:
    """Train all gains, learning rates and seeds of one optimizer at once.

    Returns:
        Training loss at the end, shape (gains, rates, SEEDS); networks
        that diverge count as infinity.

    Raises:
        ValueError: the optimizer is unknown.
    """
    if optimizer not in NAMES:
        raise ValueError(f"Choose one of {NAMES}. Received: {optimizer=}")
    data = load_digits()
    x = torch.tensor(data.data[:SAMPLES], dtype=torch.float32) / 8 - 1
    y = torch.tensor(data.target[:SAMPLES])
    generator = torch.Generator().manual_seed(SEED)
    grid = torch.cartesian_prod(
        torch.tensor(GAINS), torch.tensor(RATES), torch.ones(SEEDS)
    )
    gain, rate = grid[:, 0, None, None], grid[:, 1, None, None]
    weights: list[Tensor] = []
    for i in range(DEPTH):
        fan_in = 64 if i == 0 else WIDTH
        fan_out = 10 if i == DEPTH - 1 else WIDTH
        w = torch.randn(SEEDS, fan_in, fan_out, generator=generator)
        w = w.repeat(len(grid) // SEEDS, 1, 1)
        weights.append(gain * w * math.sqrt(2 / fan_in))
    first = [torch.zeros_like(w) for w in weights]
    second = [torch.zeros_like(w) for w in weights]
    labels = y.repeat(len(grid))

    def losses() -> Tensor:
        h = x
        for w in weights[:-1]:
            h = (h @ w).relu()
        out = (h @ weights[-1]).flatten(0, 1)
        loss = torch.nn.functional.cross_entropy(out, labels, reduction="none")
        return loss.view(len(grid), -1).mean(1)

    for step in range(1, STEPS + 1):
        for w in weights:
            w.requires_grad_()
        gradients = torch.autograd.grad(losses().sum(), weights)
        with torch.no_grad():
            for i, g in enumerate(gradients):
                g = g.nan_to_num(0, 0, 0)
                beta = 0.0 if optimizer == "SGD" else 0.9
                first[i] = beta * first[i] + g
                move = first[i]
                if optimizer == "Adam":
                    second[i] = 0.999 * second[i] + 0.001 * g * g
                    mean = 0.1 * first[i] / (1 - 0.9**step)
                    square = second[i] / (1 - 0.999**step)
                    move = mean / (square.sqrt() + 1e-8)
                weights[i] = weights[i] - rate * move
    with torch.no_grad():
        final = losses().nan_to_num(math.inf, math.inf)
    return final.view(len(GAINS), len(RATES), SEEDS)


def best_rates(optimizer: str) -> tuple[Tensor, Tensor]:
    """Return the smallest median loss over seeds and its rate, by gain."""
    loss, index = final_losses(optimizer).median(2).values.min(1)
    return loss, torch.tensor(RATES)[index]


# --8<-- [end:train]


if __name__ == "__main__":
    # --8<-- [start:demo]
    best, rate = {}, {}
    print("std / He's           ", *(f"{gain:7g}" for gain in GAINS))
    for name in NAMES:
        losses, rates = best_rates(name)
        best[name] = dict(zip(GAINS, losses, strict=True))
        rate[name] = dict(zip(GAINS, rates, strict=True))
        print(f"{name:<9} loss        ", *(f"{loss:7.1f}" for loss in losses))
        print("          at the rate ", *(f"{r:7.0e}" for r in rates))
    # --8<-- [end:demo]


# --8<-- [start:plot_scale]
def plot_scale() -> Figure:
    """Draw the final loss against the initial scale for each optimizer."""
    fig, ax = plt.subplots(figsize=(5.6, 3.4), layout="constrained")
    for i, optimizer in enumerate(NAMES):
        best, _ = best_rates(optimizer)
        style = ("o-", "s--", "^-.")[i]
        ax.plot(GAINS, best, style, ms=5, color=f"C{i}", label=optimizer)
    ax.axhline(math.log(10), ls=":", lw=1, color="black", label="chance")
    ax.axvline(1, lw=1, color="0.5")
    ax.set_xscale("log", base=2)
    ax.set_xlabel("standard deviation, in units of He's")
    ax.set_ylabel("training loss")
    fig.legend(loc="outside upper center", ncols=4)
    return fig


if __name__ == "__main__":
    plot_scale()
    plt.show()
# --8<-- [end:plot_scale]
