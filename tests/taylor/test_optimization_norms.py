"""Steepest descent in three norms."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from x0.taylor.optimization_norms import newton_schulz, steepest_step


@pytest.mark.claim("C-20")
def test_a_gradient_step_minimizes_the_linear_model_plus_a_price_of_length() -> None:
    generator = torch.Generator().manual_seed(3)
    gradient = torch.randn(4, 3, generator=generator, dtype=torch.float64)
    rate = 0.3
    step = (-rate * gradient).requires_grad_()
    model = (gradient * step).sum() + step.square().sum() / (2 * rate)
    (slope,) = torch.autograd.grad(model, step)
    assert slope.abs().max() < 1e-15  # the exact gradient, and a stationary point of the model
    assert torch.equal(steepest_step(gradient, rate, "euclidean"), -rate * gradient)


def test_no_random_step_is_lower_and_the_model_loses_half_the_dual_norm_squared(
    values: Callable[[str], Any],
) -> None:
    shown = values("optimization_norms")
    generator = torch.Generator().manual_seed(0)
    gradient = torch.randn(3, 2, generator=generator, dtype=torch.float64)
    duals = {
        "euclidean": gradient.norm(),
        "entry": gradient.abs().sum(),
        "spectral": torch.linalg.svdvals(gradient).sum(),
    }
    for norm, dual in duals.items():
        assert shown["lowest"][norm] > shown["minima"][norm]
        assert shown["minima"][norm] == pytest.approx(-0.05 * dual.item() ** 2, rel=1e-10)
    assert shown["error"] < 1e-10


@pytest.mark.proves("optimization-sign", kind="call", n="12 entries")
def test_the_first_step_of_adam_is_the_sign() -> None:
    """The step for the largest entry, signSGD and the first step of Adam go along the sign."""
    generator = torch.Generator().manual_seed(5)
    gradient = torch.randn(4, 3, generator=generator, dtype=torch.float64)
    x = torch.nn.Parameter(torch.zeros(4, 3, dtype=torch.float64))
    x.grad = gradient.clone()
    torch.optim.Adam([x], lr=0.1).step()
    assert torch.allclose(x.detach(), -0.1 * gradient.sign(), rtol=1e-5)
    entry = steepest_step(gradient, 0.1, "entry")
    assert torch.allclose(entry / entry.abs().max(), -gradient.sign())


@pytest.mark.proves(
    "optimization-rounds", kind="search", range="ν = 1e-6…1", effect="5 → 39 rounds"
)
def test_each_round_brings_a_singular_value_closer_to_one() -> None:
    """3/2 ν − 1/2 ν³ tends to 1 from any ν between 0 and 1; small ones need more rounds."""
    needed = []
    for nu in torch.logspace(-6, 0, 60, dtype=torch.float64)[:-1].tolist():
        value, rounds = nu, 0
        while value < 1 - 1e-9:
            value, rounds = 1.5 * value - 0.5 * value**3, rounds + 1
            assert value <= 1 + 1e-15
            assert rounds < 60
        needed.append(rounds)
    assert needed == sorted(needed, reverse=True)
    assert (needed[-1], needed[0]) == (5, 39)


def test_a_spectral_step_moves_all_singular_directions_alike() -> None:
    gradient = torch.diag(torch.tensor([5.0, 0.1]))
    step = steepest_step(gradient, 1.0, "spectral")
    assert torch.allclose(torch.linalg.svdvals(step), torch.full((2,), 5.1), rtol=1e-5)
    # 10 rounds are enough for a singular value of 0.3, not for one of 0.001
    near = newton_schulz(torch.diag(torch.tensor([1.0, 0.3])), 10).diag()
    far = newton_schulz(torch.diag(torch.tensor([1.0, 0.001])), 10).diag()
    assert near[1] > 0.999
    assert far[1] < 0.1


def test_another_norm_is_refused() -> None:
    with pytest.raises(ValueError, match="Received: norm=l1"):
        steepest_step(torch.ones(1, 1), 1.0, "l1")


@pytest.mark.parametrize("size", [1e-30, 1e30])
def test_the_size_of_the_matrix_does_not_matter(size: float) -> None:
    found = newton_schulz(size * torch.tensor([[0.6, -0.8], [0.8, 0.6]]))
    assert torch.allclose(found, torch.tensor([[0.6, -0.8], [0.8, 0.6]]))
