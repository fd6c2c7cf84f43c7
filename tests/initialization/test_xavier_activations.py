import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.initialization import xavier_activations
from x0.initialization.xavier_activations import tanh_activations
from x0.initialization.xavier_decay import decay_map


def test_is_the_forward_pass_of_torch():
    ours = tanh_activations(0.3, 3, 6, 4, np.random.default_rng(0))
    rng = np.random.default_rng(0)
    h = torch.tensor(rng.standard_normal((4, 6)))
    for layer in range(3):
        weight = torch.tensor(0.3 * rng.standard_normal((6, 6)))
        h = torch.tanh(torch.nn.functional.linear(h, weight))
        assert np.allclose(ours[layer], h.numpy())


def test_a_negative_std_is_named():
    with pytest.raises(ValueError, match="Received: std=-1"):
        tanh_activations(-1.0, 1, 2, 2, np.random.default_rng(0))


@pytest.mark.proves("xavier-histograms", kind="caption", range="10 layers, width 512")
def test_figure_small_collapses_xavier_shrinks_slowly_large_saturates():
    """Small: crowded at 0; large: most beyond 0.99; Xavier: none saturated, slowly narrower."""
    small, xavier, large = xavier_activations.three_scales().values()
    rms = [np.sqrt(np.mean(x**2, axis=(1, 2))) for x in (small, xavier, large)]
    factor = (rms[0][9] / rms[0][1]) ** (1 / 8)
    assert factor == pytest.approx(0.01 * 512**0.5, rel=0.03)
    theory = np.sqrt(decay_map(11)[0][1:])  # h of a layer has the moment of the next z
    assert np.allclose(rms[1], theory, rtol=0.1)
    assert rms[1][9] > 0.2
    assert np.mean(np.abs(large[9]) > 0.99) > 0.85
    assert np.mean(np.abs(xavier[9]) > 0.99) == 0
    figure = xavier_activations.plot_histograms()
    assert len(figure.axes) == 3
    for axis in figure.axes:
        assert len(axis.patches) == 4
    plt.close(figure)


def test_last_layers(values):
    left = values("xavier_activations")
    assert left["rms"]["σ = 0.01"] < 1e-6
    assert left["rms"]["σ = 1/√n"] == pytest.approx(0.225, abs=0.02)
    assert left["saturated"]["σ = 1"] == pytest.approx(0.90, abs=0.02)
