"""Coefficients from a circle, and the radius of convergence."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch

from x0.taylor.univariate import taylor_coefficients
from x0.taylor.univariate_radius import circle_coefficients, radius_estimate


@pytest.mark.parametrize(
    ("complex_function", "torch_function", "point", "radius"),
    [
        (np.exp, torch.exp, 0.7, 1.0),
        (np.sin, torch.sin, -0.3, 2.0),
        (np.log1p, torch.log1p, 0.5, 1.0),
        (np.tanh, torch.tanh, 0.4, 1.2),
        (lambda x: 1 / (1 + x**2), lambda x: 1 / (1 + x**2), 0.2, 0.7),
    ],
    ids=["exp", "sin", "log1p", "tanh", "runge"],
)
def test_the_circle_agrees_with_autograd(complex_function, torch_function, point, radius) -> None:
    found = circle_coefficients(complex_function, point, 7, radius)
    expected = taylor_coefficients(torch_function, point, 7).numpy()
    np.testing.assert_allclose(found, expected, atol=1e-14)


def test_the_stated_error_of_the_circle() -> None:
    """An error near 1e-16 * max|f| / radius^n: a small circle loses the high orders."""
    exact = np.array([1 / math.factorial(n) for n in range(41)])
    for radius in (0.5, 1.0, 4.0):
        error = np.abs(circle_coefficients(np.exp, 0.0, 40, radius) - exact)
        assert (error <= 1e-15 * math.exp(radius) / radius ** np.arange(41)).all()


def test_tanh_has_the_radius_of_its_poles(values: Callable[[str], Any]) -> None:
    shown = values("univariate_radius")
    assert shown["ratio"] == pytest.approx(shown["predicted"], abs=5e-6)
    assert shown["ratio"] == pytest.approx(0.40528, abs=5e-6)
    assert shown["radii"]["tanh x at 0"] == pytest.approx(math.pi / 2, rel=1e-6)
    x = sp.Symbol("x")
    poly = sp.Poly(sp.series(sp.tanh(x), x, 0, 14).removeO(), x)
    exact = np.array([float(poly.coeff_monomial(x**n)) for n in range(14)])
    np.testing.assert_allclose(circle_coefficients(np.tanh, 0.0, 13, 1.3), exact, atol=1e-15)


@pytest.mark.parametrize("point", [0.0, 0.5, 1.0, 2.0])
def test_the_radius_is_the_distance_to_the_poles(point: float) -> None:
    for function, height in ((np.tanh, math.pi / 2), (lambda x: 1 / (1 + x**2), 1.0)):
        distance = math.hypot(point, height)
        coefficients = circle_coefficients(function, point, 79, 0.8 * distance)
        assert radius_estimate(coefficients) == pytest.approx(distance, rel=0.01)
        # the distance along the real axis to anything special says nothing
        assert abs(radius_estimate(coefficients) / height - 1) > 0.04 or point == 0


def test_the_logarithm_approaches_its_radius_slowly() -> None:
    orders = (47, 95, 191)
    excess = [
        radius_estimate(np.array([0.0] + [1 / n for n in range(1, order + 1)])) - 1
        for order in orders
    ]
    assert 0 < excess[2] < excess[1] < excess[0] < 0.04


@pytest.mark.parametrize(
    ("function", "radius"),
    [
        (np.tanh, 1.6),
        (lambda x: 1 / (1 + x**2), 1.5),
        (lambda x: np.exp(-1 / x**2), 1.0),
        (lambda x: np.abs(x - 0.3), 1.0),
    ],
    ids=["tanh", "runge", "flat", "abs"],
)
def test_a_circle_around_a_singularity_is_refused(function, radius: float) -> None:
    with pytest.raises(ValueError, match=f"not analytic in the disk.*Received: radius={radius}"):
        circle_coefficients(function, 0.0, 20, radius)


@pytest.mark.proves("convergence-circle", kind="call", effect="1e-11, 1e-9")
def test_a_negative_power_above_the_tolerance_is_refused() -> None:
    """Refused is a negative power that on the circle exceeds 1e-10 of the largest term."""
    for residue in (1e-11, 1e-9):  # on this circle the largest term of exp is 1

        def function(z: Any, a: float = residue) -> Any:
            return np.exp(z) + a / (z - 0.5)

        if residue < 1e-10:
            found = circle_coefficients(function, 0.0, 5, 1.0)
            assert found == pytest.approx([1 / math.factorial(n) for n in range(6)], rel=1e-9)
        else:
            with pytest.raises(ValueError, match="not analytic"):
                circle_coefficients(function, 0.0, 5, 1.0)


@pytest.mark.parametrize(("order", "radius"), [(-1, 1.0), (3, 0.0), (3, -1.0), (3, math.nan)])
def test_bad_input_is_refused(order: int, radius: float) -> None:
    with pytest.raises(ValueError, match=f"Received: order={order}, radius={radius}"):
        circle_coefficients(np.exp, 0.0, order, radius)


@pytest.mark.parametrize("coefficients", [np.ones(23), np.ones((3, 30)), np.eye(1, 40)[0]])
def test_too_few_coefficients_are_refused(coefficients: np.ndarray) -> None:
    with pytest.raises(ValueError, match="Received: shape="):
        radius_estimate(coefficients)


@pytest.mark.parametrize("base", [0.5, 2.0])
def test_coefficients_whose_squares_leave_float64_are_refused(base: float) -> None:
    with pytest.raises(ValueError, match="squares leave float64"):
        radius_estimate(base ** np.arange(900.0))
