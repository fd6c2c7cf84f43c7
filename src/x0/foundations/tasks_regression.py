"""A regression whose output starts at the mean of the targets skips a detour.

E[(y - z)^2] = Var(y) + (E[y] - z)^2

The task: the mean ink in the lower half of a digit, from its upper half.
"""

# --8<-- [start:imports]
import math
from functools import cache

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from torch import Tensor

SEED = 0
STEPS, SEEDS = 250, 20
STARTS = ("zero", "mean")
# --8<-- [end:imports]


# --8<-- [start:train]
def half_digits() -> tuple[Tensor, Tensor]:
    """Return standardized upper halves (m, 32) and the ink below (m, 1).

    >>> x, y = half_digits()
    >>> x.shape, round(float(y.mean()), 1)
    (torch.Size([600, 32]), 4.9)
    """
    data = torch.tensor(load_digits().data[:600], dtype=torch.float32)
    x, y = data[:, :32], data[:, 32:].mean(1, keepdim=True)
    return (x - x.mean(0)) / x.std(0).clamp(min=0.5), y


@cache
def regression_losses(start: str) -> Tensor:
    """Train ReLU networks 32-32-1 with squared error, several seeds at once.

    Returns:
        Mean squared error over Var(y) before each step, (STEPS, SEEDS).

    Raises:
        ValueError: start is not in STARTS.
    """
    if start not in STARTS:
        raise ValueError(f"start must be in {STARTS}. Received: {start}")
    x, y = half_digits()
    generator = torch.Generator().manual_seed(SEED)
    w = torch.randn(SEEDS, 32, 32, generator=generator) * (2 / 32) ** 0.5
    u = torch.randn(SEEDS, 32, 1, generator=generator) * 0.1 * (2 / 32) ** 0.5
    b, c = torch.zeros(SEEDS, 1, 32), torch.zeros(SEEDS, 1, 1)
    if start == "mean":
        c += y.mean()
    parameters = [p.requires_grad_() for p in (w, b, u, c)]
    optimizer = torch.optim.SGD(parameters, lr=0.01)
    history = []
    for _ in range(STEPS):
        z = torch.relu(x @ w + b) @ u + c
        loss = (z - y).square().mean((1, 2))
        history.append(loss.detach())
        optimizer.zero_grad()
        loss.sum().backward()
        optimizer.step()
    return torch.stack(history) / y.var(correction=0)


# --8<-- [end:train]


if __name__ == "__main__":
    # --8<-- [start:demo]
    _, y = half_digits()
    mean, variance = y.mean(), y.var(correction=0)
    ratio = 1 + mean**2 / variance
    print(f"predicted first loss: {ratio:.1f} and 1.0 times the variance")
    first, steps = {}, {}
    print("bias   first loss  steps to 0.7 of the variance")
    for start in STARTS:
        losses = regression_losses(start)
        first[start] = losses[0].mean()
        count = (losses < 0.7).double().argmax(0).double()
        steps[start] = (count.mean(), count.std() / math.sqrt(SEEDS))
        print(f"{start:<8}{first[start]:9.1f}{count.mean():17.0f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_start]
def plot_start() -> Figure:
    """Draw the training loss with output bias 0 and at the mean."""
    fig, ax = plt.subplots(figsize=(5.2, 3.2))
    fig.set_layout_engine("constrained", rect=(0, 0, 0.99, 1))
    _, y = half_digits()
    ratio = float(1 + y.mean() ** 2 / y.var(correction=0))
    levels = (ratio, 1.0)
    for i, start in enumerate(STARTS):
        losses = regression_losses(start)
        steps = range(0, STEPS, 2)
        for seed in range(4):
            (line,) = ax.plot(steps, losses[::2, seed], lw=1, color=f"C{i}")
            line.set(marker="os"[i], ms=4, markevery=(seed * 3, 20))
            if seed == 0:
                line.set_label(("bias 0", "bias at the mean")[i])
        ax.axhline(levels[i], ls="--", lw=1, color="black", zorder=1)
    ax.plot([], [], ls="--", lw=1, color="black", label="predicted")
    ax.set_yscale("log")
    ax.set_xlabel("step")
    ax.set_ylabel("loss / Var(y)")
    ax.legend()
    return fig


if __name__ == "__main__":
    plot_start()
    plt.show()
# --8<-- [end:plot_start]
