"""The gain table: closed forms, PyTorch's constants, and the claims on it."""

import math

import pytest
import torch
from torch.nn import functional

from x0.initialization import mean_field_gains as module


def test_the_table_has_at_least_twelve_activations():
    assert len(module.ACTIVATIONS) >= 12


CLOSED = {
    "relu": math.sqrt(2),
    "leaky_relu 0.2": math.sqrt(2 / 1.04),
    "erf": 1 / math.sqrt(2 / math.pi * math.asin(2 / 3)),
    "gelu": (1 / 3 + 1 / (2 * math.sqrt(3) * math.pi)) ** -0.5,
    "relu squared": math.sqrt(2 / 3),
    "selu": 1.0,
}


@pytest.mark.parametrize("name", CLOSED)
def test_gains_with_a_closed_form(values, name):
    gain, *_ = values("mean_field_gains")["gains"][name]
    assert gain == pytest.approx(CLOSED[name], rel=1e-7)


def test_hardtanh_has_its_kinks_on_panel_ends(values):
    # E[hardtanh^2] = 1 - 2 phi(1), by parts; the slope is 1 with probability P(|Z| < 1).
    density = math.exp(-0.5) / math.sqrt(2 * math.pi)
    inside = math.erf(1 / math.sqrt(2))
    share = inside - 2 * density + (1 - inside)
    gain, chi_1, _ = values("mean_field_gains")["gains"]["hardtanh"]
    assert gain**-2 == pytest.approx(share, rel=1e-10)
    assert chi_1 == pytest.approx(inside / share, rel=1e-10)


PYTORCH = {
    "linear": 1.0,
    "relu": math.sqrt(2),
    "leaky_relu": math.sqrt(2 / 1.0001),
    "leaky_relu 0.2": math.sqrt(2 / 1.04),
    "tanh": 5 / 3,
    "sigmoid": 1.0,
    "selu": 0.75,
}


@pytest.mark.proves("gains-pytorch", kind="call", range="calculate_gain, 18 names")
@pytest.mark.parametrize("name", list(module.ACTIVATIONS))
def test_pytorch_knows_these_gains_and_raises_for_the_others(name):
    """The last column is what calculate_gain returns; gelu, silu, mish and others raise."""
    assert module.pytorch_gain(name) == pytest.approx(PYTORCH.get(name))
    if name not in PYTORCH:
        with pytest.raises(ValueError, match="Unsupported"):
            torch.nn.init.calculate_gain(name)


@pytest.mark.proves("gains-sorted", kind="search", range="18 functions, q = 1")
def test_the_sign_of_chi_par_minus_one_sorts_the_activations(values):
    """Both 1: ReLU family, linear. Below 1: chi_1 above 1, but for logistic and softplus."""
    gains = values("mean_field_gains")["gains"]
    both = {n for n, (_, a, b) in gains.items() if abs(a - 1) < 1e-9 and abs(b - 1) < 1e-9}
    assert both == {"linear", "relu", "leaky_relu", "leaky_relu 0.2"}
    above = {name for name, (_, _, b) in gains.items() if b > 1 + 1e-9}
    assert above == {"gelu", "silu", "mish", "hardswish", "relu squared"}
    below = set(gains) - both - above
    assert {name for name in below if gains[name][1] < 1} == {"sigmoid", "softplus"}
    for name in ("sigmoid", "tanh", "selu"):  # PyTorch's gain does not hold q = 1
        assert abs(gains[name][0] / module.pytorch_gain(name) - 1) > 0.04
    chi_1, chi_par = ({name: row[i] for name, row in gains.items()} for i in (1, 2))
    for name in ("relu", "leaky_relu", "linear"):
        assert chi_1[name] == pytest.approx(1, abs=1e-12)
        assert chi_par[name] == pytest.approx(1, abs=1e-12)
    for name in ("tanh", "scaled tanh", "softsign", "erf", "hardtanh", "selu", "elu"):
        assert chi_par[name] < 1 < chi_1[name]
    for name in ("gelu", "silu", "mish", "hardswish", "relu squared"):
        assert chi_par[name] > 1
    for name in ("sigmoid", "softplus"):
        assert chi_1[name] < 0.35


