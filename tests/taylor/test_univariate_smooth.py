"""Smooth is not analytic."""

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy as sp

from x0.taylor.univariate_smooth import flat_derivative, flat_polynomial


@pytest.mark.parametrize("order", range(7))
def test_the_recursion_gives_the_derivatives(order: int) -> None:
    x = sp.Symbol("x", positive=True)
    exact = sp.diff(sp.exp(-1 / x**2), x, order) * sp.exp(1 / x**2)
    u = sp.Symbol("u", positive=True)
    ours = sp.Poly([int(c) for c in flat_polynomial(order).coef[::-1]], u)
    assert sp.simplify(exact.subs(x, 1 / u) - ours.as_expr()) == 0
    assert ours.degree() == 3 * order


@pytest.mark.parametrize("order", [0, 1, 3, 6])
def test_values_agree_with_high_precision(order: int) -> None:
    points = [-1.5, -0.2, 0.1, 0.5, 1.0]
    with mpmath.workdps(60):
        exact = [float(mpmath.diff(lambda t: mpmath.exp(-1 / t**2), x, order)) for x in points]
    np.testing.assert_allclose(flat_derivative(np.array(points), order), exact, rtol=1e-9)


@pytest.mark.claim("C-15")
def test_all_derivatives_vanish_at_zero_and_the_function_does_not() -> None:
    x = sp.Symbol("x", real=True)
    f = sp.exp(-1 / x**2)
    for order in range(6):
        # induction: f^(n)(0) = 0 and the difference quotient of f^(n) tends to 0 from both sides
        quotient = sp.diff(f, x, order) / x
        assert sp.limit(quotient, x, 0, "+") == 0
        assert sp.limit(quotient, x, 0, "-") == 0
        assert flat_derivative(np.array(0.0), order) == 0.0
    # so every partial sum at 0.5 is 0, and the infinite series is not f
    assert flat_derivative(np.array(0.5), 0) == pytest.approx(0.0183, abs=5e-5)


def test_powers_lose_against_the_exponential() -> None:
    u = np.geomspace(0.1, 50, 200)
    for j in range(1, 12):
        assert (u**j * np.exp(-(u**2)) <= math.factorial(j) / u**j * (1 + 1e-12)).all()


def test_the_lagrange_bound_holds_but_grows(values: Callable[[str], Any]) -> None:
    shown = values("univariate_smooth")
    bounds = [shown["bounds"][n] for n in (1, 2, 4, 8, 12)]
    assert min(bounds) > shown["at_half"]  # never below the remainder, which is f itself
    assert bounds == sorted(bounds)
    assert bounds[-1] > 1000
    assert shown["imaginary"] == pytest.approx(math.exp(100), rel=1e-12)


def test_negative_order_is_refused() -> None:
    with pytest.raises(ValueError, match="Received: order=-1"):
        flat_polynomial(-1)
    with pytest.raises(ValueError, match="Received: order=-2"):
        flat_derivative(np.array(1.0), -2)
