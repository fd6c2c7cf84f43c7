"""Checks of snippets/equations/orthogonal.tex."""

from __future__ import annotations

import itertools
import math
from functools import cache
from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch

from x0_equations.check import Equation, equation
from x0_equations.values import (
    GROUPS,
    Array,
    Indexed,
    Matrix,
    Smooth,
    gaussian,
    points,
    relu,
    sample_mean,
)

TANH = Smooth(sp.tanh)
SHAPES = ((3, 3), (2, 4), (4, 2))


def drawn(rows: int, columns: int, gain: float = 1.0, seed: int = 0) -> Array:
    """Return a weight that PyTorch's own initializer drew."""
    w = torch.empty(rows, columns, dtype=torch.float64)
    torch.nn.init.orthogonal_(w, gain, torch.Generator().manual_seed(seed))
    return w.numpy()


@cache
def many(rows: int, columns: int, gain: float, count: int) -> Array:
    """Return many such weights, the draws on the last axis."""
    return np.stack([drawn(rows, columns, gain, seed) for seed in range(count)], -1)


def entries(matrices: Array) -> Indexed:
    """Return w_{ij} of a stack of matrices, shape (rows, columns, samples)."""
    return Indexed(lambda i, j: matrices[i - 1, j - 1][None])


def trace(array: Array) -> Any:
    return np.trace(array)


def diagonal(array: Array) -> Array:
    return np.diag(array.ravel())


# Length ------------------------------------------------------------------------------------------


@equation("orthogonal-rows", kind="numerical")
def test_rows(eq: Equation) -> None:
    for rows, columns in ((3, 3), (2, 4)):
        w = Matrix(drawn(rows, columns, 1.3))
        eq.holds(W=w, gain=1.3, I=Matrix(np.eye(rows)), scale=1.0)


@equation("orthogonal-columns", kind="numerical")
def test_columns(eq: Equation) -> None:
    for rows, columns in ((3, 3), (4, 2)):
        w = Matrix(drawn(rows, columns, 1.3))
        eq.holds(W=w, gain=1.3, I=Matrix(np.eye(columns)), scale=1.0)


@equation("orthogonal-length", kind="numerical")
def test_length(eq: Equation) -> None:
    for rows, columns in ((3, 3), (4, 2)):
        h = Matrix(np.linspace(-0.4, 1.1, columns))
        eq.holds(W=Matrix(drawn(rows, columns, 0.7)), gain=0.7, h=h)


@equation("orthogonal-length-back", kind="numerical")
def test_length_back(eq: Equation) -> None:
    for rows, columns in ((3, 3), (2, 4)):
        delta = Matrix(np.linspace(-0.4, 1.1, rows))
        eq.holds(W=Matrix(drawn(rows, columns, 0.7)), gain=0.7, delta=delta)


def differentiated(
    gain: float, depth: int, activation: Any
) -> tuple[dict[int, Any], dict[int, Any], dict[int, Any]]:
    """Return W_l, z_l and the Jacobians of h_l by automatic differentiation."""
    weights = {k: drawn(3, 3, gain, k) for k in range(1, depth + 1)}
    x = torch.tensor([0.3, -0.8, 0.5], dtype=torch.float64)

    def layer(x: torch.Tensor, count: int, last: bool = True) -> torch.Tensor:
        for k in range(1, count + 1):
            x = torch.from_numpy(weights[k]) @ x
            if last or k < count:
                x = activation(x)
        return x

    z = {k: Matrix(layer(x, k, last=False).numpy()) for k in weights}
    jacobian = torch.autograd.functional.jacobian
    found = {k: Matrix(jacobian(lambda x, k=k: layer(x, k), x).numpy()) for k in range(depth + 1)}
    return {k: Matrix(w) for k, w in weights.items()}, z, found


@equation("orthogonal-jacobian", kind="numerical")
def test_jacobian(eq: Equation) -> None:
    w, z, jacobian = differentiated(1.2, 3, torch.tanh)
    for layer in (1, 2, 3):
        eq.holds(l=layer, J=jacobian, W=w, z=z, phi=TANH, diag=diagonal)


