"""Doubling the batch halves the steps up to a critical batch size.

steps(B) = steps(infinity) (1 + B* / B) at the best rate for each B

McCandlish et al. (2018).
"""

# --8<-- [start:imports]
import functools
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from torch import Tensor

SEED = 0
SEEDS, WIDTH, TARGET = 4, 16, 0.3
BATCHES = (2, 4, 8, 16, 32, 64, 128, 256)
RATES = tuple(2.0 ** (k / 2) for k in range(-7, 1))
# --8<-- [end:imports]


# --8<-- [start:steps]
def steps_to_target(batch: int, rates: tuple[float, ...]) -> Tensor:
    """Return the mean SGD steps to the loss TARGET on the digits, by rate.

    All rates and seeds are trained at once, until the fastest rate is done;
    a rate that does not get there counts as infinite.

    Raises:
        ValueError: there is no rate.
    """
    if not rates:
        raise ValueError(f"Expected a learning rate. Received: {rates=}")
    generator = torch.Generator().manual_seed(SEED)
    data = load_digits()
    x = torch.tensor(data.data, dtype=torch.float32) / 16
    y = torch.tensor(data.target)
    networks = len(rates) * SEEDS
    parameters: list[Tensor] = []
    for m, n in ((64, WIDTH), (WIDTH, 10)):
        w = torch.randn(SEEDS, m, n, generator=generator) * math.sqrt(2 / m)
        parameters += [w.repeat(len(rates), 1, 1), torch.zeros(networks, 1, n)]
    eta = torch.tensor(rates).repeat_interleave(SEEDS)[:, None, None]
    judges = torch.randperm(len(x), generator=generator)[:200]
    reached = torch.full((networks,), math.inf)

    def losses(rows: Tensor) -> Tensor:
        rows = rows.expand(networks, -1)
        h = torch.baddbmm(parameters[1], x[rows], parameters[0]).relu()
        logits = torch.baddbmm(parameters[3], h, parameters[2])
        chosen = logits.log_softmax(-1).gather(-1, y[rows].unsqueeze(-1))
        return -chosen.mean((1, 2))

    for step in range(1, 1200):
        rows = torch.randint(len(x), (SEEDS, batch), generator=generator)
        parameters = [p.requires_grad_() for p in parameters]
        loss = losses(rows.repeat(len(rates), 1)).sum()
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            pairs = zip(parameters, gradients, strict=True)
            parameters = [p.detach() - eta * g for p, g in pairs]
            if step % 2:
                continue
            new = (losses(judges[None]) < TARGET) & reached.isinf()
        reached[new] = step
        means = reached.view(-1, SEEDS).mean(1)
        if step > 1.3 * means.min():
            break
    return reached.view(-1, SEEDS).mean(1)


# --8<-- [end:steps]


# --8<-- [start:demo]
@functools.cache
def best_steps() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the fewest steps and the rate that needs them, by batch size."""
    found = [steps_to_target(batch, RATES) for batch in BATCHES]
    steps = np.array([float(s.min()) for s in found])
    return steps, np.array([RATES[int(s.argmin())] for s in found])


def fit_critical(steps: NDArray[np.float64]) -> tuple[float, float]:
    """Return steps(infinity) and B* that fit best on a logarithmic scale."""
    inverse = 1 / np.array(BATCHES)
    sizes = np.geomspace(1, 200, 400)
    fits = []
    for size in sizes:
        gap = np.log(steps) - np.log(1 + size * inverse)
        fits.append((gap.std(), math.exp(gap.mean()), float(size)))
    return min(fits)[1:]


def demo() -> dict[str, float | tuple[float, float]]:
    """Print steps, rows and best rate for some batch sizes."""
    steps, rates = best_steps()
    floor, size = fit_critical(steps)
    values: dict[str, float | tuple[float, float]] = {}
    values |= {"floor": floor, "critical": size}
    print("batch   steps   rows seen   best rate")
    for batch, count, rate in zip(BATCHES, steps, rates, strict=True):
        values[f"steps_{batch}"] = float(count)
        values[f"rate_{batch}"] = float(rate)
        if batch != 4 and batch != 16:
            two = float(f"{count:.2g}"), float(f"{count * batch:.2g}")
            print(f"{batch:5d}{two[0]:8.0f}{two[1]:12.0f}{rate:12.2f}")
    return values


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]


# --8<-- [start:plot_steps]
def plot_steps() -> Figure:
    """Draw steps and best rate against the batch size."""
    steps, rates = best_steps()
    floor, size = fit_critical(steps)
    b = np.geomspace(2, 256, 60)
    scaled = rates * (1 + size / np.array(BATCHES))
    fig, axes = plt.subplots(
        2, sharex=True, figsize=(5.2, 4.8), layout="constrained"
    )
    axes[0].plot(BATCHES, steps, "o", color="C0", label="measured")
    axes[0].plot(b, floor * (1 + size / b), "k--", lw=1, label="1 + B* / B")
    axes[1].plot(BATCHES, rates, "o", color="C1", label="measured")
    line = np.median(scaled) / (1 + size / b)
    axes[1].plot(b, line, "k--", lw=1, label="1 / (1 + B* / B)")
    for ax in axes:
        ax.axvline(size, color="0.5", lw=1, ls=":")
        ax.set_xscale("log", base=2)
        ax.set_yscale("log")
        ax.minorticks_off()
        ax.legend()
    axes[0].set_ylabel("steps to the target")
    axes[1].set_ylabel("best learning rate")
    axes[0].set_yticks([60, 120, 300, 600], ["60", "120", "300", "600"])
    axes[1].set_yticks([0.1, 0.3, 1], ["0.1", "0.3", "1"])
    axes[1].set_xlabel("batch size B")
    return fig


if __name__ == "__main__":
    plot_steps()
    plt.show()
# --8<-- [end:plot_steps]
