"""The diagnosis: its numbers against autograd, its verdicts on models built for them."""

import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from x0.initialization import choosing, choosing_hidden, choosing_layers
from x0.initialization import choosing_diagnosis as diagnosis
from x0.initialization import choosing_parts as parts

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


def test_units_are_the_same_only_if_all_are():
    """Compared with the largest number there is: a column of zeros hides no difference."""
    x = torch.zeros(6, 3)
    x[:, 1:] = torch.tensor([1.0, 2.0])
    dense, conv = nn.Linear(3, 3), nn.Conv2d(3, 3, 1)
    assert diagnosis.same_units(x, dense) == 0
    assert diagnosis.same_units(x.mean(1, keepdim=True).expand(6, 3), dense) == 3
    assert diagnosis.same_units(x.mean(1, keepdim=True).expand(6, 3) + 1e-3 * x, dense) == 0
    # Equal for inputs whose first number is 0, and for the units of a convolution.
    same = torch.arange(6.0)[:, None].expand(6, 3)
    assert diagnosis.same_units(same, dense) == 3
    assert diagnosis.same_units(torch.arange(12.0).view(2, 1, 2, 3).expand(2, 3, 2, 3), conv) == 3
    assert diagnosis.same_units(torch.arange(36.0).view(2, 3, 2, 3), conv) == 0
    assert diagnosis.same_units(torch.ones(6, 1), nn.Linear(3, 1)) == 0  # one unit has no other


def test_an_input_out_of_scale_is_named_unless_a_norm_comes_first():
    def head(*before):
        layers = [nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 16), nn.ReLU(), nn.Linear(16, 10)]
        for layer in layers[::2]:
            nn.init.kaiming_normal_(layer.weight, generator=torch.Generator().manual_seed(1))
        return nn.Sequential(*before, *layers)

    def found(model, x):
        return diagnosis.diagnose(model, x, cross_entropy).verdict

    assert found(head(), inputs(8)) == "healthy"
    assert found(head(), 1000 * inputs(8)) == "input"
    assert found(head(nn.LayerNorm(8)), 1000 * inputs(8)) == "healthy"


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


@pytest.mark.parametrize("signs", [False, True])
def test_a_second_input_is_neither_dead_nor_saturated(signs):
    """What a layer reads from the batch is no output of an activation function, one-hot or ±1."""
    sparse = F.one_hot(torch.arange(40) % 20, 500).float()
    far = (inputs(500) > 0) * 2.0 - 1 if signs else 22 * sparse
    model = Pair()
    model.right = nn.Linear(500, 10)
    assert diagnosis.diagnose(model, (inputs(4), far), cross_entropy).verdict == "healthy"


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


@pytest.mark.proves(
    "choosing-zeros", kind="fact", n="15 layers", effect="1 zero: healthy, 2 in a row: blocked"
)
def test_a_zero_head_is_a_start_and_not_an_illness():
    """One layer of zeros is named and passes as healthy; two in a row, which block each other, do not."""
    model = diagnosis.chain(nn.ReLU, math.sqrt(2))
    nn.init.zeros_(model[-1].weight)
    found = diagnosis.run(model)
    assert found.verdict == "healthy"
    assert found.zeros == ["28.weight"]
    assert not model[-1].weight.any()
    assert found.layers[0].gradient == 0  # so it is, in this step
    nn.init.zeros_(model[-3].weight)
    assert diagnosis.run(model).verdict == "blocked"
    for activation, std in ((nn.ReLU, math.sqrt(2)), (nn.Tanh, 1.0), (nn.SELU, 1.0)):
        for first in (0, 12, 26):  # anywhere, if the function between them is 0 at 0
            model = diagnosis.chain(activation, std)
            for layer in (model[first], model[first + 2]):
                nn.init.zeros_(layer.weight)
            assert diagnosis.run(model).verdict == "blocked"
    model = diagnosis.chain(nn.Sigmoid, 10.0)  # this one is not
    for layer in (model[12], model[14]):
        nn.init.zeros_(layer.weight)
    assert diagnosis.run(model).verdict != "blocked"


