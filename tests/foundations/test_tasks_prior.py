"""Figure tasks-prior-start: the first loss and the pull of a rare class."""

import math

import matplotlib.pyplot as plt
import pytest

from x0.foundations import tasks_prior as prior


@pytest.mark.claim("A-19")
@pytest.mark.parametrize("rate", [0.3, 0.01])
def test_the_prior_starts_at_the_entropy_and_balances_the_pull(rate):
    entropy = -rate * math.log(rate) - (1 - rate) * math.log(1 - rate)
    loss, pull = prior.first_pull(rate, prior=True, q=0.0)
    assert loss == pytest.approx(entropy, rel=1e-9)
    assert pull == pytest.approx(0.5, rel=1e-9)
    loss, pull = prior.first_pull(rate, prior=False, q=0.0)
    assert loss == pytest.approx(math.log(2), rel=1e-9)
    assert pull == pytest.approx(rate, rel=1e-9)


def test_small_logits_change_little():
    for rate in prior.RATES:
        small, none = prior.first_pull(rate, True), prior.first_pull(rate, True, q=0.0)
        assert small[0] == pytest.approx(none[0], rel=0.1)
        assert small[1] == pytest.approx(none[1], rel=0.1)


def test_values_and_errors(values):
    names = values("tasks_prior")
    assert names["bias"] == pytest.approx(-4.595, abs=1e-3)
    entropy = -0.01 * math.log(0.01) - 0.99 * math.log(0.99)
    assert entropy == pytest.approx(names["prior"][0.01][0], rel=0.01)
    with pytest.raises(ValueError, match="Received: rate=1"):
        prior.first_pull(1, True)


@pytest.mark.proves("tasks-prior-caption", kind="caption", range="r = 0.002…0.5", n="10⁵")
def test_figure():
    """Zero bias: ln 2 and a pull of r; prior bias: the entropy of the labels and one half each."""
    figure = prior.plot_start()
    pull = figure.axes[1].lines
    assert max(pull[0].get_ydata()[1:]) < 0.21 < min(pull[2].get_ydata())
    loss = figure.axes[0].lines
    for i, rate in enumerate(prior.RATES):
        entropy = -rate * math.log(rate) - (1 - rate) * math.log(1 - rate)
        assert loss[0].get_ydata()[i] == pytest.approx(math.log(2), rel=0.01)
        assert loss[2].get_ydata()[i] == pytest.approx(entropy, rel=0.03)
        assert pull[0].get_ydata()[i] == pytest.approx(rate, rel=0.03)
        assert pull[2].get_ydata()[i] == pytest.approx(0.5, abs=0.02)
    plt.close(figure)
