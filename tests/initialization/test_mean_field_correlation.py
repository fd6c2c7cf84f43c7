"""Correlation maps: closed form against quadrature and networks, and the decay."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.initialization import mean_field_correlation as module


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


@pytest.mark.proves("mean-field-maps", kind="caption", n=4)
def test_figure_maps_and_distances():
    """At 1: ordered flatter, chaotic steeper. Below: exponential, powers, a finite distance."""
    figure = module.plot_maps()
    above = {line.get_label(): line for line in figure.axes[0].lines}
    names = ("ReLU, He", "tanh, ordered", "tanh, critical", "tanh, chaotic")
    below = dict(zip(names, figure.axes[1].lines, strict=False))
    slope = {}
    for name in names:
        x, y = above[name].get_data()
        slope[name] = (y[-1] - y[-2]) / (x[-1] - x[-2])
        cross = np.flatnonzero(np.asarray(y[:-1]) < np.asarray(x[:-1]))
        assert (len(cross) > 0) == (name == "tanh, chaotic")
    assert slope["tanh, ordered"] < 0.75 < slope["tanh, critical"] < 1.02 < slope["tanh, chaotic"]
    y = {name: line.get_ydata() for name, line in below.items()}
    rates = np.diff(np.log(y["tanh, ordered"][5:40]))
    assert np.ptp(rates) < 0.05 * abs(rates.mean())  # a straight line over l
    for name in ("ReLU, He", "tanh, critical"):
        powers = [
            math.log(y[name][b] / y[name][a]) / math.log((b + 1) / (a + 1))
            for a, b in ((19, 49), (49, 99))
        ]
        assert -2.2 < min(powers) < max(powers) < -0.7
        assert abs(powers[0] - powers[1]) < 0.3
    assert y["tanh, chaotic"][99] > 0.7
    assert abs(y["tanh, chaotic"][99] / y["tanh, chaotic"][60] - 1) < 1e-3
    plt.close(figure)


@pytest.mark.proves(
    "mean-field-parallel", kind="search", range="c -1…0.9999, 401 values, 5000 layers"
)
def test_two_inputs_become_parallel_from_any_correlation():
    """Critical ReLU: c tends to 1 whatever the correlation at the start."""
    c = torch.cat([torch.linspace(-1, 0.99, 400), torch.tensor([0.9999])]).double()
    for layer in range(1, 5001):
        after = module.relu_map(c)
        assert bool((after > c - 1e-12).all())
        c = after
        if layer == 50:
            assert float(c.min()) > 0.98
    assert float(c.min()) > 1 - 2e-6


def test_figure_ordered_critical_chaotic(values):
    paths = values("mean_field_correlation")["paths"]
    assert 1 - paths["tanh, ordered"][99] < 1e-9
    chaotic = paths["tanh, chaotic"]
    assert chaotic[99] == pytest.approx(chaotic[29], abs=0.02)
    assert chaotic[99] < 0.5
    # The critical ones approach by a power: a factor, not decades, from 30 to 100.
    for name in ("ReLU, He", "tanh, critical"):
        ratio = (1 - paths[name][29]) / (1 - paths[name][99])
        assert 2 < ratio < 12


def test_relu_follows_nine_pi_squared_over_two_l_squared(values):
    left = values("mean_field_correlation")
    assert left["scaled"] == pytest.approx(1, abs=0.02)
    assert left["paths"]["ReLU, He"][99] == pytest.approx(left["law"], abs=1e-3)
    # In maps from c_0 = 0: 0.972 after 30 and 0.9964 after 100.
    path = module.correlations(module.relu_map, 101)
    assert path[30] == pytest.approx(0.972, abs=5e-4)
    assert path[100] == pytest.approx(0.9964, abs=5e-5)


def test_the_critical_network_is_critical():
    weight, bias = module.tanh_networks()["tanh, critical"]
    q = module.fixed_q(torch.tanh, weight, bias)
    c = torch.tensor([1 - 1e-6], dtype=torch.float64)
    near = float(module.smooth_map(torch.tanh, weight, bias, q, c))
    assert (1 - near) / 1e-6 == pytest.approx(1, abs=1e-4)


def test_errors():
    with pytest.raises(ValueError, match="Received: c="):
        module.smooth_map(torch.tanh, 1.0, 0.0, 1.0, torch.tensor([1.5]))


def test_the_fixed_point_is_the_one_reached_from_1():
    """A line keeps every q; with a bias below 1 only the limit of the geometric series is left."""
    assert module.fixed_q(lambda z: z, 1.0, 0.0) == pytest.approx(1)
    assert module.fixed_q(lambda z: z, 0.5, 0.25) == pytest.approx(0.5)


def test_the_three_tanh_networks_lie_on_one_line_below_at_and_above_the_edge():
    """One bias variance; the response at a correlation near 1 is below 1, 1, above 1."""
    networks = module.tanh_networks()
    assert {bias for _, bias in networks.values()} == {0.1}
    c = torch.tensor([1 - 1e-6], dtype=torch.float64)
    slopes = []
    for weight, bias in networks.values():
        q = module.fixed_q(torch.tanh, weight, bias)
        slopes.append((1 - float(module.smooth_map(torch.tanh, weight, bias, q, c))) / 1e-6)
    assert slopes[0] < 0.8 < 0.999 < slopes[1] < 1.001 < 1.2 < slopes[2]
