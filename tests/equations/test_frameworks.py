"""Checks of snippets/equations/frameworks.tex: PyTorch's own constructors draw the samples."""

from __future__ import annotations

import itertools
import math
from functools import cache
from typing import Any

import numpy as np
import torch
from scipy import stats
from torch import nn

from x0_equations.check import Equation, equation
from x0_equations.values import GROUPS, discrete, sample_mean

Array = np.ndarray


@cache
def linear(fan_in: int, rows: int, seed: int = 0) -> tuple[Array, Array]:
    """Return the weights and biases that the constructor of torch.nn.Linear draws."""
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        layer = nn.Linear(fan_in, rows, dtype=torch.float64)
    return layer.weight.detach().numpy(), layer.bias.detach().numpy()


GAIN = nn.init.calculate_gain("leaky_relu", math.sqrt(5))


@equation("frameworks-uniform", kind="statistical", tolerance="4 SE, SE ≤ 5 %; relative 1e-4")
def test_uniform(eq: Equation) -> None:
    """The bound is the largest weight drawn."""
    w = linear(8 * GROUPS, 1000)[0].reshape(1, -1)
    eq.holds(w=w, r=float(np.abs(w).max()), fanin=8 * GROUPS)


@equation("frameworks-bound", kind="numerical", tolerance="relative 1e-4")
def test_bound(eq: Equation) -> None:
    """The bound is the largest weight drawn."""
    for fan_in in (320, 400):
        r = float(np.abs(linear(fan_in, 1000)[0]).max())
        eq.holds(gain=GAIN, fanin=fan_in, r=r)


@equation("frameworks-variance", kind="statistical", tolerance="4 SE, SE ≤ 5 %; relative 1e-4")
def test_variance(eq: Equation) -> None:
    w = linear(8 * GROUPS, 1000)[0].reshape(1, -1)
    eq.holds(w=w, r=float(np.abs(w).max()), fanin=8 * GROUPS, E=sample_mean)


@equation("frameworks-bias", kind="statistical")
def test_bias(eq: Equation) -> None:
    for fan_in in (16, 50):
        eq.holds(b=linear(fan_in, 500 * GROUPS)[1].reshape(1, -1), fanin=fan_in, E=sample_mean)


@equation("frameworks-recursion", kind="statistical")
def test_recursion(eq: Equation) -> None:
    n, count = 12, 200 * GROUPS
    (w1, b1), (w2, b2) = (linear(n, n * count, seed) for seed in (1, 2))
    z1 = (w1 @ np.linspace(-1.0, 2.0, n) + b1).reshape(n, count)
    weights = w2.reshape(n, count, n)
    z2 = np.einsum("icj,jc->ic", weights, np.maximum(z1, 0.0)) + b2.reshape(n, count)
    q = {1: sample_mean((z1**2).mean(0)[None]), 2: sample_mean((z2**2).mean(0)[None])}
    v = sample_mean((w2**2).mean(1).reshape(n, count).mean(0)[None])
    eq.holds(l=2, n=n, v=v, q=q, b=b2.reshape(1, -1), E=sample_mean)


@equation("frameworks-fixed", kind="numerical")
def test_fixed(eq: Equation) -> None:
    for n in (10, 256):
        q = 1.0
        for _ in range(60):
            q = q / 6 + 1 / (3 * n)
        eq.holds(n=n, q_star=q)


def pair(u: float) -> tuple[Array, Array, Any]:
    """Return two Gaussian variables of variance 1 with E (z - y)² = u, exact for degree 2."""
    half = math.asin(math.sqrt(u) / 2)  # half the angle between the two
    kinks = sorted({s * math.pi / 2 + t * half for s in (-1, 1) for t in (-1, 1)})
    edges = [-math.pi, *kinks, math.pi]
    x, weight = np.polynomial.legendre.leggauss(60)
    angle, odds = [], []
    for low, high in itertools.pairwise(edges):
        angle.append((low + high) / 2 + (high - low) / 2 * x)
        odds.append((high - low) / 2 * weight)
    t, p = np.concatenate(angle), np.concatenate(odds) / (2 * math.pi)
    z, mean = discrete(math.sqrt(2) * np.cos(t - half), p)
    return z, math.sqrt(2) * np.cos(t + half)[None], mean


@equation("frameworks-difference", kind="numerical", tolerance="relative 1e-9; slope ± 0.05")
def test_difference(eq: Equation) -> None:
    """Two independent units below, weights ±1/√6: n v is 1/3. The error is of order 3/2 in u."""

    def bind(u: float) -> dict[str, Any]:
        z, y, mean = pair(u)
        d = np.maximum(z, 0.0) - np.maximum(y, 0.0)
        first, second, square = (float(mean(x).item()) for x in (d, d, d**2))
        signs = [(s, t) for s in (-1, 1) for t in (-1, 1)]
        u_next = np.mean([2 * square + 2 * s * t * first * second for s, t in signs]) / 6
        before = float(mean((z - y) ** 2).item())
        return {"l": 1, "n": 2, "v": 1 / 6, "z": z, "y": y, "E": mean, "u": {0: before, 1: u_next}}

    eq.approximates([1e-5, 1e-4, 1e-3], bind, order=1.5)


