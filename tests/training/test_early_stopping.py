"""The stopper: what stops it, what it keeps, and its errors."""

import math

import pytest
import torch
from torch import nn

from x0.training.early_stopping import EarlyStopping


def feed(stopper, losses, model=None):
    """Give losses until it stops; the weight at check i is i."""
    model = model or nn.Linear(1, 1, bias=False)
    for i, loss in enumerate(losses):
        with torch.no_grad():
            model.weight.fill_(float(i))
        if stopper.should_stop(loss, model):
            return i, model
    return None, model


def test_it_stops_after_patience_checks_and_restores_the_best():
    stopper = EarlyStopping(patience=3)
    last, model = feed(stopper, [5, 4, 3, 3.5, 3.2, 3.1, 0])
    assert last == 5
    assert stopper.best_check == 2
    stopper.restore(model)
    assert model.weight.item() == 2


def test_an_improvement_starts_the_count_again():
    assert feed(EarlyStopping(patience=2), [5, 6, 4, 6, 3, 6, 2])[0] is None


def test_equal_losses_are_no_improvement_and_min_delta_counts():
    assert feed(EarlyStopping(patience=2), [1.0] * 5)[0] == 2
    slow = [1.0 - 0.01 * i for i in range(20)]
    assert feed(EarlyStopping(patience=6, min_delta=0.05), slow)[0] is None
    assert feed(EarlyStopping(patience=3, min_delta=0.1), slow)[0] == 3


@pytest.mark.parametrize("bad", [math.nan, math.inf, -math.inf])
def test_a_loss_that_is_not_finite_stops_at_once_and_is_never_the_best(bad):
    stopper = EarlyStopping(patience=10)
    last, model = feed(stopper, [3, 2, bad, 1])
    assert last == 2
    stopper.restore(model)
    assert model.weight.item() == 1


def test_nothing_to_restore():
    stopper = EarlyStopping()
    assert feed(stopper, [math.nan])[0] == 0
    with pytest.raises(RuntimeError, match="No finite loss in 1 checks"):
        stopper.restore(nn.Linear(1, 1))


@pytest.mark.proves("early-stopping-eval", kind="call")
def test_validation_in_training_mode():
    """In training mode dropout is active and BatchNorm's statistics change, under no_grad too."""
    x = torch.randn(64, 3, generator=torch.Generator().manual_seed(0)) + 5
    norm, dropout = nn.BatchNorm1d(3), nn.Dropout(0.5)
    with torch.no_grad():
        norm(x)
        dropped = dropout(torch.ones(1000))
    assert norm.running_mean.min() > 0.3
    assert (dropped == 0).any()
    mean = norm.running_mean.clone()
    norm.eval()
    dropout.eval()
    norm(x)
    assert torch.equal(norm.running_mean, mean)
    assert torch.equal(dropout(x), x)


@pytest.mark.proves("early-stopping-references", kind="call")
def test_weights_are_copies_and_include_buffers():
    """state_dict() returns references that follow the model; the class keeps copies."""
    model = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2))
    stopper = EarlyStopping()
    stopper.should_stop(1.0, model)
    # Without a copy the "best" weights would follow the model.
    reference = model.state_dict()
    with torch.no_grad():
        model[0].weight.add_(1)
        model[1].running_mean.add_(1)
    assert torch.equal(reference["0.weight"], model[0].weight)
    assert not torch.equal(stopper.weights["0.weight"], model[0].weight)
    stopper.restore(model)
    assert torch.equal(model[1].running_mean, torch.zeros(2))


def test_tensors_are_numbers_and_vectors_are_not():
    stopper = EarlyStopping()
    assert not stopper.should_stop(torch.tensor(1.0), nn.Linear(1, 1))
    with pytest.raises(ValueError, match=r"Expected one number. Received: torch.Size\(\[2\]\)"):
        stopper.should_stop(torch.ones(2), nn.Linear(1, 1))


@pytest.mark.parametrize("options", [{"patience": 0}, {"min_delta": -0.1}, {"min_delta": math.nan}])
def test_bad_options(options):
    with pytest.raises(ValueError, match="Received: patience="):
        EarlyStopping(**options)


def test_it_restores_better_weights(values):
    shown = values("early_stopping")
    assert shown["best"] > shown["last"] + 0.05
    assert shown["best_step"] < 60
    assert shown["steps"] == shown["best_step"] + 100


@pytest.mark.proves("early-stopping-expression", kind="search", range="k = 1…5", n="300")
def test_the_expression_of_the_exercise_stops_when_the_class_does():
    """The expression gives the number of checks of EarlyStopping, or StopIteration if it goes on."""
    generator = torch.Generator().manual_seed(6)
    model = nn.Linear(1, 1)
    ends = 0
    for case in range(300):
        v, k = torch.randint(6, (12,), generator=generator).tolist(), 1 + case % 5
        stopper = EarlyStopping(patience=k)
        stopped = next((t for t, x in enumerate(v, 1) if stopper.should_stop(x, model)), None)
        if stopped is None:
            ends += 1
            with pytest.raises(StopIteration):
                next(t for t in range(k + 1, len(v) + 1) if min(v[t - k : t]) >= min(v[: t - k]))
        else:
            found = next(
                t for t in range(k + 1, len(v) + 1) if min(v[t - k : t]) >= min(v[: t - k])
            )
            assert found == stopped
    assert ends > 0
