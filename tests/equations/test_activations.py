"""Checks of snippets/equations/activations.tex."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import sympy as sp
import torch

from x0.foundations import activations_learnable
from x0_equations.check import Equation, equation
from x0_equations.values import (
    Derivatives,
    Function,
    Indexed,
    Matrix,
    Smooth,
    discrete,
    gaussian,
    points,
    relu,
)

RNG = np.random.default_rng(0)
SIGMOID = Smooth(lambda z: 1 / (1 + sp.exp(-z)))
Z = points([-2.7, -0.4, 0.0, 0.9, 3.1])


@equation("activations-collapse", kind="numerical")
def test_collapse(eq: Equation) -> None:
    w = {1: Matrix(RNG.normal(size=(4, 3))), 2: Matrix(RNG.normal(size=(2, 4)))}
    b = {1: Matrix(RNG.normal(size=4)), 2: Matrix(RNG.normal(size=2))}
    eq.holds(W=w, b=b, x=Matrix(RNG.normal(size=3)))


@equation("activations-square", kind="numerical")
def test_square(eq: Equation) -> None:
    w, u, b = RNG.normal(size=(3, 5))
    bound = {
        name: Indexed(lambda i, v=v: float(v[i - 1])) for name, v in (("w", w), ("u", u), ("b", b))
    }
    eq.holds(n=5, x=Z, **bound)


@equation("activations-sigmoid", kind="definition")
def test_sigmoid(eq: Equation) -> None:
    eq.holds(S=lambda z: torch.sigmoid(torch.as_tensor(z)).numpy(), z=Z)


@equation("activations-sigmoid-slope", kind="numerical")
def test_sigmoid_slope(eq: Equation) -> None:
    eq.holds(S=SIGMOID, z=Z, tight=True)


@equation("activations-tanh", kind="numerical")
def test_tanh(eq: Equation) -> None:
    eq.holds(S=SIGMOID, z=Z)


@equation("activations-tanh-slope", kind="symbolic")
def test_tanh_slope(eq: Equation) -> None:
    eq.holds(z=sp.Symbol("z", real=True))


@equation("activations-softplus", kind="symbolic")
def test_softplus(eq: Equation) -> None:
    eq.holds(S=SIGMOID, z=sp.Symbol("z", real=True))


@equation("activations-silu-slope", kind="symbolic")
def test_silu_slope(eq: Equation) -> None:
    eq.holds(S=SIGMOID, z=sp.Symbol("z", real=True))


@equation("activations-silu-curve", kind="numerical")
def test_silu_curve(eq: Equation) -> None:
    phi = Function(lambda z: z, lambda z: z, second(torch.nn.functional.silu))
    eq.holds(phi=phi, S=SIGMOID, z=Z)


@equation("activations-silu-bend", kind="numerical")
def test_silu_bend(eq: Equation) -> None:
    phi = Smooth(lambda z: z / (1 + sp.exp(-z)))
    eq.equivalent("z", (-6.0, 6.0), phi=phi, scale=1.0)


def second(function: Any) -> Any:
    """Return its second derivative by automatic differentiation."""

    def bend(z: Any) -> Any:
        x = torch.tensor(np.asarray(z, dtype=float), requires_grad=True)
        (slope,) = torch.autograd.grad(function(x).sum(), x, create_graph=True)
        return torch.autograd.grad(slope.sum(), x)[0].numpy()

    return bend


@equation("activations-gelu-bend", kind="numerical")
def test_gelu_bend(eq: Equation) -> None:
    gelu = torch.nn.functional.gelu
    phi = Function(lambda z: z, lambda z: z, second(gelu))
    eq.holds(phi=phi, z=Z)


@equation("activations-jensen", kind="numerical")
def test_jensen(eq: Equation) -> None:
    for variance in (1e-9, 1.0):
        z, mean = gaussian(variance)
        for phi in (relu, SOFTPLUS, Function(lambda z: z**2)):
            eq.holds(E=mean, z=z + 0.3, phi=phi, tight=variance < 1e-3)


SOFTPLUS = Function(lambda z: np.logaddexp(0.0, z))


@equation("activations-compose", kind="numerical")
def test_compose(eq: Equation) -> None:
    for phi in (relu, SOFTPLUS):
        for f in (lambda x: x**2 - 1, lambda x: np.abs(x) - 0.5 * x):
            x, y = (points(v) for v in np.random.default_rng(1).normal(size=(2, 200)))
            eq.holds(phi=phi, f=f, x=x, y=y)
    x = points([0.5, -2.0])
    eq.holds(phi=relu, f=lambda x: x**2, x=x, y=x, tight=True)


@equation("activations-saddle", kind="numerical")
def test_saddle(eq: Equation) -> None:
    eq.holds(loss=lambda u, w: (1.0 - u * w) ** 2, scale=1.0)


@equation("activations-difference", kind="numerical")
def test_difference(eq: Equation) -> None:
    u, z = RNG.normal(size=(2, 6))
    for sign in (1.0, -1.0):
        eq.holds(
            n=6,
            phi=SOFTPLUS,
            u=Indexed(lambda i, sign=sign: sign * float(u[i - 1])),
            z=Indexed(lambda i: float(z[i - 1])),
        )


# Learnable ---------------------------------------------------------------------------------------


@equation("activations-prelu", kind="definition")
def test_prelu(eq: Equation) -> None:
    layer = torch.nn.PReLU(init=0.3, dtype=torch.float64)
    eq.holds(phi=lambda z: layer(torch.as_tensor(z)).detach().numpy(), a=0.3, z=Z)


@equation("activations-prelu-slope", kind="numerical")
def test_prelu_slope(eq: Equation) -> None:
    for z in (-2.7, 0.9):
        a = torch.tensor([0.3], dtype=torch.float64, requires_grad=True)
        phi = torch.nn.functional.prelu(torch.tensor([z], dtype=torch.float64), a)
        (slope,) = torch.autograd.grad(phi.sum(), a)
        eq.holds(phi=Derivatives(lambda name, s=slope: float(s)), z=z)


@equation("activations-swish", kind="numerical", survivors="an upper bound, rounded up")
def test_swish(eq: Equation) -> None:
    z = points(np.linspace(-9, 9, 3601))
    for gamma in (0.5, 1.0, 4.0):
        eq.holds(S=SIGMOID, z=z, gamma=gamma)
        gap = np.maximum(z, 0) - z * SIGMOID(gamma * z)
        assert 0.2784 / gamma < gap.max() < 0.2785 / gamma


@equation("activations-maxout", kind="numerical")
def test_maxout(eq: Equation) -> None:
    # Jointly symmetric, neither independent nor of one law.
    pairs = [(1.0, 0.3), (2.0, -0.5), (0.4, 2.5), (0.0, 1.0)]
    pairs += [(-a, -b) for a, b in pairs]
    _, mean = discrete([0.0] * 8, [0.1, 0.2, 0.05, 0.15] * 2)
    z = np.array(pairs).T[:, None]
    eq.holds(E=mean, z=Indexed(lambda i: z[i - 1]))
    both = np.array(list(itertools.product([-1.0, 1.0], repeat=2)))
    assert np.square(both.max(1)).mean() == 1


@equation("activations-rational", kind="definition")
def test_rational(eq: Equation) -> None:
    p = torch.tensor([0.2, -0.4, 1.1, 0.3, 0.7], dtype=torch.float64)
    values = activations_learnable.rational(torch.from_numpy(Z.copy()), p).numpy()
    eq.holds(
        phi=lambda z: values,
        z=Z,
        t=0.7,
        a=Indexed(lambda k: float(p[k])),
    )
