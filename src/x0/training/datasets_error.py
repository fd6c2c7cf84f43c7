"""A test accuracy is a mean of hits and misses, and has a standard error.

standard error = sqrt(accuracy * (1 - accuracy) / tested)

Near 0 or 1 the usual interval fails; Wilson's (1927) holds far more often.
"""

# --8<-- [start:imports]
import math

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:interval]
def accuracy_interval(
    hits: int, tested: int, z: float = 1.96
) -> tuple[float, float]:
    """Return Wilson's interval for the accuracy, about 95 % for z = 1.96.

    Args:
        hits: right answers.
        tested: independent test samples.
        z: half width in standard errors.

    Raises:
        ValueError: tested < 1, hits outside 0, ..., tested, or z not between
            0 and 1e30.

    >>> [round(x, 3) for x in accuracy_interval(360, 360)]
    [0.989, 1.0]
    """
    if tested < 1 or not 0 <= hits <= tested or not 0 < z < 1e30:
        raise ValueError(f"Received: {hits=}, {tested=}, {z=}")
    p, w = hits / tested, z**2 / tested
    center = (p + w / 2) / (1 + w)
    half = z * math.sqrt(p * (1 - p) / tested + w / (4 * tested)) / (1 + w)
    return max(center - half, 0.0), min(center + half, 1.0)


# --8<-- [end:interval]


# --8<-- [start:coverage]
def interval_coverage(accuracy: float, tested: int, wilson: bool) -> float:
    """Return the chance that an interval contains the true accuracy.

    Sums the binomial distribution. The other interval is p ± 1.96 standard
    errors. From 1030 tested on, its numbers may leave float64.
    """
    total = 0.0
    for hits in range(tested + 1):
        if wilson:
            low, high = accuracy_interval(hits, tested)
        else:
            p = hits / tested
            half = 1.96 * math.sqrt(p * (1 - p) / tested)
            low, high = p - half, p + half
        if low <= accuracy <= high:
            ways = math.comb(tested, hits)
            total += ways * accuracy**hits * (1 - accuracy) ** (tested - hits)
    return total


def split_accuracies(splits: int = 300) -> NDArray[np.float64]:
    """Return test accuracies on the digits over random splits.

    The classifier is the nearest neighbor, 360 images are tested.
    """
    x, labels = load_digits(return_X_y=True)
    square = (x**2).sum(1)
    distance = square[:, None] + square - 2 * x @ x.T
    rng = np.random.default_rng(SEED)
    found = np.empty(splits)
    for i in range(splits):
        rows = rng.permutation(len(x))
        test, train = rows[:360], rows[360:]
        nearest = train[distance[np.ix_(test, train)].argmin(1)]
        found[i] = (labels[nearest] == labels[test]).mean()
    return found


# --8<-- [end:coverage]


if __name__ == "__main__":
    # --8<-- [start:demo]
    percent = 100 * split_accuracies()
    mean, std = percent.mean(), percent.std(ddof=1)
    spread = std, std / math.sqrt(2 * (len(percent) - 1))  # and its error
    theory = math.sqrt(mean * (100 - mean) / 360)
    low, high = accuracy_interval(round(3.6 * mean), 360)
    print(f"nearest neighbor: {mean:.1f} %")
    print(f"std over splits {std:.1f}, predicted {theory:.1f} points")
    print(f"interval of one split: {100 * low:.1f} to {100 * high:.1f} %")
    sizes = (30, 100, 360)
    usual = {n: interval_coverage(0.98, n, wilson=False) for n in sizes}
    wilson = {n: interval_coverage(0.98, n, wilson=True) for n in sizes}
    for n in sizes:
        print(f"{n:4d} tested: usual {usual[n]:.2f}, Wilson {wilson[n]:.2f}")
    # --8<-- [end:demo]
