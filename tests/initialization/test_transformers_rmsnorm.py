"""RMSNorm, its eps, and what LayerNorm does besides."""

import math

import pytest
import torch
from torch import nn

from x0.initialization import transformers_rmsnorm as module


def test_it_is_pytorchs():
    x = torch.randn(4, 9, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(module.rms_norm(x, 1e-3), torch.rms_norm(x, (9,), eps=1e-3))


@pytest.mark.proves(
    "transformers-eps",
    kind="call",
    range="float16, bfloat16, float32, float64",
    effect="1.2·10⁻⁷, 2.2·10⁻¹⁶ : 10⁻⁵",
)
def test_pytorchs_default_eps_is_that_of_the_type_it_computes_in():
    """RMSNorm's eps is 1.2e-7 for float32, float16 and bfloat16, 2.2e-16 for float64; LayerNorm's 1e-5."""
    for dtype, eps in (
        (torch.float32, 2**-23),
        (torch.float16, 2**-23),
        (torch.bfloat16, 2**-23),
        (torch.float64, 2**-52),
    ):
        small = torch.full((1, 64), eps**0.5, dtype=dtype)
        r = small.double().square().mean()
        moment = nn.RMSNorm(64, dtype=dtype)(small).double().square().mean().item()
        assert moment == pytest.approx((r / (r + eps)).item(), rel=0.02), dtype
        assert 0.3 < moment < 0.7  # eps counts: the second moment would be 1 without
    assert nn.RMSNorm(4).eps is None
    assert nn.LayerNorm(4).eps == 1e-5
    x = torch.full((1, 4), 1e-4)
    assert nn.RMSNorm(4)(x).square().mean().item() == pytest.approx(
        1e-8 / (1e-8 + torch.finfo(torch.float32).eps), rel=1e-4
    )


@pytest.mark.parametrize("std", [1.0, 0.02, 0.002])
def test_the_law_of_eps(std):
    x = std * torch.randn(200, 512, generator=torch.Generator().manual_seed(1))
    r = x.square().mean(-1)
    measured = module.rms_norm(x).square().mean(-1)
    torch.testing.assert_close(measured, r / (r + 1e-5))


def test_scale_invariance_without_eps():
    x = torch.randn(3, 8, generator=torch.Generator().manual_seed(2))
    torch.testing.assert_close(module.rms_norm(5 * x, 0), module.rms_norm(x, 0))


def test_layer_norm_differs_by_the_mean(values):
    left = values("transformers_rmsnorm")
    assert left["symmetric"] < 0.01
    # After ReLU the mean is 1/π of the second moment; the rest is stretched to 1.
    share = 1 / math.pi
    expected = 2 - 2 * math.sqrt(1 - share)
    assert left["positive"] == pytest.approx(expected, rel=0.05)
    for std in (1.0, 0.02, 0.002):
        assert left["moment"][std] == pytest.approx(std**2 / (std**2 + 1e-5), rel=0.02)
