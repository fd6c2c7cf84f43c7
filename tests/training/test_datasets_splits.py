"""Random splits lose rare classes and tear groups apart."""

import math

import numpy as np
import pytest

from x0.training import datasets_splits as splits
from x0.training.datasets import stratified_split


def test_chance_without_the_rare_class():
    counts = splits.rare_counts()
    chance = splits.chance_without(500, 10, 100)
    error = math.sqrt(chance * (1 - chance) / len(counts))
    assert abs((counts == 0).mean() - chance) < 4 * error < 0.1 * chance
    independent = (1 - 100 / 500 * 0.5) ** 10  # a wrong share
    assert abs((counts == 0).mean() - independent) > 4 * error


@pytest.mark.proves("datasets-stratified", kind="search", range="seeds 0…199")
def test_stratified_there_are_two():
    """Of 500 samples with 10 in a rare class, a stratified test set of 100 holds 2 of them."""
    labels = np.zeros(500, np.int64)
    labels[:10] = 1
    for seed in range(200):
        _, test = stratified_split(labels, 0.2, np.random.default_rng(seed))
        assert len(test) == 100
        assert labels[test].sum() == 2


def test_copies_in_both_parts_look_like_knowledge():
    random = np.array([splits.copies_accuracy(False, run) for run in range(4)])
    grouped = np.array([splits.copies_accuracy(True, run) for run in range(4)])
    assert random.min() > 0.95
    assert abs(grouped.mean() - 0.1) < 0.08  # guessing among ten labels


def test_errors():
    with pytest.raises(ValueError, match="Received: samples=5, rare=6"):
        splits.chance_without(5, 6, 1)


def test_values(values):
    accuracy = values("datasets_splits")["accuracy"]
    assert accuracy["random"][0] > 0.95
    assert accuracy["grouped"][0] < 0.2
