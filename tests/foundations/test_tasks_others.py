"""The tasks beyond classification and regression, and their losses at zero output."""

import itertools
import math

import pytest
import torch
from torch.nn import functional

from x0.foundations import tasks_others as others

GENERATOR = torch.Generator().manual_seed(4)


def test_listwise_is_a_law_over_orders():
    # The chances of all orders of four items add up to 1.
    z = torch.randn(4, generator=GENERATOR, dtype=torch.float64)
    total = sum(
        math.exp(-float(others.listwise_ranking(z[list(order)][None])))
        for order in itertools.permutations(range(4))
    )
    assert total == pytest.approx(1)


def test_pairwise_is_listwise_for_two():
    z = torch.randn(7, 2, generator=GENERATOR, dtype=torch.float64)
    pair = others.pairwise_ranking(z[:, 0], z[:, 1])
    assert float(pair) == pytest.approx(float(others.listwise_ranking(z)))


def test_next_token_is_cross_entropy_at_every_position():
    z = torch.randn(2, 5, 7, generator=GENERATOR)
    tokens = torch.randint(7, (2, 5), generator=GENERATOR)
    oracle = functional.cross_entropy(z.transpose(1, 2), tokens)
    assert float(others.next_token(z, tokens)) == pytest.approx(float(oracle), rel=1e-6)


def test_policy_gradient_is_reinforce():
    z = torch.randn(1, 3, generator=GENERATOR, requires_grad=True)
    action = torch.tensor([1])
    (slope,) = torch.autograd.grad(others.policy_gradient(z, action, torch.tensor([2.0])), z)
    expected = 2 * (z.detach().softmax(1) - functional.one_hot(action, 3))
    assert torch.allclose(slope, expected)


@pytest.mark.claim("B-04")
@pytest.mark.claim("A-18")
def test_tasks_without_labels_have_losses_too(values):
    losses = values("tasks_others")["losses"]
    expected = {
        "pairwise": math.log(2),
        "listwise": math.log(120),
        "next token": math.log(1000),
        "critic": 2 * math.log(2),
        "generator": math.log(2),
        "contrast": math.log(64),
        "policy": math.log(6),
    }
    for name, value in expected.items():
        assert losses[name] == pytest.approx(value, rel=1e-5)
    assert losses["diffusion"] == pytest.approx(1, rel=0.02)
    # InfoNCE compares two views of the data, no label: it falls when they agree.
    one = torch.randn(64, 32, generator=GENERATOR)
    agree = others.contrastive(one, one + 0.1 * torch.randn(64, 32, generator=GENERATOR))
    assert float(agree) < 1 < losses["contrast"]
    with pytest.raises(ValueError, match="Received"):
        others.contrastive(one, one[:5])
