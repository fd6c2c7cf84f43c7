"""Split first; then fit every statistic on the training part alone.

scaled = (x - training mean) / training std, the same for every part

A split keeps the class shares, or whole groups, or the order of time.
"""

# --8<-- [start:imports]
import math

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

SEED = 0
Rows = tuple[NDArray[np.int64], NDArray[np.int64]]  # training, test
# --8<-- [end:imports]


# --8<-- [start:scaler]
def fit_scaler(
    x: NDArray[np.float64],
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return mean and standard deviation of each column of the training set.

    The standard deviation of a constant column is given as 1: dividing by it
    leaves zeros, not NaN.

    Raises:
        ValueError: x is not (samples, features), has no rows, or is not
            finite.

    >>> fit_scaler(np.array([[1.0, 5.0], [3.0, 5.0]]))
    (array([2., 5.]), array([1., 1.]))
    """
    if x.ndim != 2 or len(x) == 0 or not np.isfinite(x).all():
        raise ValueError(f"Expected finite (samples, features): {x.shape}")
    mean, std = x.mean(0), x.std(0)
    constant = std <= 1e-12 * np.maximum(np.abs(mean), 1)
    return mean, np.where(constant, 1.0, std)


# --8<-- [end:scaler]


# --8<-- [start:splits]
def stratified_split(
    labels: NDArray[np.int64], test_share: float, rng: np.random.Generator
) -> Rows:
    """Split so that each class has the same share in the test part.

    The test part of a class of c samples has round(c * test_share) of them,
    at least 1 and at most c - 1.

    Raises:
        ValueError: a share outside (0, 1), or a class of one sample.
    """
    if not 0 < test_share < 1:
        raise ValueError(f"Received: {test_share=}")
    train, test = [], []
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        if len(rows) < 2:
            raise ValueError(f"Only one sample of class {label}")
        count = min(max(round(len(rows) * test_share), 1), len(rows) - 1)
        test.append(rows[:count])
        train.append(rows[count:])
    return np.concatenate(train), np.concatenate(test)


def grouped_split(
    groups: NDArray[np.int64], test_share: float, rng: np.random.Generator
) -> Rows:
    """Split so that no group (person, document, device) is in both parts.

    Raises:
        ValueError: a share outside (0, 1), or fewer than 2 groups.
    """
    names = rng.permutation(np.unique(groups))
    if not 0 < test_share < 1 or len(names) < 2:
        raise ValueError(f"Received: {test_share=}, {len(names)} groups")
    count = min(max(round(len(names) * test_share), 1), len(names) - 1)
    held_out = np.isin(groups, names[:count])
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def temporal_split(
    times: NDArray[np.float64], test_share: float, gap: float = 0.0
) -> Rows:
    """Split so that all of the test part is later than the training part.

    Args:
        times: of the samples, in any order.
        test_share: share of the samples, the latest ones, that is tested.
        gap: training samples closer than this to the first test time go.

    Raises:
        ValueError: a share outside (0, 1), a negative gap, or an empty part.
    """
    if not 0 < test_share < 1 or gap < 0:
        raise ValueError(f"Received: {test_share=}, {gap=}")
    order = np.argsort(times, kind="stable")
    start = times[order[math.floor(len(times) * (1 - test_share))]]
    train = np.flatnonzero(times < start - gap)
    if len(train) == 0:
        raise ValueError("No training sample is left")
    return train, np.flatnonzero(times >= start)


# --8<-- [end:splits]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Split and scale the digits; print what a split must keep."""
    images, labels = load_digits(return_X_y=True)
    rng = np.random.default_rng(SEED)
    train, test = stratified_split(labels, 0.2, rng)
    mean, std = fit_scaler(images[train])  # never on all of the images
    scaled = (images - mean) / std
    constant = int((images[train].std(0) == 0).sum())
    shares = [np.bincount(labels[r]) / len(r) for r in (train, test)]
    print(f"digits: {len(train)} to train on, {len(test)} to test")
    print(f"constant pixels in the training part: {constant}")
    print(f"largest difference of a class share: {np.ptp(shares, 0).max():.3f}")
    print(
        f"mean and std of scaled test pixels: {scaled[test].mean():.2f},",
        end="",
    )
    print(f" {scaled[test].std():.2f}")
    patients = np.repeat(np.arange(10), 7)
    a, b = (patients[r] for r in grouped_split(patients, 0.3, rng))
    print(
        "patients tested:", *np.unique(b), "| in both:", *np.intersect1d(a, b)
    )
    days = rng.permutation(np.arange(20.0))
    a, b = (days[r] for r in temporal_split(days, 0.25, gap=2))
    print(f"trained to day {a.max():.0f}, tested from day {b.min():.0f}")
    return {
        "train": float(len(train)),
        "test": float(len(test)),
        "constant": float(constant),
    }


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]
