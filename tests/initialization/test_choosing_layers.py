"""Each row of the tables of blocks and special layers keeps its promise."""

import math
from itertools import pairwise

import pytest
import torch

from x0.initialization import choosing_layers as layers

WRONG = {
    "norm": 1.0,  # the gradient would not change
    "residual": (1 + 2 / 12) ** 12,  # He's variance in both weights
    "pre-activation": (1 + 0.5 / 12) ** 12,  # LeCun's variance in the first weight
    "pre-norm": 3.0,  # He's variance in both weights
    "GPT": 0.02**2 + 12 * 0.0115,  # no division by the root of the depth
    "SwiGLU": 0.012,  # the 4n of GELU
    "zero γ": 2.0,
    "gate": 2.0,
    "LayerScale": 2.0,
    "conv": 0.5**4,  # Xavier
    "depthwise": 2 / 16,
    "transposed": 1 / 4,  # without the stride
    "recurrent": 0.5,
    "forget gate": 0.5,  # bias 0
    "memory": 0.73**100,  # bias 1
    "attention": 0.25,  # Xavier on the stacked matrix
    "tied embedding": 64.0,  # the default N(0, 1)
    "new word": 2.0,
    "classes": math.log(10) + 0.5,  # logits of variance 1
    "rare class": 0.5,
    "shares": 1 / 3,
    "regression": 10.0,  # without the mean of 3 in the bias
    "image": 10.0,
}
EXACT = {"zero γ", "gate", "LayerScale", "recurrent", "forget gate", "adapter"}
EXACT |= {"classes", "rare class", "shares", "regression", "norm", "memory", "image"}


@pytest.mark.parametrize("name", layers.laws())
def test_the_row_keeps_its_promise(name):
    theory, seen = layers.laws()[name]
    seen = seen.detach().double()
    mean, error = float(seen.mean()), float(seen.std()) / math.sqrt(len(seen))
    if name in EXACT:
        assert torch.allclose(seen, torch.full_like(seen, theory), rtol=1e-2, atol=1e-7)
    elif name == "new word":
        assert 0.9 < mean <= float(seen.max()) <= theory * 1001 / 1001 + 1e-6
    else:
        assert abs(mean - theory) < 4 * error < 0.2 * theory
    if name in WRONG:
        assert abs(mean - WRONG[name]) > 4 * error + 1e-3


def test_the_forget_gate_is_the_second_quarter():
    """The call of the forget gate fills it alone, whatever the numbers of inputs and of units."""
    generator = torch.Generator()
    for inputs, units in ((64, 128), (128, 64), (3, 5), (1, 1)):
        lstm = torch.nn.LSTM(inputs, units)
        torch.nn.init.zeros_(lstm.bias_hh_l0)
        layers.run_call(layers.CALLS["forget gate"], generator, b=lstm.bias_hh_l0)
        gates = lstm.bias_hh_l0.detach().view(4, units)  # input, forget, cell, output
        assert torch.equal(gates, torch.tensor([0.0, 1, 0, 0])[:, None].expand(4, units))


@pytest.mark.parametrize("T", [2, 20, 1000])
def test_memory_sets_the_forget_and_the_input_gate(T):
    """The forget gate of a cell with this bias is 1 - 1/T, its input gate 1/T."""
    bias = torch.zeros(4 * 7)
    layers.run_call(layers.CALLS["memory"], torch.Generator(), b=bias, T=T)
    entry, forget, *others = bias.chunk(4)
    assert torch.allclose(torch.sigmoid(forget), torch.full((7,), 1 - 1 / T))
    assert torch.allclose(torch.sigmoid(entry), torch.full((7,), 1 / T))
    assert not torch.cat(others).any()


@pytest.mark.proves("choosing-projection", kind="fact", range="scale 0.1…10", seeds=20)
def test_a_skip_with_a_norm_starts_the_stream_anew():
    """A skip with a norm has second moment 1, after a ReLU one half, whatever the scale of the stream; the
    zero γ of the branch leaves it at that."""
    generator = torch.Generator().manual_seed(2)
    for scale in (0.1, 1, 10):
        halves = []
        for _ in range(20):
            x = scale * torch.randn(16, 8, 6, 6, generator=generator).relu()
            w = torch.empty(2, 32, 8, 1, 1)
            layers.run_call("for one in w: kaiming_normal_(one)", generator, w=w)
            norms = [torch.nn.BatchNorm2d(32) for _ in w]
            layers.run_call(layers.CALLS["zero γ"], generator, norm=norms[0])
            ends = [
                norm(torch.nn.functional.conv2d(x, one, stride=2))
                for norm, one in zip(norms, w, strict=True)
            ]
            stream = sum(ends).detach()
            assert float(stream.square().mean()) == pytest.approx(1, rel=0.01)
            halves.append(stream.relu().square().mean())
        half = torch.stack(halves)
        assert abs(float(half.mean()) - 0.5) < 0.02


