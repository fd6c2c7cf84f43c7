"""Figure activations-gallery: slopes and regions of convexity."""

import math

import matplotlib.pyplot as plt
import pytest
import torch

from x0.foundations import activations as act

EVERYWHERE = [(-math.inf, math.inf)]
KNOWN = {
    "ReLU": EVERYWHERE,
    "leaky ReLU": EVERYWHERE,
    "ReLU²": EVERYWHERE,
    "ELU": EVERYWHERE,
    "SELU": [(-math.inf, 0.0)],  # its slope falls at 0
    "softplus": EVERYWHERE,
    "sigmoid": [(-math.inf, 0.0)],
    "tanh": [(-math.inf, 0.0)],
    "erf": [(-math.inf, 0.0)],
    "softsign": [(-math.inf, 0.0)],
    "hardtanh": [(-math.inf, 1.0)],
    "hardswish": [(-3.0, 3.0)],
    "GELU": [(-1.41, 1.41)],
    "SiLU": [(-2.4, 2.4)],
}


def bend(phi, z):
    z = torch.tensor(z, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(phi(z).sum(), z, create_graph=True)
    return torch.autograd.grad(slope.sum(), z)[0]


@pytest.mark.parametrize("name", KNOWN)
def test_regions_are_the_known_ones(name):
    found = act.convex_regions(act.GALLERY[name])
    assert len(found) == len(KNOWN[name])
    for ours, known in zip(found[0], KNOWN[name][0], strict=True):
        assert ours == pytest.approx(known, abs=0.011)


@pytest.mark.parametrize(
    "name", ["softplus", "sigmoid", "tanh", "erf", "softsign", "GELU", "SiLU", "Mish"]
)
def test_the_sign_of_the_second_derivative_agrees(name):
    phi = act.GALLERY[name]
    ((left, right),) = act.convex_regions(phi)
    z = torch.linspace(-4, 4, 161).tolist()
    for x, curve in zip(z, bend(phi, z).tolist(), strict=True):
        if min(abs(x - left), abs(x - right), abs(x)) > 0.02:
            assert (curve > 0) == (left < x < right)


@pytest.mark.parametrize("name", act.GALLERY)
def test_profile_is_autograds(name):
    phi = act.GALLERY[name]
    found = act.profile(phi)
    for side, key in ((-1e-3, "left"), (1e-3, "right")):
        z = torch.tensor([side], dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad(phi(z).sum(), z)
        assert found[key] == pytest.approx(float(slope), abs=0.01)
    assert found["least"] <= min(found["left"], found["right"])
    assert found["largest"] >= max(found["left"], found["right"])


def test_jensen_shifts_the_mean_of_convex_units_up():
    z = torch.randn(100_000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    for name, regions in KNOWN.items():
        phi = act.GALLERY[name]
        shift = float((phi(z) - phi(torch.zeros_like(z))).mean())
        if regions == EVERYWHERE:
            assert shift > 0.05
        elif name in ("sigmoid", "tanh", "erf", "softsign", "hardtanh"):
            assert abs(shift) < 0.01


def test_demo_and_errors(capsys):
    values = act.demo()
    assert values["tanh_3"] == pytest.approx(1 - math.tanh(3) ** 2)
    assert values["sigmoid_10"] < 1e-6
    low = values["SiLU_minimum"]
    assert low * (1 - 1 / (1 + math.exp(-low))) == pytest.approx(-1, abs=0.01)
    assert values["gelu_gap"] < 5e-4
    assert values["GELU_bend"] == pytest.approx(math.sqrt(2), abs=0.011)
    assert values["SiLU_bend"] == pytest.approx(2.39936, abs=0.011)
    assert values["Mish_bend"] < values["SiLU_bend"]
    for name in ("GELU", "SiLU", "Mish"):
        assert values[f"{name}_least"] < -0.09
        assert values[f"{name}_largest"] > 1.08
    assert len(capsys.readouterr().out.splitlines()) == 1 + len(act.GALLERY)
    with pytest.raises(ValueError, match="Received: bound=0"):
        act.convex_regions(torch.relu, 0)


def test_figure():
    figure = act.plot_gallery()
    shaded = [len(ax.patches) for ax in figure.axes]
    assert shaded == [len(act.convex_regions(phi)) for phi in act.GALLERY.values()]
    plt.close(figure)
