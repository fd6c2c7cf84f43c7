import math

import matplotlib.pyplot as plt
import numpy as np
import pytest

from x0.initialization import why_cases
from x0.initialization.why_cases import (
    CASES,
    LOGISTIC,
    RELU,
    TANH,
    case_theory,
    layer_ratios,
    simulate_cases,
)


def agrees(samples, expected, wrong):
    error = samples.std(ddof=1) / math.sqrt(len(samples))
    assert error < 0.05 * expected
    assert abs(samples.mean() - expected) < 4 * error
    assert abs(samples.mean() - wrong) > 4 * error


@pytest.mark.parametrize("case", CASES)
def test_one_layer_follows_both_laws(case):
    """From layer 3 to layer 2 of 200 networks; the factor of delta is not that of the weights."""
    d, g = simulate_cases(case, networks=200, depth=3)
    predicted_d, predicted_g = (x[1] for x in case_theory(case, 3))
    agrees(d[:, 1] / d[:, 2], predicted_d, wrong=1.3 * predicted_d)
    agrees(g[:, 1] / g[:, 2], predicted_g, wrong=1.3 * predicted_g)


def test_relu_is_flat_at_every_scale():
    for n_v in (0.1, 2.0, 7.0):
        for q in (1e-4, 1.0, 50.0):
            assert layer_ratios(RELU, n_v, q)[2] == pytest.approx(1)


def test_ratio_of_tanh_is_one_where_linear_and_large_where_saturated():
    assert layer_ratios(TANH, 1.0, 1e-3)[2] == pytest.approx(1 + 4 / 3 * 1e-6, abs=1e-7)
    large = layer_ratios(TANH, 9.0, 400.0)[2]
    assert large == pytest.approx(4 / 3 * math.sqrt(400 / (2 * math.pi)), rel=0.1)


def test_ratio_of_logistic_is_small_for_small_q_and_large_for_large_q():
    assert layer_ratios(LOGISTIC, 1.0, 0.01)[2] == pytest.approx(0.0025, rel=0.02)
    large = layer_ratios(LOGISTIC, 1.0, 1000.0)[2]
    assert large == pytest.approx(math.sqrt(1000 / (2 * math.pi)) / 3, rel=0.03)


def test_the_variance_of_the_weights_does_not_enter():
    assert layer_ratios(TANH, 0.3, 0.8)[2] == layer_ratios(TANH, 5.0, 0.8)[2]


def test_q_is_checked():
    with pytest.raises(ValueError, match="Received: q=0"):
        layer_ratios(TANH, 1.0, 0)


@pytest.mark.proves("why-cases", kind="caption", n=24, effect="< 1e-4, < 1e-8; < 1e-7; > 30")
def test_figure_small_tanh_vanishes_above_and_is_flat_below():
    """Small tanh and logistic vanish above, only the logistic below; nv = 103 is flat in both."""
    figure = why_cases.plot_layers()
    above, below = ({line.get_label(): line.get_ydata() for line in ax.lines} for ax in figure.axes)
    assert above["tanh, n·v = 0.25"][0] < 1e-4
    assert above["logistic, n·v = 1"][0] < 1e-8
    assert abs(math.log(below["tanh, n·v = 0.25"][0])) < 0.3
    assert abs(math.log(below["ReLU, n·v = 2"][0])) < 0.5
    assert below["logistic, n·v = 1"][0] < 1e-7
    assert above["tanh, n·v = 9"][0] > 30
    assert below["tanh, n·v = 9"][0] > 30
    for panel in (above, below):
        assert np.abs(np.log(panel["logistic, n·v = 103"])).max() < 1
    plt.close(figure)


def test_factors_agree_with_their_predictions(values):
    measured, predicted = values("why_cases")["measured"], values("why_cases")["predicted"]
    assert len(predicted) == 10
    for key in predicted:
        mean, error = measured[key]
        assert abs(mean / predicted[key] - 1) < 0.03
        assert error < 0.05 * mean
    assert np.isclose(predicted["ReLU, n·v = 2", "G"], 1)
