"""Figure normalization-explosion-gradients: a constant factor per layer."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest

from x0.initialization import normalization_explosion as module


def test_factors():
    assert module.factor("BN, ReLU") == pytest.approx(math.pi / (math.pi - 1), rel=1e-9)
    assert module.factor("LN, ReLU") == pytest.approx(1, rel=1e-9)
    # g² E[tanh'²] with the gain that normalizes tanh (mean 0)
    assert module.factor("BN, tanh") == pytest.approx(1.17781, rel=1e-5)
    with pytest.raises(ValueError, match="Received: case='BN, GELU'"):
        module.factor("BN, GELU")


@pytest.mark.claim("A-40")
@pytest.mark.proves("normalization-scale", kind="fact", range="std 0.01, 1, 10", tolerance="2 %")
def test_batch_norm_relu_explodes_by_pi_over_pi_minus_one():
    """The squared gradient grows by π/(π−1) per layer, with weights of a hundredth as well."""
    size = module.gradients("BN, ReLU")
    rates = (size[5] / size[-1]) ** (1 / (module.DEPTH - 6))
    error = float(rates.std()) / math.sqrt(len(rates))
    theory = math.pi / (math.pi - 1)
    assert abs(float(rates.mean()) - theory) < 4 * error < 0.05 * theory
    assert abs(float(rates.mean()) - 1) > 4 * error  # "normalization prevents explosion"
    # At every scale of the weights.
    for std in (0.01, 10.0):
        other = module.gradients("BN, ReLU", std)
        assert np.allclose(other, size, rtol=0.02)


def test_layer_norm_does_not():
    size = module.gradients("LN, ReLU")
    rates = (size[5] / size[-1]) ** (1 / (module.DEPTH - 6))
    error = float(rates.std()) / math.sqrt(len(rates))
    assert abs(float(rates.mean()) - 1) < 4 * error < 0.05
    assert abs(float(rates.mean()) - module.factor("BN, tanh")) > 4 * error


@pytest.mark.proves(
    "normalization-tanh", kind="fact", range="width = batch = 64, 256", effect="gap < ½"
)
def test_tanh_approaches_the_factor_as_width_and_batch_grow():
    """The measured factor of tanh is above the limit; from 64 to 256 the gap more than halves."""
    theory = module.factor("BN, tanh")
    gaps = []
    for n in (64, 256):
        size = module.gradients("BN, tanh", batch=n, width=n)
        gaps.append(float((size[5] / size[-1]).mean()) ** (1 / (module.DEPTH - 6)) - theory)
    assert 0 < gaps[1] < 0.5 * gaps[0] < 0.05


def test_figure_follows_the_prediction():
    fig = module.plot_gradients()
    lines = fig.axes[0].lines
    assert len(lines) == 6
    for theory, measured, tolerance in zip(lines[::2], lines[1::2], (0.3, 0.6, 0.3), strict=True):
        assert np.abs(measured.get_ydata() / theory.get_ydata() - 1).max() < tolerance
    assert lines[1].get_ydata()[0] > 1000
    plt.close(fig)


def test_what_is_shown(values):
    left = values("normalization_explosion")
    assert left["worst"] < 0.01
    total = left["total"]
    assert total["BN, ReLU"] > 1000 > total["BN, tanh"] > 10 > total["LN, ReLU"]
