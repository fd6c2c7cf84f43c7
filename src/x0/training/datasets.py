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
    x = np.asanyarray(x)  # lists, tensors and tables, too
    number = x.dtype.kind in "fiub"
    if x.ndim != 2 or not len(x) or not number or not np.isfinite(x).all():
        raise ValueError(
            "Expected numbers, finite (samples, features). "
            f"Received: shape={x.shape}, {x.dtype}"
        )
    x = x.astype(np.float64)  # float32 rounds the mean of a constant column
    constant = x.min(0) == x.max(0)
    std = x.std(0)  # of a column below 1e-160 it is 0, by underflow
    return x.mean(0), np.where(constant | (std == 0), 1.0, std)


# --8<-- [end:scaler]


# --8<-- [start:splits]
def stratified_split(
    labels: NDArray[np.int64], test_share: float, rng: np.random.Generator
) -> Rows:
    """Split so that each class has the same share in the test part.

    The test part of a class of c samples has round(c * test_share) of them,
    at least 1 and at most c - 1. Rows come sorted by class: shuffle them
    before training in batches.

    Raises:
        ValueError: a share outside (0, 1), labels that are no vector or
            hold NaN or None, or a class of one sample.
    """
    labels = np.asarray(labels)
    if any(x is None or x != x for x in labels.flat):
        raise ValueError("A label is missing. Received: None or NaN")
    if not 0 < test_share < 1 or labels.ndim != 1 or not len(labels):
        raise ValueError(f"Received: {test_share=}, shape={labels.shape}")
    train, test = [], []
    for label in np.unique(labels):
        rows = rng.permutation(np.flatnonzero(labels == label))
        if len(rows) < 2:
            raise ValueError(
                f"Only one sample of class {label}. Received: {len(rows)}"
            )
        count = min(max(round(len(rows) * test_share), 1), len(rows) - 1)
        test.append(rows[:count])
        train.append(rows[count:])
    return np.concatenate(train), np.concatenate(test)


def grouped_split(
    groups: NDArray[np.int64], test_share: float, rng: np.random.Generator
) -> Rows:
    """Split so that no group (person, document, device) is in both parts.

    The share is one of the groups, not of the samples.

    Raises:
        ValueError: a share outside (0, 1), fewer than 2 groups, or groups
            that are no vector or hold NaN or None.
    """
    groups = np.asarray(groups)
    if any(x is None or x != x for x in groups.flat):
        raise ValueError("A group is missing. Received: None or NaN")
    names = rng.permutation(np.unique(groups))
    if not 0 < test_share < 1 or len(names) < 2 or groups.ndim != 1:
        raise ValueError(f"Received: {test_share=}, {len(names)} groups")
    count = min(max(round(len(names) * test_share), 1), len(names) - 1)
    held_out = np.isin(groups, names[:count])
    return np.flatnonzero(~held_out), np.flatnonzero(held_out)


def temporal_split(
    times: NDArray[np.float64], test_share: float, gap: float = 0.0
) -> Rows:
    """Split so that all of the test part is later than the training part.

    Samples with the time of the first that is tested are tested as well.

    Args:
        times: of the samples, in any order; numbers or datetime64.
        test_share: share of the samples, the latest ones, that is tested.
        gap: samples up to this far before the first test time are in
            neither part; a timedelta64 for dates.

    Raises:
        ValueError: a share outside (0, 1), a negative gap, an empty part, or
            times that are no vector or hold NaN.
    """
    times = np.asarray(times)
    zero = gap - gap  # of a date's gap, too
    if not 0 < test_share < 1 or not gap >= zero:
        raise ValueError(f"Received: {test_share=}, {gap=}")
    if times.ndim != 1 or len(times) < 2 or (times != times).any():
        raise ValueError(f"Expected a vector of times. Received: {times}")
    order = np.argsort(times, kind="stable")
    tested = math.ceil(round(len(times) * test_share, 6))  # 0.07 of 100: 7
    split = len(times) - tested
    start = times[order[min(split, len(times) - 1)]]
    train = np.flatnonzero(times < (start - gap if gap else start))
    if len(train) == 0:
        raise ValueError(f"No training sample is left. Received: {gap=}")
    return train, np.flatnonzero(times >= start)


# --8<-- [end:splits]


if __name__ == "__main__":
    # --8<-- [start:demo]
    images, labels = load_digits(return_X_y=True)
    rng = np.random.default_rng(SEED)
    train, test = stratified_split(labels, 0.2, rng)
    mean, std = fit_scaler(images[train])  # never on all of the images
    scaled = (images - mean) / std
    constant = (images[train].std(0) == 0).sum()
    shares = [np.bincount(labels[rows]) / len(rows) for rows in (train, test)]
    largest = np.ptp(shares, 0).max()
    print(f"digits: {len(train)} to train on, {len(test)} to test")
    print(f"constant pixels in the training part: {constant}")
    print(f"largest difference of a class share: {largest:.3f}")
    mean, std = scaled[test].mean(), scaled[test].std()
    print(f"mean and std of scaled test pixels: {mean:.2f}, {std:.2f}")
    patients = np.repeat(np.arange(10), 7)
    train, test = grouped_split(patients, 0.3, rng)
    both = np.intersect1d(patients[train], patients[test])
    print("patients tested:", *np.unique(patients[test]), "| in both:", *both)
    days = rng.permutation(np.arange(20.0))
    train, test = temporal_split(days, 0.25, gap=2)
    last, first = days[train].max(), days[test].min()
    print(f"trained to day {last:.0f}, tested from day {first:.0f}")
    # --8<-- [end:demo]
