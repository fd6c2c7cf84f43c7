"""Checks of snippets/equations/residual.tex."""

from __future__ import annotations

import math
from functools import cache
from typing import Any, NamedTuple

import numpy as np
import torch

from x0_equations.check import Equation, equation
from x0_equations.values import (
    GROUPS,
    Array,
    Derivatives,
    Indexed,
    Matrix,
    gaussian,
    sample_mean,
)


def mean(values: Any) -> Any:
    """Return the expectation over an ensemble that holds every network once."""
    return np.asarray(values, dtype=float).mean(-1, keepdims=True)


class Stream(NamedTuple):
    """An ensemble of residual networks x + s·W₂ relu(W₁ y), y the stream or its normalization.

    Attributes:
        x: `x[k, i]`, the stream; f the branches, delta ∂loss/∂x.
        r: Second moments of the stream, `r[k]`; u of the branches, d of delta.
    """

    x: Indexed
    f: Indexed
    delta: Indexed
    r: Indexed
    u: Indexed
    d: Indexed

    def bind(self, *names: str) -> dict[str, Any]:
        return {name: getattr(self, name) for name in names}


@cache
def stream(
    count: int, scale: float, *, norm: bool = False, width: int = 2, samples: int = 0
) -> Stream:
    """Build every network of ±σ, or draw Gaussian ones; branch weights have gain 1."""
    bits = 2 * width**2 * count + width
    if samples:
        generator = torch.Generator().manual_seed(count)
        draws = torch.randn(samples, bits, generator=generator, dtype=torch.float64)
    else:
        codes = np.arange(2**bits)[:, None] >> np.arange(bits)
        draws = torch.from_numpy(2.0 * (codes & 1) - 1.0)
    rng = np.random.default_rng(0)
    start = torch.from_numpy(rng.standard_normal(width) + 0.4).repeat(len(draws), 1)
    x, f = [start.requires_grad_()], []
    for k in range(count):
        block = draws[:, 2 * width**2 * k : 2 * width**2 * (k + 1)]
        first, last = block.reshape(-1, 2, width, width).unbind(1)
        read = x[-1]
        if norm:
            read = read / read.square().mean(1, keepdim=True).sqrt()
        z = torch.einsum("nij,nj->ni", first, read) / math.sqrt(width)
        f.append(torch.einsum("nij,nj->ni", last, z.relu()) * math.sqrt(2 / width))
        x.append(x[-1] + scale * f[-1])
    top = 1.3 * draws[:, -width:]
    delta = torch.autograd.grad(x[-1], x, top)
    arrays = {
        name: [np.ascontiguousarray(t.detach().numpy().T) for t in tensors]
        for name, tensors in (("x", x), ("f", f), ("delta", delta))
    }
    arrays["f"].insert(0, arrays["f"][0])  # branches count from 1
    average = sample_mean if samples else mean

    def unit(name: str) -> Indexed:
        return Indexed(lambda k, i: arrays[name][k][i - 1][None])

    def moment(name: str) -> Indexed:
        return Indexed(lambda k: average((arrays[name][k] ** 2).mean(0)[None]))

    return Stream(unit("x"), unit("f"), unit("delta"), moment("x"), moment("f"), moment("delta"))


SCALES = (1.0, 0.6)


@equation("residual-stream", kind="definition")
def test_stream(eq: Equation) -> None:
    net = stream(2, 0.6)
    for k in (1, 2):
        x, f = (Indexed(lambda k, a=a: a[k, 1]) for a in (net.x, net.f))  # type: ignore[misc]
        eq.holds(k=k, s=0.6, x=x, f=f)


def some(values: Any) -> Any:
    """Return a mean over a part of the ensemble, in which the cross term does not vanish."""
    return mean(np.asarray(values)[:, ::7][:, :3000])


@equation("residual-square", kind="numerical")
def test_square(eq: Equation) -> None:
    for scale in SCALES:
        for k, i in ((1, 2), (2, 1)):
            eq.holds(k=k, i=i, s=scale, E=some, **stream(2, scale).bind("x", "f"))


