"""The fixed constants of classic models against the deviation of He."""

import math

import pytest
import torch
from scipy import stats
from torch import nn

from x0.initialization import residual_classics as module


def test_alexnet_fans_are_those_of_its_layers():
    layers = {
        "conv1": nn.Conv2d(3, 96, 11),
        "conv2": nn.Conv2d(96, 256, 5, groups=2),
        "conv3": nn.Conv2d(256, 384, 3),
        "conv4": nn.Conv2d(384, 384, 3, groups=2),
        "conv5": nn.Conv2d(384, 256, 3, groups=2),
        "fc6": nn.Linear(9216, 1),
        "fc7": nn.Linear(4096, 1),
        "fc8": nn.Linear(4096, 1),
    }
    assert {name: math.prod(m.weight.shape[1:]) for name, m in layers.items()} == module.ALEXNET


def test_the_factor_is_that_of_a_relu_layer():
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(2000, 1, 60, generator=generator)
    w = 0.05 * torch.randn(2000, 60, 40, generator=generator)
    ratio = (z.relu() @ w).square().mean((1, 2))  # z has second moment 1
    error = ratio.std() / math.sqrt(2000)
    theory = module.layer_factor(60, 0.05)
    assert abs(ratio.mean() - theory) < 4 * error
    assert error < 0.05 * theory
    assert abs(ratio.mean() - 2 * theory) > 4 * error  # without the 1/2 of ReLU


def test_vgg_reads_the_shape_of_thirteen_convolutions():
    assert len(module.VGG16) == 13
    assert module.VGG16[0] == 3


@pytest.mark.claim("A-52")
def test_the_constants_are_not_he_and_do_not_depend_on_width(values):
    """Constants, below He in every layer; norms reset the scale, without them it multiplies."""
    factors = values("residual_classics")["factors"]
    assert len(module.ALEXNET) == 8
    assert factors["conv1"] == min(factors.values())
    assert factors["fc6"] == max(factors.values()) < 0.5  # He: 1
    for fan_in in module.ALEXNET.values():
        assert math.sqrt(2 / fan_in) / 0.01 > 1.4
    bert, xavier = (values("residual_classics")[name] for name in ("bert", "xavier"))
    assert bert == pytest.approx(stats.truncnorm.std(-2, 2, scale=0.02))
    assert bert < 0.02 < math.sqrt(1 / 1600) < xavier  # GPT-2 XL has width 1600
    draws = nn.init.trunc_normal_(
        torch.empty(100_000), std=0.02, a=-0.04, b=0.04, generator=torch.Generator().manual_seed(0)
    )
    assert draws.std().item() == pytest.approx(bert, rel=0.01)
    # What a branch of 24 layers is given, with and without a norm, for constants 10 times apart.
    generator = torch.Generator().manual_seed(0)
    for norm, spread in ((nn.LayerNorm(768), 1.0), (nn.Identity(), 1e48)):
        scales = []
        for std in (0.002, 0.02, 0.2):
            x = torch.randn(64, 768, dtype=torch.float64, generator=generator)
            for _ in range(24):
                w = torch.randn(768, 768, dtype=torch.float64, generator=generator)
                x = norm.double()(x @ w * std)
            scales.append(x.square().mean().item())
        assert scales[2] / scales[0] == pytest.approx(spread**2, rel=0.5 if spread > 1 else 0.01)


@pytest.mark.claim("A-51")
def test_the_convolutions_of_vgg_lose_or_blow_up_the_signal(values, printed):
    """A standard deviation of 0.01 loses the signal of VGG-16, a variance of 0.01 blows it up."""
    deep = [module.layer_factor(9 * 64, std) ** 30 for std in (0.01, math.sqrt(2 / 576))]
    assert deep[0] < 1e-40
    assert deep[1] == pytest.approx(1)
    vgg = values("residual_classics")["vgg"]
    assert vgg[0.01] < 1e-14 < 1e11 < vgg[0.1]
    assert len(printed("residual_classics").splitlines()) == 12
