"""Gradient descent on the line, against its eigenvalues."""

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest

from x0.taylor.linear_regression_descent import (
    descend_line,
    excess_loss,
    line_data,
    line_modes,
    plot_loss,
    predicted_loss,
)


@pytest.mark.claim("C-33")
@pytest.mark.parametrize("rate", [0.1, 0.5, 0.7653, 0.8])
def test_below_the_limit_descent_reaches_least_squares(rate: float) -> None:
    x, y, start = line_data()
    best = line_modes(x, y)[2]
    np.testing.assert_allclose(descend_line(start, x, y, rate, 3000)[-1], best, rtol=1e-9)


def test_the_limit_is_two_over_the_largest_eigenvalue() -> None:
    x, y, start = line_data()
    limit = 2 / line_modes(x, y)[0][1]
    assert limit == pytest.approx(0.8067, abs=5e-5)
    for factor, stable in ((0.995, True), (1.005, False)):
        loss = excess_loss(descend_line(start, x, y, factor * limit, 400), x, y)
        assert (loss[-1] < loss[0]) == stable
    # 2 over the smallest eigenvalue, or over the trace, would be a wrong limit
    assert 2 / line_modes(x, y)[0].sum() < 0.96 * limit


def test_eigenvalues_predict_the_whole_curve() -> None:
    x, y, _ = line_data()
    steps = np.arange(0, 120, 7)
    for start in (np.zeros(2), np.array([-4.0, 9.0])):
        for rate in (0.01, 0.5, 0.7653, 0.81):
            measured = excess_loss(descend_line(start, x, y, rate, 120)[steps], x, y)
            predicted = predicted_loss(start, x, y, rate, steps)
            np.testing.assert_allclose(measured, predicted, rtol=1e-6)
            wrong = predicted_loss(start, x, y, 1.02 * rate, steps)
            assert np.abs(wrong / measured - 1).max() > 0.003


@pytest.mark.claim("C-42")
def test_a_rate_of_001_looks_good_only_from_this_start(values: Callable[[str], Any]) -> None:
    x, y, _ = line_data()
    shown = values("linear_regression_descent")
    best = line_modes(x, y)[2]
    assert 2 / line_modes(x, y)[0][1] / 0.01 == pytest.approx(80, abs=1)
    assert shown["kept"] == pytest.approx(0.26, abs=5e-3)
    assert shown["slow"] == pytest.approx(0.030, abs=5e-4)
    assert shown["fast"] == pytest.approx(4.063, abs=5e-4)
    lucky = np.array(shown["ends"]["random"])
    np.testing.assert_allclose(lucky, [2.9436, 2.5545], atol=5e-5)
    assert np.abs(lucky - best).max() < 0.008
    plain = np.array(shown["ends"]["zero"])
    assert np.abs(plain - best).max() > 0.3
    assert np.abs(descend_line(np.zeros(2), x, y, 0.5, 1000)[-1] - best).max() < 1e-13


def test_each_side_of_the_limit_has_its_factor(values: Callable[[str], Any]) -> None:
    factors = values("linear_regression_descent")["factors"]
    high = line_modes(*line_data()[:2])[0][1]
    assert factors[0.8] == pytest.approx(0.8 * high - 1, rel=1e-4)
    assert factors[0.81] == pytest.approx(0.81 * high - 1, rel=1e-9)
    assert factors[0.8] < 1 < factors[0.81]


@pytest.mark.proves("linear-regression-rates", kind="caption", range="η = 0.01, 0.5, 0.7653, 0.81")
def test_the_figure_shows_three_falling_curves_and_a_rising_one() -> None:
    """0.81 climbs; of the others 0.5 is first ahead, and 0.7653 is lowest at 200, 0.01 highest."""
    figure = plot_loss()
    (axis,) = figure.axes
    ends, early = [], []
    for i in range(4):
        predicted, measured = axis.lines[2 * i : 2 * i + 2]
        assert predicted.get_linestyle() == "--"
        np.testing.assert_allclose(measured.get_ydata(), predicted.get_ydata(), rtol=1e-5)
        loss = np.asarray(measured.get_ydata())
        ends.append(float(loss[-1]))
        early.append(float(loss[1]))
        assert (np.diff(loss) > 0).all() == (i == 3)
    start = float(np.asarray(axis.lines[0].get_ydata())[0])
    assert early[1] < min(early[0], early[2]) / 4
    assert ends[2] < ends[1] < ends[0] < start < ends[3]
    plt.close(figure)
