"""More terms help inside the radius and harm outside."""

import math
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.taylor.univariate import taylor_coefficients
from x0.taylor.univariate_divergence import (
    FRACTIONS,
    plot_error,
    runge_error,
    tanh_coefficients,
    tanh_errors,
)


def test_the_recursion_agrees_with_autograd() -> None:
    expected = taylor_coefficients(torch.tanh, 0.0, 9).numpy()
    np.testing.assert_allclose(tanh_coefficients(9), expected, rtol=1e-12, atol=1e-15)
    assert tanh_coefficients(0).tolist() == [0.0]


@pytest.mark.claim("C-15")
def test_a_convergent_series_equals_f_and_one_beyond_the_radius_diverges() -> None:
    for terms, error in ((10, 3.0), (50, 6.2e3), (200, 1.6e16)):
        assert runge_error(terms, 1.1) == pytest.approx(error, rel=0.03)
        # the remainder of the geometric series is exact
        assert runge_error(terms, 1.1) == pytest.approx(1.1 ** (2 * terms) / (1 + 1.1**2), rel=1e-9)
    assert runge_error(200, 0.9) < 1e-15
    # ln(1 + x) at 1.5 diverges likewise
    partial = np.cumsum([-((-1.5) ** n) / n for n in range(1, 101)])
    assert abs(partial[-1] - math.log(2.5)) > 1e14


@pytest.mark.parametrize("fraction", FRACTIONS)
def test_the_rate_is_the_step_over_the_radius(
    fraction: float, values: Callable[[str], Any]
) -> None:
    rate = values("univariate_divergence")["rates"][fraction]
    assert rate == pytest.approx(fraction, rel=1e-5)
    x = fraction * math.pi / 2
    orders = np.arange(9, 30, 2)
    predicted = 4 / math.pi * fraction ** (orders + 2) / (1 + fraction**2)
    np.testing.assert_allclose(tanh_errors(x, 29)[4:], predicted, rtol=1e-4)


def test_negative_order_is_refused() -> None:
    with pytest.raises(ValueError, match="Received: order=-1"):
        tanh_coefficients(-1)


@pytest.mark.proves("convergence-error", kind="caption", range="orders 1…41", tolerance="1 %")
def test_the_figure_falls_inside_and_rises_outside() -> None:
    """Each odd order multiplies the error by 0.36 and 0.81 inside, by 1.21 outside."""
    figure = plot_error()
    (axis,) = figure.axes
    for index, fraction in enumerate(FRACTIONS):
        predicted, measured = axis.lines[2 * index : 2 * index + 2]
        y = np.asarray(measured.get_ydata())
        assert (np.diff(y) < 0).all() if fraction < 1 else (np.diff(y) > 0).all()
        np.testing.assert_allclose(y[3:], np.asarray(predicted.get_ydata())[3:], rtol=0.01)
        np.testing.assert_allclose(y[4:] / y[3:-1], fraction**2, rtol=0.01)
    plt.close(figure)
