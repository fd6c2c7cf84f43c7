"""Checks of snippets/equations/normalization.tex."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import sympy as sp
import torch

from x0_equations.check import Equation, equation
from x0_equations.values import (
    GROUPS,
    Array,
    Function,
    Indexed,
    Matrix,
    Smooth,
    gaussian,
    relu,
    sample_mean,
)

RNG = np.random.default_rng(0)
X = torch.from_numpy(RNG.normal(size=(7, 4)))
TARGET = torch.from_numpy(RNG.normal(size=7))
W = np.array([0.7, -0.2, 1.1, 0.4])


def loss_of(w: Any) -> Any:
    """A loss of one unit after batch normalization and tanh, without ε."""
    z = X @ torch.as_tensor(np.asarray(w)).reshape(4) if not torch.is_tensor(w) else X @ w
    centered = z - z.mean()
    y = centered / centered.square().mean().sqrt()
    loss = (torch.tanh(y) - TARGET).square().mean()
    return loss if torch.is_tensor(w) else float(loss)


def gradient(w: Any) -> Array:
    """Its gradient by automatic differentiation, in the shape of w."""
    w = np.asarray(w, dtype=float)
    leaf = torch.tensor(w.reshape(4), requires_grad=True)
    (found,) = torch.autograd.grad(loss_of(leaf), leaf)
    return found.numpy().reshape(w.shape)


def normalized(dim: int) -> dict[str, Any]:
    """Return z, its mean and s, and PyTorch's own normalization y of it."""
    z = torch.from_numpy(np.random.default_rng(1).normal(size=(5, 3)) + 0.4)
    if dim == 0:
        y = torch.nn.functional.batch_norm(z, None, None, training=True, eps=0.01)
    else:
        y = torch.nn.functional.layer_norm(z, (3,), eps=0.01)
    mean, s = z.mean(dim).numpy(), (z.var(dim, correction=0) + 0.01).sqrt().numpy()
    return {
        "z": Indexed(lambda k, i: float(z[k - 1, i - 1])),
        "y": Indexed(lambda k, i: float(y[k - 1, i - 1])),
        "bar_z": Indexed(lambda i: float(mean[i - 1])),
        "s": Indexed(lambda i: float(s[i - 1])),
    }


@equation("normalization-batch", kind="definition")
def test_batch(eq: Equation) -> None:
    for k, i in ((1, 1), (4, 3)):
        eq.holds(k=k, i=i, m=5, varepsilon=0.01, **normalized(0))


@equation("normalization-layer", kind="definition")
def test_layer(eq: Equation) -> None:
    for k, i in ((1, 1), (4, 3)):
        eq.holds(k=k, i=i, n=3, varepsilon=0.01, **normalized(1))


@equation("normalization-cancel", kind="numerical")
def test_cancel(eq: Equation) -> None:
    bound = normalized(0)
    del bound["y"]
    eq.holds(k=2, i=1, a=3.5, **bound)


# Invariance --------------------------------------------------------------------------------------


@equation("normalization-invariant", kind="numerical", survivors="the loss does not see a")
def test_invariant(eq: Equation) -> None:
    for a in (0.1, 7.0):
        eq.holds(a=a, w=W, loss=loss_of)


@equation("normalization-gradient", kind="numerical", tolerance="relative 1e-11")
def test_gradient(eq: Equation) -> None:
    for a in (0.1, 7.0):
        eq.holds(a=a, w=W, G=gradient)


@equation("normalization-euler", kind="numerical")
def test_euler(eq: Equation) -> None:
    eq.holds(a=1.0, w=W, loss=loss_of, scale=1e3)  # a derivative by differences, step 0.01
    assert abs(W @ gradient(W)) < 1e-14


@equation("normalization-orthogonal", kind="numerical")
def test_orthogonal(eq: Equation) -> None:
    for w in (W, W[::-1].copy()):
        eq.holds(w=Matrix(w), G=gradient, scale=1.0)


# Steps -------------------------------------------------------------------------------------------


def path(eta: float, steps: int = 5) -> dict[int, Matrix]:
    """Run PyTorch's SGD."""
    leaf = torch.tensor(W, requires_grad=True)
    optimizer = torch.optim.SGD([leaf], lr=eta)
    found = {0: Matrix(W)}
    for t in range(1, steps + 1):
        optimizer.zero_grad()
        loss_of(leaf).backward()
        optimizer.step()
        found[t] = Matrix(leaf.detach().numpy().copy())
    return found


