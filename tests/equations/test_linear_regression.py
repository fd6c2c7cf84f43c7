"""Checks of snippets/equations/linear-regression.tex.

Derivatives by autograd, least squares by NumPy, iterates by torch's own SGD.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import torch
from scipy.optimize import minimize_scalar
from torch.autograd.functional import hessian as hessian_of
from torch.autograd.functional import jacobian

from x0_equations.check import Equation, equation
from x0_equations.values import Derivatives, Indexed, Matrix

Array = np.ndarray


class Point(Matrix):
    """A point of the plane (w, b): a function of it returns a number, not a matrix."""

    def __add__(self, other: Matrix) -> Point:
        return Point(super().__add__(other).array)

    def map(self, function: Any) -> Any:
        return function(self.array)


@cache
def data(seed: int) -> tuple[Array, Array, Array]:
    """Return x, noise and a start; y is 3x + 2 + noise."""
    rng = np.random.default_rng(seed)
    m = 9 + seed
    return rng.uniform(-1, 2, m), rng.uniform(0, 1, m), rng.normal(size=2)


def targets(seed: int) -> Array:
    x, noise, _ = data(seed)
    return 3 * x + 2 + noise


def loss(theta: torch.Tensor, seed: int) -> torch.Tensor:
    x, y = torch.from_numpy(data(seed)[0]), torch.from_numpy(targets(seed))
    return torch.nn.functional.mse_loss(theta[0] * x + theta[1], y)


def derivatives(theta: Array, seed: int) -> tuple[Array, Array]:
    """Return gradient and Hessian matrix by autograd."""
    point = torch.tensor(np.ravel(theta), dtype=torch.float64)
    g = jacobian(lambda p: loss(p, seed), point)
    return g.numpy(), hessian_of(lambda p: loss(p, seed), point).numpy()


def one_based(values: Array) -> Indexed:
    return Indexed(lambda i: float(values[i - 1]))


def sample(seed: int) -> dict[str, Any]:
    x, _, _ = data(seed)
    return {"m": len(x), "x": one_based(x)}


def partials(theta: Array, seed: int) -> Derivatives:
    g, _ = derivatives(theta, seed)
    return Derivatives(lambda name: float(g["wb".index(name)]))


def least_squares(seed: int) -> Array:
    x = data(seed)[0]
    return np.linalg.lstsq(np.column_stack([x, np.ones_like(x)]), targets(seed), rcond=None)[0]


def sgd(seed: int, rate: float, steps: int) -> list[Array]:
    """Return the errors θ_t − θ⋆ of torch's SGD."""
    theta = torch.nn.Parameter(torch.from_numpy(data(seed)[2].copy()))
    optimizer = torch.optim.SGD([theta], lr=rate)
    path = [theta.detach().numpy().copy()]
    for _ in range(steps):
        optimizer.zero_grad()
        loss(theta, seed).backward()
        optimizer.step()
        path.append(theta.detach().numpy().copy())
    return [point - least_squares(seed) for point in path]


@equation("linear-regression-loss", kind="numerical")
def test_loss(eq: Equation) -> None:
    for seed in (0, 1):
        w, b = data(seed)[2]

        def mean_squared(w: float, b: float, seed: int = seed) -> float:
            return loss(torch.tensor([w, b], dtype=torch.float64), seed).item()

        y = one_based(targets(seed))
        eq.holds(loss=mean_squared, w=float(w), b=float(b), y=y, **sample(seed))


@equation("linear-regression-gradient", kind="numerical", tolerance="relative 1e-9")
def test_gradient(eq: Equation) -> None:
    for seed in (0, 1):
        w, b = data(seed)[2]
        y = one_based(targets(seed))
        partial = partials(data(seed)[2], seed)
        eq.holds(loss=partial, w=float(w), b=float(b), y=y, **sample(seed))


@equation("linear-regression-hessian", kind="numerical", tolerance="relative 1e-9")
def test_hessian(eq: Equation) -> None:
    for seed in (0, 1):
        eq.holds(H=Matrix(derivatives(data(seed)[2], seed)[1]), **sample(seed))


@equation("linear-regression-determinant", kind="numerical", tolerance="relative 1e-9")
def test_determinant(eq: Equation) -> None:
    for seed in (0, 1):
        low, high = np.linalg.eigvalsh(derivatives(data(seed)[2], seed)[1])
        mean = float(data(seed)[0].mean())
        eq.holds(lambda_min=low, lambda_max=high, bar_x=mean, **sample(seed))


@equation("linear-regression-exact", kind="numerical", tolerance="relative 1e-9")
def test_exact(eq: Equation) -> None:
    for seed in (0, 1):
        for step in ([0.3, -0.2], [40.0, 70.0]):
            theta = data(seed)[2]
            g, hessian = derivatives(theta, seed)
            eq.holds(
                loss=lambda p, s=seed: loss(torch.from_numpy(p).ravel(), s).item(),
                theta=Point(theta),
                Delta=Matrix(step),
                g=Matrix(g),
                H=Matrix(hessian),
            )


@equation("linear-regression-newton", kind="numerical", tolerance="relative 1e-9")
def test_newton(eq: Equation) -> None:
    for seed in (0, 1):
        for scale in (1.0, 100.0):
            theta = scale * data(seed)[2]
            g, hessian = derivatives(theta, seed)
            best = Matrix(least_squares(seed))
            eq.holds(theta_star=best, theta=Matrix(theta), H=Matrix(hessian), g=Matrix(g))


