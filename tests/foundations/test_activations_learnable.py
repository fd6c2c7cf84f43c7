"""Figure activations-learnable-shapes: PReLU, Swish, Maxout and rational functions."""

import math

import matplotlib.pyplot as plt
import pytest
import torch
from torch.nn import functional

from x0.foundations import activations_learnable as learn

Z = torch.linspace(-3, 3, 61, dtype=torch.float64)


def test_shapes_contain_the_usual_functions():
    assert torch.allclose(
        learn.prelu(Z, torch.tensor([0.2])), functional.leaky_relu(Z, torch.tensor(0.2).item())
    )
    assert torch.allclose(learn.swish(Z, torch.tensor([1.0])), functional.silu(Z))
    assert torch.allclose(learn.swish(Z, torch.tensor([0.0])), Z / 2)
    pair = torch.stack([Z, -Z], 1)
    assert torch.equal(learn.maxout(pair, torch.tensor([]))[:, 0], Z.abs())
    close = learn.rational(Z, torch.tensor(learn.rational_start(), dtype=torch.float64))
    assert float((close - torch.relu(Z)).abs().max()) < 0.15


def test_maxout_of_two_keeps_the_second_moment_with_variance_one_over_n():
    generator = torch.Generator().manual_seed(0)
    z = torch.randn(200_000, 2, generator=generator, dtype=torch.float64)
    square = learn.maxout(z, torch.tensor([])) ** 2
    error = float(square.std()) / math.sqrt(len(square))
    assert abs(float(square.mean()) - 1) < 4 * error < 0.05
    assert abs(float(square.mean()) - 0.5) > 4 * error  # what ReLU would keep


@pytest.mark.parametrize("name", ["PReLU", "Swish", "rational", "Maxout"])
def test_learnable_networks_learn(name):
    errors, shape, count = learn.fit_activation(name)
    assert errors.shape == (20,)
    assert float(errors.max()) < 0.35
    assert count == {"PReLU": 339, "Swish": 339, "rational": 347, "Maxout": 657}[name]
    if name != "Maxout":  # the shapes moved
        start = torch.tensor(learn.LEARNABLE[name][1])
        assert float((shape - start[None, :, None]).abs().max()) > 0.05


def test_learning_the_shape_of_a_unit_gains_little_here(values):
    errors = values("activations_learnable")["errors"]
    for learned, fixed in (("PReLU", "ReLU"), ("Swish", "SiLU")):
        gap = abs(errors[learned][0] - errors[fixed][0])
        assert gap < 2 * math.hypot(errors[learned][1], errors[fixed][1])
    assert errors["tanh"][0] < errors["ReLU"][0] - 2 * errors["ReLU"][1]
    shapes = values("activations_learnable")["learned"]
    for layer in (0, 1):
        assert 0 < shapes["PReLU"][layer][0] < 0.3
        assert 0.5 < shapes["Swish"][layer][0] < 1
    assert errors["rational"][0] < errors["ReLU"][0]
    assert errors["Maxout"][0] < errors["ReLU"][0]


@pytest.mark.proves(
    "activations-parameters",
    kind="cause",
    seeds=20,
    effect='{val:activations_learnable.errors["Maxout"]:.3f}, {val:activations_learnable.wider:.3f}',
)
def test_maxout_against_as_many_parameters(values):
    """A ReLU network with as many parameters as Maxout does as well."""
    shown = values("activations_learnable")
    maxout, wider = shown["errors"]["Maxout"], shown["wider"]
    assert abs(maxout[0] - wider[0]) < 2 * math.hypot(maxout[1], wider[1])
    counts = [learn.fit_activation("Maxout")[2], learn.fit_activation("ReLU", learn.WIDER)[2]]
    assert counts[1] == pytest.approx(counts[0], rel=0.02)


def test_errors_say_what_was_received():
    with pytest.raises(ValueError, match="Received: sine"):
        learn.fit_activation("sine")


@pytest.mark.proves("activations-smooth", kind="ratio", seeds=20)
def test_figure():
    """The smooth ones, learnable or fixed, have lower means than the kinked ones."""
    figure = learn.plot_shapes()
    assert len(figure.axes) == 2
    names = [*learn.FIXED, *learn.LEARNABLE]
    bars = [line.get_ydata() for line in figure.axes[1].lines[1::2]]
    mean = {name: bar[0] for name, bar in zip(names, bars, strict=True)}
    dots = [line.get_ydata() for line in figure.axes[1].lines[::2]]
    error = {n: d.std() / math.sqrt(len(d) - 1) for n, d in zip(names, dots, strict=True)}
    smooth, kinked = ("tanh", "SiLU", "Swish", "rational"), ("ReLU", "PReLU", "Maxout")
    for a in smooth:
        for b in kinked:
            assert mean[b] - mean[a] > 2 * math.hypot(error[a], error[b])
    plt.close(figure)


@pytest.mark.proves("activations-relu", kind="call", range="a = −1…2, z = −5…5")
def test_prelu_without_a_branch():
    """torch.relu(z) - a * torch.relu(-z) is PReLU, and so is its gradient."""
    z = torch.linspace(-5, 5, 41, dtype=torch.float64)
    for a in (-1.0, 0.0, 0.25, 1.0, 2.0):
        slope = torch.tensor([a], dtype=torch.float64, requires_grad=True)
        ours = torch.relu(z) - slope * torch.relu(-z)
        other = torch.tensor([a], dtype=torch.float64, requires_grad=True)
        theirs = torch.nn.functional.prelu(z, other)
        assert torch.equal(ours, theirs)
        ours.sum().backward()
        theirs.sum().backward()
        assert torch.allclose(slope.grad, other.grad)
