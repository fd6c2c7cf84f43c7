import itertools
import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from torch import nn

from x0.initialization import he_training, why
from x0.initialization.why import deep_tanh, digit_batch, gradient_norms


@pytest.fixture(scope="module")
def runs():
    return {std: why.measure_norms(std) for std in (0.01, None)}


@pytest.mark.proves("why-norms", kind="call", range="20 nn.Linear, float64")
def test_norms_are_those_of_backward():
    """gradient_norms gives three gradients per linear layer; parameters and .grad stay."""
    model = deep_tanh(None, torch.Generator().manual_seed(1))
    x, y = digit_batch()
    before = [p.detach().clone() for p in model.parameters()]
    norms = gradient_norms(model, x, y)
    assert all(p.grad is None for p in model.parameters())
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), before, strict=True))
    assert all(sorted(row) == ["bias", "delta", "weight"] for row in norms)
    nn.functional.cross_entropy(model(x), y).backward()
    layers = [m for m in model if isinstance(m, nn.Linear)]
    assert len(norms) == len(layers) == why.DEPTH
    for row, layer in zip(norms, layers, strict=True):
        assert row["weight"] == pytest.approx(float(layer.weight.grad.norm()))
        assert row["bias"] == pytest.approx(float(layer.bias.grad.norm()))
    # the gradient in the logits of a mean cross-entropy is (p - onehot) / m
    logits = model(x).detach()
    delta = (logits.softmax(1) - nn.functional.one_hot(y, 10)) / len(x)
    assert norms[-1]["delta"] == pytest.approx(float(delta.norm()))


@pytest.mark.proves(
    "why-convolutions", kind="call", range="Conv1d, Conv2d, ConvTranspose2d, groups, stride"
)
def test_convolutions_are_measured_too():
    """gradient_norms lists convolution layers with the norms that backward gives."""
    torch.manual_seed(0)
    image = (5, 4, 9, 9)
    for convolution, shape in (
        *((nn.Conv1d, (5, 4, 9)), (nn.Conv2d, image)),
        *((nn.ConvTranspose1d, (5, 4, 9)), (nn.ConvTranspose2d, image)),
    ):
        layers = [convolution(4, 6, 3, stride=2, groups=2), nn.ReLU(), nn.Flatten()]
        size = nn.Sequential(*layers)(torch.zeros(shape)).shape[1]
        model = nn.Sequential(*layers, nn.Linear(size, 3)).double()
        x, y = torch.randn(shape, dtype=torch.float64), torch.tensor([0, 1, 2, 0, 1])
        norms = gradient_norms(model, x, y)
        nn.functional.cross_entropy(model(x), y).backward()
        assert len(norms) == 2
        for layer, row in zip((layers[0], model[-1]), norms, strict=True):
            assert row["weight"] == pytest.approx(float(layer.weight.grad.norm()), rel=1e-12)
            assert row["bias"] == pytest.approx(float(layer.bias.grad.norm()), rel=1e-12)


@pytest.mark.proves("why-inplace", kind="call", range="nn.ReLU(inplace=True)")
def test_in_place_activations_and_layers_without_bias_are_measured_right():
    """nn.ReLU(inplace=True) overwrites the tensor that a hook keeps; gradient_norms is not misled."""
    kept = []
    torch.manual_seed(0)
    layer = nn.Linear(4, 6)
    layer.register_forward_hook(lambda *args: kept.append(args[2]))
    nn.Sequential(layer, nn.ReLU(inplace=True))(torch.ones(1, 4))
    assert float(kept[0].detach().min()) == 0 > float(layer(torch.ones(1, 4)).detach().min())

    def build(inplace):
        torch.manual_seed(0)
        layers = [nn.Linear(4, 6, bias=False), nn.ReLU(inplace), nn.Linear(6, 3)]
        return nn.Sequential(*layers)

    x, y = torch.linspace(-1, 1, 20).reshape(5, 4), torch.zeros(5).long()
    plain, inplace = (gradient_norms(build(flag), x, y) for flag in (False, True))
    assert plain == inplace
    assert plain[0]["bias"] == 0 < plain[0]["weight"]


