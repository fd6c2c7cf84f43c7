"""SGD with a fixed rate stops at a noise floor; a decaying one can go below.

floor = rate * noise variance / (eigenvalue * (2 - rate * eigenvalue))

Robbins and Monro (1951) gave the conditions on the decay.
"""

# --8<-- [start:imports]
import functools
import math
from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

SEED = 0
CHAINS, STEPS, START = 2000, 3000, 3.0
# --8<-- [end:imports]


# --8<-- [start:chains]
def noise_floor(rate: float, eigenvalue: float, noise: float) -> float:
    """Return the stationary E[e^2] of SGD on eigenvalue * e^2 / 2.

    Args:
        rate: fixed learning rate.
        eigenvalue: curvature.
        noise: variance of the gradient noise.

    Raises:
        ValueError: no stationary state, unless 0 < rate * eigenvalue < 2.

    >>> round(noise_floor(0.1, 1.0, 1.0), 4)
    0.0526
    """
    if not 0 < rate * eigenvalue < 2:
        raise ValueError(f"Received: {rate=}, {eigenvalue=}")
    return rate * noise / (eigenvalue * (2 - rate * eigenvalue))


def predicted_error(
    rate: Callable[[int], float], steps: int
) -> NDArray[np.float64]:
    """Return E[e^2] before each step: V <- (1 - rate)^2 V + rate^2.

    Args:
        rate: the learning rate of each step, from 1 on.
        steps: how many, not negative.
    """
    second_moment = START**2
    predicted = np.empty(steps)
    for t in range(1, steps + 1):
        predicted[t - 1] = second_moment
        second_moment = (1 - rate(t)) ** 2 * second_moment + rate(t) ** 2
    return predicted


def mean_square_error(
    rate: Callable[[int], float], steps: int = STEPS
) -> NDArray[np.float64]:
    """Return the mean of e^2 over chains before each step 1, ..., steps.

    Curvature 1, Gaussian gradient noise of variance 1, start e = 3.

    Args:
        rate: maps the step t = 1, 2, ... to the learning rate.
        steps: how many.
    """
    rng = np.random.default_rng(SEED)
    e = np.full(CHAINS, START)
    means = np.empty(steps)
    for t in range(1, steps + 1):
        means[t - 1] = np.square(e).mean()
        e -= rate(t) * (e + rng.standard_normal(CHAINS))
    return means


def averaged_error(rate: float, skip: int = 0) -> tuple[float, float]:
    """Return the mean square of a chain's mean iterate, and its error.

    Args:
        rate: fixed learning rate.
        skip: steps left out of the mean, of STEPS.
    """
    rng = np.random.default_rng(SEED)
    e, total = np.full(CHAINS, START), np.zeros(CHAINS)
    for t in range(STEPS):
        total += e if t >= skip else 0.0
        e -= rate * (e + rng.standard_normal(CHAINS))
    square = np.square(total / (STEPS - skip))
    return float(square.mean()), float(square.std(ddof=1) / CHAINS**0.5)


RATES: dict[str, Callable[[int], float]] = {
    "0.1": lambda t: 0.1,
    "0.01": lambda t: 0.01,
    "1/t": lambda t: 1 / t,
    "0.2/t": lambda t: 0.2 / t,
    "cosine": lambda t: 0.1 * (1 + math.cos(math.pi * (t - 1) / STEPS)) / 2,
}


@functools.cache
def noise_study() -> dict[str, NDArray[np.float64]]:
    """Return the mean squared error by step for each rule of RATES."""
    return {name: mean_square_error(rate) for name, rate in RATES.items()}


# --8<-- [end:chains]


if __name__ == "__main__":
    # --8<-- [start:demo]
    end = {name: means[-1] for name, means in noise_study().items()}
    print("rate      measured  predicted")
    for name, rate in RATES.items():
        predicted = predicted_error(rate, STEPS)[-1]
        print(f"{name:<8}{end[name]:10.0e}{predicted:11.0e}")
    floor = noise_floor(0.1, 1.0, 1.0)
    print(f"0.1, floor of the formula:      {floor:.1e}")
    mean_of_all = averaged_error(0.1)
    mean_of_half = averaged_error(0.1, skip=STEPS // 2)
    print(f"0.1, mean of all iterates:      {mean_of_all[0]:.1e}")
    print(f"0.1, mean of the second half:   {mean_of_half[0]:.1e}")
    # What is left of the start under 0.2/t.
    kept = math.prod(1 - 0.2 / t for t in range(1, STEPS))
    # --8<-- [end:demo]


# --8<-- [start:plot_floor]
def plot_floor() -> Figure:
    """Draw the mean squared error against the step, with the floors."""
    fig, ax = plt.subplots(figsize=(5.2, 3.6), layout="constrained")
    shown = np.unique(np.geomspace(1, STEPS, 60).astype(int))
    for i, (name, means) in enumerate(noise_study().items()):
        (line,) = ax.plot(shown[::4], means[shown[::4] - 1], label=name)
        line.set(marker="o^sDv"[i], ms=4, ls="", color=f"C{'04231'[i]}")
        predicted = predicted_error(RATES[name], STEPS)[shown - 1]
        label = "predicted" if i == 4 else None
        ax.plot(shown, predicted, "k--", lw=1, label=label)
    ax.set(xscale="log", yscale="log", ylim=(1e-4, 20))
    ax.set(xlabel="training step", ylabel="mean squared error")
    ax.legend(loc="lower left", ncols=2)
    return fig


if __name__ == "__main__":
    plot_floor()
    plt.show()
# --8<-- [end:plot_floor]
