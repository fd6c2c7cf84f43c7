"""Figure tasks-initial-loss: the first cross-entropy of untrained networks."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest

from x0.foundations import tasks_initial as initial


@pytest.mark.parametrize("q", [0.0, 0.5, 2.0])
def test_the_integral_is_the_mean_for_two_classes(q):
    # Two logits differ by N(0, 2q), and the loss is the mean of ln(1 + e^d).
    x, w = np.polynomial.hermite_e.hermegauss(100)
    direct = w @ np.log1p(np.exp(math.sqrt(2 * q) * x)) / math.sqrt(2 * math.pi)
    assert initial.expected_cross_entropy(q, 2) == pytest.approx(direct, abs=1e-9)


@pytest.mark.claim("A-19")
def test_networks_start_where_the_law_says():
    assert initial.expected_cross_entropy(0.0, 10) == pytest.approx(math.log(10), abs=1e-9)
    for classes in (10, 1000):
        losses = initial.measured_cross_entropy(classes)
        for k, q in enumerate(initial.VARIANCES):
            exact = initial.expected_cross_entropy(q, classes)
            error = losses[:, k].std(ddof=1) / math.sqrt(len(losses))
            assert abs(losses[:, k].mean() - exact) < 4 * error + 1e-5
            assert error < 0.05 * exact
    # The wrong law for few classes: ln C + q / 2.
    ten = initial.measured_cross_entropy(10)[:, -1]
    assert abs(ten.mean() - math.log(10) - 2) > 4 * ten.std() / math.sqrt(len(ten))


def test_the_law_is_for_many_classes_and_an_upper_bound():
    for q in (0.5, 2.0, 4.0):
        gaps = [
            math.log(C) + q / 2 - initial.expected_cross_entropy(q, C) for C in (10, 100, 10000)
        ]
        assert gaps[0] > gaps[1] > gaps[2] > 0
        assert gaps[2] < 0.01
    with pytest.raises(ValueError, match="Received: q=-1"):
        initial.expected_cross_entropy(-1, 3)


def test_pairs_of_opposite_sign_cancel_what_is_linear_in_the_logits():
    """So that the scatter over networks falls like q, not like its square root."""
    assert initial.VARIANCES[1:3] == (0.5, 1.0)
    scatter = initial.measured_cross_entropy(10).std(0)
    assert scatter[2] / scatter[1] == pytest.approx(2, rel=0.15)


@pytest.mark.proves("tasks-initial-caption", kind="caption", range="q = 0…4", n="200")
def test_figure():
    """1000 classes stay close to q/2, 10 classes fall below it."""
    figure = initial.plot_loss()
    law, *_ = figure.axes[0].lines
    ten = figure.axes[0].lines[2].get_ydata()
    assert ten[-1] < law.get_ydata()[-1] - 0.3
    thousand = figure.axes[0].lines[4]
    assert np.abs(thousand.get_ydata() - np.array(thousand.get_xdata()) / 2).max() < 0.06
    plt.close(figure)