@equation(
    "residual-cross",
    kind="numerical",
    survivors="the mean of a branch is zero as well, so the factor x is not needed",
)
def test_cross(eq: Equation) -> None:
    for norm in (False, True):
        for k, i in ((1, 2), (2, 1)):
            eq.holds(k=k, i=i, E=mean, scale=1.0, **stream(2, 1.0, norm=norm).bind("x", "f"))


@equation("residual-step", kind="numerical")
def test_step(eq: Equation) -> None:
    for scale in SCALES:
        for norm in (False, True):
            for k in (1, 2):
                eq.holds(k=k, s=scale, **stream(2, scale, norm=norm).bind("r", "u"))


@equation("residual-plain", kind="numerical")
def test_plain(eq: Equation) -> None:
    for scale in SCALES:
        for k in (1, 2):
            eq.holds(k=k, s=scale, **stream(2, scale).bind("r"))


@equation("residual-plain-depth", kind="numerical")
def test_plain_depth(eq: Equation) -> None:
    for scale in SCALES:
        for count in (1, 2):
            eq.holds(K=count, s=scale, **stream(count, scale).bind("r"))


@equation("residual-norm", kind="numerical")
def test_norm(eq: Equation) -> None:
    for scale in SCALES:
        for k in (1, 2):
            eq.holds(k=k, s=scale, **stream(2, scale, norm=True).bind("r"))


@equation("residual-norm-depth", kind="numerical")
def test_norm_depth(eq: Equation) -> None:
    for scale in SCALES:
        for count in (1, 2):
            eq.holds(K=count, s=scale, **stream(count, scale, norm=True).bind("r"))


@equation("residual-bound", kind="numerical")
def test_bound(eq: Equation) -> None:
    for count in (1, 2, 7, 100, 10**7):
        eq.holds(K=count)


# Backward ----------------------------------------------------------------------------------------


@equation("residual-chain", kind="numerical", identical="PyTorch does the same operations")
def test_chain(eq: Equation) -> None:
    """Derivatives by automatic differentiation, with different Jacobians per branch."""
    generator = torch.Generator().manual_seed(0)
    weights = torch.randn(2, 2, 3, 3, generator=generator, dtype=torch.float64)
    x = [torch.randn(3, generator=generator, dtype=torch.float64).requires_grad_()]
    jacobians = []
    for first, last in weights:

        def branch(t: torch.Tensor, a: torch.Tensor = first, b: torch.Tensor = last) -> Any:
            return b @ (a @ t).tanh()

        jacobians.append(torch.autograd.functional.jacobian(branch, x[-1]))
        x.append(x[-1] + 0.7 * branch(x[-1]))
    top = torch.randn(3, generator=generator, dtype=torch.float64)
    delta = [Matrix(t.numpy()) for t in torch.autograd.grad(x[-1], x, top)]
    for k in (1, 2):
        eq.holds(
            k=k,
            s=0.7,
            delta=Indexed(delta.__getitem__),
            J=Indexed(lambda k: Matrix(jacobians[k - 1].numpy())),
        )


@equation("residual-backward", kind="numerical")
def test_backward(eq: Equation) -> None:
    """At the top branch, where the independent read-out makes A5 exact."""
    for scale in SCALES:
        for count in (1, 2):
            eq.holds(k=count, s=scale, **stream(count, scale).bind("d"))


def wide(scale: float) -> Stream:
    return stream(2, scale, norm=True, width=64, samples=40 * GROUPS)


@equation("residual-norm-backward", kind="statistical")
def test_norm_backward(eq: Equation) -> None:
    for scale in SCALES:
        for k in (1, 2):
            eq.holds(k=k, s=scale, **wide(scale).bind("d", "r"))


@equation("residual-ratio", kind="statistical")
def test_ratio(eq: Equation) -> None:
    for scale in SCALES:
        for k in (1, 2):
            eq.holds(k=k, **wide(scale).bind("d", "r"))


@equation("residual-invariant", kind="statistical")
def test_invariant(eq: Equation) -> None:
    for k in (0, 1):
        eq.holds(k=k, K=2, **wide(1.0).bind("d", "r"))


