"""Figures seeds-spread and seeds-pairs: both seeds count, and common seeds cancel."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.initialization import seeds


@pytest.fixture(scope="module")
def accuracy():
    return seeds.study()


@pytest.fixture(scope="module")
def values(accuracy):
    return seeds.demo()


def test_each_source_alone_spreads_the_accuracy(accuracy):
    assert accuracy.shape == (4, 30)
    assert (accuracy.std(axis=1, ddof=1) > 0.2).all()
    assert (accuracy.mean(axis=1) > 94).all()


def test_here_the_order_moves_more_than_the_initialization(accuracy):
    init, order = accuracy[:2].std(axis=1, ddof=1)
    error = np.hypot(init, order) / math.sqrt(2 * 29)
    assert order - init > 2 * error


def test_variances_add_within_their_uncertainty(values):
    interaction, error = values["interaction"]
    assert abs(interaction) < 2 * error
    # The study rejects that the total is the smaller part alone.
    assert values["both_std"][0] ** 2 - values["init_std"][0] ** 2 > 2 * error


def test_common_seeds_cancel(values):
    assert values["correlation"] > 0.8
    assert values["saved"] > 4
    assert abs(values["paired"][0]) < 3 * values["paired"][1]


def test_test_set_is_as_noisy_as_the_seeds(values):
    assert values["test_set"] == pytest.approx(values["both_std"][0], rel=0.5)


def test_one_network_alone_gives_the_same_accuracy():
    both = seeds.train_together([0, 5, 6], [0, 7, 8], xavier=1)
    for k, xavier in ((1, 0), (2, 1)):
        alone = seeds.train_together([[0, 5, 6][k]], [[0, 7, 8][k]], xavier=xavier)
        assert alone[0] == pytest.approx(both[k], abs=0.6)  # two of 360 images


def test_arms_differ_in_scale_only():
    weight = seeds.stacked_networks([3, 3], xavier=1)[0].detach()
    assert torch.allclose(weight[0] * math.sqrt(64 / 96), weight[1])
    many = seeds.stacked_networks(list(range(40)), xavier=0)[0].detach()
    square = many.square() * 64
    error = float(square.std()) / math.sqrt(square.numel())
    assert abs(float(square.mean()) - 2) < 4 * error < 0.1


def test_error_of_the_standard_deviation():
    rng = np.random.default_rng(0)
    stds = [seeds.report(rng.normal(0, 2, 30))["std"] for _ in range(4000)]
    found, stated = np.std([s for s, _ in stds]), np.mean([e for _, e in stds])
    error = found / math.sqrt(2 * 4000)
    assert abs(found - stated) < 4 * error + 0.01 * found  # the formula is asymptotic
    assert abs(found - 2 / math.sqrt(30)) > 10 * error  # not the error of the mean


def test_pairing_needs_common_seeds():
    a = np.array([1.0, 4.0, 9.0])
    assert seeds.paired(a, a + 1) == (-1.0, 0.0)
    with pytest.raises(ValueError, match=r"Seeds differ\. Received"):
        seeds.paired(a, a[:2])


def test_errors():
    with pytest.raises(ValueError, match=r"at least 2 seeds\. Received: 1"):
        seeds.report(np.ones(1))
    with pytest.raises(ValueError, match="Received: 1 init, 2 order"):
        seeds.train_together([0], [0, 1])


def test_figures_show_every_seed(accuracy):
    spread, pairs = seeds.plot_spread(), seeds.plot_pairs()
    rows = [line for line in spread.axes[0].lines if len(line.get_xdata()) == 30]
    for line, results in zip(rows, accuracy[:3], strict=True):
        assert np.allclose(line.get_xdata(), results)
    assert len(pairs.axes[0].lines[0].get_xdata()) == 30
    plt.close(spread)
    plt.close(pairs)
