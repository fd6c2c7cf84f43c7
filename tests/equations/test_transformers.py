"""Checks of snippets/equations/transformers.tex."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import torch

from x0_equations.check import Equation, equation
from x0_equations.values import (
    GROUPS,
    Array,
    Derivatives,
    Function,
    Indexed,
    Matrix,
    gaussian,
    sample_mean,
)

GELU = Function(lambda z: torch.nn.functional.gelu(torch.as_tensor(z)).numpy())


@equation("transformers-residual", kind="definition", tolerance="relative 1e-2")
def test_residual(eq: Equation) -> None:
    """The deviation that PyTorch draws for weights whose sum over 2D branches has that of one."""
    for depth in (3, 12):
        generator = torch.Generator().manual_seed(depth)
        total = torch.zeros(200_000, dtype=torch.float64)
        total.normal_(0, 0.02, generator=generator)
        eq.holds(sigma_r=float(total.std()) / math.sqrt(2 * depth), depth=depth)


# Attention ---------------------------------------------------------------------------------------


def pairs(d: int) -> tuple[list[Array], list[Array], Any]:
    """Return every q and k with entries of variance 1 that are not symmetric, and E."""
    values = np.array([-0.5, 2.0])
    grids = np.meshgrid(*(values for _ in range(2 * d)), indexing="ij")
    weights = np.meshgrid(*(np.array([0.8, 0.2]) for _ in range(2 * d)), indexing="ij")
    weight = np.prod([w.ravel() for w in weights], axis=0)[None]
    entries = [g.reshape(1, -1) for g in grids]

    def expectation(values: Any) -> Any:
        values = np.asarray(values, dtype=float)
        if values.ndim == 0 or values.shape[-1] == 1:
            return values * weight.sum()
        return (values * weight).sum(-1, keepdims=True)

    return entries[:d], entries[d:], expectation


def dot(d: int) -> tuple[Array, Indexed, Indexed, Any]:
    q, k, mean = pairs(d)
    a = np.array([(np.stack(q) * np.stack(k)).sum(0)[0]])
    return a, Indexed(lambda i: q[i - 1]), Indexed(lambda i: k[i - 1]), mean


@equation("transformers-logit", kind="definition")
def test_logit(eq: Equation) -> None:
    for d in (1, 3):
        a, q, k, _ = dot(d)
        eq.holds(a=a, q=q, k=k, d=d)


@equation("transformers-logit-variance", kind="numerical")
def test_logit_variance(eq: Equation) -> None:
    for d in (1, 2, 4):
        a, q, k, mean = dot(d)
        eq.holds(a=a, q=q, k=k, d=d, E=mean)
        larger = [Indexed(lambda i, x=x, c=c: c * x[i]) for x, c in ((q, 3), (k, 2))]  # type: ignore[misc]
        eq.holds(a=6 * a, q=larger[0], k=larger[1], d=d, E=mean, only=(1,))


@equation("transformers-logit-scaled", kind="numerical")
def test_logit_scaled(eq: Equation) -> None:
    for d in (1, 2, 4):
        a, _, _, mean = dot(d)
        eq.holds(a=a, d=d, E=mean)


@equation("transformers-logit-mup", kind="numerical")
def test_logit_mup(eq: Equation) -> None:
    for d in (1, 2, 4):
        a, _, _, mean = dot(d)
        eq.holds(a=a, d=d, E=mean)


# Norms -------------------------------------------------------------------------------------------


def rms(x: torch.Tensor) -> torch.Tensor:
    return x / x.square().mean(1, keepdim=True).sqrt()


@cache
def blocks(post: bool, count: int = 2, width: int = 256) -> dict[str, Any]:
    """Run Gaussian networks of ReLU branches with gain 1; the last layer is a norm."""
    samples, generator = 5 * GROUPS, torch.Generator().manual_seed(7)
    start = rms(torch.randn(samples, width, generator=generator)).requires_grad_()
    x = [start]
    for _ in range(count):
        first, last = torch.randn(2, samples, width, width, generator=generator)
        read = x[-1] if post else rms(x[-1])
        h = torch.einsum("nij,nj->ni", first, read).relu()
        total = x[-1] + torch.einsum("nij,nj->ni", last, h) * (math.sqrt(2) / width)
        x.append(rms(total) if post else total)
    out = x[-1] if post else rms(x[-1])
    top = torch.randn(out.shape, generator=generator)
    d = torch.autograd.grad(out, x, top)
    r = [sample_mean(t.detach().double().square().mean(1).numpy()[None]) for t in x]
    cosine = [
        sample_mean((start * t).detach().double().mean(1).numpy()[None]) ** 2 / r[k]
        for k, t in enumerate(x)
    ]
    moments = [sample_mean(t.double().square().mean(1).numpy()[None]) for t in d]
    return {
        "r": Indexed(r.__getitem__),
        "d": Indexed(moments.__getitem__),
        "rho": Indexed(cosine.__getitem__),
    }


@equation("transformers-pre", kind="statistical")
def test_pre(eq: Equation) -> None:
    for k in (0, 1, 2):
        eq.holds(k=k, d=blocks(False)["d"], r=blocks(False)["r"])


@equation("transformers-share-pre", kind="statistical")
def test_share_pre(eq: Equation) -> None:
    for k in (1, 2):
        eq.holds(k=k, rho=blocks(False)["rho"])


@equation("transformers-share-post", kind="statistical")
def test_share_post(eq: Equation) -> None:
    for k in (1, 2):
        eq.holds(k=k, rho=blocks(True)["rho"])


@equation("transformers-post", kind="statistical")
def test_post(eq: Equation) -> None:
    """A tanh branch, whose gains of signal and gradient differ; both are measured."""
    samples, width = 40 * GROUPS, 64
    generator = torch.Generator().manual_seed(3)
    for scale in (1.0, 2.0):
        x = rms(torch.randn(samples, width, generator=generator)).requires_grad_()
        first, last = torch.randn(2, samples, width, width, generator=generator)
        z = torch.einsum("nij,nj->ni", first, x) * (1.5 / math.sqrt(width))
        f = torch.einsum("nij,nj->ni", last, z.tanh()) * (scale / math.sqrt(width))
        out = rms(x + f)
        top = torch.randn(out.shape, generator=generator)
        (below,) = torch.autograd.grad(out, x, 1.3 * top, retain_graph=True)
        (through,) = torch.autograd.grad(f, x, top)

        def moment(t: torch.Tensor) -> Array:
            return np.asarray(sample_mean(t.detach().double().square().mean(1).numpy()[None]))

        d = {0: moment(below), 1: moment(1.3 * top)}
        chi = moment(through) / moment(top)
        eq.holds(k=1, d=Indexed(d.__getitem__), u=moment(f), chi=chi)


# The scale 0.02 ----------------------------------------------------------------------------------


def draws(seed: int, *shape: int) -> Array:
    return np.random.default_rng(seed).standard_normal(shape, dtype=np.float32)


def unit_rows(x: Array) -> Array:
    return np.asarray(x / np.sqrt((x**2).mean(-1, keepdims=True)))


@equation("transformers-attention", kind="statistical")
def test_attention(eq: Equation) -> None:
    """Weights of one token's output when the attention is uniform over t tokens."""
    n, samples = 24, 40 * GROUPS
    for t, v in ((1, 0.03), (3, 0.05)):
        y = unit_rows(draws(t, samples, t, n))
        w = draws(t + 10, 2, samples, n, n) * math.sqrt(v)
        values = np.einsum("sij,stj->sti", w[0], y).mean(1)
        f = np.einsum("sij,sj->si", w[1], values)
        eq.holds(n=n, v=v, t=t, u_1=sample_mean((f.astype(float) ** 2).mean(1)[None]))


