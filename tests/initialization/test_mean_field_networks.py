"""Real networks follow the predictions, and reject those of another network."""

import math

import matplotlib.pyplot as plt
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


@pytest.mark.proves("mean-field-networks", kind="caption", n=20)
def test_figure_gelu_vanishes_and_only_chaos_parts_the_inputs():
    """GELU with He vanishes; only chaos parts inputs; d: two vanish, one explodes, ReLU level."""
    figure = module.plot_layers()
    q, distance, d = (
        {line.get_label(): line.get_ydata() for line in axis.lines if line.get_ls() == "None"}
        for axis in figure.axes
    )
    names = list(module.NETWORKS)
    labels = {k: list(panel.values()) for k, panel in (("q", q), ("c", distance), ("d", d))}
    q, distance, d = (dict(zip(names, labels[k], strict=True)) for k in "qcd")
    assert [name for name in names if q[name][-1] < 1e-2] == ["GELU, He"]
    assert [name for name in names if distance[name][-1] > 0.5] == ["tanh, gain 5/3"]
    assert d["tanh, ordered"][0] < 1e-3
    assert d["GELU, He"][0] < 1e-3
    assert d["tanh, gain 5/3"][0] > 30
    assert 0.7 < d["ReLU, He"][0] < 1.4
    assert 0.15 < d["GELU, critical"][0] < 0.25
    plt.close(figure)


def test_chi_of_tanh_at_its_fixed_point(values):
    mean, error = values("mean_field_networks")["chi_1"]
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
