"""Every row of the table of defaults: a new PyTorch that changes one fails here."""

import itertools
import math
import re
from itertools import zip_longest

import pytest
import torch
from torch import nn

from x0.initialization import frameworks

ROWS = [(layer, name) for layer, (_, laws) in frameworks.TABLE.items() for name in laws]


@pytest.mark.parametrize(("layer", "name"), ROWS)
@pytest.mark.proves("frameworks-table", kind="call", n=60)
def test_row(layer, name):
    """Each row of the table has a test, which fails if PyTorch changes a default."""
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


DISTRIBUTIONS = {
    r"$\pm 1/\sqrt{\fanin}$": "U(±1/√fan_in)",
    r"$\pm 1/\sqrt{K}$": "U(±1/√K)",
    r"$\pm 1/\sqrt{K \cdot \mathtt{out}}$": "U(±1/√(K·out))",
    r"$\pm 1/\sqrt{\mathtt{hidden}}$": "U(±1/√hidden)",
    r"$\pm 1/\sqrt{\mathtt{in1}}$": "U(±1/√in1)",
    r"$\Normal{0}{1}$": "N(0, 1)",
}


def test_the_rows_of_the_page_are_those_that_ran(table):
    stated = set()
    for layer, distribution, *_ in table("initialization/frameworks", "table"):
        call, *names = re.findall("`([^`]+)`", layer)
        build, laws = frameworks.TABLE[call]
        mine = {name: p.shape for name, p in build().named_parameters()}
        written = eval(f"nn.{call}", {"nn": nn}).named_parameters()
        assert mine == {name: p.shape for name, p in written}
        for name, text in zip_longest(names, re.findall("[01]", distribution)[: len(names)]):
            law = laws[name]
            if law.std == 0:
                assert float(text) == law.mean if text else law.mean == 0
            else:
                assert DISTRIBUTIONS.get(distribution, "Xavier uniform") == law.text
            stated.add((call, name))
    assert stated <= set(ROWS)
    assert {call for call, _ in stated} == set(frameworks.TABLE)


def test_the_table_leaves_no_parameter_of_a_simple_layer_out():
    for layer, (build, laws) in frameworks.TABLE.items():
        names = {name for name, _ in build().named_parameters()}
        if "_l0" not in "".join(laws):
            assert names == set(laws), layer


@pytest.mark.proves("frameworks-recurrent", kind="call", range="RNN, LSTM, GRU; inputs 10, 1000")
@pytest.mark.parametrize("cell", [nn.RNN, nn.LSTM, nn.GRU])
@pytest.mark.parametrize("inputs", [10, 1000])
def test_recurrent_layers_ignore_the_size_of_the_input(cell, inputs):
    """Four parameters within 1/√hidden for any input size; two biases, twice the variance."""
    parameters = dict(cell(inputs, 256).named_parameters())
    assert len(parameters) == 4
    for tensor in parameters.values():
        assert 0.95 / 16 < float(tensor.detach().abs().max()) <= 1 / 16
    both = torch.stack([cell(1, 4096).bias_ih_l0, cell(1, 4096).bias_hh_l0]).detach()
    assert float(both.sum(0).var() / both.var()) == pytest.approx(2, rel=0.15)


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
    table = nn.Embedding(4, 3, padding_idx=1)
    nn.init.normal_(table.weight)
    nn.init.zeros_(table.weight[1])  # as the page puts the row back
    assert table.weight.detach().any(1).tolist() == [True, False, True, True]
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


def test_values(values):
    linear, laws = frameworks.TABLE["Linear(256, 64)"]
    drawn = frameworks.constructed(linear, list(laws), 30)
    assert float(drawn["weight"].std()) == pytest.approx(1 / math.sqrt(3 * 256), rel=0.01)
    assert float(drawn["bias"].std()) == pytest.approx(1 / math.sqrt(3 * 256), rel=0.05)
    left = values("frameworks")
    assert left["std"].keys() == left["measured"].keys()
    for row, std in left["std"].items():
        assert left["measured"][row] == pytest.approx(std, rel=0.03)
