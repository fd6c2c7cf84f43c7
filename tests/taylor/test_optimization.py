"""Power iteration for the largest rate, and Newton's step."""

import pytest
import torch

from x0.taylor.optimization import demo, largest_curvature, newton_step


def curved(x: torch.Tensor) -> torch.Tensor:
    return torch.log(torch.cosh(x @ torch.tensor([[1.0, 2.0], [0.0, 3.0]], dtype=x.dtype))).sum()


@pytest.mark.claim("C-12")
def test_the_largest_curvature_is_where_gradient_descent_stops_being_stable() -> None:
    point = torch.zeros(2, dtype=torch.float64)
    curvature = largest_curvature(curved, point, 200, torch.Generator().manual_seed(0))
    matrix = torch.autograd.functional.hessian(curved, point)
    assert curvature == pytest.approx(torch.linalg.eigvalsh(matrix)[-1].item(), rel=1e-10)
    # The second-order model predicts the largest stable rate: 1 % below it shrinks, 1 % above grows.
    for factor, shrinks in ((0.99, True), (1.01, False)):
        x = torch.full((2,), 1e-6, dtype=torch.float64)
        start = x.norm()
        for _ in range(200):
            x = x.detach().requires_grad_()
            (gradient,) = torch.autograd.grad(curved(x), x)
            x = x - factor * 2 / curvature * gradient
        assert bool(x.norm() < start) == shrinks


def test_a_negative_eigenvalue_of_largest_size_is_found_with_its_sign() -> None:
    scales = torch.tensor([1.0, -3.0], dtype=torch.float64)
    found = largest_curvature(
        lambda x: scales @ x**2 / 2, scales, generator=torch.Generator().manual_seed(0)
    )
    assert found == pytest.approx(-3, abs=1e-9)


@pytest.mark.claim("C-19")
def test_derivatives_at_the_point_are_exact_and_taylor_models_the_neighborhood() -> None:
    x = torch.tensor([0.3, -0.2], dtype=torch.float64, requires_grad=True)
    weights = torch.tensor([[1.0, 2.0], [0.0, 3.0]], dtype=torch.float64)
    (gradient,) = torch.autograd.grad(curved(x), x)
    by_hand = weights @ torch.tanh(x.detach() @ weights)
    assert torch.allclose(gradient, by_hand, rtol=0, atol=1e-15)  # no error to approximate away
    slope = weights @ torch.diag(1 - torch.tanh(x.detach() @ weights) ** 2) @ weights.T
    direction = torch.tensor([0.6, -0.8], dtype=torch.float64)
    errors = []
    for s in (0.004, 0.002):
        y = (x.detach() + s * direction).requires_grad_()
        (ahead,) = torch.autograd.grad(curved(y), y)
        errors.append((ahead - by_hand - s * slope @ direction).norm().item())
    assert errors[0] / errors[1] == pytest.approx(4, abs=0.2)  # what is modeled is grad f nearby


def test_the_demo_keeps_the_promise_and_newton_converges() -> None:
    values = demo()
    assert values["decrease"] >= values["promised"] > 0.5 * values["decrease"]
    assert values["limit"] == pytest.approx(2 / values["curvature"])
    assert values["last"] < 1e-12


def test_bad_input_is_refused() -> None:
    point = torch.ones(2)
    with pytest.raises(ValueError, match="Received: iterations=0"):
        largest_curvature(curved, point, 0)
    with pytest.raises(ValueError, match="Received: H v = 0"):
        largest_curvature(lambda x: (x**4).sum(), torch.zeros(2))
    with pytest.raises(ValueError, match="Received: smallest eigenvalue -1"):
        newton_step(lambda x: torch.cos(x).sum(), torch.zeros(2))


def test_without_a_global_constant_a_rate_is_safe_from_some_starts_only() -> None:
    ends = []
    for start in (4.0, 5.0):
        x = start
        for _ in range(4):
            x -= 0.1 * x**3  # a quarter of x**4
        ends.append(abs(x))
    assert ends[0] < 1.5
    assert ends[1] > 1000
