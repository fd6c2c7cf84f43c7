"""Correlation maps: closed form against quadrature and networks, and the decay."""

import math

import numpy as np
import pytest
import torch

from x0.initialization import mean_field_correlation as module


@pytest.fixture(scope="module")
def values():
    return module.demo()


def test_relu_map_against_random_directions():
    rng = np.random.default_rng(0)
    c = 0.3
    u, t = rng.standard_normal((2, 400_000))
    other = c * u + math.sqrt(1 - c**2) * t
    product = 2 * np.maximum(u, 0) * np.maximum(other, 0)
    error = product.std() / math.sqrt(product.size)
    theory = float(module.relu_map(torch.tensor(c)))
    assert abs(product.mean() - theory) < 4 * error < 0.05 * theory
    assert abs(product.mean() - c) > 4 * error


def test_smooth_map_is_one_at_one_and_has_slope_chi():
    weight, bias = 4.0, 0.1
    q = module.fixed_q(torch.tanh, weight, bias)
    c = torch.tensor([1.0, 1 - 1e-5], dtype=torch.float64)
    at_one, near = module.smooth_map(torch.tanh, weight, bias, q, c).tolist()
    assert at_one == pytest.approx(1, abs=1e-9)
    t = torch.linspace(-10, 10, 2001, dtype=torch.float64)
    density = torch.exp(-(t**2) / 2)
    slope = 1 - torch.tanh(math.sqrt(q) * t) ** 2
    chi = weight * float((density @ slope**2) / density.sum())
    assert (1 - near) / 1e-5 == pytest.approx(chi, rel=1e-3)
    assert chi > 1


def test_figure_ordered_critical_chaotic(values):
    assert 1 - values["ordered_100"] < 1e-9
    assert values["chaotic_100"] == pytest.approx(values["chaotic_30"], abs=0.02)
    assert values["chaotic_100"] < 0.5
    # The critical ones approach by a power: a factor, not decades, from 30 to 100.
    for name in ("he", "critical"):
        ratio = (1 - values[f"{name}_30"]) / (1 - values[f"{name}_100"])
        assert 2 < ratio < 12


def test_relu_follows_nine_pi_squared_over_two_l_squared(values):
    assert values["he_scaled"] == pytest.approx(1, abs=0.02)
    assert values["he_100"] == pytest.approx(values["he_law_100"], abs=1e-3)
    # In maps from c_0 = 0: 0.972 after 30 and 0.9964 after 100.
    path = module.correlations(module.relu_map, 101)
    assert path[30] == pytest.approx(0.972, abs=5e-4)
    assert path[100] == pytest.approx(0.9964, abs=5e-5)


def test_errors():
    with pytest.raises(ValueError, match="Received: c="):
        module.smooth_map(torch.tanh, 1.0, 0.0, 1.0, torch.tensor([1.5]))
