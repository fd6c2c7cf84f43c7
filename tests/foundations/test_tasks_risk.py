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


def test_demo_and_figure():
    values = risk.demo()
    assert values["train_theory"] == 0.5
    assert values["test"][0] > 4 * values["train"][0]
    figure = risk.plot_curves()
    train, test = (figure.axes[0].lines[k].get_ydata() for k in (0, 2))
    assert train[-1] < train[0] < test[0] < test[-1]
    plt.close(figure)
