"""Where the number in PyTorch's bound is not the number of terms of an output."""

import math

import pytest
import torch
from torch import nn

from x0.initialization import frameworks_fans as fans


@pytest.mark.parametrize("key", fans.LAYERS)
def test_factor(values, key):
    mean, error = values("frameworks_fans")["measured"][key]
    theory = values("frameworks_fans")["predicted"][key]
    assert abs(mean - theory) < 4 * error < 0.2 * theory
    if key != "linear" and theory != 1 / 3:
        assert abs(mean - 1 / 3) > 4 * error  # the factor of Linear


@pytest.mark.proves(
    "frameworks-kdim",
    kind="fact",
    range="kdim = 16, 128; n = 64",
    seeds=200,
    tolerance="4 SE",
    effect="1/4, 1, 2·kdim/(n + kdim)",
)
def test_projections_of_attention(values):
    """A vdim that differs makes the second moment of the logits 1; a kdim 2·kdim / (n + kdim)."""
    measured = values("frameworks_fans")["measured"]
    for key in ("stacked", "vdim 128", "kdim 128", "kdim 16"):
        mean, error = measured[key]
        theory = values("frameworks_fans")["predicted"][key]
        assert abs(mean - theory) < 4 * error < 0.2 * theory
        if key != "vdim 128":
            assert abs(mean - 1) > 4 * error


def test_the_stacked_matrix_has_half_the_variance():
    torch.manual_seed(0)
    joint = nn.MultiheadAttention(64, 4)
    apart = nn.MultiheadAttention(64, 4, kdim=32)
    assert joint.in_proj_weight.shape == (192, 64)
    assert float(joint.in_proj_weight.detach().var()) == pytest.approx(1 / 128, rel=0.05)
    assert float(apart.q_proj_weight.detach().var()) == pytest.approx(1 / 64, rel=0.1)
    assert not joint.in_proj_bias.detach().any()
    assert not joint.out_proj.bias.detach().any()


@pytest.mark.parametrize("mode", ["fan_in", "fan_out"])
def test_fans_of_a_transposed_convolution_are_swapped(mode):
    layer = nn.ConvTranspose2d(64, 16, 3)
    assert layer.weight.shape == (64, 16, 3, 3)
    nn.init.kaiming_normal_(layer.weight, mode=mode, nonlinearity="linear")
    fan = {"fan_in": 16 * 9, "fan_out": 64 * 9}[mode]
    assert float(layer.weight.detach().var()) * fan == pytest.approx(1, rel=0.1)


@pytest.mark.proves("frameworks-groups", kind="call", effect="1/64")
def test_fan_out_of_a_grouped_convolution_ignores_the_groups():
    """fan_in of a grouped convolution is right; fan_out is not divided by the groups."""
    layer = nn.Conv2d(64, 64, 3, groups=64)
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="linear")
    assert float(layer.weight.detach().var()) * 64 * 9 == pytest.approx(1, rel=0.3)
    nn.init.kaiming_normal_(layer.weight, mode="fan_in", nonlinearity="linear")
    assert float(layer.weight.detach().var()) * 9 == pytest.approx(1, rel=0.3)


@pytest.mark.proves("frameworks-tied", kind="fact", range="width 64…1024", tolerance="5 %")
def test_tied_embedding_gives_logits_of_std_root_d():
    """A tied N(0, 1) gives logits whose std is the root of the width, and a first loss above 3 ln V."""
    torch.manual_seed(0)
    for d in (64, 128, 256, 512, 1024):
        embedding = nn.Embedding(2000, d).weight.detach()
        h = nn.functional.layer_norm(torch.randn(50, d), (d,))
        logits = h @ embedding.T
        assert float(logits.std()) == pytest.approx(math.sqrt(d), rel=0.05)
        loss = nn.functional.cross_entropy(logits, torch.randint(2000, (50,)))
        assert float(loss) > 3 * math.log(2000)


def test_rejects_no_networks():
    with pytest.raises(ValueError, match="Received: networks=0"):
        fans.forward_factor(lambda: nn.Linear(2, 2, False), [torch.ones(1, 2)], 0)
