"""A kink spoils Gauss-Hermite; the split rule is exact to rounding."""

import pytest
import torch

from x0.initialization import mean_field_quadrature as module


@pytest.fixture(scope="module")
def values():
    return module.demo()


def test_the_split_rule_has_no_error(values):
    assert max(v for k, v in values.items() if k.endswith("_split")) < 1e-11


def test_gauss_hermite_is_exact_for_smooth_functions_only(values):
    assert values["z8_20"] < 1e-10
    assert values["cos_20"] < 1e-12
    for name in ("relu", "elu", "relu3", "tanh2"):
        assert values[f"{name}_80"] > 1e-6
        assert values[f"{name}_split"] < values[f"{name}_80"]


def test_more_nodes_help_little_at_a_kink(values):
    assert 2 < values["relu_20"] / values["relu_80"] < 8


def test_symmetry_hides_the_kink_of_relu():
    square = module.hermite_mean(lambda z: torch.relu(z) ** 2, 1.0, 20)
    assert square == pytest.approx(0.5, abs=1e-12)


def test_errors():
    with pytest.raises(ValueError, match="Received: nodes=0"):
        module.hermite_mean(torch.relu, 1.0, 0)