# Fixup -------------------------------------------------------------------------------------------


class Start(NamedTuple):
    """Every network of ±σ whose branches end in a zero weight, at step 0."""

    r: Indexed
    d: Indexed
    p: Any
    G: Indexed
    h: Array
    delta: Array
    gradient: Array


@cache
def start(count: int, weights: int, factor: float) -> Start:
    """Differentiate loss = Σ rᵢ xᵢ by the last weights; the widths are 2."""
    width, layers = 2, weights - 1
    bits = count * layers * width**2 + width
    codes = np.arange(2**bits)[:, None] >> np.arange(bits)
    draws = torch.from_numpy(2.0 * (codes & 1) - 1.0)
    x0 = torch.tensor([0.3, -1.1], dtype=torch.float64)
    x, zeros, hidden = x0.repeat(len(draws), 1), [], []
    for k in range(count):
        h = x
        for layer in range(layers):
            at = (k * layers + layer) * width**2
            w = draws[:, at : at + width**2].reshape(-1, width, width)
            gain = 1 if layer == 0 else 2
            w = factor * math.sqrt(gain / width) * w
            h = torch.einsum("nij,nj->ni", w, h).relu()
        zero = torch.zeros(len(draws), width, width, dtype=torch.float64, requires_grad=True)
        zeros.append(zero)
        hidden.append(h)
        x = x + torch.einsum("nij,nj->ni", zero, h)
    top = 1.3 * draws[:, -width:]
    gradients = torch.autograd.grad((top * x).sum(), zeros)
    assert all(torch.equal(zero, torch.zeros_like(zero)) for zero in zeros)
    return Start(
        r=Indexed({0: float(x0.square().mean())}.__getitem__),
        d=Indexed({count: mean((top**2).mean(1).numpy()[None])}.__getitem__),
        p=mean(hidden[-1].detach().square().mean(1).numpy()[None]),
        G=Indexed(lambda k: mean(gradients[k - 1].square().mean((1, 2)).numpy()[None])),
        h=hidden[-1].detach().numpy().T,
        delta=top.numpy().T,
        gradient=gradients[-1].numpy().transpose(1, 2, 0),
    )


STARTS = ((1, 2, 1.0), (2, 2, 0.7), (1, 3, 0.7), (2, 3, 0.8))


@equation("residual-last-weight", kind="numerical")
def test_last_weight(eq: Equation) -> None:
    at = start(2, 3, 0.8)
    loss = Derivatives(lambda name, i, j: at.gradient[i - 1, j - 1][None])
    delta, h = (Indexed(lambda i, a=a: a[i - 1][None]) for a in (at.delta, at.h))  # type: ignore[misc]
    for i, j in ((1, 2), (2, 1), (1, 1)):
        eq.holds(i=i, j=j, loss=loss, delta=delta, h=h)


@equation("residual-read", kind="numerical")
def test_read(eq: Equation) -> None:
    for count, weights, factor in STARTS:
        at = start(count, weights, factor)
        eq.holds(m=weights, a=factor, p=at.p, r=at.r)


@equation("residual-sum", kind="numerical")
def test_sum(eq: Equation) -> None:
    for count, weights, factor in STARTS:
        at = start(count, weights, factor)
        eq.holds(K=count, m=weights, a=factor, G=at.G, r=at.r, d=at.d)


@equation("residual-fixup", kind="numerical")
def test_fixup(eq: Equation) -> None:
    for count, weights in ((4, 2), (16, 3), (50, 4)):
        eq.equivalent("a", (0.01, 0.99), K=count, m=weights)


# Zero start, batch normalization, limits -----------------------------------------------------------


@equation("residual-gate", kind="numerical")
def test_gate(eq: Equation) -> None:
    generator = torch.Generator().manual_seed(0)
    x, top, w = (
        torch.randn(*shape, generator=generator, dtype=torch.float64)
        for shape in ((3,), (3,), (3, 3))
    )
    gate = torch.zeros((), dtype=torch.float64, requires_grad=True)
    f = (w @ x).tanh()
    ((x + gate * f) * top).sum().backward()  # type: ignore[no-untyped-call]
    assert gate.grad is not None
    slope = gate.grad.item()
    eq.holds(
        n=3,
        loss=Derivatives(lambda name: {"a": slope}[name]),
        delta=Indexed(lambda i: top[i - 1].item()),
        f=Indexed(lambda i: f[i - 1].item()),
    )


