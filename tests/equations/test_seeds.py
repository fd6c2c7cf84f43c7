"""Checks of snippets/equations/seeds.tex."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from x0_equations.check import Equation, equation
from x0_equations.values import Array, Indexed, discrete, sample_mean


def table() -> Array:
    """Return results of 5 initializations (rows) times 7 orders (columns), all equally likely."""
    rng = np.random.default_rng(0)
    rows, columns = rng.standard_normal((5, 1)), rng.standard_normal((1, 7))
    return 3 + rows + 2 * columns + 0.7 * rows * columns + rng.standard_normal((5, 7))


def parts(names: str) -> dict[str, object]:
    """Bind a, its mean m, the row and column effects u and v, and the rest w, over all cells."""
    a = table()
    m = a.mean()
    u = a.mean(1, keepdims=True) - m
    v = a.mean(0, keepdims=True) - m
    w = a - a.mean(1, keepdims=True) - a.mean(0, keepdims=True) + m
    found = {
        name: np.broadcast_to(x, a.shape).reshape(1, -1)
        for name, x in zip("auvw", (a, u, v, w), strict=True)
    }
    bound: dict[str, object] = {name: found[name] for name in names if name in found}
    if "m" in names:
        bound["m"] = m
    return bound | {"E": lambda x: np.asarray(x).mean(-1, keepdims=True)}


@equation("seeds-model", kind="definition")
def test_model(eq: Equation) -> None:
    a = table()
    m, u, v = a.mean(), a.mean(1) - a.mean(), a.mean(0) - a.mean()
    w = a - a.mean(1, keepdims=True) - a.mean(0, keepdims=True) + m
    for i, j in ((1, 2), (4, 7), (5, 1)):
        eq.holds(
            i=i,
            j=j,
            m=m,
            a=Indexed(lambda i, j: a[i - 1, j - 1]),
            u=Indexed(lambda i: u[i - 1]),
            v=Indexed(lambda j: v[j - 1]),
            w=Indexed(lambda i, j: w[i - 1, j - 1]),
        )


@equation("seeds-both", kind="numerical")
def test_both(eq: Equation) -> None:
    eq.holds(**parts("auvw"))


@equation(
    "seeds-init",
    kind="numerical",
    survivors="the effects are uncorrelated, so the sign of w does not matter",
)
def test_init(eq: Equation) -> None:
    eq.holds(**parts("amuvw"))


@equation(
    "seeds-order",
    kind="numerical",
    survivors="the effects are uncorrelated, so the sign of w does not matter",
)
def test_order(eq: Equation) -> None:
    eq.holds(**parts("amuvw"))


@equation("seeds-sum", kind="numerical")
def test_sum(eq: Equation) -> None:
    eq.holds(**parts("amuvw"))


@equation("seeds-sample", kind="definition")
def test_sample(eq: Equation) -> None:
    for count in (2, 5):
        a = np.random.default_rng(count).standard_normal(count)
        s = math.sqrt(np.var(a, ddof=1))
        eq.holds(R=count, s=s, a=Indexed(lambda i, a=a: a[i - 1]), bar_a=a.mean())


@cache
def spreads(count: int, sigma: float) -> Array:
    """Return standard deviations of many sets of Gaussian results, shape (1, samples)."""
    rng = np.random.default_rng(count)
    return rng.normal(5.0, sigma, size=(40_000, count)).std(axis=1, ddof=1)[None]


@equation("seeds-error-square", kind="statistical")
def test_error_square(eq: Equation) -> None:
    for count, sigma in ((3, 0.8), (10, 1.3), (30, 1.3)):
        eq.holds(R=count, sigma=sigma, s=spreads(count, sigma), E=sample_mean)


@equation(
    "seeds-error",
    kind="numerical",
    tolerance="slope ± 0.1",
    survivors="R and R - 1 agree to leading order",
)
def test_error(eq: Equation) -> None:
    def bind(count: float) -> dict[str, object]:
        """Quadrature over the distribution of s, that of chi."""
        degrees = count - 1
        s, _ = np.linspace(1e-6, 1 + 12 / math.sqrt(degrees), 40_001, retstep=True)
        log = degrees * np.log(s) - np.log(s) - degrees * s**2 / 2
        weights = np.exp(log - log.max())
        s, mean = discrete(1.3 * s, weights / weights.sum())
        return {"R": count, "sigma": 1.3, "s": s, "E": mean}

    eq.approximates((10, 30, 100, 300), bind, order=-1.5)


@equation("seeds-paired", kind="numerical")
def test_paired(eq: Equation) -> None:
    rng = np.random.default_rng(0)
    common = rng.standard_normal((1, 50))
    a, b = (common + 0.5 * rng.standard_normal((1, 50)) + k for k in (3, 4))
    eq.holds(a=a, b=b, E=lambda x: np.asarray(x).mean(-1, keepdims=True))


@equation("seeds-test-set", kind="numerical")
def test_test_set(eq: Equation) -> None:
    for count, p in ((1, 0.7), (4, 0.97)):
        codes = np.arange(2**count)[:, None] >> np.arange(count) & 1  # every outcome
        weights = np.where(codes == 1, p, 1 - p).prod(1)
        hat, mean = discrete(codes.mean(1), weights)
        eq.holds(N=count, p=p, hat_a=hat, E=mean)


@equation("seeds-count", kind="numerical")
def test_count(eq: Equation) -> None:
    for sigma, c, k in ((1.2, 0.5, 2.8), (0.4, 0.2, 2.0)):
        eq.equivalent("R", (1.0, 1000.0), sigma=sigma, c=c, k=k)
