"""Steepest descent in three norms."""

import pytest
import torch

from x0.taylor.optimization_norms import demo, newton_schulz, steepest_step


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


def test_no_random_step_is_lower_and_the_model_loses_half_the_dual_norm_squared() -> None:
    values = demo()
    generator = torch.Generator().manual_seed(0)
    gradient = torch.randn(3, 2, generator=generator, dtype=torch.float64)
    duals = {
        "euclidean": gradient.norm(),
        "entry": gradient.abs().sum(),
        "spectral": torch.linalg.svdvals(gradient).sum(),
    }
    for norm, dual in duals.items():
        assert values[f"{norm}_gap"] > 0
        assert values[norm] == pytest.approx(-0.05 * dual.item() ** 2, rel=1e-10)
    assert values["schulz"] < 1e-10


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
