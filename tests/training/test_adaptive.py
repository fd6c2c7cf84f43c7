"""AdaGrad, RMSProp, Adam and AdamW, step by step as torch.optim."""

import pytest
import torch
from torch import nn

from x0.training import adaptive


def run(maker, update, steps=60):
    """Return the largest difference between torch and our steps."""
    generator = torch.Generator().manual_seed(1)
    weight = nn.Parameter(torch.randn(5, generator=generator, dtype=torch.float64))
    theta, optimizer, gap = weight.detach().clone(), maker([weight]), 0.0
    state = (torch.zeros_like(theta), torch.zeros_like(theta))
    for t in range(1, steps + 1):
        g = torch.randn(5, generator=generator, dtype=torch.float64)
        weight.grad = g.clone()
        optimizer.step()
        theta, state = update(theta, g, state, t)
        gap = max(gap, float((theta - weight.detach()).abs().max()))
    return gap


def test_adagrad():
    def update(theta, g, state, t):
        theta, u = adaptive.adagrad_step(theta, g, state[1], 0.02)
        return theta, (state[0], u)

    assert run(lambda p: torch.optim.Adagrad(p, lr=0.02), update) < 1e-13
    assert run(lambda p: torch.optim.Adam(p, lr=0.02), update) > 1e-3


def test_rmsprop():
    def update(theta, g, state, t):
        theta, u = adaptive.rmsprop_step(theta, g, state[1], 0.02, 0.9)
        return theta, (state[0], u)

    assert run(lambda p: torch.optim.RMSprop(p, lr=0.02, alpha=0.9), update) < 1e-13


@pytest.mark.parametrize("betas", [(0.9, 0.999), (0.5, 0.7), (0.0, 0.9)])
@pytest.mark.parametrize("decay", [0.0, 0.3])
@pytest.mark.parametrize("decoupled", [True, False])
def test_adam(betas, decay, decoupled):
    def update(theta, g, state, t):
        theta, m, u = adaptive.adam_step(
            theta, g, *state, t, 0.02, betas, decay=decay, decoupled=decoupled
        )
        return theta, (m, u)

    maker = torch.optim.AdamW if decoupled else torch.optim.Adam
    assert run(lambda p: maker(p, lr=0.02, betas=betas, weight_decay=decay), update) < 1e-13


def test_rejects_step_zero():
    one = torch.ones(1)
    with pytest.raises(ValueError, match="Received: t=0"):
        adaptive.adam_step(one, one, one, one, 0, 0.1)


def test_values():
    values = adaptive.demo()
    assert values["ada_1"] == pytest.approx(1)
    assert values["rms_1"] == pytest.approx(10, rel=1e-3)
    assert values["gap"] < 1e-12