@equation("transformers-mlp", kind="statistical")
def test_mlp(eq: Equation) -> None:
    n, samples = 16, 40 * GROUPS
    z, mean = gaussian()
    for v in (0.02, 0.08):
        y = unit_rows(draws(1, samples, n))
        first = draws(2, samples, 4 * n, n) * math.sqrt(v)
        last = draws(3, samples, n, 4 * n) * math.sqrt(v)
        h = GELU(np.einsum("sij,sj->si", first, y))
        f = np.einsum("sij,sj->si", last, h).astype(float)
        u = sample_mean((f**2).mean(1)[None])
        eq.holds(n=n, v=v, phi=GELU, Z=z, u_2=u, E=mean)


@cache
def decoder(depth: int, scale: float) -> dict[str, Any]:
    """Run pre-norm blocks of two Gaussian branches of given second moments."""
    n, samples = 32, 40 * GROUPS
    x = 0.5 * draws(5, samples, n).astype(float)
    r, u = {0: sample_mean((x**2).mean(1)[None])}, (0.4, 1.1)
    for k in range(2 * depth):
        w = draws(20 + k, samples, n, n) / math.sqrt(n)
        f = math.sqrt(u[k % 2]) * np.einsum("sij,sj->si", w, unit_rows(x))
        x = x + scale * f
    r[2 * depth] = sample_mean((x**2).mean(1)[None])
    return {"r": Indexed(r.__getitem__), "u_1": u[0], "u_2": u[1], "depth": depth}


