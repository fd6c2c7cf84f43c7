"""Saliencies against the true price of deleting a weight."""

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from scipy.stats import spearmanr

from x0.taylor.applications_pruning import (
    digits_loss,
    digits_split,
    plot_saliency,
    rank_correlation,
    saliencies,
    train_small_network,
)


def test_the_diagonal_is_that_of_the_hessian_matrix() -> None:
    theta = train_small_network(8)
    x, y, _, _ = digits_split()
    _, second, _ = saliencies(theta)
    for j in (20, 300, 520, 591):
        ends = []
        for shift in (-1e-4, 1e-4):
            moved = theta.clone()
            moved[j] += shift
            moved.requires_grad_()
            ends.append(torch.autograd.grad(digits_loss(moved, x, y, 1e-3), moved)[0][j])
        expected = (ends[1] - ends[0]) / 2e-4 * theta[j] ** 2 / 2
        torch.testing.assert_close(second[j], expected, rtol=1e-5, atol=1e-10)


def test_the_change_is_the_loss_without_the_weight() -> None:
    theta = train_small_network(8)
    x, y, _, _ = digits_split()
    first, second, change = saliencies(theta)
    base = digits_loss(theta, x, y, 1e-3).item()
    for j in (3, 100, 580):
        pruned = theta.clone()
        pruned[j] = 0
        assert change[j].item() == pytest.approx(
            digits_loss(pruned, x, y, 1e-3).item() - base, abs=1e-14
        )
    # second order: what is left over is of third order in the weight
    rest = (first + second - change).abs()
    small = theta[:592].abs() < 0.1
    assert (rest[small] < 0.2 * theta[:592][small].abs() ** 3 + 1e-12).all()


@pytest.mark.claim("C-45")
def test_two_derivatives_rank_weights_that_magnitude_and_gradient_do_not(
    values: Callable[[str], Any],
) -> None:
    found = values("applications_pruning")["correlations"]
    assert found["early", "both"] > 0.98
    assert max(found["early", "magnitude"], found["early", "brain damage"]) < 0.6
    assert 0.6 < found["early", "first"] < 0.8
    assert found["trained", "brain damage"] > 0.995
    assert found["trained", "magnitude"] < 0.97
    assert abs(found["trained", "first"]) < 0.2  # at a minimum the gradient says nothing


def test_the_most_expensive_weight_is_underpriced(values: Callable[[str], Any]) -> None:
    shown = values("applications_pruning")
    assert shown["predicted"] < 0.7 * shown["worst"]


@pytest.mark.claim("C-03")
def test_the_network_overfits_and_training_takes_hundreds_of_iterations(
    values: Callable[[str], Any],
) -> None:
    shown = values("applications_pruning")
    assert shown["test"] > 4 * shown["base"]
    x, y, _, _ = digits_split()
    early = digits_loss(train_small_network(8), x, y, 1e-3).item()
    late = digits_loss(train_small_network(600), x, y, 1e-3).item()
    assert early > 4 * late


def test_rank_correlation_is_spearmans() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.normal(size=(2, 50))
    expected = spearmanr(a, b).statistic
    assert rank_correlation(torch.from_numpy(a), torch.from_numpy(b)) == pytest.approx(expected)


@pytest.mark.proves(
    "applications-long-step",
    kind="cause",
    n="40",
    effect="{val:applications_pruning.gaps[1.0]:.0%} → {val:applications_pruning.gaps[0.1]:.0%}",
)
def test_the_figure_follows_the_diagonal_except_at_its_upper_end(
    values: Callable[[str], Any],
) -> None:
    """The dearest weights lie below the line because their step is long: a tenth of it does not."""
    gaps = values("applications_pruning")["gaps"]
    assert gaps[1.0] == pytest.approx(0.27, abs=0.03)
    assert gaps[0.1] == pytest.approx(0.02, abs=0.01)
    first, second, change = saliencies(train_small_network(600))
    dearest = change.argsort()[-40:]
    assert ((first + second)[dearest] < change[dearest]).all()
    figure = plot_saliency()
    (axis,) = figure.axes
    x, y = (np.asarray(v, dtype=float) for v in axis.lines[1].get_data())
    assert len(x) == 100
    ratio = y / x
    assert np.median(np.abs(ratio[x < 1e-3] - 1)) < 0.1
    assert ratio[x > 0.015].max() < 0.95
    assert (ratio[np.argsort(x)[-10:]] < 1).all()  # the dearest 40, every fourth of them
    plt.close(figure)
