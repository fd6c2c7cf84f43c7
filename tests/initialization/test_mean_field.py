"""The q-map and its factors: against closed forms, and what each figure claims."""

import math

import pytest
import torch
from torch.nn import functional

from x0.initialization import mean_field as module


@pytest.fixture(scope="module")
def values():
    return module.demo()


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
    q = values["tanh_gain_53_q"]
    path = module.iterate_map(torch.tanh, 25 / 9, 0.0, q * 1.001, 4)
    rate = (path[3] - q) / (path[2] - q)
    assert rate == pytest.approx(values["tanh_gain_53_chi_par"], rel=1e-3)


def test_tanh_with_gain_five_thirds_settles_and_is_chaotic(values):
    assert values["tanh_gain_53_q"] == pytest.approx(1.178, abs=1e-3)
    assert values["tanh_gain_53_chi_1"] == pytest.approx(1.2098, abs=1e-4)
    for start in (0.1, 2.1):
        path = module.iterate_map(torch.tanh, 25 / 9, 0.0, start, 60)
        assert path[-1] == pytest.approx(values["tanh_gain_53_q"], rel=1e-9)


def test_gelu_with_the_variance_of_he_decays(values):
    # Ten and thirty maps after q = 1: 0.029 and 3e-8; layer 10 has passed nine.
    path = module.iterate_map(functional.gelu, 2.0, 0.0, 1.0, 31)
    assert path[10] == pytest.approx(0.029, abs=1e-3)
    assert path[30] == pytest.approx(3e-8, rel=0.2)
    assert values["gelu_he_q_10"] == path[9]
    assert values["gelu_he_q_30"] == path[29]
    assert values["gelu_he_chi_1"] == pytest.approx(0.5, abs=1e-6)


def test_figure_gelu_leaves_the_fixed_point_that_its_gain_makes():
    gain2 = 1 / module.iterate_map(functional.gelu, 1.0, 0.0, 1.0, 2)[1]
    assert gain2 == pytest.approx(2.35172, abs=1e-5)
    above = module.iterate_map(functional.gelu, gain2, 0.0, 1.15, 9)
    below = module.iterate_map(functional.gelu, gain2, 0.0, 0.8, 9)
    assert above == sorted(above)
    assert below == sorted(below, reverse=True)


def test_depth_scale_is_the_layers_per_factor_e(values):
    scale = values["tanh_ordered_scale"]
    assert values["tanh_ordered_chi_1"] ** scale == pytest.approx(1 / math.e)
