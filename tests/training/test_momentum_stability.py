"""Figure momentum-stability-triangle: where heavy ball is stable, and how fast."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from x0.training import momentum_stability as stability


def test_the_triangle_on_a_grid():
    x, b = np.meshgrid(np.linspace(-0.5, 4.5, 101) + 1e-3, np.linspace(0, 1.19, 61))
    inside = (x > 0) & (x < 2 * (1 + b)) & (b < 1)
    assert np.array_equal(stability.heavy_ball_radius(x, b) < 1, inside)


def test_the_plateau_is_the_root_of_beta():
    x, b = np.meshgrid(np.linspace(1e-3, 4, 101), np.linspace(0.01, 0.99, 50))
    radius = stability.heavy_ball_radius(x, b)
    plateau = ((1 - np.sqrt(b)) ** 2 < x) & (x < (1 + np.sqrt(b)) ** 2)
    assert radius[plateau] == pytest.approx(np.sqrt(b[plateau]), rel=1e-6)
    assert (radius[~plateau] > np.sqrt(b[~plateau]) * (1 + 1e-9)).all()


def test_torch_agrees_and_the_bound_without_momentum_is_wrong():
    step, beta = stability.random_settings(200)
    shrank = stability.torch_converges(step, beta)
    assert np.array_equal(shrank, step < 2 * (1 + beta))
    assert not np.array_equal(shrank, step < 2)


def test_rejects_negative_momentum():
    with pytest.raises(ValueError, match=r"Received: beta=-0\.1"):
        stability.heavy_ball_radius(1.0, -0.1)


def test_figure_and_values():
    figure = stability.plot_triangle()
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    for label, inside in (("shrinks", True), ("grows", False)):
        x, b = np.array(lines[label].get_xdata()), np.array(lines[label].get_ydata())
        assert ((x < 2 * (1 + b)) == inside).all()
    values = stability.demo()
    assert values["agree"] == 200
    assert values["slow_09"] < values["slow_0"]
    plt.close(figure)
