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


@pytest.mark.proves("adaptive-polar", kind="search", range="7 × 5; near and far", n="400")
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
        near = u @ v + 0.01 * other
        near = near / torch.linalg.matrix_norm(near, 2)
        assert float((g * near).sum()) < best


@pytest.mark.proves("adaptive-muon-range", kind="search", range="s = 0.002…1", n="10⁵")
def test_the_interval_after_five_iterations():
    """Five iterations take [0.002, 1] into [0.68, 1.21], and 0.001 to 0.47."""

    def five(s):
        for _ in range(5):
            s = muon.ABC[0] * s + muon.ABC[1] * s**3 + muon.ABC[2] * s**5
        return s

    after = five(np.geomspace(0.002, 1, 100_000))
    assert 0.68 < after.min() < 0.685
    assert 1.20 < after.max() < 1.21
    assert five(0.001) == pytest.approx(0.47, abs=0.005)


@pytest.mark.proves(
    "adaptive-bfloat16",
    kind="cause",
    effect="7 · 10⁻³ → 6 · 10⁻⁸",
    n="10",
    range="64 × 32, 32 × 64",
)
@pytest.mark.parametrize("shape", [(64, 32), (32, 64)])
def test_the_difference_from_torch_is_bfloat16(shape, monkeypatch):
    """Iterating in bfloat16 takes away the difference from torch.optim.Muon."""

    def in_bfloat16(g):
        wide = g.shape[0] <= g.shape[1]
        a, b, c = muon.ABC
        x = (g if wide else g.T).bfloat16()
        x = x / x.norm().clamp(min=1e-7)
        for _ in range(5):
            square = x @ x.T
            poly = torch.addmm(square, square, square, beta=b, alpha=c)
            x = torch.addmm(x, poly, x, beta=a)
        return (x if wide else x.T).float()

    gaps = []
    for function in (muon.orthogonalize, in_bfloat16):
        monkeypatch.setattr(muon, "orthogonalize", function)
        generator = torch.Generator().manual_seed(3)
        weight = nn.Parameter(torch.zeros(shape))
        optimizer = torch.optim.Muon([weight], lr=0.1, weight_decay=0.0)
        theta, m = torch.zeros(shape), torch.zeros(shape)
        for _ in range(10):
            g = torch.randn(shape, generator=generator)
            weight.grad = g.clone()
            optimizer.step()
            theta, m = muon.muon_step(theta, g, m, 0.1)
        gaps.append(float((theta - weight.detach()).norm() / theta.norm()))
    assert 0.003 < gaps[0] < 0.03
    assert gaps[1] < 1e-6


@pytest.mark.proves("adaptive-muon", kind="call")
def test_what_muon_of_torch_takes():
    """torch.optim.Muon takes matrices, decays by 0.1, and the factor of its mean does not matter."""
    with pytest.raises(ValueError, match="2D"):
        torch.optim.Muon([nn.Parameter(torch.zeros(3))])
    with pytest.raises(ValueError, match="2D"):
        torch.optim.Muon([nn.Parameter(torch.zeros(2, 3, 4, 4))])
    weight = nn.Parameter(torch.zeros(4, 3))
    optimizer = torch.optim.Muon([weight], lr=0.1)
    assert optimizer.defaults["weight_decay"] == 0.1
    weight.grad = torch.ones(4, 3)
    optimizer.step()
    assert torch.allclose(optimizer.state[weight]["momentum_buffer"], torch.full((4, 3), 0.05))
    g = torch.randn(6, 5, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    assert torch.allclose(muon.orthogonalize(g), muon.orthogonalize(0.05 * g))


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


def test_figure_and_values(values):
    figure = muon.plot_values()
    lines = {line.get_label(): np.array(line.get_ydata()) for line in figure.axes[0].lines}
    five = lines["k = 5"]
    assert five[len(five) // 3 :].min() > 0.6
    assert five.max() < 1.25
    shown = values("adaptive_muon")
    assert shown["after"][0] / shown["after"][-1] < 2
    assert shown["gap"] < 0.03
    assert float(shown["least"]) == pytest.approx(1)
    assert float(shown["most"]) == pytest.approx(1)
    plt.close(figure)


@pytest.mark.proves("adaptive-exact", kind="call", tolerance="10⁻⁶")
def test_the_exact_matrix_of_muon():
    """u @ v of torch.linalg.svd has singular values 1 and the singular vectors of g."""
    g = torch.randn(30, 20, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    u, s, v = torch.linalg.svd(g, full_matrices=False)
    exact = u @ v
    assert torch.allclose(torch.linalg.svdvals(exact), torch.ones_like(s))
    assert torch.allclose(exact @ v.T * s @ v, g)
    assert (exact * g).sum() == pytest.approx(s.sum().item())
