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


def test_demo_and_errors():
    values = prior.demo()
    assert values["bias_01"] == pytest.approx(-4.595, abs=1e-3)
    assert values["entropy_01"] == pytest.approx(values["loss_prior_01"], rel=0.01)
    with pytest.raises(ValueError, match="Received: rate=1"):
        prior.first_pull(1, True)


def test_figure():
    figure = prior.plot_start()
    pull = figure.axes[1].lines
    assert max(pull[0].get_ydata()[1:]) < 0.21 < min(pull[2].get_ydata())
    plt.close(figure)
