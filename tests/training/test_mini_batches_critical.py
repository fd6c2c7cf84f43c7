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


def test_the_error_of_the_critical_batch_size():
    _, size = critical.fit_critical(critical.best_steps()[0])
    assert 0.3 < critical.critical_error() < 0.2 * size


def test_the_fit_finds_what_was_put_in():
    steps = 50 * (1 + 20 / np.array(critical.BATCHES))
    floor, size = critical.fit_critical(steps)
    assert size == pytest.approx(20, rel=0.02)
    assert floor == pytest.approx(50, rel=0.02)


def test_rejects_no_rate():
    with pytest.raises(ValueError, match=r"Received: rates=\(\)"):
        critical.steps_to_target(4, ())


@pytest.mark.proves("mini-batches-critical", kind="best", range="5 rates × √2, B = 2…256", seeds=20)
def test_figure_and_values(values):
    """From 2 to 8 rows a third of the steps, from 64 to 256 less than a quarter fewer."""
    figure = critical.plot_steps()
    assert [len(ax.lines) for ax in figure.axes] == [3, 3]
    shown = dict(zip(*(line.tolist() for line in figure.axes[0].lines[0].get_data()), strict=True))
    assert shown[8] / shown[2] == pytest.approx(1 / 3, abs=0.05)
    assert 0.75 < shown[256] / shown[64] < 1
    for batch, rate in zip(critical.BATCHES, critical.best_steps()[1], strict=True):
        assert rate in critical.tried_rates(batch)[1:-1]
    steps = dict(zip(critical.BATCHES, values("mini_batches_critical")["steps"], strict=True))
    assert steps[2] > 5 * steps[64]
    plt.close(figure)


def test_the_fewest_steps_are_those_of_the_best_mean(monkeypatch):
    """Of two rates the one with the smaller mean over the seeds counts, with that mean."""
    count = len(critical.BATCHES)
    rows = tuple(np.array([[9.0, 1, 8], [4, 3, 5 + i], [7, 7, 7]]) for i in range(count))
    monkeypatch.setattr(critical, "all_steps", lambda: rows)
    critical.best_steps.cache_clear()
    steps, rates = critical.best_steps()
    critical.best_steps.cache_clear()
    means = [min(6.0, (12 + i) / 3) for i in range(count)]
    assert steps.tolist() == pytest.approx(means)
    for i, (batch, rate) in enumerate(zip(critical.BATCHES, rates, strict=True)):
        assert rate == critical.tried_rates(batch)[1 if (12 + i) / 3 < 6 else 0]
