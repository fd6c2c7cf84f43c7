"""Figure frameworks-depth-spread: the default keeps q and loses the input."""

import math

import matplotlib.pyplot as plt
import mpmath
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


def test_single_precision_ends_before_layer_30(values):
    single, spread = values("frameworks_depth")["single"], values("frameworks_depth")["spread"]
    _, u = frameworks_depth.default_map(1 / 3, 1 / (3 * 256), 30)
    layer = int(single)
    assert math.sqrt(u[layer - 1]) < 2**-24 <= math.sqrt(u[layer - 2])
    assert spread["PyTorch default"][-1] < 1e-10 < 0.1 < spread["He"][-1]


@pytest.mark.proves(
    "frameworks-width", kind="cause", range="width 64, 256", seeds=8, effect="gap < ½"
)
def test_the_gap_of_he_shrinks_with_the_width(monkeypatch):
    """He's points lie above the limit of infinite width at layer 30, and less so at larger width."""
    gaps = {}
    _, u = frameworks_depth.default_map(2, 0, 30)
    for width in (64, 256):
        monkeypatch.setattr(frameworks_depth, "WIDTH", width)
        monkeypatch.setattr(frameworks_depth, "NETWORKS", 40 if width == 64 else 8)
        frameworks_depth.forward.cache_clear()
        _, spread = frameworks_depth.forward("He")
        gaps[width] = spread[-1].mean().item() / u[-1] - 1
    frameworks_depth.forward.cache_clear()
    assert 0 < gaps[256] < gaps[64] / 2


def test_figure():
    figure = frameworks_depth.plot_spread()
    top, bottom = figure.axes
    default, he = (line for line in bottom.lines if line.get_marker() != "None")
    assert default.get_ydata()[-1] < 1e-9 < 0.05 < he.get_ydata()[-1]
    assert all(abs(math.log10(y / 2)) < 0.5 for y in top.lines[-1].get_ydata())
    plt.close(figure)


@pytest.mark.parametrize("weight", [1 / 3, 2.0, 1e-7])
def test_the_map_is_right_to_the_last_digits_for_inputs_that_nearly_agree(weight):
    """50 digits do not cancel; 8 of them are left when the angle is small."""
    q, u = frameworks_depth.default_map(weight, 1 / 768, 16)
    with mpmath.workdps(50):
        w, b = mpmath.mpf(weight), mpmath.mpf(1 / 768)
        size, apart = w + b, w / (w + b)
        for layer in range(16):
            assert q[layer] == pytest.approx(float(size), rel=1e-12)
            assert u[layer] == pytest.approx(float(apart), rel=1e-5)
            angle = mpmath.acos(1 - apart)
            both = (mpmath.sin(angle) + (mpmath.pi - angle) * mpmath.cos(angle)) / mpmath.pi
            size, apart = w / 2 * size + b, w / 2 * size * (1 - both) / (w / 2 * size + b)
