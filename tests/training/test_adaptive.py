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


@pytest.mark.proves("adaptive-units", kind="search", range="gradient 10⁻³…10³", seeds=20)
def test_steps_do_not_depend_on_the_unit(values):
    """Gradients a thousand times apart: steps are within a factor of 2, with one noise the same."""
    late = values("adaptive")["late"]
    for row in late:
        assert max(row) < 2 * min(row)
    for seed in range(20):
        generator = torch.Generator().manual_seed(seed)
        noise = torch.randn(200, generator=generator, dtype=torch.float64)
        steps = []
        for size in (1e-3, 1.0, 1e3):  # the same noise in three units
            theta = m = u = torch.zeros((), dtype=torch.float64)
            path = []
            for t, g in enumerate(size * noise, 1):
                new, m, u = adaptive.adam_step(theta, g, m, u, t, 0.01)
                path.append((new - theta).item())
                theta = new
            steps.append(path)
        assert steps[0] == pytest.approx(steps[1], rel=1e-3)
        assert steps[2] == pytest.approx(steps[1], rel=1e-3)


@pytest.mark.proves("adaptive-defaults", kind="call")
def test_the_defaults_of_decay():
    """weight_decay of Adam is L2 and 0 by default, of AdamW decoupled and 0.01."""
    one = nn.Parameter(torch.ones(1))
    found = {}
    for name, make in (
        ("L2", lambda p: torch.optim.Adam(p, lr=0.1, weight_decay=0.5)),
        ("flag", lambda p: torch.optim.Adam(p, 0.1, weight_decay=0.5, decoupled_weight_decay=True)),
        ("AdamW", lambda p: torch.optim.AdamW(p, lr=0.1, weight_decay=0.5)),
    ):
        weight = nn.Parameter(torch.ones(1, dtype=torch.float64))
        weight.grad = torch.full_like(weight, 3.0)
        make([weight]).step()
        found[name] = weight.item()
    assert found["flag"] == found["AdamW"] == pytest.approx(0.95 - 0.1)
    assert found["L2"] == pytest.approx(1 - 0.1)  # the decay is divided out with the gradient
    assert torch.optim.AdamW([one]).defaults["weight_decay"] == 0.01
    assert torch.optim.Adam([one]).defaults["weight_decay"] == 0


@pytest.mark.proves("adaptive-coupled", kind="call")
def test_half_the_rate_means_half_the_decay():
    """Without a gradient PyTorch's AdamW multiplies by 1 - lr * weight_decay."""
    for rate in (0.1, 0.05):
        weight = nn.Parameter(torch.ones(1, dtype=torch.float64))
        optimizer = torch.optim.AdamW([weight], lr=rate, weight_decay=0.2)
        weight.grad = torch.zeros_like(weight)
        optimizer.step()
        assert weight.item() == pytest.approx(1 - rate * 0.2)


@pytest.mark.proves("adaptive-alpha", kind="call")
def test_the_first_step_of_rmsprop():
    """alpha is 0.99 by default, and the first step of RMSprop 10 learning rates long."""
    for size in (1e-3, 1.0, 1e3):
        weight = nn.Parameter(torch.zeros(1, dtype=torch.float64))
        optimizer = torch.optim.RMSprop([weight], lr=0.01)
        assert optimizer.defaults["alpha"] == 0.99
        weight.grad = torch.full_like(weight, size)
        optimizer.step()
        assert weight.item() == pytest.approx(-0.1, rel=1e-3)


@pytest.mark.proves("adaptive-no-lion", kind="call")
def test_torch_has_no_lion():
    """torch.optim has no Lion."""
    assert not [name for name in dir(torch.optim) if name.lower() == "lion"]
    assert torch.__version__.startswith("2.13")


def test_where_epsilon_stands():
    one = nn.Parameter(torch.ones(1))
    assert torch.optim.Adam([one]).defaults["eps"] == 1e-8
    assert torch.optim.Adagrad([one]).defaults["eps"] == 1e-10

    def update(theta, g, state, t):
        theta, m, u = adaptive.adam_step(theta, g, *state, t, 0.02, epsilon=0.5)
        return theta, (m, u)

    assert run(lambda p: torch.optim.Adam(p, lr=0.02, eps=0.5), update) < 1e-13


def test_values(values):
    shown = values("adaptive")
    assert shown["first"][0] == pytest.approx([1] * 3)
    assert shown["first"][1] == pytest.approx([10] * 3, rel=1e-3)
    assert max(shown["late"][0]) < 0.1 * min(shown["first"][0])
    assert max(shown["gaps"]) < 1e-12


@pytest.mark.proves("adaptive-half", kind="call")
def test_float16_and_a_gradient_of_zero():
    """In float16 the default epsilon is 0 and a gradient of 0 gives NaN, except with fused=True."""
    assert torch.tensor(1e-8).half() == 0
    for options, lost in (({}, True), ({"foreach": True}, True), ({"fused": True}, False)):
        weight = nn.Parameter(torch.ones(1, dtype=torch.float16))
        weight.grad = torch.zeros_like(weight)
        torch.optim.Adam([weight], lr=0.1, **options).step()
        assert bool(weight.isnan()) == lost
    half = torch.ones(1, dtype=torch.float16)
    with pytest.raises(ValueError, match="epsilon"):
        adaptive.adam_step(half, 0 * half, 0 * half, 0 * half, 1, 0.1)
