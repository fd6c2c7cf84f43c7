"""The splits keep what they promise; the scaler sees the training part alone."""

import numpy as np
import pytest
from sklearn.model_selection import StratifiedShuffleSplit
from sklearn.preprocessing import StandardScaler

from x0.training import datasets


def rng(seed=0):
    return np.random.default_rng(seed)


def complete(train, test, total):
    rows = np.concatenate([train, test])
    return len(rows) == total and set(rows.tolist()) == set(range(total))


def test_scaler_is_scikit_learns():
    x = rng().normal(3, [0.1, 5, 1], (50, 3))
    x[:, 2] = 7.0  # constant
    mean, std = datasets.fit_scaler(x)
    oracle = StandardScaler().fit(x)
    assert np.allclose((x - mean) / std, oracle.transform(x))
    assert std[2] == 1


@pytest.mark.parametrize("bad", [np.ones(3), np.ones((0, 3)), np.array([[np.nan]])])
def test_scaler_refuses(bad):
    with pytest.raises(ValueError, match=r"finite \(samples, features\)"):
        datasets.fit_scaler(bad)


@pytest.mark.parametrize("seed", range(5))
def test_stratified_keeps_the_shares(seed):
    labels = rng(seed).choice(3, 200, p=[0.7, 0.25, 0.05])
    train, test = datasets.stratified_split(labels, 0.25, rng(seed))
    assert complete(train, test, 200)
    for label in range(3):
        count = (labels == label).sum()
        assert (labels[test] == label).sum() == min(max(round(count * 0.25), 1), count - 1)
    oracle = StratifiedShuffleSplit(1, test_size=0.25, random_state=0)
    _, theirs = next(oracle.split(labels, labels))
    difference = np.bincount(labels[test]) - np.bincount(labels[theirs])
    assert np.abs(difference).max() <= 1


def test_stratified_keeps_a_pair_apart():
    train, test = datasets.stratified_split(np.array([0, 0, 0, 1, 1]), 0.1, rng())
    assert sorted(np.array([0, 0, 0, 1, 1])[test]) == [0, 1]
    assert complete(train, test, 5)


def test_grouped_keeps_groups_together():
    groups = rng().integers(12, size=100)
    train, test = datasets.grouped_split(groups, 0.25, rng(1))
    assert complete(train, test, 100)
    assert len(np.unique(groups[test])) == 3
    assert not set(groups[train]) & set(groups[test])


def test_temporal_tests_the_later_part():
    times = rng().permutation(np.arange(40.0))
    train, test = datasets.temporal_split(times, 0.25)
    assert complete(train, test, 40)
    assert times[train].max() < times[test].min() == 30
    train, test = datasets.temporal_split(times, 0.25, gap=5)
    assert times[train].max() == 24
    assert len(test) == 10


def test_equal_times_stay_together():
    times = np.array([0.0, 1, 1, 1, 2])
    train, test = datasets.temporal_split(times, 0.4)
    assert times[train].tolist() == [0]
    assert times[test].tolist() == [1, 1, 1, 2]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: datasets.stratified_split(np.zeros(4, int), 0.0, rng()), r"test_share=0\.0"),
        (lambda: datasets.stratified_split(np.array([0, 0, 1]), 0.5, rng()), "of class 1"),
        (lambda: datasets.grouped_split(np.zeros(4, int), 0.5, rng()), "1 groups"),
        (lambda: datasets.grouped_split(np.arange(4), 1.0, rng()), r"test_share=1\.0"),
        (lambda: datasets.temporal_split(np.arange(4.0), 0.5, gap=-1), "gap=-1"),
        (lambda: datasets.temporal_split(np.arange(4.0), 0.5, gap=9), "No training sample"),
    ],
)
def test_errors(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_demo():
    values = datasets.demo()
    assert values["train"] + values["test"] == 1797
    assert values["constant"] >= 1
