"""Newton's method on ln cosh."""

import math
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest

from x0.taylor.optimization_newton import (
    descend_lncosh,
    newton_border,
    newton_lncosh,
    plot_starts,
)


@pytest.mark.proves("optimization-border", kind="search", range="x = 0.05…3, 40")
def test_the_border_separates_convergence_from_explosion() -> None:
    """Starts inside the border converge, starts outside diverge."""
    border = newton_border()
    assert math.sinh(2 * border) == pytest.approx(4 * border, rel=1e-12)
    assert border == pytest.approx(1.08866, abs=1e-5)
    for start in np.linspace(0.05, border - 0.001, 20):
        assert abs(newton_lncosh(start, 30)[-1]) < 1e-12
    for start in np.linspace(border + 0.001, 3, 20):
        assert abs(newton_lncosh(start, 30)[-1]) > 100
    assert newton_lncosh(border, 1)[1] == pytest.approx(-border, rel=1e-12)


def test_near_the_minimum_the_error_is_cubed() -> None:
    # f is even: the third derivative vanishes at 0, and x - sinh(2 x)/2 = -2 x^3/3 + ...
    _, near = newton_lncosh(0.01, 1)
    assert near == pytest.approx(-2 / 3 * 0.01**3, rel=1e-3)


@pytest.mark.proves("optimization-same-side", kind="search", range="x = ±1e-3…±1e3, 4 steps")
def test_gradient_descent_stays_on_its_side() -> None:
    """Gradient descent with 1/L on ln cosh stays on its side of the minimum."""
    for start in np.geomspace(1e-3, 1e3, 200):
        path = np.array(descend_lncosh(float(start), 4))
        assert (path >= -1e-20).all()  # rounding
        assert (np.diff(path) <= 1e-20).all()
        assert (np.array(descend_lncosh(-float(start), 4)) == -path).all()


def test_gradient_descent_converges_from_everywhere() -> None:
    for start in (1.2, 5.0, -30.0):
        assert abs(descend_lncosh(start, 80)[-1]) < 1e-12
    assert abs(descend_lncosh(0.01, 200, rate=2.1)[-1]) > 0.1


def test_the_demo_agrees(values: Callable[[str], Any]) -> None:
    shown = values("optimization_newton")
    assert abs(shown["inside"][6]) < 1e-15
    assert shown["far"] == pytest.approx(517, abs=1)
    assert abs(shown["slow"][4]) < 1e-15


@pytest.mark.proves("optimization-starts", kind="caption", range="x = 1.05, 1.08866, 1.2")
def test_the_figure_shows_three_fates() -> None:
    """On the border the distance stays; inside each step falls faster; outside it flies away."""
    figure = plot_starts()
    out, stay, fall = (np.asarray(line.get_ydata()) for line in figure.axes[0].lines[:3])
    assert out[-1] > 100
    np.testing.assert_allclose(stay, newton_border(), rtol=1e-6)
    assert fall[-1] < 1e-15
    ratios = fall[1:] / fall[:-1]
    assert (np.diff(ratios[fall[1:] > 1e-19]) < 0).all()
    assert (np.diff(out) > 0).all()
    plt.close(figure)
