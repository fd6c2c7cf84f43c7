"""Checks of snippets/equations/beyond.tex."""

from __future__ import annotations

import numpy as np
import torch

from x0_equations.check import Equation, equation
from x0_equations.values import Derivatives, Indexed, Matrix

C, N, LABEL = 3, 2, 1
H = torch.tensor([0.8, 1.3], dtype=torch.float64)
Y = np.eye(C)[LABEL]


def heads(sigma: float) -> torch.Tensor:
    """Return every head of entries ±σ, shape (heads, C, N)."""
    codes = np.arange(2 ** (C * N))[:, None] >> np.arange(C * N)
    return sigma * torch.from_numpy(2.0 * (codes & 1) - 1.0).reshape(-1, C, N)


def losses(head: torch.Tensor, h: torch.Tensor) -> torch.Tensor:
    """Return the cross-entropy of each head, by PyTorch."""
    logits = torch.einsum("aki,ai->ak", head, h)
    target = torch.full((len(head),), LABEL)
    return torch.nn.functional.cross_entropy(logits, target, reduction="none")


def mean(values: object) -> object:
    return np.asarray(values).mean(-1, keepdims=True)


def generic() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    head = torch.randn(1, C, N, generator=generator, dtype=torch.float64).requires_grad_()
    h = H[None].clone().requires_grad_()
    logits = torch.einsum("aki,ai->ak", head, h)
    return head, h, logits.softmax(-1)[0].detach()


@equation("beyond-softmax", kind="numerical")
def test_softmax(eq: Equation) -> None:
    head, h, p = generic()
    (slope,) = torch.autograd.grad(losses(head, h).sum(), h)
    w = head.detach()[0]
    for i in (1, 2):
        eq.holds(
            i=i,
            C=C,
            loss=Derivatives(lambda name, i: slope[0, i - 1].item()),
            w=Indexed(lambda k, i: w[k - 1, i - 1].item()),
            p=Indexed(lambda k: p[k - 1].item()),
            y=Indexed(lambda k: Y[k - 1]),
        )


@equation("beyond-head", kind="numerical")
def test_head(eq: Equation) -> None:
    head, h, p = generic()
    (slope,) = torch.autograd.grad(losses(head, h).sum(), head)
    for k, i in ((1, 2), (2, 1), (3, 2)):
        eq.holds(
            k=k,
            i=i,
            loss=Derivatives(lambda name, k, i: slope[0, k - 1, i - 1].item()),
            p=Indexed(lambda k: p[k - 1].item()),
            y=Indexed(lambda k: Y[k - 1]),
            h=Indexed(lambda i: H[i - 1].item()),
        )


@equation("beyond-error", kind="numerical")
def test_error(eq: Equation) -> None:
    for count in (2, 5):
        eq.holds(C=count, y=Indexed(lambda k: float(k == 2)))


@equation("beyond-features", kind="numerical", tolerance="slope ± 0.1")
def test_features(eq: Equation) -> None:
    def bind(v: float) -> dict[str, object]:
        head = heads(v**0.5)
        h = H.repeat(len(head), 1).requires_grad_()
        (slope,) = torch.autograd.grad(losses(head, h).sum(), h)
        loss = Derivatives(lambda name, i: slope[:, i - 1].numpy()[None])
        return {"v": v, "n": N, "C": C, "loss": loss, "E": mean}

    eq.approximates(np.geomspace(1e-4, 3e-3, 6), bind)


@equation("beyond-loss", kind="numerical", tolerance="slope ± 0.1")
def test_loss(eq: Equation) -> None:
    def bind(v: float) -> dict[str, object]:
        head = heads(v**0.5)
        loss = losses(head, H.repeat(len(head), 1)).numpy()[None]
        h = Indexed(lambda i: H[i - 1].item())
        return {"v": v, "n": N, "C": C, "loss": loss, "h": h, "E": mean}

    eq.approximates(np.geomspace(1e-3, 3e-2, 6), bind)


@equation("beyond-lora", kind="numerical", survivors="B is zero, so its sign does not matter")
def test_lora(eq: Equation) -> None:
    rng = np.random.default_rng(0)
    w, a, x = (rng.standard_normal(shape) for shape in ((3, 4), (2, 4), (4, 1)))
    eq.holds(W=Matrix(w), A=Matrix(a), B=Matrix(np.zeros((3, 2))), x=Matrix(x))
