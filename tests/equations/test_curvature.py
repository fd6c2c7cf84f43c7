"""Checks of snippets/equations/curvature.tex."""

from __future__ import annotations

import numpy as np
import torch

from x0_equations.check import Equation, equation
from x0_equations.values import Array, Matrix


def loss(theta: torch.Tensor) -> torch.Tensor:
    """Return a function of three parameters that is not quadratic."""
    a, b, c = theta
    return torch.tanh(a * b) ** 2 + torch.sin(c) * a**3 + torch.exp(b - c / 2)


def hessian(theta: Array) -> Array:
    return torch.autograd.functional.hessian(loss, torch.tensor(theta)).numpy()


POINT = np.array([0.7, -0.4, 0.9])


@equation("curvature-rayleigh", kind="numerical", tolerance="relative 1e-9")
def test_rayleigh(eq: Equation) -> None:
    matrix = hessian(POINT)
    values, vectors = np.linalg.eigh(matrix)
    for value, vector in zip(values, vectors.T, strict=True):
        eq.holds(v=Matrix(1.7 * vector), H=Matrix(matrix), **{"lambda": value})


@equation("curvature-stable", kind="numerical")
def test_stable(eq: Equation) -> None:
    eq.equivalent("eta", (-1.0, 3.0), **{"lambda": 1.6})
    eq.equivalent("eta", (-1.0, 3.0), **{"lambda": 0.9})
