"""Figure learning-rate-noise-floor: a fixed rate stops at a floor, decay goes below it."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest

from x0.training import learning_rate_noise as noise


@pytest.fixture(scope="module")
def study():
    return noise.noise_study()


@pytest.mark.parametrize("name", noise.RATES)
def test_measured_error_is_the_predicted_one(name, study):
    predicted = noise.predicted_error(noise.RATES[name], noise.STEPS)
    for t in (10, 300, noise.STEPS):
        error = predicted[t - 1] * math.sqrt(2 / noise.CHAINS)  # of a squared Gaussian
        assert error < 0.05 * predicted[t - 1]
        assert abs(study[name][t - 1] - predicted[t - 1]) < 4 * error
    # The prediction without noise is rejected.
    forgotten = noise.START**2 * math.prod(
        (1 - noise.RATES[name](t)) ** 2 for t in range(1, noise.STEPS)
    )
    if name != "0.2/t":  # which still remembers the start
        assert abs(study[name][-1] - forgotten) > 8 * predicted[-1] * math.sqrt(2 / noise.CHAINS)


def test_fixed_rates_stop_at_their_floor(study):
    for rate in (0.1, 0.01):
        tail = study[str(rate)][1500:].mean()
        floor = noise.noise_floor(rate, 1, 1)
        assert tail == pytest.approx(floor, rel=0.03)
        assert tail != pytest.approx(rate, rel=0.3)  # the naive law: without the half


def test_floor_of_other_curvatures_and_noises():
    rate, curvature, variance = 0.2, 3.0, 0.5
    second_moment = 0.0
    for _ in range(200):
        second_moment = (1 - rate * curvature) ** 2 * second_moment + rate**2 * variance
    assert noise.noise_floor(rate, curvature, variance) == pytest.approx(second_moment)


def test_decay_goes_below_the_floor_and_slow_decay_forgets_slowly(study):
    assert study["1/t"][-1] < 0.01 * noise.noise_floor(0.1, 1, 1)
    assert study["cosine"][-1] < 0.1 * study["0.1"][-1]
    assert study["0.2/t"][-1] > 100 * study["1/t"][-1]


def test_one_over_t_is_the_mean_of_the_noise():
    predicted = noise.predicted_error(noise.RATES["1/t"], 500)
    t = np.arange(2, 501)
    assert np.allclose(predicted[1:], 1 / (t - 1))


def test_errors():
    for rate, curvature in ((0.0, 1.0), (2.0, 1.0), (1.0, -1.0)):
        with pytest.raises(ValueError, match=f"Received: rate={rate}"):
            noise.noise_floor(rate, curvature, 1.0)


def test_demo_and_figure():
    values = noise.demo()
    assert values["ratio"] == pytest.approx(158, abs=1)
    assert values["kept"] == pytest.approx(0.173, abs=0.001)
    figure = noise.plot_floor()
    assert len(figure.axes[0].lines) == 10
    plt.close(figure)
