"""Checks of snippets/equations/notation.tex."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy as sp
import torch

from equations.networks import network
from x0_equations.check import Equation, equation
from x0_equations.values import (
    GROUPS,
    Derivatives,
    Indexed,
    Matrix,
    Smooth,
    discrete,
    gaussian,
    points,
    sample_mean,
)

N = sp.Symbol("n", positive=True)


# Layers ------------------------------------------------------------------------------------------


def column(tensor: torch.Tensor) -> Matrix:
    return Matrix(tensor.detach().numpy())


@equation("notation-layer", kind="definition")
def test_layer(eq: Equation) -> None:
    """What torch.nn.Linear and torch.tanh compute."""
    torch.manual_seed(0)
    linear = torch.nn.Linear(4, 3, dtype=torch.float64)
    h = torch.randn(4, dtype=torch.float64)
    z = linear(h)
    eq.holds(
        l=1,
        z={1: column(z)},
        W={1: Matrix(linear.weight.detach().numpy())},
        b={1: column(linear.bias)},
        h={0: column(h), 1: column(torch.tanh(z))},
        phi=np.tanh,
    )


@equation("notation-rows", kind="numerical")
def test_rows(eq: Equation) -> None:
    """z and h are columns by definition; PyTorch multiplies a row."""
    torch.manual_seed(0)
    linear = torch.nn.Linear(4, 3, dtype=torch.float64)
    row = torch.randn(1, 4, dtype=torch.float64)
    eq.holds(
        l=1,
        z={1: Matrix(linear(row).detach().numpy().T)},
        W={1: Matrix(linear.weight.detach().numpy())},
        b={1: column(linear.bias)},
        h={0: Matrix(row.numpy().T)},
    )


@equation("notation-fans", kind="numerical")
def test_fans(eq: Equation) -> None:
    """Count the connections of one output and of one input of a convolution of ones."""
    for channels_in, channels_out, kernel in ((2, 5, (3,)), (4, 3, (3, 5))):
        make = torch.nn.Conv1d if len(kernel) == 1 else torch.nn.Conv2d
        conv = make(
            channels_in, channels_out, kernel, padding="same", padding_mode="circular", bias=False
        )
        torch.nn.init.ones_(conv.weight)
        x = torch.ones(1, channels_in, *(7,) * len(kernel), requires_grad=True)
        y = conv(x)
        y.sum().backward()
        assert x.grad is not None
        eq.holds(
            l=1,
            n={0: channels_in, 1: channels_out},
            K=int(np.prod(kernel)),
            fanin=y.flatten()[0].item(),
            fanout=x.grad.flatten()[0].item(),
        )


@equation("notation-delta", kind="definition", tolerance="relative 1e-8")
def test_delta(eq: Equation) -> None:
    """What backpropagation accumulates is the derivative that differences measure."""
    generator = torch.Generator().manual_seed(0)
    weight = torch.randn(2, 3, generator=generator, dtype=torch.float64)

    def loss(z: torch.Tensor) -> torch.Tensor:
        return torch.tanh(weight @ torch.tanh(z)).sum() ** 2

    z = torch.randn(3, generator=generator, dtype=torch.float64, requires_grad=True)
    loss(z).backward()
    assert z.grad is not None
    steps = 1e-3 * torch.eye(3, dtype=torch.float64)

    def difference(step: torch.Tensor) -> float:
        near = loss(z.detach() + step) - loss(z.detach() - step)
        far = loss(z.detach() + 2 * step) - loss(z.detach() - 2 * step)
        return float(((8 * near - far) / 12e-3).detach())

    slopes = Matrix(np.array([difference(step) for step in steps]))
    eq.holds(l=1, delta={1: column(z.grad)}, loss=Derivatives(lambda name, layer: slopes))


# Moments -----------------------------------------------------------------------------------------


@equation("notation-normal", kind="statistical")
def test_normal(eq: Equation) -> None:
    """torch.nn.init.normal_ takes the standard deviation; the equation shows the variance."""
    w = torch.empty(500 * GROUPS, dtype=torch.float64)
    torch.nn.init.normal_(w, mean=0.7, std=1.6, generator=torch.Generator().manual_seed(1))
    eq.holds(w=w.numpy()[None], E=sample_mean, mu=0.7, sigma=1.6)


@equation("notation-second-moment", kind="numerical")
def test_second_moment(eq: Equation) -> None:
    for values, probabilities in (([0.0, 2.0, 5.0], [0.5, 0.2, 0.3]), ([-1.0, 3.0], [0.4, 0.6])):
        h, mean = discrete(values, probabilities)
        eq.holds(h=h, E=mean)


@equation("notation-relu", kind="numerical")
def test_relu(eq: Equation) -> None:
    q = points([0.1, 1.0, 3.0])
    z, mean = gaussian(q)
    eq.holds(z=z, E=mean, q=q)


@equation("notation-moments", kind="definition")
def test_moments(eq: Equation) -> None:
    """The q, p and d of all other checks: means over all networks, inputs and units of a layer."""
    net = network((2, 3, 2), "skew", inputs=2)
    for layer in (1, 2):
        eq.holds(l=layer, **net.bind("q", "p", "d", "n", "z", "h", "delta", "E"))


@equation("notation-layer-mean", kind="definition")
def test_layer_mean(eq: Equation) -> None:
    net = network((2, 3, 2), "skew", inputs=2)
    for layer in (1, 2):
        eq.holds(l=layer, **net.bind("hat_q", "n", "z", "q", "E"))


@equation(
    "notation-uncorrelated",
    kind="definition",
    survivors="true as well: every entry has mean zero, so has a product with one factor less",
)
def test_uncorrelated(eq: Equation) -> None:
    """A1 for the weights ±σ of the other checks: E over all patterns of signs."""
    net = network((3, 2, 2))
    for layer in (1, 2):
        eq.holds(
            l=layer,
            i=2,
            j=1,
            k=2,
            w=net.weights(layer),
            v=net.v,
            E=net.E,
            b=Indexed(lambda layer: 0.0),
            scale=net.v[layer],
        )


@equation("notation-linear-regime", kind="definition", tolerance="exact")
def test_linear_regime(eq: Equation) -> None:
    """A3: tanh, sin and the inverse tangent satisfy it."""
    for formula in (sp.tanh, sp.sin, sp.atan):
        eq.holds(phi=Smooth(formula))


@equation("notation-slope", kind="numerical", tolerance="slope ± 0.05")
def test_slope(eq: Equation) -> None:
    phi = Smooth(sp.tanh)
    eq.approximates(
        np.geomspace(1e-3, 1e-2, 7), lambda step: {"phi": phi, "mu": 0.6, "Delta": step}
    )


@equation("notation-asymmetric", kind="numerical")
def test_asymmetric(eq: Equation) -> None:
    """The arithmetic; and in code, that it is the share which ReLU keeps of the exercise's z."""
    eq.holds()
    z, mean = discrete([1.0, -2.0, 0.0], [0.5, 0.25, 0.25])
    share = mean(np.maximum(z, 0.0) ** 2) / mean(z**2)
    assert abs(share.item() - 1 / 3) < 1e-12


