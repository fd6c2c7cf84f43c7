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


def test_norms_are_those_of_backward():
    model = deep_tanh(None, torch.Generator().manual_seed(1))
    x, y = digit_batch()
    norms = gradient_norms(model, x, y)
    assert all(p.grad is None for p in model.parameters())
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


def test_in_place_activations_and_layers_without_bias_are_measured_right():
    def build(inplace):
        torch.manual_seed(0)
        layers = [nn.Linear(4, 6, bias=False), nn.ReLU(inplace), nn.Linear(6, 3)]
        return nn.Sequential(*layers)

    x, y = torch.linspace(-1, 1, 20).reshape(5, 4), torch.zeros(5).long()
    plain, inplace = (gradient_norms(build(flag), x, y) for flag in (False, True))
    assert plain == inplace
    assert plain[0]["bias"] == 0 < plain[0]["weight"]


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
    assert thirty[0].max() < math.log(10) / 2 < 2.2 < thirty[1:].min()
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


def test_clipping_scales_down_and_never_up():
    for size in (1e-12, 10.0):
        p = torch.zeros(3, requires_grad=True)
        p.grad = size * torch.tensor([3.0, 4.0, 0.0])
        nn.utils.clip_grad_norm_([p], max_norm=1.0)
        assert float(p.grad.norm()) == pytest.approx(min(1.0, 5 * size), rel=1e-4)


def test_figure_shows_flat_weight_gradients_under_vanishing_deltas():
    figure = why.plot_gradients()
    small, right = (
        {line.get_label(): line.get_ydata() for line in axis.lines} for axis in figure.axes
    )
    assert small["gradient in z"][-1] / small["gradient in z"][0] > 1e14
    assert small["gradient in b"][-1] / small["gradient in b"][0] > 1e14
    assert np.ptp(np.log10(small["gradient in W"])) < 0.1
    assert all(np.ptp(np.log10(right[f"gradient in {x}"])) < 1.5 for x in "zWb")
    plt.close(figure)


def test_demo_values():
    values = why.demo()
    mean, error = values["small_factor"]
    assert abs(mean - values["predicted"]) < 4 * error
    assert 1.8 < values["worst_case"] / values["predicted"] < 2.1
    assert values["half_layers"] == pytest.approx(19.34, abs=0.01)
