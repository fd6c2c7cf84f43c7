"""Figure frameworks-truncated-readings: the two standard deviations of 0.02."""

import math

import matplotlib.pyplot as plt
import pytest
import torch
from scipy import stats
from torch import nn

from x0.initialization import frameworks_truncated as truncated


@pytest.mark.parametrize("cut", [0.5, 1, 2, 3])
def test_the_std_that_a_cut_leaves(cut):
    assert truncated.kept_std(cut) == pytest.approx(stats.truncnorm(-cut, cut).std())


def test_the_three_readings():
    normal, tensorflow, default = truncated.readings().values()
    for w, std in ((normal, 0.02), (tensorflow, 0.02 * 0.8796), (default, 0.02)):
        square = w.square()
        error = float(square.std()) / math.sqrt(len(w))
        assert abs(float(square.mean()) - std**2) < 4 * error < 0.2 * std**2
    assert float(tensorflow.square().mean()) < 0.8 * 0.02**2
    assert float(tensorflow.abs().max()) <= 0.04


def test_bounds_are_absolute():
    """trunc_normal_ with its defaults cuts at 2, not at two standard deviations."""
    generator = torch.Generator().manual_seed(0)
    small = nn.init.trunc_normal_(torch.empty(100_000), std=0.02, generator=generator)
    assert float(small.abs().max()) > 3.5 * 0.02
    large = nn.init.trunc_normal_(torch.empty(100_000), std=10, generator=generator)
    assert float(large.abs().max()) <= 2
    assert float(large.std()) == pytest.approx(2 / math.sqrt(3), rel=0.02)  # nearly uniform


@pytest.mark.claim("A-55")
@pytest.mark.parametrize("fan_in", [3, 64, 500, 4096])
def test_rescaling_gives_the_variance_of_he_back(values, fan_in):
    """Cut at two sigma and rescaled, the variance is 2 / fan_in; without the rescaling it is 0.77 of it."""
    std = math.sqrt(2 / fan_in)
    for rescale, share in ((True, 1), (False, truncated.kept_std(2) ** 2)):
        generator = torch.Generator().manual_seed(fan_in)
        w = truncated.truncated_normal_(torch.empty(400_000), std, 2, rescale, generator)
        square = w.double().square() * fan_in / 2  # of mean 1 for the variance of He
        error = float(square.std()) / math.sqrt(len(w))
        assert abs(float(square.mean()) - share) < 4 * error < 0.01
    largest = 2 / truncated.kept_std(2)  # in units of the standard deviation after the cut
    shown = float(values("frameworks_truncated")["largest"]["cut at 2σ, rescaled"])
    assert 0.999 * largest < shown <= largest * (1 + 1e-6)


def test_rejects_a_cut_that_is_not_positive():
    with pytest.raises(ValueError, match="Received: cut=0"):
        truncated.kept_std(0)


def test_figure(values):
    figure = truncated.plot_readings()
    normal, tensorflow, default = figure.axes[0].lines[:3]
    outside = abs(normal.get_xdata()) > 0.042
    assert not tensorflow.get_ydata()[outside].any()
    assert normal.get_ydata()[outside].max() > 1
    gap = abs(normal.get_ydata() - default.get_ydata()).max()
    assert gap < 0.05 * normal.get_ydata().max()
    assert values("frameworks_truncated")["std"]["cut at 2σ"] == pytest.approx(0.0176, rel=0.01)
    plt.close(figure)
