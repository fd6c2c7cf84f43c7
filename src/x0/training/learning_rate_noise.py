"""SGD with a fixed rate stops at a noise floor; a decaying rate goes below it.

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
    """Return E[e^2] before each step: V <- (1 - rate)^2 V + rate^2."""
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


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print the mean squared error at the end, measured and predicted."""
    values: dict[str, float | tuple[float, float]] = {}
    print("rate      measured  predicted")
    for name, means in noise_study().items():
        key = name.replace("/t", "_t").replace(".", "")
        end = float(means[-1])
        theory = float(predicted_error(RATES[name], STEPS)[-1])
        values[f"end_{key}"], values[f"theory_{key}"] = end, theory
        print(f"{name:<8}{end:10.0e}{theory:11.0e}")
    values["floor"] = noise_floor(0.1, 1, 1)
    values["ratio"] = noise_floor(0.1, 1, 1) * (STEPS - 1)
    kept = math.prod(1 - 0.2 / t for t in range(1, STEPS))
    values["kept"] = kept  # of the start, under 0.2/t
    return values


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]


# --8<-- [start:plot_floor]
def plot_floor() -> Figure:
    """Draw the mean squared error against the step, with the floors."""
    fig, ax = plt.subplots(figsize=(5.2, 3.6), layout="constrained")
    shown = np.unique(np.geomspace(1, STEPS, 60).astype(int))
    for i, (name, means) in enumerate(noise_study().items()):
        (line,) = ax.plot(shown[::4], means[shown[::4] - 1], label=name)
        line.set(marker="o^sDv"[i], ms=4, ls="", color=f"C{i}")
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