@equation("orthogonal-linear", kind="numerical")
def test_linear(eq: Equation) -> None:
    for gain, depth in ((1.0, 3), (1.1, 2)):
        _, _, jacobian = differentiated(gain, depth, lambda z: z)
        eq.holds(J=jacobian, gain=gain, depth=depth, I=Matrix(np.eye(3)), scale=1.0)


# The spread of the singular values ---------------------------------------------------------------


@equation("orthogonal-moments", kind="definition")
def test_moments(eq: Equation) -> None:
    """The left sides from the singular values, the right sides from traces."""
    _, _, jacobian = differentiated(1.2, 2, torch.tanh)
    for layer in (1, 2):
        squared = np.linalg.svd(jacobian[layer].array)[1] ** 2
        tau, zeta = squared.mean(), (squared**2).mean()
        omega = squared.var() / tau**2
        bound = {"tau": {layer: tau}, "zeta": {layer: zeta}, "omega": {layer: omega}}
        eq.holds(l=layer, n=3, J=jacobian, tr=trace, **bound)


@equation("orthogonal-rotate", kind="numerical")
def test_rotate(eq: Equation) -> None:
    half = np.random.default_rng(0).normal(size=(3, 3))
    eq.holds(W=Matrix(drawn(3, 3)), A=Matrix(half @ half.T), tr=trace)


A = np.array([2.5, 1.0, 0.5])


def products(count: int = 1500 * GROUPS) -> tuple[Array, Array]:
    """Sample Gaussian W with v = 1/3 and W A W^T for a diagonal A."""
    w = np.random.default_rng(0).normal(size=(3, 3, count)) / math.sqrt(3)
    return w, np.einsum("iks,k,jks->ijs", w, A, w)


@equation(
    "orthogonal-gaussian-entries", kind="statistical", identical="einsum does the same operations"
)
def test_gaussian_entries(eq: Equation) -> None:
    w, b = products()
    a = Indexed(lambda k: float(A[k - 1]))
    for i, j in ((1, 2), (3, 1)):
        eq.holds(i=i, j=j, n=3, v=1 / 3, a=a, w=entries(w), b=entries(b), E=sample_mean)


@equation("orthogonal-gaussian-sum", kind="statistical")
def test_gaussian_sum(eq: Equation) -> None:
    _, b = products()
    eq.holds(n=3, b=entries(b), zeta=(A**2).mean(), tau=A.mean(), E=sample_mean)


@equation("orthogonal-slope-moments", kind="definition")
def test_slope_moments(eq: Equation) -> None:
    """By quadrature over z, against the same moments over the slope itself."""
    for q in (0.3, 1.2):
        z, mean = gaussian(q)
        slope = 1.0 / np.cosh(z) ** 2
        mu = Indexed(lambda k, slope=slope, mean=mean: mean(slope ** (2 * k)))
        for k in (1, 2):
            eq.holds(k=k, mu=mu, z=z, phi=TANH, E=mean)


@equation("orthogonal-slopes", kind="numerical")
def test_slopes(eq: Equation) -> None:
    """All values of three independent z with the same law."""
    values = np.array([-1.2, -0.1, 0.4, 1.9])
    z = np.array(list(itertools.product(values, repeat=3))).T[:, None]
    half = np.random.default_rng(1).normal(size=(3, 3))
    b = half @ half.T
    slope = 1.0 / np.cosh(values) ** 2
    eq.holds(
        n=3,
        z=Indexed(lambda i: z[i - 1]),
        b=Indexed(lambda i, j: float(b[i - 1, j - 1])),
        mu={1: (slope**2).mean(), 2: (slope**4).mean()},
        phi=TANH,
        E=lambda x: np.mean(x, axis=-1, keepdims=True),
    )