def directions(w: dict[int, Matrix]) -> dict[int, Matrix]:
    return {t: Matrix(v.array / np.sqrt((v.array**2).sum())) for t, v in w.items()}


@equation("normalization-step", kind="numerical", identical="torch.optim does the same operations")
def test_step(eq: Equation) -> None:
    for t in (0, 2):
        eq.holds(t=t, eta=0.6, w=path(0.6), G=gradient)


@equation("normalization-pythagoras", kind="numerical")
def test_pythagoras(eq: Equation) -> None:
    for t in (0, 2):
        eq.holds(t=t, eta=0.6, w=path(0.6), G=gradient)


@equation("normalization-direction", kind="numerical")
def test_direction(eq: Equation) -> None:
    w = path(0.6)
    for t in (0, 2):
        eq.holds(t=t, eta=0.6, w=w, u=directions(w), G=gradient)


@equation("normalization-equivalent", kind="numerical")
def test_equivalent(eq: Equation) -> None:
    for a in (0.2, 5.0):
        eq.holds(t=0, a=a, eta=0.6, w={0: W}, G=gradient)


@equation("normalization-adam", kind="numerical")
def test_adam(eq: Equation) -> None:
    for a in (0.2, 5.0):
        eq.holds(t=0, a=a, eta=0.6, w={0: W}, G=gradient)


@equation("normalization-scale-rule", kind="numerical")
def test_scale_rule(eq: Equation) -> None:
    eq.holds(a=3.0, eta=0.6, w=Matrix(W))


@equation("normalization-fourth", kind="numerical")
def test_fourth(eq: Equation) -> None:
    w = path(0.9)
    for t in (0, 1):
        eq.holds(t=t, eta=0.9, w=w, u=directions(w), G=gradient)


@equation("normalization-growth", kind="numerical")
def test_growth(eq: Equation) -> None:
    """Tight for small steps."""
    for eta in (0.9, 1e-3):
        w = path(eta)
        eq.holds(t=4, eta=eta, w=w, u=directions(w), G=gradient)
    w = path(1e-2)
    eq.holds(t=4, eta=1e-2, w=w, u=directions(w), G=gradient, tight=True)


@equation("normalization-decay", kind="numerical")
def test_decay(eq: Equation) -> None:
    """The norm at which steps with weight decay stay, by iteration."""
    for eta, omega, psi in SETTINGS:
        eq.holds(eta=eta, omega=omega, psi=psi, nu=balance(eta, omega, psi))


@equation("normalization-equilibrium", kind="numerical")
def test_equilibrium(eq: Equation) -> None:
    for eta, omega, psi in SETTINGS:
        eq.holds(eta=eta, omega=omega, psi=psi, nu=balance(eta, omega, psi))


SETTINGS = ((0.5, 0.1, 1.3), (0.1, 0.7, 0.4))


def balance(eta: float, omega: float, psi: float) -> float:
    """Iterate vectors: decay, then a step of length eta * psi / |w| at a right angle to w."""
    w = np.array([1.0, 0.0])
    for _ in range(4000):
        size = np.hypot(*w)
        side = np.array([-w[1], w[0]]) / size
        w = (1 - eta * omega) * w + eta * psi / size * side
    return float(w @ w)


# The explosion -----------------------------------------------------------------------------------


@equation("normalization-variance", kind="statistical")
def test_variance(eq: Equation) -> None:
    """Independent samples and units; s² of one unit of the layer above."""
    rng = np.random.default_rng(2)
    count, m, n, v = 200 * GROUPS, 6, 3, 1.7
    h = np.maximum(rng.normal(size=(count, m, n)), 0)
    z = np.einsum("smn,sn->sm", h, rng.normal(size=(count, n)) * math.sqrt(v))
    y = rng.normal(size=(1, count * 3))
    eq.holds(s=z.std(1)[None], m=m, n=n, v=v, y=y, phi=relu, E=sample_mean)


