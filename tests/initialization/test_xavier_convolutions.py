import math

import pytest
import torch
from torch import nn

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


@pytest.mark.proves("xavier-depth-swap", kind="call", range="nn.ConvTranspose2d(64, 16, 3)")
def test_transposition_swaps_the_fans_and_keeps_their_sum():
    """torch reads the fans of a transposed convolution swapped; their sum is the same."""
    layer = nn.ConvTranspose2d(64, 16, 3)
    read = nn.init._calculate_fan_in_and_fan_out(layer.weight)
    assert connections(layer) == read[::-1]


def test_other_layers_are_refused():
    with pytest.raises(TypeError, match="Received: Linear"):
        connections(nn.Linear(3, 4))


@pytest.mark.proves(
    "xavier-depth-convolutions",
    kind="search",
    range="depthwise 2…256 channels",
    n=40,
    effect='{val:xavier_convolutions.predicted["depthwise"][0]:.3f} → {val:xavier_convolutions.repaired[0]:.2f}',
)
def test_gains_of_four_layers(values):
    """Stride 2: 0.40 both ways; depthwise: 2 / (1 + C); connected_xavier_ repairs it."""
    left = values("xavier_convolutions")
    assert left["predicted"]["stride_2"] == pytest.approx((0.4, 0.4))
    mean, error = left["repaired"]
    assert abs(mean - 1) < 4 * error < 0.1
    for channels in (2, 16, 256):
        layer = nn.Conv2d(channels, channels, 3, groups=channels, bias=False)
        factors = convolution_gains(layer, 60 if channels < 256 else 20)
        theory = 2 / (1 + channels)
        error = factors.std(0) / math.sqrt(len(factors))
        assert bool(((factors.mean(0) - theory).abs() < 4 * error).all())
    stride = nn.ConvTranspose2d(64, 16, 4, stride=2, bias=False)
    for repaired in (stride, layer):
        factors = convolution_gains(repaired, 20, repair=True)
        error = factors.std(0) / math.sqrt(len(factors))
        fan_in, fan_out = connections(repaired)
        theory = 2 * torch.tensor([fan_in, fan_out]) / (fan_in + fan_out)
        assert bool(((factors.mean(0) - theory).abs() < 4 * error).all())
    for name in ("convolution", "transposed", "stride_2", "depthwise"):
        mean, error = left["measured"][name]
        for way in (0, 1):
            assert abs(mean[way] - left["predicted"][name][way]) < 4 * error[way]
    assert left["predicted"]["depthwise"][0] == pytest.approx(2 * 9 / 585)
