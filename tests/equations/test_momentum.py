"""Checks of snippets/equations/momentum.tex, with the momentum of PyTorch."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy as sp
import torch
from scipy.linalg import solve_discrete_lyapunov
from torch import nn

from x0_equations.check import Equation, equation
from x0_equations.values import Function

SETTINGS = ((0.1, 2.0, 0.9), (0.3, 1.0, 0.5))  # learning rate, curvature, momentum


def run(gradient: Any, rate: float, beta: float, steps: int, nesterov: bool = False) -> Any:
    """Return θ, m and g by step, from torch.optim.SGD."""
    weight = nn.Parameter(torch.tensor(1.3, dtype=torch.float64))
    optimizer = torch.optim.SGD([weight], lr=rate, momentum=beta, nesterov=nesterov)
    theta, m, g = {0: 1.3}, {0: 0.0}, {}
    for t in range(1, steps + 1):
        g[t] = float(gradient(theta[t - 1]))
        weight.grad = torch.tensor(g[t], dtype=torch.float64)
        optimizer.step()
        theta[t] = weight.item()
        m[t] = float(optimizer.state[weight]["momentum_buffer"])
    return theta, m, g


def slope(x: float) -> float:
    """A gradient that is not linear."""
    return float(np.tanh(2 * x) + 0.1 * x)


@equation("momentum-buffer", kind="numerical", identical="torch.optim does the same operations")
def test_buffer(eq: Equation) -> None:
    for rate, _, beta in SETTINGS:
        theta, m, g = run(slope, rate, beta, 6)
        for t in (1, 2, 5):
            eq.holds(t=t, theta=theta, m=m, g=g, eta=rate, beta=beta)


@equation("momentum-heavy-ball", kind="numerical", tolerance="relative 1e-11")
def test_heavy_ball(eq: Equation) -> None:
    for rate, _, beta in SETTINGS:
        theta, _, g = run(slope, rate, beta, 6)
        for t in (1, 2, 5):
            eq.holds(t=t, theta=theta, g=g, eta=rate, beta=beta)


@equation("momentum-constant", kind="numerical")
def test_constant(eq: Equation) -> None:
    for beta in (0.9, 0.3):
        _, m, _ = run(lambda x: -0.7, 0.1, beta, 6)
        for t in (1, 2, 6):
            eq.holds(t=t, m=m, g=-0.7, beta=beta)


@equation("momentum-effective", kind="numerical", tolerance="relative 1e-9")
def test_effective(eq: Equation) -> None:
    """The length of a late step under a constant gradient of 1."""
    for beta in (0.9, 0.3):
        theta, _, _ = run(lambda x: 1.0, 0.1, beta, 400)
        eq.holds(eta_infty=theta[399] - theta[400], eta=0.1, beta=beta)


def ahead(rate: float, beta: float, steps: int) -> tuple[dict[int, float], dict[int, float]]:
    """Nesterov's method with the gradient one step ahead; θ and m by step."""
    theta, m = {0: 1.3}, {0: 0.0}
    for t in range(1, steps + 1):
        m[t] = beta * m[t - 1] + slope(theta[t - 1] - rate * beta * m[t - 1])
        theta[t] = theta[t - 1] - rate * m[t]
    return theta, m


@equation("momentum-ahead", kind="definition")
def test_ahead(eq: Equation) -> None:
    for rate, _, beta in SETTINGS:
        theta, m = ahead(rate, beta, 5)
        for t in (1, 4):
            eq.holds(t=t, theta=theta, m=m, eta=rate, beta=beta, G=Function(slope))


@equation("momentum-shifted", kind="numerical", tolerance="relative 1e-11")
def test_shifted(eq: Equation) -> None:
    """ψ is what torch.optim.SGD(nesterov=True) stores."""
    for rate, _, beta in SETTINGS:
        theta, m = ahead(rate, beta, 5)
        psi, _, _ = run(slope, rate, beta, 5, nesterov=True)
        for t in (1, 2, 5):
            bound = {"theta": theta, "m": m, "psi": psi, "eta": rate, "beta": beta}
            eq.holds(t=t, G=Function(slope), **bound)


# Quadratics --------------------------------------------------------------------------------------


def matrix(x: float, beta: float) -> Any:
    """The step of heavy ball on a pair of neighbours, x is ηλ."""
    return np.array([[1 + beta - x, -beta], [1.0, 0.0]])


def radius(x: float, beta: float) -> float:
    return float(np.abs(np.linalg.eigvals(matrix(x, beta))).max())


@equation("momentum-matrix", kind="numerical", tolerance="relative 1e-11")
def test_matrix(eq: Equation) -> None:
    for rate, curvature, beta in SETTINGS:
        e, _, _ = run(lambda x, c=curvature: c * x, rate, beta, 6)
        for t in (1, 4):
            eq.holds(t=t, e=e, eta=rate, beta=beta, **{"lambda": curvature})


