"""Checks of snippets/equations/newton.tex."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import torch

from x0_equations.check import Equation, equation
from x0_equations.values import Array, Indexed, Matrix


class Problem(NamedTuple):
    """A least-squares problem, with what automatic differentiation says of it."""

    features: torch.Tensor
    targets: torch.Tensor

    def loss(self, theta: torch.Tensor) -> torch.Tensor:
        return ((self.features @ theta - self.targets) ** 2).mean()

    def gradient(self, theta: Array) -> Array:
        leaf = torch.tensor(theta, requires_grad=True)
        (found,) = torch.autograd.grad(self.loss(leaf), leaf)
        return found.numpy()

    @property
    def hessian(self) -> Array:
        zero = torch.zeros(self.features.shape[1], dtype=torch.float64)
        return torch.autograd.functional.hessian(self.loss, zero).numpy()


def problem() -> Problem:
    generator = torch.Generator().manual_seed(0)
    features = torch.randn(12, 3, dtype=torch.float64, generator=generator)
    return Problem(
        features * torch.tensor([1.0, 0.6, 0.3], dtype=torch.float64),
        torch.randn(12, dtype=torch.float64, generator=generator),
    )


def solution(p: Problem) -> Array:
    return np.linalg.lstsq(p.features.numpy(), p.targets.numpy(), rcond=None)[0]


def trajectory(p: Problem, eta: float, beta: float) -> list[Array]:
    """Return the errors of four steps along each eigenvector of the Hessian."""
    vectors = np.linalg.eigh(p.hessian)[1]
    theta = previous = np.array([0.3, -2.0, 1.0])
    errors = []
    for _ in range(5):
        errors.append(vectors.T @ (theta - solution(p)))
        move = -eta * p.gradient(theta) + beta * (theta - previous)
        theta, previous = theta + move, theta
    return errors


@equation("newton-descent", kind="numerical", tolerance="relative 1e-9")
def test_descent(eq: Equation) -> None:
    p = problem()
    for i, curvature in enumerate(np.linalg.eigvalsh(p.hessian)):
        c = Indexed(lambda t, i=i: trajectory(p, 0.3, 0.0)[t][i])
        for t in (0, 2):
            eq.holds(t=t, c=c, eta=0.3, **{"lambda": curvature})


@equation("newton-ball", kind="numerical", tolerance="relative 1e-9")
def test_ball(eq: Equation) -> None:
    p = problem()
    for i, curvature in enumerate(np.linalg.eigvalsh(p.hessian)):
        c = Indexed(lambda t, i=i: trajectory(p, 0.3, 0.7)[t][i])
        for t in (1, 3):
            eq.holds(t=t, c=c, eta=0.3, beta=0.7, **{"lambda": curvature})


def best(rate: object, low: float, high: float) -> float:
    """Return where a function of one variable is smallest."""
    from scipy.optimize import minimize_scalar

    found = minimize_scalar(rate, bounds=(low, high), method="bounded", options={"xatol": 1e-12})
    return float(found.x)


@equation(
    "newton-descent-rate",
    kind="numerical",
    tolerance="relative 1e-6",
    survivors="1 - eta mu is positive at the best eta: the first absolute value changes nothing",
)
def test_descent_rate(eq: Equation) -> None:
    values = np.linalg.eigvalsh(problem().hessian)
    eta = best(lambda e: np.abs(1 - e * values).max(), 0.0, 2 / values[-1])
    low, high = values[0], values[-1]
    eq.holds(eta=eta, mu=low, kappa=high / low, **{"lambda": high})


def radius(eta: float, beta: float, values: Array) -> float:
    """Return the largest modulus of the eigenvalues of the map from two errors to the next two."""
    maps = [np.array([[1 + beta - eta * value, -beta], [1, 0]]) for value in values]
    return max(float(np.abs(np.linalg.eigvals(m)).max()) for m in maps)


@equation("newton-ball-rate", kind="numerical", tolerance="relative 1e-2")
def test_ball_rate(eq: Equation) -> None:
    """The best pair is found by search; at a double root the modulus has a vertical tangent."""
    from scipy.optimize import minimize

    low, high = 0.5, 8.0
    values = np.array([low, high])
    grid = [
        (radius(e / high, b, values), e, b)
        for e in np.linspace(1.5, 3, 61)
        for b in np.linspace(0.1, 0.6, 51)
    ]
    _, e, b = min(grid)
    found = minimize(
        lambda x: radius(x[0] / high, x[1], values),
        [e, b],
        method="Nelder-Mead",
        options={"xatol": 1e-9, "fatol": 1e-9, "maxiter": 4000},
    ).x
    eq.holds(eta=found[0] / high, beta=found[1], mu=low, kappa=high / low, **{"lambda": high})


@equation("newton-step", kind="numerical", tolerance="relative 1e-9")
def test_step(eq: Equation) -> None:
    p = problem()
    for theta in (np.array([0.3, -2.0, 1.0]), np.array([5.0, 0.1, -4.0])):
        eq.holds(
            theta_star=Matrix(solution(p)),
            theta=Matrix(theta),
            H=Matrix(p.hessian),
            G=Matrix(p.gradient(theta)),
        )