@equation("linear-regression-error", kind="numerical", tolerance="relative 1e-9")
def test_error(eq: Equation) -> None:
    for seed, rate in ((0, 0.1), (1, 0.4)):
        errors = sgd(seed, rate, 4)
        hessian = Matrix(derivatives(data(seed)[2], seed)[1])
        e = Indexed(lambda t, errors=errors: Matrix(errors[t]))
        for t in (0, 3):
            eq.holds(e=e, t=t, eta=rate, H=hessian, I=Matrix(np.eye(2)))


@equation("linear-regression-modes", kind="numerical", tolerance="relative 1e-8")
def test_modes(eq: Equation) -> None:
    for seed, rate in ((0, 0.1), (1, 0.4)):
        errors = sgd(seed, rate, 6)
        values, vectors = np.linalg.eigh(derivatives(data(seed)[2], seed)[1])
        e = Indexed(lambda i, t, v=vectors, errors=errors: float(v[:, i - 1] @ errors[t]))
        for i in (1, 2):
            for t in (1, 2, 6):
                eq.holds(e=e, i=i, t=t, eta=rate, **{"lambda": one_based(values)})


@equation("linear-regression-stable", kind="numerical")
def test_stable(eq: Equation) -> None:
    """The grid of 1/64 holds both ends, 0 and 2 / λ, exactly."""
    for curvature in (1.0, 2.0, 4.0):
        bound: dict[str, Any] = {"i": 1, "lambda": Indexed(lambda i, c=curvature: c)}
        eq.equivalent("eta", (-60 / 64, 180 / 64), **bound)


@equation("linear-regression-optimal", kind="numerical", tolerance="relative 1e-6")
def test_optimal(eq: Equation) -> None:
    """The rate that makes the slowest mode fastest, by a search."""
    for low, high in ((0.1341, 2.4792), (1.0, 3.0)):
        found = minimize_scalar(
            lambda rate, a=low, b=high: max(abs(1 - rate * a), abs(1 - rate * b)),
            bounds=(0.0, 3.0 / high),
            method="bounded",
            options={"xatol": 1e-12},
        )
        eq.holds(lambda_min=low, lambda_max=high, eta=float(found.x), kappa=high / low)


@equation("linear-regression-noise", kind="numerical", tolerance="relative 1e-9")
def test_noise(eq: Equation) -> None:
    for seed in (0, 1):
        x, noise, _ = data(seed)
        w, b = least_squares(seed)
        means: dict[str, Any] = {"bar_x": float(x.mean()), "bar_varepsilon": float(noise.mean())}
        eq.holds(w_star=w, b_star=b, varepsilon=one_based(noise), **means, **sample(seed))


@equation("linear-regression-unsummed", kind="numerical", tolerance="relative 1e-9")
def test_unsummed(eq: Equation) -> None:
    """One (w, b) per sample, each trained by torch's SGD on its own part of the loss."""
    for seed, rate in ((0, 0.5), (1, 2.0)):
        x, y = torch.from_numpy(data(seed)[0]), torch.from_numpy(targets(seed))
        w, b = (torch.nn.Parameter(torch.full_like(x, float(s))) for s in data(seed)[2])
        optimizer = torch.optim.SGD([w, b], lr=rate)
        residuals = []
        for _ in range(4):
            residual = w * x + b - y
            residuals.append(residual.detach().numpy())
            optimizer.zero_grad()
            residual.square().mean().backward()
            optimizer.step()
        r = Indexed(lambda i, t, rows=residuals: float(rows[t][i - 1]))
        for i, t in ((1, 0), (5, 2)):
            eq.holds(r=r, i=i, t=t, eta=rate, **sample(seed))


@equation("linear-regression-twice", kind="numerical", tolerance="relative 1e-9")
def test_twice(eq: Equation) -> None:
    for seed in (0, 1):
        theta = data(seed)[2]
        residual = theta[0] * data(seed)[0] + theta[1] - targets(seed)
        eq.holds(r=one_based(residual), loss=partials(theta, seed), **sample(seed))


@equation("linear-regression-crossed", kind="numerical", tolerance="relative 1e-9")
def test_crossed(eq: Equation) -> None:
    for seed in (0, 1):
        x, y, (w, b) = data(seed)[0], targets(seed), data(seed)[2]
        spread: dict[str, Any] = {"sigma_x": float(x.std()), "sigma_y": float(y.std())}
        means: dict[str, Any] = {"bar_x": float(x.mean()), "bar_y": float(y.mean())}
        eq.holds(w=float(w), b=float(b), y=one_based(y), **spread, **means, **sample(seed))


@equation("linear-regression-scaled", kind="numerical", tolerance="relative 1e-9")
def test_scaled(eq: Equation) -> None:
    """Inputs standardized by scikit-learn."""
    from sklearn.preprocessing import StandardScaler

    for seed in (0, 1):
        x = StandardScaler().fit_transform(data(seed)[0][:, None])[:, 0]
        inputs = torch.from_numpy(x)
        zero = torch.zeros(2, dtype=torch.float64)
        hessian = hessian_of(lambda p, x=inputs: ((p[0] * x + p[1]) ** 2).mean(), zero)
        found = Matrix(hessian.numpy())
        identity = Matrix(np.eye(2))
        eq.holds(H=found, I=identity, m=len(x), x=one_based(x), scale=1.0)
