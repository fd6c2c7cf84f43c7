"""Figure activations-gallery: slopes and regions of convexity."""

import math

import matplotlib.pyplot as plt
import numpy as np
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
    for side, key in ((-1e-6, "left"), (1e-6, "right")):
        z = torch.tensor([side], dtype=torch.float64, requires_grad=True)
        (slope,) = torch.autograd.grad(phi(z).sum(), z)
        assert found[key] == pytest.approx(float(slope), abs=1e-5)
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


@pytest.mark.proves("activations-means", kind="fact", tolerance="10⁻⁶")
def test_means_under_a_standard_normal():
    """The means of ELU and SELU are closer to zero than that of ReLU; softplus is positive."""
    z, weights = np.polynomial.hermite_e.hermegauss(200)
    weights = weights / weights.sum()
    mean = {
        name: float(weights @ act.GALLERY[name](torch.tensor(z)).numpy()) for name in act.GALLERY
    }
    assert abs(mean["SELU"]) < abs(mean["ELU"]) < 0.5 * mean["ReLU"]
    assert bool((act.GALLERY["softplus"](torch.linspace(-30, 30, 61)) > 0).all())


@pytest.mark.proves("activations-selu", kind="fact", tolerance="10⁻⁶")
def test_selu_has_no_shift_for_a_standard_normal():
    """The mean of SELU is that of its value at 0 for a standard normal z, and SELU is not odd."""
    selu, parts = act.GALLERY["SELU"], []
    x, w = np.polynomial.legendre.leggauss(60)
    for sign in (-1, 1):  # a panel on each side of the kink
        z = sign * 6 * (1 + x)
        value = selu(torch.tensor(z)).numpy()
        parts.append(6 * w @ (value * np.exp(-(z**2) / 2)) / math.sqrt(2 * math.pi))
    shift = sum(parts) - float(selu(torch.zeros(1)))
    assert abs(shift) < 1e-6 < 0.1 < parts[1]
    one = torch.ones(1)
    assert abs(float(selu(-one) + selu(one))) > 0.01


@pytest.mark.proves("activations-elu", kind="call", range="α = 0.3, 0.9, 1, 1.1, 2")
def test_elu_has_a_kink_unless_alpha_is_one():
    """The slopes of nn.ELU(alpha) at 0 from both sides agree if and only if alpha is 1."""
    for alpha in (0.3, 0.9, 1.0, 1.1, 2.0):
        z = torch.tensor([-1e-9, 1e-9], dtype=torch.float64, requires_grad=True)
        left, right = torch.autograd.grad(torch.nn.ELU(alpha=alpha)(z).sum(), z)[0].tolist()
        assert (abs(left - right) < 1e-6) == (alpha == 1)


@pytest.mark.proves("activations-calls", kind="call", range="z = −6…6", tolerance="10⁻⁶")
def test_the_layers_of_the_table():
    """GELU, SiLU, PReLU, ELU and SELU compute the functions of their rows."""
    nn = torch.nn
    z = torch.linspace(-6, 6, 241)
    cdf = (1 + torch.erf(z / math.sqrt(2))) / 2
    negative = torch.expm1(z)
    scale, alpha = 1.0507009873554805, 1.6732632423543772
    for layer, expected in (
        (nn.GELU(approximate="none"), z * cdf),
        (nn.SiLU(), z / (1 + torch.exp(-z))),
        (nn.PReLU(num_parameters=1, init=0.25), torch.where(z > 0, z, 0.25 * z)),
        (nn.ELU(alpha=1.0), torch.where(z > 0, z, negative)),
        (nn.SELU(), scale * torch.where(z > 0, z, alpha * negative)),
    ):
        assert torch.allclose(layer(z), expected, atol=1e-6)
    slopes = nn.PReLU(num_parameters=3, init=0.25)
    slopes.weight.data[1] = 0.5
    assert slopes(-torch.ones(2, 3, 4))[0, :, 0].tolist() == [-0.25, -0.5, -0.25]