# One factor per layer ----------------------------------------------------------------------------


@equation("notation-units", kind="numerical")
def test_units(eq: Equation) -> None:
    net = network((3, 2, 3), "skew", inputs=2)
    for layer, unit in ((1, 1), (1, 2), (2, 1), (2, 3)):
        eq.holds(l=layer, i=unit, **net.bind("z", "h", "n", "v", "E"))


@equation("notation-forward", kind="numerical")
def test_forward(eq: Equation) -> None:
    net = network((3, 1, 4, 2), "skew", inputs=2)
    for layer in (1, 2, 3):
        eq.holds(l=layer, **net.bind("q", "n", "v", "p"))


@equation("notation-linear", kind="numerical")
def test_linear(eq: Equation) -> None:
    for width, v in ((2, 0.7), (3, 1.9)):
        net = network((1, width, width), "linear", (0.4, v))
        eq.holds(l=2, n=width, v=v, q=net.q)


@equation("notation-as-variance", kind="symbolic")
def test_as_variance(eq: Equation) -> None:
    eq.holds(n=N)


@equation("notation-as-std", kind="symbolic")
def test_as_std(eq: Equation) -> None:
    eq.holds(n=N)


@equation("notation-depth", kind="numerical")
def test_depth(eq: Equation) -> None:
    """Linear networks whose weights have the root of 1/n as their variance."""
    for width, depth in ((2, 3), (3, 2), (2, 4)):
        sizes = (1, *(width,) * depth)
        net = network(sizes, "linear", (width**-0.5,) * depth)
        eq.holds(q=net.q, n=width, depth=depth)


@equation("notation-he-as-variance", kind="symbolic")
def test_he_as_variance(eq: Equation) -> None:
    eq.holds(n=N)


def linear_chain(width: int, depth: int) -> Any:
    sizes = (width,) * (depth + 1)
    return network(sizes, "linear", (1 / width,) * depth, samples=1000 * GROUPS, seed=4)


@equation("notation-fluctuation-step", kind="statistical")
def test_fluctuation_step(eq: Equation) -> None:
    for width, layer in ((8, 1), (8, 2), (5, 3)):
        net = linear_chain(width, 3)
        eq.holds(l=layer, n=width, **net.bind("hat_q", "E"))


@equation("notation-fluctuation", kind="statistical")
def test_fluctuation(eq: Equation) -> None:
    for width, depth in ((8, 2), (8, 3), (5, 1)):
        net = linear_chain(width, depth)
        eq.holds(n=width, depth=depth, **net.bind("hat_q", "E"))
