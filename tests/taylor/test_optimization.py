"""Lanczos's iteration for the largest rate, and Newton's step."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import minimize

from x0.taylor.optimization import lanczos, largest_curvature, newton_step
from x0.taylor.optimization_paths import descent_path, quadratic_problem


def curved(x: torch.Tensor) -> torch.Tensor:
    return torch.log(torch.cosh(x @ torch.tensor([[1.0, 2.0], [0.0, 3.0]], dtype=x.dtype))).sum()


@pytest.mark.claim("C-12")
def test_the_largest_curvature_is_where_gradient_descent_stops_being_stable() -> None:
    point = torch.zeros(2, dtype=torch.float64)
    curvature = largest_curvature(curved, point, 200, torch.Generator().manual_seed(0)).largest
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
        # The mean squared error of the line, whose limit the ledger prints.
        hessian, best = quadratic_problem()
        rate = factor * 2 / float(np.linalg.eigvalsh(hessian)[-1])
        ends = np.linalg.norm(descent_path(rate, 1000) - best, axis=1)
        assert bool(ends[-1] < 1e-6 * ends[0]) == shrinks
        assert bool(ends[-1] > 1e6 * ends[0]) != shrinks


def test_a_negative_eigenvalue_of_largest_size_is_found_with_its_sign() -> None:
    scales = torch.tensor([1.0, -3.0], dtype=torch.float64)
    found = largest_curvature(
        lambda x: scales @ x**2 / 2, scales, generator=torch.Generator().manual_seed(0)
    ).smallest
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


def test_the_demo_keeps_the_promise_and_newton_converges(values: Callable[[str], Any]) -> None:
    shown = values("optimization")
    assert shown["decrease"] >= shown["promised"] > 0.5 * shown["decrease"]
    assert shown["limit"] == pytest.approx(2 / shown["curvature"])
    assert shown["last"] < 1e-12


def test_bad_input_is_refused() -> None:
    point = torch.ones(2)
    with pytest.raises(ValueError, match="Received: iterations=0"):
        largest_curvature(curved, point, 0)
    with pytest.raises(ValueError, match="Received: H v = 0"):
        largest_curvature(lambda x: (x**4).sum(), torch.zeros(2))
    with pytest.raises(ValueError, match="Received: smallest eigenvalue -1"):
        newton_step(lambda x: torch.cos(x).sum(), torch.zeros(2))


@pytest.mark.proves("optimization-no-constant", kind="search", range="η = 1e-6…1e3")
def test_without_a_global_constant_a_rate_is_safe_from_some_starts_only() -> None:
    """A quarter of x⁴: starts below the root of 2/η converge, starts beyond it diverge."""
    for exponent in range(-6, 4):
        rate = 10.0**exponent
        border = (2 / rate) ** 0.5
        for start, far in ((0.1, False), (0.99, False), (1.01, True), (3.0, True)):
            x = start * border
            for _ in range(2000):
                x -= rate * x**3
                if abs(x) > 1e3 * border:
                    break
            assert (abs(x) > border) == far
            assert far or abs(x) < 0.05 * border


@pytest.mark.proves("optimization-product", kind="search", range="w = 1…1e6")
def test_a_product_of_layers_has_unbounded_curvature() -> None:
    """The curvature of (w₁w₂ − 1)² has no upper bound."""
    for w in torch.logspace(0, 6, 7, dtype=torch.float64):
        point = torch.stack([w, torch.zeros_like(w)])
        ends = largest_curvature(lambda p: (p[0] * p[1] - 1) ** 2, point)
        assert ends.largest >= 2 * w**2 * (1 - 1e-9)


def spectra() -> list[torch.Tensor]:
    """Return symmetric matrices whose ends are hard to tell."""
    generator = torch.Generator().manual_seed(0)
    found = []
    for size in (3, 20, 60):
        for values in (
            torch.linspace(-1, 1, size),
            1 + 1e-2 * torch.linspace(0, 1, size),
            torch.linspace(0, 1, size) ** 8,
            torch.cat([torch.tensor([1.0, 0.99]), torch.linspace(0, 0.5, size - 2)]),
        ):
            for _ in range(5):
                draw = torch.randn(size, size, generator=generator, dtype=torch.float64)
                q = torch.linalg.qr(draw).Q
                found.append(q @ torch.diag(values.double()) @ q.T)
    return found


@pytest.mark.proves("optimization-plus-minus", kind="cause", seeds=20, effect="10 → −9.999…9.6")
def test_power_iteration_does_not_settle_between_plus_and_minus() -> None:
    """With ±λ the value stays between them and depends on the start; with λ and −λ/2 it is λ."""
    ends = []
    for low in (-10.0, -5.0):
        scales, found = torch.tensor([10.0, low, 0.0], dtype=torch.float64), []
        for seed in range(20):
            generator = torch.Generator().manual_seed(seed)
            v = torch.randn(3, generator=generator, dtype=torch.float64)
            quotients = []
            for _ in range(200):
                v = v / v.norm()
                quotients.append((v @ (scales * v)).item())
                v = scales * v
            assert max(quotients[150:]) - min(quotients[150:]) < 1e-9
            found.append(quotients[-1])
            both = lanczos(lambda u, s=scales: s * u, v + 0.1)
            assert both[:2] == pytest.approx((low, 10), abs=1e-9)
        ends.append(found)
    assert min(ends[0]) < -5
    assert 5 < max(ends[0]) < 9.99  # it depends on the start
    assert max(abs(x - 10) for x in ends[1]) < 1e-9


@pytest.mark.proves("optimization-lanczos", kind="search", n="60", range="1…12 products")
def test_lanczos_is_never_behind_power_iteration() -> None:
    """Its largest value is at least that of power iteration, and not above the true one."""
    for i, matrix in enumerate(spectra()):
        generator = torch.Generator().manual_seed(i)
        start = torch.randn(len(matrix), generator=generator, dtype=torch.float64)
        top = torch.linalg.eigvalsh(matrix)[-1].item()
        v = start
        for products in range(1, 13):
            v = v / v.norm()
            power = (v @ matrix @ v).item()  # after as many products
            v = matrix @ v
            both = lanczos(lambda u, m=matrix: m @ u, start, products)
            assert power - 1e-9 <= both.largest <= top + 1e-9


@pytest.mark.proves("optimization-residual", kind="search", n="60", range="1…12 products")
def test_an_eigenvalue_lies_within_the_residual() -> None:
    """For each end there is an eigenvalue within the residual."""
    for i, matrix in enumerate(spectra()):
        generator = torch.Generator().manual_seed(i)
        start = torch.randn(len(matrix), generator=generator, dtype=torch.float64)
        values = torch.linalg.eigvalsh(matrix)
        for products in (1, 2, 4, 8, 12):
            both = lanczos(lambda u, m=matrix: m @ u, start, products)
            for value in both[:2]:
                assert (values - value).abs().min() <= both.residual + 1e-9


@pytest.mark.proves("optimization-converged", kind="fact", n="60", tolerance="1e-6")
def test_it_goes_on_until_the_residual_is_a_millionth_or_says_so() -> None:
    """It stops when the residual is below a millionth or its products are spent, and says which."""
    for i, matrix in enumerate(spectra()):
        point = torch.zeros(len(matrix), dtype=torch.float64)
        for products in (2, 200):
            both = largest_curvature(
                lambda x, m=matrix: x @ m @ x / 2,
                point,
                products,
                torch.Generator().manual_seed(i),
            )
            size = max(abs(both.smallest), abs(both.largest))
            assert both.converged == (both.residual <= 1e-6 * size)
            assert both.converged or products == 2
        values = torch.linalg.eigvalsh(matrix)
        assert both.largest == pytest.approx(values[-1].item(), abs=1e-6)
        assert both.smallest == pytest.approx(values[0].item(), abs=1e-6)


@pytest.mark.proves("optimization-maximum", kind="fact")
def test_solving_newtons_equation_where_it_is_not_definite_may_reach_a_maximum() -> None:
    """If the Hessian matrix is not positive definite the solution may be a maximum."""
    x = torch.tensor([0.4], dtype=torch.float64)
    with pytest.raises(ValueError, match="positive definite"):
        newton_step(lambda p: torch.cos(p).sum(), x)
    for _ in range(6):
        x = x - torch.sin(x) / torch.cos(x)  # the gradient over the curvature of cos
    assert x.item() == pytest.approx(0, abs=1e-12)  # the maximum of cos


# The calls of the section on frameworks


def run(optimizer: torch.optim.Optimizer, x: torch.nn.Parameter, steps: int) -> list[float]:
    losses = []
    for _ in range(steps):
        optimizer.zero_grad()
        loss = (torch.tensor([1.0, 10.0]) * x.square()).sum() / 2
        loss.backward()
        optimizer.step()
        losses.append(loss.item())
    return losses


@pytest.mark.proves("optimization-sgd", kind="call", range="lr = 0.19, 0.21; limit 0.2")
def test_sgd_over_the_limit_rises_without_a_message() -> None:
    """`SGD(params, lr)` over the limit lets the loss rise; below it falls."""
    for rate, rises in ((0.19, False), (0.21, True)):
        x = torch.nn.Parameter(torch.ones(2))
        losses = run(torch.optim.SGD([x], lr=rate), x, 50)
        assert (losses[-1] > losses[0]) == rises


@pytest.mark.proves("optimization-schedule", kind="call")
def test_heavy_ball_is_sgd_with_momentum_for_a_fixed_rate_only() -> None:
    """`SGD(params, lr, momentum=0.9)` is heavy ball for a fixed lr; under a schedule it is not."""
    for rates in ([0.02] * 6, [0.02, 0.02, 0.01, 0.01, 0.005, 0.005]):
        x = torch.nn.Parameter(torch.ones(2, dtype=torch.float64))
        optimizer = torch.optim.SGD([x], lr=rates[0], momentum=0.9)
        now = before = torch.ones(2, dtype=torch.float64)
        scales = torch.tensor([1.0, 10.0], dtype=torch.float64)
        for rate in rates:
            optimizer.param_groups[0]["lr"] = rate
            run(optimizer, x, 1)
            now, before = now - rate * scales * now + 0.9 * (now - before), now
        assert torch.allclose(x.detach(), now) == (len(set(rates)) == 1)


@pytest.mark.proves("optimization-lbfgs", kind="call")
def test_lbfgs_has_no_line_search_by_default() -> None:
    """`LBFGS(params, line_search_fn="strong_wolfe")`; the default is no line search."""
    x = torch.nn.Parameter(torch.ones(2))
    assert torch.optim.LBFGS([x]).param_groups[0]["line_search_fn"] is None
    optimizer = torch.optim.LBFGS([x], line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss = (torch.tensor([1.0, 10.0]) * x.square()).sum() / 2
        loss.backward()
        return loss

    optimizer.step(closure)
    assert x.abs().max() < 1e-3


@pytest.mark.proves("optimization-muon", kind="call")
def test_muon_takes_matrices_and_its_polynomial_is_steeper() -> None:
    """`Muon(params)` takes matrices only; 5 rounds, and a slope at 0 above that of Newton–Schulz."""
    with pytest.raises(ValueError, match="only supports 2D"):
        torch.optim.Muon([torch.nn.Parameter(torch.ones(3))])
    (group,) = torch.optim.Muon([torch.nn.Parameter(torch.ones(3, 2))]).param_groups
    assert group["ns_steps"] == 5
    assert group["ns_coefficients"][0] > 1.5


@pytest.mark.proves("optimization-trust", kind="call")
def test_trust_ncg_runs_on_products() -> None:
    """`minimize(f, x, method="trust-ncg", jac=g, hessp=hv)` finds the minimum from products."""
    products = []

    def hv(x: np.ndarray, v: np.ndarray) -> np.ndarray:
        products.append(1)
        return v / np.cosh(x) ** 2

    def f(x: np.ndarray) -> float:
        return float(np.log(np.cosh(x)).sum())

    found = minimize(f, np.array([1.2, -2.0]), method="trust-ncg", jac=np.tanh, hessp=hv)
    assert found.success
    assert products
    np.testing.assert_allclose(found.x, 0, atol=1e-4)  # where Newton's method diverges