@pytest.mark.proves("activations-inplace", kind="call")
def test_overwriting_a_needed_input_raises():
    """nn.ReLU(inplace=True) on a result that the backward pass needs makes autograd raise."""
    x = torch.ones(3, requires_grad=True)
    needed = x.exp()  # its backward pass reads its output
    out = torch.nn.ReLU(inplace=True)(needed)
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        out.sum().backward()


def test_regions_are_seen_up_to_the_bound_and_extended_beyond():
    """The slope falls at 10: outside the default bound of 8, inside one of 12; so is a border of the sine."""

    def phi(z):
        return torch.where(z < 10, z**2, 100 + 0 * z)

    assert act.convex_regions(phi) == [(-math.inf, math.inf)]
    assert act.convex_regions(phi, 12.0) == [(-math.inf, 10.0)]
    assert act.convex_regions(torch.sin)[0][0] == -math.inf  # convex from -3π on alone


@pytest.mark.proves("activations-missing", kind="call")
def test_layers_that_torch_does_not_have():
    """torch.nn has no Maxout and no rational activation function."""
    names = [name.lower() for name in dir(torch.nn)]
    assert not [name for name in names if "maxout" in name or "rational" in name]


def test_values_and_errors(values, printed):
    names = values("activations")
    assert names["tanh_slope"] == pytest.approx(1 - math.tanh(3) ** 2)
    assert names["ten_sigmoids"] < 1e-6
    low = names["silu_minimum"]
    assert low * (1 - 1 / (1 + math.exp(-low))) == pytest.approx(-1, abs=0.01)
    assert names["gelu_gap"] < 5e-4
    bend = {name: names["regions"][name][0][1] for name in ("GELU", "SiLU", "Mish")}
    assert bend["GELU"] == pytest.approx(math.sqrt(2), abs=0.011)
    assert bend["SiLU"] == pytest.approx(2.39936, abs=0.011)
    assert bend["Mish"] < bend["SiLU"]
    for name in bend:
        assert names["profiles"][name]["least"] < -0.09
        assert names["profiles"][name]["largest"] > 1.08
    everywhere = [name for name, regions in KNOWN.items() if regions == EVERYWHERE]
    assert printed("activations") == f"convex everywhere: {', '.join(everywhere)}\n"
    assert set(names["profiles"]) == {*KNOWN, "Mish"}
    with pytest.raises(ValueError, match="Received: bound=0"):
        act.convex_regions(torch.relu, 0)


@pytest.mark.proves("activations-gallery", kind="caption", range="z = −4…4")
def test_figure():
    """ReLUs and softplus are convex everywhere, S-shapes on the left, three in the middle."""
    figure = act.plot_gallery()
    for ax, (name, phi) in zip(figure.axes, act.GALLERY.items(), strict=True):
        spans = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in ax.patches]
        if name in ("ReLU", "leaky ReLU", "ReLU²", "softplus"):
            assert act.convex_regions(phi) == EVERYWHERE
            assert spans == [(-4, 4)]
        if name in ("sigmoid", "tanh", "erf", "softsign"):
            assert spans == [(-4, 0)]
        if name == "hardtanh":
            assert spans == [(-4, 1)]
        if name in ("GELU", "SiLU", "Mish"):
            ((left, right),) = spans
            assert -4 < left < 0 < right < 4
    shaded = [len(ax.patches) for ax in figure.axes]
    assert shaded == [len(act.convex_regions(phi)) for phi in act.GALLERY.values()]
    plt.close(figure)


@pytest.mark.parametrize("name", act.GALLERY)
def test_the_ends_of_regions_are_numbers_without_a_sign_of_zero(name):
    """A border at 0 is 0, not -0; regions are ordered, apart and within the bound or infinite."""
    regions = act.convex_regions(act.GALLERY[name])
    ends = [end for region in regions for end in region]
    assert "-0.0" not in map(str, ends)
    assert ends == sorted(ends)
    assert all(abs(end) < 8 or math.isinf(end) for end in ends)


@pytest.mark.parametrize("bound", [0.7, 1.0, 8.0])
def test_a_region_that_begins_at_a_bend_at_0_begins_at_0(bound):
    """z |z| bends at 0: what rounds to -0 is shown as 0."""
    (region,) = act.convex_regions(lambda z: z * z.abs(), bound)
    assert str(region) == "(0.0, inf)"
