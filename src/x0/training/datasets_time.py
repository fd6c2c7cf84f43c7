"""A random split of a time series tests interpolation, not prediction.

random: 1 / (share * (2 - share)); last m times: (m + 1) / 2, in squared steps,
for a random walk predicted by its nearest known time
"""

# --8<-- [start:imports]
import math

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:time]
def walk_error(temporal: bool, runs: int = 400) -> NDArray[np.float64]:
    """Predict a random walk of 500 unit steps by the nearest training time.

    Args:
        temporal: test on the last 100 times, else on 100 random ones.
        runs: number of walks.

    Returns:
        Mean squared error of each walk, shape (runs,).
    """
    rng = np.random.default_rng(SEED)
    walks = rng.standard_normal((runs, 500)).cumsum(1)
    errors = np.empty(runs)
    for run, walk in enumerate(walks):
        test = np.zeros(500, bool)
        if temporal:
            test[-100:] = True
        else:
            test[rng.choice(500, 100, replace=False)] = True
        known, asked = np.flatnonzero(~test), np.flatnonzero(test)
        nearest = known[np.abs(asked[:, None] - known).argmin(1)]
        errors[run] = np.square(walk[asked] - walk[nearest]).mean()
    return errors


# --8<-- [end:time]


if __name__ == "__main__":
    # --8<-- [start:demo]
    predicted = {"random": 1 / (0.8 * (2 - 0.8)), "temporal": (100 + 1) / 2}
    ratio = predicted["temporal"] / predicted["random"]
    measured = {}
    for name, temporal in (("random", False), ("temporal", True)):
        found = walk_error(temporal)
        mean, error = found.mean(), found.std(ddof=1) / math.sqrt(len(found))
        print(f"{name} split: squared error {mean:.0f}")
        measured[name] = mean, error
    # --8<-- [end:demo]


# --8<-- [start:plot_walk]
def plot_walk() -> Figure:
    """Draw one walk with its test times, split at random and by time."""
    size = (5.2, 4.4)
    fig, axes = plt.subplots(2, sharex=True, figsize=size, layout="constrained")
    rng = np.random.default_rng(SEED)
    walk = rng.standard_normal(500).cumsum()
    random = np.sort(rng.choice(500, 100, replace=False))
    for ax, asked, title in (
        (axes[0], random, "random split"),
        (axes[1], np.arange(400, 500), "temporal split"),
    ):
        known = np.setdiff1d(np.arange(500), asked)
        nearest = known[np.abs(asked[:, None] - known).argmin(1)]
        ax.plot(walk[::3], color="0.5", lw=1)
        ax.lines[0].set_xdata(np.arange(0, 500, 3))
        shown = slice(None, None, 2)
        ax.plot(asked[shown], walk[nearest][shown], "sC1", ms=3)
        ax.lines[1].set_label("prediction")
        ax.set(xlim=(0, 500), title=title, ylabel="value")
    axes[1].legend(loc="lower left")
    axes[1].set_xlabel("time")
    return fig


if __name__ == "__main__":
    plot_walk()
    plt.show()
# --8<-- [end:plot_walk]
