"""The splits keep what they promise; the scaler sees the training part alone."""

import re

import numpy as np
import pytest
import torch
from sklearn.feature_selection import SelectKBest
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GroupKFold,
    GroupShuffleSplit,
    KFold,
    StratifiedGroupKFold,
    StratifiedShuffleSplit,
    TimeSeriesSplit,
    cross_val_score,
    train_test_split,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
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


@pytest.mark.parametrize("share", [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9])
def test_the_tested_share_is_exact_where_it_can_be(share):
    for count in (10, 20, 100, 1000):
        _, test = datasets.temporal_split(np.arange(count), share)
        assert len(test) == round(share * count)


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


@pytest.mark.proves("datasets-calls", kind="call")
def test_the_calls_of_the_table():
    """Each scikit-learn call of the table keeps what its row promises."""
    x, y = rng().standard_normal((200, 30)), np.repeat([0, 1], [180, 20])
    groups = np.arange(200) // 5
    _, _, _, tested = train_test_split(x, y, stratify=y, random_state=0)
    assert tested.sum() == 5  # a tenth of 50
    for splitter in (GroupShuffleSplit(), GroupKFold()):
        for train, test in splitter.split(x, y, groups):
            assert not set(groups[train]) & set(groups[test])
    for train, test in TimeSeriesSplit(gap=7).split(x):
        assert train.max() + 7 < test.min()
    model = LogisticRegression()
    pipeline = make_pipeline(StandardScaler(), SelectKBest(), model)
    rows = rng().permutation(200)[:100]
    pipeline.fit(x[rows], y[rows])
    assert pipeline[0].mean_ == pytest.approx(x[rows].mean(0))


@pytest.mark.proves("datasets-defaults", kind="call")
def test_what_train_test_split_does_by_default():
    """train_test_split shuffles and does not stratify; shuffle=False keeps the order of time."""
    x, y = np.arange(100), np.repeat([0, 1], [90, 10])
    counts = set()
    for seed in range(20):
        train, _, _, tested = train_test_split(x, y, random_state=seed)
        assert (np.diff(train) < 0).any()
        counts.add(int(tested.sum()))
    assert len(counts) > 1
    train, test = train_test_split(x, shuffle=False)
    assert train.tolist() + test.tolist() == x.tolist()


@pytest.mark.proves("datasets-kfold", kind="call")
def test_kfold_on_sorted_classes():
    """KFold does not shuffle: on data sorted by class a training part lacks a whole class."""
    y = np.repeat(np.arange(5), 20)
    assert [len(set(y[train])) for train, _ in KFold().split(y)] == [4] * 5


@pytest.mark.proves("datasets-random-split", kind="call")
def test_random_split_neither_stratifies_nor_groups():
    """random_split tears groups apart and loses shares; generator= fixes it."""
    y, groups = np.repeat([0, 1], [90, 10]), np.arange(100) // 5

    def split(seed):
        generator = torch.Generator().manual_seed(seed)
        train, test = torch.utils.data.random_split(range(100), [80, 20], generator=generator)
        return list(train.indices), list(test.indices)

    assert split(0) == split(0)
    counts = {int(y[split(seed)[1]].sum()) for seed in range(20)}
    assert len(counts) > 1
    train, test = split(0)
    assert set(groups[train]) & set(groups[test])


@pytest.mark.proves("datasets-pipeline", kind="cause", effect="> 0.8 → 0.5", seeds=20)
def test_selection_inside_the_pipeline_does_not_leak():
    """On noise, selecting before cross-validation measures > 0.8, inside a pipeline one half."""
    before, inside = [], []
    for seed in range(20):
        x, y = rng(seed).standard_normal((60, 1000)), rng(seed + 1000).permutation(60) % 2
        model = GaussianNB()
        chosen = SelectKBest(k=20).fit_transform(x, y)
        before.append(cross_val_score(model, chosen, y).mean())
        inside.append(cross_val_score(make_pipeline(SelectKBest(k=20), model), x, y).mean())
    assert np.mean(before) > 0.8
    assert abs(np.mean(inside) - 0.5) < 3 * np.std(inside) / np.sqrt(20) + 0.01


def test_what_is_shown(values, printed):
    train, test = map(int, re.findall(r"(\d+) to t", printed("datasets")))
    assert train + test == 1797
    assert values("datasets")["constant"] >= 1


@pytest.mark.proves("datasets-stratified-groups", kind="call")
def test_groups_and_classes_at_once():
    """One label for each group and stratified_split keep groups whole and the shares of the classes."""
    classes = np.repeat([0, 1], [40, 10])  # one for each group
    groups, labels = np.repeat(np.arange(50), 5), np.repeat(classes, 5)
    chosen = datasets.stratified_split(classes, 0.2, rng())
    train, test = (np.flatnonzero(np.isin(groups, part)) for part in chosen)
    assert not set(groups[train]) & set(groups[test])
    assert labels[train].mean() == labels[test].mean() == 0.2
    mixed = rng().integers(0, 2, len(groups))
    for train, test in StratifiedGroupKFold().split(groups, mixed, groups):
        assert not set(groups[train]) & set(groups[test])
        assert abs(mixed[train].mean() - mixed[test].mean()) < 0.15


@pytest.mark.proves("datasets-rounded", kind="call")
def test_scikit_learn_can_leave_a_small_class_out():
    """stratify rounds the shares and leaves 10 of 500 out of a test of 10; stratified_split takes one."""
    y = np.repeat([1, 0], [10, 490])
    for seed in range(10):
        _, tested = train_test_split(y, stratify=y, test_size=0.02, random_state=seed)
        assert tested.sum() == 0
        _, test = datasets.stratified_split(y, 0.02, rng(seed))
        assert y[test].sum() == 1


@pytest.mark.parametrize("tested", range(1, 10))
def test_temporal_tests_the_share_that_is_asked_for(tested):
    """10 (1 - 0.9) is below 1 in float64: the split is not rounded down for it."""
    train, test = datasets.temporal_split(np.arange(10.0), tested / 10)
    assert (len(train), len(test)) == (10 - tested, tested)
