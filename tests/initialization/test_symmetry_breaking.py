import math

import matplotlib.pyplot as plt
import numpy as np
import pytest

from x0.initialization import symmetry_breaking
from x0.initialization.symmetry_breaking import NOISE, unit_spread


def test_the_last_digit_parts_the_units(values):
    spread, _ = unit_spread()
    assert 1e-18 < spread[0, 0] < 1e-17
    assert spread[0, :100].max() < 1e-14
    assert 391 < values("symmetry_breaking")["rounding"] < 600


def test_differences_grow_exponentially_at_one_rate():
    spread, _ = unit_spread()
    slopes = [np.log(spread[i, 140] / spread[i, 80]) for i in (1, 2)]
    assert slopes[0] == pytest.approx(slopes[1], rel=0.05)
    assert slopes[0] > 1.5
    # at one step the ratio of the noises is kept
    assert spread[2, 160] / spread[1, 160] == pytest.approx(1e4, rel=0.1)


@pytest.mark.claim("A-70")
def test_the_amount_of_noise_sets_when_not_how_well(values):
    _, loss = unit_spread()
    assert loss[1:, -1].max() < 0.1
    left = values("symmetry_breaking")
    steps = [left["steps"][noise] for noise in (1e-4, 1e-8, 1e-12)]
    assert steps[0] < steps[1] < steps[2] < 600


@pytest.mark.proves(
    "symmetry-waits",
    kind="cause",
    effect="growth per step {val:symmetry_breaking.rate[20]:.3f} → {val:symmetry_breaking.rate[280]:.3f}: {val:symmetry_breaking.waits[0]:.0f} → {val:symmetry_breaking.waits[1]:.0f} steps",
)
def test_the_rate_creeps_up_and_the_second_wait_is_shorter(values):
    """The rate grows from window to window, and equal factors of noise cost 151 and 119 steps."""
    left = values("symmetry_breaking")
    rates = [left["rate"][first] for first in (20, 120, 280)]
    assert rates[0] < rates[1] < rates[2]
    assert rates[2] > 2 * rates[0]
    first, second = left["waits"]
    assert 1.15 * second < first
    # Without the change of the rate (the first window's all the way) the waits would be equal
    # and more than twice as long.
    assert math.log(1e4) / rates[0] > 2 * first
    # The measured rates account for the second wait.
    spread = left["spread"][1]
    grown = math.log(spread[391] / spread[272])
    assert grown == pytest.approx(math.log(1e4), rel=0.05)


@pytest.mark.proves("symmetry-spread", kind="caption", n=4)
def test_figure_lines_start_at_their_noise_and_meet():
    """The differences grow about exponentially, and the smaller the noise, the later."""
    figure = symmetry_breaking.plot_spread()
    lines = figure.axes[0].lines
    assert len(lines) == len(NOISE)
    for line, noise in zip(lines, NOISE, strict=True):
        y = line.get_ydata()
        assert y[0] == pytest.approx(noise, rel=0.2)
        assert y[-1] > 0.05
        grown = np.log(y[2 : np.argmax(y > 1e-2)])
        line_fit = np.polyval(np.polyfit(np.arange(len(grown)), grown, 1), np.arange(len(grown)))
        assert np.corrcoef(grown, line_fit)[0, 1] > 0.98
    arrival = [int(np.argmax(line.get_ydata() > 1e-2)) for line in lines]
    assert arrival == sorted(arrival, reverse=True)
    plt.close(figure)
