"""The Taylor polynomial by automatic differentiation."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from x0.taylor.univariate import (
    remainder_estimate,
    taylor_coefficients,
    taylor_polynomial,
)

RUNGE = [1, 0, -1, 0, 1, 0, -1, 0, 1]
TANH = [0, 1, 0, -1 / 3, 0, 2 / 15, 0, -17 / 315, 0]


def float64(value: float | list[float]) -> Tensor:
    return torch.tensor(value, dtype=torch.float64)


def local_slope(error: Callable[[float], float], step: float = 0.01) -> float:
    return math.log(abs(error(step) / error(step / 2))) / math.log(2)


@pytest.mark.parametrize("point", [-1.7, 0.0, 0.4, 3.0])
def test_a_polynomial_is_reproduced_exactly(point: float) -> None:
    powers = float64([2.0, -1.0, 0.5, 3.0, -0.25])
    coefficients = taylor_coefficients(lambda x: taylor_polynomial(powers, x), point, 7)
    assert torch.equal(coefficients[5:], torch.zeros(3, dtype=torch.float64))
    x = torch.linspace(-4, 4, 41, dtype=torch.float64)
    expected = taylor_polynomial(powers, x)
    torch.testing.assert_close(
        taylor_polynomial(coefficients, x - point), expected, rtol=1e-11, atol=1e-11
    )


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (torch.exp, [1 / math.factorial(n) for n in range(9)]),
        (torch.sin, [[0, 1, 0, -1][n % 4] / math.factorial(n) for n in range(9)]),
        (torch.log1p, [0.0] + [(-1) ** (n + 1) / n for n in range(1, 9)]),
        (torch.tanh, TANH),
        (lambda x: 1 / (1 + x**2), RUNGE),
    ],
    ids=["exp", "sin", "log1p", "tanh", "runge"],
)
def test_coefficients_at_zero_match_closed_forms(
    function: Callable[[Tensor], Tensor], expected: list[float]
) -> None:
    torch.testing.assert_close(
        taylor_coefficients(function, 0.0, 8),
        float64([float(c) for c in expected]),
        rtol=1e-12,
        atol=1e-15,
    )


@pytest.mark.claim("C-16")
def test_coefficients_times_factorials_are_the_derivatives() -> None:
    # the derivatives of exp(2 x) at 0.3 are 2^n exp(0.6); number 0 is the value itself
    coefficients = taylor_coefficients(lambda x: torch.exp(2 * x), 0.3, 8)
    assert coefficients[0].item() == torch.exp(float64(0.6)).item()
    for n, coefficient in enumerate(coefficients.tolist()):
        assert coefficient * math.factorial(n) == pytest.approx(2**n * math.exp(0.6), rel=1e-13)


@pytest.mark.claim("C-07")
def test_the_polynomial_has_the_derivatives_of_the_function() -> None:
    coefficients = taylor_coefficients(torch.tanh, 0.4, 6)
    again = taylor_coefficients(lambda step: taylor_polynomial(coefficients, step), 0.0, 6)
    torch.testing.assert_close(again, coefficients, rtol=1e-14, atol=0)
    # and it is the only one: another polynomial of degree 6 differs in a derivative
    other = coefficients + float64([0, 0, 0, 1e-3, 0, 0, 0])
    again = taylor_coefficients(lambda step: taylor_polynomial(other, step), 0.0, 6)
    assert (again - coefficients).abs().max() > 5e-4


def test_horner_agrees_with_numpy() -> None:
    generator = torch.Generator().manual_seed(0)
    coefficients = torch.randn(9, generator=generator, dtype=torch.float64)
    step = torch.randn(4, 5, generator=generator, dtype=torch.float64)
    expected = np.polynomial.polynomial.polyval(step.numpy(), coefficients.numpy())
    np.testing.assert_allclose(taylor_polynomial(coefficients, step).numpy(), expected, rtol=1e-12)


@pytest.mark.parametrize("order", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("function", [torch.exp, torch.tanh, torch.sigmoid])
def test_the_error_has_slope_order_plus_one(
    function: Callable[[Tensor], Tensor], order: int
) -> None:
    point = 0.35
    coefficients = taylor_coefficients(function, point, order)

    def error(step: float) -> float:
        exact = function(float64(point + step))
        return (exact - taylor_polynomial(coefficients, float64(step))).item()

    assert local_slope(error, 0.01) == pytest.approx(order + 1, abs=0.05)


@pytest.mark.claim("C-13")
def test_first_order_needs_one_derivative_at_the_point_and_nothing_else() -> None:
    # |x|^1.5 has a derivative at 0 and no second one: the remainder is still o(step)
    kinked = taylor_coefficients(lambda x: x.abs() ** 1.5, 0.0, 1)
    assert kinked.tolist() == [0.0, 0.0]
    with pytest.raises(ValueError, match="derivative 2"):
        taylor_coefficients(lambda x: x.abs() ** 1.5, 0.0, 2)
    assert (
        local_slope(lambda step: step**1.5 - taylor_polynomial(kinked, float64(step)).item()) > 1.4
    )
    # exp has all derivatives and has a first-order polynomial as well, with remainder slope 2
    tangent = taylor_coefficients(torch.exp, 0.7, 1)
    slope = local_slope(
        lambda step: math.exp(0.7 + step) - taylor_polynomial(tangent, float64(step)).item()
    )
    assert slope == pytest.approx(2, abs=0.05)


@pytest.mark.claim("C-14")
def test_second_order_needs_two_derivatives_at_the_point_and_nothing_else() -> None:
    kinked = taylor_coefficients(lambda x: x.abs() ** 2.5, 0.0, 2)
    assert kinked.tolist() == [0.0, 0.0, 0.0]
    with pytest.raises(ValueError, match="derivative 3"):
        taylor_coefficients(lambda x: x.abs() ** 2.5, 0.0, 3)
    assert (
        local_slope(lambda step: step**2.5 - taylor_polynomial(kinked, float64(step)).item()) > 2.4
    )
    parabola = taylor_coefficients(torch.exp, 0.7, 2)
    slope = local_slope(
        lambda step: math.exp(0.7 + step) - taylor_polynomial(parabola, float64(step)).item()
    )
    assert slope == pytest.approx(3, abs=0.05)


@pytest.mark.claim("C-08")
def test_the_polynomial_solves_integrates_and_minimizes() -> None:
    # Equations: the zero of the first-order polynomial is Newton's step; it finds the root of 2.
    root = 1.0
    for _ in range(6):
        value, slope = taylor_coefficients(lambda x: x**2 - 2, root, 1).tolist()
        root -= value / slope
    assert root == pytest.approx(math.sqrt(2), rel=1e-15)
    # Integrals: term by term, with an error within the remainder bound.
    coefficients = taylor_coefficients(torch.exp, 0.0, 6).tolist()
    integral = sum(c / (n + 1) for n, c in enumerate(coefficients))
    assert 0 < (math.e - 1) - integral <= math.e / math.factorial(8)
    # Quadrature: the midpoint rule misses the first term that it drops, h^3 / 24 times f''.
    for h in (0.1, 0.01):
        constant, _, half = taylor_coefficients(torch.exp, 0.5, 2).tolist()
        missed = 2 * math.exp(0.5) * math.sinh(h / 2) - h * constant
        assert missed == pytest.approx(half * h**3 / 12, rel=h**2)
    # Optimization: the minimum of the second-order polynomial is that of a quadratic, in one step.
    _, slope, half_curvature = taylor_coefficients(lambda x: 3 * (x - 5) ** 2 + 1, -2.0, 2).tolist()
    assert -2.0 - slope / (2 * half_curvature) == pytest.approx(5.0, rel=1e-15)


def test_the_estimate_is_no_bound_but_becomes_right() -> None:
    assert "not a bound" in (remainder_estimate.__doc__ or "")
    error = math.exp(1) - 2.5
    assert remainder_estimate(torch.exp, 0.0, 2, 1.0) < error  # smaller than the error: no bound
    ratios = []
    for step in (1.0, 0.1, 0.01):
        exact = math.expm1(step) - step - step**2 / 2
        ratios.append(remainder_estimate(torch.exp, 0.0, 2, step) / exact)
    assert ratios[0] < ratios[1] < ratios[2]
    assert ratios[2] == pytest.approx(1, abs=0.005)
    # it says zero where the next coefficient happens to vanish
    assert remainder_estimate(torch.sin, 0.0, 1, 0.5) == 0.0


def test_demo_shows_error_and_estimate(values: Callable[[str], Any]) -> None:
    shown = values("univariate")
    error = abs(math.tanh(0.5) - (0.5 - 0.5**3 / 3 + 2 * 0.5**5 / 15))
    assert shown["error"] == pytest.approx(error, rel=1e-10)
    assert shown["estimate"] == pytest.approx(17 / 315 * 0.5**7, rel=1e-12)


@pytest.mark.parametrize(
    ("function", "point", "order", "message"),
    [
        (torch.exp, 0.0, -1, r"order must be >= 0.*Received: order=-1"),
        (lambda x: x.repeat(2), 0.0, 1, r"float64 scalar\. Received: shape=\(2,\)"),
        (lambda x: torch.exp(x.float()), 0.0, 1, r"Received: shape=\(\), dtype=torch\.float32"),
        (
            lambda x: torch.exp(x.detach()),
            0.0,
            1,
            r"through autograd\. Received: requires_grad=False",
        ),
        (torch.log, 0.0, 1, r"derivative 0 at 0\.0 must be finite\. Received: -inf"),
        (torch.sqrt, 0.0, 1, r"derivative 1 at 0\.0 must be finite\. Received: inf"),
        (
            lambda x: torch.exp(-1 / x**2),
            0.0,
            1,
            r"derivative 1 at 0\.0 must be finite\. Received: nan",
        ),
        (torch.exp, math.nan, 1, r"derivative 0 at nan must be finite\. Received: nan"),
    ],
)
def test_bad_input_is_refused(
    function: Callable[[Tensor], Tensor], point: float, order: int, message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        taylor_coefficients(function, point, order)


@pytest.mark.parametrize("shape", [(), (0,), (2, 2)])
def test_coefficients_must_be_a_vector(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="Received: shape="):
        taylor_polynomial(torch.ones(shape), float64(1.0))


def test_the_estimate_refuses_a_negative_order() -> None:
    with pytest.raises(ValueError, match=r"Received: order=-1"):
        remainder_estimate(torch.exp, 0.0, -1, 0.1)
