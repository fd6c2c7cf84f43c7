"""Five regularizers in one training function, and what the calls of the page do."""

import math

import pytest
import torch
from torch import nn

from x0.training import regularization as reg


def toy():
    generator = torch.Generator().manual_seed(0)
    x = torch.rand(60, 64, generator=generator)
    y = torch.randint(10, (60,), generator=generator)
    return (x[:40], y[:40]), (x[40:], y[40:])


def test_shift_moves_by_at_most_one_pixel():
    torch.manual_seed(3)
    images = torch.rand(200, 8, 8)
    moved = reg.shift(images.flatten(1)).view(-1, 8, 8)
    seen = set()
    for old, new in zip(images, moved, strict=True):
        framed = nn.functional.pad(old, (1, 1, 1, 1))
        hits = {
            (i, j)
            for i in range(3)
            for j in range(3)
            if torch.equal(framed[i : i + 8, j : j + 8], new)
        }
        assert hits
        seen |= hits
    assert len(seen) == 9


def test_the_weights_of_the_lowest_validation_loss_come_back():
    training, validation = toy()
    torch.manual_seed(1)
    model = reg.make_model(0.0)
    reg.train_(model, training, validation, steps=60)
    assert not model.training
    loss = nn.CrossEntropyLoss()
    kept = loss(model(validation[0]), validation[1]).item()
    torch.manual_seed(1)
    last = reg.make_model(0.0)
    optimizer = torch.optim.AdamW(last.parameters(), lr=3e-3, weight_decay=0.0)
    seen = []
    for _ in range(60):
        optimizer.zero_grad()
        loss(last(training[0]), training[1]).backward()
        optimizer.step()
        seen.append(loss(last(validation[0]), validation[1]).item())
    assert kept == pytest.approx(min(seen), rel=1e-4)
    assert min(seen) < seen[-1]


def test_each_argument_acts():
    """Only what is switched on differs from the plain run."""
    training, validation = toy()

    def trained(drop=0.0, **settings):
        torch.manual_seed(1)
        model = reg.make_model(drop)
        torch.manual_seed(2)
        reg.train_(model, training, validation, steps=3, **settings)
        return nn.utils.parameters_to_vector(model.parameters()).detach()

    plain = trained()
    assert torch.equal(plain, trained(decay=0.0, smoothing=0.0, augment=lambda x: x))
    for other in (
        trained(0.5),
        trained(decay=0.1),
        trained(smoothing=0.1),
        trained(augment=reg.shift),
    ):
        assert not torch.equal(plain, other)


@pytest.mark.parametrize("wrong", [{"steps": 0}, {"decay": -1.0}, {"smoothing": 1.5}])
def test_errors(wrong):
    training, validation = toy()
    model = reg.make_model(0.0)
    before = nn.utils.parameters_to_vector(model.parameters()).clone()
    with pytest.raises(ValueError, match="Received"):
        reg.train_(model, training, validation, **wrong)
    assert torch.equal(before, nn.utils.parameters_to_vector(model.parameters()))


def test_demo(values):
    shown = values("regularization")["accuracy"]
    assert shown["all five"] > shown["early stopping alone"] > 80


@pytest.mark.proves("regularization-calls", kind="call")
def test_the_calls_of_the_table():
    """AdamW decays groups apart from the gradient, Dropout drops p and rests in eval, smoothing mixes targets."""
    matrix, bias = (nn.Parameter(torch.ones(2)) for _ in range(2))
    matrix.grad, bias.grad = torch.zeros(2), torch.zeros(2)
    groups = [{"params": [matrix]}, {"params": [bias], "weight_decay": 0.0}]
    torch.optim.AdamW(groups, lr=0.5, weight_decay=0.1).step()
    assert matrix.tolist() == pytest.approx([0.95, 0.95])
    assert bias.tolist() == [1.0, 1.0]
    drop = nn.Dropout(p=0.5)
    kept = drop(torch.ones(10_000))
    assert set(kept.tolist()) == {0.0, 2.0}
    assert abs((kept == 0).double().mean().item() - 0.5) < 4 * 0.005
    assert nn.Dropout(p=1.0)(torch.ones(9)).abs().sum() == 0  # p is what goes
    assert torch.equal(drop.eval()(torch.ones(9)), torch.ones(9))
    z, y = torch.randn(6, 5), torch.tensor([0, 1, 2, 3, 4, 0])
    target = 0.1 / 5 + 0.9 * nn.functional.one_hot(y, 5)
    expected = -(target * z.log_softmax(-1)).sum(-1).mean()
    assert torch.isclose(nn.CrossEntropyLoss(label_smoothing=0.1)(z, y), expected)


@pytest.mark.proves("regularization-entropy", kind="fact", range="C = 2…1000, ε = 0.01…1")
def test_the_smoothed_loss_has_a_positive_minimum():
    """At its minimum the smoothed cross-entropy is the entropy of the target probabilities."""
    for classes in (2, 10, 1000):
        for epsilon in (0.01, 0.1, 0.5, 1.0):
            target = torch.full((1, classes), epsilon / classes, dtype=torch.float64)
            target[0, 0] += 1 - epsilon
            entropy = -(target * target.log()).sum().item()
            loss = nn.CrossEntropyLoss(label_smoothing=epsilon)
            at_best = loss(target.log(), torch.tensor([0])).item()
            assert at_best == pytest.approx(entropy, rel=1e-9)
            assert entropy > 0
            for size in (0.1, 1.0, 30.0):
                other = target.log() + size * torch.randn(1, classes, dtype=torch.float64)
                assert loss(other, torch.tensor([0])).item() > at_best


@pytest.mark.proves("regularization-line", kind="call")
def test_the_line_of_exercise_four():
    """z.softmax(-1).amax(-1).mean() - (z.argmax(-1) == y).float().mean() is confidence minus accuracy."""
    z = torch.log(torch.tensor([[0.9, 0.1], [0.6, 0.4], [0.3, 0.7]]))
    y = torch.tensor([0, 1, 1])
    found = z.softmax(-1).amax(-1).mean() - (z.argmax(-1) == y).float().mean()
    assert math.isclose(found.item(), (0.9 + 0.6 + 0.7) / 3 - 2 / 3, rel_tol=1e-6)