@cache
def spreads(activation: str, orthogonal: bool, depth: int = 3) -> tuple[Any, Any]:
    """Return omega by layer of 40 networks of width 160, and mu of their last layer.

    The laws are limits: what 40 networks leave of the terms of order 1/width is about 1 %.
    """
    width = 160
    omega: dict[int, list[float]] = {layer: [] for layer in range(depth + 1)}
    mu: dict[int, list[float]] = {1: [], 2: []}
    for seed in range(GROUPS):
        rng = np.random.default_rng(seed)
        h, jacobian = rng.normal(size=width), np.eye(width)
        for layer in range(depth + 1):
            squared = (jacobian**2).sum()
            omega[layer].append(width * ((jacobian.T @ jacobian) ** 2).sum() / squared**2 - 1)
            if layer == depth:
                break
            w = rng.normal(size=(width, width)) / math.sqrt(width)
            if orthogonal:
                q, r = np.linalg.qr(w)
                w = q * np.sign(np.diag(r))
            bend = {"relu": 0.0, "leaky": 0.3, "linear": 1.0}[activation]
            z = math.sqrt(2 / (1 + bend**2)) * (w @ h)
            slope = np.where(z > 0, 1.0, bend)
            h = slope * z
            jacobian = slope[:, None] * (w @ jacobian)
        for k in (1, 2):
            mu[k].append((slope ** (2 * k)).mean())

    def estimate(values: dict[int, list[float]]) -> Indexed:
        return Indexed(lambda key: float(np.mean(values[key])))

    return estimate(omega), estimate(mu)


@equation("orthogonal-step", kind="numerical", tolerance="relative 4e-2")
def test_step(eq: Equation) -> None:
    for activation in ("relu", "leaky"):
        omega, mu = spreads(activation, True)
        for layer in (1, 2, 3):
            eq.holds(l=layer, omega=omega, mu=mu)


@equation("orthogonal-step-gaussian", kind="numerical", tolerance="relative 4e-2")
def test_step_gaussian(eq: Equation) -> None:
    for activation in ("relu", "leaky", "linear"):
        omega, mu = spreads(activation, False)
        eq.holds(l=2, omega=omega, mu=mu)


@equation("orthogonal-depth", kind="numerical", tolerance="relative 4e-2")
def test_depth(eq: Equation) -> None:
    for activation in ("relu", "leaky"):
        omega, mu = spreads(activation, True)
        eq.holds(depth=3, omega=omega, mu=mu)


@equation("orthogonal-depth-gaussian", kind="numerical", tolerance="relative 4e-2")
def test_depth_gaussian(eq: Equation) -> None:
    for activation in ("relu", "leaky", "linear"):
        omega, mu = spreads(activation, False)
        eq.holds(depth=3, omega=omega, mu=mu)


@equation("orthogonal-relu", kind="numerical")
def test_relu(eq: Equation) -> None:
    z, mean = gaussian(0.7)
    mu = {k: mean(relu.derivative(1)(z) ** (2 * k)).item() for k in (1, 2)}
    eq.holds(mu=mu)


@equation("orthogonal-tanh", kind="numerical", tolerance="slope ± 0.05")
def test_tanh(eq: Equation) -> None:
    def bind(q: float) -> dict[str, Any]:
        z, mean = gaussian(q)
        slope = 1.0 / np.cosh(z) ** 2
        return {"q": q, "mu": {k: mean(slope ** (2 * k)).item() for k in (1, 2)}}

    eq.approximates(np.geomspace(1e-4, 2e-3, 6), bind)


@equation("orthogonal-tanh-sum", kind="numerical", survivors="a larger bound holds too")
def test_tanh_sum(eq: Equation) -> None:
    for depth in (1, 2, 50, 3000):
        eq.holds(depth=depth)
    assert math.isclose(sum(2 / k**2 for k in range(1, 10**6)), math.pi**2 / 3, rel_tol=1e-5)


@equation(
    "orthogonal-tanh-slope",
    kind="numerical",
    tolerance="slope ± 0.05",
    survivors="sin agrees with tanh to this order",
)
def test_tanh_slope(eq: Equation) -> None:
    eq.approximates(np.geomspace(1e-3, 3e-2, 6), lambda z: {"z": z})


