"""Each row of the tables of blocks and special layers keeps its promise."""

import math
from itertools import pairwise

import pytest
import torch

from x0.initialization import choosing_layers as layers

WRONG = {
    "norm": 1.0,  # the gradient would not change
    "residual": 2.0**12,  # no division
    "pre-norm": 13.0,
    "conv": 0.5**4,  # Xavier
    "depthwise": 2 / 16,
    "transposed": 1 / 4,  # without the stride
    "recurrent": 0.5,
    "forget gate": 0.5,  # bias 0
    "attention": 0.25,  # Xavier on the stacked matrix
    "tied embedding": 64.0,  # the default N(0, 1)
    "classes": math.log(10) + 0.5,  # logits of variance 1
    "rare class": 0.5,
}
EXACT = {"zero γ", "recurrent", "forget gate", "adapter", "classes", "rare class", "norm"}


@pytest.mark.parametrize("name", layers.laws())
def test_the_row_keeps_its_promise(name):
    theory, seen = layers.laws()[name]
    seen = seen.detach().double()
    mean, error = float(seen.mean()), float(seen.std()) / math.sqrt(len(seen))
    if name in EXACT:
        assert torch.allclose(seen, torch.full_like(seen, theory), rtol=1e-2, atol=1e-7)
    else:
        assert abs(mean - theory) < 4 * error < 0.2 * theory
    if name in WRONG:
        assert abs(mean - WRONG[name]) > 4 * error + 1e-3


@pytest.mark.claim("A-73")
def test_the_scale_at_step_0_decides_whether_a_deep_network_moves():
    # 20 ReLU layers, 100 steps: with He the loss falls, with std 0.01 it stays at ln 10.
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(100, 64, generator=generator)
    target = torch.arange(100) % 10
    final = {}
    for name, std in {"He": math.sqrt(2 / 64), "small": 0.01}.items():
        sizes = [64] * 20 + [10]
        weights = [
            (std * torch.randn(o, i, generator=generator)).requires_grad_()
            for i, o in pairwise(sizes)
        ]
        for _ in range(100):
            h = x
            for w in weights[:-1]:
                h = torch.relu(h @ w.T)
            loss = torch.nn.functional.cross_entropy(h @ weights[-1].T, target)
            gradients = torch.autograd.grad(loss, weights)
            with torch.no_grad():
                for w, g in zip(weights, gradients, strict=True):
                    w -= 0.02 * g
        final[name] = loss.item()
    assert final["small"] == pytest.approx(math.log(10), abs=1e-4)
    assert final["He"] < final["small"] - 0.2


def test_values():
    values = layers.demo()
    bias = values["half_life_bias"]
    assert (1 / (1 + math.exp(-bias))) ** 20 == pytest.approx(0.5)
    assert values["residual_theory"] == pytest.approx((13 / 12) ** 12)
    assert values["residual_theory"] < math.e
    assert values["forget_gate_theory"] == pytest.approx(torch.sigmoid(torch.ones(1)).item())