def test_the_report_has_a_line_for_each_layer(printed):
    found = diagnosis.run(diagnosis.MODELS["ReLU, bias −6"])
    lines = str(found).splitlines()
    assert len(lines) == 3 + len(found.layers)
    assert lines[0].startswith("dead at ")
    assert found.page in lines[1]
    assert sum(line.endswith(" <") for line in lines) == 1
    assert "start at 0 and learn: 8.weight" in printed("choosing_diagnosis")


def test_underflow_without_a_zero_weight_is_vanishing():
    model = diagnosis.chain(nn.Tanh, 1e-4)
    assert diagnosis.run(model).verdict == "vanishing"


def test_overflow_is_exploding():
    model = diagnosis.chain(nn.ReLU, 1e4)
    assert diagnosis.run(model).verdict == "exploding"


@pytest.mark.proves("choosing-jump", kind="fact", effect="10⁻⁹ : 1")
def test_the_factor_ignores_a_jump_and_sees_a_trend():
    """From four moments on, a single jump between level ones does not change the factor; a trend does."""
    for length in range(4, 31):
        for jump in (1e-9, 1e-3, 1e3, 1e9):
            for place in range(1, length):
                path = [1.0] * place + [jump] * (length - place)
                assert diagnosis.growth_factor(path) == pytest.approx(1)
    assert diagnosis.growth_factor([1.0, 1.0, 1e-9]) == pytest.approx(1e-9)
    assert diagnosis.trend([1.0] * 4 + [1e-9] * 4) == pytest.approx(1e-9)  # the thirds see it
    assert diagnosis.growth_factor([1.0]) == 1
    assert diagnosis.growth_factor([1.0, 0.0]) == 0
    assert diagnosis.growth_factor([2.0**-k for k in range(12)]) == pytest.approx(2**-11)
    assert diagnosis.growth_factor([1.0] * 4 + [1e-9] * 4) == 1
    assert diagnosis.growth_factor([1.0, 1.0, 1.0, 1.0, 1.0, 1e-9]) == pytest.approx(1)
    assert diagnosis.growth_factor([1.0, 0.1] * 5) > 0.1


@pytest.mark.proves(
    "choosing-bad-layers",
    kind="search",
    range="8, 12, 18 and 30 layers of width 64, 4 or 5 bad ones from any layer on",
    n="184 networks",
)
@pytest.mark.parametrize("gain", [0.25, 4.0])
def test_bad_layers_are_found_wherever_they_begin(gain):
    """In 184 ReLU networks of width 64, 8 to 30 layers, 4 or 5 bad hidden layers, off by 16, are found."""
    wanted = "vanishing" if gain < 1 else "exploding"
    for depth in (8, 12, 18, 30):
        for count in (4, 5):
            for start in range(1, depth - count):
                generator = torch.Generator().manual_seed(start)
                layers = []
                for k in range(depth):
                    layer = nn.Linear(64, 64 if k < depth - 1 else 10, bias=False)
                    std = math.sqrt(2 / 64) * (gain if start <= k < start + count else 1)
                    nn.init.normal_(layer.weight, std=std, generator=generator)
                    layers += [layer, nn.ReLU()]
                model = nn.Sequential(*layers[:-1])
                x = torch.randn(64, 64, generator=generator)
                found = diagnosis.diagnose(model, x, lambda out: out.square().mean())
                assert found.verdict == wanted, (depth, count, start)


def test_nothing_to_judge_is_an_error():
    model = nn.Sequential(nn.Linear(4, 10))
    with pytest.raises(ValueError, match=r"Received: kinds=\(<class .*Conv2d.*>,\)"):
        diagnosis.diagnose(model, inputs(4), cross_entropy, kinds=(nn.Conv2d,))


@pytest.mark.proves("choosing-profiles", kind="caption", n="5 networks, 15 layers")
def test_figure_shows_the_models():
    """The signal of He varies by less than 30, vanishes or explodes with the others, is level for tanh."""
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
    assert max(lines[0]) / min(lines[0]) < 30
    assert list(figure.axes[1].lines[4].get_xdata()) == [15]  # the hidden layers have none


def deep(width: int, activation: type[nn.Module] = nn.ReLU) -> nn.Sequential:
    layers: list[nn.Module] = []
    for _ in range(5):
        linear = nn.Linear(width, width)
        nn.init.kaiming_normal_(linear.weight)
        layers += [linear, activation()]
    return nn.Sequential(*layers, nn.Linear(width, 3))