@equation("orthogonal-tanh-variance", kind="numerical")
def test_tanh_variance(eq: Equation) -> None:
    q = points([0.1, 0.6, 2.0])
    z, mean = gaussian(q)
    eq.holds(z=z, q=q, E=mean)


# Drawing -----------------------------------------------------------------------------------------


@equation("orthogonal-entries", kind="statistical", survivors="every entry has mean zero")
def test_entries(eq: Equation) -> None:
    for rows, columns in SHAPES:
        w = entries(many(rows, columns, 1.2, 60 * GROUPS))
        variance = 1.44 / max(rows, columns)
        bound = {"w": w, "gain": 1.2, "fanin": columns, "fanout": rows, "max": max}
        eq.holds(i=1, j=1, k=2, E=sample_mean, **bound, scale=variance)


def factors(size: int = 4) -> dict[str, Any]:
    a = np.random.default_rng(3).normal(size=(size, size))
    q, r = np.linalg.qr(a)
    s = np.diag(np.sign(np.diag(r)))
    return {"A": Matrix(a), "Q": Matrix(q), "R": Matrix(r), "S": Matrix(s)}


@equation("orthogonal-qr", kind="numerical")
def test_qr(eq: Equation) -> None:
    eq.holds(I=Matrix(np.eye(4)), **factors(), scale=1.0)


@equation("orthogonal-invariant", kind="numerical")
def test_invariant(eq: Equation) -> None:
    """And it is the factorization with a positive diagonal that U A has."""
    found, u = factors(), drawn(4, 4, seed=5)
    eq.holds(U=Matrix(u), **found, scale=1.0)
    q, r = np.linalg.qr(u @ found["A"].array)
    expected = (Matrix(u) * found["Q"] * found["S"]).array
    assert np.allclose(q * np.sign(np.diag(r)), expected, atol=1e-12)


@equation("orthogonal-corner", kind="numerical")
def test_corner(eq: Equation) -> None:
    for seed in range(4):
        a = np.random.default_rng(seed).normal(size=(4, 4))
        q = np.linalg.qr(a)[0]
        index = Indexed(lambda i, a=a: float(a[i - 1, 0]))
        eq.holds(n=4, q_11=float(q[0, 0]), a=index)


# Independent entries -----------------------------------------------------------------------------


def grams(rows: int, columns: int, count: int = 1000 * GROUPS) -> tuple[Array, Array]:
    w = np.random.default_rng(2).normal(size=(rows, columns, count)) / math.sqrt(columns)
    return w, np.einsum("ijs,kjs->iks", w, w)


@equation("orthogonal-gram", kind="statistical", identical="einsum does the same operations")
def test_gram(eq: Equation) -> None:
    for rows, columns in ((2, 3), (3, 5)):
        w, y = grams(rows, columns)
        eq.holds(i=1, k=2, fanin=columns, w=entries(w), y=entries(y), E=sample_mean)


@equation("orthogonal-distance", kind="statistical")
def test_distance(eq: Equation) -> None:
    for rows, columns in ((2, 3), (4, 3)):
        y = entries(grams(rows, columns)[1])
        unit = Indexed(lambda i, k: float(i == k))
        eq.holds(fanin=columns, fanout=rows, y=y, e=unit, E=sample_mean)


@cache
def spectrum(rows: int, columns: int) -> Array:
    w = np.random.default_rng(4).normal(size=(rows, columns)) / math.sqrt(columns)
    return np.asarray(np.linalg.eigvalsh(w @ w.T))


@equation("orthogonal-edges", kind="numerical", tolerance="relative 4e-2")
def test_edges(eq: Equation) -> None:
    """The extreme eigenvalues of one large matrix."""
    for rows, columns in ((500, 2000), (300, 1875)):
        found = spectrum(rows, columns)
        sizes = {"gamma": rows / columns, "fanin": columns, "fanout": rows}
        eq.holds(x_1=float(found[0]), x_2=float(found[-1]), **sizes)