@equation("frameworks-cut", kind="numerical")
def test_cut(eq: Equation) -> None:
    """A normal density on [-tσ, tσ], normalized, by quadrature."""
    x, weight = np.polynomial.legendre.leggauss(80)
    for sigma, t in ((0.02, 2.0), (1.5, 0.7)):
        nodes = sigma * t * x
        odds = weight * np.exp(-((nodes / sigma) ** 2) / 2)
        w, mean = discrete(nodes, odds / odds.sum())
        eq.holds(w=w, E=mean, sigma=sigma, t=t, Phi=stats.norm.cdf)


@equation("frameworks-zero", kind="statistical")
def test_zero(eq: Equation) -> None:
    rng = np.random.default_rng(0)
    for sigma in (3e-8, 1e-7):
        w = sigma * rng.standard_normal((1, 500 * GROUPS))
        assert np.array_equal(np.abs(w) < 2**-25, w.astype(np.float32).astype(np.float16) == 0)
        eq.holds(w=w, E=sample_mean, sigma=sigma, Phi=stats.norm.cdf)


@cache
def attention(n: int, heads: int, count: int) -> Array:
    """Return the stacked matrices of many torch.nn.MultiheadAttention."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = [nn.MultiheadAttention(n, heads) for _ in range(count)]
    return torch.stack([layer.in_proj_weight.detach() for layer in layers]).double().numpy()


@equation("frameworks-stacked", kind="statistical")
def test_stacked(eq: Equation) -> None:
    eq.holds(n=16, v=sample_mean((attention(16, 4, 20 * GROUPS) ** 2).reshape(1, -1)))


@equation("frameworks-logits", kind="statistical")
def test_logits(eq: Equation) -> None:
    """Two tokens with second moment 1, one logit per head."""
    n, heads = 16, 4
    stacked = attention(n, heads, 20 * GROUPS)
    rng = np.random.default_rng(1)
    x, y = (t / math.sqrt((t**2).mean()) for t in rng.standard_normal((2, n)))
    q, k = (stacked[:, :n] @ x, stacked[:, n : 2 * n] @ y)
    a = (q * k).reshape(-1, heads, n // heads).sum(2) / math.sqrt(n / heads)
    v = sample_mean((stacked**2).mean((1, 2))[None])
    eq.holds(a=a.T.reshape(1, -1), E=sample_mean, n=n, v=v)


@equation("frameworks-transposed", kind="statistical")
def test_transposed(eq: Equation) -> None:
    """Kernel 2 and stride 2: every output value has the same number of terms, also at the border."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        layers = [nn.ConvTranspose2d(6, 3, 2, 2, bias=False) for _ in range(40 * GROUPS)]
    weights = torch.stack([layer.weight.detach() for layer in layers]).double()
    with torch.no_grad():
        z = torch.stack([layer(torch.ones(1, 6, 2, 2)) for layer in layers]).double()
    square = z.square().mean((1, 2, 3, 4)).numpy()[None]
    v = sample_mean(weights.square().mean((1, 2, 3, 4)).numpy()[None])
    eq.holds(l=1, q={1: sample_mean(square)}, p={0: 1.0}, C_in=6, C_out=3, K=4, S=4, v=v)


@equation("frameworks-bilinear", kind="statistical")
def test_bilinear(eq: Equation) -> None:
    for m, n in ((3, 8), (6, 4)):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            layer = nn.Bilinear(m, n, 200 * GROUPS, bias=False, dtype=torch.float64)
        with torch.no_grad():
            z = layer(torch.ones(1, m, dtype=torch.float64), torch.ones(1, n, dtype=torch.float64))
        w = layer.weight.detach().numpy()
        q = {1: sample_mean(z.numpy() ** 2)}
        eq.holds(l=1, q=q, p={0: 1.0}, M=m, N=n, v=sample_mean((w**2).mean((1, 2))[None]))


@equation("frameworks-depthwise", kind="statistical")
def test_depthwise(eq: Equation) -> None:
    channels, count = 5, 60 * GROUPS
    generator = torch.Generator().manual_seed(0)
    shape = (channels, 1, 3, 3)
    draws = [
        nn.init.kaiming_normal_(
            torch.empty(shape, dtype=torch.float64),
            mode="fan_out",
            nonlinearity="relu",
            generator=generator,
        )
        for _ in range(count)
    ]
    w = torch.stack(draws)
    below = torch.randn(count, channels, 1, 3, 3, generator=generator, dtype=torch.float64)
    z = (w * below.relu()).sum((2, 3, 4))
    q = {1: sample_mean(below.square().mean((1, 2, 3, 4)).numpy()[None])}
    q[2] = sample_mean(z.square().mean(1).numpy()[None])
    v = sample_mean(w.square().mean((1, 2, 3, 4)).numpy()[None])
    eq.holds(l=2, q=q, K=9, v=v, C=channels)


@equation("frameworks-underflow", kind="numerical")
def test_underflow(eq: Equation) -> None:
    for n, sigma in ((256, 0.01), (64, 0.02)):
        eq.equivalent("depth", within=(1.0, 60.0), n=n, sigma=sigma)