@equation("transformers-stream", kind="statistical")
def test_stream(eq: Equation) -> None:
    for depth, scale in ((1, 1.0), (3, 0.6)):
        eq.holds(s=scale, **decoder(depth, scale))


@equation("transformers-stream-scaled", kind="statistical")
def test_stream_scaled(eq: Equation) -> None:
    for depth in (1, 3):
        eq.holds(**decoder(depth, 1 / math.sqrt(2 * depth)))


# Gated units and RMSNorm -------------------------------------------------------------------------


def product(q: float, other: float) -> tuple[Array, Array, Any]:
    """Return two independent Gaussian variables on a grid, and their expectation."""
    x, _ = gaussian(q)
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    b = math.sqrt(other) * nodes
    weight = weights / weights.sum()
    half, mean = gaussian(q)
    a_grid = np.repeat(x.ravel(), len(b))[None]
    b_grid = np.tile(b, x.size)[None]

    def expectation(values: Any) -> Any:
        grid = np.broadcast_to(values, a_grid.shape).reshape(half.size, len(b))
        return mean((grid * weight).sum(1)[None])

    return a_grid, b_grid, expectation


@equation("transformers-gated", kind="numerical")
def test_gated(eq: Equation) -> None:
    for q in (0.7, 2.0):
        a, b, mean = product(q, 1.7 * q)
        eq.holds(phi=GELU, a=a, b=b, E=mean)


@equation("transformers-reglu", kind="numerical")
def test_reglu(eq: Equation) -> None:
    for q in (0.7, 2.0):
        a, b, mean = product(q, q)
        eq.holds(a=a, b=b, q=q, E=mean)


def normed(eps: float) -> tuple[Array, Array]:
    x = torch.from_numpy(np.random.default_rng(0).standard_normal(5) + 0.3)
    return x.numpy(), torch.rms_norm(x, (5,), eps=eps).numpy()


@equation("transformers-rmsnorm", kind="numerical")
def test_rmsnorm(eq: Equation) -> None:
    """PyTorch's own."""
    for eps in (0.01, 2.0):
        x, y = normed(eps)
        eq.holds(
            i=2,
            x=Indexed(lambda i, x=x: float(x[i - 1])),  # type: ignore[misc]
            y=Indexed(lambda i, y=y: float(y[i - 1])),  # type: ignore[misc]
            hat_r=float((x**2).mean()),
            varepsilon=eps,
        )


