"""Far below a critical batch size, doubling the batch nearly halves the steps.

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
SEEDS, WIDTH, TARGET = 20, 16, 0.3
BATCHES = (2, 4, 8, 16, 32, 64, 128, 256)
# --8<-- [end:imports]


# --8<-- [start:steps]
def steps_to_target(batch: int, rates: tuple[float, ...]) -> Tensor:
    """Return the SGD steps to the loss TARGET on 200 digits, a multiple of 2.

    All rates and seeds are trained at once, until a while after all seeds of
    the fastest rate are done; whatever is not there by then is infinite.

    Returns:
        Shape (rates, SEEDS).

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
    return reached.view(-1, SEEDS)


# --8<-- [end:steps]


# --8<-- [start:best]
def tried_rates(batch: int) -> tuple[float, ...]:
    """Return five rates, sqrt(2) apart, for a batch of at least 1."""
    middle = 1 / (1 + 16 / batch)
    return tuple(middle * 2 ** (k / 2) for k in range(-2, 3))


@functools.cache
def all_steps() -> tuple[NDArray[np.float64], ...]:
    """Return the steps by batch, each of shape (rates, SEEDS)."""
    return tuple(
        steps_to_target(batch, tried_rates(batch)).double().numpy()
        for batch in BATCHES
    )


@functools.cache
def best_steps() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the fewest mean steps and the rate that needs them, by batch."""
    means = [np.mean(steps, 1) for steps in all_steps()]
    best = [int(m.argmin()) for m in means]
    steps = np.array([m[i] for m, i in zip(means, best, strict=True)])
    return steps, np.array(
        [tried_rates(b)[i] for b, i in zip(BATCHES, best, strict=True)]
    )


def fit_critical(steps: NDArray[np.float64]) -> tuple[float, float]:
    """Return steps(infinity) and B* that fit best on a logarithmic scale.

    Args:
        steps: for each of BATCHES, positive, finite, not empty, shape (..., 8).
    """
    inverse = 1 / np.array(BATCHES)
    sizes = np.geomspace(1, 200, 400)
    fits = []
    for size in sizes:
        gap = np.log(steps) - np.log(1 + size * inverse)
        fits.append((gap.std(), math.exp(gap.mean()), float(size)))
    return min(fits)[1:]


def critical_error(resamples: int = 200) -> float:
    """Return the standard error of B*, from seeds drawn with replacement."""
    rng = np.random.default_rng(SEED)
    found = []
    for _ in range(resamples):
        drawn = rng.integers(SEEDS, size=(len(BATCHES), SEEDS))
        pairs = zip(all_steps(), drawn, strict=True)
        steps = np.array([s[:, d].mean(1).min() for s, d in pairs])
        found.append(fit_critical(steps)[1])
    return float(np.std(found))


# --8<-- [end:best]


if __name__ == "__main__":
    # --8<-- [start:demo]
    steps, rates = best_steps()
    critical = fit_critical(steps)[1], critical_error()
    print("batch   steps   rows seen   best rate")
    for batch, count, rate in zip(BATCHES, steps, rates, strict=True):
        if batch not in (4, 16):
            few, seen = (float(f"{n:.2g}") for n in (count, count * batch))
            print(f"{batch:5d}{few:8.0f}{seen:12.0f}{rate:12.2f}")
    print("critical batch size: {:.0f} ± {:.0f}".format(*critical))
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
