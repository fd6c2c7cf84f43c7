"""A whole model: which layers are initialized, what stays, and q of the last layer."""

import pytest
import torch
from torch import nn

from x0.initialization.he_model import he_initialize_


@pytest.mark.proves("he-model", kind="call", range="linear, 1-3 dimensional convolutions, groups")
def test_linear_and_convolution_layers_get_he_weights_and_zero_biases():
    """Linear and convolution layers get 2 / fan_in and zero biases; other layers stay."""
    layers = [
        nn.Linear(300, 200),
        nn.Conv1d(60, 200, 5),
        nn.Conv2d(30, 200, 3, groups=2),
        nn.Conv3d(10, 200, 3, bias=False),
    ]
    others = [nn.ConvTranspose2d(8, 8, 3), nn.LayerNorm(8), nn.Embedding(5, 8)]
    before = [p.detach().clone() for m in others for p in m.parameters()]
    model = nn.Sequential(nn.Sequential(*layers), *others)
    assert he_initialize_(model, torch.Generator().manual_seed(3)) is model
    for layer in layers:
        weight = layer.weight.detach()
        assert float(weight.var() * weight[0].numel()) == pytest.approx(2, rel=0.05)
        assert layer.bias is None or not layer.bias.any()
    after = [p.detach() for m in others for p in m.parameters()]
    assert all(map(torch.equal, before, after))


def test_q_starts_at_two_and_stays(values):
    mean, error = values("he_model")["measured"]
    assert abs(mean - 2) < 4 * error < 1
    assert abs(mean - 1) > 2 * error  # without the factor 2 of the first layer
