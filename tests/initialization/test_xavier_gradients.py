import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.initialization import xavier_gradients
from x0.initialization.xavier_gradients import layer_moments


def agrees(samples: np.ndarray, theory: float, wrong: float) -> None:
    """Assert the mean of independent samples, with power."""
    error = samples.std(ddof=1) / math.sqrt(len(samples))
    assert error < 0.05 * abs(theory)
    assert abs(samples.mean() - theory) < 4 * error
    assert abs(samples.mean() - wrong) > 4 * error


@pytest.fixture(scope="module", params=[0.5, 1.0, 2.0])
def linear_regime(request):
    # inputs so small that tanh is linear to 1e-6 in every layer
    return request.param, layer_moments(request.param, 8, 100, 300, 1e-8)


@pytest.mark.claim("B-07")
def test_forward_law(linear_regime):
    gain, moments = linear_regime
    for layer in (2, 8):
        agrees(moments["h"][:, layer - 1] / 1e-8, gain ** (layer - 1), wrong=1.2 * gain**layer)


@pytest.mark.claim("A-17")
def test_backward_law(linear_regime):
    gain, moments = linear_regime
    for layer in (1, 7):
        agrees(moments["delta"][:, layer - 1], gain ** (8 - layer), wrong=1.2 * gain**layer)


def test_weight_gradients_follow_the_product_and_are_flat(linear_regime):
    gain, moments = linear_regime
    for layer in range(1, 9):
        agrees(moments["weight"][:, layer - 1] / 1e-8, gain**7, wrong=1.3 * gain**7)


@pytest.mark.claim("A-11")
def test_small_weights_shrink_gradients_towards_the_input_but_not_weight_gradients():
    moments = layer_moments(256 * 0.01**2, 20, 256, 5)
    delta, weight = np.sqrt(moments["delta"]), np.sqrt(moments["weight"])
    assert np.all(np.diff(np.log(delta), axis=1) > 0)  # smallest in the first layers
    ratio = (delta[:, 0] / delta[:, -1]) ** (1 / 19)
    agrees(ratio, 0.16, wrong=1.0)
    assert np.all(delta[:, 0] < 1e-14)
    assert np.all(weight.max(axis=1) / weight.min(axis=1) < 2)


def test_moments_are_those_of_autograd():
    rng = np.random.default_rng(xavier_gradients.SEED)
    x = torch.tensor(rng.standard_normal((1, 7, 1)))
    weights = [
        torch.tensor(np.sqrt(1.5 / 7) * rng.standard_normal((1, 7, 7)), requires_grad=True)
        for _ in range(4)
    ]
    h, zs = x, []
    for weight in weights:
        z = weight @ h
        z.retain_grad()
        zs.append(z)
        h = torch.tanh(z)
    (zs[-1] * torch.tensor(rng.standard_normal((1, 7, 1)))).sum().backward()
    moments = layer_moments(1.5, 4, 7, 1)
    for layer in range(4):
        delta, weight = zs[layer].grad, weights[layer].grad
        assert moments["delta"][0, layer] == pytest.approx(float(delta.square().mean()))
        assert moments["weight"][0, layer] == pytest.approx(float(weight.square().mean()))


def test_depth_is_checked():
    with pytest.raises(ValueError, match="Received: depth=0"):
        layer_moments(1.0, 0, 4, 2)


@pytest.mark.proves("xavier-layers", kind="caption", n=100)
def test_figure_weight_gradient_is_flat_while_the_others_cross_decades():
    """Signal and z gradient cross five to six orders in opposite directions; the W gradient is flat."""
    figure = xavier_gradients.plot_layers()
    for axis in figure.axes:
        lines = {line.get_label(): line.get_ydata() for line in axis.get_lines()}
        flat = lines["gradient in W"]
        assert flat.max() / flat.min() < 1.5
        for name in ("input of the layer", "gradient in z"):
            assert 1e5 < lines[name].max() / lines[name].min() < 1e6
        slopes = [
            np.sign(lines[n][-1] - lines[n][0]) for n in ("input of the layer", "gradient in z")
        ]
        assert sum(slopes) == 0
    plt.close(figure)


def test_twenty_layers_of_small_weights(values):
    left = values("xavier_gradients")
    mean, error = left["measured"]["ratio"]
    assert abs(mean - left["predicted"]) < 4 * error
    assert left["measured"]["spread"][0] < 2
    assert left["measured"]["decades"][0] == pytest.approx(15, abs=0.5)
