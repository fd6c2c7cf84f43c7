"""Newton's method on ln cosh."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest

from x0.taylor.optimization_newton import (
    demo,
    descend_lncosh,
    newton_border,
    newton_lncosh,
    plot_starts,
)


def test_the_border_separates_convergence_from_explosion() -> None:
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


def test_gradient_descent_converges_from_everywhere() -> None:
    for start in (1.2, 5.0, -30.0):
        assert abs(descend_lncosh(start, 80)[-1]) < 1e-12
    assert abs(descend_lncosh(0.01, 200, rate=2.1)[-1]) > 0.1


def test_the_demo_agrees() -> None:
    values = demo()
    assert values["inside_6"] < 1e-15
    assert values["outside_3"] == pytest.approx(517, abs=1)
    assert values["descent_4"] < 1e-15


def test_the_figure_shows_three_fates() -> None:
    figure = plot_starts()
    out, stay, fall = (np.asarray(line.get_ydata()) for line in figure.axes[0].lines[:3])
    assert out[-1] > 100
    np.testing.assert_allclose(stay, newton_border(), rtol=1e-6)
    assert fall[-1] < 1e-15
    plt.close(figure)
