"""Momentum as torch.optim.SGD computes it."""

import pytest
import torch
from torch import nn

from x0.training import momentum


@pytest.mark.proves(
    "momentum-torch", kind="call", tolerance="relative 1e-12", range="dampening, nesterov", n="30"
)
@pytest.mark.parametrize(
    ("dampening", "nesterov"), [(0.0, False), (0.0, True), (0.9, False), (0.3, False)]
)
def test_step_by_step_as_torch(dampening, nesterov):
    """`momentum_step` equals torch.optim.SGD step by step, dampening and nesterov included."""
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


@pytest.mark.proves("momentum-coasts", kind="call")
def test_a_rate_cut_in_two_forms():
    """A rate cut to a tenth shortens PyTorch's next step at once; the other form coasts on."""
    weight = nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer = torch.optim.SGD([weight], lr=1.0, momentum=0.9)
    velocity, torch_steps, other_steps = 0.0, [], []
    for t in range(300):
        rate = 1.0 if t < 200 else 0.1
        optimizer.param_groups[0]["lr"] = rate
        before = weight.item()
        weight.grad = torch.ones_like(weight)
        optimizer.step()
        torch_steps.append(before - weight.item())
        velocity = 0.9 * velocity + rate
        other_steps.append(velocity)
    assert torch_steps[199] == pytest.approx(other_steps[199]) == pytest.approx(10, rel=1e-6)
    assert torch_steps[200] == pytest.approx(1, rel=1e-6)
    assert other_steps[200] > 9
    # What is left above the new step falls by a factor of e in about 1 / (1 - beta) steps.
    above = [s - 1 for s in other_steps]
    assert above[210] / above[200] == pytest.approx(0.9**10)
    assert pytest.approx(0.35, abs=0.02) == 0.9**10


@pytest.mark.proves("momentum-dampening", kind="call")
def test_dampening_does_not_touch_the_first_gradient():
    """With dampening 0.9 the first gradient weighs 1 where it enters, each later one 0.1."""
    first, later = torch.tensor([1.0, 0.0]), torch.tensor([0.0, 1.0])
    theta, buffer = momentum.momentum_step(torch.zeros(2), first, None, 1.0, 0.9, 0.9)
    theta, buffer = momentum.momentum_step(theta, later, buffer, 1.0, 0.9, 0.9)
    assert torch.allclose(buffer, torch.tensor([0.9, 0.1]))
    weight = nn.Parameter(torch.zeros(2))
    optimizer = torch.optim.SGD([weight], lr=1.0, momentum=0.9, dampening=0.9)
    for gradient in (first, later):
        weight.grad = gradient
        optimizer.step()
    assert torch.allclose(optimizer.state[weight]["momentum_buffer"], buffer)


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


@pytest.mark.proves("momentum-requires", kind="call")
@pytest.mark.parametrize(("beta", "dampening"), [(0.0, 0.0), (0.9, 0.1)])
def test_rejects_what_torch_rejects(beta, dampening):
    """nesterov=True without momentum, or with dampening, raises an error."""
    one = torch.ones(1)
    with pytest.raises(ValueError, match="Received: beta="):
        momentum.momentum_step(one, one, None, 0.1, beta, dampening, True)
    with pytest.raises(ValueError, match="Nesterov momentum requires"):
        torch.optim.SGD(
            [nn.Parameter(one)], lr=0.1, momentum=beta, dampening=dampening, nesterov=True
        )


def test_values(values):
    lengths = values("momentum")["lengths"]
    assert lengths["heavy ball"][49] == pytest.approx(10 * (1 - 0.9**50))
    assert lengths["Nesterov"][0] == pytest.approx(1.9)
    assert lengths["dampening 0.9"][49] == pytest.approx(1)
