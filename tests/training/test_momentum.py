"""Momentum as torch.optim.SGD computes it."""

import pytest
import torch
from torch import nn

from x0.training import momentum


@pytest.mark.parametrize(
    ("dampening", "nesterov"), [(0.0, False), (0.0, True), (0.9, False), (0.3, False)]
)
def test_step_by_step_as_torch(dampening, nesterov):
    generator = torch.Generator().manual_seed(1)
    weight = nn.Parameter(torch.randn(4, 3, generator=generator, dtype=torch.float64))
    theta, buffer = weight.detach().clone(), None
    optimizer = torch.optim.SGD(
        [weight], lr=0.07, momentum=0.8, dampening=dampening, nesterov=nesterov
    )
    for _ in range(30):
        g = torch.randn(4, 3, generator=generator, dtype=torch.float64)
        weight.grad = g
        optimizer.step()
        theta, buffer = momentum.momentum_step(theta, g, buffer, 0.07, 0.8, dampening, nesterov)
        assert torch.allclose(theta, weight.detach(), rtol=1e-12, atol=1e-14)
    assert momentum.farthest_from_torch(dampening, nesterov) < 1e-12


def test_dampening_does_not_touch_the_first_gradient():
    """The first gradient weighs 1, later ones 1 - dampening."""
    first, later = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    theta, buffer = momentum.momentum_step(torch.zeros(2), first, None, 1.0, 0.9, 0.9)
    theta, buffer = momentum.momentum_step(theta, later, buffer, 1.0, 0.9, 0.9)
    assert torch.allclose(buffer, torch.tensor([0.9, 0.1]))


def test_nesterov_looks_ahead():
    """In the form of Sutskever et al. the gradient is taken one step ahead."""
    curvature = torch.tensor([0.2, 3.0], dtype=torch.float64)
    theta, m = torch.ones(2, dtype=torch.float64), torch.zeros(2, dtype=torch.float64)
    ahead, buffer = theta.clone(), None
    for _ in range(20):
        m = 0.9 * m + curvature * (theta - 0.1 * 0.9 * m)
        theta = theta - 0.1 * m
        ahead, buffer = momentum.momentum_step(
            ahead, curvature * ahead, buffer, 0.1, 0.9, nesterov=True
        )
        assert torch.allclose(ahead, theta - 0.1 * 0.9 * m)


@pytest.mark.parametrize(("beta", "dampening"), [(0.0, 0.0), (0.9, 0.1)])
def test_rejects_what_torch_rejects(beta, dampening):
    one = torch.ones(1)
    with pytest.raises(ValueError, match="Received: beta="):
        momentum.momentum_step(one, one, None, 0.1, beta, dampening, True)
    with pytest.raises(ValueError, match="Nesterov momentum requires"):
        torch.optim.SGD(
            [nn.Parameter(one)], lr=0.1, momentum=beta, dampening=dampening, nesterov=True
        )


def test_values():
    values = momentum.demo()
    assert values["heavy_50"] == pytest.approx(10 * (1 - 0.9**50))
    assert values["nesterov_1"] == pytest.approx(1.9)
    assert values["dampening_50"] == pytest.approx(1)
