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


@pytest.mark.proves("momentum-triangle", kind="search", range="120 (ηλ, β)", n="300")
def test_figure_and_values(values):
    """Of the random settings exactly those inside the dashed line shrink under torch.optim.SGD."""
    figure = stability.plot_triangle()
    lines = {line.get_label(): line for line in figure.axes[0].lines}
    for label, inside in (("shrinks", True), ("grows", False)):
        x, b = np.array(lines[label].get_xdata()), np.array(lines[label].get_ydata())
        assert ((x < 2 * (1 + b)) == inside).all()
    shown = values("momentum_stability")
    assert shown["agree"] == 200
    assert shown["factors"][0.9][0] < shown["factors"][0.0][0]
    plt.close(figure)


@pytest.mark.proves("momentum-roots", kind="search", range="eta lam = 0…4.4, beta = 0…0.99")
def test_the_expression_of_the_exercise_is_the_factor():
    """abs(np.roots([1, -(1 + beta - eta * lam), beta])).max() is the factor of the heavy ball."""
    for beta in (0.0, 0.3, 0.9, 0.99):
        for lam in np.linspace(0.1, 44, 60):
            eta = 0.1
            factor = abs(np.roots([1, -(1 + beta - eta * lam), beta])).max()
            step = np.array([[1 + beta - eta * lam, -beta], [1, 0]])
            assert factor == pytest.approx(abs(np.linalg.eigvals(step)).max(), abs=1e-7)
            assert (factor < 1) == (eta * lam < 2 * (1 + beta))
