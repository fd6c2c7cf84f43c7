"""Checks of snippets/equations/biases.tex."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import torch
from scipy import stats
from torch import nn

from x0_equations.check import Equation, equation
from x0_equations.values import GROUPS, Matrix, discrete, points, sample_mean

Array = np.ndarray


@equation("biases-forward", kind="numerical")
def test_forward(eq: Equation) -> None:
    """Every network with weights ±σ, one fixed input, one constant bias."""
    for n, sigma, b in ((3, 0.7, 0.4), (4, 1.1, -1.3)):
        signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * n)).reshape(n, -1)
        h = np.linspace(-0.5, 2.0, n)
        z = sigma * (h @ signs) + b
        v = float(np.mean((sigma * signs) ** 2))
        q, p = {1: float((z**2).mean())}, {0: float((h**2).mean())}
        eq.holds(l=1, q=q, n={0: n}, v={1: v}, p=p, b=b)


def biased(b: Any, s: Any) -> tuple[Array, Any]:
    """Return z ~ N(b, s) and its expectation; quadrature is exact at the kink in z = 0."""
    x, weight = np.polynomial.legendre.leggauss(100)
    low, high = b - 12 * math.sqrt(s), b + 12 * math.sqrt(s)
    left, right = (low / 2 + low / -2 * x, high / 2 + high / 2 * x)
    nodes = np.concatenate([left, right])
    odds = np.concatenate([weight * -low / 2, weight * high / 2])
    odds = odds * np.exp(-((nodes - b) ** 2) / (2 * s))
    return discrete(nodes, odds / odds.sum())


@equation("biases-active", kind="numerical", tolerance="relative 1e-9")
def test_active(eq: Equation) -> None:
    for b, s in ((0.5, 2.0), (-0.3, 0.8)):
        z, mean = biased(b, s)
        eq.holds(z=z, E=mean, b=b, s=s, Phi=stats.norm.cdf)


@equation("biases-moment", kind="numerical", tolerance="relative 1e-9")
def test_moment(eq: Equation) -> None:
    for b, s in ((0.5, 2.0), (-0.3, 0.8)):
        z, mean = biased(b, s)
        eq.holds(z=z, E=mean, b=b, s=s, Phi=stats.norm.cdf)


@equation("biases-growth", kind="numerical", tolerance="relative 1e-9; slope ± 0.05")
def test_growth(eq: Equation) -> None:
    """The next s is the variance of z over weights ±√(2/n), for n = 1."""

    def bind(b: float) -> dict[str, Any]:
        z, mean = biased(b, 1.7)
        after = math.sqrt(2) * np.maximum(z, 0.0)
        s_next = float(mean(after**2).item())  # either sign has the same square
        return {"l": 1, "z": z, "E": mean, "b": b, "s": {1: 1.7, 2: s_next}}

    eq.approximates([0.003, 0.01, 0.03], bind, order=2)


@equation("biases-gate", kind="numerical", tolerance="relative 1e-6")
def test_gate(eq: Equation) -> None:
    """The cell of torch.nn.LSTM with zero weights, fed with zeros; its gates are its own."""
    for b, t in ((0.0, 3), (1.0, 7)):
        lstm = nn.LSTM(2, 1, dtype=torch.float64)
        with torch.no_grad():
            for p in lstm.parameters():
                p.zero_()
            lstm.bias_ih_l0[1] = b
        zero = torch.zeros(1, 1, 1, dtype=torch.float64)
        state, cells = (zero, zero + 0.8), {0: 0.8}
        for step in range(1, t + 1):
            _, state = lstm(torch.zeros(1, 1, 2, dtype=torch.float64), state)
            cells[step] = state[1].item()
        eq.holds(b=b, f=cells[1] / cells[0], t=t, c=cells)


@equation("biases-chrono", kind="numerical")
def test_chrono(eq: Equation) -> None:
    for horizon in (5, 50):
        eq.equivalent("b", within=(-2.0, 6.0), T=horizon)


@equation("biases-prior", kind="numerical")
def test_prior(eq: Equation) -> None:
    for rate in (0.01, 0.4):
        eq.equivalent("b", within=(-8.0, 3.0), r=rate)


@equation("biases-entropy", kind="numerical", tolerance="relative 1e-6")
def test_entropy(eq: Equation) -> None:
    """The loss that PyTorch computes when the output is the prior's logit."""
    rates = [0.05, 0.3, 0.5, 0.8]
    losses = []
    for rate in rates:
        target = torch.zeros(100, dtype=torch.float64)
        target[: round(100 * rate)] = 1
        logit = torch.tensor(rate, dtype=torch.float64).logit().expand(100)
        losses.append(nn.functional.binary_cross_entropy_with_logits(logit, target).item())
    eq.holds(loss=points(losses), r=points(rates), tight=True)


@equation("biases-regression", kind="numerical")
def test_regression(eq: Equation) -> None:
    y, mean = discrete([0.3, 1.0, 4.0], [0.2, 0.5, 0.3])
    for b in (0.0, 1.7, 3.0):
        eq.holds(y=y, E=mean, b=b)


@equation("biases-lookup", kind="statistical")
def test_lookup(eq: Equation) -> None:
    layer = nn.Embedding(50 * GROUPS, 16, dtype=torch.float64)
    nn.init.normal_(layer.weight, std=0.3, generator=torch.Generator().manual_seed(0))
    w = layer.weight.detach().numpy()
    h = layer(torch.arange(50 * GROUPS)).detach().numpy()
    eq.holds(h=h.reshape(1, -1), w=w.reshape(1, -1), E=sample_mean)


@equation(
    "biases-border",
    kind="numerical",
    identical="torch counts in whole numbers before the only division",
)
def test_border(eq: Equation) -> None:
    for channels, side in ((1, 4), (3, 9)):
        layer = nn.Conv2d(channels, 1, 3, padding=1, bias=False, dtype=torch.float64)
        nn.init.ones_(layer.weight)
        terms = layer(torch.ones(1, channels, side, side, dtype=torch.float64))
        eq.holds(fanin=terms.detach().mean().item(), C=channels, m=side)


@equation("biases-orthogonal", kind="numerical")
def test_orthogonal(eq: Equation) -> None:
    for n in (2, 5):
        generator = torch.Generator().manual_seed(n)
        w = torch.empty(n, n, dtype=torch.float64)
        w = nn.init.orthogonal_(w, generator=generator)
        h = torch.linspace(-1.0, 2.0, n, dtype=torch.float64)
        after = nn.functional.linear(h, w)
        eq.holds(t=1, W=Matrix(w.numpy()), h={0: Matrix(h.numpy()), 1: Matrix(after.numpy())})


@equation("biases-generator", kind="statistical")
def test_generator(eq: Equation) -> None:
    """Kernel 2 and stride 2: every output value has the same number of terms."""
    generator = torch.Generator().manual_seed(0)
    count, c_in = 60 * GROUPS, 6
    below = torch.randn(count, c_in, 2, 2, generator=generator, dtype=torch.float64)
    w = 0.3 * torch.randn(count, c_in, 3, 2, 2, generator=generator, dtype=torch.float64)
    z = [
        nn.functional.conv_transpose2d(one[None].relu(), kernel, stride=2)
        for one, kernel in zip(below, w, strict=True)
    ]
    q = {1: sample_mean(below.square().mean((1, 2, 3)).numpy()[None])}
    q[2] = sample_mean(torch.cat(z).square().mean((1, 2, 3)).numpy()[None])
    v = sample_mean(w.square().mean((1, 2, 3, 4)).numpy()[None])
    eq.holds(l=2, q=q, C_in=c_in, K=4, S=4, v=v)