@equation("orthogonal-density", kind="statistical", parsed=False)
def test_density(eq: Equation) -> None:
    """The distribution function of the eigenvalues of two large matrices."""
    tex = r"f(x) = \frac{\sqrt{\left(x_2 - x\right) \left(x - x_1\right)}}{2 \pi \gamma x}"
    eq.states(tex)
    for rows, columns in ((500, 2000), (300, 1875)):
        ratio = rows / columns
        low, high = (1 - math.sqrt(ratio)) ** 2, (1 + math.sqrt(ratio)) ** 2
        x = np.linspace(low, high, 20_001)
        f = np.sqrt((high - x) * (x - low)) / (2 * math.pi * ratio * x)
        law = np.concatenate([[0], np.cumsum((f[1:] + f[:-1]) / 2 * np.diff(x))])
        assert law[-1] == pytest.approx(1, abs=1e-4)
        found = spectrum(rows, columns)
        measured = (np.arange(rows) + 0.5) / rows
        assert np.abs(np.interp(found, x, law) - measured).max() < 3 / rows
        flat = (found - low) / (high - low)  # a uniform law between the edges
        assert np.abs(flat - measured).max() > 30 / rows


# LSUV, convolutions, rectangles ------------------------------------------------------------------


@equation("orthogonal-lsuv", kind="numerical")
def test_lsuv(eq: Equation) -> None:
    z = np.random.default_rng(0).gamma(2.0, size=(1, 50)) - 0.3
    eq.holds(z=z, t=float(z.std()), E=lambda x: np.mean(x, axis=-1, keepdims=True))


@equation("orthogonal-delta", kind="numerical")
def test_delta(eq: Equation) -> None:
    generator = torch.Generator().manual_seed(0)
    kernel = torch.zeros(4, 2, 3, dtype=torch.float64)
    kernel[..., 1] = torch.from_numpy(drawn(4, 2, 1.4))
    h = torch.randn(1, 2, 5, generator=generator, dtype=torch.float64)
    y = torch.nn.functional.conv1d(h, kernel, padding=1)
    pixels = {
        name: Indexed(lambda p, x=x: Matrix(x[0, :, p - 1].numpy()))
        for name, x in (("h", h), ("y", y))
    }
    eq.holds(N=5, gain=1.4, **pixels)


@equation("orthogonal-fans", kind="statistical")
def test_fans(eq: Equation) -> None:
    for rows, columns in SHAPES:
        h = np.linspace(0.3, 1.4, columns)
        z = np.einsum("ijs,j->is", many(rows, columns, 1.2, 60 * GROUPS), h)
        q = sample_mean((z**2).mean(0)[None])
        n, p = {0: columns, 1: rows}, {0: (h**2).mean()}
        eq.holds(l=1, gain=1.2, n=n, p=p, q={1: q})


@equation("orthogonal-fans-gain", kind="statistical")
def test_fans_gain(eq: Equation) -> None:
    """The gain that keeps the mean square, from sampled weights of gain 1."""
    for rows, columns in SHAPES:
        h = np.linspace(0.3, 1.4, columns)
        z = np.einsum("ijs,j->is", many(rows, columns, 1.0, 60 * GROUPS), h)
        gain = ((h**2).mean() / sample_mean((z**2).mean(0)[None])) ** 0.5
        eq.holds(gain=gain, fanin=columns, fanout=rows)


@equation("orthogonal-product", kind="statistical")
def test_product(eq: Equation) -> None:
    """Gaussian linear networks of width 3."""
    count = 3000 * GROUPS
    rng = np.random.default_rng(0)
    jacobian = np.broadcast_to(np.eye(3), (count, 3, 3))
    tau, zeta = {}, {}
    for layer in range(3):
        gram = jacobian @ jacobian.swapaxes(1, 2)
        tau[layer] = np.trace(gram, axis1=1, axis2=2)[None] / 3
        zeta[layer] = (gram**2).sum((1, 2))[None] / 3
        jacobian = rng.normal(size=(count, 3, 3)) / math.sqrt(3) @ jacobian
    for layer in (1, 2):
        eq.holds(l=layer, n=3, tau=tau, zeta=zeta, E=sample_mean)
