"""A kink spoils Gauss-Hermite; the split rule is exact to rounding."""

import math

import numpy as np
import pytest
import torch

from x0.initialization import mean_field_quadrature as module


def test_the_split_rule_has_no_error(values):
    errors = values("mean_field_quadrature")["errors"]
    assert max(split for _, _, split in errors.values()) < 1e-11


def test_gauss_hermite_is_exact_for_smooth_functions_only(values):
    errors = values("mean_field_quadrature")["errors"]
    assert errors["z^8"][0] < 1e-10
    assert errors["cos"][0] < 1e-12
    for name in ("ReLU", "ELU", "ReLU^3", "tanh^2, q=25"):
        _, eighty, split = errors[name]
        assert eighty > 1e-6
        assert split < eighty


@pytest.mark.proves(
    "gains-quadrature",
    kind="cause",
    range="20…80 nodes",
    effect="q = 25: 0.1 → 0.01; q = 1: 8e-5 → 2e-10",
)
def test_kinks_and_steps_between_nodes_converge_slowly(values):
    """Exact up to degree 2m - 1; ReLU divided by 4; tanh^2 worst at q = 25 and fast at q = 1."""
    errors = values("mean_field_quadrature")["errors"]
    for nodes in (1, 2, 5, 9):
        degree = 2 * nodes - 2
        exact = math.prod(range(1, degree, 2))
        found = module.hermite_mean(lambda z, k=degree: z**k, 1.0, nodes)
        assert found == pytest.approx(exact, rel=1e-9)
        missed = module.hermite_mean(lambda z, k=degree + 2: z**k, 1.0, nodes)
        assert missed < 0.99 * math.prod(range(1, degree + 2, 2))
    twenty, eighty, _ = errors["ReLU"]
    assert 3.5 < twenty / eighty < 4.5
    steep, flat = errors["tanh^2, q=25"], errors["tanh^2, q=1"]
    for column in (0, 1):
        assert steep[column] == max(row[column] for row in errors.values())
    assert steep[0] / steep[1] < 10 < 1e4 < flat[0] / flat[1]
    # The slope of tanh(5 z) has its half width within the gap of the nodes beside 0.
    gap = np.diff(np.polynomial.hermite_e.hermegauss(80)[0]).min()
    assert math.atanh(math.sqrt(0.5)) / 5 < gap
    assert max(split for _, _, split in errors.values()) < 1e-11


@pytest.mark.proves("gains-symmetry", kind="fact", range="2…80 nodes, even")
def test_symmetry_hides_the_kink_of_relu():
    """phi^2 and phi'^2 of ReLU are exact by symmetry for an even number of nodes."""
    for nodes in (2, 20, 80):
        slope = module.hermite_mean(lambda z: (z > 0).double(), 1.0, nodes)
        assert slope == pytest.approx(0.5, abs=1e-12)
    odd = module.hermite_mean(lambda z: (z > 0).double(), 1.0, 21)
    assert abs(odd - 0.5) > 0.05  # the node at 0 is on one side only
    square = module.hermite_mean(lambda z: torch.relu(z) ** 2, 1.0, 20)
    assert square == pytest.approx(0.5, abs=1e-12)


def test_errors():
    with pytest.raises(ValueError, match="Received: nodes=0"):
        module.hermite_mean(torch.relu, 1.0, 0)
