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
    assert errors.shape == (6,)
    assert float(errors.max()) < 0.35
    assert count == {"PReLU": 339, "Swish": 339, "rational": 347, "Maxout": 657}[name]
    if name != "Maxout":  # the shapes moved
        start = torch.tensor(learn.LEARNABLE[name][1])
        assert float((shape - start[None, :, None]).abs().max()) > 0.05


def test_learning_the_shape_of_a_unit_gains_little_here():
    values = learn.demo()
    for learned, fixed in (("PReLU", "ReLU"), ("Swish", "SiLU")):
        gap = abs(values[learned][0] - values[fixed][0])
        assert gap < 4 * math.hypot(values[learned][1], values[fixed][1])
    assert values["tanh"][0] < values["ReLU"][0] - 2 * values["ReLU"][1]
    assert 0 < values["PReLU_1"] < 0.3
    assert 0 < values["PReLU_2"] < 0.3
    assert 0.5 < values["Swish_1"] < 1
    assert 0.5 < values["Swish_2"] < 1
    assert values["rational"][0] < values["ReLU"][0]
    assert values["Maxout"][0] < values["ReLU"][0]


def test_errors_say_what_was_received():
    with pytest.raises(ValueError, match="Received: sine"):
        learn.fit_activation("sine")


def test_figure():
    figure = learn.plot_shapes()
    assert len(figure.axes) == 2
    plt.close(figure)
