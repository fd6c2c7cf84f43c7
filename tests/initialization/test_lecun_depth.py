"""Real networks follow the prediction, and reject that of another activation."""

import math

import pytest
import torch

from x0.initialization import lecun_depth as module


@pytest.fixture(scope="module")
def measured():
    return module.measured_layers(48, 8).double()


@pytest.mark.parametrize("index", range(4))
def test_q_and_the_gradient_follow_the_prediction(measured, index):
    name, phi = list(module.ACTIVATIONS.items())[index]
    q, d = module.predicted_layers(phi, module.DEPTH)
    other = list(module.ACTIVATIONS.values())[(index + 1) % 4]
    wrong = module.predicted_layers(other, module.DEPTH)
    # Logarithms: the products are log-normal, and their bias of order depth / width is added.
    for row, layer in ((0, 9), (1, 10)):
        seen = measured[row, index, :, layer]
        theory = (q, d)[row][layer]
        error = float(seen.std()) / math.sqrt(len(seen))
        assert error < 0.05 * theory, name
        finite_width = 0.03 * theory
        assert abs(float(seen.mean()) - theory) < 4 * error + finite_width, name
        assert abs(float(seen.mean()) - wrong[row][layer]) > 4 * error, name


def test_figure_two_signals_stay_and_the_gradient_of_the_sigmoid_vanishes(measured):
    q = measured[0].mean(dim=1)
    assert float((q[0] - 1).abs().max()) < 0.1
    assert float(q[1, 5:].min()) > 0.3
    assert float(q[2, -1]) < 0.05
    assert -25 < math.log10(float(measured[1, 3].mean(dim=0)[0])) < -23


def test_prediction_starts_at_one_and_ends_at_one():
    q, d = module.predicted_layers(torch.tanh, 3)
    assert q[0] == 1
    assert d[-1] == 1
    assert q[1] == pytest.approx(0.394294, abs=1e-6)
    assert d[1] == pytest.approx(float(d[0] / 0.464403), rel=1e-5)
    with pytest.raises(ValueError, match="Received: depth=0"):
        module.predicted_layers(torch.tanh, 0)


def test_demo_is_the_measurement():
    values = module.demo()
    mean, error = values["selu_q"]
    assert abs(mean - 1) < 4 * error + 0.03
    assert values["sigmoid_d_theory"] < 1e-23
