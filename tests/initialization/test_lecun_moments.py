"""Quadrature against closed forms, and what gain 1 does to nine activation functions."""

import math

import pytest
import torch
from scipy import integrate, stats

from x0.initialization import lecun_moments as module


@pytest.fixture(scope="module")
def values():
    return module.demo()


def moments(name, q):
    phi = module.ACTIVATIONS[name]
    return [float(x) for x in module.activation_moments(phi, torch.tensor(q, dtype=torch.float64))]


def test_the_rule_integrates_polynomials_and_kinks():
    z, w = module.gaussian_rule()
    for power, moment in ((0, 1), (1, 0), (2, 1), (4, 3), (8, 105)):
        assert float(w @ z**power) == pytest.approx(moment, abs=1e-12, rel=1e-12)
    assert float(w @ z.abs()) == pytest.approx(math.sqrt(2 / math.pi), rel=1e-13)


@pytest.mark.parametrize("q", [0.01, 1.0, 100.0])
def test_homogeneous_functions_have_their_closed_forms(q):
    assert moments("ReLU", q) == pytest.approx([q / 2, 0.5, 0.5], rel=1e-12)
    assert moments("leaky 0.2", q) == pytest.approx([0.52 * q, 0.52, 0.52], rel=1e-12)


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "SELU", "GELU", "SiLU", "ELU"])
@pytest.mark.parametrize("q", [0.01, 1.0, 30.0])
def test_agrees_with_adaptive_quadrature(name, q):
    phi = module.ACTIVATIONS[name]

    def square(z):
        return float(phi(torch.tensor(z * q**0.5, dtype=torch.float64))) ** 2 * stats.norm.pdf(z)

    expected = integrate.quad(square, -12, 12, points=[0], epsabs=1e-13, limit=200)[0]
    assert moments(name, q)[0] == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("name", list(module.ACTIVATIONS))
def test_the_response_is_the_derivative_of_the_map(name):
    step = 1e-4
    slope = (moments(name, 1 + step)[0] - moments(name, 1 - step)[0]) / (2 * step)
    assert moments(name, 1.0)[2] == pytest.approx(slope, rel=1e-6)


def test_errors():
    with pytest.raises(ValueError, match="Received: q="):
        module.activation_moments(torch.tanh, torch.tensor([1.0, 0.0]))


@pytest.mark.claim("A-33")
def test_lecun_suits_the_scaled_tanh_and_not_the_sigmoid(values):
    # The scaled tanh settles, and its gradient factor is within 2 % of 1.
    assert values["scaled_tanh_q"] == pytest.approx(0.38244, abs=1e-5)
    assert abs(values["scaled_tanh_chi"] - 1) < 0.02
    # The sigmoid settles too, but no q saves its gradient: at most 1/16 per layer.
    assert values["sigmoid_q"] == pytest.approx(0.26469, abs=1e-5)
    assert 17.9 < values["sigmoid_loss"] < 18.0
    q = torch.logspace(-4, 3, 60, dtype=torch.float64)
    assert float(module.activation_moments(torch.sigmoid, q)[1].max()) <= 1 / 16
    # Plain tanh decays like 1 / (2 l): at layer 100, within a tenth.
    assert values["tanh_q"] * 200 == pytest.approx(1, abs=0.1)


def test_selu_settles_at_one_from_both_sides_and_its_gradient_grows(values):
    assert values["selu_q"] == pytest.approx(1, abs=1e-6)
    assert 0 < values["selu_response"] < 1
    assert values["selu_chi"] > 1.07
    q = torch.tensor([0.2, 4.0], dtype=torch.float64)
    for _ in range(100):
        q = module.activation_moments(torch.selu, q)[0]
    assert q.tolist() == pytest.approx([1, 1], abs=1e-6)


def test_functions_that_stay_above_the_line_decay(values):
    assert values["relu_q"] == pytest.approx(0.5**99)
    for name in ("gelu", "silu"):
        assert values[f"{name}_q"] < 1e-50
        assert values[f"{name}_chi"] == pytest.approx(0.25, abs=1e-6)
    assert values["elu_q"] < 1e-3


def test_figure_relu_is_flat_and_three_curves_cross_the_line():
    q = torch.logspace(-2, 2, 41, dtype=torch.float64)
    for name, phi in module.ACTIVATIONS.items():
        share, slope, _ = module.activation_moments(phi, q)
        gain2, chi = q / share, q / share * slope
        crosses = bool((gain2 < 1).any() and (gain2 > 1).any())
        assert crosses == (name in ("scaled tanh", "SELU", "sigmoid"))
        flat = bool((chi - 1).abs().max() < 1e-10)
        assert flat == (name in ("ReLU", "leaky 0.2"))


def test_the_four_times_rule_for_the_sigmoid_still_decays(values):
    assert values["sigmoid_four_q"] > 4
    assert 0.3 < values["sigmoid_four_chi"] < 0.5
    assert values["scaled_tanh_gain"] == pytest.approx(1.15437, abs=1e-5)
