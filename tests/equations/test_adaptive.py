"""Checks of snippets/equations/adaptive.tex, with the optimizers of PyTorch."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import sympy as sp
import torch
from torch import nn

from x0_equations.check import Equation, equation
from x0_equations.values import Indexed, Matrix, points

G = (0.8, -2.1, 0.3, 1.7, -0.2)
BETAS = (0.7, 0.95)
RATE, EPSILON, OMEGA = 0.13, 0.01, 0.4


def run(maker: Any, names: dict[str, str], gradients: Any = G) -> dict[str, Any]:
    """Return θ, g and the named states by step, from an optimizer of torch.optim."""
    weight = nn.Parameter(torch.tensor(0.9, dtype=torch.float64))
    optimizer = maker([weight])
    found: dict[str, Any] = {"theta": {0: 0.9}, "g": dict(enumerate(gradients, 1))}
    found |= {name: {0: 0.0} for name in names}
    for t, g in enumerate(gradients, 1):
        weight.grad = torch.tensor(g, dtype=torch.float64)
        optimizer.step()
        found["theta"][t] = weight.item()
        for name, state in names.items():
            found[name][t] = float(optimizer.state[weight][state])
    return found


MOMENTS = {"m": "exp_avg", "u": "exp_avg_sq"}


def adam(**options: Any) -> dict[str, Any]:
    maker = torch.optim.AdamW if "weight_decay" in options else torch.optim.Adam
    options = {"betas": BETAS, "eps": EPSILON, **options}
    return run(lambda p: maker(p, lr=RATE, **options), MOMENTS)


def weighted(beta: float, values: Any) -> dict[int, float]:
    """Return the means of the first t values, the newest with the largest weight."""
    found = {}
    for t in range(1, len(values) + 1):
        weights = beta ** np.arange(t - 1.0, -1.0, -1.0)
        found[t] = float(np.average(values[:t], weights=weights))
    return found


HATS = {"hat_m": weighted(BETAS[0], G), "hat_u": weighted(BETAS[1], np.square(G))}


@equation("adaptive-adagrad", kind="numerical", identical="torch.optim does the same operations")
def test_adagrad(eq: Equation) -> None:
    found = run(lambda p: torch.optim.Adagrad(p, lr=RATE, eps=EPSILON), {"u": "sum"})
    for t in (1, 4):
        eq.holds(t=t, eta=RATE, epsilon=EPSILON, **found)


@equation("adaptive-rmsprop", kind="numerical")
def test_rmsprop(eq: Equation) -> None:
    maker = torch.optim.RMSprop
    found = run(lambda p: maker(p, lr=RATE, alpha=0.8, eps=EPSILON), {"u": "square_avg"})
    for t in (1, 4):
        eq.holds(t=t, eta=RATE, epsilon=EPSILON, beta_2=0.8, **found)


@equation("adaptive-moments", kind="numerical")
def test_moments(eq: Equation) -> None:
    found = adam()
    del found["theta"]
    for t in (1, 4):
        eq.holds(t=t, beta_1=BETAS[0], beta_2=BETAS[1], **found)


@equation(
    "adaptive-adam",
    kind="numerical",
    tolerance="relative 1e-11",
    identical="torch.optim does the same operations",
)
def test_adam(eq: Equation) -> None:
    """The corrected moments are weighted means."""
    found = adam()
    del found["g"]
    for t in (1, 4):
        eq.holds(t=t, eta=RATE, epsilon=EPSILON, beta_1=BETAS[0], beta_2=BETAS[1], **found, **HATS)


@equation("adaptive-unrolled", kind="numerical")
def test_unrolled(eq: Equation) -> None:
    found = adam()
    for t in (1, 5):
        eq.holds(t=t, beta_1=BETAS[0], m=found["m"], g=found["g"])


@equation("adaptive-weights", kind="numerical")
def test_weights(eq: Equation) -> None:
    for beta in (0.3, 0.9):
        for t in (1, 2, 7):
            eq.holds(beta_1=beta, t=t)


def all_paths(steps: int) -> dict[str, Any]:
    """Return g, m and u for every sequence of independent gradients with three values."""
    g = np.array(list(itertools.product((-0.4, 0.5, 2.0), repeat=steps))).T
    m, u = np.zeros(g.shape[1]), np.zeros(g.shape[1])
    for row in g:
        m = BETAS[0] * m + (1 - BETAS[0]) * row
        u = BETAS[1] * u + (1 - BETAS[1]) * row**2
    return {
        "t": steps,
        "g": {1: g[0][None]},
        "m": {steps: m[None]},
        "u": {steps: u[None]},
        "E": lambda x: np.asarray(x).mean(-1, keepdims=True),
    }


@equation("adaptive-expectation", kind="numerical")
def test_expectation(eq: Equation) -> None:
    for steps in (1, 3, 5):
        eq.holds(beta_1=BETAS[0], beta_2=BETAS[1], **all_paths(steps))


@equation("adaptive-ratio", kind="numerical")
def test_ratio(eq: Equation) -> None:
    found = adam()
    moments = {name: found[name] for name in "mu"}
    for t in (1, 2, 5):
        eq.holds(t=t, beta_1=BETAS[0], beta_2=BETAS[1], **moments, **HATS)


@equation("adaptive-first", kind="numerical")
def test_first(eq: Equation) -> None:
    for g in (3.0, -1e-7):
        hats = {"hat_m": weighted(0.7, [g]), "hat_u": weighted(0.95, [g * g])}
        eq.holds(g={1: g}, **hats)


@equation("adaptive-noise", kind="numerical")
def test_noise(eq: Equation) -> None:
    for steps in (1, 3, 5):
        found = all_paths(steps)
        del found["u"]
        eq.holds(beta_1=BETAS[0], **found)


@equation("adaptive-sparse", kind="numerical", tolerance="relative 1e-9")
def test_sparse(eq: Equation) -> None:
    for g in (0.3, -20.0):
        found = run(lambda p: torch.optim.Adam(p, lr=RATE, betas=BETAS), MOMENTS, (0.0,) * 9 + (g,))
        del found["theta"]
        eq.holds(t=10, beta_1=BETAS[0], beta_2=BETAS[1], **found)


# Weight decay ------------------------------------------------------------------------------------


@equation("adaptive-sgd-decay", kind="symbolic")
def test_sgd_decay(eq: Equation) -> None:
    eq.holds(**{name: sp.Symbol(name) for name in ("theta", "eta", "g", "omega")})


@equation(
    "adaptive-adamw",
    kind="numerical",
    tolerance="relative 1e-11",
    identical="torch.optim does the same operations",
)
def test_adamw(eq: Equation) -> None:
    theta = adam(weight_decay=OMEGA)["theta"]
    for t in (1, 4):
        eq.holds(t=t, eta=RATE, epsilon=EPSILON, omega=OMEGA, theta=theta, **HATS)


@equation("adaptive-l2", kind="numerical", survivors="the mean of g is 0")
def test_l2(eq: Equation) -> None:
    """Two equally likely gradients of mean 0."""
    for sigma in (0.5, 20.0):
        eq.holds(
            g=np.array([[sigma, -sigma]]),
            sigma=sigma,
            omega=0.4,
            theta=1.7,
            E=lambda x: np.asarray(x).mean(-1, keepdims=True),
        )


# The counterexample ------------------------------------------------------------------------------


def rounds(large: float) -> dict[str, Any]:
    """Return u and θ over one round of gradients C, -1, -1, for many u before it."""
    beta = 1 / (1 + large**2)
    u, theta = points(np.linspace(0, large**2, 50)), points(np.zeros(50))
    found: dict[str, Any] = {"C": large, "beta_2": beta, "u": {0: u}, "theta": {0: theta}}
    for step, g in enumerate((large, -1.0, -1.0), 1):
        u = beta * u + (1 - beta) * g**2
        theta = theta - RATE * g / np.sqrt(u)
        found["u"][step], found["theta"][step] = u, theta
    return found


@equation("adaptive-large", kind="numerical")
def test_large(eq: Equation) -> None:
    for large in (2.1, 3.0, 10.0):
        found = rounds(large)
        eq.holds(tight=True, **{name: found[name] for name in ("C", "beta_2", "u")})


@equation("adaptive-small", kind="numerical", survivors="strict bounds have room")
def test_small(eq: Equation) -> None:
    for large in (2.1, 3.0, 10.0):
        found = rounds(large)
        eq.holds(tight=True, **{name: found[name] for name in ("C", "beta_2", "u")})


@equation("adaptive-round", kind="numerical", survivors="the bound is not the best one")
def test_round(eq: Equation) -> None:
    for large in (2.1, 3.0, 10.0):
        eq.holds(C=large, eta=RATE, theta=rounds(large)["theta"])


# Lion and Muon -----------------------------------------------------------------------------------


@equation("adaptive-lion", kind="definition")
def test_lion(eq: Equation) -> None:
    theta, m, g = {0: 0.9}, {0: 0.0}, dict(enumerate(G, 1))
    for t in g:
        mixed = 0.9 * m[t - 1] + 0.1 * g[t]
        theta[t] = theta[t - 1] * (1 - RATE * OMEGA) - RATE * np.sign(mixed)
        m[t] = 0.99 * m[t - 1] + 0.01 * g[t]
    for t in (1, 2, 3):
        bound = {"theta": theta, "m": m, "g": g, "beta_1": 0.9, "beta_2": 0.99}
        eq.holds(t=t, eta=RATE, omega=OMEGA, **bound)
    mixed = 0.9 * 0.5 - 0.1 * 4  # m and g pull against each other
    known = {"theta": {0: 0.9, 1: 0.9 * (1 - RATE * OMEGA) - RATE * np.sign(mixed)}}
    known |= {"m": {0: 0.5, 1: 0.99 * 0.5 - 0.01 * 4}, "g": {1: -4.0}}
    eq.holds(t=1, eta=RATE, omega=OMEGA, beta_1=0.9, beta_2=0.99, **known)


ABC = {"a": 3.4445, "b": -4.775, "c": 2.0315}


def bent(x: Any) -> Any:
    return ABC["a"] * x + ABC["b"] * x**3 + ABC["c"] * x**5


@equation("adaptive-schulz", kind="numerical", tolerance="relative 1e-9")
def test_schulz(eq: Equation) -> None:
    """The next matrix by its singular values."""
    for shape in ((3, 5), (4, 4)):
        x = np.random.default_rng(0).normal(size=shape)
        x /= np.linalg.norm(x)
        left, s, right = np.linalg.svd(x, full_matrices=False)
        following = left @ np.diag(bent(s)) @ right
        eq.holds(k=0, X={0: Matrix(x), 1: Matrix(following)}, **ABC)


@equation("adaptive-values", kind="numerical", tolerance="relative 1e-9")
def test_values(eq: Equation) -> None:
    """The singular values of the next matrix, computed with matrices."""
    x = np.random.default_rng(1).normal(size=(3, 5))
    x /= np.linalg.norm(x)
    left, s, right = np.linalg.svd(x, full_matrices=False)
    square = x @ x.T
    following = ABC["a"] * x + (ABC["b"] * square + ABC["c"] * square @ square) @ x
    after = np.diag(left.T @ following @ right.T)
    named = {0: points(s), 1: points(after)}
    eq.holds(k=0, s=Indexed(lambda k: named[k]), **ABC)
