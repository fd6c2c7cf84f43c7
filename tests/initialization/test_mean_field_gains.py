"""The gain table: closed forms, PyTorch's constants, and the claims on it."""

import math

import pytest
import torch
from torch.nn import functional

from x0.initialization import mean_field_gains as module


@pytest.fixture(scope="module")
def values():
    return module.demo()


def test_the_table_has_at_least_twelve_activations():
    assert len(module.ACTIVATIONS) >= 12


CLOSED = {
    "relu": math.sqrt(2),
    "leaky_relu_02": math.sqrt(2 / 1.04),
    "erf": 1 / math.sqrt(2 / math.pi * math.asin(2 / 3)),
    "gelu": (1 / 3 + 1 / (2 * math.sqrt(3) * math.pi)) ** -0.5,
    "relu_squared": math.sqrt(2 / 3),
    "selu": 1.0,
}


@pytest.mark.parametrize("name", CLOSED)
def test_gains_with_a_closed_form(values, name):
    assert values[f"{name}_gain"] == pytest.approx(CLOSED[name], rel=1e-7)


def test_hardtanh_has_its_kinks_on_panel_ends(values):
    # E[hardtanh^2] = 1 - 2 phi(1), by parts; the slope is 1 with probability P(|Z| < 1).
    density = math.exp(-0.5) / math.sqrt(2 * math.pi)
    inside = math.erf(1 / math.sqrt(2))
    share = inside - 2 * density + (1 - inside)
    assert values["hardtanh_share"] == pytest.approx(share, rel=1e-10)
    assert values["hardtanh_chi_1"] == pytest.approx(inside / share, rel=1e-10)


PYTORCH = {
    "linear": 1.0,
    "relu": math.sqrt(2),
    "leaky_relu": math.sqrt(2 / 1.0001),
    "leaky_relu 0.2": math.sqrt(2 / 1.04),
    "tanh": 5 / 3,
    "sigmoid": 1.0,
    "selu": 0.75,
}


@pytest.mark.parametrize("name", list(module.ACTIVATIONS))
def test_pytorch_knows_these_gains_and_raises_for_the_others(name):
    assert module.pytorch_gain(name) == pytest.approx(PYTORCH.get(name))
    if name not in PYTORCH:
        with pytest.raises(ValueError, match="Unsupported"):
            torch.nn.init.calculate_gain(name)


def test_the_sign_of_chi_par_minus_one_sorts_the_activations(values):
    for name in ("relu", "leaky_relu", "linear"):
        assert values[f"{name}_chi_1"] == pytest.approx(1, abs=1e-12)
        assert values[f"{name}_chi_par"] == pytest.approx(1, abs=1e-12)
    for name in ("tanh", "scaled_tanh", "softsign", "erf", "hardtanh", "selu", "elu"):
        assert values[f"{name}_chi_par"] < 1 < values[f"{name}_chi_1"]
    for name in ("gelu", "silu", "mish", "hardswish", "relu_squared"):
        assert values[f"{name}_chi_par"] > 1
    for name in ("sigmoid", "softplus"):
        assert values[f"{name}_chi_1"] < 0.35


def test_the_tanh_form_of_gelu_has_almost_the_same_gain(values):
    gain, *_ = module.normalizing_gain(lambda z: functional.gelu(z, approximate="tanh"))
    assert gain == pytest.approx(values["gelu_gain"], rel=1e-4)


def test_errors():
    with pytest.raises(ValueError, match=r"Received: 0\.0"):
        module.normalizing_gain(lambda z: 0.0 * z)


@pytest.mark.claim("A-14")
def test_different_activations_need_different_gains(values):
    gains = {values[f"{name}_gain"] for name in ("tanh", "gelu", "selu", "sigmoid", "softsign")}
    assert len({round(gain, 2) for gain in gains}) == 5
    # ReLU's gain on tanh: real networks miss q = 1, tanh's own gain holds it.
    generator = torch.Generator().manual_seed(0)
    for gain, holds in ((values["tanh_gain"], True), (values["relu_gain"], False)):
        z = torch.randn(200, 256, generator=generator)
        for _ in range(3):
            weight = torch.randn(200, 256, 256, generator=generator) * gain / 16
            z = (weight @ z.tanh()[..., None])[..., 0]
        q = z.square().mean(dim=1).double()
        error = float(q.std()) / math.sqrt(200)
        assert error < 0.05
        # 1 / width of bias in each layer
        assert (abs(float(q.mean()) - 1) < 4 * error + 0.01) == holds


@pytest.mark.claim("B-20")
def test_the_activation_matters_beyond_first_order(values):
    small = torch.tensor([1e-4, 1e-3], dtype=torch.float64)
    share = module.activation_moments(torch.tanh, small)[0] / small
    # To first order tanh changes nothing, and the loss is 2 q.
    assert ((1 - share) / small).tolist() == pytest.approx([2, 2], rel=0.01)
    # At q = 1 it does: 0.39 of the signal, and 1.18 in the gradient once that is made up for.
    assert values["tanh_share"] == pytest.approx(0.39429, abs=1e-5)
    assert values["tanh_chi_1"] == pytest.approx(1.17781, abs=1e-5)
