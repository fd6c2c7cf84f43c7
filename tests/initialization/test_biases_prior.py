"""Figure biases-prior-loss: the first loss of a rare class."""

import math

import matplotlib.pyplot as plt
import pytest

from x0.initialization import biases_prior


@pytest.mark.proves(
    "biases-delay",
    kind="ratio",
    range="rate 0.05, momentum 0.9",
    seeds=20,
    tolerance="4 SE",
    effect="{val:biases_prior.delay:.1f}",
)
def test_the_first_loss(values):
    """The prior bias reaches half of the entropy of the labels later than the zero bias."""
    found = values("biases_prior")
    rate, mean, steps = found["rate"], found["mean"], found["steps"]
    assert rate == pytest.approx(0.02)
    assert found["entropy"] == pytest.approx(
        -rate * math.log(rate) - (1 - rate) * math.log(1 - rate)
    )
    # The small last layer adds a little to both.
    assert mean["zero"][0] == pytest.approx(math.log(2), rel=0.1)
    assert mean["prior"][0] == pytest.approx(found["entropy"], rel=0.2)
    # What the prior saves at the start it does not save later: the rare class is not easier.
    assert steps["prior"][0] > steps["zero"][0] > 10
    delay, error = found["delay"]
    assert delay > 4 * error > 0


def test_both_learn():
    for prior in (False, True):
        assert float(biases_prior.losses(prior)[-1].max()) < 0.05


def test_figure():
    figure = biases_prior.plot_loss()
    zero, prior = figure.axes[0].lines[:2]
    assert zero.get_ydata()[0] > 4 * prior.get_ydata()[0]
    assert zero.get_ydata()[60] < prior.get_ydata()[60]  # the zero bias overtakes it
    plt.close(figure)