@pytest.mark.proves("choosing-zero-head", kind="fact", range="width 64…1024, 2 losses")
@pytest.mark.parametrize("width", [64, 256, 1024])
def test_a_head_that_starts_at_zero_is_not_called_loud(width):
    """Of a head that starts at 0, moved a little, the growth is not judged, at any width."""
    torch.manual_seed(0)
    model, x = deep(width), torch.randn(64, width)
    nn.init.zeros_(model[-1].weight)
    rare = (torch.arange(64) < 4).long()
    for loss in (
        lambda out: (out - 3).square().mean(),
        lambda out: nn.functional.cross_entropy(out, rare),
    ):
        found = diagnosis.diagnose(model, x, loss)
        assert found.verdict == "healthy"
        assert found.zeros == [f"{len(model) - 1}.weight"]
    nn.init.normal_(model[-1].weight, std=3.0)  # one that does not start at 0 is
    assert diagnosis.diagnose(model, x, lambda out: out.sum()).verdict == "loud"


class Bottleneck(nn.Module):
    """A residual block of three convolutions, with a projection where the shape changes."""

    def __init__(self, reads, width, stride, gamma):
        super().__init__()
        makes = 4 * width
        self.branch = nn.Sequential(
            nn.Conv2d(reads, width, 1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, width, 3, stride=stride, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(),
            nn.Conv2d(width, makes, 1, bias=False),
            nn.BatchNorm2d(makes),
        )
        nn.init.constant_(self.branch[-1].weight, gamma)
        self.skip = nn.Sequential()
        if stride > 1:
            self.skip.append(nn.Conv2d(reads, makes, 1, stride=stride, bias=False))
            self.skip.append(nn.BatchNorm2d(makes))

    def forward(self, x):
        return torch.relu(self.branch(x) + self.skip(x))


@pytest.mark.proves(
    "choosing-small-branches",
    kind="fact",
    range="4 and 16 bottlenecks, width 8 and 16, 16 images of 32 × 32",
    seeds=5,
)
def test_bottlenecks_with_a_small_last_scale_are_healthy():
    """Four bottlenecks with a last γ of 0, 0.01 or 1 are healthy, sixteen with 0; with 1 their gradient grows."""
    found, four = {}, [(32, 8, 1), (32, 8, 1), (32, 16, 2), (64, 16, 1)]
    sixteen = 16 * [(32, 8, 1)]
    for shapes, gamma in ((four, 0.0), (four, 0.01), (four, 1.0), (sixteen, 0.0), (sixteen, 1.0)):
        for seed in range(5):
            torch.manual_seed(seed)
            stem = [nn.Conv2d(3, 32, 3, padding=1, bias=False), nn.BatchNorm2d(32), nn.ReLU()]
            blocks = [Bottleneck(*shape, gamma) for shape in shapes]
            head = nn.Linear(4 * shapes[-1][1], 10)
            model = nn.Sequential(*stem, *blocks, nn.AdaptiveAvgPool2d(1), nn.Flatten(), head)
            choosing.initialize_(model, "normalized", head=head)
            x = torch.randn(16, 3, 32, 32)
            loss = lambda out: F.cross_entropy(out, TARGET[:16])  # noqa: E731
            verdict = diagnosis.diagnose(model, x, loss).verdict
            found.setdefault((len(shapes), gamma), set()).add(verdict)
    assert found.pop((16, 1.0)) == {"exploding"}
    assert all(verdicts == {"healthy"} for verdicts in found.values())


class ZeroBranch(nn.Module):
    """A block whose branch returns 0 at first: of Fixup, of pre-norm, or a layer with LoRA beside it."""

    def __init__(self, row, count, generator):
        super().__init__()
        self.skip = nn.Linear(64, 64) if row == "LoRA" else nn.Identity()
        self.norm = nn.LayerNorm(64) if row == "zero last" else nn.Identity()
        self.branch = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 64))
        if row == "LoRA":
            self.branch = nn.Sequential(nn.Linear(64, 8), nn.Linear(8, 64))
            self.requires_grad_(False)
            self.branch.requires_grad_(True)
        choosing.initialize_(self, "relu", generator=generator)
        if row == "LoRA":
            A, B = (layer.weight for layer in self.branch)
            parts.run_call(choosing_layers.CALLS["adapter"], generator, A=A, B=B)
        else:
            first, last = [parts.LINEAR, *parts.CALLS[row].splitlines()][-2:]
            parts.run_call(first, generator, w=self.branch[0].weight, K=count)
            parts.run_call(last, generator, w=self.branch[2].weight)
        self.after = nn.ReLU() if row == "LoRA" else nn.Identity()

    def forward(self, x):
        return self.after(self.skip(x) + self.branch(self.norm(x)))


