"""Checks of snippets/equations/reproducibility.tex."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import numpy as np

from x0_equations.check import Equation, equation
from x0_equations.values import GROUPS, Array, Indexed, points, sample_mean

UNIT = 2.0**-24


@equation("reproducibility-rounding", kind="numerical")
def test_rounding(eq: Equation) -> None:
    """Sums of float32 numbers, exact in float64; the last pair reaches the bound."""
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 4000)).astype(np.float32)
    a = np.append(a, np.float32(1))
    b = np.append(b, np.float32(UNIT * (1 - 2**-24)))
    f = (a + b).astype(float)
    assert (np.abs(f - a.astype(float) - b) > 0).mean() > 0.3
    wide = {"f": points(f), "a": points(a), "b": points(b)}
    eq.holds(u=UNIT, tight=True, **wide)


def running(count: int, seed: int) -> tuple[dict[int, float], dict[int, float], dict[int, float]]:
    """Return float32 numbers, their sums from left to right, and the relative errors, exact."""
    x = np.random.default_rng(seed).random(count, dtype=np.float32)
    f = np.cumsum(x, dtype=np.float32)
    epsilon = {}
    for k in range(1, count):
        exact = Fraction(float(f[k - 1])) + Fraction(float(x[k]))
        epsilon[k + 1] = float((Fraction(float(f[k])) - exact) / exact)

    def counted(values: Array) -> dict[int, float]:
        return {k: float(v) for k, v in enumerate(values, 1)}

    return counted(x), counted(f), epsilon


@equation("reproducibility-step", kind="definition", tolerance="relative 1e-12")
def test_step(eq: Equation) -> None:
    x, f, epsilon = running(30, 0)
    assert max(map(abs, epsilon.values())) > 1e-8
    for k in (2, 9, 30):
        eq.holds(k=k, x=x, f=f, varepsilon=epsilon)


@equation("reproducibility-exact", kind="numerical", tolerance="relative 1e-6")
def test_exact(eq: Equation) -> None:
    for count, seed in ((30, 0), (100, 1)):
        x, f, epsilon = running(count, seed)
        eq.holds(n=count, x=x, f=f, varepsilon=epsilon)


@equation(
    "reproducibility-bound",
    kind="numerical",
    survivors="where the bound is reached, x is tiny",
)
def test_bound(eq: Equation) -> None:
    for count, seed in ((30, 0), (100, 1)):
        x, f, _ = running(count, seed)
        eq.holds(n=count, x=x, f=f, u=UNIT)
    # Reached: each addition to 1 loses almost half a unit in the last place.
    small = UNIT * (1 - 2**-24)
    x = {1: 1.0} | dict.fromkeys((2, 3, 4), small)
    f = dict.fromkeys((1, 2, 3, 4), 1.0)
    assert np.float32(1) + np.float32(small) == 1
    eq.holds(n=4, x=x, f=f, u=UNIT, tight=True)


def twins(rate: float, curvature: float, roundings: Array) -> dict[int, float]:
    """Return the difference of two runs, of which one is rounded after each step."""
    one = two = 1.0
    found = {0: 0.0}
    for t, rho in enumerate(roundings, 1):
        one, two = one - rate * curvature * one, two - rate * curvature * two + rho
        found[t] = two - one
    return found


@equation("reproducibility-drift", kind="numerical", tolerance="relative 1e-9")
def test_drift(eq: Equation) -> None:
    rho = np.random.default_rng(0).standard_normal(6)
    for eta, curvature in ((0.1, 2.0), (0.3, -1.0)):
        d = twins(eta, curvature, rho)
        for t in (0, 2, 5):
            eq.holds(t=t, d=d, rho=Indexed(lambda k: rho[k]), eta=eta, **{"lambda": curvature})


@equation("reproducibility-together", kind="numerical")
def test_together(eq: Equation) -> None:
    rng = np.random.default_rng(0)
    for eta, curvature, steps in ((0.1, 2.0, 3), (0.3, 1.5, 8), (0.5, 1.5, 400)):
        bound = {"T": steps, "r": 0.5, "eta": eta, "lambda": curvature}
        eq.holds(d=twins(eta, curvature, rng.uniform(-0.5, 0.5, steps)), **bound)
        for rho in (-0.5, 0.5):  # the largest roundings, all of one sign
            d = twins(eta, curvature, np.full(steps, rho))
            eq.holds(d=d, only=(1,), tight=True, **bound)
    eq.holds(d=d, tight=True, **bound)


@cache
def results(count: int) -> Array:
    """Return normal results with mean 3 and standard deviation 2, shape (count, samples)."""
    return np.random.default_rng(count).normal(3.0, 2.0, (count, 2000 * GROUPS))


def student(a: Array) -> Array:
    error = a.std(0, ddof=1) / len(a) ** 0.5
    return ((a.mean(0) - 3.0) / error)[None]


@equation("reproducibility-tau", kind="definition")
def test_tau(eq: Equation) -> None:
    for count in (2, 5):
        a = results(count)[:, :50]
        spread = np.sqrt(((a - a.mean(0)) ** 2).sum(0) / (count - 1))
        eq.holds(tau=student(a), bar_a=a.mean(0)[None], s=spread[None], mu=3.0, R=count)


@equation("reproducibility-ratio", kind="numerical", tolerance="relative 1e-9")
def test_ratio(eq: Equation) -> None:
    a = results(2)[:, :50]
    eq.holds(tau=student(a), a={1: a[0][None], 2: a[1][None]}, mu=3.0)


@equation("reproducibility-two", kind="statistical")
def test_two(eq: Equation) -> None:
    for x in (0.7, 2.0, 4.0):
        eq.holds(tau=student(results(2)), x=x, E=sample_mean)


@equation("reproducibility-three", kind="statistical")
def test_three(eq: Equation) -> None:
    for x in (0.7, 2.0, 4.0):
        eq.holds(tau=student(results(3)), x=x, E=sample_mean)


@equation("reproducibility-count", kind="numerical")
def test_count(eq: Equation) -> None:
    for q, s, c in ((2.0, 1.2, 0.5), (2.3, 0.4, 0.2)):
        eq.equivalent("R", (1.0, 200.0), q=q, s=s, c=c)
