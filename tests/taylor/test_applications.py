"""Var(tanh z) as a Taylor series in the variance."""

from fractions import Fraction
from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pytest
import sympy as sp

from x0.taylor.applications import (
    demo,
    normal_mean_variance,
    plot_variance,
    variance_coefficients,
    variance_series,
)


def test_coefficients_agree_with_sympy() -> None:
    z = sp.Symbol("z")
    square = sp.Poly(sp.series(sp.tanh(z) ** 2, z, 0, 18).removeO(), z)
    expected = [square.coeff_monomial(z ** (2 * k)) * sp.factorial2(2 * k - 1) for k in range(1, 9)]
    assert variance_coefficients(8) == [Fraction(int(c.p), int(c.q)) for c in expected]


@pytest.mark.parametrize("order", range(1, 6))
def test_the_error_of_a_partial_sum_is_the_next_term(order: int) -> None:
    s = np.array([1e-3, 2e-3])
    exact = np.array([normal_mean_variance(value)[1] for value in s])
    error = np.abs(variance_series(s, order) - exact)
    slope = np.log(error[1] / error[0]) / np.log(2)
    assert slope == pytest.approx(order + 1, abs=0.05)
    following = abs(float(variance_coefficients(order + 1)[-1]))
    np.testing.assert_allclose(error, following * s ** (order + 1), rtol=0.03)


def test_the_exact_values_of_the_table() -> None:
    table = {
        0.01: 0.0098055,
        0.05: 0.045602,
        0.1: 0.084214,
        0.2: 0.147182,
        0.5: 0.273676,
        1: 0.394294,
    }
    for s, expected in table.items():
        assert normal_mean_variance(s)[1] == pytest.approx(expected, abs=6e-7)


def test_the_series_diverges_for_every_variance() -> None:
    coefficients = variance_coefficients(60)
    for s in (0.3, 0.1, 0.05):
        terms = [abs(float(c)) * s ** (k + 1) for k, c in enumerate(coefficients)]
        smallest = int(np.argmin(terms)) + 1
        assert smallest == pytest.approx(np.pi**2 / (8 * s) - 0.5, abs=1.01)
        assert terms[-1] > 1000 * min(terms)
    values = demo()
    assert values["least"] < 1e-4 < 1e-2 < values["late"]
    ratio = float(coefficients[-1] / coefficients[-2])
    assert ratio == pytest.approx(-4 / np.pi**2 * (2 * 59 + 3), rel=1e-12)


@pytest.mark.claim("B-19")
def test_the_mean_of_the_output_is_not_the_output_of_the_mean_plus_the_deviation() -> None:
    mean, _ = normal_mean_variance(0.01, mean=1.0)
    t = np.tanh(1.0)
    second = t + (-2 * t * (1 - t**2)) / 2 * 0.01
    assert mean == pytest.approx(0.7584, abs=5e-5)
    assert abs(mean - second) < 1e-5
    assert abs(mean - t) > 3e-3  # tanh of the mean, without the curvature
    assert abs(mean - 1.0) > 0.2  # the right-hand side of the claim: the mean of Z
    assert abs(normal_mean_variance(0.5)[0]) < 1e-15  # both sides vanish for an odd function
    assert demo()["second"] == pytest.approx(second, rel=1e-12)


def test_the_delta_method_predicts_the_variance_to_first_order() -> None:
    values = demo()
    assert values["variance"] == pytest.approx(0.00181, abs=5e-6)
    assert values["delta"] == pytest.approx(0.00176, abs=5e-6)


@pytest.mark.parametrize("order", [0, -2])
def test_an_order_below_one_is_refused(order: int) -> None:
    with pytest.raises(ValueError, match=f"Received: order={order}"):
        variance_coefficients(order)


def test_in_the_figure_higher_orders_win_below_and_lose_above() -> None:
    figure = plot_variance()
    (axis,) = figure.axes
    curves = [np.asarray(line.get_ydata()) for line in axis.lines[:5]]
    s = np.asarray(axis.lines[0].get_xdata())
    for lower, higher in pairwise(curves):
        assert (higher < lower)[s < 0.2].all()
        assert (higher > lower)[s > 0.6].all()
    plt.close(figure)
