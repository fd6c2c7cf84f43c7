"""The numbers in the solutions."""

import math
from collections.abc import Callable
from typing import Any

import mpmath
import numpy as np
import pytest

from x0.taylor.univariate_exercises import intermediate_fraction, sufficient_order


@pytest.mark.parametrize("order", range(5))
def test_the_intermediate_point_tends_to_one_over_k_plus_two(order: int) -> None:
    distances = [
        abs(intermediate_fraction(order, step) - 1 / (order + 2)) for step in (0.1, 0.05, 0.025)
    ]
    assert distances[0] / distances[1] == pytest.approx(2, abs=0.05)  # first order in the step
    assert distances[1] / distances[2] == pytest.approx(2, abs=0.05)
    # the point that solves the Lagrange form, in high precision
    with mpmath.workdps(50):
        step = mpmath.mpf("0.5")
        remainder = mpmath.exp(step) - mpmath.fsum(
            step**n / mpmath.factorial(n) for n in range(order + 1)
        )
        exact = mpmath.log(remainder * mpmath.factorial(order + 1) / step ** (order + 1)) / step
    assert intermediate_fraction(order, 0.5) == pytest.approx(float(exact), rel=1e-13)
    assert 0 < intermediate_fraction(order, -3.0) < 1


@pytest.mark.parametrize(
    ("width", "tolerance"), [(math.pi, 1e-3), (1.0, 1e-6), (5.0, 0.1), (0.5, 1.0)]
)
def test_the_order_is_sufficient_and_the_smallest(width: float, tolerance: float) -> None:
    order = sufficient_order(width, tolerance)
    assert width ** (order + 1) / math.factorial(order + 1) <= tolerance
    assert order == 0 or width**order / math.factorial(order) > tolerance
    x = np.linspace(-width, width, 501)
    sine = [[0, 1, 0, -1][n % 4] / math.factorial(n) for n in range(order + 1)]
    assert np.abs(np.sin(x) - np.polynomial.polynomial.polyval(x, sine)).max() <= tolerance


def test_two_orders_less_are_not_enough(values: Callable[[str], Any]) -> None:
    shown = values("univariate_exercises")
    errors, bounds = shown["errors"], shown["bounds"]
    assert errors[10] > 1e-3 > errors[12]
    for order in (10, 12):
        assert 0.9 * bounds[order] < errors[order] < bounds[order]


@pytest.mark.parametrize(("order", "step"), [(-1, 0.5), (2, 0)])
def test_a_missing_point_is_refused(order: int, step: float) -> None:
    with pytest.raises(ValueError, match=f"Received: order={order}, step={step}"):
        intermediate_fraction(order, step)


@pytest.mark.parametrize("tolerance", [0.0, -1.0, math.nan])
def test_a_tolerance_must_be_positive(tolerance: float) -> None:
    with pytest.raises(ValueError, match="Received: tolerance="):
        sufficient_order(1.0, tolerance)


def test_a_wide_interval_ends_or_is_refused() -> None:
    assert 700 < sufficient_order(700.0, 1e-3) < 2000
    with pytest.raises(ValueError, match="half_width=701"):
        sufficient_order(701.0, 1e-3)
