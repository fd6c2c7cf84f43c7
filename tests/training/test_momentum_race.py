"""Figure momentum-race-error: three methods on a quadratic, as fast as predicted."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from x0.training import momentum_race as race
from x0.training.momentum_stability import heavy_ball_radius


@pytest.mark.parametrize("kappa", [10.0, 18.5, 100.0, 1000.0])
def test_no_setting_is_better_than_the_best(kappa):
    rate, beta = race.best_heavy_ball(1.0, kappa)
    ends = np.array([1.0, kappa])[:, None, None]
    best = float(heavy_ball_radius(rate * ends, beta).max())
    root = np.sqrt(kappa)
    assert best == pytest.approx((root - 1) / (root + 1), abs=1e-6)
    rates, betas = np.meshgrid(np.geomspace(0.3, 3, 61) * rate, np.linspace(0, 0.999, 400))
    assert heavy_ball_radius(rates * ends, betas).max(0).min() > best - 1e-6


def test_measured_rates():
    values = race.demo()
    for name, slack in (("gradient", 1e-4), ("nesterov", 3e-3), ("heavy", 3e-3)):
        # a double root gives k r^k: the rate approaches r from above like 1 / k
        assert -1e-5 < values[name] - values[f"{name}_theory"] < slack
    assert values["heavy_theory"] == pytest.approx(9 / 11)
    assert values["heavy_steps"] < values["nesterov_steps"] < values["gradient_steps"] / 4


def test_nesterov_in_theory():
    """The spectral radius of its matrix, at every eigenvalue."""
    beta = 9 / 11
    radius = max(
        np.abs(np.linalg.eigvals([[(1 + beta) * (1 - x), -beta * (1 - x)], [1, 0]])).max()
        for x in np.linspace(0.01, 1, 200)
    )
    assert radius == pytest.approx(0.9, abs=1e-6)


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (2.0, 1.0)])
def test_rejects_eigenvalues_out_of_order(low, high):
    with pytest.raises(ValueError, match=f"Received: smallest={low}, largest={high}"):
        race.best_heavy_ball(low, high)


def test_figure():
    figure = race.plot_error()
    ends = {line.get_label(): line.get_ydata()[-1] for line in figure.axes[0].lines}
    assert ends["heavy ball"] < ends["Nesterov"] < ends["gradient descent"]
    plt.close(figure)
