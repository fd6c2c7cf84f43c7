"""Constants for biases: the forget gate, the prior, and zero for the rest."""

import math

import pytest
import torch
from torch import nn

from x0.initialization import biases


@pytest.mark.claim("A-27")
def test_zero_biases_change_no_second_moment():
    """With b = 0 He's factor is 1; a bias of variance 1/n adds to q in every layer."""
    generator = torch.Generator().manual_seed(0)
    n, networks, depth = 64, 400, 5
    q = {}
    for scale in (0.0, 1.0):
        h = torch.ones(networks, n, 1)
        for _ in range(depth):
            w = torch.randn(networks, n, n, generator=generator) * math.sqrt(2 / n)
            b = torch.randn(networks, n, 1, generator=generator) * scale
            z = w @ h + b
            h = z.relu()
        mean = z.square().mean((1, 2))
        q[scale] = float(mean.mean()), float(mean.std()) / math.sqrt(networks)
    assert abs(q[0.0][0] - 2) < 4 * q[0.0][1] < 0.4
    assert abs(q[1.0][0] - (2 + depth)) < 4 * q[1.0][1]
    assert abs(q[1.0][0] - 2) > 4 * q[1.0][1]


@pytest.mark.claim("A-66")
def test_zero_is_the_rule_and_has_exceptions():
    model = nn.Sequential(nn.Linear(4, 4), nn.Conv1d(4, 4, 1), nn.GRU(4, 4))
    assert biases.zero_biases_(model) == 4
    assert not any(p.any() for n, p in model.named_parameters() if "bias" in n)
    lstm = biases.forget_bias_(nn.LSTM(3, 5), 1.0)
    assert bool((lstm.bias_ih_l0[5:10] == 1).all())
    assert float(biases.prior_bias(torch.tensor(0.01))) == pytest.approx(-4.595, abs=1e-3)


def test_zero_biases_finds_stacked_ones_and_leaves_weights_alone():
    attention = nn.MultiheadAttention(4, 2)
    nn.init.ones_(attention.in_proj_bias)
    before = attention.in_proj_weight.detach().clone()
    assert biases.zero_biases_(attention) == 2
    assert not attention.in_proj_bias.any()
    assert torch.equal(attention.in_proj_weight, before)


def test_chrono_gives_each_unit_a_time_and_the_input_gate_its_negative():
    generator = torch.Generator().manual_seed(0)
    lstm = biases.chrono_bias_(nn.LSTM(3, 4000, num_layers=1), 1000, generator)
    i, f, g, o = lstm.bias_ih_l0.detach().chunk(4)
    assert torch.equal(i, -f)
    assert not g.any()
    assert not o.any()
    assert not lstm.bias_hh_l0.any()
    u = f.double().exp()  # uniform on [1, 999]
    assert 1 <= u.min() < u.max() <= 999.01
    error = u.std() / math.sqrt(len(u))
    assert abs(u.mean() - 500) < 4 * error
    with pytest.raises(ValueError, match=r"Received: LSTM.*bias=False"):
        biases.chrono_bias_(nn.LSTM(3, 4, bias=False), 10)
    with pytest.raises(ValueError, match="longest=2"):
        biases.chrono_bias_(nn.LSTM(3, 4), 2)


def test_forget_bias_is_the_sum_of_two_in_all_layers_and_directions():
    lstm = biases.forget_bias_(nn.LSTM(3, 4, num_layers=2, bidirectional=True), 1.5)
    names = {n for n, _ in lstm.named_parameters() if n.startswith("bias_ih")}
    assert len(names) == 4
    for name in names:
        total = lstm.get_parameter(name) + lstm.get_parameter(name.replace("ih", "hh"))
        assert total.detach().tolist() == [0.0] * 4 + [1.5] * 4 + [0.0] * 8


@pytest.mark.proves("biases-gates", kind="call", effect="1 + 1 = 2")
def test_the_forget_gate_is_the_second_block():
    """PyTorch adds two biases, in the order input, forget, cell, output.

    A cell with zero weights: only the second block of the bias changes what is kept.
    """
    lstm = nn.LSTM(2, 3)
    with torch.no_grad():
        for p in lstm.parameters():
            p.zero_()
        lstm.bias_ih_l0[3:6] = 2.0
    state = (torch.zeros(1, 1, 3), torch.ones(1, 1, 3))
    _, (_, cell) = lstm(torch.zeros(1, 1, 2), state)
    assert cell.detach().flatten().tolist() == pytest.approx([1 / (1 + math.exp(-2))] * 3)
    with torch.no_grad():
        lstm.bias_ih_l0[3:6] = 1.0
        lstm.bias_hh_l0[3:6] = 1.0  # both 1: the gate has 2
        _, (_, cell) = lstm(torch.zeros(1, 1, 2), state)
        assert cell.flatten().tolist() == pytest.approx([1 / (1 + math.exp(-2))] * 3)
        lstm.bias_ih_l0.zero_()
        lstm.bias_hh_l0.zero_()
        kept = []
        for block in range(4):  # what enters is input gate times cell, the rest is forget
            lstm.bias_ih_l0.zero_()
            lstm.bias_ih_l0[3 * block : 3 * block + 3] = 2.0
            h, (_, cell) = lstm(torch.zeros(1, 1, 2), state)
            kept.append((cell.mean().item(), h.mean().item()))
    gate, tanh = 1 / (1 + math.exp(-2)), math.tanh(2)
    assert [c for c, _ in kept] == pytest.approx([0.5, gate, 0.5 + 0.5 * tanh, 0.5])
    assert kept[3][1] == pytest.approx(gate * math.tanh(0.5))


def test_prior_is_the_bias_that_minimizes_the_loss():
    rates = torch.tensor([0.1, 0.2, 0.7])
    bias = biases.prior_bias(rates).requires_grad_()
    labels = torch.tensor([0] + [1] * 2 + [2] * 7)
    loss = nn.functional.cross_entropy(bias.expand(10, 3), labels)
    (gradient,) = torch.autograd.grad(loss, bias)
    assert float(gradient.abs().max()) < 1e-6
    entropy = float(-(rates * rates.log()).sum())
    assert float(loss.detach()) == pytest.approx(entropy, rel=1e-5)
    assert entropy < math.log(3)


@pytest.mark.parametrize("rate", [0.0, 1.0, -0.1])
def test_rejects_a_rate_that_is_not_between_0_and_1(rate):
    with pytest.raises(ValueError, match="Received: rates="):
        biases.prior_bias(torch.tensor(rate))


@pytest.mark.parametrize("rates", [[0.01], [0.5, 0.25], [0.6, 0.6]])
def test_rejects_shares_that_do_not_sum_to_1(rates):
    with pytest.raises(ValueError, match="sum of 1"):
        biases.prior_bias(torch.tensor(rates))


def test_values(values):
    first, kept = values("biases")["first"], values("biases")["kept"]
    assert first["zero"] == pytest.approx(math.log(2), rel=1e-5)
    assert first["prior"] == pytest.approx(0.056, rel=0.01)
    assert kept[0] == pytest.approx(2**-50)
    assert kept[3] == pytest.approx(math.exp(-1), rel=0.02)