@pytest.mark.proves(
    "choosing-zero-branches", kind="fact", range="4…24 blocks, width 64, LoRA of rank 8", seeds=5
)
def test_networks_of_branches_that_start_at_zero_are_healthy():
    """Networks of Fixup, zero-last or LoRA blocks, 4 to 24 of them, are judged healthy."""
    for row in ("Fixup", "zero last", "LoRA"):
        for count in (4, 6, 8, 12, 24):
            for seed in range(5):
                generator = torch.Generator().manual_seed(seed)
                torch.manual_seed(seed)
                head = nn.Linear(64, 10)
                if seed % 2:
                    nn.init.zeros_(head.weight)
                    nn.init.zeros_(head.bias)
                blocks = [ZeroBranch(row, count, generator) for _ in range(count)]
                x = torch.randn(40, 64, generator=generator)
                model = nn.Sequential(*blocks, head)
                found = diagnosis.diagnose(model, x, cross_entropy)
                assert found.verdict == "healthy", (row, count, seed)


class DiTBlock(nn.Module):
    """A block whose adaLN layer starts at 0 and gives shifts, scales and gates from a condition."""

    def __init__(self):
        super().__init__()
        self.condition, self.norm = nn.Linear(64, 384), nn.LayerNorm(64, elementwise_affine=False)
        self.attention = nn.MultiheadAttention(64, 4, batch_first=True)
        self.mlp = nn.Sequential(nn.Linear(64, 256), nn.GELU(), nn.Linear(256, 64))
        nn.init.zeros_(self.condition.weight)
        nn.init.zeros_(self.condition.bias)

    def forward(self, x, c):
        a, b, gate, d, e, last = self.condition(F.silu(c))[:, None].chunk(6, dim=-1)
        y = self.norm(x) * (1 + b) + a
        x = x + gate * self.attention(y, y, y)[0]
        return x + last * self.mlp(self.norm(x) * (1 + e) + d)


@pytest.mark.proves("choosing-dit", kind="fact", range="2, 6, 12 blocks, width 64", seeds=3)
def test_a_pattern_of_four_layers_can_pass_for_a_trend():
    """DiT blocks whose adaLN starts at 0 are judged exploding; by their outputs alone they are healthy."""
    for count in (2, 6, 12):
        for seed in range(3):
            torch.manual_seed(seed)
            first, classes, head = nn.Linear(16, 64), nn.Embedding(10, 64), nn.Linear(64, 16)
            nn.init.normal_(classes.weight, 0, 0.02)
            nn.init.zeros_(head.weight)
            nn.init.zeros_(head.bias)
            blocks = nn.ModuleList(DiTBlock() for _ in range(count))
            model = nn.ModuleList([first, classes, *blocks, head])

            def forward(x, c, first=first, classes=classes, blocks=blocks, head=head):
                x, c = first(x), classes(c)
                for block in blocks:
                    x = block(x, c)
                return head(x)

            model.forward = forward
            y, batch = torch.randn(16, 9, 16), (torch.randn(16, 9, 16), torch.arange(16) % 10)
            for kinds, verdict in (((), "exploding"), ((DiTBlock,), "healthy")):
                found = diagnosis.diagnose(
                    model, batch, lambda out, y=y: (out - y).square().mean(), kinds
                )
                assert found.verdict == verdict


