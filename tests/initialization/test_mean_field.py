"""The q-map and its factors: against closed forms, and what each figure claims."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch.nn import functional

from x0.initialization import mean_field as module


def test_relu_is_exact_for_every_q():
    for q in (0.1, 1.0, 40.0):
        point = module.diagnose_point(torch.relu, 2.0, 0.0, q)
        assert point["map"] == pytest.approx(q, rel=1e-12)
        assert point["chi_par"] == pytest.approx(1, rel=1e-12)
        assert point["chi_1"] == pytest.approx(1, rel=1e-12)
        assert point["depth_scale"] == math.inf


def test_a_linear_layer_adds_its_bias():
    path = module.iterate_map(lambda z: 1.0 * z, 0.5, 1.0, 3.0, 40)
    assert path[:2] == [3.0, pytest.approx(2.5)]
    assert path[-1] == pytest.approx(2.0)


@pytest.mark.parametrize(("weight", "bias"), [(0.0, 0.1), (-1.0, 0.0), (1.0, -0.1)])
def test_errors(weight, bias):
    with pytest.raises(ValueError, match=f"Received: weight={weight}, bias={bias}"):
        module.iterate_map(torch.tanh, weight, bias, 1.0, 2)


def test_chi_par_is_the_rate_at_which_the_map_settles(values):
    q = values("mean_field")["settled"]["tanh, gain 5/3"]
    path = module.iterate_map(torch.tanh, 25 / 9, 0.0, q * 1.001, 4)
    rate = (path[3] - q) / (path[2] - q)
    chi = values("mean_field")["points"]["tanh, gain 5/3"]["chi_par"]
    assert rate == pytest.approx(chi, rel=1e-3)


def test_tanh_with_gain_five_thirds_settles_and_is_chaotic(values):
    settled, points = (values("mean_field")[name] for name in ("settled", "points"))
    assert settled["tanh, gain 5/3"] == pytest.approx(1.178, abs=1e-3)
    assert points["tanh, gain 5/3"]["chi_1"] == pytest.approx(1.2098, abs=1e-4)
    for start in (0.1, 2.1):
        path = module.iterate_map(torch.tanh, 25 / 9, 0.0, start, 60)
        assert path[-1] == pytest.approx(settled["tanh, gain 5/3"], rel=1e-9)


def test_gelu_with_the_variance_of_he_decays(values):
    # Ten and thirty maps after q = 1: 0.029 and 3e-8; layer 10 has passed nine.
    path = module.iterate_map(functional.gelu, 2.0, 0.0, 1.0, 31)
    assert path[10] == pytest.approx(0.029, abs=1e-3)
    assert path[30] == pytest.approx(3e-8, rel=0.2)
    left = values("mean_field")
    assert left["gelu"][9] == path[9]
    assert left["gelu"][29] == path[29]
    assert left["points"]["GELU, He"]["chi_1"] == pytest.approx(0.5, abs=1e-6)


def test_figure_gelu_leaves_the_fixed_point_that_its_gain_makes():
    gain2 = 1 / module.iterate_map(functional.gelu, 1.0, 0.0, 1.0, 2)[1]
    assert gain2 == pytest.approx(2.35172, abs=1e-5)
    above = module.iterate_map(functional.gelu, gain2, 0.0, 1.15, 9)
    below = module.iterate_map(functional.gelu, gain2, 0.0, 0.8, 9)
    assert above == sorted(above)
    assert below == sorted(below, reverse=True)


@pytest.mark.proves(
    "mean-field-moments",
    kind="call",
    range="12 functions, q 1e-3…1e2",
    tolerance="1e-6 of brute force",
)
def test_moments_of_many_activations_agree_with_brute_force():
    """Three expectations of twelve functions that are smooth or have their kinks at 0."""
    x = np.linspace(-11, 11, 400_000)  # no node at 0
    weight = np.exp(-(x**2) / 2)
    weight /= weight.sum()
    names = [
        "relu",
        "tanh",
        "sigmoid",
        "selu",
        "elu",
        "celu",
        "gelu",
        "silu",
        "mish",
        "softplus",
        "softsign",
        "leaky_relu",
    ]
    for name in names:
        phi = getattr(functional, name)
        for q in (1e-3, 0.3, 1.0, 9.0, 100.0):
            z = torch.from_numpy(math.sqrt(q) * x).requires_grad_()
            h = phi(z)
            (slope,) = torch.autograd.grad(h.sum(), z)
            h, s, z = (t.detach().numpy() for t in (h, slope, z))
            brute = [weight @ h**2, weight @ s**2, weight @ (h * s * z) / q]
            found = [
                float(y)
                for y in module.activation_moments(phi, torch.tensor(q, dtype=torch.double))
            ]
            assert found == pytest.approx(brute, rel=1e-6), (name, q)


@pytest.mark.proves("mean-field-cobwebs", kind="caption", n=6)
def test_figure_six_maps_do_what_the_caption_says():
    """LeCun sinks, 5/3 settles, ReLU stays, GELU falls, q = 1 is left, the last one touches."""
    figure = module.plot_cobwebs()
    panels = {axis.get_title(): axis.lines for axis in figure.axes}
    ends, starts = {}, {}
    for name, lines in panels.items():
        paths = [line.get_xdata() for line in lines if len(line.get_xdata()) in (16, 17)]
        assert len(paths) == 2, name
        starts[name] = [path[0] for path in paths]
        ends[name] = [path[-1] for path in paths]
        curve = lines[1]
        gap = curve.get_ydata() - curve.get_xdata()
        if name == "ReLU, He":
            assert np.abs(gap).max() < 1e-9
        if name == "GELU, critical":
            near = gap[(curve.get_xdata() > 3.1) & (curve.get_xdata() < 4.2)]
            assert -2e-3 < near.min() < near.max() < 1e-6  # below the diagonal, touching it
    assert all(
        0 < e < 0.7 * s
        for e, s in zip(ends["tanh, LeCun"], starts["tanh, LeCun"], strict=True)
        if s > 1
    )
    assert ends["tanh, gain 5/3"] == pytest.approx([1.178, 1.178], abs=0.02)
    assert ends["ReLU, He"] == pytest.approx(starts["ReLU, He"])
    assert all(e < 0.4 * s for e, s in zip(ends["GELU, He"], starts["GELU, He"], strict=True))
    (low, high), (below, above) = starts["GELU, 2.352"], ends["GELU, 2.352"]
    assert below < low < 1 < high < above
    plt.close(figure)


@pytest.mark.proves("mean-field-signs", kind="search", range="q 1e-3…1e3, 121 values, 9 functions")
def test_the_sign_of_the_gap_sorts_the_functions(values):
    """Zero: ReLU family; negative: tanh, erf, SELU, ELU, logistic; GELU, SiLU change sign once."""
    q = torch.logspace(-3, 3, 121, dtype=torch.float64)

    def gap(phi):
        _, slope, response = module.activation_moments(phi, q)
        return ((response - slope) / slope).numpy()

    for phi in (torch.relu, torch.abs, lambda z: functional.leaky_relu(z, 0.2)):
        assert np.abs(gap(phi)).max() < 1e-9
    for phi in (torch.tanh, torch.erf, torch.selu, functional.elu, torch.sigmoid):
        assert gap(phi).max() < 0
    assert gap(functional.softplus).min() > 0
    critical = values("mean_field_gelu")["critical"]
    for name, phi in (("GELU", functional.gelu), ("SiLU", functional.silu)):
        sign = gap(phi) > 0
        changes = np.flatnonzero(sign[1:] != sign[:-1])
        assert len(changes) == 1
        assert sign[0]
        assert q[changes[0]] < critical[name][0] < q[changes[0] + 1]
    # The line of the logistic function starts where sigma_b^2 of the edge crosses 0.
    share, slope, _ = module.activation_moments(torch.sigmoid, q)
    bias, weight = (q - share / slope).numpy(), (1 / slope).numpy()
    (start,) = np.flatnonzero((bias[1:] > 0) & (bias[:-1] <= 0))
    assert weight[start] < 103.01 < weight[start + 1]
    # For tanh and erf it is positive from the smallest q on.
    for phi in (torch.tanh, torch.erf):
        share, slope, _ = module.activation_moments(phi, q)
        assert float((q - share / slope).min()) > 0


@pytest.mark.proves("mean-field-biases", kind="call", range="fan_in 4…4096", tolerance="4 SE")
def test_the_default_biases_of_linear_have_variance_one_over_three_fan_in():
    """nn.Linear: uniform biases with a variance of one over three times fan-in."""
    torch.manual_seed(0)
    for fan_in in (4, 64, 4096):
        bias = torch.nn.Linear(fan_in, 20_000 if fan_in < 4096 else 5000).bias.detach()
        assert float(bias.abs().max()) <= fan_in**-0.5
        relative = float(bias.square().mean()) * 3 * fan_in - 1
        assert abs(relative) < 4 * math.sqrt(0.8 / len(bias))
    layer = torch.nn.Linear(50, 20_000)
    torch.nn.init.normal_(layer.bias, std=0.3)
    assert float(layer.bias.detach().std()) == pytest.approx(0.3, rel=0.03)


def test_depth_scale_is_the_layers_per_factor_e(values):
    point = values("mean_field")["points"]["tanh, ordered"]
    assert point["chi_1"] ** point["depth_scale"] == pytest.approx(1 / math.e)
