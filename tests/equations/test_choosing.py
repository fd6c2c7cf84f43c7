"""Checks of snippets/equations/choosing.tex."""

from __future__ import annotations

import math

import numpy as np
import torch

from equations.networks import network
from x0_equations.check import Equation, equation
from x0_equations.values import Indexed, Smooth, gaussian, points

SIZES = (2, 1, 2, 3)


@equation("choosing-forward", kind="numerical")
def test_forward(eq: Equation) -> None:
    net = network(SIZES, "skew", (0.7, 0.9, 0.4))
    z = Indexed(lambda layer: net.z[layer, 1])
    eq.holds(l=2, z=z, **net.bind("q", "n", "v", "phi", "E"))


@equation("choosing-hidden", kind="numerical")
def test_hidden(eq: Equation) -> None:
    import sympy as sp

    # The variance that keeps the second moment of one unit, measured over all signs of a row.
    z, mean = gaussian(1.3)
    for phi in (Smooth(sp.tanh), Smooth(lambda x: x + x**2 / 3)):
        h = np.array([0.4, -1.1, 0.7])
        signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * 3)).reshape(3, -1)
        p = mean(phi(z) ** 2).item()
        h *= math.sqrt(p / np.mean(h**2))
        received = np.mean((signs.T @ h) ** 2)  # of weights with variance 1
        eq.holds(v=mean(z**2).item() / received, fanin=3, phi=phi, z=z, E=mean)


@equation("choosing-backward", kind="numerical")
def test_backward(eq: Equation) -> None:
    net = network((2, 1, 2, 3), "linear", (0.7, 0.9, 0.4))
    z = Indexed(lambda layer: net.z[layer, 1])
    eq.holds(l=2, z=z, **net.bind("d", "n", "v", "phi", "E"))
    for activation in ("tanh", "skew"):
        net = network((2, 2, 3), activation, (0.7, 0.9))
        z = Indexed(lambda layer, net=net: net.z[layer, 2])  # type: ignore[misc]
        eq.holds(l=2, z=z, **net.bind("d", "n", "v", "phi", "E"))


@equation("choosing-scale", kind="numerical")
def test_scale(eq: Equation) -> None:
    h = points(np.linspace(-1, 2, 7)).reshape(1, -1)
    for a, weight in ((7.0, 0.3), (0.2, -1.4)):
        eq.holds(a=a, W=weight, h=h, E=lambda x: np.asarray(x).mean(-1, keepdims=True))


@equation(
    "choosing-transposed",
    kind="numerical",
    identical="torch counts in whole numbers before the only division",
)
def test_transposed(eq: Equation) -> None:
    """Ones count what an inner output reads; the variance keeps ReLU's half."""
    for channels, kernel, stride in ((3, 4, 2), (2, 6, 3)):
        for d in (1, 2, 3):
            up = getattr(torch.nn.functional, f"conv_transpose{d}d")
            x = torch.ones(1, channels, *[9] * d, dtype=torch.float64)
            w = torch.ones(channels, 1, *[kernel] * d, dtype=torch.float64)
            y = up(x, w, stride=stride)
            reads = y[0, 0][(slice(kernel, -kernel),) * d]
            assert reads.min() == reads.max()
            eq.holds(v=1 / (0.5 * reads.max().item()), s=stride, c=channels, k=kernel, d=d)


@equation("choosing-attention", kind="numerical")
def test_attention(eq: Equation) -> None:
    # All signs of three a and three b with given sizes: independent, of mean zero.
    signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * 6)).reshape(6, 1, -1)
    sizes = np.array([0.5, 1.0, 1.5, 2.0, 0.7, 1.2])[:, None, None]
    values = signs * sizes
    eq.holds(
        m=3,
        a=Indexed(lambda i: values[i - 1]),
        b=Indexed(lambda i: values[i + 2]),
        E=lambda x: np.asarray(x).mean(-1, keepdims=True),
    )


@equation("choosing-classes", kind="numerical")
def test_classes(eq: Equation) -> None:
    for classes in (2, 10, 1000):
        logits = torch.zeros(1, classes, dtype=torch.float64)
        loss = torch.nn.functional.cross_entropy(logits, torch.zeros(1, dtype=torch.long))
        eq.holds(loss=loss.item(), C=classes)


@equation("choosing-prior", kind="numerical")
def test_prior(eq: Equation) -> None:
    for rate in (0.01, 0.3, 0.9):
        eq.equivalent("b", (-8, 8), r=rate)


@equation("choosing-forget", kind="numerical")
def test_forget(eq: Equation) -> None:
    for steps in (1.5, 3, 20):
        eq.equivalent("b", (-8, 8), T=steps)
