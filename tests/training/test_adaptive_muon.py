"""Figure adaptive-muon-values: Newton-Schulz makes singular values alike."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch import nn

from x0.training import adaptive_muon as muon


@pytest.mark.parametrize("shape", [(6, 6), (4, 9), (9, 4)])
def test_singular_values_follow_the_polynomial(shape):
    generator = torch.Generator().manual_seed(1)
    g = torch.randn(shape, generator=generator, dtype=torch.float64)
    u, s, v = torch.linalg.svd(g, full_matrices=False)
    s = s / s.norm()
    for _ in range(5):
        s = muon.ABC[0] * s + muon.ABC[1] * s**3 + muon.ABC[2] * s**5
    assert torch.allclose(muon.orthogonalize(g), u @ torch.diag(s) @ v)


def test_the_polar_factor_is_the_steepest_direction():
    """Among matrices of spectral norm 1 none has a larger inner product with g."""
    generator = torch.Generator().manual_seed(2)
    g = torch.randn(7, 5, generator=generator, dtype=torch.float64)
    u, s, v = torch.linalg.svd(g, full_matrices=False)
    best = float((g * (u @ v)).sum())
    assert best == pytest.approx(float(s.sum()))
    for _ in range(200):
        other = torch.randn(7, 5, generator=generator, dtype=torch.float64)
        other = other / torch.linalg.matrix_norm(other, 2)
        assert float((g * other).sum()) < best


@pytest.mark.parametrize("shape", [(64, 32), (32, 64)])
def test_as_torch_up_to_bfloat16(shape):
    generator = torch.Generator().manual_seed(3)
    weight = nn.Parameter(torch.zeros(shape))
    optimizer = torch.optim.Muon([weight], lr=0.1, weight_decay=0.0)
    theta, m = torch.zeros(shape), torch.zeros(shape)
    for _ in range(10):
        g = torch.randn(shape, generator=generator)
        weight.grad = g.clone()
        optimizer.step()
        theta, m = muon.muon_step(theta, g, m, 0.1)
    assert float((theta - weight.detach()).norm() / theta.norm()) < 0.03


def test_lion():
    """By hand: the step mixes with beta1, the memory with beta2."""
    theta, m = torch.tensor([1.0, -2.0]), torch.tensor([0.5, -0.02])
    g = torch.tensor([-4.0, 0.5])
    new, memory = muon.lion_step(theta, g, m, 0.1, decay=0.3)
    signs = torch.tensor([0.9 * 0.5 - 0.4, -0.9 * 0.02 + 0.05]).sign()
    assert torch.equal(signs, torch.ones(2))
    assert torch.allclose(new, 0.97 * theta - 0.1 * signs)
    assert torch.allclose(memory, 0.99 * m + 0.01 * g)


def test_rejects_a_vector():
    with pytest.raises(ValueError, match=r"Received: g.ndim=1"):
        muon.orthogonalize(torch.ones(3))


def test_figure_and_values():
    figure = muon.plot_values()
    lines = {line.get_label(): np.array(line.get_ydata()) for line in figure.axes[0].lines}
    five = lines["k = 5"]
    assert five[len(five) // 3 :].min() > 0.6
    assert five.max() < 1.25
    values = muon.demo()
    assert values["orthogonalized_max"] / values["orthogonalized_min"] < 2
    assert values["gap"] < 0.03
    assert values["lion_min"] == pytest.approx(1)
    assert values["lion_max"] == pytest.approx(1)
    plt.close(figure)
