"""Figure frameworks-depth-spread: the default keeps q and loses the input."""

import math

import matplotlib.pyplot as plt
import pytest
import torch
from torch import nn

from x0.initialization import frameworks_depth


def test_q_stays_at_the_fixed_point():
    q, _ = frameworks_depth.forward("PyTorch default")
    theory = 2 / (5 * 256)
    mean, error = float(q[-1].mean()), float(q[-1].std()) / math.sqrt(q.shape[1])
    assert abs(mean - theory) < 4 * error < 0.2 * theory
    assert abs(mean - 1 / (3 * 256)) > 2 * error  # without the signal of the layer before
    predicted, _ = frameworks_depth.default_map(1 / 3, 1 / (3 * 256), 30)
    assert predicted[-1] == pytest.approx(theory)


def test_the_spread_shrinks_to_a_sixth_per_layer():
    _, spread = frameworks_depth.forward("PyTorch default")
    log = spread.log().mean(1)
    factor = float(log[29] - log[14]) / 15
    assert factor == pytest.approx(math.log(1 / 6), abs=0.05)
    assert abs(factor - math.log(1 / 3)) > 0.5  # n Var(w) alone, without the half
    _, u = frameworks_depth.default_map(1 / 3, 1 / (3 * 256), 30)
    ratio = float(spread[-1].mean()) / u[-1]
    assert 0.5 < ratio < 2


def test_he_loses_the_input_only_algebraically():
    _, u = frameworks_depth.default_map(2.0, 0.0, 400)
    asymptote = 9 * math.pi**2 / (2 * 400**2)
    assert u[-1] == pytest.approx(asymptote, rel=0.1)
    _, spread = frameworks_depth.forward("He")
    _, small = frameworks_depth.default_map(2.0, 0.0, 30)
    assert float(spread[9].mean()) == pytest.approx(small[9], rel=0.1)
    assert 1 < float(spread[-1].mean()) / small[-1] < 3  # the width is finite


def test_real_layers_do_the_same():
    torch.manual_seed(0)
    net = nn.Sequential(*(m for _ in range(12) for m in (nn.Linear(256, 256), nn.ReLU())))
    with torch.no_grad():
        z = net[:-1](torch.randn(64, 256))
    assert float(z.square().mean()) == pytest.approx(2 / 1280, rel=0.3)
    assert float(z.std(0).mean()) < 1e-3 * float(z.square().mean().sqrt())


def test_single_precision_ends_before_layer_30():
    values = frameworks_depth.demo()
    _, u = frameworks_depth.default_map(1 / 3, 1 / (3 * 256), 30)
    layer = int(values["single_layer"])
    assert math.sqrt(u[layer - 1]) < 2**-24 <= math.sqrt(u[layer - 2])
    assert values["default_u_theory"] < 1e-10 < 0.1 < values["he_u_theory"]


def test_figure():
    figure = frameworks_depth.plot_spread()
    top, bottom = figure.axes
    default, he = (line for line in bottom.lines if line.get_marker() != "None")
    assert default.get_ydata()[-1] < 1e-9 < 0.05 < he.get_ydata()[-1]
    assert all(abs(math.log10(y / 2)) < 0.5 for y in top.lines[-1].get_ydata())
    plt.close(figure)