@equation("transformers-rmsnorm-moment", kind="numerical")
def test_rmsnorm_moment(eq: Equation) -> None:
    for eps in (0.01, 2.0):
        x, y = normed(eps)
        eq.holds(
            n=5,
            y=Indexed(lambda i, y=y: float(y[i - 1])),  # type: ignore[misc]
            hat_r=float((x**2).mean()),
            varepsilon=eps,
        )


# Tied embeddings ---------------------------------------------------------------------------------


@equation("transformers-tied-logit", kind="definition")
def test_tied_logit(eq: Equation) -> None:
    rng = np.random.default_rng(0)
    e, x = rng.standard_normal((4, 6)), 3 * rng.standard_normal(6)
    logits = torch.rms_norm(torch.from_numpy(x), (6,), eps=0.0).numpy() @ e.T
    for w in (1, 3):
        eq.holds(
            w=w,
            n=6,
            o=Indexed(lambda w: float(logits[w - 1])),
            e=Indexed(lambda w, i: float(e[w - 1, i - 1])),
            x=Indexed(lambda i: float(x[i - 1])),
            r=float((x**2).mean()),
        )


def logits(n: int, sigma: float, noise: float, own: bool) -> tuple[Array, float]:
    """Return logits of one word over many embeddings, and the stream's second moment."""
    samples = 200 * GROUPS
    e = sigma * np.random.default_rng(1).standard_normal((samples, n))
    x = math.sqrt(noise) * np.random.default_rng(2).standard_normal((samples, n))
    if own:
        x = x + e
    r = (x**2).mean(1, keepdims=True)
    return (e * x / np.sqrt(r)).sum(1)[None], float(r.mean())


@equation("transformers-tied-variance", kind="statistical")
def test_tied_variance(eq: Equation) -> None:
    for n, sigma in ((24, 0.2), (60, 0.05)):
        o, _ = logits(n, sigma, 1.0, own=False)
        eq.holds(w=1, o=Indexed(lambda w, o=o: o), n=n, sigma=sigma, E=sample_mean)  # type: ignore[misc]


@equation("transformers-tied-own", kind="statistical", tolerance="4 SE, SE ≤ 5 %; relative 1e-2")
def test_tied_own(eq: Equation) -> None:
    for n, sigma, noise in ((200, 0.2, 0.1), (200, 0.1, 0.0)):
        o, r = logits(n, sigma, noise, own=True)
        eq.holds(w=1, o=Indexed(lambda w, o=o: o), n=n, sigma=sigma, r=r, E=sample_mean)  # type: ignore[misc]


@equation("transformers-tied-sum", kind="statistical")
def test_tied_sum(eq: Equation) -> None:
    words, n, sigma = 5, 24, 0.2
    rng = np.random.default_rng(0)
    e = sigma * rng.standard_normal((words, 60 * GROUPS, n))
    x = unit_rows(rng.standard_normal((60 * GROUPS, n)))
    o = (e * x).sum(-1)
    eq.holds(V=words, n=n, sigma=sigma, o=Indexed(lambda w: o[w - 1][None]), E=sample_mean)


@equation("transformers-tied-loss", kind="numerical", tolerance="relative 1e-2")
def test_tied_loss(eq: Equation) -> None:
    """The mean cross-entropy of PyTorch, for words that are not the input."""
    generator = torch.Generator().manual_seed(0)
    words, n = 3000, 256
    for sigma, noise in ((0.06, 1.0), (0.045, 0.0), (0.06, 0.01), (0.09, 0.0)):
        e = sigma * torch.randn(words, n, generator=generator)
        x = e[:200] + math.sqrt(noise) * torch.randn(200, n, generator=generator)
        o = torch.rms_norm(x, (n,), eps=0.0) @ e.T
        target = (torch.arange(200) + 1000).remainder(words)
        loss = torch.nn.functional.cross_entropy(o, target) + o.gather(1, target[:, None]).mean()
        r = float(x.square().mean())
        eq.holds(loss=loss.item(), V=words, n=n, sigma=sigma, r=r)


