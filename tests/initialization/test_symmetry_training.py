import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.initialization import symmetry_training
from x0.initialization.symmetry_training import DEEP, start_weights, train_starts


@pytest.fixture(scope="module")
def deep():
    losses, accuracy, weights = train_starts(DEEP, 2)
    return {case: (losses[i], accuracy[i], [w[i] for w in weights]) for i, case in enumerate(DEEP)}


@pytest.mark.claim("A-69")
def test_all_zero_is_stuck_only_if_phi_of_zero_is_zero(deep):
    for phi in ("ReLU", "tanh"):
        _, accuracy, weights = deep["all zero", phi]
        assert all(bool((w == 0).all()) for w in weights)
        assert accuracy < 0.15
    assert bool((deep["all zero", "logistic"][2][2] != 0).any())
    accuracy = train_starts(tuple(("all zero", phi) for phi in symmetry_training.PHI), 1, 1.0)[1]
    assert accuracy[2] > 0.25 > 0.15 > accuracy[:2].max()


@pytest.mark.claim("A-69")
def test_a_constant_learns_something_and_the_harmless_zeros_learn_all(deep):
    assert deep["constant", "ReLU"][0][-50:].mean() < 2.0
    assert deep["constant", "ReLU"][1] < 0.5
    assert deep["zero last layer", "ReLU"][1] > 0.8
    assert train_starts(DEEP[3:4], 0, 1.0)[1][0] > 0.8


@pytest.mark.claim("A-68")
def test_units_of_one_layer_stay_equal_unless_dropout_parts_them(deep):
    first, second, last = deep["constant", "ReLU"][2]
    assert float(first.std(1).max()) < 1e-4 * float(first.abs().max())
    assert float(second.std()) < 1e-3 * float(second.abs().max())
    assert float(last.std(0).max()) < 1e-3 * float(last.abs().max())
    assert float((first.mean() - second.mean()).abs()) > 1e-3  # layers differ
    parted = deep["constant, dropout", "ReLU"]
    assert float(parted[2][0].std(1).max()) > 0.1 * float(parted[2][0].abs().max())
    assert parted[1] > deep["constant", "ReLU"][1] + 0.1


def test_zero_last_layer_starts_at_exactly_ln_10(deep):
    assert deep["zero last layer", "ReLU"][0][0] == pytest.approx(math.log(10), rel=1e-6)


def test_starts_have_the_stated_weights():
    generator = torch.Generator().manual_seed(0)
    widths = [64, 64, 10]
    assert [w.unique().tolist() for w in start_weights(widths, "all zero", generator)] == [[0], [0]]
    he = start_weights([400, 400], "He", generator)[0]
    assert float(he.square().mean()) * 400 == pytest.approx(2, rel=0.03)
    assert not start_weights(widths, "zero last layer", generator)[1].any()


@pytest.mark.proves("symmetry-starts", kind="caption", n=5)
def test_figure_orders_the_starts():
    """He and a zero last layer below 0.2, a constant a little down, all zero at ln 10."""
    figure = symmetry_training.plot_starts()
    curves = {line.get_label(): line.get_ydata() for line in figure.axes[0].lines}
    last = {name: values[-1] for name, values in curves.items()}
    assert max(last["He"], last["zero last layer"]) < 0.2 < last["all zero, no hidden layer"] < 0.6
    assert 1.2 < last["constant"] < 2.1
    assert np.abs(curves["all zero"] - math.log(10)).max() < 0.02
    plt.close(figure)


def test_ranks_and_units(values):
    rank, units = values("symmetry_training")["rank"], values("symmetry_training")["units"]
    assert rank["constant", "ReLU"] == units["constant", "ReLU"] == 1
    assert rank["He", "ReLU"] == 64
    # constant tanh and logistic: guessing after 600 steps, learning later
    accuracy, longer = (values("symmetry_training")[name] for name in ("accuracy", "longer"))
    assert max(accuracy["constant", phi] for phi in ("tanh", "logistic")) < 0.15
    assert min(longer.values()) > 0.25
