"""Figure datasets-leakage-accuracy: selecting before the split makes noise predictable."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest

from x0.training import datasets_leakage as leakage


@pytest.fixture(scope="module")
def study():
    return leakage.leakage_study()


def test_leaked_accuracy_is_the_predicted_one(study):
    for i, features in enumerate(leakage.FEATURES):
        found = study[0, i]
        error = found.std(ddof=1) / math.sqrt(len(found))
        assert abs(found.mean() - leakage.predicted_accuracy(features)) < 4 * error
        assert error < 0.05 * found.mean()
    assert study[0, -1].mean() > 0.85


def test_honest_accuracy_is_chance(study):
    for found in study[1]:
        error = found.std(ddof=1) / math.sqrt(len(found))
        assert abs(found.mean() - 0.5) < 4 * error


def test_without_a_choice_there_is_no_leak(study):
    assert leakage.FEATURES[0] == leakage.KEPT
    assert np.array_equal(study[0, 0], study[1, 0])


def test_selection_takes_the_most_correlated():
    y = np.array([1.0, -1, 1, -1])
    x = np.stack([y, 0 * y, -y, [1, 1, 1, -1]], 1)
    assert set(leakage.select_features(x, y, 2)) == {0, 2}
    with pytest.raises(ValueError, match="Received: count=5, features=4"):
        leakage.select_features(x, y, 5)


@pytest.mark.proves("datasets-leakage-caption", kind="caption", n="60", range="M = 20…5000")
def test_figure_and_values(values):
    """Selected before the split, accuracy rises with the noise; selected after, it is one half."""
    shown = values("datasets_leakage")
    assert shown["leaked"][5000][0] > 0.85 > 0.6 > shown["honest"][5000][0]
    figure = leakage.plot_accuracy()
    assert figure.axes[0].lines[0].get_ydata()[-1] == pytest.approx(0.897, abs=0.002)
    before, after = (bars.lines[0].get_ydata() for bars in figure.axes[0].containers)
    assert (np.diff(before) > 0).all()
    assert np.abs(after - 0.5).max() < 0.06
    plt.close(figure)
