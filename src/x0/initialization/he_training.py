"""30 ReLU layers learn from He in 500 steps, not from Xavier; 10 from both.

Var(w) = 2 / fan_in learns; 2 / (fan_in + fan_out) and 0.01^2 stay at guessing

He et al. (2015), Figure 3, on a convolutional network of 30 layers.
"""

# --8<-- [start:imports]
import functools
import itertools
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from torch import Tensor

SEED = 0
SEEDS, WIDTH, BATCH, STEPS = 3, 64, 32, 500
RATE, MOMENTUM = 0.003, 0.9
NAMES = ("He", "Xavier", "std 0.01")
# --8<-- [end:imports]


# --8<-- [start:networks]
def networks(depth: int, generator: torch.Generator) -> list[Tensor]:
    """Return weights and biases of all networks, one pair for each layer.

    The leading axis runs over 3 rules times SEEDS; the rules scale one draw.
    Weights have shape (networks, fan_in, fan_out), biases are zero.
    """
    widths = [64] + [WIDTH] * (depth - 1) + [10]
    parameters = []
    for m, n in itertools.pairwise(widths):
        draw = torch.randn(SEEDS, m, n, generator=generator)
        std = (math.sqrt(2 / m), math.sqrt(2 / (m + n)), 0.01)
        parameters.append(torch.cat([s * draw for s in std]))
        parameters.append(torch.zeros(len(std) * SEEDS, 1, n))
    return [p.requires_grad_() for p in parameters]


# --8<-- [end:networks]


# --8<-- [start:train]
@functools.cache
def train(depth: int, steps: int = STEPS) -> NDArray[np.float64]:
    """Train all networks at once on the digits and return their losses.

    Returns:
        Cross-entropy of each batch, shape (3 rules, SEEDS, steps).

    >>> loss = train(2, steps=1)
    >>> loss.shape
    (3, 3, 1)
    """
    generator = torch.Generator().manual_seed(SEED)
    images, labels = load_digits(return_X_y=True)
    x = torch.tensor(images, dtype=torch.float32)
    x = (x - x.mean(0)) / x.std(0).clamp(min=1e-6)
    y = torch.tensor(labels)
    parameters = networks(depth, generator)
    optimizer = torch.optim.SGD(parameters, RATE, MOMENTUM, fused=True)
    history = []
    for _ in range(steps):
        rows = torch.randint(len(x), (SEEDS, BATCH), generator=generator)
        rows = rows.repeat(len(NAMES), 1)
        h = x[rows]
        for layer in range(depth):
            weight, bias = parameters[2 * layer : 2 * layer + 2]
            h = torch.baddbmm(bias, h if layer == 0 else h.relu(), weight)
        log_p = h.log_softmax(-1).gather(-1, y[rows].unsqueeze(-1))
        loss = -log_p.mean((1, 2))
        optimizer.zero_grad()
        loss.sum().backward()
        optimizer.step()
        history.append(loss.detach())
    losses = torch.stack(history, 1).double().numpy()
    return losses.reshape(len(NAMES), SEEDS, steps)


# --8<-- [end:train]


if __name__ == "__main__":
    # --8<-- [start:demo]
    chance = math.log(10)
    last = {depth: train(depth)[..., -50:].mean(-1) for depth in (10, 30)}
    loss = {
        (name, depth): (x[i].mean(), x[i].std(ddof=1) / math.sqrt(SEEDS))
        for depth, x in last.items()
        for i, name in enumerate(NAMES)
    }
    print("trained    10 layers  30 layers")
    for i, name in enumerate(NAMES):
        row = f"{name:<8}"
        for x in last.values():
            trained = (x[i] < chance / 2).sum()
            row += f"{trained:7d} of {SEEDS}"
        print(row)
    # --8<-- [end:demo]


# --8<-- [start:plot_curves]
def plot_curves() -> Figure:
    """Draw the training loss of each network, smoothed over 20 steps."""
    size = (5.6, 5.0)
    fig, axes = plt.subplots(2, sharex=True, figsize=size, layout="constrained")
    steps = np.arange(10, STEPS, 20)
    for ax, depth in zip(axes, (30, 10), strict=True):
        loss = train(depth).reshape(len(NAMES), SEEDS, -1, 20).mean(-1)
        for i, name in enumerate(NAMES):
            for seed in range(SEEDS):
                label = name if seed == 0 else None
                (line,) = ax.plot(steps, loss[i, seed], "o^s"[i], label=label)
                line.set(color=f"C{i}", ls="-", lw=1, ms=4, markevery=(i, 3))
        ax.axhline(math.log(10), ls="--", lw=1, color="black", label="ln 10")
        ax.set_title(f"{depth} layers")
        ax.set_ylabel("training loss")
    axes[0].legend(loc="lower left")
    axes[1].set_xlabel("step")
    return fig


if __name__ == "__main__":
    plot_curves()
    plt.show()
# --8<-- [end:plot_curves]
