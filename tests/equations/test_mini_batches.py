"""Checks of snippets/equations/mini-batches.tex: every batch that can be drawn is drawn."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import torch

from x0_equations.check import Equation, equation
from x0_equations.values import Array, Indexed

G = np.array([0.9, -1.1, 2.0, 0.7, -0.4])  # gradients of 5 rows
N = len(G)


def mean(values: Any) -> Any:
    values = np.asarray(values, dtype=float)
    return values if values.ndim == 0 else values.mean(-1, keepdims=True)


def drawn(size: int, replace: bool, rows: int = N) -> Array:
    """Return the rows of every equally likely batch."""
    if replace:
        return np.array(list(itertools.product(range(rows), repeat=size)))
    return np.array(list(itertools.permutations(range(rows), size)))


def bind(size: int, replace: bool, names: str) -> dict[str, Any]:
    batches = drawn(size, replace)
    counts = np.stack([(batches == i).sum(1) for i in range(N)], 1)
    known: dict[str, Any] = {
        "B": size,
        "N": N,
        "g": Indexed(lambda i: G[i - 1]),
        "bar_g": G.mean(),
        "hat_g": G[batches].mean(1)[None],
        "nu": Indexed(lambda i: counts[:, i - 1][None]),
        "Sigma": G.var(),
        "E": mean,
    }
    return {name: known[name] for name in names.split()}


BOTH = [(size, replace) for size in (1, 2, 3) for replace in (True, False)]


@equation("mini-batches-gradient", kind="definition")
def test_gradient(eq: Equation) -> None:
    for size, replace in BOTH:
        eq.holds(**bind(size, replace, "B N g nu hat_g"))


@equation("mini-batches-count", kind="numerical")
def test_count(eq: Equation) -> None:
    for size, replace in BOTH:
        eq.holds(i=2, **bind(size, replace, "B N nu E"))


@equation("mini-batches-unbiased", kind="numerical", identical="NumPy's mean is this sum")
def test_unbiased(eq: Equation) -> None:
    for size, replace in BOTH:
        eq.holds(**bind(size, replace, "B N g bar_g nu hat_g E"))


@equation("mini-batches-sigma", kind="definition")
def test_sigma(eq: Equation) -> None:
    eq.holds(**bind(1, True, "N g bar_g Sigma"))


@equation(
    "mini-batches-deviation",
    kind="numerical",
    survivors="either factor may be centred, the other one need not be",
)
def test_deviation(eq: Equation) -> None:
    for size, replace in BOTH[2:]:
        eq.holds(**bind(size, replace, "B N g bar_g nu hat_g"))


@equation(
    "mini-batches-pairs",
    kind="numerical",
    survivors="one centred factor is enough, and all rows have the same law",
)
def test_pairs(eq: Equation) -> None:
    for size, replace in BOTH:
        eq.holds(i=2, j=4, **bind(size, replace, "B N nu E"))


@equation("mini-batches-general", kind="numerical")
def test_general(eq: Equation) -> None:
    for size, replace in BOTH:
        eq.holds(i=3, **bind(size, replace, "B N g bar_g nu hat_g Sigma E"))


@equation("mini-batches-count-with", kind="numerical")
def test_count_with(eq: Equation) -> None:
    for size in (1, 2, 4):
        eq.holds(i=1, **bind(size, True, "B N nu E"))


@equation("mini-batches-count-without", kind="numerical")
def test_count_without(eq: Equation) -> None:
    for size in (1, 2, 4):
        eq.holds(i=1, **bind(size, False, "B N nu E"))


@equation("mini-batches-with", kind="numerical")
def test_with(eq: Equation) -> None:
    for size in (1, 2, 4):
        eq.holds(**bind(size, True, "B hat_g Sigma E"))


@equation("mini-batches-without", kind="numerical")
def test_without(eq: Equation) -> None:
    for size in (1, 2, 4):
        eq.holds(**bind(size, False, "B N hat_g Sigma E"))


# A quadratic -------------------------------------------------------------------------------------


@equation("mini-batches-step", kind="numerical", identical="PyTorch does the same operations")
def test_step(eq: Equation) -> None:
    """PyTorch's SGD on batches of λ (θ - a)² / 2, where a has mean 0."""
    rng = np.random.default_rng(0)
    a, eta, curvature = rng.normal(size=40), 0.3, 1.7
    a -= a.mean()
    weight = torch.nn.Parameter(torch.tensor(0.8, dtype=torch.float64))
    optimizer = torch.optim.SGD([weight], lr=eta)
    theta, zeta = {0: 0.8}, {}
    for t in range(4):
        rows = torch.from_numpy(rng.choice(a, 5))
        optimizer.zero_grad()
        loss = (curvature * (weight - rows) ** 2 / 2).mean()
        loss.backward()
        zeta[t] = float(weight.grad) - curvature * theta[t]
        optimizer.step()
        theta[t + 1] = weight.item()
    for t in (0, 3):
        eq.holds(t=t, theta=theta, zeta=zeta, eta=eta, **{"lambda": curvature})


