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


@pytest.mark.proves(
    "tasks-pairs", kind="search", range="softmax, sigmoid, exp, identity", n="50 × 3"
)
@pytest.mark.parametrize("task", ["classes", "labels", "counts", "squared"])
def test_the_gradient_is_prediction_minus_target(task):
    """In the four standard pairs the gradient of the loss is prediction minus target."""
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


@pytest.mark.proves("tasks-best-constant", kind="best", range="5 × {−3…3}", n="61")
@pytest.mark.parametrize("task", tasks.TASKS)
def test_the_best_constant_is_best(task):
    """`start_output_` sets zero weights and the bias of lowest loss; other biases are worse."""
    y = tasks.example_targets(task)
    best = tasks.best_constant(y, task)
    rows = torch.zeros(len(y), len(best), dtype=torch.float64)
    at_best = float(tasks.task_loss(rows + best, y, task))
    for i in range(len(best)):
        for step in (-0.1, 0.1):
            moved = best.clone()
            moved[i] += step
            assert float(tasks.task_loss(rows + moved, y, task)) > at_best
    for shift in torch.linspace(-3, 3, 61, dtype=torch.float64):
        for i in range(len(best)):
            moved = best.clone()
            moved[i] += shift
            assert float(tasks.task_loss(rows + moved, y, task)) >= at_best - 1e-12
    layer = tasks.start_output_(torch.nn.Linear(4, len(best), dtype=torch.float64), y, task)
    assert not layer.weight.any()
    assert torch.equal(layer.bias.detach(), best.double())


@pytest.mark.claim("A-19")
def test_what_the_loss_asks_of_the_last_layer(values):
    names = values("tasks")
    at_zero, at_best = names["at_zero"], names["at_best"]
    # A zero last layer starts at ln C; the best bias at the entropy of the labels.
    shares = (0.09, 0.9, 0.01)
    assert at_zero["classes"] == pytest.approx(math.log(3))
    assert at_best["classes"] == pytest.approx(-sum(p * math.log(p) for p in shares))
    # A regression starts at the variance instead of variance plus mean squared.
    y = tasks.example_targets("squared")
    assert at_best["squared"] == pytest.approx(float(y.var(correction=0)) / 2)
    assert at_zero["squared"] == pytest.approx(float(y.square().mean()) / 2)
    for task in tasks.TASKS:
        assert names["slopes"][task] < 1e-9
        assert at_best[task] < at_zero[task]


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


