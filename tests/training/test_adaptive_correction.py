"""Figure adaptive-correction-ratio: what the bias correction of Adam does."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch import nn

from x0.training import adaptive_correction as correction


def test_directions_as_torch():
    g = np.random.default_rng(1).standard_normal((50, 4))
    weight = nn.Parameter(torch.zeros(4, dtype=torch.float64))
    optimizer = torch.optim.Adam([weight], lr=1.0, eps=0.0)
    for row, direction in zip(g, correction.adam_directions(g), strict=True):
        before = weight.detach().clone()
        weight.grad = torch.from_numpy(row.copy())
        optimizer.step()
        assert np.allclose((before - weight.detach()).numpy(), direction)


def test_the_first_step_is_the_sign():
    g = np.array([[3.0, -1e-6, 200.0]])
    assert correction.adam_directions(g) == pytest.approx(np.sign(g))
    assert correction.adam_directions(g, corrected=False) == pytest.approx(np.sqrt(10) * np.sign(g))


def test_the_ratio_does_not_depend_on_the_gradients():
    rng = np.random.default_rng(2)
    g = rng.standard_normal((300, 5)) * rng.uniform(0.1, 9, 5)
    ratio = correction.adam_directions(g, corrected=False) / correction.adam_directions(g)
    theory = correction.excess_ratio(np.arange(1, 301))[:, None]
    assert ratio == pytest.approx(np.broadcast_to(theory, ratio.shape))


def test_the_size_for_pure_noise(values):
    shown = values("adaptive_correction")
    sizes = shown["sizes"]
    assert sizes["noise", "not corrected"][2] == pytest.approx(shown["floor"], rel=0.05)
    assert sizes["signal", "corrected"][1] == pytest.approx(1)
    assert shown["worst_step"] == 12
    assert shown["worst"] > 6.5


def test_rejects_a_beta_of_one():
    with pytest.raises(ValueError, match="Received: betas="):
        correction.adam_directions(np.ones((1, 1)), (0.9, 1.0))


@pytest.mark.proves("adaptive-too-long", kind="caption", range="t = 1…100", n="200")
def test_figure():
    """Without the correction each of the first 100 steps is between 3 and 7 times as long."""
    figure = correction.plot_ratio()
    measured, predicted = figure.axes[0].lines[:2]
    assert np.allclose(measured.get_ydata(), predicted.get_ydata(), rtol=1e-6)
    assert max(measured.get_ydata()) > 6
    early = measured.get_ydata()[measured.get_xdata() <= 100]
    assert 3 < min(early) < max(early) < 7
    ratio = correction.excess_ratio(np.arange(1, 101))
    assert 3 < ratio.min() < ratio.max() < 7
    plt.close(figure)
