"""Epochs, batches and the SGD loop."""

import numpy as np
import pytest
import torch
from sklearn.datasets import load_digits
from torch import nn

from x0.training import mini_batches


def test_an_epoch_visits_every_row_once():
    generator = torch.Generator().manual_seed(1)
    for rows, batch in ((1797, 32), (10, 10), (7, 1)):
        epoch = list(mini_batches.epoch_batches(rows, batch, generator))
        assert len(epoch) == -(-rows // batch)
        assert torch.equal(torch.cat(epoch).sort().values, torch.arange(rows))
        assert all(len(part) == batch for part in epoch[:-1])
    first, second = (
        torch.cat(list(mini_batches.epoch_batches(50, 8, generator))) for _ in range(2)
    )
    assert not torch.equal(first, second)  # every epoch has an order of its own


def test_the_step_is_that_of_torch():
    x = torch.randn(20, 5, generator=torch.Generator().manual_seed(0))
    y = torch.arange(20) % 3
    ours, theirs = nn.Linear(5, 3), nn.Linear(5, 3)
    theirs.load_state_dict(ours.state_dict())
    optimizer = torch.optim.SGD(theirs.parameters(), lr=0.3)
    steps = mini_batches.sgd_epoch(ours, x, y, 0.3, 6, torch.Generator().manual_seed(2))
    for rows in mini_batches.epoch_batches(20, 6, torch.Generator().manual_seed(2)):
        optimizer.zero_grad()
        nn.functional.cross_entropy(theirs(x[rows]), y[rows]).backward()
        optimizer.step()
    assert steps == 4
    for a, b in zip(ours.parameters(), theirs.parameters(), strict=True):
        assert torch.allclose(a, b, atol=1e-6)


@pytest.mark.proves("mini-batches-loader", kind="call")
def test_the_loader_samples_without_replacement():
    """shuffle=True draws a new permutation each epoch; RandomSampler(replacement=True) does not."""
    data = torch.utils.data.TensorDataset(torch.arange(50))

    def epoch(**options):
        loader = torch.utils.data.DataLoader(data, batch_size=8, **options)
        return torch.cat([batch for (batch,) in loader])

    generator = torch.Generator().manual_seed(0)
    first, second = (epoch(shuffle=True, generator=generator) for _ in range(2))
    assert torch.equal(first.sort().values, torch.arange(50))
    assert torch.equal(second.sort().values, torch.arange(50))
    assert not torch.equal(first, second)
    sampler = torch.utils.data.RandomSampler(data, replacement=True, generator=generator)
    assert len(epoch(sampler=sampler).unique()) < 50


@pytest.mark.proves("mini-batches-sum", kind="call")
def test_sum_multiplies_the_gradient_by_the_batch_size():
    """With reduction="sum" the gradient is B times that of the default, the mean."""
    x, y = torch.randn(6, 5, generator=torch.Generator().manual_seed(0)), torch.arange(6) % 3
    found = []
    for options in ({}, {"reduction": "sum"}):
        model = nn.Linear(5, 3)
        nn.init.ones_(model.weight)
        nn.init.zeros_(model.bias)
        nn.CrossEntropyLoss(**options)(model(x), y).backward()
        found.append(model.weight.grad)
    assert torch.allclose(found[1], 6 * found[0], atol=1e-6)


@pytest.mark.proves("mini-batches-accumulation", kind="call")
def test_accumulation_needs_equal_parts():
    """Four equal parts, each loss over 4, give the gradient of the batch; unequal parts do not."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(12, 5, generator=generator, dtype=torch.float64)
    y = torch.randn(12, generator=generator, dtype=torch.float64)

    def gradient(*parts):
        w = torch.zeros(5, dtype=torch.float64, requires_grad=True)
        for rows in parts:
            ((x[rows] @ w - y[rows]).square().mean() / len(parts)).backward()
        return w.grad

    whole = gradient(torch.arange(12))
    assert torch.allclose(gradient(*torch.arange(12).split(3)), whole)
    assert not torch.allclose(gradient(*torch.arange(12).split([6, 3, 2, 1])), whole, rtol=0.05)


@pytest.mark.parametrize("batch", [0, 11])
def test_rejects_a_batch_that_cannot_be(batch):
    with pytest.raises(ValueError, match=rf"Received: batch={batch}"):
        list(mini_batches.epoch_batches(10, batch, torch.Generator()))


def test_values(values):
    shown = values("mini_batches")
    constant, scaled = shown["constant"], shown["scaled"]
    assert shown["steps"][16] == 113  # 1797 / 16, rounded up
    assert constant[256][0] > constant[64][0] > 2 * scaled[64][0]  # a fixed rate is too slow
    assert scaled[64][0] == pytest.approx(constant[16][0], rel=0.1)  # 4 times both
    assert scaled[16] == constant[16]
    gap = scaled[256][0] - scaled[16][0]  # 16 times both
    assert gap > 4 * np.hypot(scaled[256][1], scaled[16][1])
    assert scaled[256][0] < constant[256][0]


def test_digits_are_trained_as_torch_trains_them():
    """No epoch, no step and the loss of He's start; two epochs are those of SGD and its batches."""
    generator = torch.Generator().manual_seed(mini_batches.SEED)
    data = load_digits()
    x, y = torch.tensor(data.data / 16, dtype=torch.float32), torch.tensor(data.target)
    model = nn.Sequential(nn.Linear(64, 32), nn.ReLU(), nn.Linear(32, 10))
    for layer in (model[0], model[2]):
        nn.init.normal_(layer.weight, 0, (2 / layer.in_features) ** 0.5, generator=generator)
        nn.init.zeros_(layer.bias)
    optimizer = torch.optim.SGD(model.parameters(), 0.2)
    for epochs in range(3):
        steps, loss = mini_batches.train_digits(500, 0.2, epochs)
        assert steps == (4 if epochs else 0)
        expected = nn.functional.cross_entropy(model(x), y).item()
        assert loss == pytest.approx(expected, rel=1e-4)
        for rows in torch.randperm(len(x), generator=generator).split(500):
            optimizer.zero_grad()
            nn.functional.cross_entropy(model(x[rows]), y[rows]).backward()
            optimizer.step()