@pytest.mark.proves("choosing-bounded", kind="fact", range="ReLU6, 10 layers; sigmoid after a head")
def test_zeros_of_relu6_and_the_function_of_the_output_are_not_saturated():
    """The sigmoid row counts as saturated, although it keeps signal and gradient over 8 layers; numbers of
    ReLU6 near 0 are no saturation, and neither are probabilities near 0 at the output."""
    row = next(row for row in choosing_hidden.ROWS if row.name == "sigmoid")
    assert all(0.8 < factor < 1.2 for factor in choosing_hidden.predicted(row))
    assert diagnosis.run(diagnosis.chain(nn.Sigmoid, 10.0, depth=8)).verdict == "saturated"
    torch.manual_seed(0)
    x = torch.randn(64, 64)
    for scale in (0.01, 1.0):
        assert diagnosis.diagnose(deep(64, nn.ReLU6), scale * x, torch.sum).verdict == "healthy"
    head = deep(64)
    nn.init.constant_(head[-1].bias, -5.0)
    assert diagnosis.diagnose(nn.Sequential(head, nn.Sigmoid()), x, torch.sum).verdict == "healthy"
    hidden = deep(64, nn.Sigmoid)  # inside the network it is saturated
    nn.init.normal_(hidden[0].weight, std=10.0)
    assert diagnosis.diagnose(hidden, x, torch.sum).verdict == "saturated"


@pytest.mark.proves("choosing-heads", kind="fact", range="width 64, std 0, 0.01", seeds=5)
@pytest.mark.parametrize("std", [0.0, 0.01])
def test_all_output_layers_that_read_the_same_are_left_out(std):
    """The output layers, the last one and all that read what it reads, are no part of the growth; neither
    are embeddings that a norm reads first."""
    for seed in range(5):
        torch.manual_seed(seed)
        trunk = nn.Sequential(nn.Linear(8, 64), nn.Tanh(), nn.Linear(64, 64), nn.Tanh())
        policy, value = nn.Linear(64, 4), nn.Linear(64, 1)
        choosing.initialize_(trunk, "tanh")
        nn.init.normal_(policy.weight, 0, std)
        nn.init.normal_(value.weight, 0, 64**-0.5 if std else 0)
        for order in ((policy, value), (value, policy)):
            model = nn.ModuleList([trunk, *order])
            model.forward = lambda x, parts=(trunk, *order): [f(parts[0](x)) for f in parts[1:]]
            found = diagnosis.diagnose(
                model, inputs(8), lambda out: sum((y - 1).square().mean() for y in out)
            )
            assert found.verdict == "healthy"
    small = made("policy", signal=1e-9, read=3.0)
    assert judged(made("a"), small, made("value", read=3.0)) == {}
    assert set(judged(made("a"), small, made("value", read=4.0))) == {"vanishing"}
    words, norm, rest = (
        made("words", signal=1e-9),
        made("norm", weighs=False),
        (made("a"), made("b")),
    )
    words.module, norm.module = nn.Embedding(2, 2), nn.LayerNorm(2)
    assert judged(words, norm, *rest, made("head", read=3.0)) == {}
    assert set(judged(words, *rest, made("head", read=3.0))) == {"exploding"}
    for depth in (1, 2, 3):
        torch.manual_seed(depth)
        block = nn.TransformerEncoderLayer(32, 4, 128, 0.0, batch_first=True, norm_first=True)
        blocks = nn.TransformerEncoder(block, depth, enable_nested_tensor=False)
        model = nn.Sequential(nn.Embedding(50, 32), blocks, nn.LayerNorm(32), nn.Linear(32, 10))
        choosing.initialize_(model, "relu", head=model[-1])
        ids = torch.randint(50, (40, 7))
        found = diagnosis.diagnose(model, ids, lambda out: cross_entropy(out[:, 0]))
        assert found.verdict == "healthy"


@pytest.mark.proves("choosing-mask", kind="call", n="3 models")
def test_a_mask_and_a_time_that_are_numbers_are_judged_as_data():
    """A mask with −∞ and a time in the hundreds count as input; as Booleans and integers they do not."""
    torch.manual_seed(0)
    block = nn.TransformerEncoderLayer(32, 4, 64, dropout=0.0, batch_first=True)
    mask = nn.Transformer.generate_square_subsequent_mask(5)
    loss = lambda out: cross_entropy(out[:, 0, :10])  # noqa: E731
    time = 25 * torch.arange(40)
    model = nn.ModuleList([block])
    model.forward = lambda x, mask, t: block(x + torch.cos(t / 1000)[:, None, None], mask)
    for given, verdict in (
        ((mask, time), "input"),
        ((mask < 0, time.float()), "input"),
        ((mask < 0, time), "healthy"),
    ):
        assert diagnosis.diagnose(model, (inputs(5, 32), *given), loss).verdict == verdict


