"""Losses and the outputs that start at the best constant: PyTorch as the oracle."""

import math

import pytest
import torch
from torch.nn import functional

from x0.foundations import tasks

GENERATOR = torch.Generator().manual_seed(2)


def draw(task):
    z = torch.randn(50, 3, generator=GENERATOR, dtype=torch.float64)
    if task == "classes":
        return z, torch.randint(3, (50,), generator=GENERATOR)
    if task == "labels":
        return z, torch.randint(2, (50, 3), generator=GENERATOR).double()
    return z, torch.poisson(torch.full((50, 3), 2.0), generator=GENERATOR).double()


ORACLES = {
    "classes": lambda z, y: functional.cross_entropy(z, y),
    "labels": lambda z, y: 3 * functional.binary_cross_entropy_with_logits(z, y),
    "counts": lambda z, y: 3 * functional.poisson_nll_loss(z, y),
    "squared": lambda z, y: 1.5 * functional.mse_loss(z, y),
    "absolute": lambda z, y: 3 * functional.l1_loss(z, y),
}


@pytest.mark.parametrize("task", tasks.TASKS)
def test_loss_is_pytorchs(task):
    z, y = draw(task)
    assert float(tasks.task_loss(z, y, task)) == pytest.approx(float(ORACLES[task](z, y)))


@pytest.mark.parametrize("task", ["classes", "labels", "counts", "squared"])
def test_the_gradient_is_prediction_minus_target(task):
    z, y = draw(task)
    z.requires_grad_()
    (slope,) = torch.autograd.grad(tasks.task_loss(z, y, task), z)
    prediction = {
        "classes": lambda z: z.softmax(1),
        "labels": torch.sigmoid,
        "counts": torch.exp,
        "squared": lambda z: z,
    }[task](z.detach())
    target = functional.one_hot(y, 3) if task == "classes" else y
    assert torch.allclose(50 * slope, prediction - target)


@pytest.mark.parametrize("task", tasks.TASKS)
def test_the_best_constant_is_best(task):
    y = tasks.example_targets(task)
    best = tasks.best_constant(y, task)
    rows = torch.zeros(len(y), len(best), dtype=torch.float64)
    at_best = float(tasks.task_loss(rows + best, y, task))
    for i in range(len(best)):
        for step in (-0.1, 0.1):
            moved = best.clone()
            moved[i] += step
            assert float(tasks.task_loss(rows + moved, y, task)) > at_best


@pytest.mark.claim("A-19")
def test_what_the_loss_asks_of_the_last_layer():
    values = tasks.demo()
    # A zero last layer starts at ln C; the best bias at the entropy of the labels.
    shares = (0.09, 0.9, 0.01)
    assert values["classes_zero"] == pytest.approx(math.log(3))
    assert values["classes_best"] == pytest.approx(-sum(p * math.log(p) for p in shares))
    # A regression starts at the variance instead of variance plus mean squared.
    y = tasks.example_targets("squared")
    assert values["squared_best"] == pytest.approx(float(y.var(correction=0)) / 2)
    assert values["squared_zero"] == pytest.approx(float(y.square().mean()) / 2)
    for task in tasks.TASKS:
        assert values[f"{task}_slope"] < 1e-9
        assert values[f"{task}_best"] < values[f"{task}_zero"]


@pytest.mark.parametrize("task", tasks.TASKS)
def test_a_started_layer_outputs_the_constant(task):
    y = tasks.example_targets(task)
    outputs = 3 if task == "classes" else y.shape[1]
    layer = tasks.start_output_(torch.nn.Linear(8, outputs, dtype=torch.float64), y, task)
    z = layer(torch.randn(len(y), 8, dtype=torch.float64, generator=GENERATOR))
    assert torch.equal(z.detach(), tasks.best_constant(y, task).expand_as(z))
    # The weights leave zero with the first gradient.
    x = torch.randn(len(y), 8, dtype=torch.float64, generator=GENERATOR)
    (slope,) = torch.autograd.grad(tasks.task_loss(layer(x), y, task), layer.weight)
    assert float(slope.abs().sum()) > 0


def test_errors_say_what_was_received():
    with pytest.raises(ValueError, match="Received: words"):
        tasks.task_loss(torch.zeros(1, 1), torch.zeros(1, 1), "words")
    with pytest.raises(ValueError, match="Received: words"):
        tasks.best_constant(torch.zeros(1, 1), "words")
    with pytest.raises(ValueError, match="A class is empty"):
        tasks.best_constant(torch.tensor([0, 2]), "classes")
