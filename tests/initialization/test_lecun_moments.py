"""Quadrature against closed forms, and what gain 1 does to nine activation functions."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from scipy import integrate, stats

from x0.initialization import lecun_moments as module


@pytest.fixture
def found(values):
    return values("lecun_moments")


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


@pytest.mark.parametrize("name", ["tanh", "logistic", "SELU", "GELU", "SiLU", "ELU"])
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
def test_lecun_suits_the_scaled_tanh_and_not_the_logistic(found):
    # The scaled tanh settles, and its gradient factor is within 2 % of 1.
    assert found["q"]["scaled tanh"] == pytest.approx(0.38244, abs=1e-5)
    assert abs(found["chi"]["scaled tanh"] - 1) < 0.02
    # The sigmoid settles too, but no q saves its gradient: at most 1/16 per layer.
    assert found["q"]["logistic"] == pytest.approx(0.26469, abs=1e-5)
    assert 17.9 < found["loss"] < 18.0
    q = torch.logspace(-4, 3, 60, dtype=torch.float64)
    assert float(module.activation_moments(torch.sigmoid, q)[1].max()) <= 1 / 16
    # Plain tanh decays like 1 / (2 l): at layer 100, within a tenth.
    assert found["q"]["tanh"] * 200 == pytest.approx(1, abs=0.1)


def test_selu_settles_at_one_from_both_sides_and_its_gradient_grows(found):
    assert found["q"]["SELU"] == pytest.approx(1, abs=1e-6)
    assert 0 < found["response"]["SELU"] < 1
    assert found["chi"]["SELU"] > 1.07
    q = torch.tensor([0.2, 4.0], dtype=torch.float64)
    for _ in range(100):
        q = module.activation_moments(torch.selu, q)[0]
    assert q.tolist() == pytest.approx([1, 1], abs=1e-6)


def test_functions_that_stay_above_the_line_decay(found):
    assert found["q"]["ReLU"] == pytest.approx(0.5**99)
    for name in ("GELU", "SiLU"):
        assert found["q"][name] < 1e-50
        assert found["chi"][name] == pytest.approx(0.25, abs=1e-6)
    assert found["q"]["ELU"] < 1e-3


@pytest.mark.proves("lecun-scale", kind="caption", range="q 0.01…100, 9 functions")
def test_figure_relu_is_flat_and_three_curves_cross_the_line():
    """ReLU family flat; three curves cross; the logistic enters at q = 28 and is 1 at 46."""
    q = torch.logspace(-2, 2, 41, dtype=torch.float64)
    for name, phi in module.ACTIVATIONS.items():
        share, slope, _ = module.activation_moments(phi, q)
        gain2, chi = q / share, q / share * slope
        crosses = bool((gain2 < 1).any() and (gain2 > 1).any())
        assert crosses == (name in ("scaled tanh", "SELU", "logistic"))
        flat = bool((chi - 1).abs().max() < 1e-10)
        assert flat == (name in ("ReLU", "leaky 0.2"))
    figure = module.plot_scale()
    above, below = figure.axes
    bottom, top = below.get_ylim()
    assert (bottom, top) == (0.8, 1.4)
    names = [line.get_label() for line in above.lines[: len(module.ACTIVATIONS)]]
    curve = below.lines[names.index("logistic")]
    x, y = curve.get_data()
    x, y = np.asarray(x), np.asarray(y)
    assert np.interp(0.8, y, x) == pytest.approx(28, abs=0.7)
    assert np.interp(1.0, y, x) == pytest.approx(46, abs=0.7)
    assert np.all(np.diff(y) > 0)
    plt.close(figure)


def test_the_four_times_rule_for_the_logistic_still_decays(found):
    assert found["four_q"] > 4
    assert 0.3 < found["four_chi"] < 0.5
    assert found["gain"] == pytest.approx(1.15437, abs=1e-5)
