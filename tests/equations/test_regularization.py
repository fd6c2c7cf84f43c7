"""Checks of snippets/equations/regularization.tex."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import sympy as sp
import torch

from x0_equations.check import Equation, equation
from x0_equations.values import Array, Smooth, discrete, gaussian

X = (0.7, -1.3, 2.0)
W = (1.5, 0.4, -0.8)
TARGET = 0.6


def products(
    values: tuple[float, float], odds: tuple[float, float]
) -> tuple[dict[int, Array], Any]:
    """Return three independent variables with two values each, all 8 cases, and E."""
    cases = list(itertools.product((0, 1), repeat=3))
    weights = np.array([odds[a] * odds[b] * odds[c] for a, b, c in cases])
    columns = [discrete([values[case[j]] for case in cases], weights) for j in range(3)]
    return {j + 1: column[0] for j, column in enumerate(columns)}, columns[0][1]


def masks(p: float) -> tuple[dict[int, Array], Any]:
    return products((0.0, 1 / (1 - p)), (p, 1 - p))


ROW: dict[str, Any] = {
    "n": 3,
    "x": dict(enumerate(X, 1)),
    "w": dict(enumerate(W, 1)),
    "y": TARGET,
}


@equation("regularization-dropout", kind="numerical", tolerance="relative 1e-9")
def test_dropout(eq: Equation) -> None:
    """All masks of three inputs; torch's Dropout has the same two values."""
    for p in (0.1, 0.5, 0.8):
        d, mean = masks(p)
        eq.holds(d=d, E=mean, p=p, **ROW)
    kept = torch.nn.Dropout(0.8)(torch.ones(1000)).unique().tolist()
    assert np.allclose(kept, [0.0, 1 / (1 - 0.8)], rtol=1e-6)


@equation("regularization-noise", kind="numerical", tolerance="relative 1e-9")
def test_noise(eq: Equation) -> None:
    for odds in (0.5, 0.2):  # two values of mean 0 and variance 1
        high, low = np.sqrt((1 - odds) / odds), -np.sqrt(odds / (1 - odds))
        xi, mean = products((float(high), float(low)), (odds, 1 - odds))
        for s in (0.1, 1.7):
            eq.holds(xi=xi, E=mean, s=s, **ROW)


@equation("regularization-split", kind="numerical", tolerance="relative 1e-9")
def test_split(eq: Equation) -> None:
    u, mean = discrete([0.3, -1.0, 2.0], [0.2, 0.5, 0.3])
    for y in (-1.0, 0.4):
        eq.holds(u=u, E=mean, y=y)


@equation("regularization-mask", kind="numerical", tolerance="relative 1e-9")
def test_mask(eq: Equation) -> None:
    for p in (0.1, 0.5, 0.8):
        d, mean = discrete([0.0, 1 / (1 - p)], [p, 1 - p])
        eq.holds(d=d, E=mean, p=p)


@equation("regularization-sum", kind="numerical", tolerance="relative 1e-9")
def test_sum(eq: Equation) -> None:
    for p in (0.1, 0.8):
        d, mean = masks(p)
        row = {name: value for name, value in ROW.items() if name != "y"}
        eq.holds(d=d, E=mean, **row)


def network(t: Any) -> Any:
    """Return a small network of one input."""
    return sp.tanh(1.3 * t - 0.2) - sp.Rational(1, 2) * sp.sin(t)


@equation(
    "regularization-taylor",
    kind="numerical",
    tolerance="slope ± 0.05",
    survivors="ξ is symmetric",
)
def test_taylor(eq: Equation) -> None:
    xi, mean = gaussian(1.0)
    loss = Smooth(lambda t: (TARGET - network(t)) ** 2)

    def bind(s: float) -> dict[str, Any]:
        return {"s": s, "xi": xi, "E": mean, "r": loss, "x": 0.4}

    eq.approximates(np.geomspace(0.02, 0.1, 5), bind, order=4)


@equation("regularization-bend", kind="numerical", tolerance="relative 1e-9")
def test_bend(eq: Equation) -> None:
    for x in (-0.8, 0.4, 1.9):
        eq.holds(x=x, y=TARGET, f=Smooth(network), r=Smooth(lambda t: (TARGET - network(t)) ** 2))


@equation("regularization-gap", kind="numerical", tolerance="relative 1e-6")
def test_gap(eq: Equation) -> None:
    """Free logits, trained to the minimum of torch's smoothed cross-entropy."""
    for classes, epsilon in ((3, 0.3), (10, 0.1), (5, 0.8)):
        z = torch.zeros(1, classes, dtype=torch.float64, requires_grad=True)
        loss = torch.nn.CrossEntropyLoss(label_smoothing=epsilon)
        optimizer = torch.optim.LBFGS([z], max_iter=500, tolerance_grad=1e-12, tolerance_change=0)

        def closure(z: torch.Tensor = z, loss: Any = loss, optimizer: Any = optimizer) -> Any:
            optimizer.zero_grad()
            value = loss(z, torch.tensor([2]))
            value.backward()
            return value

        optimizer.step(closure)
        found = dict(enumerate(z.detach()[0].tolist()))
        for k in (0, 1):
            eq.holds(z=found, y=2, k=k, C=classes, varepsilon=epsilon)


@equation("regularization-strength", kind="numerical", tolerance="relative 1e-9")
def test_strength(eq: Equation) -> None:
    for curvature, sigma, c in ((0.3, 0.7, 1.2), (2.0, 1.5, 0.4)):
        eq.equivalent("alpha", (0.001, 5.0), N=12, sigma=sigma, c_star=c, **{"lambda": curvature})


@equation("regularization-shrink", kind="numerical", tolerance="relative 1e-9")
def test_shrink(eq: Equation) -> None:
    for x, y, p in ((0.7, 1.1, 0.2), (-2.0, 0.4, 0.6)):
        eq.equivalent("w", (-3.0, 3.0), scale=1.0, x=x, y=y, p=p)
