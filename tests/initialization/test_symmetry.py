import math

import numpy as np
import pytest
import torch
from torch import nn

from x0.initialization import symmetry
from x0.initialization.symmetry import different_units


def test_units_are_compared_by_all_their_weights():
    same = torch.full((4, 3), 0.1)
    out = torch.full((2, 4), 0.3)
    assert different_units(same, torch.zeros(4), out) == 1
    out[0, 1] = 0.2  # one unit differs in what it sends
    assert different_units(same, torch.zeros(4), out) == 2
    assert different_units(same, torch.tensor([0.0, 1.0, 1.0, 2.0])) == 3


def test_rounding_does_not_count_as_a_difference():
    weight = torch.full((5, 3), 0.1, dtype=torch.float64)
    weight += 1e-12 * torch.arange(5).view(-1, 1)
    assert different_units(weight) == 1
    assert different_units(weight, tolerance=1e-14) == 5


def test_kernels_are_flattened_and_random_layers_have_all_units():
    torch.manual_seed(0)
    conv = nn.Conv2d(3, 8, 3)
    assert different_units(conv.weight, conv.bias) == 8
    nn.init.constant_(conv.weight, 0.1)
    assert different_units(conv.weight) == 1


def test_numbers_of_units_are_checked():
    with pytest.raises(ValueError, match=r"Received: \[4, 3\]"):
        different_units(torch.ones(4, 2), torch.ones(3))


@pytest.mark.claim("A-09")
def test_small_random_breaks_the_symmetry_without_saturation():
    generator = torch.Generator().manual_seed(0)
    weight = 0.01 * torch.randn(64, 64, generator=generator)
    assert different_units(weight) == 64
    z = torch.randn(1000, 64, generator=generator) @ weight.T
    assert float(torch.tanh(z).abs().max()) < 0.5


@pytest.mark.claim("A-10")
def test_the_scale_not_the_randomness_is_the_defect():
    from x0.initialization.he_depth import second_moments

    std = [0.01, math.sqrt(2 / 256)]
    small, he = second_moments(std, 256, 10, 200, np.random.default_rng(0))[:, 10]
    assert small.max() < 1e-17
    assert he.min() > 0.1


@pytest.mark.claim("A-72")
def test_random_units_are_redundant_in_depth():
    c = 0.0
    for _ in range(30):
        c = (math.sqrt(1 - c * c) + c * (math.pi - math.acos(c))) / math.pi
    assert c == pytest.approx(0.972, abs=0.002)


def test_demo_values():
    values = symmetry.demo()
    assert values == {
        "zero": 1.0,
        "constant": 1.0,
        "random": 64.0,
        "random_in_zero_out": 64.0,
    }