def polynomial(rate: float, curvature: float, beta: float) -> Function:
    """The characteristic polynomial, as a determinant."""
    a = matrix(rate * curvature, beta)
    return Function(lambda r: float(np.linalg.det(r * np.eye(2) - a)))


@equation("momentum-polynomial", kind="numerical", tolerance="relative 1e-11")
def test_polynomial(eq: Equation) -> None:
    for rate, curvature, beta in (*SETTINGS, (0.01, 0.3, 0.8)):
        r_1, r_2 = np.linalg.eigvals(matrix(rate * curvature, beta))
        bound = {"r_1": r_1, "r_2": r_2, "eta": rate, "beta": beta, "lambda": curvature}
        for r in (0.37, -1.4):
            eq.holds(r=r, P=polynomial(rate, curvature, beta), **bound)


@equation("momentum-ends", kind="numerical", tolerance="relative 1e-11")
def test_ends(eq: Equation) -> None:
    for rate, curvature, beta in SETTINGS:
        bound = {"eta": rate, "beta": beta, "lambda": curvature}
        eq.holds(P=polynomial(rate, curvature, beta), **bound)


@equation("momentum-stable", kind="numerical", tolerance="relative 1e-9")
def test_stable(eq: Equation) -> None:
    for rate, beta in ((0.5, 0.0), (0.75, 0.5), (1.25, 0.875)):
        gamma = Function(lambda x, r=rate, b=beta: radius(r * x, b))
        eq.equivalent("lambda", (-5.0, 10.0), gamma=gamma, eta=rate, beta=beta)


@equation("momentum-plateau", kind="numerical", tolerance="relative 1e-6")
def test_plateau(eq: Equation) -> None:
    for rate, beta in ((0.7, 0.5), (1.3, 0.9)):
        gamma = Function(lambda x, r=rate, b=beta: radius(r * x, b))
        eq.equivalent("lambda", (0.0, 7.0), gamma=gamma, eta=rate, beta=beta)


def worst(rate: float, beta: float, low: float, high: float) -> float:
    return max(radius(rate * low, beta), radius(rate * high, beta))


def search(low: float, high: float) -> tuple[float, float, float]:
    """Find the best learning rate, momentum and factor on ever finer grids."""
    rate, beta, width = 1 / high, 0.5, 0.5
    while width > 1e-9:
        rates = rate * np.exp(np.linspace(-width, width, 9))
        betas = np.clip(beta + width * np.linspace(-1, 1, 9), 0, 1)
        tried = [(worst(r, b, low, high), r, b) for r in rates for b in betas]
        _, rate, beta = min(tried)
        width *= 0.8
    return rate, beta, worst(rate, beta, low, high)


@equation("momentum-optimal", kind="numerical", tolerance="relative 1e-4")
def test_optimal(eq: Equation) -> None:
    for low, high in ((1.0, 9.0), (0.5, 13.0)):
        rate, beta, gamma = search(low, high)
        found = {"eta_star": rate, "beta_star": beta, "gamma_star": gamma}
        eq.holds(kappa=high / low, lambda_min=low, lambda_max=high, **found)


def tried() -> list[tuple[float, float, float, float, float]]:
    """Return settings with their factor: some at random, and the best one."""
    rng = np.random.default_rng(0)
    found = []
    while len(found) < 60:
        low, high = rng.uniform(0.2, 1), rng.uniform(1, 9)
        rate, beta = rng.uniform(0, 4 / high), rng.uniform(0, 1)
        if (gamma := worst(rate, beta, low, high)) < 1:
            found.append((rate, beta, gamma, low, high))
    return found


BEST = (8 / 9, 1 / 9, 1 / 3, 0.5, 2.0)  # for the eigenvalues 1/2 and 2


@equation("momentum-slow", kind="numerical")
def test_slow(eq: Equation) -> None:
    for rate, beta, gamma, low, _ in tried():
        eq.holds(eta=rate, beta=beta, gamma=gamma, lambda_min=low)
    rate, beta, gamma, low, _ = BEST
    eq.holds(tight=True, eta=rate, beta=beta, gamma=gamma, lambda_min=low)


@equation("momentum-steep", kind="numerical")
def test_steep(eq: Equation) -> None:
    for rate, beta, gamma, _, high in tried():
        eq.holds(eta=rate, beta=beta, gamma=gamma, lambda_max=high)
    rate, beta, gamma, _, high = BEST
    eq.holds(tight=True, eta=rate, beta=beta, gamma=gamma, lambda_max=high)


@equation("momentum-bound", kind="numerical")
def test_bound(eq: Equation) -> None:
    for _, beta, gamma, low, high in tried():
        eq.holds(kappa=high / low, beta=beta, gamma=gamma)
    _, beta, gamma, low, high = BEST
    eq.holds(tight=True, kappa=high / low, beta=beta, gamma=gamma)


@equation("momentum-nesterov", kind="numerical", tolerance="relative 1e-11")
def test_nesterov(eq: Equation) -> None:
    for rate, curvature, beta in SETTINGS:
        e, _, _ = run(lambda x, c=curvature: c * x, rate, beta, 6, nesterov=True)
        for t in (1, 4):
            eq.holds(t=t, e=e, eta=rate, beta=beta, **{"lambda": curvature})


