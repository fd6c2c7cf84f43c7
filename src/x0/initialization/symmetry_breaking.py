"""Differences between units grow exponentially, so a tiny noise is enough.

d(a + b)/dt = r (a + b): a, b differences of two units, r the residual
"""

# --8<-- [start:imports]
import functools
import itertools
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from sklearn.datasets import load_digits

SEED = 0
WIDTH, STEPS, RATE, SAMPLES, EVERY = 32, 1000, 0.5, 256, 20
NOISE = (0.0, 1e-12, 1e-8, 1e-4)
# --8<-- [end:imports]


# --8<-- [start:spread]
@functools.cache
def unit_spread() -> tuple[np.ndarray, np.ndarray]:
    """Train tanh networks that start from a constant plus noise, full batch.

    Returns:
        Standard deviation over the units of the first weight, averaged over
        the inputs, every EVERY steps, shape (networks, STEPS // EVERY + 1);
        and the losses, of the same shape.
    """
    generator = torch.Generator().manual_seed(SEED)
    images, labels = load_digits(return_X_y=True)
    x = torch.tensor(images[:SAMPLES]) / 16
    y = torch.tensor(labels[:SAMPLES])
    noise = torch.tensor(NOISE, dtype=torch.float64).view(-1, 1, 1)
    parameters = []
    for m, n in itertools.pairwise([64, WIDTH, 10]):
        draw = torch.randn(m, n, generator=generator, dtype=torch.float64)
        parameters.append((0.05 + noise * draw).requires_grad_())
    spread, history = [], []
    for step in range(STEPS + 1):
        h = torch.tanh(x @ parameters[0])
        log_p = (h @ parameters[1]).log_softmax(-1)
        loss = -log_p[:, range(SAMPLES), y].mean(1)
        if step % EVERY == 0:
            spread.append(parameters[0].detach().std(-1).mean(1))
            history.append(loss.detach())
        gradients = torch.autograd.grad(loss.sum(), parameters)
        with torch.no_grad():
            for p, g in zip(parameters, gradients, strict=True):
                p -= RATE * g
    return torch.stack(spread, 1).numpy(), torch.stack(history, 1).numpy()


# --8<-- [end:spread]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print when each network's loss leaves that of the symmetric one."""
    spread, loss = unit_spread()
    values: dict[str, float | tuple[float, float]] = {}
    print("noise    steps until the spread is 0.01  loss at the end")
    for noise, s, x in zip(NOISE, spread, loss, strict=True):
        key = f"{noise:.0e}".replace("-", "").replace("+", "")
        away = np.flatnonzero(s > 1e-2)
        steps = float(EVERY * away[0]) if len(away) else math.inf
        values[f"steps_{key}"], values[f"loss_{key}"] = steps, float(x[-1])
        if noise:  # without noise it depends on the rounding of the machine
            print(f"{noise:<9g}{steps:15.0f}{x[-1]:27.1f}")
    early = slice(3, 15)
    fit = np.polyfit(EVERY * np.arange(3, 15), np.log(spread[1, early]), 1)
    values["rate"] = float(fit[0])
    values["wait"] = math.log(1e4) / float(fit[0])
    return values


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]


# --8<-- [start:plot_spread]
def plot_spread() -> Figure:
    """Draw the differences between units by step, log scale."""
    spread, _ = unit_spread()
    fig, ax = plt.subplots(figsize=(5.6, 3.4), layout="constrained")
    steps = np.arange(0, STEPS + 1, EVERY)
    for i, noise in enumerate(NOISE):
        label = f"noise {noise:g}"
        values = np.maximum(spread[i], 1e-19)
        ax.plot(steps, values, "o^sD"[i] + "-", ms=3, lw=1, label=label)
    ax.set(yscale="log", xlabel="step", ylabel="standard deviation over units")
    ax.legend(loc="lower right")
    return fig


if __name__ == "__main__":
    plot_spread()
    plt.show()
# --8<-- [end:plot_spread]
