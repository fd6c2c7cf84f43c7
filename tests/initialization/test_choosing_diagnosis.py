"""The diagnosis: its numbers against autograd, its verdicts on models built for them."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from x0.initialization import choosing_diagnosis as diagnosis

TARGET = torch.arange(40) % 10
VERDICTS = ["healthy", "vanishing", "exploding", "saturated", "dead"]


def cross_entropy(out):
    return F.cross_entropy(out, TARGET)


def inputs(*shape, seed=3):
    return torch.randn(40, *shape, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("name", "verdict"), list(zip(diagnosis.MODELS, VERDICTS, strict=True)))
def test_verdicts_of_the_page(name, verdict):
    found = diagnosis.run(diagnosis.MODELS[name])
    assert found.verdict == verdict
    assert found.page == diagnosis.PAGES[verdict]


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("activation", "std", "bias", "verdict"),
    [
        (nn.ReLU, math.sqrt(2), 0, "healthy"),
        (nn.Tanh, 1, 0, "healthy"),
        (nn.SELU, 1, 0, "healthy"),
        (nn.ReLU, 0.6, 0, "vanishing"),
        (nn.Sigmoid, 1, 0, "vanishing"),
        (nn.Tanh, 0.4, 0, "vanishing"),
        (nn.ReLU, 2.4, 0, "exploding"),
        (nn.SELU, 3, 0, "exploding"),
        (nn.Tanh, 12, 0, "saturated"),
        (nn.ReLU, math.sqrt(2), -8, "dead"),
    ],
)
def test_verdicts_for_other_seeds(monkeypatch, activation, std, bias, verdict, seed):
    monkeypatch.setattr(diagnosis, "SEED", 100 * seed + 7)
    model = diagnosis.chain(activation, std, bias)
    assert diagnosis.run(model).verdict == verdict


def test_numbers_are_those_of_autograd():
    model = nn.Sequential(nn.Linear(6, 5), nn.Tanh(), nn.Linear(5, 10))
    x = inputs(6)
    layers = diagnosis.diagnose(model, x, cross_entropy).layers
    z = model[0](x)
    h = torch.tanh(z)
    y = model[2](h)
    gradients = torch.autograd.grad(cross_entropy(y), (z, h, y))
    for layer, out, gradient in zip(layers, (z, h, y), gradients, strict=True):
        assert layer.signal == pytest.approx(out.square().mean().item(), rel=1e-5)
        assert layer.gradient == pytest.approx(gradient.square().mean().item(), rel=1e-5)
    assert [layer.name for layer in layers] == ["0", "1", "2"]


def test_dead_and_saturated_shares():
    model = nn.Sequential(nn.Linear(4, 4), nn.ReLU(), nn.Tanh(), nn.Linear(4, 10))
    with torch.no_grad():
        model[0].weight.copy_(torch.eye(4))
        model[0].bias.copy_(torch.tensor([-50.0, 50.0, 50.0, 0.0]))
    _, relu, tanh, _ = diagnosis.diagnose(model, inputs(4), cross_entropy).layers
    assert relu.dead == 0.25
    assert tanh.saturated == pytest.approx(0.5, abs=0.05)
    assert tanh.saturated >= 0.5


def test_the_model_stays_as_it_was():
    model = nn.Sequential(
        nn.Conv2d(3, 8, 3),
        nn.BatchNorm2d(8),
        nn.ReLU(inplace=True),
        nn.Flatten(),
        nn.Linear(8 * 36, 10),
    )
    model[0].weight.grad = torch.ones_like(model[0].weight)
    before = {k: v.clone() for k, v in model.state_dict().items()}
    diagnosis.diagnose(model, inputs(3, 8, 8), cross_entropy)
    assert all(torch.equal(v, before[k]) for k, v in model.state_dict().items())
    assert (model[0].weight.grad == 1).all()
    assert model[4].weight.grad is None
    assert model[2].inplace
    assert not any(m._forward_hooks or m._backward_hooks for m in model.modules())


class Sequence(nn.Module):
    """Token ids through an embedding and an LSTM, which returns a tuple."""

    def __init__(self):
        super().__init__()
        self.tokens = nn.Embedding(50, 16)
        self.memory = nn.LSTM(16, 32, batch_first=True)
        self.head = nn.Linear(32, 10)

    def forward(self, x):
        return self.head(self.memory(self.tokens(x))[0][:, -1])


def test_tokens_and_tuples():
    x = torch.randint(50, (40, 7), generator=torch.Generator().manual_seed(0))
    found = diagnosis.diagnose(Sequence(), x, cross_entropy)
    assert [layer.name for layer in found.layers] == ["tokens", "memory", "head"]
    assert all(layer.gradient > 0 for layer in found.layers)


class Pair(nn.Module):
    def __init__(self):
        super().__init__()
        self.left, self.right = nn.Linear(4, 10), nn.Linear(5, 10)

    def forward(self, a, b):
        return self.left(a) + self.right(b)


def test_several_inputs():
    found = diagnosis.diagnose(Pair(), (inputs(4), inputs(5)), cross_entropy)
    assert [layer.name for layer in found.layers] == ["left", "right"]


def test_transformer_blocks_are_watched_by_kind():
    block = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.0, batch_first=True, norm_first=True)
    model = nn.TransformerEncoder(block, 4, enable_nested_tensor=False)
    kinds = (nn.TransformerEncoderLayer,)
    found = diagnosis.diagnose(
        model, inputs(5, 32), lambda out: cross_entropy(out[:, 0, :10]), kinds
    )
    assert len(found.layers) == 4
    assert found.verdict == "healthy"
    signals = [layer.signal for layer in found.layers]
    assert signals == sorted(signals)  # the stream grows


def test_a_zero_head_blocks_the_gradient_for_one_step():
    model = diagnosis.chain(nn.ReLU, math.sqrt(2))
    nn.init.zeros_(model[-1].weight)
    assert diagnosis.run(model).verdict == "blocked"
    nn.init.normal_(model[-1].weight, std=0.1, generator=torch.Generator().manual_seed(0))
    assert diagnosis.run(model).verdict == "healthy"


def test_underflow_without_a_zero_weight_is_vanishing():
    model = diagnosis.chain(nn.Tanh, 1e-4)
    assert diagnosis.run(model).verdict == "vanishing"


def test_overflow_is_exploding():
    model = diagnosis.chain(nn.ReLU, 1e4)
    assert diagnosis.run(model).verdict == "exploding"


def test_the_factor_ignores_a_jump_and_sees_a_trend():
    assert diagnosis.growth_factor([1.0]) == 1
    assert diagnosis.growth_factor([1.0, 0.0]) == 0
    assert diagnosis.growth_factor([2.0**-k for k in range(12)]) == pytest.approx(2**-11)
    assert diagnosis.growth_factor([1.0] * 4 + [1e-9] * 4) == 1
    assert diagnosis.growth_factor([1.0, 1.0, 1.0, 1.0, 1.0, 1e-9]) == pytest.approx(1)
    assert diagnosis.growth_factor([1.0, 0.1] * 5) > 0.1


def test_nothing_to_judge_is_an_error():
    model = nn.Sequential(nn.Linear(4, 10))
    with pytest.raises(ValueError, match=r"Received: kinds=\(<class .*Conv2d.*>,\)"):
        diagnosis.diagnose(model, inputs(4), cross_entropy, kinds=(nn.Conv2d,))


def test_figure_shows_the_models():
    figure = diagnosis.plot_profiles()
    signal, gradient = figure.axes
    healthy, small, large, saturated, dead = (line.get_ydata() for line in signal.lines)
    assert max(healthy) / min(healthy) < 30
    assert small[-2] / small[0] < 1e-20
    assert large[-2] / large[0] > 1e6
    assert max(saturated) / min(saturated) < 10
    lines = [line.get_ydata() for line in gradient.lines]
    assert lines[1][0] / lines[1][-2] < 1e-20
    assert lines[2][0] / lines[2][-2] > 1e6
    assert len(dead) == 15
    assert len(lines[4]) < 15
