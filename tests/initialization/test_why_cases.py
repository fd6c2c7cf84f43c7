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


def test_ratio_of_logistic_is_far_below_one_and_no_variance_repairs_it():
    assert layer_ratios(LOGISTIC, 1.0, 0.01)[2] == pytest.approx(0.0025, rel=0.02)
    for n_v in (0.1, 1.0, 10.0):
        q = 1.0
        for _ in range(200):
            q = layer_ratios(LOGISTIC, n_v, q)[0]
        assert layer_ratios(LOGISTIC, n_v, q)[2] < 0.5


def test_the_variance_of_the_weights_does_not_enter():
    assert layer_ratios(TANH, 0.3, 0.8)[2] == layer_ratios(TANH, 5.0, 0.8)[2]


def test_q_is_checked():
    with pytest.raises(ValueError, match="Received: q=0"):
        layer_ratios(TANH, 1.0, 0)


def test_figure_small_tanh_vanishes_above_and_is_flat_below():
    figure = why_cases.plot_layers()
    above, below = (
        {
            line.get_label().split(",")[0] + line.get_label()[-1]: line.get_ydata()
            for line in ax.lines
        }
        for ax in figure.axes
    )
    assert above["tanh5"][0] < 1e-4
    assert above["logistic1"][0] < 1e-8
    assert abs(math.log(below["tanh5"][0])) < 0.3
    assert abs(math.log(below["ReLU2"][0])) < 0.5
    assert below["logistic1"][0] < 1e-7
    assert above["tanh9"][0] > 30
    assert below["tanh9"][0] > 30
    plt.close(figure)


def test_demo_agrees_with_its_predictions():
    values = why_cases.demo()
    for key in ("tanh_small", "relu", "logistic", "tanh_large"):
        for name in "dG":
            mean, error = values[f"{key}_{name}"]
            assert abs(mean / values[f"{key}_{name}_theory"] - 1) < 0.03
            assert error < 0.05 * mean
    assert np.isclose(values["relu_G_theory"], 1)
