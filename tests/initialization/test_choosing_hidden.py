"""Each row of the first table keeps its promise, and the printed call is the executed one."""

import math
import re
from itertools import pairwise
from pathlib import Path

import pytest
import torch

from x0.initialization import choosing_hidden as hidden
from x0.initialization import choosing_layers as layers
from x0.initialization import choosing_parts as parts

ROOT = Path(__file__).parents[2]
ROWS = {row.name: row for row in hidden.ROWS}


def table(language, start, end):
    """Return the cells of the first table between two headings of the page, without its head."""
    page = (ROOT / f"docs/{language}/initialization/choosing.md").read_text()
    part = page.split(f"{{#{start}}}")[1].split(f"{{#{end}}}")[0]
    lines = [line for line in part.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def calls(*cells):
    return re.findall(r"`([^`]+)`", " ".join(cells))


@pytest.mark.claim("A-75")
@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.proves("choosing-calls", kind="call", range="68 rows, zh = en", seeds=8)
def test_the_call_on_the_page_is_the_text_that_is_executed(language):
    """Each call of the tables is the text that is executed, and each number its prediction."""
    rows = table(language, "plain", "blocks")
    assert [calls(row[1]) for row in rows] == [row.call.splitlines() for row in hidden.ROWS]
    for row, line in zip(hidden.ROWS, rows, strict=True):
        assert re.findall(r"theory\[\"(.*?)\"\]\[(.)\]", line[3]) == [
            (row.name, "0"),
            (row.name, "1"),
        ]
    shown = {}
    for line in table(language, "blocks", "special"):
        (name,) = re.findall(r"predicted\[\"(.*?)\"\]", line[6])
        shown[name] = calls(line[3], line[4])
    sections = ("special", "transformer", "outputs", "tuning", "practice", "derivation")
    devices = {}
    for start, end in pairwise(sections):
        for line in table(language, start, end):
            found = re.findall(r"predicted\[\"(.*?)\"\]", line[3])
            (shown if found else devices)[(found or [line[0]])[0]] = calls(line[1])
    executed = layers.CALLS | parts.CALLS
    assert shown == {name: call.splitlines() for name, call in executed.items()}
    # Those of the last table are functions of PyTorch and of this page; they have tests of their own.
    initialize = 'initialize_(model, "relu")'
    assert devices == {
        '`device="meta"`': ["materialize_(model)", initialize],
        "DDP": [initialize, "DistributedDataParallel(model)"],
        "FSDP": ["torch.manual_seed(0)", initialize, "fully_shard(model)"],
        ("张量并行（tensor parallelism）" if language == "zh" else "tensor parallelism"): [
            initialize,
            "parallelize_module(model, mesh, plan)",
        ],
    }


@pytest.mark.proves("choosing-layer-1", kind="call", range="width 256, 20 networks", seeds=20)
def test_layer_1_reaches_the_fixed_point_on_standardized_inputs():
    """On inputs of second moment 1 the calls for layer 1 of GELU and SiLU give the q of the row."""
    generator = torch.Generator().manual_seed(7)
    for name, scale in (("GELU", "3.38863"), ("SiLU", "13.76506")):
        row = next(row for row in hidden.ROWS if row.name == name)
        first = f"normal_(w, 0, ({scale} / w[0].numel()) ** 0.5)"
        for language in ("zh", "en"):
            page = ROOT / f"docs/{language}/initialization/choosing.md"
            assert f"`{first}`" in page.read_text()
        found = []
        for _ in range(20):
            w, b, x = torch.empty(256, 256), torch.empty(256), torch.randn(64, 256)
            layers.run_call(first, generator, w=w)
            layers.run_call(row.call.splitlines()[1], generator, b=b)
            found.append((x @ w.T + b).square().mean())
        seen = torch.stack(found)
        error = float(seen.std()) / 20**0.5
        assert abs(float(seen.mean()) - row.start) < 4 * error < 0.05 * row.start


NAMES = {"a": 0.2, "K": 12, "N": 6, "n": 64, "s": 2, "c": 16, "k": 4, "d": 2, "r": 0.01}


def equivalents():
    """Return each call of PyTorch with what the page says that it is in Keras and in JAX."""
    return [
        (call, line[1].strip("`"), line[2].strip("`"))
        for line in table("en", "frameworks", "faq")
        for call in calls(line[0])
    ]


def test_both_languages_name_the_same_calls_and_each_is_executed():
    assert table("en", "frameworks", "faq")[1:] == table("zh", "frameworks", "faq")[1:]
    lines = {line for row in hidden.ROWS for line in row.call.splitlines()}
    for call in (layers.CALLS | parts.CALLS).values():
        lines |= set(call.splitlines())
    assert {call for call, _, _ in equivalents()} <= lines


@pytest.mark.parametrize("framework", ["keras", "jax"])
def test_the_calls_of_keras_and_jax_draw_from_the_same_distribution(framework):
    """Mean and variance of each call agree with those of PyTorch's; runs where they are installed."""
    library = pytest.importorskip(framework)
    generator = torch.Generator().manual_seed(0)
    for call, keras, jax in equivalents():
        w = torch.empty(200, 100)
        norm, targets = torch.nn.BatchNorm1d(1), ("w", "b", "up", "down", "A", "B", "gate", "scale")
        norm.weight = torch.nn.Parameter(w, requires_grad=False)
        layers.run_call(call, generator, norm=norm, **dict.fromkeys(targets, w), **NAMES)
        names = {"math": math} | NAMES
        if framework == "keras":
            drawn = eval(keras, vars(library.initializers) | names)((100, 200))
            drawn = library.ops.convert_to_numpy(drawn)
        else:
            drawn = eval(jax, vars(library.nn.initializers) | names)(
                library.random.key(0), (100, 200)
            )
        drawn = torch.tensor(drawn.tolist())
        assert drawn.shape == (100, 200)
        assert float(drawn.mean()) == pytest.approx(
            float(w.mean()), abs=0.05 * float(w.std()) + 1e-9
        )
        assert float(drawn.std()) == pytest.approx(float(w.std()), rel=0.03)


def test_a_changed_call_changes_what_is_drawn():
    row = ROWS["ReLU"]._replace(call="xavier_normal_(w)")
    generator = torch.Generator().manual_seed(0)
    w, b = hidden.fill(row, generator)
    assert not b.any()
    assert hidden.WIDTH * w.var().item() == pytest.approx(1, rel=0.05)


@pytest.mark.parametrize("name", ROWS)
def test_signal_and_gradient_are_as_predicted(name):
    networks = 4 if name == "linear" else 160
    for theory, seen in zip(hidden.predicted(ROWS[name]), hidden.measured(ROWS[name]), strict=True):
        assert len(seen) == networks
        error = float(seen.std()) / math.sqrt(networks)
        if name == "linear":
            assert torch.allclose(seen, torch.ones_like(seen), atol=1e-4)
            continue
        finite = 0.1 * theory  # the prediction is that of infinite width
        assert abs(float(seen.mean()) - theory) < 4 * error + finite
        # at width 128 these two vary most from network to network
        assert error < (0.11 if name in {"GELU, He", "sigmoid"} else 0.06) * theory


@pytest.mark.claim("A-65")
def test_the_three_rules_are_not_interchangeable(values):
    # Square layers: Xavier and LeCun have the variance 1/n, He 2/n.
    for name, right, wrong in (("ReLU", 2, 1), ("SELU", 1, 2), ("tanh", 1, 2)):
        row = ROWS[name]
        assert row.weight == right
        q, d = hidden.predicted(row)
        other_q, other_d = hidden.predicted(row._replace(weight=wrong))
        if name == "tanh":  # with He's variance the gradient explodes
            assert d < 1 < other_d
        else:
            assert abs(math.log(q)) < 1e-5 < abs(math.log(other_q))
        for index, value in enumerate((other_q, other_d)):
            seen = hidden.measured(row)[index]
            error = float(seen.std()) / math.sqrt(len(seen))
            assert abs(float(seen.mean()) - value) > 4 * error
    q, _ = hidden.predicted(ROWS["ReLU"]._replace(weight=1))
    assert q == pytest.approx(2.0 ** -(hidden.DEPTH - 1), rel=1e-4)
    assert values("choosing_hidden")["relu_xavier"] == q


def iterated(name, depth):
    """Return q of layer `depth` for infinite width, from q = 1, by a finer rule than the page's."""
    t = torch.linspace(-12, 12, 48001, dtype=torch.float64)
    mass = torch.exp(-(t**2) / 2)
    mass /= mass.sum()
    q = torch.ones((), dtype=torch.float64)
    for _ in range(depth - 1):
        q = ROWS[name].weight * (mass @ ROWS[name].phi(q.sqrt() * t) ** 2)
    return float(q)


@pytest.mark.proves("choosing-softsign", kind="fact", range="layer 100…1000", tolerance="4 %, 1 %")
def test_softsign_decays_with_the_square_of_the_depth():
    """With Xavier the second moment of softsign falls like pi / (8 l^2), that of tanh like 1 / (2l)."""
    for depth, near in ((100, 0.04), (1000, 0.01)):
        q = iterated("softsign", depth)
        assert q == pytest.approx(math.pi / (8 * depth**2), rel=near)
        assert q < 0.1 / (2 * depth)  # not the law of tanh
        assert iterated("tanh", depth) == pytest.approx(1 / (2 * depth), rel=near)


@pytest.mark.proves("choosing-coordinates", kind="fact", range="1…3 coordinates, 8 layers")
def test_few_coordinates_leave_more_of_the_gradient_of_tanh():
    """With q of layer 1 equal to 1 on average over uniform coordinates only, the gradient falls less."""
    generator = torch.Generator().manual_seed(0)
    found = []
    for n in (1, 2, 3, 300):
        x = 2 * torch.rand(400, n, generator=generator, dtype=torch.float64) - 1
        starts = 3 * x.square().mean(1)  # second moment 1, drawn as for SELU
        assert float(starts.mean()) == pytest.approx(1, abs=0.15)
        kept = [hidden.predicted(ROWS["tanh"]._replace(start=float(q)))[1] for q in starts]
        found.append(sum(kept) / len(kept))
    one = hidden.predicted(ROWS["tanh"])[1]
    assert found[0] > found[1] > found[2] > 1.2 * one
    assert found[3] == pytest.approx(one, rel=0.02)  # many inputs: q is 1 at each


@pytest.mark.proves("choosing-siren", kind="fact", range="n = 1…3, 8 layers", seeds=20)
def test_a_siren_with_the_layer_1_and_the_biases_of_its_authors():
    """Behind the authors' layer 1 the variance of 30 z ends at 0.80 with zero biases; the default biases
    add 300 / n to it in each layer."""
    generator, n = torch.Generator().manual_seed(0), 256
    bound = 1 / n**0.5
    for inputs in (1, 2, 3):
        last = {}
        for biased in (False, True):
            x = 2 * torch.rand(64, inputs, generator=generator) - 1
            seen = []
            for _ in range(20):
                w = (2 * torch.rand(n, inputs, generator=generator) - 1) / inputs
                h = torch.sin(30 * x @ w.T)
                for _ in range(7):
                    w, b = torch.empty(n, n), torch.zeros(n)
                    layers.run_call(ROWS["sine"].call, generator, w=w)
                    if biased:
                        b.uniform_(-bound, bound, generator=generator)
                    z = h @ w.T + b
                    h = torch.sin(30 * z)
                seen.append(30**2 * z.square().mean())
            last[biased] = torch.stack(seen)
        s = 0.8
        for _ in range(50):
            s = 1 - math.exp(-2 * s) + 300 / n  # E[sin^2] of a normal with variance s
        for biased, law in ((False, 0.797), (True, s)):
            error = float(last[biased].std()) / 20**0.5
            assert abs(float(last[biased].mean()) - law) < 4 * error + 0.02 < 0.2 * law
    default = torch.cat([torch.nn.Linear(n, n).bias.detach() for _ in range(20)])
    assert 30**2 * float(default.square().mean()) == pytest.approx(300 / n, rel=0.06)


@pytest.mark.claim("A-74")
def test_factors_of_layers_multiply():
    for depth in (2, 5, 16):
        relu = ROWS["ReLU"]._replace(weight=1, depth=depth)
        for factor in hidden.predicted(relu):
            assert factor == pytest.approx(0.5 ** (depth - 1), rel=1e-4)
    assert hidden.predicted(relu)[0] < 1e-4  # 15 steps


@pytest.mark.claim("A-64")
def test_neither_depth_nor_loss_is_in_the_variance_of_a_hidden_layer():
    # One variance holds at every depth, and for every gradient that a loss may send down.
    for depth in (2, 10, 40):
        relu = ROWS["ReLU"]._replace(depth=depth)
        assert hidden.predicted(relu) == pytest.approx((1, 1), rel=1e-4)
        q, d = hidden.predicted(relu._replace(weight=1.9))
        assert q == pytest.approx(0.95 ** (depth - 1), rel=1e-4)
        assert d == pytest.approx(q, rel=1e-4)


def test_the_wide_limit_of_the_critical_points_is_a_fixed_point():
    for name in ("GELU", "SiLU"):
        assert hidden.predicted(ROWS[name]) == pytest.approx((1, 1), rel=1e-3)
    assert hidden.predicted(ROWS["GELU, He"])[0] < 0.2


def test_the_values_beside_the_calls(values):
    found = values("choosing_hidden")
    # sin of a normal with variance s: E = (1 - exp(-2 s)) / 2; n Var(w) 30^2 is 2
    s = 1.0
    for _ in range(7):
        s = 1 - math.exp(-2 * s)
    assert found["sine"] == pytest.approx(s, rel=1e-3)
    assert found["tanh_20"][0] == pytest.approx(iterated("tanh", 20), rel=1e-3)
    assert found["gelu_6"][0] == pytest.approx(iterated("GELU, He", 6), rel=1e-3)
    for index in (0, 1):  # 20 layers keep less than 8, and 6 more
        assert found["tanh_20"][index] < found["theory"]["tanh"][index]
        assert found["gelu_6"][index] > found["theory"]["GELU, He"][index]
    assert found["sigmoid_xavier"] < 4.0**-14  # 7 slopes of at most 1/4, squared
    assert (found["gelu_start"], found["silu_start"]) == (3.5616, 14.3202)
    # With GELU, 7 layers of He lose a growing share of q each, from 15 % to one half.
    t = torch.linspace(-10, 10, 4000, dtype=torch.float64)
    mass = torch.exp(-(t**2) / 2) / torch.exp(-(t**2) / 2).sum()
    q, lost = 1.0, []
    for _ in range(40):
        q, before = 2 * float(mass @ torch.nn.functional.gelu(q**0.5 * t) ** 2), q
        lost.append(1 - q / before)
    assert all(a < b < 0.5 for a, b in pairwise(lost))
    assert (round(lost[0], 2), round(lost[-1], 2)) == (0.15, 0.5)
    # 7 layers of He: each leaves between a quarter and 0.72 of q, twice what SiLU leaves
    assert 0.5**7 < found["silu_he"] < 0.72**7


def test_caption_of_the_rows():
    """tanh, softsign and He with GELU lose both; SELU and the sine hold the signal, the gradient grows."""
    figure = hidden.plot_rows()
    signal, gradient = (
        dict(
            zip(
                ROWS,
                next(x for x in axis.lines if x.get_label() == "measured").get_ydata(),
                strict=True,
            )
        )
        for axis in figure.axes
    )
    for name in ("tanh", "softsign", "GELU, He"):
        assert signal[name] < 0.5
        assert gradient[name] < 0.5
    for name in ("SELU", "sine"):
        assert 0.7 < signal[name] < 1.3
        assert gradient[name] > 1.4
    for axis, seen in zip(figure.axes, (signal, gradient), strict=True):
        assert axis.get_ylim()[0] < min(seen.values())
        dashes = [line for line in axis.lines if line.get_ls() == "--" and len(line.get_xdata())]
        theory = [line.get_ydata()[0] for line in dashes]
        index = figure.axes.index(axis)
        assert theory == [hidden.predicted(row)[index] for row in hidden.ROWS]


@pytest.mark.proves(
    "choosing-one-input", kind="fact", range="width 1…1024, scale 0.01…100", seeds=20
)
def test_with_zero_biases_all_units_of_one_input_bend_at_the_same_point():
    """With one input and zero biases each ReLU of layer 1 bends at 0, so that the layer is two straight
    lines; with random biases it bends at as many points as it has units."""
    generator = torch.Generator().manual_seed(0)
    for width in (1, 16, 1024):
        for scale in (0.01, 1, 100):
            w = scale * torch.randn(20, width, generator=generator, dtype=torch.float64)
            b = scale * torch.randn(20, width, generator=generator, dtype=torch.float64)
            for bias in (torch.zeros_like(b), b):
                bends = -bias / w
                h = torch.relu(w * bends[:, :1] + bias)  # all units at the bend of the first
                assert h[:, 0].abs().max() < 1e-9 * scale
                assert bool(h.abs().max() < 1e-9 * scale) == (width == 1 or not bias.any())
                count = {len((x + 0.0).unique()) for x in bends}
                assert count == {width if bias.any() else 1}
