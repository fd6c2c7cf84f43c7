"""F26: descent and Newton on the mean squared error of a line."""

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest

from x0.taylor.optimization_paths import (
    descent_path,
    line_data,
    plot_contours,
    quadratic_problem,
)


@pytest.mark.claim("C-22")
def test_eigenvalues_of_the_exact_hessian_predict_the_whole_descent(
    values: Callable[[str], Any],
) -> None:
    hessian, best = quadratic_problem()
    start = line_data()[2]
    eigenvalues, vectors = np.linalg.eigh(hessian)
    predicted = best + vectors @ ((1 - 0.01 * eigenvalues) ** 1000 * (vectors.T @ (start - best)))
    shown = values("optimization_paths")
    assert (shown["w"], shown["b"]) == pytest.approx(tuple(predicted), rel=1e-10)
    assert (shown["w"], shown["b"]) == pytest.approx((2.94357, 2.55453), abs=1e-5)
    assert shown["limit"] == pytest.approx(0.8067, abs=1e-4)
    assert shown["kappa"] == pytest.approx(18.49, abs=0.01)


def test_the_problem_is_the_mean_squared_error() -> None:
    x, y, _ = line_data()
    hessian, best = quadratic_problem()
    assert np.polyfit(x, y, 1) == pytest.approx(best, rel=1e-10)
    step = np.array([0.3, -0.2])

    def loss(theta: np.ndarray) -> float:
        return float(((theta[0] * x + theta[1] - y) ** 2).mean())

    assert loss(best + step) - loss(best) == pytest.approx(step @ hessian @ step / 2, rel=1e-9)


def test_the_best_rate_is_the_best_and_newton_needs_one_step(values: Callable[[str], Any]) -> None:
    shown = values("optimization_paths")
    assert shown["measured"] == pytest.approx(shown["predicted"], rel=1e-6)
    best = quadratic_problem()[1]

    def left(rate: float) -> float:
        return float(np.linalg.norm(descent_path(rate, 60)[-1] - best))

    assert left(shown["optimal"]) < min(left(0.5), left(0.7), left(0.79))
    assert left(0.81) > left(0.8) > left(shown["optimal"])
    assert shown["error"] < 1e-12


@pytest.mark.proves(
    "optimization-contours", kind="caption", range="η = 0.01…0.80", effect="0.97, 0.93; 0.45"
)
def test_the_figure_shows_slow_fast_best_and_diverging_paths() -> None:
    """1000 steps of 0.01 get about as far as 20 of 0.5; 0.7653 has the smallest factor; 0.81 swings wider."""
    hessian, _ = quadratic_problem()
    eigenvalues, vectors = np.linalg.eigh(hessian)
    grid = np.arange(0.01, 0.81, 0.0001)
    factors = np.abs(1 - grid[:, None] * eigenvalues).max(1)
    assert grid[factors.argmin()] == pytest.approx(0.7653, abs=2e-4)
    steep = (descent_path(0.81, 20) - quadratic_problem()[1]) @ vectors[:, 1]
    assert (np.diff(np.abs(steep)) > 0).all()
    assert (steep[1:] * steep[:-1] < 0).all()
    figure = plot_contours()
    best = quadratic_problem()[1]
    ends = {}
    for axis in figure.axes:
        for line in axis.lines:
            path = np.stack([line.get_xdata(), line.get_ydata()], 1)
            distances = np.linalg.norm(path - best, axis=1)
            ends[str(line.get_label())] = (len(path) - 1, distances[-1])
    assert ends["Newton"] == (1, 0)
    assert ends["η = 0.01"][1] == pytest.approx(ends["η = 0.5"][1], rel=0.06)
    assert ends["η = 0.01"][0] == 10  # of 100 steps each
    assert ends["η = 0.7653"][1] < ends["η = 0.5"][1]
    assert ends["η = 0.81"][1] > 1
    plt.close(figure)


def test_a_rate_that_is_not_positive_is_refused() -> None:
    with pytest.raises(ValueError, match="Received: rate=0"):
        descent_path(0, 3)