def backward(u: Array) -> tuple[Array, Array, float]:
    """Return y, the gradient in z for each row of u, and s of one batch of 6."""
    z = torch.from_numpy(np.random.default_rng(3).normal(size=6)).requires_grad_()
    s = (z - z.mean()).square().mean().sqrt()
    y = (z - z.mean()) / s
    rows = [torch.autograd.grad(y @ torch.from_numpy(r), z, retain_graph=True)[0] for r in u]
    return y.detach().numpy(), torch.stack(rows).numpy(), float(s.detach())


@equation("normalization-back", kind="numerical", tolerance="relative 1e-11")
def test_back(eq: Equation) -> None:
    u = np.array([[0.3, -1.0, 0.4, 0.2, 0.9, -0.5]])
    y, delta, s = backward(u)
    for k in (1, 4):
        named = {
            "u": Indexed(lambda j: float(u[0, j - 1])),
            "y": Indexed(lambda j: float(y[j - 1])),
            "delta": Indexed(lambda j: float(delta[0, j - 1])),
        }
        eq.holds(k=k, m=6, s=s, **named)


@equation("normalization-projected", kind="numerical", survivors="every u_k has the same law")
def test_projected(eq: Equation) -> None:
    """All signs of the gradient above."""
    u = 1.3 * np.array(list(itertools.product([-1.0, 1.0], repeat=6)))
    _, delta, s = backward(u)
    column = {
        "u": Indexed(lambda j: u[:, j - 1][None]),
        "delta": Indexed(lambda j: delta[:, j - 1][None]),
    }
    eq.holds(m=6, s=s, E=lambda x: np.mean(x, axis=-1, keepdims=True), **column)


@equation("normalization-through", kind="statistical")
def test_through(eq: Equation) -> None:
    """Independent gradients above, as A5 says."""
    rng = np.random.default_rng(4)
    count, n, v = 600 * GROUPS, 3, 0.4
    delta, y = 1.1 * rng.normal(size=(count, n)), rng.normal(size=count)
    w = rng.normal(size=(count, n)) * math.sqrt(v)
    u = (1 - np.tanh(y) ** 2) * (w * delta).sum(1)
    named = {"u": {1: u[None]}, "delta": {2: delta[:, 0][None]}, "y": y[None]}
    eq.holds(l=2, n=n, v=v, phi=Smooth(sp.tanh), E=sample_mean, **named)


def chi(phi: Function) -> float:
    """Measure by quadrature what one layer does: gradient back over signal forward."""
    y, mean = gaussian(1.0)
    back, signal = mean(phi.derivative(1)(y) ** 2), phi(y)
    return float((back / mean((signal - mean(signal)) ** 2)).item())


@equation("normalization-factor", kind="definition")
def test_factor(eq: Equation) -> None:
    for phi in (relu, Smooth(sp.tanh)):
        y, mean = gaussian(1.0)
        eq.holds(chi=chi(phi), n=5, v=0.3, y=y, phi=phi, E=mean)


@equation("normalization-relu", kind="numerical")
def test_relu(eq: Equation) -> None:
    eq.holds(chi=chi(relu))


@equation("normalization-poincare", kind="numerical")
def test_poincare(eq: Equation) -> None:
    y, mean = gaussian(1.0)
    bent = Function(lambda z: np.abs(z), np.sign)
    for phi in (relu, bent, Smooth(sp.tanh), Smooth(sp.sin), Smooth(lambda z: z**3 - z)):
        eq.holds(y=y, phi=phi, E=mean)
    eq.holds(y=y, phi=Smooth(lambda z: 3 * z + 1), E=mean, tight=True)


@equation("normalization-layer-factor", kind="numerical")
def test_layer_factor(eq: Equation) -> None:
    for variance in (0.3, 1.0, 2.5):
        y, mean = gaussian(variance)
        eq.holds(y=y, phi=relu, E=mean)


@equation("normalization-hermite", kind="numerical")
def test_hermite(eq: Equation) -> None:
    """φ with given Hermite coefficients, differentiated by SymPy."""
    y, mean = gaussian(1.0)
    for values in ((0.4, 1.0, -0.3, 0.2), (0.0, 0.5, 0.7, -0.6)):
        a = dict(enumerate(values))

        def formula(x: sp.Symbol, a: dict[int, float] = a) -> sp.Expr:
            probabilist = [1, x, x**2 - 1, x**3 - 3 * x]
            return sum(a[k] * probabilist[k] for k in a)

        eq.holds(N=3, a=a, y=y, phi=Smooth(formula), E=mean)
