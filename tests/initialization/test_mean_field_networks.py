"""Real networks follow the predictions, and reject those of another network."""

import math

import numpy as np
import pytest
import torch

from x0.initialization import mean_field_networks as module


@pytest.fixture(scope="module")
def measured():
    return module.measure_layers(32, 4).double()


@pytest.mark.parametrize("index", range(5))
def test_q_c_and_d_follow_the_maps(measured, index):
    settings = list(module.NETWORKS.values())
    predicted = module.predict_layers(*settings[index], 0.5)
    # Five layers: enough to tell laws apart, and 1 / width does not add up yet.
    for row, layer in ((0, 5), (1, 5), (2, 14)):
        mean, error = module.typical(measured[row, index, :, layer], "qcd"[row])
        theory = float(predicted[row, layer])
        slack = 0.03 * theory  # of the order depth / width
        assert error < 0.05 * theory
        assert abs(mean - theory) < 4 * error + slack, ("qcd"[row], mean, theory)


def test_another_law_is_rejected(measured):
    ordered, chaotic = (
        module.predict_layers(*module.NETWORKS[name], 0.5)
        for name in ("tanh, ordered", "tanh, gain 5/3")
    )
    for row in range(3):
        layer = (5, 5, 14)[row]
        mean, error = module.typical(measured[row, 0, :, layer], "qcd"[row])
        right, wrong = float(ordered[row, layer]), float(chaotic[row, layer])
        assert abs(mean - wrong) > 4 * error + 0.03 * wrong
        assert abs(mean - right) < 4 * error + 0.03 * right


def test_figure_gelu_vanishes_and_only_chaos_parts_the_inputs(measured):
    q = measured[0].mean(dim=1)
    c = measured[1].mean(dim=1)
    d = measured[2].log().mean(dim=1).exp()
    names = list(module.NETWORKS)
    assert float(q[names.index("GELU, He"), -1]) < 1e-2
    assert [name for i, name in enumerate(names) if c[i, -1] < 0.4] == ["tanh, gain 5/3"]
    assert float(d[names.index("tanh, ordered"), 0]) < 1e-2
    assert float(d[names.index("tanh, gain 5/3"), 0]) > 10
    assert 0.4 < float(d[names.index("ReLU, He"), 0]) < 2.5


def test_chi_of_tanh_at_its_fixed_point():
    mean, error = module.demo()["tanh_factor"]
    assert abs(mean - 1.2098) < 4 * error + 0.006
    assert error < 0.05
    # Not 1, and not the square of the gain.
    assert abs(mean - 1) > 4 * error
    assert abs(mean - 25 / 9) > 4 * error


def test_prediction_of_relu_needs_no_node_at_the_kink():
    q, c, d = module.predict_layers(torch.relu, 2.0, 0.0, 0.0)
    assert np.allclose(q, 1, atol=1e-9)
    assert np.allclose(d, 1, atol=1e-9)
    exact = math.sqrt(1) / math.pi
    assert c[1] == pytest.approx(exact, abs=1e-3)