def test_the_padding_of_an_embedding_is_not_dead():
    """Rows of 0 behind an embedding come from no activation function."""
    torch.manual_seed(0)
    ids = torch.randint(1, 50, (40, 32))
    ids[:, 5:] = 0
    for middle in (nn.Linear(16, 32), nn.LSTM(16, 32, batch_first=True)):
        model = Sequence()
        model.tokens, model.memory = nn.Embedding(50, 16, padding_idx=0), middle
        if isinstance(middle, nn.Linear):
            model.forward = lambda x, m=model: m.head(m.memory(m.tokens(x)).relu().mean(1))
        assert diagnosis.diagnose(model, ids, cross_entropy).verdict == "healthy"


def made(name="x", signal=1.0, gradient=1.0, weighs=True, read=1.0, **seen):
    """A layer with numbers of our own."""
    module = nn.Linear(2, 2)
    return diagnosis.Layer(name, module, weighs, read, torch.ones(2), signal, gradient, **seen)


def judged(*layers, batch=None, stuck=()):
    """What is found besides that the layer is healthy."""
    batch = torch.tensor([[1.0, -1.0]]) if batch is None else batch
    found = diagnosis.judge(list(layers), [batch], list(stuck))
    assert found.pop("healthy") == ("", 1.0)
    return found


def test_nothing_is_found_at_the_limits_themselves():
    """A number at its limit passes, one above it does not."""
    above = 1 + 1e-6
    head = made("head")
    assert judged(made("a"), head) == {}
    assert judged(head) == {}
    for key, limit in (("dead", diagnosis.DEAD), ("saturated", diagnosis.SATURATED)):
        assert judged(made("a", **{key: limit}), made("b"), head) == {}
        found = judged(made("a"), made("b", **{key: limit * above}), head)
        assert found == {key: ("b", limit * above)}
        # of an output that has no weight, the range is a choice
        out = made("out", weighs=False, **{key: 1.0})
        assert judged(made("a"), head, out) == {}
        assert judged(out) == {key: ("out", 1.0)}
    loud = diagnosis.LOUD
    assert judged(made("a"), made("head", signal=2 * loud, read=2.0)) == {}
    assert judged(made("a"), made("head", signal=2 * loud * above, read=2.0)) == {
        "loud": ("head", pytest.approx(loud))
    }
    assert judged(made("a"), made("head", signal=2 * loud, read=0.0)) == {}
    low, high = diagnosis.INPUT
    unit = torch.tensor([[1.0, -1.0]]).double()
    for moment, fine in ((low / above, 0), (low * above, 1), (high / above, 1), (high * above, 0)):
        found = judged(made("a"), head, batch=math.sqrt(moment) * unit)
        assert found == ({} if fine else {"input": ("input 0", pytest.approx(moment))})
    # what a norm makes of it counts as well; whole numbers have no scale
    far = 100 * high * unit
    assert judged(made("norm", weighs=False), made("a"), head, batch=far) == {}
    assert "input" in judged(made("norm", signal=2 * high, weighs=False), made("a"), batch=far)
    assert judged(made("a"), head, batch=torch.tensor([10**6])) == {}


def test_a_trend_is_found_with_the_layer_where_it_is_steepest():
    """The factor is that of the hidden layers; forward and backward, up and down."""
    limit = diagnosis.LIMIT
    for factor, verdict in ((limit**2, "exploding"), (limit**-2, "vanishing")):
        path = [1.0, factor**0.3, factor**0.7, factor]
        head = made("head", signal=1.0, gradient=path[-1])
        rows = [made(str(i), signal=x) for i, x in enumerate(path)]
        found = judged(*rows, made("head"))
        assert found[verdict] == ("2", pytest.approx(diagnosis.trend(path)))
        rows = [made(str(i), gradient=x) for i, x in enumerate(path[::-1])]
        found = judged(*rows, head)
        assert found[verdict] == ("2", pytest.approx(diagnosis.trend(path)))
    # just above and below the limit
    for power, expected in ((0.99, {}), (1.01, {"exploding": ("1", pytest.approx(limit**1.01))})):
        assert judged(made("0"), made("1", signal=limit**power), made("head")) == expected
    assert judged(made("0"), made("1", signal=limit**-0.99), made("head")) == {}
    assert judged(made("0"), made("1", signal=limit**-1.01), made("head")) == {
        "vanishing": ("1", pytest.approx(limit**-1.01))
    }
    for broken in ({"signal": math.inf}, {"signal": math.nan}, {"gradient": math.inf}):
        assert judged(made("a"), made("b", **broken), made("c", **broken))["exploding"][0] == "b"


