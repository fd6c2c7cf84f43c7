"""The noise scale predicts the critical batch size."""

import math

import pytest
import torch
from torch import nn

from x0.training import mini_batches_scale as scale


def test_against_explicit_matrices():
    generator = torch.Generator().manual_seed(5)
    model = nn.Linear(3, 2)
    x, y = torch.randn(8, 3, generator=generator), torch.arange(8) % 2
    point = torch.cat([p.detach().flatten() for p in model.parameters()])

    def loss(p, rows):
        logits = x[rows] @ p[:6].view(2, 3).T + p[6:]
        return nn.functional.cross_entropy(logits, y[rows])

    every = torch.arange(8)
    rows = torch.stack([torch.func.grad(loss)(point, torch.tensor([i])) for i in range(8)])
    g = rows.mean(0)
    sigma = (rows - g).T @ (rows - g) / 8
    h = torch.autograd.functional.hessian(lambda p: loss(p, every), point)
    plain, bent = scale.noise_scales(model, x, y, every)
    assert plain == pytest.approx(float(sigma.trace() / (g @ g)), rel=1e-4)
    assert bent == pytest.approx(float((h @ sigma).trace() / (g @ h @ g)), rel=1e-3)


@pytest.mark.proves(
    "mini-batches-two-ways",
    kind="ratio",
    seeds=20,
    effect="{val:mini_batches_scale.bent:.0f} / {val:mini_batches_critical.critical:.0f}",
)
def test_it_predicts_the_measured_batch_size(values):
    """The critical batch sizes from steps and from noise agree within a factor of 1.6."""
    bent, error = values("mini_batches_scale")["bent"]
    size, size_error = values("mini_batches_critical")["critical"]
    spread = math.hypot(error / bent, size_error / size)
    assert math.log(1.6) > abs(math.log(bent / size)) + 2 * spread
    shown = values("mini_batches_scale")
    assert shown["high"] > 4 * shown["low"]  # it changes during training


def test_rejects_no_rows():
    with pytest.raises(ValueError, match="Received: some="):
        scale.noise_scales(nn.Linear(3, 2), torch.ones(1, 3), torch.zeros(1), torch.ones(0))
