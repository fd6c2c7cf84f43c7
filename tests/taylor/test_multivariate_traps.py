"""Higher derivatives by autograd, and where they mislead."""

import math

import pytest
import torch

from x0.taylor.multivariate_traps import bent, central_product, demo, derivatives


@pytest.mark.claim("C-25")
def test_autograd_gives_higher_derivatives_with_create_graph_and_an_error_without(
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, second, third = derivatives(2.0, 3)
    assert second == pytest.approx(44 * math.exp(2), rel=1e-12)
    assert third == pytest.approx(86 * math.exp(2), rel=1e-12)
    x = torch.tensor(2.0, requires_grad=True)
    (first,) = torch.autograd.grad(x**3, x)
    with pytest.raises(RuntimeError, match="does not require grad"):
        torch.autograd.grad(first, x)
    demo()
    assert "no create_graph: element 0 of tensors does not require grad" in capsys.readouterr().out


def test_kinks_have_no_curvature_for_autograd_but_the_function_is_curved() -> None:
    x = torch.linspace(-0.9, 0.9, 37, dtype=torch.float64)
    assert (bent(x) - (x + 1) ** 2 / 4).abs().max() < 1e-6
    x.requires_grad_()
    (slope,) = torch.autograd.grad(bent(x).sum(), x, create_graph=True)
    (curvature,) = torch.autograd.grad(slope.sum(), x)
    assert not curvature.any()
    assert demo()["measured"] == pytest.approx(0.5, abs=1e-6)


def test_differences_of_gradients_lose_digits() -> None:
    values = demo()
    assert 1e-6 < values["single"] < 1e-3
    assert 1e-12 < values["double"] < 1e-8
    point = torch.tensor([0.3], dtype=torch.float64)
    errors = [
        abs(central_product(point, torch.ones_like(point), step).item() - math.exp(0.3))
        for step in (0.02, 0.01)
    ]
    assert errors[0] / errors[1] == pytest.approx(4, abs=0.01)  # second order


@pytest.mark.claim("C-24")
def test_an_array_library_is_not_automatic_differentiation() -> None:
    # the same function on arrays has no derivative; on tensors that record, it has
    import numpy as np

    assert not any("grad" in name and name != "gradient" for name in dir(np))
    samples = np.gradient(np.array([0.0, 1.0, 8.0]))  # differences of samples, not a derivative
    assert samples.tolist() == [1.0, 4.0, 7.0]
    x = torch.tensor([0.0, 1.0, 2.0], requires_grad=True)
    (exact,) = torch.autograd.grad((x**3).sum(), x)
    assert exact.tolist() == [0.0, 3.0, 12.0]
