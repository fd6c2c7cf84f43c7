"""Second moments beside variances, expectations beside layer means."""

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from x0.guide import notation, notation_moments


def mean_and_error(sample: Tensor) -> tuple[float, float]:
    return sample.mean().item(), sample.std().item() / math.sqrt(len(sample))


def test_next_layer_sees_the_second_moment() -> None:
    generator = torch.Generator().manual_seed(1)
    h = torch.relu(torch.randn(256, generator=generator).double())
    q, error = mean_and_error(notation_moments.next_layer(h, 20_000, seed=2).square())
    second_moment, variance = h.square().mean().item(), h.var(correction=0).item()
    assert second_moment == pytest.approx(variance + h.mean().item() ** 2)
    assert error < 0.05 * second_moment
    assert abs(q - second_moment) < 4 * error
    # Wrong law: the variance propagates.
    assert abs(q - variance) > 4 * error


def test_correlated_features_change_nothing() -> None:
    """A1 and A2 suffice: all features equal is as far from independent as can be."""
    h = torch.full((256,), 0.7).double()
    q, error = mean_and_error(notation_moments.next_layer(h, 20_000, seed=3).square())
    assert abs(q - 0.49) < 4 * error
    # Wrong law: only the part that varies between the features counts, 0 here.
    assert abs(q) > 4 * error


def test_relu_of_a_gaussian_has_these_moments() -> None:
    generator = torch.Generator().manual_seed(4)
    h = torch.relu(torch.randn(400_000, generator=generator).double())
    p, error = mean_and_error(h.square())
    assert abs(p - 1 / 2) < 4 * error
    variance = h.var().item()
    spread = (h - h.mean()).square().std().item() / math.sqrt(len(h))
    assert abs(variance - (1 / 2 - 1 / (2 * math.pi))) < 4 * spread
    assert abs(variance - 1 / 2) > 4 * spread


@pytest.mark.parametrize(("width", "depth"), [(64, 20), (16, 5)])
def test_layer_mean_has_expectation_one(width: int, depth: int) -> None:
    last = notation_moments.linear_chain(width, depth, 8000, seed=5)[:, -1]
    mean, error = mean_and_error(last)
    assert error < 0.05
    assert abs(mean - 1) < 4 * error
    # Wrong law: the typical network, exp(-depth/width).
    assert abs(mean - math.exp(-depth / width)) > 4 * error


def test_layer_mean_fluctuates_by_two_over_n_per_layer() -> None:
    width, depth = 64, 5
    last = notation_moments.linear_chain(width, depth, 40_000, seed=6)[:, -1]
    variance, error = mean_and_error((last - 1).square())
    theory = (1 + 2 / width) ** depth - 1
    assert error < 0.05 * theory
    assert abs(variance - theory) < 4 * error
    # Wrong law: 5/n per layer, which is ReLU's.
    assert abs(variance - ((1 + 5 / width) ** depth - 1)) > 4 * error


def test_chain_has_the_law_of_networks_with_weights() -> None:
    """The log of the layer mean agrees in mean and spread with real weights."""
    width, depth, networks = 16, 4, 4000
    chain = notation_moments.linear_chain(width, depth, networks, seed=7)[:, -1].log()
    generator = torch.Generator().manual_seed(8)
    h = torch.ones(networks, width, 1).double()
    for _ in range(depth):
        weight = torch.empty(networks, width, width).double()
        h = notation.gaussian_(weight, 0.0, 1 / width, generator) @ h
    real = h.square().mean((1, 2)).log()
    error = math.hypot(*(mean_and_error(sample)[1] for sample in (chain, real)))
    assert abs(chain.mean().item() - real.mean().item()) < 4 * error
    assert chain.std().item() == pytest.approx(real.std().item(), rel=4 / math.sqrt(networks))


def test_without_joint_symmetry_the_factor_is_a_third() -> None:
    values, probability = notation_moments.asymmetric_row()
    assert probability.sum() == 1
    assert (probability @ values).tolist() == [0, 0]
    covariance = values.T @ (probability[:, None] * values)
    assert covariance.tolist() == [[0.75, 0], [0, 0.75]]
    for column in values.T:  # each marginal law is symmetric
        assert probability[column == 1].sum() == probability[column == -1].sum()
    z = values.sum(1)
    second_moment = probability @ z**2
    assert (probability @ torch.relu(z) ** 2) / second_moment == pytest.approx(1 / 3)
    # Independent symmetric entries, the same two numbers: a half.
    signs = torch.cartesian_prod(torch.tensor([-1.0, 1.0]), torch.tensor([-1.0, 1.0])).sum(1)
    assert torch.relu(signs).square().mean() / signs.square().mean() == pytest.approx(1 / 2)


@pytest.mark.proves("notation-networks", kind="caption", n="12, 4000")
def test_figure_shows_networks_that_leave_and_a_mean_that_stays() -> None:
    """Single networks spread further around 1 with depth; the mean of 4000 stays at 1."""
    axes = notation_moments.plot_networks().axes[0]
    lines = [np.asarray(line.get_ydata(), dtype=float) for line in axes.lines]
    networks, mean = lines[:12], lines[-1]
    assert np.abs(mean - 1).max() < 0.05
    last = np.array([network[-1] for network in networks])
    spread = [np.std([network[layer] for network in networks]) for layer in (1, 5, 20)]
    assert spread[0] < spread[1] < spread[2]
    assert last.max() > 1.5
    assert last.min() < 0.5
    assert max(network.max() for network in networks) < axes.get_ylim()[1]
