"""GELU and SiLU: closed forms, the unstable fixed point, the half-stable one."""

import math

import pytest
import torch
from torch.nn import functional

from x0.initialization import mean_field_gelu as module


@pytest.mark.parametrize("q", [0.1, 1.0, 3.56, 20.0])
def test_closed_forms_agree_with_quadrature(q):
    share, slope, _ = module.activation_moments(
        functional.gelu, torch.tensor(q, dtype=torch.float64)
    )
    assert module.gelu_moments(q) == pytest.approx((float(share), float(slope)), rel=1e-12)


def test_at_one_the_closed_forms_are_those_of_the_page():
    root = math.sqrt(3) * math.pi
    expected = (1 / 3 + 1 / (2 * root), 1 / 3 + 2 / (3 * root))
    assert module.gelu_moments(1.0) == pytest.approx(expected, rel=1e-14)


def test_critical_points(values):
    critical = values("mean_field_gelu")["critical"]
    q, weight, bias = critical["GELU"]
    assert q == pytest.approx((3 + math.sqrt(17)) / 2, rel=1e-9)
    assert weight == pytest.approx(1.98305826, abs=1e-8)
    assert bias == pytest.approx(0.17292239, abs=1e-8)
    q, weight, bias = critical["SiLU"]
    assert q == pytest.approx(14.32017, abs=1e-4)
    assert weight == pytest.approx(1.98800468, abs=1e-7)
    assert bias == pytest.approx(0.55514317, abs=1e-6)


@pytest.mark.parametrize("phi", [functional.gelu, functional.silu])
def test_both_factors_are_one_there(phi):
    q, weight, bias = module.critical_point(phi)
    share, slope, response = module.activation_moments(phi, torch.tensor(q).double())
    assert weight * float(share) + bias == pytest.approx(q, rel=1e-6)
    assert weight * float(slope) == pytest.approx(1, abs=1e-6)
    assert weight * float(response) == pytest.approx(1, abs=1e-6)


@pytest.mark.proves("gains-half-stable", kind="search", range="q within 1 %, 81 values")
@pytest.mark.parametrize(("phi", "sign"), [(functional.gelu, -1), (functional.silu, 1)])
def test_the_critical_point_is_half_stable(phi, sign):
    """GELU creeps down on both sides, SiLU up; within 1 % a layer moves q by less than 1e-4."""
    q, weight, bias = module.critical_point(phi)
    near = q * torch.linspace(0.99, 1.01, 81, dtype=torch.float64)
    move = weight * module.activation_moments(phi, near)[0] + bias - near
    assert float(move.abs().max()) < 1e-4 * q
    assert float((move * sign).min()) > -1e-9 * q
    q, weight, bias = module.critical_point(phi)
    other, sides = module.neighbor(phi, q, weight, bias)
    # V(x) - x has one sign on both sides: it attracts on one side and repels on the other.
    assert sides[0] * sign > 0
    assert sides[1] * sign > 0
    assert (other - q) * sign > 0
    share, *_ = module.activation_moments(phi, torch.tensor(other, dtype=torch.float64))
    assert weight * float(share) + bias == pytest.approx(other, rel=1e-9)
    # And it is slow: less than one part in ten thousand per layer.
    assert max(abs(x) for x in sides) < 1e-4 * q


def test_the_normalizing_gain_stands_on_an_unstable_fixed_point(values):
    orbits = values("mean_field_gelu")["orbits"]
    for name in ("GELU", "SiLU"):
        assert orbits[name, 0.99][-1] < 1e-3
        assert orbits[name, 1.01][-1] > 50


def test_tanh_has_no_such_point():
    with pytest.raises(ValueError, match=r"Received: low=0\.5, high=50\.0"):
        module.critical_point(torch.tanh)


def test_an_orbit_adds_the_bias_and_stops_outside_its_range():
    """ReLU with weight variance w / n and bias variance b: q becomes w q / 2 + b."""
    assert module.orbit(torch.relu, 2.0, 0.5, 1.0, 4) == pytest.approx([1, 1.5, 2, 2.5])
    assert module.orbit(torch.relu, 20.0, 0.0, 1.0, 50) == pytest.approx([1, 10, 100, 1e3, 1e4])
    assert len(module.orbit(torch.relu, 2e-4, 0.0, 1.0, 50)) == 4
