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


@pytest.mark.proves(
    "learning-rate-remembers", kind="search", range="η λ < 1, sums to 10⁵ steps", n="60"
)
def test_a_finite_sum_of_rates_keeps_a_part_of_the_start():
    """If the sum of the rates is finite and all factors are positive, their product is not zero."""
    t = np.arange(1.0, 1e5)
    for power in (1.1, 1.5, 2.0, 3.0):
        for size in np.geomspace(0.01, 0.99, 15):
            rates = size * t**-power
            kept = np.exp(np.log1p(-rates).sum())
            # ln(1 - x) >= x ln(1 - size) / size on [0, size]: a bound that does not go to zero
            whole = 1 + 1 / (power - 1)  # of the sum of t^-power
            assert kept >= (1 - size) ** whole
    # With a factor of zero the start is gone although the sum is finite.
    assert np.prod(1 - t**-2.0) == 0
    # With an infinite sum it is forgotten.
    assert np.exp(np.log1p(-0.9 / t).sum()) < 1e-4


def test_the_mean_of_the_iterates_is_that_of_one_over_t_and_the_start():
    steps, start = noise.STEPS, noise.START
    for rate in (0.05, 0.1, 0.5):
        measured, error = noise.averaged_error(rate)
        predicted = (start / (rate * steps)) ** 2 + 1 / steps
        assert abs(measured - predicted) < 4 * error + 1 / (rate * steps**2)
        assert error < 0.05 * predicted
    last = noise.noise_floor(0.1, 1, 1)
    assert noise.averaged_error(0.1)[0] < 0.01 * last
    half, error = noise.averaged_error(0.1, skip=steps // 2)
    assert abs(half - 2 / steps) < 4 * error + 1 / (0.1 * (steps / 2) ** 2)


def test_errors():
    for rate, curvature in ((0.0, 1.0), (2.0, 1.0), (1.0, -1.0)):
        with pytest.raises(ValueError, match=f"Received: rate={rate}"):
            noise.noise_floor(rate, curvature, 1.0)


@pytest.mark.proves("learning-rate-noise-caption", kind="caption")
def test_figure_and_values(values):
    """Fixed rates stop, 1/t falls on, 0.2/t keeps the start, the cosine ends below both floors."""
    assert noise.noise_floor(0.1, 1, 1) * (noise.STEPS - 1) == pytest.approx(158, abs=1)
    assert values("learning_rate_noise")["kept"] == pytest.approx(0.173, abs=0.001)
    figure = noise.plot_floor()
    lines = figure.axes[0].lines
    assert len(lines) == 10
    curves = {name: lines[2 * i].get_ydata() for i, name in enumerate(noise.RATES)}
    steps = lines[0].get_xdata()
    predicted = {name: lines[2 * i + 1].get_ydata() for i, name in enumerate(noise.RATES)}
    for name in ("0.1", "0.01"):
        assert predicted[name][-1] == pytest.approx(noise.noise_floor(float(name), 1, 1), rel=1e-3)
    late = steps > 100
    assert (np.diff(predicted["1/t"]) < 0).all()
    assert curves["1/t"][late][-1] < 0.1 * curves["1/t"][late][0]
    share = noise.START**2 * values("learning_rate_noise")["kept"] ** 2
    assert curves["0.2/t"][-1] == pytest.approx(share, rel=0.2)  # most of it is the start
    ratio = predicted["cosine"] / predicted["0.1"]
    assert abs(ratio[:20] - 1).max() < 0.05
    assert predicted["cosine"][-1] < noise.noise_floor(0.01, 1, 1) < noise.noise_floor(0.1, 1, 1)
    plt.close(figure)


def test_one_chain_step_by_step(monkeypatch):
    """Before any step the error is the start; the mean of the iterates leaves out what it skips."""
    monkeypatch.setattr(noise, "STEPS", 1)
    assert noise.averaged_error(0.5) == (noise.START**2, 0)
    monkeypatch.setattr(noise, "STEPS", 3)
    draws = np.random.default_rng(noise.SEED)
    e = [np.full(noise.CHAINS, noise.START)]
    for _ in range(2):
        e.append(0.5 * e[-1] - 0.5 * draws.standard_normal(noise.CHAINS))
    for skip in range(3):
        squares = np.mean(e[skip:], axis=0) ** 2
        error = squares.std(ddof=1) / math.sqrt(noise.CHAINS)
        assert noise.averaged_error(0.5, skip) == pytest.approx((squares.mean(), error))
