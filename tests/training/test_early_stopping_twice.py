"""Figure early-stopping-twice-curve: fast and slow features make the error fall twice."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest

from x0.training import early_stopping_twice as twice
from x0.training.early_stopping_ridge import stopped_filter


def test_parts_are_bias_and_variance_of_the_stopped_share():
    eigenvalues, truth = twice.two_groups(30)
    bias, variance = twice.predicted_parts(30, 0.7)
    for t in (0, 1, 40, 900):
        share = stopped_filter(eigenvalues, twice.RATE, t)
        assert np.allclose(bias[t], eigenvalues * ((1 - share) * truth) ** 2)
        assert np.allclose(variance[t], share**2 * 0.7 / twice.SAMPLES)
    # What the groups explain does not depend on the gap.
    assert bias[0, : twice.FAST].sum() == pytest.approx(twice.FAST_SIGNAL)
    assert bias[0, twice.FAST :].sum() == pytest.approx(twice.SLOW_SIGNAL)


@pytest.mark.parametrize(("gap", "noise"), [(100, 1.0), (1, 1.0), (100, 0.2)])
def test_measured_error_is_the_predicted_one(gap, noise):
    errors, predicted = twice.measured_errors(gap, noise), twice.expected_curve(gap, noise)
    at = [1, 7, 38, 300, 2397, 4000]
    error = errors[:, at].std(0, ddof=1) / math.sqrt(twice.DRAWS)
    assert (abs(errors[:, at].mean(0) - predicted[at]) < 4 * error).all()
    assert (4 * error < 0.1 * predicted[at]).all()


def test_stopping_step():
    curve = np.array([3.0, 2.0, 2.5, 2.2, 1.0, 1.5])
    assert [twice.stopping_step(curve, k) for k in (1, 2, 3, 9)] == [1, 1, 4, 4]
    with pytest.raises(ValueError, match=r"Received: 0\.5"):
        twice.two_groups(0.5)


def test_falls():
    assert twice.falls(np.array([1.0, 2.0, 3.0])) == 0
    assert twice.falls(np.array([3.0, 2.0, 2.0, 1.0, 4.0, 5.0, 3.0])) == 2


@pytest.mark.proves("early-stopping-twice", kind="caption", seeds=40)
def test_figure_falls_twice_and_each_part_once():
    """Down, up and down again; each part and the dotted curve go down once and up once."""
    figure = twice.plot_curve()
    measured, predicted, fast, slow, alike = (
        np.asarray(line.get_ydata()) for line in figure.axes[0].lines
    )
    # Far beyond the error of the paired differences.
    errors = twice.measured_errors()
    for high, low in ((0, 7), (38, 7), (38, 2397)):
        gaps = errors[:, high] - errors[:, low]
        assert gaps.mean() > 8 * gaps.std(ddof=1) / math.sqrt(twice.DRAWS)
    shown = np.asarray(figure.axes[0].lines[0].get_xdata()).astype(int)
    assert np.abs(measured - predicted[shown - 1]).max() < 0.04
    assert twice.falls(predicted) == 2
    for curve in (fast, slow, alike):
        assert twice.falls(curve) == 1
        assert 0 < curve.argmin() < len(curve) - 1
    assert np.allclose(predicted, 1 + fast + slow)
    assert alike.min() < predicted.min()
    plt.close(figure)


@pytest.mark.proves(
    "early-stopping-twice-cause",
    kind="cause",
    range="noise 0.01…100, gap 1…1000",
    effect="{val:early_stopping_twice.falls_of[100, 1]:.0f} : "
    "{val:early_stopping_twice.falls_of[1, 1]:.0f}, {val:early_stopping_twice.falls_of[100, 0]:.0f}",
)
def test_without_the_gap_or_the_noise_there_is_no_second_fall(values):
    """Equal variances: one fall at most, at each noise; no noise: no rise, at each gap."""
    found = values("early_stopping_twice")["falls_of"]
    assert found == {(100, 1): 2, (1, 1): 1, (100, 0): 1}
    for noise in np.geomspace(0.01, 100, 25):
        assert twice.falls(twice.expected_curve(1, noise)) <= 1
    for gap in np.geomspace(1, 1000, 25):
        curve = twice.expected_curve(gap, 0)
        assert (np.diff(curve) <= 0).all()
        assert twice.falls(curve) == 1
    # The same in the measured curves.
    alike, clean = twice.measured_errors(1, 1).mean(0), twice.measured_errors(100, 0).mean(0)
    assert alike[12] < alike[1] - 0.2
    assert (np.diff(alike[20:200]) > 0).all()
    assert abs(alike[200:] - alike[-1]).max() < 1e-6
    assert (np.diff(clean) < 0).all()


@pytest.mark.proves("early-stopping-twice-when", kind="search", range="gap 1…100, noise 0.1…4")
def test_when_there_is_a_second_fall(values):
    """Of gaps to 100 and of noises to 4, there is from one value on; from a larger noise on the first is lower."""
    shown = values("early_stopping_twice")
    for gap in range(1, 101):
        assert (twice.falls(twice.expected_curve(gap, 1)) > 1) == (gap >= shown["least_gap"])
    for noise in np.arange(1, 41) / 10:
        curve = twice.expected_curve(100, noise)
        assert (twice.falls(curve) > 1) == (noise >= shown["least_noise"])
        assert (curve[:50].min() < curve[50:].min()) == (noise >= shown["early_noise"])
    assert 5 < shown["least_gap"] < 50
    assert 0.1 < shown["least_noise"] < shown["early_noise"] < 4


@pytest.mark.proves(
    "early-stopping-twice-patience",
    kind="ratio",
    seeds=40,
    effect="{val:early_stopping_twice.restored[50]:.3f} : {val:early_stopping_twice.restored[500]:.2f}",
)
def test_a_short_patience_restores_the_first_minimum(values):
    """A patience of 50 restores the first minimum in each of the 40 runs, 500 in none."""
    errors = twice.measured_errors()
    early = [twice.stopping_step(draw, 50) for draw in errors]
    late = [twice.stopping_step(draw, 500) for draw in errors]
    assert max(early) < 20
    assert min(late) > 1000
    shown = values("early_stopping_twice")
    (first, error), (second, other) = shown["restored"][50], shown["restored"][500]
    assert first - second > 20 * math.hypot(error, other)
    assert abs(first - shown["predicted"]["first minimum"]) < 0.02
    assert abs(second - shown["predicted"]["second minimum"]) < 0.05


@pytest.mark.proves(
    "early-stopping-twice-together",
    kind="fact",
    effect="{val:early_stopping_twice.together:.2f} : "
    '{val:early_stopping_twice.predicted["second minimum"]:.2f}',
)
def test_with_a_rate_of_its_own_the_slow_group_is_learned_together_with_the_fast_one(values):
    """A rate 100 times as large for the slow features gives one minimum, below both others."""
    eigenvalues, truth = twice.two_groups(100)
    rates = twice.RATE / eigenvalues
    left = (1 - rates * eigenvalues) ** np.arange(200)[:, None]
    curve = 1 + (eigenvalues * (left * truth) ** 2 + (1 - left) ** 2 / twice.SAMPLES).sum(1)
    assert np.allclose(curve, twice.expected_curve(1, 1)[:200])
    shown = values("early_stopping_twice")
    assert shown["together"] == pytest.approx(curve.min())
    assert shown["together"] < shown["predicted"]["second minimum"] - 0.1


@pytest.mark.proves(
    "early-stopping-twice-normal", kind="ratio", seeds=40, power="each turn ≥ 5 SE, paired"
)
def test_normal_inputs_too():
    """With normal inputs the error falls twice as well, and its maximum is higher."""
    curves = []
    for seed in range(4):  # sets of inputs, 40 draws of the noise each
        errors = twice.measured_errors(100, 1, True, seed)
        mean = errors.mean(0)
        first = mean[:60].argmin()
        top = first + mean[first:600].argmax()
        last = top + mean[top:].argmin()
        for high, low in ((0, first), (top, first), (top, last)):
            gaps = errors[:, high] - errors[:, low]
            assert gaps.mean() > 5 * gaps.std(ddof=1) / math.sqrt(len(gaps))
        curves.append(mean[top])
    assert min(curves) > 1.2 * twice.expected_curve(100, 1)[1:].max()
