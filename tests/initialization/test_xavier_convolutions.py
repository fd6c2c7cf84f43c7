import math

import pytest
import torch
from torch import nn

from x0.initialization import xavier_convolutions
from x0.initialization.xavier_convolutions import connections, convolution_gains

LAYERS = [
    nn.Conv2d(12, 6, 3, bias=False),
    nn.Conv2d(12, 6, 4, stride=2, bias=False),
    nn.Conv2d(12, 6, 3, groups=3, bias=False),
    nn.ConvTranspose2d(12, 6, 3, bias=False),
    nn.ConvTranspose2d(12, 6, 4, stride=2, bias=False),
    nn.ConvTranspose2d(12, 6, 3, groups=3, bias=False),
]


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_connections_are_counted_right(layer):
    x = torch.zeros(1, 12, 32, 32, requires_grad=True)
    with torch.no_grad():
        layer.weight.fill_(1.0)
    z = layer(x + 1)  # with unit weights and inputs an output counts its terms
    inner = slice(8, -8) if z.shape[-1] > 16 else slice(4, -4)
    fan_in, fan_out = connections(layer)
    terms = z.detach()[..., inner, inner]
    assert float(terms.mean()) == pytest.approx(fan_in)
    (back,) = torch.autograd.grad(z.sum(), x)
    assert float(back[..., 8:-8, 8:-8].mean()) == pytest.approx(fan_out)


@pytest.mark.parametrize("layer", LAYERS, ids=str)
def test_gains_follow_the_connections_not_the_shape(layer):
    fan_in, fan_out = connections(layer)
    torch_in, torch_out = nn.init._calculate_fan_in_and_fan_out(layer.weight)
    variance = 2 / (torch_in + torch_out)
    gains = convolution_gains(layer, 100)
    error = gains.std(0) / math.sqrt(len(gains))
    for index, fan in enumerate((fan_in, fan_out)):
        theory = fan * variance
        assert error[index] < 0.05 * theory
        assert abs(gains[:, index].mean() - theory) < 4 * error[index]
        read = (torch_in, torch_out)[index]
        if read != fan:
            assert abs(gains[:, index].mean() - read * variance) > 4 * error[index]


def test_transposition_swaps_the_fans_and_keeps_their_sum():
    layer = nn.ConvTranspose2d(64, 16, 3)
    read = nn.init._calculate_fan_in_and_fan_out(layer.weight)
    assert connections(layer) == read[::-1]


def test_other_layers_are_refused():
    with pytest.raises(TypeError, match="Received: Linear"):
        connections(nn.Linear(3, 4))


def test_demo_values():
    values = xavier_convolutions.demo()
    for name in ("convolution", "transposed", "stride_2", "depthwise"):
        for way in ("forward", "backward"):
            mean, error = values[f"{name}_{way}_measured"]
            assert abs(mean - values[f"{name}_{way}"]) < 4 * error
    assert values["depthwise_forward"] == pytest.approx(2 * 9 / 585)