@pytest.mark.proves("gains-gelu-tanh", kind="fact", tolerance="1e-4")
def test_the_tanh_form_of_gelu_has_almost_the_same_gain(values):
    """approximate="tanh" has the gain of the exact form to within one part in ten thousand."""
    gain, *_ = module.normalizing_gain(lambda z: functional.gelu(z, approximate="tanh"))
    assert gain == pytest.approx(values("mean_field_gains")["gains"]["gelu"][0], rel=1e-4)


@pytest.mark.proves("gains-sampled", kind="ratio", seeds=200, effect="> 4")
def test_a_sampled_gain_of_squared_relu_is_worse_than_one_of_tanh():
    """The relative error of a sampled gain is more than 4 times as large for squared ReLU as for tanh."""
    nodes, weights = module.gaussian_rule()
    square = {name: module.ACTIVATIONS[name](nodes) ** 2 for name in ("tanh", "relu squared")}
    variance = {n: float(weights @ x**2 / (weights @ x) ** 2) - 1 for n, x in square.items()}
    assert variance["relu squared"] == pytest.approx(67 / 3, rel=1e-9)
    assert variance["tanh"] < 1
    generator = torch.Generator().manual_seed(5)
    z = torch.randn(200, 10_000, generator=generator)
    error = {
        name: float((module.ACTIVATIONS[name](z).square().mean(1) ** -0.5).std())
        / module.normalizing_gain(module.ACTIVATIONS[name])[0]
        for name in square
    }
    assert error["relu squared"] > 4 * error["tanh"]


def test_errors():
    with pytest.raises(ValueError, match=r"Received: 0\.0"):
        module.normalizing_gain(lambda z: 0.0 * z)


@pytest.mark.claim("A-14")
def test_different_activations_need_different_gains(values):
    gains = {name: gain for name, (gain, *_) in values("mean_field_gains")["gains"].items()}
    """Each function's own gain holds q = 1 in a layer, and the gain of no other one does."""
    names = ("tanh", "gelu", "selu", "sigmoid", "softsign", "relu")
    assert len({round(gains[name], 2) for name in names}) == len(names)
    assert gains["selu"] == pytest.approx(1, abs=1e-7)
    rows = values("mean_field_gains")["gains"]
    kept = {name for name, (_, chi_1, _) in rows.items() if abs(chi_1 - 1) < 1e-9}
    assert kept == {"linear", "relu", "leaky_relu", "leaky_relu 0.2"}  # signal and gradient
    assert all(abs(rows[name][1] - 1) > 1e-3 for name in rows.keys() - kept)
    # Real layers, from q = 1: its own gain holds it, each other one misses it.
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(200, 256, 1, generator=generator)
    weight = torch.randn(200, 256, 256, generator=generator) / 16
    for name in names:
        raw = (weight @ module.ACTIVATIONS[name](z)).square().mean((1, 2)).double()
        for other in names:
            q = gains[other] ** 2 * raw
            error = float(q.std()) / math.sqrt(200)
            assert error < 0.02 * float(q.mean())
            assert (abs(float(q.mean()) - 1) < 4 * error) == (name == other)


@pytest.mark.claim("B-20")
def test_the_activation_matters_beyond_first_order(values):
    small = torch.tensor([1e-4, 1e-3], dtype=torch.float64)
    share = module.activation_moments(torch.tanh, small)[0] / small
    # To first order tanh changes nothing, and the loss is 2 q.
    assert ((1 - share) / small).tolist() == pytest.approx([2, 2], rel=0.01)
    # At q = 1 it does: 0.39 of the signal, and 1.18 in the gradient once that is made up for.
    left = values("mean_field_gains")
    assert left["kept"] == pytest.approx(0.39429, abs=1e-5)
    assert left["gains"]["tanh"][1] == pytest.approx(1.17781, abs=1e-5)
