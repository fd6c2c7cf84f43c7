"""Figure reproducibility-twins-twins: at a low rate twins stay together, at a high one they part."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.training import reproducibility_twins as twins


@pytest.fixture(scope="module")
def runs():
    return {
        (d, r): twins.twin_runs(d, r) for d in (torch.float32, torch.float64) for r in (0.03, 0.3)
    }


def test_the_start_is_the_same_and_the_first_difference_a_rounding(runs):
    for (dtype, _), (distances, _) in runs.items():
        assert distances[0] == 0
        assert 0 < distances[1] < 10 * torch.finfo(dtype).eps


def test_at_a_low_rate_they_stay_together(runs):
    for dtype in (torch.float32, torch.float64):
        distances, (changed, first, second) = runs[dtype, 0.03]
        assert distances.max() < 1e4 * torch.finfo(dtype).eps
        assert changed < 0.01
        assert first == pytest.approx(second, abs=0.01)


def test_at_a_high_rate_they_part_in_either_precision(runs):
    single, double = (runs[d, 0.3][0] for d in (torch.float32, torch.float64))
    assert single[-1] > 0.01
    assert double[-1] > 0.001
    # Twice the digits buy a few times the steps, no more.
    assert 1 < np.argmax(double > 1e-4) / np.argmax(single > 1e-4) < 10


def test_demo_and_figure(runs):
    values = twins.demo()
    assert values["last_32_high"] > 1e3 * values["last_32_low"]
    figure = twins.plot_twins()
    assert len(figure.axes[0].lines) == 4
    plt.close(figure)