@pytest.mark.proves("tasks-outlier", kind="search", range="y = ±10, ±10³, ±10⁶", n="99")
def test_an_outlier_moves_the_mean_and_hardly_the_median():
    """One outlier drags the mean anywhere; the median moves to a neighboring value at most."""
    y = torch.randn(99, 1, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    values = y[:, 0].sort().values
    middle = int((values == y.median()).nonzero())
    for outlier in (-1e6, -1e3, -10.0, 10.0, 1e3, 1e6):
        more = torch.cat([y, torch.full((1, 1), outlier, dtype=torch.float64)])
        mean = tasks.best_constant(more, "squared").item()
        assert mean == pytest.approx((y.sum().item() + outlier) / 100)
        median = tasks.best_constant(more, "absolute").item()
        assert values[middle - 1] <= median <= values[middle + 1]


@pytest.mark.proves("tasks-zero-layer", kind="fact")
def test_a_zero_last_layer_trains_alone_in_the_first_step():
    """With a last layer of zeros the first step changes that layer alone, the second all."""
    torch.manual_seed(0)
    model = torch.nn.Sequential(
        torch.nn.Linear(5, 8),
        torch.nn.Tanh(),
        torch.nn.Linear(8, 8),
        torch.nn.Tanh(),
        torch.nn.Linear(8, 3),
    )
    torch.nn.init.zeros_(model[4].weight)
    x, y = torch.randn(20, 5), torch.arange(20) % 3
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    for step in range(2):
        optimizer.zero_grad()
        functional.cross_entropy(model(x), y).backward()
        hidden = [model[i].weight.grad.abs().sum().item() for i in (0, 2)]
        assert (max(hidden) == 0) if step == 0 else (min(hidden) > 0)
        assert model[4].weight.grad.abs().sum() > 0
        optimizer.step()


@pytest.mark.proves("tasks-calls", kind="call", tolerance="10⁻⁸")
def test_what_the_losses_take():
    """Each loss of the table takes what its row says: it is that of task_loss, or has a bounded gradient."""
    nn = torch.nn
    for loss, task, factor in (
        (nn.CrossEntropyLoss(), "classes", 1),
        (nn.BCEWithLogitsLoss(), "labels", 3),
        (nn.PoissonNLLLoss(log_input=True), "counts", 3),
        (nn.MSELoss(), "squared", 1.5),
        (nn.L1Loss(), "absolute", 3),
    ):
        z, y = draw(task)
        if task in ("squared", "absolute"):
            y = y + 0.3  # not at a kink
        z.requires_grad_()
        (ours,) = torch.autograd.grad(tasks.task_loss(z, y, task), z)
        (theirs,) = torch.autograd.grad(loss(z, y), z)
        assert torch.allclose(ours, factor * theirs, atol=1e-8)
    for loss in (nn.L1Loss(), nn.HuberLoss()):
        z = torch.zeros(4, requires_grad=True)
        loss(z, torch.tensor([0.1, 1e3, -1e6, 2.0])).backward()
        assert z.grad.abs().max() <= 1 / 4  # an outlier pulls no harder than that


@pytest.mark.proves("tasks-mse", kind="call")
def test_the_gradient_of_mse():
    """nn.MSELoss() has the gradient 2(z - y) over the number of entries."""
    z, y = draw("squared")
    z.requires_grad_()
    (slope,) = torch.autograd.grad(torch.nn.MSELoss()(z, y), z)
    assert torch.allclose(slope, 2 * (z - y) / z.numel())


@pytest.mark.proves("tasks-twice", kind="search", range="C = 10, |z| ≤ 10⁶")
def test_softmax_twice():
    """Softmax before CrossEntropyLoss: no error, and with 10 classes a loss above 1.46."""
    loss = torch.nn.CrossEntropyLoss()
    for size in (1.0, 10.0, 1e3, 1e6):
        z = size * functional.one_hot(torch.tensor([3]), 10).double()
        found = loss(z.softmax(1), torch.tensor([3])).item()
        assert found > 1.46
    assert found == pytest.approx(math.log(math.e + 9) - 1)
    assert found < 1.462


@pytest.mark.proves("tasks-mean", kind="call")
def test_what_the_mean_is_over():
    """BCEWithLogitsLoss averages over samples and labels, task_loss adds up the labels."""
    z, y = draw("labels")
    z.requires_grad_()
    (ours,) = torch.autograd.grad(tasks.task_loss(z, y, "labels"), z)
    (theirs,) = torch.autograd.grad(torch.nn.BCEWithLogitsLoss()(z, y), z)
    assert torch.allclose(ours, 3 * theirs)


def test_errors_say_what_was_received():
    with pytest.raises(ValueError, match="Received: words"):
        tasks.task_loss(torch.zeros(1, 1), torch.zeros(1, 1), "words")
    with pytest.raises(ValueError, match="Received: words"):
        tasks.best_constant(torch.zeros(1, 1), "words")
    with pytest.raises(ValueError, match="A class is empty"):
        tasks.best_constant(torch.tensor([0, 2]), "classes")
    for task in tasks.TASKS[1:]:
        with pytest.raises(ValueError, match="Received: torch"):
            tasks.task_loss(torch.zeros(3), torch.zeros(3), task)


def test_labels_may_be_integers():
    z, y = draw("labels")
    assert torch.equal(tasks.task_loss(z, y.long(), "labels"), tasks.task_loss(z, y, "labels"))


@pytest.mark.proves("tasks-logit", kind="best", range="each bias ± 1", n="81")
def test_the_biases_of_several_labels():
    """y.mean(0).logit() has the lowest loss of all constant outputs."""
    y = torch.rand(500, 3, generator=torch.Generator().manual_seed(7)) < torch.tensor(
        [0.02, 0.3, 0.9]
    )
    y = y.double()
    bias = y.mean(0).logit()
    loss = torch.nn.BCEWithLogitsLoss()
    best = loss(bias.expand_as(y), y)
    for k in range(3):
        for shift in torch.linspace(-1, 1, 27, dtype=torch.float64):
            moved = bias.clone()
            moved[k] += shift
            assert loss(moved.expand_as(y), y) >= best


def test_no_targets_are_centered():
    """Shares of the classes and labels, whole counts, and values above 5 with median 6."""
    classes, labels, counts, values = (
        tasks.example_targets(task) for task in ("classes", "labels", "counts", "squared")
    )
    assert classes.bincount().tolist() == [9, 90, 1]
    assert labels.sum(0).tolist() == [10, 300]
    assert len(labels) == 1000
    assert counts.min() >= 0
    assert torch.equal(counts, counts.round())
    assert float(counts.mean() + 0.5) == pytest.approx(4 * math.exp(0.5), rel=0.1)
    assert values.min() > 5
    assert float((values - 5).log().mean()) == pytest.approx(0, abs=0.1)
    assert float((values - 5).log().std()) == pytest.approx(1, abs=0.1)


def test_one_column_of_targets_does_not_start_two_outputs():
    y = torch.tensor([0.0, 1.0, 1.0])
    assert tasks.start_output_(torch.nn.Linear(3, 1), y, "labels").bias.item() == pytest.approx(
        math.log(2)
    )
    with pytest.raises(ValueError, match="The bias does not fit"):
        tasks.start_output_(torch.nn.Linear(3, 2), y, "labels")
