"""Figure biases-prior-loss: the first loss of a rare class."""

import math

import matplotlib.pyplot as plt
import pytest

from x0.initialization import biases_prior


def test_the_first_loss():
    values = biases_prior.demo()
    rate = values["rate"]
    assert rate == pytest.approx(0.02)
    assert values["entropy"] == pytest.approx(
        -rate * math.log(rate) - (1 - rate) * math.log(1 - rate)
    )
    # The small last layer adds a little to both.
    assert values["first_zero"] == pytest.approx(math.log(2), rel=0.1)
    assert values["first_prior"] == pytest.approx(values["entropy"], rel=0.2)
    # What the prior saves at the start it does not save later: the rare class is not easier.
    assert values["steps_prior"] > values["steps_zero"] > 10


def test_both_learn():
    for prior in (False, True):
        assert float(biases_prior.losses(prior)[-1].max()) < 0.05


def test_figure():
    figure = biases_prior.plot_loss()
    zero, prior = figure.axes[0].lines[:2]
    assert zero.get_ydata()[0] > 4 * prior.get_ydata()[0]
    plt.close(figure)