def test_a_frozen_bias_and_an_unused_layer_have_gradient_zero():
    class Spare(nn.Module):
        def __init__(self):
            super().__init__()
            self.used, self.spare = nn.Linear(4, 3), nn.Linear(4, 3)

        def forward(self, x):
            self.spare(x)
            return self.used(x)

    model = Spare()
    x, y = torch.linspace(-1, 1, 20).reshape(5, 4), torch.tensor([0, 1, 1, 2, 2])
    full = gradient_norms(model, x, y)
    assert list(full[0].values()) == [0.0] * 3
    model.used.bias.requires_grad_(False)
    frozen = gradient_norms(model, x, y)
    assert frozen[1] == full[1] | {"bias": 0.0} != full[1]


def test_hooks_are_removed_even_after_an_error():
    model = nn.Sequential(nn.Linear(4, 2))
    with pytest.raises(RuntimeError):
        gradient_norms(model, torch.ones(1, 5), torch.zeros(1).long())
    assert not model[0]._forward_hooks


def test_a_model_without_linear_layers_is_refused():
    with pytest.raises(ValueError, match=r"Received: .*Tanh"):
        gradient_norms(nn.Tanh(), torch.ones(1, 2), torch.zeros(1).long())


def test_small_weights_delta_and_bias_vanish_towards_the_input(runs):
    delta, weight, bias = runs[0.01].swapaxes(0, 1)
    factor = (delta[:, 0] / delta[:, -1]) ** (1 / (why.DEPTH - 1))
    assert np.abs(factor - 0.16).max() < 0.005
    for x in (delta, bias):
        assert np.all(np.diff(np.log(x), axis=1) > 0)
        assert np.all(x[:, -1] / x[:, 0] > 1e14)
    assert np.all(weight.max(1) / weight.min(1) < 1.5)
    assert np.all(weight < 1e-14)


def test_the_right_scale_keeps_all_three(runs):
    for x in runs[None].swapaxes(0, 1):
        assert np.all(x.max(1) / x.min(1) < 20)


def test_the_bound_holds_but_is_far_from_typical():
    model = deep_tanh(0.01, torch.Generator().manual_seed(2))
    delta = [row["delta"] for row in gradient_norms(model, *digit_batch())]
    s = [
        float(torch.linalg.matrix_norm(m.weight.detach(), 2))
        for m in model
        if isinstance(m, nn.Linear)
    ]
    bound = delta[-1] * math.prod(s[1:])
    assert bound > 1e3 * delta[0] > 0


@pytest.mark.claim("A-04")
def test_depth_decides_whether_initialization_is_key():
    ten, thirty = (he_training.train(depth)[..., -50:].mean(-1) for depth in (10, 30))
    assert thirty[0].max() < 1.5 < 2.2 < thirty[1:].min()
    assert ten[:2].max() < math.log(10) / 2


@pytest.mark.claim("A-08")
def test_a_bad_start_prevents_convergence():
    small = he_training.train(30)[2]
    assert np.abs(small[:, -50:].mean(1) - math.log(10)).max() < 0.02


@pytest.mark.claim("B-05")
def test_convex_problems_forget_their_start_and_deep_networks_do_not():
    rng = np.random.default_rng(0)
    a = np.column_stack([rng.standard_normal(50), np.ones(50)])
    y = a @ [3.0, 2.5] + 0.3 * rng.standard_normal(50)
    theta = 100 * rng.standard_normal((2, 200))
    for _ in range(2000):
        theta -= 0.3 * a.T @ (a @ theta - y[:, None]) / 50
    assert np.ptp(theta, axis=1).max() < 1e-9
    thirty = he_training.train(30)[..., -50:].mean(-1)
    assert np.ptp(thirty.mean(1)) > 1


@pytest.mark.proves("why-clipping", kind="search", range="norm 1e-30…1e10, max_norm 1")
def test_clipping_scales_down_and_never_up():
    """clip_grad_norm_ multiplies by one number above max_norm and does nothing below it."""
    for size in np.geomspace(1e-30, 1e10, 41):
        p = torch.zeros(3, 4, requires_grad=True)
        p.grad = torch.randn(3, 4, generator=torch.Generator().manual_seed(0))
        p.grad *= size / p.grad.norm()
        before = p.grad.clone()
        nn.utils.clip_grad_norm_([p], max_norm=1.0)
        if size < 0.99:
            assert torch.equal(p.grad, before)
        else:
            factor = p.grad / before
            assert float(factor.max() / factor.min()) == pytest.approx(1, rel=1e-5)
            assert float(p.grad.norm()) == pytest.approx(1, rel=1e-4)
    for size in (1e-12, 10.0):
        p = torch.zeros(3, requires_grad=True)
        p.grad = size * torch.tensor([3.0, 4.0, 0.0])
        nn.utils.clip_grad_norm_([p], max_norm=1.0)
        assert float(p.grad.norm()) == pytest.approx(min(1.0, 5 * size), rel=1e-4)


