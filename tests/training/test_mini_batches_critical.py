"""Figure mini-batches-critical-steps: more rows in a batch stop to save steps."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from x0.training import mini_batches_critical as critical


def test_the_law_fits_and_a_power_law_does_not():
    steps, _ = critical.best_steps()
    floor, size = critical.fit_critical(steps)
    batches = np.array(critical.BATCHES)
    gaps = np.log(steps) - np.log(floor * (1 + size / batches))
    assert np.abs(gaps).max() < 0.2
    slope, offset = np.polyfit(np.log(batches), np.log(steps), 1)
    straight = np.log(steps) - slope * np.log(batches) - offset
    assert gaps.std() < 0.6 * straight.std()
    assert 10 < size < 40


def test_small_batches_scale_and_large_ones_do_not():
    steps, rates = critical.best_steps()
    assert steps[0] / steps[3] > 3  # 8 times as many rows
    assert steps[-3] / steps[-1] < 1.3  # 4 times as many
    assert rates[3] / rates[0] > 3
    assert rates[-1] / rates[-3] < 2


def test_the_fit_finds_what_was_put_in():
    steps = 50 * (1 + 20 / np.array(critical.BATCHES))
    floor, size = critical.fit_critical(steps)
    assert size == pytest.approx(20, rel=0.02)
    assert floor == pytest.approx(50, rel=0.02)


def test_rejects_no_rate():
    with pytest.raises(ValueError, match=r"Received: rates=\(\)"):
        critical.steps_to_target(4, ())


def test_figure_and_values():
    figure = critical.plot_steps()
    assert [len(ax.lines) for ax in figure.axes] == [3, 3]
    values = critical.demo()
    assert values["steps_2"] > 5 * values["steps_64"]
    plt.close(figure)
