"""Figure tasks-risk-curves: the loss that is minimized and the loss that is meant."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest

from x0.foundations import tasks_risk as risk


@pytest.mark.claim("A-18")
@pytest.mark.parametrize(("n", "m"), [(5, 40), (20, 40), (30, 40)])
def test_training_error_falls_below_the_noise_and_the_expected_error_does_not(n, m):
    rng = np.random.default_rng(1)
    train, test = risk.least_squares_risk(n, m, 4000, rng)
    laws = ((m - n) / m, 1 + n / (m - n - 1))
    for sample, law in zip((train, test), laws, strict=True):
        error = sample.std(ddof=1) / math.sqrt(len(sample))
        assert abs(sample.mean() - law) < 4 * error < 0.05 * law * 4
        assert abs(sample.mean() - 1) > 4 * error  # neither is the variance of the noise


def test_errors_say_what_was_received():
    with pytest.raises(ValueError, match="Received: n=39, m=40"):
        risk.least_squares_risk(39, 40, 1, np.random.default_rng(0))


@pytest.mark.proves("tasks-descent", kind="caption", range="n = 2…160, m = 40", n="300")
def test_values_and_figure(values):
    """Below m more weights fit better and err more; above m the error on new samples falls."""
    names = values("tasks_risk")
    assert names["theory"]["train"] == 0.5
    assert names["measured"]["test"][0] > 4 * names["measured"]["train"][0]
    figure = risk.plot_curves()
    sizes, test = figure.axes[0].lines[0].get_data()
    train = figure.axes[0].lines[1].get_ydata()
    few = np.array(sizes) < risk.SAMPLES
    assert (np.diff(train) < 0).all()
    assert (np.diff(test[few]) > 0).all()
    assert (np.diff(test[~few]) < 0).all()
    own, _ = risk.least_squares_risk(44, 40, 50, np.random.default_rng(2))
    assert own.max() < 1e-12
    # Gradient descent from zero ends at the shortest solution.
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(5, 12)), rng.normal(size=5)
    w = np.zeros(12)
    for _ in range(20_000):
        w -= 0.02 * x.T @ (x @ w - y)
    assert w == pytest.approx(np.linalg.pinv(x) @ y, abs=1e-9)
    plt.close(figure)
