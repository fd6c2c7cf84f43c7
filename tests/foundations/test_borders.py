"""At the border of what they accept, and at the smallest sizes, the functions give what one finds by hand."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from borders import names, near
from x0.foundations import (
    activations,
    activations_learnable,
    activations_linear,
    networks,
    networks_differences,
    networks_rescaling,
    tasks,
    tasks_initial,
    tasks_others,
    tasks_prior,
    tasks_regression,
    tasks_risk,
)

ONE, PAIR = torch.ones(1), torch.tensor([[1.0], [3.0]])
LAYERS = [(np.array([[2.0]]), np.array([1.0])), (np.array([[3.0]]), np.array([-1.0]))]


def updated(rate: float) -> list[Any]:
    layers = [(np.ones((1, 1)), np.zeros(1))]
    networks.update_parameters_(layers, [(np.full((1, 1), 2.0), np.ones(1))], rate)
    return layers


def started(y: Tensor, task: str, **settings: bool) -> list[Any]:
    layer = tasks.start_output_(nn.Linear(1, 2, **settings), y, task)
    return [layer.weight, layer.bias]


FOUND: list[tuple[Callable[[], Any], Any]] = [
    (lambda: activations.convex_regions(torch.relu, 0.5), (-math.inf, math.inf)),
    (lambda: activations.convex_regions(torch.clone, 0.5), []),
    (lambda: activations_linear.collapse_affine(LAYERS[:1]), (2, 1)),
    (lambda: activations_linear.collapse_affine(LAYERS), (6, 2)),
    (lambda: updated(0.0), (1, 0)),
    (lambda: updated(0.5), (0, -0.5)),
    (lambda: networks_differences.slope_at_zero("relu(z)"), 0),
    (lambda: networks_differences.slope_at_zero("maximum(z, 0)"), 0.5),
    (
        lambda: networks_rescaling.rescale_units(PAIR, PAIR[:, 0], PAIR.T, torch.full((2,), 1e-9)),
        (1e-9, 3e-9, 1e-9, 3e-9, 1e9, 3e9),
    ),
    (lambda: tasks.task_loss(torch.zeros(1, 4), torch.tensor([2]), "classes"), math.log(4)),
    (lambda: tasks.task_loss(torch.zeros(1, 4), torch.ones(1, 4), "labels"), 4 * math.log(2)),
    (lambda: tasks.task_loss(torch.zeros(1, 4), torch.ones(1, 4), "counts"), 4),
    (lambda: tasks.task_loss(torch.ones(1, 4), torch.ones(1, 4), "counts"), 4 * (math.e - 1)),
    (lambda: tasks.task_loss(torch.zeros(2, 1), PAIR, "squared"), 2.5),
    (lambda: tasks.task_loss(torch.zeros(2, 1), PAIR, "absolute"), 2),
    (lambda: tasks.best_constant(torch.tensor([0, 1, 1, 1]), "classes").exp(), [0.25, 0.75]),
    (lambda: tasks.best_constant(PAIR / 4, "labels"), 0),
    (lambda: tasks.best_constant(PAIR, "counts"), math.log(2)),
    (lambda: tasks.best_constant(PAIR, "squared"), 2),
    (lambda: tasks.best_constant(PAIR.long(), "squared"), 2),
    (lambda: tasks.best_constant(torch.tensor([0.0, 5.0, 6.0]), "absolute"), 5),
    (lambda: started(torch.tensor([[1.0, 2.0], [3.0, 4.0]]), "squared"), (0, 0, 2, 3)),
    (lambda: tasks_initial.expected_cross_entropy(0.0, 1), 0),
    (lambda: tasks_initial.expected_cross_entropy(0.0, 10), math.log(10)),
    (lambda: tasks_others.contrastive(torch.ones(1, 2), torch.ones(1, 2)), 0),
    (lambda: tasks_others.contrastive(torch.eye(2), torch.eye(2), 1.0), math.log1p(1 / math.e)),
    (lambda: tasks_others.contrastive(*2 * [torch.eye(2).double()]), math.log1p(math.exp(-10))),
    (lambda: tasks_prior.first_pull(0.5, prior=True, q=0.0), (math.log(2), 0.5)),
    (lambda: tasks_prior.first_pull(0.25, prior=False, q=0.0), (math.log(2), 0.25)),
    (lambda: tasks_prior.first_pull(0.25, prior=True, q=0.0)[1], 0.5),
    # as many equations as unknowns, or fewer: the fit goes through all samples
    (lambda: tasks_risk.least_squares_risk(3, 1, 5, np.random.default_rng(0))[0], [0] * 5),
    (lambda: tasks_risk.least_squares_risk(1, 3, 5, np.random.default_rng(0))[0] > 0, [1] * 5),
]
REJECTED: list[Callable[[], Any]] = [
    lambda: activations.convex_regions(torch.relu, 0.0),
    lambda: activations.convex_regions(torch.relu, math.inf),
    lambda: activations_learnable.fit_activation("none"),
    lambda: activations_linear.collapse_affine([]),
    lambda: networks.reverse_pass(LAYERS, [np.ones((1, 1))], np.ones((1, 1))),
    lambda: updated(math.inf),
    lambda: networks_differences.slope_at_zero("none"),
    lambda: networks_rescaling.rescale_units(PAIR, PAIR[:, 0], PAIR.T, torch.tensor([1.0, 0.0])),
    lambda: tasks.task_loss(PAIR, PAIR.T, "squared"),
    lambda: tasks.task_loss(PAIR, PAIR, "classes"),
    lambda: tasks.task_loss(PAIR, PAIR, "none"),
    lambda: tasks.best_constant(PAIR, "none"),
    lambda: tasks.best_constant(ONE[0], "squared"),
    lambda: tasks.best_constant(PAIR + 0j, "squared"),
    lambda: tasks.best_constant(torch.zeros(2, 1), "counts"),
    lambda: tasks.best_constant(torch.tensor([0, 2]), "classes"),
    lambda: started(torch.ones(2, 3), "squared"),
    lambda: started(torch.tensor([1.0, 3.0]), "squared"),
    lambda: started(torch.ones(2, 2), "squared", bias=False),
    lambda: tasks_initial.expected_cross_entropy(-1e-9, 2),
    lambda: tasks_initial.expected_cross_entropy(math.inf, 2),
    lambda: tasks_initial.expected_cross_entropy(1.0, 0),
    lambda: tasks_others.contrastive(PAIR, PAIR[:1]),
    lambda: tasks_prior.first_pull(0.0, prior=True),
    lambda: tasks_prior.first_pull(1.0, prior=True),
    lambda: tasks_regression.regression_losses("none"),
    lambda: tasks_risk.least_squares_risk(0, 5, 1, np.random.default_rng(0)),
    lambda: tasks_risk.least_squares_risk(4, 5, 1, np.random.default_rng(0)),
    lambda: tasks_risk.least_squares_risk(6, 5, 1, np.random.default_rng(0)),
]


@pytest.mark.parametrize(("call", "expected"), FOUND, ids=[names(call) for call, _ in FOUND])
def test_at_the_border_and_at_the_smallest_size(call: Callable[[], Any], expected: Any) -> None:
    assert near(call(), expected, 1e-6)


@pytest.mark.parametrize("call", REJECTED, ids=[names(call) for call in REJECTED])
def test_beyond_the_border_nothing_is_accepted(call: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match="Received"):
        call()