def test_equal_and_blocked_layers_are_named():
    """Equal units of a head are no illness unless it is all there is beside an output."""
    assert judged(made("a", same=4), made("head")) == {"equal": ("a", 4)}
    assert judged(made("a"), made("head", same=4)) == {}
    assert judged(made("head", same=4)) == {}
    blind = made("a", gradient=0.0)
    assert judged(blind, made("head"), stuck=["w"])["blocked"] == ("w", 0.0)
    assert "blocked" not in judged(made("a"), made("head"), stuck=["w"])
    assert "blocked" not in judged(blind, made("head"))


def test_the_trend_is_that_of_all_layers_or_of_its_thirds():
    assert diagnosis.trend([1.0, 2.0, 4.0]) == pytest.approx(4)
    assert diagnosis.trend([1.0, 0.0]) == 0
    bad = [
        1.0,
        1.0,
        1.0,
        1.0,
        1e-4,
        1e-4,
        1e-4,
        1e-4,
    ]  # the thirds see what the median step does not
    assert diagnosis.trend(bad) == pytest.approx(1e-4)
    assert diagnosis.trend([1.0, 1.0, 1.0, 1e4, 1e4]) == pytest.approx(
        diagnosis.growth_factor([1.0, 1.0, 1.0, 1e4, 1e4])
    )
    thirds = [0.0, 0.0, math.log(5), math.log(5), math.log(9), math.log(9)]
    assert math.exp(diagnosis.ends(thirds)) == pytest.approx(9)
    assert diagnosis.trend([math.exp(x) for x in thirds]) == pytest.approx(45 ** (1 / 3))
    assert diagnosis.trend([1.0, 9.0, 0.0, 5.0, 5.0, 1e9]) == 0
    # Of one odd layer at each end, the larger step counts no more than the other; means of three divide it.
    assert math.exp(diagnosis.ends([0.0, *7 * [math.log(4)], math.log(100)])) == pytest.approx(16)
    assert diagnosis.trend([1.0, *7 * [4.0], 100.0]) == pytest.approx(4 ** (2 / 3))
    # What repeats every two or three layers is no trend; every four, it can pass for one.
    assert diagnosis.trend([1.0, 1e-6] * 5) == pytest.approx(1)
    assert diagnosis.trend([1e-9, 1.0, 1.0] * 4) == pytest.approx(1)
    assert diagnosis.trend([1e-12, 1.0, 1.0, 1.0] * 4) > diagnosis.LIMIT
    assert diagnosis.growth_factor([1.0, 1e300]) == pytest.approx(1e300)
    assert diagnosis.growth_factor([1e-300, 1e300]) == pytest.approx(math.exp(700))


def test_the_turn_is_the_largest_step():
    path = [made(str(i), signal=x, gradient=x) for i, x in enumerate((1.0, 3.0, 0.0, 2.0, 7.0))]
    assert diagnosis.turn(path, "signal", rising=True) == "3"  # from 0
    assert diagnosis.turn(path, "signal", rising=False) == "2"
    assert diagnosis.turn(path, "gradient", rising=True) == "2"  # it came through the next weight
    assert diagnosis.turn(path, "gradient", rising=False) == "1"
    assert diagnosis.turn(path[:1], "signal", rising=True) == "0"
    assert diagnosis.turn(path[:2], "signal", rising=True) == "1"


def test_numbers_near_a_bound_are_within_a_fortieth_of_the_range():
    x = torch.tensor([-1.0, -0.951, -0.949, 0.0, 0.949, 0.951, 1.0])
    assert diagnosis.near(x, -1, 1) == pytest.approx(4 / 7)
    assert diagnosis.near(6 * (x + 1) / 2, 0, 6) == pytest.approx(4 / 7)


