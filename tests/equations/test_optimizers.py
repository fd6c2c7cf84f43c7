"""Checks of snippets/equations/optimizers.tex."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from x0_equations.check import Equation, equation
from x0_equations.values import GROUPS, points, sample_mean

Array = np.ndarray


def step(maker, start: list[float], gradient: list[float]) -> Array:
    weight = nn.Parameter(torch.tensor(start, dtype=torch.float64))
    weight.grad = torch.tensor(gradient, dtype=torch.float64)
    maker([weight]).step()
    return points(weight.detach().numpy())


START, GRADIENT = [0.5, -1.0, 2.0, 0.3], [3.0, -0.2, 1e-8, -1e-9]


@equation("optimizers-sgd", kind="numerical", identical="PyTorch does the same operations")
def test_sgd(eq: Equation) -> None:
    after = step(lambda p: torch.optim.SGD(p, lr=0.2, momentum=0.9), START, GRADIENT)
    eq.holds(w={0: points(START), 1: after}, eta=0.2, g=points(GRADIENT))


@equation(
    "optimizers-adam",
    kind="numerical",
    tolerance="relative 1e-9",
    identical="torch.optim does the same operations",
)
def test_adam(eq: Equation) -> None:
    after = step(lambda p: torch.optim.Adam(p, lr=0.2, eps=1e-8), START, GRADIENT)
    eq.holds(w={0: points(START), 1: after}, eta=0.2, g=points(GRADIENT), epsilon=1e-8)


def moved(maker) -> tuple[dict[int, float], dict[int, float], dict[int, float]]:
    """Return the change of z = W h, ∂loss/∂z and h, counted from 1, for one step of an optimizer."""
    generator = torch.Generator().manual_seed(0)
    h = torch.randn(4, generator=generator, dtype=torch.float64)
    weight = nn.Parameter(torch.randn(3, 4, generator=generator, dtype=torch.float64))
    a = torch.randn(3, generator=generator, dtype=torch.float64)
    z = weight @ h
    z.retain_grad()
    (a @ z.tanh()).backward()
    maker([weight]).step()
    change = (weight @ h - z).detach()

    def count(t: torch.Tensor) -> dict[int, float]:
        return {i + 1: float(x) for i, x in enumerate(t)}

    return count(change), count(z.grad), count(h)


@equation("optimizers-change-sgd", kind="numerical", tolerance="relative 1e-9")
def test_change_sgd(eq: Equation) -> None:
    r, delta, h = moved(lambda p: torch.optim.SGD(p, lr=0.1))
    for i in (1, 2, 3):
        eq.holds(i=i, r=r, delta=delta, h=h, n=4, eta=0.1)


@equation("optimizers-change-adam", kind="numerical", tolerance="relative 1e-6")
def test_change_adam(eq: Equation) -> None:
    """The ε of Adam is far below the gradients here."""
    r, delta, h = moved(lambda p: torch.optim.Adam(p, lr=0.1, eps=1e-12))
    for i in (1, 2, 3):
        eq.holds(i=i, r=r, delta=delta, h=h, n=4, eta=0.1)


def errors(rate: float, curvature: float, beta: float, steps: int) -> dict[int, float]:
    """Return w by step under torch's SGD with momentum on curvature · w² / 2."""
    weight = nn.Parameter(torch.tensor(1.3, dtype=torch.float64))
    optimizer = torch.optim.SGD([weight], lr=rate, momentum=beta)
    found = {0: 1.3}
    for k in range(1, steps + 1):
        optimizer.zero_grad()
        (curvature * weight**2 / 2).backward()
        optimizer.step()
        found[k] = weight.item()
    return found


@equation("optimizers-momentum", kind="numerical", tolerance="relative 1e-9")
def test_momentum(eq: Equation) -> None:
    for rate, curvature, beta in ((0.1, 2.0, 0.9), (0.3, 1.0, 0.5)):
        e = errors(rate, curvature, beta, 6)
        for k in (1, 4):
            eq.holds(k=k, e=e, eta=rate, beta=beta, **{"lambda": curvature})


@equation("optimizers-stable", kind="numerical", parsed=False)
def test_stable(eq: Equation) -> None:
    """The spectral radius of the two-step matrix is below 1 exactly inside the bounds."""
    eq.states(r"0 < \eta \lambda < 2 \left(1 + \beta\right)")
    for beta in (0.0, 0.5, 0.9):
        for x in np.linspace(-0.5, 4.5, 101) + 1e-3:
            matrix = np.array([[1 + beta - x, -beta], [1.0, 0.0]])
            radius = float(np.abs(np.linalg.eigvals(matrix)).max())
            assert (radius < 1) == (0 < x < 2 * (1 + beta)), (beta, x, radius)


def layer(initialize, n: int) -> dict[int, Array]:
    """Return q of two layers of many networks."""
    generator = torch.Generator().manual_seed(0)
    count = 100 * GROUPS
    below = torch.randn(count, n, generator=generator, dtype=torch.float64)
    w = torch.empty(count, n, n, dtype=torch.float64)
    initialize(w, generator)
    z = (w @ below.relu()[..., None])[..., 0]
    return {
        1: sample_mean(below.square().mean(1).numpy()[None]),
        2: sample_mean(z.square().mean(1).numpy()[None]),
    }


@equation("optimizers-std", kind="statistical")
def test_std(eq: Equation) -> None:
    for n in (12, 20):
        q = layer(lambda w, g: nn.init.normal_(w, 0, 0.01, generator=g), n)
        eq.holds(l=2, q=q, n=n)


@equation("optimizers-variance", kind="statistical")
def test_variance(eq: Equation) -> None:
    """The variance that the formula prescribes, drawn by PyTorch."""
    v = 0.01
    for n in (12, 20):
        q = layer(lambda w, g: nn.init.normal_(w, 0, v**0.5, generator=g), n)
        eq.holds(l=2, q=q, n=n, v=v)
