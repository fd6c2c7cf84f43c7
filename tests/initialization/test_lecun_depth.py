"""Real networks follow the prediction, and reject that of another activation."""

import math

import matplotlib.pyplot as plt
import numpy as np
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


@pytest.mark.proves("lecun-layers", kind="caption", n=24, effect="10^-24")
def test_figure_two_signals_stay_and_the_gradient_of_the_logistic_vanishes(measured):
    """SELU stays near 1, the scaled tanh settles near 0.38, tanh sinks; the logistic gradient loses
    24 orders."""
    figure = module.plot_layers()
    q, d = (
        [line.get_ydata() for line in axis.lines if line.get_ls() == "None"] for axis in figure.axes
    )
    assert np.abs(q[0] - 1).max() < 0.1
    assert 0.3 < q[1][5:].min() < q[1][5:].max() < 0.5
    assert np.all(np.diff(q[2]) < 0)
    assert 0.01 < q[2][-1] < 0.05
    assert -24.5 < math.log10(d[3][0]) < -23.5
    plt.close(figure)


def test_prediction_starts_at_one_and_ends_at_one():
    q, d = module.predicted_layers(torch.tanh, 3)
    assert q[0] == 1
    assert d[-1] == 1
    assert q[1] == pytest.approx(0.394294, abs=1e-6)
    assert d[1] == pytest.approx(float(d[0] / 0.464403), rel=1e-5)
    with pytest.raises(ValueError, match="Received: depth=0"):
        module.predicted_layers(torch.tanh, 0)


def test_demo_is_the_measurement(values):
    mean, error = values("lecun_depth")["measured"]["SELU"][0]
    assert abs(mean - 1) < 4 * error + 0.03
    assert values("lecun_depth")["predicted"]["logistic"][1] < 1e-23