@pytest.mark.parametrize(("d", "k", "s"), [(1, 16, 8), (1, 4, 2), (2, 6, 3), (3, 4, 2), (3, 2, 2)])
def test_a_transposed_convolution_keeps_the_second_moment_in_d_dimensions(d, k, s):
    """The call of the transposed convolution keeps q in 1, 2 and 3 dimensions, away from the border."""
    generator, c, nets = torch.Generator().manual_seed(5), 16, 20
    up = getattr(torch.nn.functional, f"conv_transpose{d}d")
    x = torch.randn(1, nets * c, *[(400, 12, 7)[d - 1]] * d, generator=generator)
    w = torch.empty(nets * c, c, *[k] * d)
    layers.run_call(layers.CALLS["transposed"], generator, w=w, s=s, c=c, k=k, d=d)
    z = up(torch.relu(x), w, stride=s, groups=nets)
    inner = (slice(None), slice(None), *[slice(k, -k)] * d)
    seen = z[inner].reshape(nets, -1).square().mean(1)
    error = float(seen.std()) / math.sqrt(nets)
    assert abs(float(seen.mean()) - 1) < 4 * error < 0.3


def test_every_kind_of_layer_has_a_row():
    assert set(layers.laws()) - {"depthwise", "SwiGLU"} == set(layers.CALLS)


@pytest.mark.proves(
    "choosing-first-weight",
    kind="cause",
    range="K = 12, width 64",
    seeds=100,
    tolerance="4 SE",
    effect='{val:choosing_layers.predicted["residual"]:.2f} : {val:choosing_layers.with_he_twice:.2f}',
)
def test_he_in_both_weights_gives_a_branch_the_gain_2(monkeypatch, values):
    """kaiming_normal_ for both weights of Linear-ReLU-Linear returns twice what a branch reads."""
    twice = {"residual": f"kaiming_normal_(w)\n{layers.LAST}"}
    for name, law in (("residual", (1 + 2 / 12) ** 12), ("pre-norm", 3.0)):
        for calls, theory in ((layers.CALLS, None), ({name: twice["residual"]}, law)):
            monkeypatch.setattr(layers, "CALLS", layers.CALLS | calls)
            found = layers.skips(torch.Generator().manual_seed(3))[name]
            mean, error = float(found[1].mean()), float(found[1].std()) / 10
            assert abs(mean - (theory or found[0])) < 4 * error < 0.2 * mean
    assert values("choosing_layers")["with_he_twice"] == pytest.approx((7 / 6) ** 12)


@pytest.mark.proves(
    "choosing-new-word",
    kind="search",
    range="V = 1…3000, 1…4 new, rms logit 0.01…100",
    seeds=20,
)
def test_a_new_word_with_the_mean_row_is_never_likely():
    """Each of k words whose row is the mean of V others has at most the probability 1 / (V + k)."""
    generator = torch.Generator().manual_seed(1)
    largest = 0.0
    for count in (1, 2, 10, 100, 3000):
        for scale in (0.01, 0.1, 1, 10, 100):
            for seed in range(20):
                k = 1 + seed % 4
                w = torch.randn(count + k, 8, generator=generator, dtype=torch.float64)
                w[:count] += torch.randn(8, generator=generator, dtype=torch.float64)
                layers.run_call(layers.CALLS["new word"], generator, w=w, V=count)
                h = scale * torch.randn(8, generator=generator, dtype=torch.float64)
                p = (w @ h).softmax(0)[count:].max().item()
                largest = max(largest, p * (count + k))
    assert 0.99 < largest <= 1 + 1e-9


@pytest.mark.claim("A-73")
@pytest.mark.proves(
    "choosing-moves", kind="fact", range="20 layers, width 64, rate 0.02, 100 steps", seeds=20
)
def test_the_scale_at_step_0_decides_whether_a_deep_network_moves():
    """With a standard deviation of 0.01, 20 ReLU layers stay at ln 10; with He's the loss falls."""
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(100, 64, generator=generator)
    target = (torch.arange(100) % 10).repeat(20)
    final = {}
    for name, std in {"He": math.sqrt(2 / 64), "small": 0.01}.items():
        sizes = [64] * 20 + [10]
        weights = [
            (std * torch.randn(20, i, o, generator=generator)).requires_grad_()
            for i, o in pairwise(sizes)
        ]
        for _ in range(100):
            h = x
            for w in weights[:-1]:
                h = torch.relu(h @ w)
            logits = (h @ weights[-1]).flatten(0, 1)
            each = torch.nn.functional.cross_entropy(logits, target, reduction="none")
            loss = each.view(20, -1).mean(1)
            gradients = torch.autograd.grad(loss.sum(), weights)
            with torch.no_grad():
                for w, g in zip(weights, gradients, strict=True):
                    w -= 0.02 * g
        final[name] = loss.detach()
    assert (final["small"] - math.log(10)).abs().max() < 1e-4
    error = final["He"].std() / math.sqrt(20)
    assert final["He"].mean() + 4 * error < math.log(10)


def test_values(values):
    bias, predicted = (
        values("choosing_layers")["half_life_bias"],
        values("choosing_layers")["predicted"],
    )
    assert (1 / (1 + math.exp(-bias))) ** 20 == pytest.approx(0.5)
    assert predicted["residual"] == pytest.approx((13 / 12) ** 12)
    assert predicted["residual"] < math.e
    assert predicted["memory"] == pytest.approx(1 / math.e, rel=0.01)
    assert values("choosing_layers")["swiglu"] == predicted["SwiGLU"]
    assert values("choosing_layers")["wide_logits"] == pytest.approx(
        64 * predicted["tied embedding"]
    )
    assert predicted["forget gate"] == pytest.approx(torch.sigmoid(torch.ones(1)).item())