# LoRA --------------------------------------------------------------------------------------------


@cache
def lora() -> dict[str, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    parts = {"W": draw(3, 4), "A": draw(2, 4), "B": draw(3, 2), "x": draw(4, 1)}
    parts["A"].requires_grad_()
    parts["B"].requires_grad_()
    y = torch.nn.functional.linear(parts["x"].T, parts["W"]).T
    y = y + 5 / 2 * torch.linalg.multi_dot([parts["B"], parts["A"], parts["x"]])
    parts["y"], parts["delta"] = y, draw(3, 1)
    (y * parts["delta"]).sum().backward()  # type: ignore[no-untyped-call]
    return parts


def bound(*names: str) -> dict[str, Any]:
    return {name: Matrix(lora()[name].detach().numpy()) for name in names}


def lora_loss() -> Derivatives:
    def partial(name: str) -> Matrix:
        gradient = lora()[name].grad
        assert gradient is not None
        return Matrix(gradient.numpy())

    return Derivatives(partial)


@equation("transformers-lora", kind="definition")
def test_lora(eq: Equation) -> None:
    eq.holds(alpha=5.0, r=2, **bound("y", "W", "B", "A", "x"))


@equation("transformers-lora-a", kind="numerical")
def test_lora_a(eq: Equation) -> None:
    eq.holds(alpha=5.0, r=2, loss=lora_loss(), **bound("B", "delta", "x"))


@equation("transformers-lora-b", kind="numerical")
def test_lora_b(eq: Equation) -> None:
    eq.holds(alpha=5.0, r=2, loss=lora_loss(), **bound("A", "delta", "x"))


# Width -------------------------------------------------------------------------------------------


@equation("transformers-adam", kind="numerical", tolerance="relative 1e-6")
def test_adam(eq: Equation) -> None:
    """One step of PyTorch's Adam."""
    generator = torch.Generator().manual_seed(0)
    w = torch.randn(3, 5, generator=generator, dtype=torch.float64).requires_grad_()
    h = torch.randn(5, generator=generator, dtype=torch.float64)
    delta = torch.tensor([0.7, -1.2, 2.0], dtype=torch.float64)
    before = (w @ h).detach()
    (w @ h * delta).sum().backward()  # type: ignore[no-untyped-call]
    torch.optim.Adam([w], lr=0.01, eps=1e-12).step()
    change = (w @ h).detach() - before
    for i in (1, 2, 3):
        eq.holds(
            i=i,
            n=5,
            eta=0.01,
            h=Indexed(lambda j: float(h[j - 1])),
            delta=Indexed(lambda i: float(delta[i - 1])),
            Delta=Indexed(lambda i: float(change[i - 1])),
        )


@equation("transformers-adam-width", kind="statistical")
def test_adam_width(eq: Equation) -> None:
    for n in (4, 40):
        h = np.maximum(np.random.default_rng(n).standard_normal((n, 60 * GROUPS)), -0.5)
        change = -0.01 * np.sign(0.3) * np.abs(h).sum(0)[None]
        eq.holds(
            i=1,
            j=1,
            n=n,
            eta=0.01,
            Delta=Indexed(lambda i, c=change: c),  # type: ignore[misc]
            h=Indexed(lambda j, h=h: h[0][None]),  # type: ignore[misc]
            E=sample_mean,
        )


@equation("transformers-width", kind="numerical")
def test_width(eq: Equation) -> None:
    """The deviation that gives width 12288 the n v of width 768, by bisection."""
    low, high = 0.0, 0.02
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if 12288 * middle**2 < 768 * 0.02**2 else (low, middle)
    eq.holds(sigma=low)


@equation("transformers-swiglu-width", kind="numerical")
def test_swiglu_width(eq: Equation) -> None:
    for n in (6, 96):
        eq.equivalent("m", (0.5 * n, 5.0 * n), n=n)
