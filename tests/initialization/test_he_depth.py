"""Figure he-depth-forward: four straight lines with slope ln(n Var(w) / 2)."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest

from x0.initialization import he_depth


@pytest.fixture(scope="module")
def moments():
    rng = np.random.default_rng(7)
    return he_depth.second_moments(list(he_depth.STD.values()), 256, 30, 4000, rng)


@pytest.mark.claim("A-28")
def test_q_follows_the_law_for_each_deviation(moments):
    for q, std in zip(moments, he_depth.STD.values(), strict=True):
        factor = 256 * std**2 / 2
        ratio = q[30] / factor**30
        error = ratio.std() / math.sqrt(len(ratio))
        assert abs(ratio.mean() - 1) < 4 * error
        assert error < 0.05
        # Without the factor 1/2 of ReLU, the mean would be 2**30 times larger.
        assert abs(ratio.mean() - 2**30) > 4 * error
    xavier = moments[1, 29]
    assert abs(xavier.mean() * 2**29 - 1) < 0.2


@pytest.mark.claim("A-06")
def test_he_keeps_the_mean_but_not_every_network(moments):
    q = moments[2, 29]
    error = q.std() / math.sqrt(len(q))
    assert abs(q.mean() - 1) < 4 * error < 0.2
    log = np.log(q)
    spread = ((log - log.mean()) ** 2).std() / math.sqrt(len(q))
    assert abs(log.var() - 5 * 29 / 256) < 0.05
    assert spread < 0.05 * 5 * 29 / 256
    assert log.var() > 0.3  # certainly not one value for every network


def test_slopes_are_the_captions():
    factors = [256 * s**2 / 2 for s in he_depth.STD.values()]
    assert factors == pytest.approx([0.0128, 0.5, 1, 2.25])


@pytest.mark.proves("he-forward", kind="caption", n=2000, effect="10^17")
def test_figure_shows_measured_points_on_predicted_lines():
    """Only He is flat; 1.5 times its standard deviation grows by 17 orders in 50 layers."""
    fig = he_depth.plot_forward()
    lines = fig.axes[0].lines
    assert len(lines) == 8
    for predicted, measured in zip(lines[::2], lines[1::2], strict=True):
        assert predicted.get_linestyle() == "--"
        deviation = np.log(measured.get_ydata() / predicted.get_ydata())
        assert np.abs(deviation).max() < 0.3
    span = {}
    for measured, name in zip(lines[1::2], fig.axes[0].texts, strict=True):
        y = np.log10(measured.get_ydata())
        span[name.get_text()] = y[-1] - y[0]
    assert [name for name, x in span.items() if abs(x) < 0.5] == ["He"]
    assert span["1.5 × He"] == pytest.approx(17.4, abs=0.4)
    plt.close(fig)


def test_demo(values, printed):
    mean, error = values("he_depth")["measured"]["Xavier"][30]
    assert abs(mean - 2.0**-30) < 4 * error
    assert len(printed("he_depth").splitlines()) == 5


def test_error():
    with pytest.raises(ValueError, match=r"Received: std=\[0.1, 0\]"):
        he_depth.second_moments([0.1, 0], 4, 1, 1, np.random.default_rng(0))
