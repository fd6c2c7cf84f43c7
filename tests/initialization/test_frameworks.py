"""Every row of the table of defaults: a new PyTorch that changes one fails here."""

import itertools
import math

import pytest
import torch
from torch import nn

from x0.initialization import frameworks

ROWS = [(layer, name) for layer, (_, laws) in frameworks.TABLE.items() for name in laws]


@pytest.mark.parametrize(("layer", "name"), ROWS)
def test_row(layer, name):
    build, laws = frameworks.TABLE[layer]
    law = laws[name]
    w = frameworks.constructed(build, [name], 60)[name].double()
    if law.std == 0:
        assert bool((w == law.mean).all())
        return
    square = (w - law.mean).square().flatten()
    error = float(square.std()) / math.sqrt(square.numel())
    theory = law.std**2
    assert abs(float(square.mean()) - theory) < 4 * error < 0.2 * theory
    assert abs(float(square.mean()) - 2 * theory) > 4 * error
    kurtosis = float((square**2).mean()) / theory**2
    if law.text == "N(0, 1)":
        assert kurtosis == pytest.approx(3, rel=0.05)
    else:
        bound = math.sqrt(3) * law.std
        assert 0.99 * bound < float(w.abs().max()) <= bound * (1 + 1e-6)
        assert kurtosis == pytest.approx(1.8, rel=0.05)


def test_the_table_leaves_no_parameter_of_a_simple_layer_out():
    for layer, (build, laws) in frameworks.TABLE.items():
        names = {name for name, _ in build().named_parameters()}
        if "_l0" not in "".join(laws):
            assert names == set(laws), layer


@pytest.mark.parametrize("cell", [nn.RNN, nn.LSTM, nn.GRU])
def test_recurrent_layers_ignore_the_size_of_the_input(cell):
    parameters = dict(cell(1000, 256).named_parameters())
    assert len(parameters) == 4
    for tensor in parameters.values():
        assert 0.98 / 16 < float(tensor.detach().abs().max()) <= 1 / 16


def test_the_forget_gate_of_lstm_is_not_favored():
    layer = nn.LSTM(16, 2500)
    forget = slice(2500, 5000)
    bias = (layer.bias_ih_l0 + layer.bias_hh_l0).detach()[forget]
    error = float(bias.std()) / 50
    assert abs(float(bias.mean())) < 4 * error < 0.01
    assert float(bias.abs().max()) < 2 / 50 < 1  # nowhere near the customary 1


def test_other_defaults():
    assert float(nn.PReLU().weight.detach()) == 0.25
    assert not nn.Embedding(4, 3, padding_idx=1).weight.detach()[1].any()
    norm = nn.BatchNorm2d(3)
    assert norm.running_mean.tolist() == [0] * 3
    assert norm.running_var.tolist() == [1] * 3


def test_the_constructor_is_kaiming_uniform_with_the_root_of_five():
    with torch.random.fork_rng():
        torch.manual_seed(3)
        weight = nn.Linear(40, 20).weight.detach()
        torch.manual_seed(3)
        expected = nn.init.kaiming_uniform_(torch.empty(20, 40), a=math.sqrt(5))
        torch.manual_seed(3)
        again = nn.init.kaiming_uniform_(torch.empty(20, 40))
    assert torch.equal(weight, expected)
    assert torch.allclose(again, expected * math.sqrt(6))


def test_rejects_no_draws():
    with pytest.raises(ValueError, match="Received: times=0"):
        frameworks.constructed(lambda: nn.Linear(2, 2), ["weight"], 0)


def test_the_global_state_is_put_back():
    before = torch.get_rng_state()
    frameworks.constructed(lambda: nn.Linear(2, 2), ["weight"], 2)
    assert torch.equal(before, torch.get_rng_state())


class Sample(nn.Module):
    """A classifier whose weights are Xavier and whose biases are not touched."""

    def __init__(self, zero):
        super().__init__()
        sizes = [768, 256, 128, 10]
        self.layers = nn.ModuleList(nn.Linear(m, n) for m, n in itertools.pairwise(sizes))
        for layer in self.layers:
            nn.init.xavier_uniform_(layer.weight)
            if zero:
                nn.init.zeros_(layer.bias)

    def forward(self, x):
        for layer in self.layers[:-1]:
            x = layer(x).relu()
        return self.layers[-1](x)


@pytest.mark.claim("A-41")
def test_xavier_in_pytorch_runs():
    torch.manual_seed(0)
    net = Sample(zero=False)
    assert net(torch.randn(2, 768)).shape == (2, 10)
    for layer in net.layers:
        theory = 2 / (layer.in_features + layer.out_features)
        assert float(layer.weight.detach().var()) == pytest.approx(theory, rel=0.1)


@pytest.mark.claim("A-43")
def test_without_zeros_the_biases_are_drawn():
    torch.manual_seed(0)
    for layer in Sample(zero=False).layers:
        bound = 1 / math.sqrt(layer.in_features)
        assert 0.5 * bound < float(layer.bias.detach().abs().max()) <= bound
    assert all(not layer.bias.detach().any() for layer in Sample(zero=True).layers)


def test_values():
    values = frameworks.demo()
    assert values["linear_weight"] == pytest.approx(1 / math.sqrt(3 * 256), rel=0.01)
    assert values["linear_bias"] == pytest.approx(1 / math.sqrt(3 * 256), rel=0.05)
