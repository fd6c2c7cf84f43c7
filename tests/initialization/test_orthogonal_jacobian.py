"""Figures orthogonal-jacobian-*: who keeps the singular values of the Jacobian."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.initialization import orthogonal_jacobian as module

CASES = [(a, o) for a in module.GAINS for o in (False, True)]


@pytest.mark.parametrize(("activation", "orthogonal"), CASES)
def test_the_spread_grows_as_predicted(activation, orthogonal):
    spread, s = module.jacobians(activation, orthogonal)
    measured, theory = spread[:, :10].mean(2).numpy()
    if theory[-1] == 0:
        assert np.abs(measured).max() < 1e-12
        return
    # Four networks; the law is the limit of infinite width.
    assert np.abs(measured / theory - 1).max() < 0.2
    wrong = theory + np.arange(1, 11) * (1 if orthogonal else -1)  # the other kind of weight
    assert abs(measured[-1] - wrong[-1]) > abs(wrong[-1] - theory[-1]) / 2
    squared = s**2
    direct = squared.var(1, correction=0) / squared.mean(1) ** 2
    assert torch.allclose(direct, spread[0, -1], rtol=1e-6)


def test_the_jacobian_is_that_of_automatic_differentiation():
    generator = torch.Generator().manual_seed(module.SEED)
    shape = (module.NETWORKS, module.WIDTH, module.WIDTH)
    h = torch.randn(shape[:2], generator=generator, dtype=torch.float64)
    h = h / h.square().mean(1, keepdim=True).sqrt() * module.START**0.5
    weights = [module.draw(shape, True, generator)[0] for _ in range(3)]

    def network(x):
        for w in weights:
            x = torch.tanh(w @ x)
        return x

    jacobian = torch.autograd.functional.jacobian(network, h[0])
    _, s = module.jacobians("tanh", True, 3)
    assert torch.allclose(torch.linalg.svdvals(jacobian), s[0], rtol=1e-9)


def test_only_orthogonal_linear_and_tanh_keep_their_directions(values):
    share = values("orthogonal_jacobian")["share"]
    for activation, orthogonal in CASES:
        kind = "orthogonal" if orthogonal else "Gaussian"
        kept = share[activation, kind]
        isometric = orthogonal and activation != "ReLU"
        assert kept > 0.9 if isometric else kept < 0.15


def test_tanh_spread_is_bounded_at_any_depth():
    spread, _ = module.jacobians("tanh", True)
    measured = spread[0].mean(1)
    assert measured[-1] < np.pi**2 / 3
    assert measured[-1] - measured[19] < 0.2 * measured[9]


def test_the_bound_depends_on_the_input(values):
    """The spread of orthogonal tanh after 30 layers is that of infinite width, for both inputs."""
    t = np.linspace(-10, 10, 8001)
    mass = np.exp(-(t**2) / 2)
    mass /= mass.sum()
    for start, end in values("orthogonal_jacobian")["end"].items():
        q, total = start, 0.0
        for _ in range(module.DEPTH):
            slope = 1 - np.tanh(math.sqrt(q) * t) ** 2
            mu_1, mu_2 = mass @ slope**2, mass @ slope**4
            total += mu_2 / mu_1**2 - 1
            q = mass @ np.tanh(math.sqrt(q) * t) ** 2
        assert end[0] == pytest.approx(total, rel=0.25)  # width 128
        assert total < (np.pi**2 / 3 if start <= 1 else 4)
    rms = values("orthogonal_jacobian")["rms_end"]
    assert rms[1.0] < 0.6 * rms[0.1]


def test_figures():
    fig = module.plot_singular_values()
    assert [ax.get_title(loc="left") for ax in fig.axes] == list(module.GAINS)
    dots = [[line for line in ax.lines if len(line.get_xdata()) > 2] for ax in fig.axes]
    for panel, flat in zip(dots, (True, True, False), strict=True):
        y = panel[1].get_ydata()
        assert (np.median(y) > 0.5) == flat
    plt.close(fig)
    fig = module.plot_spread()
    dashed = [line for line in fig.axes[0].lines if line.get_ls() == "--"]
    marked = [line for line in fig.axes[0].lines if line.get_marker() != "None"]
    assert len(dashed) == len(marked) == 5
    for theory, measured in zip(dashed, marked, strict=True):
        assert np.abs(measured.get_ydata() / theory.get_ydata() - 1).max() < 0.35
    tanh = next(line for line in marked if line.get_label() == "tanh, orthogonal").get_ydata()
    assert 0.2 < tanh[-1] < 0.25
    assert 0 < tanh[-1] - tanh[-6] < 0.3 * (tanh[5] - tanh[0])
    plt.close(fig)


def test_errors():
    with pytest.raises(ValueError, match="Received: activation='gelu'"):
        module.jacobians("gelu", True)
