"""Figure datasets-time-walk: a random split asks for interpolation."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest

from x0.training import datasets_time as time


def test_errors_are_the_derived_ones():
    for temporal, theory, wrong in ((False, 1 / 0.96, 1.25), (True, 50.5, 100)):
        found = time.walk_error(temporal)
        error = found.std(ddof=1) / math.sqrt(len(found))
        assert abs(found.mean() - theory) < 4 * error + 0.01 * theory  # edges of the series
        assert abs(found.mean() - wrong) > 4 * error


@pytest.mark.proves("datasets-walk", kind="caption")
def test_figure_and_values(values):
    """Random test times lie between known ones; split by time the prediction is one value."""
    assert values("datasets_time")["ratio"] > 45
    figure = time.plot_walk()
    random, temporal = (ax.lines[1].get_ydata() for ax in figure.axes)
    assert len(np.unique(random)) > 20
    asked = figure.axes[0].lines[1].get_xdata()
    assert 0 < asked.min() < asked.max() < 499
    last = figure.axes[1].lines[1]
    walk = np.random.default_rng(time.SEED).standard_normal(500).cumsum()
    assert last.get_ydata()[0] == walk[399]
    assert last.get_xdata().min() == 400
    assert len(np.unique(temporal)) == 1  # one flat line
    plt.close(figure)
