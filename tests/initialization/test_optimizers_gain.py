"""Figure optimizers-gain-scale: He's scale trains under every optimizer."""

import math

import matplotlib.pyplot as plt
import pytest

from x0.initialization import optimizers_gain as gain


@pytest.fixture(scope="module")
def best():
    return {o: gain.final_losses(o).mean(2).min(1).values for o in gain.RATES}


@pytest.mark.claim("A-36")
def test_he_trains_under_every_optimizer(best):
    at_he = gain.GAINS.index(1.0)
    for optimizer in gain.RATES:
        assert float(best[optimizer][at_he]) < 0.3, optimizer
    for optimizer in ("SGD", "momentum"):
        assert int(best[optimizer].argmin()) == at_he
        assert float(best[optimizer][0]) > 2.2  # an eighth of it does not train


@pytest.mark.claim("A-36")
def test_adam_forgives_more_but_asks_for_nothing_else(best):
    trained = {o: int((best[o] < 0.3).sum()) for o in gain.RATES}
    assert trained["Adam"] > trained["momentum"] >= trained["SGD"] >= 1
    assert float(best["Adam"][0]) > 0.5 > 5 * float(best["Adam"][gain.GAINS.index(1.0)])


def test_rejects_an_unknown_optimizer():
    with pytest.raises(ValueError, match="Received: optimizer='Lion'"):
        gain.final_losses("Lion")


def test_figure_and_values():
    figure = gain.plot_scale()
    assert len(figure.axes[0].lines) == 5
    values = gain.demo()
    assert values["best_sgd"] == values["best_momentum"] == 1
    assert values["small_sgd"] == pytest.approx(math.log(10), abs=0.1)
    plt.close(figure)
