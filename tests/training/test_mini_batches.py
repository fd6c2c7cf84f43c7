"""Epochs, batches and the SGD loop."""

import pytest
import torch
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


@pytest.mark.parametrize("batch", [0, 11])
def test_rejects_a_batch_that_cannot_be(batch):
    with pytest.raises(ValueError, match=rf"Received: batch={batch}"):
        list(mini_batches.epoch_batches(10, batch, torch.Generator()))


def test_values():
    values = mini_batches.demo()
    assert values["steps_16"] == 113  # 1797 / 16, rounded up
    assert values["constant_64"] > 2 * values["scaled_64"]  # a fixed rate is too slow
    assert values["scaled_64"] == pytest.approx(values["constant_16"], rel=0.25)
    assert values["scaled_256"] > values["constant_256"]  # 1.6 is too large
