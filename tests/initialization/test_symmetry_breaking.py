import math

import matplotlib.pyplot as plt
import numpy as np
import pytest

from x0.initialization import symmetry_breaking
from x0.initialization.symmetry_breaking import EVERY, NOISE, unit_spread


def test_without_noise_only_rounding_parts_the_units():
    spread, _ = unit_spread()
    assert spread[0, : 100 // EVERY].max() < 1e-14


def test_differences_grow_exponentially_at_one_rate():
    spread, _ = unit_spread()
    slopes = [np.polyfit(np.arange(4, 8), np.log(spread[i, 4:8]), 1)[0] for i in (1, 2)]
    assert slopes[0] == pytest.approx(slopes[1], rel=0.05)
    assert slopes[0] > 0.5
    # from layer to layer of the figure the ratio of noise is kept
    assert spread[2, 8] / spread[1, 8] == pytest.approx(1e4, rel=0.1)


@pytest.mark.claim("A-70")
def test_the_amount_of_noise_sets_when_not_how_well():
    values = symmetry_breaking.demo()
    losses = [values[f"loss_1e{k}"] for k in ("12", "08", "04")]
    assert max(losses) < 0.1
    steps = [values[f"steps_1e{k}"] for k in ("04", "08", "12")]
    assert steps[0] < steps[1] < steps[2] < 600
    assert abs(steps[2] - steps[1] - values["wait"]) < 0.4 * values["wait"]
    assert values["wait"] == pytest.approx(math.log(1e4) / values["rate"])


def test_figure_lines_start_at_their_noise_and_meet():
    figure = symmetry_breaking.plot_spread()
    lines = figure.axes[0].lines
    assert len(lines) == len(NOISE)
    for line, noise in zip(lines[1:], NOISE[1:], strict=True):
        y = line.get_ydata()
        assert y[0] == pytest.approx(noise, rel=0.2)
        assert y[-1] > 0.05
    plt.close(figure)
