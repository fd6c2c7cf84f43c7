"""Figure momentum-noise-variance: momentum amplifies noise."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.linalg import solve_discrete_lyapunov

from x0.training import momentum_noise as noise


@pytest.mark.parametrize("beta", noise.BETAS)
def test_measured(beta):
    for rate in (noise.RATE, noise.RATE * (1 - beta)):
        mean, error = noise.measured_variance(rate, beta)
        theory = noise.momentum_variance(rate, 1.0, beta)
        assert error < 0.05 * theory
        assert abs(mean - theory) < 4 * error
    if beta >= 0.5:  # at a fixed rate, the law without momentum is wrong
        mean, error = noise.measured_variance(noise.RATE, beta)
        assert abs(mean - noise.momentum_variance(noise.RATE, 1.0, 0.0)) > 4 * error


def test_against_the_lyapunov_equation():
    for rate, curvature, beta in ((0.1, 2.0, 0.9), (0.7, 1.0, 0.3), (0.01, 5.0, 0.99)):
        matrix = np.array([[1 + beta - rate * curvature, -beta], [1.0, 0.0]])
        found = solve_discrete_lyapunov(matrix, np.diag([rate**2, 0.0]))
        assert noise.momentum_variance(rate, curvature, beta) == pytest.approx(found[0, 0])


@pytest.mark.parametrize(("rate", "beta"), [(4.0, 0.9), (0.1, 1.0), (0.0, 0.5)])
def test_rejects_unstable_settings(rate, beta):
    with pytest.raises(ValueError, match=f"Received: rate={rate}"):
        noise.momentum_variance(rate, 1.0, beta)


@pytest.mark.proves("momentum-variance", kind="caption", range="β = 0…0.98", n="4000")
def test_figure_and_values(values):
    """At a constant rate the variance grows like 1/(1-β); at a constant effective rate it stays."""
    figure = noise.plot_variance()
    fixed, _, scaled, _ = figure.axes[0].lines
    ratio = fixed.get_ydata() / fixed.get_xdata()
    assert max(ratio) < 1.2 * min(ratio)
    assert max(scaled.get_ydata()) < 1.2 * min(scaled.get_ydata())
    assert values("momentum_noise")["fixed"][0.9][0] == pytest.approx(0.05, rel=0.1)
    plt.close(figure)