def level(eta: float, curvature: float, sigma: float, size: int) -> float:
    """Return the variance of the sum of all past noise, each step's part on its own."""
    parts = (1 - eta * curvature) ** np.arange(20_000.0)
    return float((parts**2).sum()) * eta**2 * sigma / size


SETTINGS = ((0.3, 1.7, 2.2, 4), (0.05, 8.0, 0.6, 1), (1.1, 1.5, 0.3, 16))


@equation("mini-batches-balance", kind="numerical")
def test_balance(eq: Equation) -> None:
    for eta, curvature, sigma, size in SETTINGS:
        s = level(eta, curvature, sigma, size)
        eq.holds(s=s, eta=eta, Sigma=sigma, B=size, **{"lambda": curvature})


@equation("mini-batches-stationary", kind="numerical")
def test_stationary(eq: Equation) -> None:
    for eta, curvature, sigma, size in SETTINGS:
        s = level(eta, curvature, sigma, size)
        eq.holds(s=s, eta=eta, Sigma=sigma, B=size, **{"lambda": curvature})


@equation("mini-batches-excess", kind="numerical", tolerance="slope ± 0.05")
def test_excess(eq: Equation) -> None:
    def limit(eta: float) -> dict[str, Any]:
        s = level(eta, 1.7, 2.2, 4)
        return {"s": s, "eta": eta, "Sigma": 2.2, "B": 4, "lambda": 1.7}

    eq.approximates((0.003, 0.006, 0.012, 0.03), limit, order=2)


# One step on a quadratic in three directions ------------------------------------------------------

CURVATURE = np.array([0.5, 2.0, 7.0])
TARGETS = np.random.default_rng(1).normal(size=(4, 3))
TARGETS -= TARGETS.mean(0)
START = np.array([1.2, -0.7, 0.4])
ROWS = CURVATURE * (START - TARGETS)  # gradients


def sums() -> dict[str, float]:
    full, noise = ROWS.mean(0), ROWS.var(0)
    return {
        "P": float((full**2).sum()),
        "Q": float((CURVATURE * full**2).sum()),
        "S": float((CURVATURE * noise).sum()),
    }


def after(eta: float, size: int) -> Array:
    """Return the loss after one step, for every batch, up to the constant that no step changes."""
    batches = drawn(size, True, 4)
    theta = START - eta * ROWS[batches].mean(1)
    return (CURVATURE * theta**2 / 2).sum(1)[None]


def best_rate(size: int) -> float:
    """Return the vertex of the parabola through three expected losses."""
    rates = np.array([0.0, 0.1, 0.2])
    a, b, _ = np.polyfit(rates, [after(r, size).mean() for r in rates], 2)
    return -b / (2 * a)


BEFORE = float((CURVATURE * START**2 / 2).sum())


@equation("mini-batches-sums", kind="definition")
def test_sums(eq: Equation) -> None:
    full, noise = ROWS.mean(0), ROWS.var(0)
    eq.holds(
        **sums(),
        j=range(1, 4),
        bar_g=Indexed(lambda j: full[j - 1]),
        Sigma=Indexed(lambda j: noise[j - 1]),
        **{"lambda": Indexed(lambda j: CURVATURE[j - 1])},
    )


@equation("mini-batches-progress", kind="numerical")
def test_progress(eq: Equation) -> None:
    for eta, size in ((0.1, 1), (0.3, 2), (0.05, 4)):
        eq.holds(loss_0=BEFORE, loss_1=after(eta, size), eta=eta, B=size, E=mean, **sums())


@equation("mini-batches-rate", kind="numerical", tolerance="relative 1e-9")
def test_rate(eq: Equation) -> None:
    known = sums()
    for size in (1, 2, 4):
        eq.holds(eta_star=best_rate(size), B=size, B_star=known["S"] / known["Q"], **known)


@equation("mini-batches-best", kind="numerical", tolerance="relative 1e-9")
def test_best(eq: Equation) -> None:
    known = sums()
    for size in (1, 2, 4):
        eq.holds(
            loss_0=BEFORE,
            loss_1=after(best_rate(size), size),
            B=size,
            B_star=known["S"] / known["Q"],
            P=known["P"],
            Q=known["Q"],
            E=mean,
        )


# Exercises ---------------------------------------------------------------------------------------


@equation("mini-batches-uneven", kind="numerical")
def test_uneven(eq: Equation) -> None:
    for a, b in ((1, 4), (3, 2)):
        eq.holds(A=a, B=b, N=N, g=Indexed(lambda i: G[i - 1]), bar_g=G.mean())


@equation("mini-batches-shuffle", kind="numerical")
def test_shuffle(eq: Equation) -> None:
    """All orders of 6 rows, in 3 batches of 2."""
    noise = np.array([0.4, -1.0, 0.9, 0.1, -0.7, 0.3])
    orders = np.array(list(itertools.permutations(noise)))
    batches = orders.reshape(len(orders), 3, 2).mean(2)
    for eta, curvature in ((0.3, 1.0), (0.1, 4.0)):
        a = 1 - eta * curvature
        epoch = eta * (batches * a ** np.arange(2, -1, -1)).sum(1)
        s = epoch.var() / (1 - a**6)
        eq.holds(s=s, eta=eta, a=a, sigma=batches[:, 0].std(), T=3)
