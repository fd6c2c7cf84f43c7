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


@pytest.mark.proves("reproducibility-twins", kind="caption", n="700")
def test_figure_and_values(values):
    """At 0.03 twins stay within ten roundings; at 0.3 they part by a hundredth, float64 later than float32."""
    last = values("reproducibility_twins")["last"]
    assert last[32, 0.3] > 1e3 * last[32, 0.03]
    figure = twins.plot_twins()
    assert len(figure.axes[0].lines) == 4
    curves = {line.get_label(): line.get_ydata() for line in figure.axes[0].lines}
    for bits, dtype in ((32, torch.float32), (64, torch.float64)):
        unit = torch.finfo(dtype).eps / 2
        assert curves[f"float{bits}, η = 0.03"].max() < 10 * unit
        assert curves[f"float{bits}, η = 0.3"][-1] > 0.01
    single, double = (curves[f"float{bits}, η = 0.3"] for bits in (32, 64))
    assert (single > 0.01).argmax() < (double > 0.01).argmax()
    plt.close(figure)