@equation("residual-gamma", kind="numerical", tolerance="relative 1e-6")
def test_gamma(eq: Equation) -> None:
    """Each branch ends in PyTorch's own BatchNorm; W and -W together make the mean exact."""
    generator = torch.Generator().manual_seed(0)
    gammas, batch, width = (0.5, 1.5, 0.0), 12, 3
    streams = [torch.randn(batch, width, generator=generator, dtype=torch.float64)]
    r = [streams[0].square().mean().item()]
    for gamma in gammas:
        grown = []
        for x in streams:
            first, last = torch.randn(2, width, width, generator=generator, dtype=torch.float64)
            for sign in (1, -1):
                z = (x @ first).relu() @ (sign * last)
                f = torch.nn.functional.batch_norm(z, None, None, training=True, eps=1e-12)
                grown.append(x + gamma * f)
        streams = grown
        r.append(torch.stack(streams).square().mean().item())
    for count in (1, 2, 3):
        eq.holds(
            K=count,
            r=Indexed(r.__getitem__),
            gamma=Indexed(lambda k: gammas[k - 1]),
        )


@equation("residual-positive-mean", kind="numerical")
def test_positive_mean(eq: Equation) -> None:
    """relu(g), scaled so that its second moment is 1."""
    g, expectation = gaussian()
    f = np.maximum(g, 0)
    f = f / np.sqrt(expectation(f**2))
    eq.holds(k=1, i=1, f=Indexed(lambda k, i: f), E=expectation)


@equation("residual-positive", kind="statistical")
def test_positive(eq: Equation) -> None:
    rng = np.random.default_rng(0)
    for count, scale in ((3, 1.0), (6, 0.5)):
        x = rng.standard_normal((16, 400 * GROUPS))
        r = [sample_mean((x**2).mean(0)[None])]
        for _ in range(count):
            f = np.maximum(rng.standard_normal(x.shape), 0)
            x = x + scale * f / math.sqrt(0.5)
            r.append(sample_mean((x**2).mean(0)[None]))
        eq.holds(K=count, s=scale, r=Indexed(r.__getitem__))


@equation("residual-unequal", kind="numerical")
def test_unequal(eq: Equation) -> None:
    for count in (1, 4, 30):
        eq.holds(K=count)


@equation("residual-resnet", kind="numerical")
def test_resnet(eq: Equation) -> None:
    """The factor that makes 16 branches of 3 weights add up to one, found by bisection."""
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if 16 * middle**4 < 1 else (low, middle)
    eq.holds(a=low)


@equation("residual-weighted", kind="numerical")
def test_weighted(eq: Equation) -> None:
    """x ← c x + s f, from the unweighted ensemble of one branch."""
    net = stream(1, 1.0)
    for c, s in ((0.8, 0.6), (1.0, 0.5), (0.5, 1.2)):
        x = np.stack([c * net.x[0, i][0] + s * net.f[1, i][0] for i in (1, 2)])
        r = {0: net.r[0], 1: mean((x**2).mean(0)[None])}
        eq.holds(k=1, c=c, s=s, r=Indexed(r.__getitem__), u=net.u)


@equation("residual-share", kind="numerical")
def test_share(eq: Equation) -> None:
    """The squared correlation of x_0 and x_K, for branches that are orthogonal to the stream."""
    for c, count in ((0.8, 3), (math.sqrt(0.5), 6)):
        s = math.sqrt(1 - c * c)
        x = np.eye(count + 1)[0]
        for k in range(1, count + 1):
            x = c * x + s * np.eye(count + 1)[k]
        assert abs(x @ x - 1) < 1e-12
        eq.holds(K=count, c=c, rho=float(x[0] ** 2))
