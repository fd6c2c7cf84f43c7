"""Scaling, zero start and Fixup on any nn.Module with residual branches."""

import math

import pytest
import torch
from torch import nn

from x0.initialization import residual


def branches(count=4, weights=2, width=16):
    layers = []
    for _ in range(count):
        modules = []
        for _ in range(weights):
            modules += [nn.Linear(width, width), nn.ReLU()]
        layers.append(nn.Sequential(*modules[:-1]))
    return layers


def test_scaling_touches_the_last_weight_only():
    made = branches(count=9)
    before = [[w.clone() for w in residual.branch_weights(b)] for b in made]
    residual.scale_branches_(made)
    for branch, (first, last) in zip(made, before, strict=True):
        torch.testing.assert_close(branch[0].weight, first, rtol=0, atol=0)
        torch.testing.assert_close(branch[2].weight, last / 3)


def test_scaling_finds_the_output_projection_of_attention():
    class Attention(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = nn.MultiheadAttention(8, 2)

    made = [Attention() for _ in range(4)]
    before = made[0].inner.out_proj.weight.clone()
    stacked = made[0].inner.in_proj_weight.clone()
    residual.scale_branches_(made)
    torch.testing.assert_close(made[0].inner.out_proj.weight, before / 2)
    torch.testing.assert_close(made[0].inner.in_proj_weight, stacked)


def test_zero_start_is_the_identity_with_and_without_a_norm():
    convs = nn.Sequential(nn.Conv2d(3, 3, 3, padding=1), nn.BatchNorm2d(3))
    x = torch.randn(2, 3, 5, 5, generator=torch.Generator().manual_seed(0))
    (plain,) = branches(count=1, width=5)
    residual.zero_branches_([convs, plain])
    assert not convs(x).any()
    assert convs[0].weight.any()  # the norm was zeroed, not the convolution
    assert not plain(x).any()
    torch.testing.assert_close(residual.Residual(plain)(x), x)


@pytest.mark.parametrize("weights", [2, 3, 4])
def test_fixup_scales_all_but_the_last_weight(weights):
    made = branches(count=16, weights=weights)
    before = [w.clone() for w in residual.branch_weights(made[3])]
    head = nn.Linear(16, 10)
    residual.fixup_(made, head)
    factor = 16 ** (-1 / (2 * weights - 2))
    *others, last = residual.branch_weights(made[3])
    for old, new in zip(before[:-1], others, strict=True):
        torch.testing.assert_close(new, factor * old)
    assert not last.any()
    assert not head.weight.any()
    assert not head.bias.any()


def test_a_zero_head_leaves_the_branches_without_gradient():
    """The argument for the exponent leaves the zero classifier out."""
    generator = torch.Generator().manual_seed(1)
    x = torch.randn(5, 16, generator=generator)
    for zero, moved in ((True, False), (False, True)):
        made = branches(count=3)
        head = nn.Linear(16, 10)
        residual.fixup_(made, head if zero else None)
        model = nn.Sequential(*map(residual.Residual, made), head)
        nn.functional.cross_entropy(model(x), torch.arange(5)).backward()
        assert bool(made[0][2].weight.grad.any()) is moved
        assert not made[0][0].weight.grad.any()
        assert head.weight.grad.any()


def test_one_weight_cannot_be_scaled_but_is_zeroed():
    branch = nn.Linear(4, 4)
    residual.fixup_([branch])
    assert not branch.weight.any()
    with pytest.raises(ValueError, match=r"no weight. Received: ReLU\(\)"):
        residual.scale_branches_([nn.ReLU()])


def test_demo(capsys):
    values = residual.demo()
    assert values["zero"] == values["fixup"] == pytest.approx(1)
    assert 1.5 < values["scaled"] < 4 < 2**20 < values["as"]
    assert values["bound"] == math.e
    assert len(capsys.readouterr().out.splitlines()) == 5