@pytest.mark.proves("why-gradients", kind="caption", n=4, effect="1e15; 1e0; 10^1.5")
def test_figure_shows_flat_weight_gradients_under_vanishing_deltas():
    """Top: z and b cross 15 orders, W is flat near 1e-15. Bottom: each below 1.5 orders."""
    figure = why.plot_gradients()
    small, right = (
        {line.get_label(): line.get_ydata() for line in axis.lines} for axis in figure.axes
    )
    assert small["gradient in z"][-1] / small["gradient in z"][0] > 1e14
    for name in ("gradient in z", "gradient in b"):
        assert 14.5 < math.log10(small[name][-1] / small[name][0]) < 15.5
    assert np.ptp(np.log10(small["gradient in W"])) < 0.1
    assert np.abs(np.log10(small["gradient in W"]) + 15).max() < 0.2
    assert all(np.ptp(np.log10(right[f"gradient in {x}"])) < 1.5 for x in "zWb")
    plt.close(figure)


@pytest.mark.proves(
    "why-euler-layers",
    kind="search",
    range="width 2…300, depth 2…8, std 1e-3…1e2, batch 1…32, 200 networks",
    tolerance="1e-9",
)
def test_the_product_of_weights_and_gradient_is_one_number_in_every_layer():
    """In one bias-free homogeneous network <W, dL/dW> is equal in all layers."""
    rng = np.random.default_rng(0)
    names = ("relu", "leaky_relu", "abs", "linear")
    for trial in range(200):
        depth, batch = int(rng.integers(2, 9)), int(rng.integers(1, 33))
        sizes = [int(n) for n in np.exp(rng.uniform(np.log(2), np.log(300), depth + 1))]
        generator = torch.Generator().manual_seed(trial)
        h = torch.randn(batch, sizes[0], generator=generator, dtype=torch.float64)
        weights = []
        for n_in, n_out in itertools.pairwise(sizes):
            draw = torch.randn(n_out, n_in, generator=generator, dtype=torch.float64)
            weights.append((draw * 10 ** rng.uniform(-3, 2)).requires_grad_())
        for w in weights[:-1]:
            z = h @ w.T
            name = names[trial % 4]
            h = z if name == "linear" else getattr(torch, name, nn.functional.leaky_relu)(z)
        z = h @ weights[-1].T
        z = z / z.detach().abs().max().clamp(min=1e-300)  # keeps the loss curved
        targets = torch.randint(sizes[-1], (batch,), generator=generator)
        nn.functional.cross_entropy(z, targets).backward()
        sums = np.array([float((w.detach() * w.grad).sum()) for w in weights])
        size = max(float((w.detach() * w.grad).abs().sum()) for w in weights)
        assert np.ptp(sums) <= 1e-9 * size


def test_a_bias_or_tanh_breaks_the_equality():
    """The two conditions of Euler's identity are needed."""
    for bias, phi in ((0.5, torch.relu), (0.0, torch.tanh)):
        generator = torch.Generator().manual_seed(1)
        weights = [
            torch.randn(6, 6, generator=generator, dtype=torch.float64).requires_grad_()
            for _ in range(3)
        ]
        h = torch.ones(6, dtype=torch.float64)
        for w in weights[:-1]:
            h = phi(w @ h + bias)
        (weights[-1] @ h).sin().sum().backward()
        sums = [float((w.detach() * w.grad).sum()) for w in weights]
        assert np.ptp(sums) > 0.05 * max(map(abs, sums))


def test_measured_and_worst_factor(values):
    predicted = 0.01 * why.WIDTH**0.5
    mean, error = values("why")["small_factor"]
    assert abs(mean - predicted) < 4 * error
    assert 1.8 < values("why")["worst_case"] / predicted < 2.1
    assert values("why")["half_layers"] == pytest.approx(19.34, abs=0.01)
