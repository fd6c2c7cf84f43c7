"""How near a search comes to the best value of the one axis that matters.

random: (n + 3) / (2 (n + 1)(n + 2))    grid of k values: 1 / (4 k)

Bergstra and Bengio (2012) compare grid and random search.
"""

# --8<-- [start:imports]
import functools
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

SEED = 0
BUDGETS, AXES, REPEATS = (16, 64, 256), 2, 400
# --8<-- [end:imports]


# --8<-- [start:designs]
def grid_points(trials: int, axes: int) -> NDArray[np.float64]:
    """Return the centers of equal cells in the unit cube, shape (n, axes).

    Raises:
        ValueError: trials is no power of a whole number with the exponent axes.

    >>> grid_points(4, 2).tolist()
    [[0.25, 0.25], [0.25, 0.75], [0.75, 0.25], [0.75, 0.75]]
    """
    side = round(max(trials, 0) ** (1 / max(axes, 1)))
    if side < 1 or side**axes != trials:
        raise ValueError(f"No grid of this size. Received: {trials=}, {axes=}")
    centers = (np.arange(side) + 0.5) / side
    return np.stack(np.meshgrid(*[centers] * axes, indexing="ij"), -1).reshape(
        -1, axes
    )


def random_points(trials: int, axes: int, seed: int) -> NDArray[np.float64]:
    """Return independent uniform points of the unit cube."""
    return np.random.default_rng(seed).random((trials, axes))


def sobol_points(trials: int, axes: int, seed: int) -> NDArray[np.float64]:
    """Return a scrambled Sobol sequence in the unit cube.

    Each axis alone is covered evenly if the number of points is a power of 2.
    """
    engine = torch.quasirandom.SobolEngine(axes, scramble=True, seed=seed)
    points: NDArray[np.float64] = engine.draw(trials).double().numpy()
    return points


# --8<-- [end:designs]


# --8<-- [start:nearest]
def random_distance(trials: int) -> float:
    """Return the predicted mean distance of random points to the best value.

    Raises:
        ValueError: trials is negative.

    >>> round(random_distance(1), 4)
    0.3333
    """
    if trials < 0:
        raise ValueError(f"trials >= 0 is needed. Received: {trials=}")
    return (trials + 3) / (2 * (trials + 1) * (trials + 2))


@functools.cache
def distances(design: str, trials: int) -> NDArray[np.float64]:
    """Return the distance of the nearest point to a random best value.

    Args:
        design: "grid", "random" or "Sobol", in AXES dimensions.
        trials: number of points.

    Returns:
        Shape (REPEATS,), along the first axis; best values are uniform.
    """
    best = np.random.default_rng(SEED).random(REPEATS)
    found = []
    for i in range(REPEATS):
        if design == "grid":
            points = grid_points(trials, AXES)
        elif design == "random":
            points = random_points(trials, AXES, SEED + i)
        else:
            points = sobol_points(trials, AXES, SEED + i)
        found.append(np.abs(points[:, 0] - best[i]).min())
    return np.array(found)


# --8<-- [end:nearest]


# --8<-- [start:mean]
def mean_and_error(x: NDArray[np.float64]) -> tuple[float, float]:
    """Return the mean and its standard error.

    Raises:
        ValueError: fewer than two numbers, or not all finite.
    """
    if x.ndim != 1 or len(x) < 2 or not np.isfinite(x).all():
        raise ValueError(f"Expected two or more numbers. Received: {x}")
    return float(x.mean()), float(x.std(ddof=1) / math.sqrt(len(x)))


# --8<-- [end:mean]


if __name__ == "__main__":
    # --8<-- [start:demo]
    distance = {
        (design, n): mean_and_error(1000 * distances(design, n))
        for design in ("grid", "random", "Sobol")
        for n in BUDGETS
    }
    predicted = {n: 1000 * random_distance(n) for n in BUDGETS}
    print("distance to the best value, in thousandths of the range")
    print("trials  grid  random  Sobol")
    for n in BUDGETS:
        row = [distance[d, n][0] for d in ("grid", "random", "Sobol")]
        print(f"{n:<6}{row[0]:6.0f}{row[1]:8.0f}{row[2]:7.0f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_distance]
def plot_distance() -> Figure:
    """Draw the distance to the best value against the number of trials."""
    fig, ax = plt.subplots(figsize=(5.4, 3.4), layout="constrained")
    trials = np.array([4, 16, 64, 256])
    marks = {"grid": "o", "random": "s", "Sobol": "^"}
    for design, mark in marks.items():
        means = [distances(design, int(n)).mean() for n in trials]
        ax.plot(trials, means, mark, label=design)
    theory = {
        "grid": 0.25 / trials**0.5,
        "random": np.array([random_distance(int(n)) for n in trials]),
        "even": 0.25 / trials,
    }
    for line in theory.values():
        ax.plot(trials, line, color="black", ls="--", lw=1)
    ax.set(xscale="log", yscale="log", xlabel="trials")
    ax.set_xticks(trials, [str(n) for n in trials])
    ax.minorticks_off()
    ax.set_ylabel("distance to the best value")
    ax.legend(loc="lower left")
    return fig


if __name__ == "__main__":
    plot_distance()
    plt.show()
# --8<-- [end:plot_distance]
