"""Figure biases-recurrent-norms: what is kept through time."""

import math

import matplotlib.pyplot as plt
import pytest
import torch
from torch import nn

from x0.initialization import biases_recurrent


@pytest.fixture(scope="module")
def norms():
    return biases_recurrent.state_norms()


def test_orthogonal_keeps_the_norm(norms):
    assert norms["orthogonal"].min() > 1 - 1e-9
    assert norms["orthogonal"].max() < 1 + 1e-9


def test_the_default_shrinks_by_the_root_of_three(norms):
    median = norms["PyTorch default"].median(1).values
    rate = math.log(float(median[50] / median[10])) / 40
    assert rate == pytest.approx(-math.log(3) / 2, abs=0.03)
    assert abs(rate) > 0.2  # not LeCun's rule
    normal = math.log(float(norms["normal, 1/n"].median(1).values[50])) / 50
    assert abs(normal) < 0.03


@pytest.mark.proves("biases-radius", kind="fact", range="width 64, 512", tolerance="10 %")
def test_the_spectral_radius_of_the_default_is_one_over_the_root_of_three():
    """PyTorch's recurrent matrices have a spectral radius near 1/√3, normal ones of variance 1/n near 1."""
    generator = torch.Generator().manual_seed(4)
    for n in (64, 512):
        radius = []
        for _ in range(20 if n == 64 else 2):
            w = nn.RNN(2, n).weight_hh_l0.detach()
            z = torch.randn(n, n, generator=generator) / math.sqrt(n)
            radius.append([torch.linalg.eigvals(x).abs().max().item() for x in (w, z)])
        default, normal = torch.tensor(radius).mean(0)
        assert default == pytest.approx(3**-0.5, rel=0.1)
        assert normal == pytest.approx(1, rel=0.1)
        variance = w.var().item()
        assert variance == pytest.approx(1 / (3 * n), rel=0.1)


def test_the_input_gate_keeps_the_cell_from_filling_up():
    """Half-full cells come from the open input gate: with -b they stay small at any long T."""
    for steps in (100, 1000):
        b = math.log(steps - 1)
        alone, chrono = (biases_recurrent.cell_size(b, i, steps) for i in (0, -b))
        assert alone[0] > 5
        assert alone[1] > 0.7
        assert chrono[0] < 0.5
        assert chrono[1] == 0


def test_a_real_rnn_with_the_default_loses_its_state():
    torch.manual_seed(0)
    rnn = nn.RNN(4, 128)
    nn.init.zeros_(rnn.bias_ih_l0)
    nn.init.zeros_(rnn.bias_hh_l0)
    start = 1e-3 * torch.randn(1, 1, 128)
    _, end = rnn(torch.zeros(30, 1, 4), start)
    shrink = float(end.detach().norm() / start.norm())
    assert math.log(shrink) / 30 == pytest.approx(-math.log(3) / 2, abs=0.08)


def test_what_a_cell_keeps(values):
    found = values("biases_recurrent")
    assert found["cell"]["alone"][0] > 100 * found["cell"]["chrono"][0]
    assert found["default"] < 1e-6 < found["gradient"][1] < 0.1 < found["gradient"][2]


@pytest.mark.proves(
    "biases-path", kind="cause", range="forget bias 1, 2; 50 steps", effect="> 30 × f⁵⁰ → f⁵⁰"
)
def test_the_rest_of_the_gradient_comes_through_the_recurrent_weights():
    """Over 50 steps the gradient exceeds the power of the gate, without recurrent weights not."""
    for bias in (1.0, 2.0):
        gate = 1 / (1 + math.exp(-bias))
        for seed in range(3):
            torch.manual_seed(seed)
            lstm = nn.LSTM(8, 64)
            with torch.no_grad():
                for name, p in lstm.named_parameters():
                    if name.startswith("bias"):
                        p.zero_()
                lstm.bias_ih_l0[64:128] = bias
            full = biases_recurrent.cell_gradient(lstm, 50)
            nn.init.zeros_(lstm.weight_hh_l0)
            assert full > 30 * gate**50
            assert biases_recurrent.cell_gradient(lstm, 50) == pytest.approx(gate**50, rel=1e-3)


@pytest.mark.claim("A-48")
def test_with_zero_weights_the_gate_is_all_there_is():
    lstm = nn.LSTM(2, 8)
    with torch.no_grad():
        for p in lstm.parameters():
            p.zero_()
    for bias in (0.0, 1.0):
        with torch.no_grad():
            lstm.bias_ih_l0[8:16] = bias
        gate = 1 / (1 + math.exp(-bias))
        assert biases_recurrent.cell_gradient(lstm, 20) == pytest.approx(gate**20, rel=1e-4)


def test_figure():
    figure = biases_recurrent.plot_norms()
    default, normal, orthogonal = figure.axes[0].lines[-3:]
    assert default.get_ydata()[-1] < 1e-10
    assert 0.1 < normal.get_ydata()[-1] < 10
    assert orthogonal.get_ydata()[-1] == pytest.approx(1)
    plt.close(figure)