def test_a_row_of_zeros_moves_by_a_tenth_at_most_and_the_rest_is_named():
    model = nn.Sequential(nn.Linear(2, 1), nn.Linear(1, 1), nn.Linear(1, 1))
    for layer in model[:2]:
        nn.init.zeros_(layer.weight)
    nn.init.zeros_(model[2].bias)
    gradients = {"0.weight": torch.tensor([[4.0, -2.0]]), "1.weight": torch.zeros(1, 1)}
    woken: dict[str, torch.Tensor] = {}
    assert diagnosis.wake(model, gradients, woken) == ["1.weight"]
    assert model[0].weight.tolist() == [
        [pytest.approx(-0.1 / 2**0.5), pytest.approx(0.05 / 2**0.5)]
    ]
    assert woken["0.weight"].tolist() == [[0.0, 0.0]]
    assert list(woken) == ["0.weight"]
    model[1].weight.requires_grad_(False)
    assert diagnosis.wake(model, {}, {}) == ["1.weight"]
    model[1].weight.requires_grad_(True)
    assert diagnosis.wake(model, {}, {}) == []
    gate = nn.Module()
    gate.gate = nn.Parameter(torch.tensor(0.0))
    assert diagnosis.wake(gate, {"gate": torch.tensor(3.0)}, {}) == []
    assert gate.gate.item() == pytest.approx(-0.1)


@pytest.mark.parametrize("classes", [2, 10])
def test_a_wide_head_of_zero_is_moved_without_fitting_the_batch(classes):
    """With 32,768 inputs a larger step would make the loss 0, and all gradients with it."""
    torch.manual_seed(0)
    model = nn.Sequential(
        *(nn.Conv2d(3, 32, 3, padding=1), nn.ReLU()),
        *(nn.Conv2d(32, 32, 3, padding=1), nn.ReLU(), nn.Flatten(), nn.Linear(32**3, classes)),
    )
    for layer in (model[0], model[2]):
        nn.init.kaiming_normal_(layer.weight)
        nn.init.zeros_(layer.bias)
    nn.init.zeros_(model[-1].weight)
    nn.init.zeros_(model[-1].bias)
    labels = torch.arange(16) % classes
    found = diagnosis.diagnose(
        model, torch.randn(16, 3, 32, 32), lambda out: nn.functional.cross_entropy(out, labels)
    )
    assert found.verdict == "healthy"


class Bounded(nn.Module):
    """A function without a module between two layers; its numbers may lie on the bounds."""

    def __init__(self, bound):
        super().__init__()
        self.one, self.two, self.bound = nn.Linear(4, 8), nn.Linear(8, 10), bound
        nn.init.constant_(self.one.weight, 50.0)

    def forward(self, x):
        return self.two(self.bound(self.one(x)))


def test_what_a_function_does_is_seen_at_the_next_layer():
    """Bounds of -1 and 1 are seen where the next weight reads; numbers beyond them are none."""
    x = inputs(4).sign()
    for bound, share in (
        (lambda z: z.clamp(-1, 1), 1.0),
        (lambda z: z.clamp(-0.97, 0.97), 1.0),
        (lambda z: z.clamp(-0.9, 0.9), 0.0),
        (lambda z: z.clamp(-1.01, 1.01), 0.0),
    ):
        found = diagnosis.diagnose(Bounded(bound), x + 0.1, cross_entropy).layers
        assert [layer.saturated for layer in found] == [0, share]
    found = diagnosis.diagnose(
        Bounded(lambda z: z.relu() * torch.tensor([1.0, 0] * 4)), x, cross_entropy
    )
    assert [layer.dead for layer in found.layers] == [0, 0.5]


def test_only_layers_with_weights_have_units_that_can_be_equal():
    model = nn.Sequential(nn.Linear(4, 8), nn.Tanh(), nn.Linear(8, 10))
    nn.init.ones_(model[0].weight)
    nn.init.zeros_(model[0].bias)
    nn.init.ones_(model[2].weight)
    found = diagnosis.diagnose(model, inputs(4), cross_entropy)
    assert [layer.same for layer in found.layers] == [8, 0, 0]
    assert (found.verdict, found.where, found.number) == ("equal", "0", 8)