@equation("momentum-nesterov-rate", kind="numerical", tolerance="relative 1e-6")
def test_nesterov_rate(eq: Equation) -> None:
    """The largest eigenvalue over the spectrum, with the stated constants."""
    for kappa in (4.0, 100.0):
        beta = (kappa**0.5 - 1) / (kappa**0.5 + 1)
        rest = 1 - np.linspace(1 / kappa, 1, 400)
        steps = [np.array([[(1 + beta) * x, -beta * x], [1.0, 0.0]]) for x in rest]
        gamma = max(float(np.abs(np.linalg.eigvals(a)).max()) for a in steps)
        eq.holds(gamma=gamma, kappa=kappa)


def nesterov_roots(x: float, beta: float) -> Any:
    """The eigenvalues of the step of Nesterov's method, x is ηλ."""
    return np.linalg.eigvals(np.array([[(1 + beta) * (1 - x), -beta * (1 - x)], [1.0, 0.0]]))


@equation("momentum-nesterov-roots", kind="numerical")
def test_nesterov_roots(eq: Equation) -> None:
    for rate, curvature, beta in (*SETTINGS, (0.01, 0.3, 0.8)):
        r_1, r_2 = nesterov_roots(rate * curvature, beta)
        eq.holds(r_1=r_1, r_2=r_2, eta=rate, beta=beta, **{"lambda": curvature})


@equation("momentum-nesterov-double", kind="numerical")
def test_nesterov_double(eq: Equation) -> None:
    for kappa in (4.0, 37.0):
        eq.holds(kappa=kappa, beta=(kappa**0.5 - 1) / (kappa**0.5 + 1))
        first, second = nesterov_roots(1 / kappa, (kappa**0.5 - 1) / (kappa**0.5 + 1))
        assert abs(first - second) < 1e-6


@equation("momentum-nesterov-best", kind="numerical", tolerance="relative 1e-3")
def test_nesterov_best(eq: Equation) -> None:
    """A search over η and β for the least radius at both ends and in between."""
    for low, high in ((1.0, 9.0), (0.5, 13.0)):
        modes = np.geomspace(low, high, 7)

        def worst_mode(point: Any, modes: Any = modes) -> float:
            return max(float(np.abs(nesterov_roots(point[0] * x, point[1])).max()) for x in modes)

        grid = [(r / high, b) for r in np.linspace(0.2, 2, 37) for b in np.linspace(0, 0.95, 39)]
        start = min(grid, key=worst_mode)
        assert 0.2 / high < start[0] < 2 / high
        assert 0 < start[1] < 0.95
        found = start
        for size in 2.0 ** -np.arange(14):  # finer and finer grids about the best so far
            near = np.linspace(-0.05, 0.05, 9) * size
            points = [(found[0] + x / high, found[1] + y) for x in near for y in near]
            found = min([found, *points], key=worst_mode)
        gamma = worst_mode(found)
        bound = {"eta": found[0], "beta": found[1], "gamma": gamma}
        eq.holds(kappa=high / low, lambda_min=low, lambda_max=high, **bound)


# Noise -------------------------------------------------------------------------------------------


def covariance(rate: float, curvature: float, beta: float, noise: float) -> tuple[float, float]:
    """Return the stationary variance and the covariance of neighbours."""
    found = solve_discrete_lyapunov(matrix(rate * curvature, beta), np.diag([rate**2 * noise, 0.0]))
    return float(found[0, 0]), float(found[0, 1])


@equation("momentum-lag", kind="numerical", tolerance="relative 1e-9")
def test_lag(eq: Equation) -> None:
    for rate, curvature, beta in SETTINGS:
        s, c = covariance(rate, curvature, beta, 0.6)
        eq.holds(s=s, c=c, eta=rate, beta=beta, **{"lambda": curvature})


@equation("momentum-balance", kind="numerical", tolerance="relative 1e-9")
def test_balance(eq: Equation) -> None:
    for rate, curvature, beta in SETTINGS:
        s, c = covariance(rate, curvature, beta, 2.4 / 4)
        bound = {"eta": rate, "beta": beta, "lambda": curvature, "Sigma": 2.4, "B": 4}
        eq.holds(s=s, c=c, **bound)


@equation("momentum-solve", kind="symbolic")
def test_solve(eq: Equation) -> None:
    eta, beta, curvature = sp.symbols("eta beta lambda", positive=True)
    eq.holds(a=1 + beta - eta * curvature, eta=eta, beta=beta, **{"lambda": curvature})


@equation("momentum-noise", kind="numerical", tolerance="relative 1e-9")
def test_noise(eq: Equation) -> None:
    for rate, curvature, beta in SETTINGS:
        s, _ = covariance(rate, curvature, beta, 2.4 / 4)
        bound = {"eta": rate, "beta": beta, "lambda": curvature, "Sigma": 2.4, "B": 4}
        eq.holds(s=s, **bound)
