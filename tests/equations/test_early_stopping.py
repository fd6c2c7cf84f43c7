"""Checks of snippets/equations/early-stopping.tex."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import torch

from x0_equations.check import Equation, equation
from x0_equations.values import GROUPS, Array, discrete, points, sample_mean

CASES = ((0.3, 2.0), (0.7, 1.5), (0.1, 0.4))
TARGET = -1.7


def components(rate: float, curvature: float, steps: int) -> dict[int, float]:
    """Return c by step under torch's SGD on curvature · (c - TARGET)² / 2, from 0."""
    weight = torch.nn.Parameter(torch.zeros((), dtype=torch.float64))
    optimizer = torch.optim.SGD([weight], lr=rate)
    found = {0: 0.0}
    for t in range(1, steps + 1):
        optimizer.zero_grad()
        (curvature * (weight - TARGET) ** 2 / 2).backward()
        optimizer.step()
        found[t] = weight.item()
    return found


def along_descent(eq: Equation) -> None:
    for eta, curvature in CASES:
        c = components(eta, curvature, 6)
        for t in (1, 4):
            eq.holds(t=t, c=c, c_star=TARGET, eta=eta, **{"lambda": curvature})


@equation(
    "early-stopping-step",
    kind="numerical",
    tolerance="relative 1e-9",
    identical="torch.optim does the same operations",
)
def test_step(eq: Equation) -> None:
    along_descent(eq)


@equation("early-stopping-error", kind="numerical", tolerance="relative 1e-9")
def test_error(eq: Equation) -> None:
    along_descent(eq)


@equation("early-stopping-filter", kind="numerical", tolerance="relative 1e-9")
def test_filter(eq: Equation) -> None:
    along_descent(eq)


@equation("early-stopping-ridge", kind="numerical")
def test_ridge(eq: Equation) -> None:
    for alpha, curvature in ((0.2, 1.0), (1.5, 0.4)):
        eq.equivalent(
            "c", (-3.0, 3.0), scale=1.0, c_star=TARGET, alpha=alpha, **{"lambda": curvature}
        )


@equation("early-stopping-small", kind="numerical", tolerance="slope ± 0.05")
def test_small(eq: Equation) -> None:
    def bind(curvature: float) -> dict[str, Any]:
        return {"eta": 0.5, "t": 7, "alpha": 0.8, "lambda": curvature}

    eq.approximates(np.geomspace(1e-4, 1e-2, 5), bind, order=2)


@equation("early-stopping-match", kind="numerical")
def test_match(eq: Equation) -> None:
    for eta, t, curvature in ((0.5, 7, 0.3), (0.1, 40, 1.2)):
        eq.equivalent("alpha", (0.01, 3.0), eta=eta, t=t, **{"lambda": curvature})


@equation(
    "early-stopping-bounds",
    kind="numerical",
    tolerance="relative 1e-9",
    survivors="a weaker bound is true as well",
)
def test_bounds(eq: Equation) -> None:
    """The least constant is 1.2984; the lower bound is reached at 0."""
    x = np.concatenate([np.geomspace(1e-8, 0.1, 40), np.geomspace(0.1, 40, 400)])
    eq.holds(x=points(x), tight=True, only=(1,))
    eq.holds(x=points(x), only=(2,))
    assert 1.298 < float(((1 - np.exp(-x)) * (1 + x) / x).max()) < 1.3


def design() -> tuple[Array, Array, Array]:
    """Return X of shape (N, 3), the eigenvalues of X'X / N and its eigenvectors."""
    x = np.random.default_rng(0).standard_normal((12, 3)) * np.array([1.0, 0.5, 2.0])
    return x, *np.linalg.eigh(x.T @ x / len(x))


@cache
def estimates(sigma: float, which: int, truth: float) -> tuple[Array, Any]:
    """Return ĉ, the least-squares component, for every sign pattern of the noise, and E."""
    x, _, vectors = design()
    signs = 1.0 - 2.0 * (np.arange(2**12) >> np.arange(12)[:, None] & 1)
    y = (x @ vectors[:, which] * truth)[:, None] + sigma * signs
    fitted = vectors[:, which] @ np.linalg.lstsq(x, y, rcond=None)[0]
    return discrete(fitted, np.full(2**12, 2.0**-12))


@equation("early-stopping-variance", kind="numerical", tolerance="relative 1e-9")
def test_variance(eq: Equation) -> None:
    for which in (0, 1, 2):
        hat, mean = estimates(0.7, which, 1.3)
        eq.holds(hat_c=hat, E=mean, sigma=0.7, N=12, **{"lambda": design()[1][which]})


@equation("early-stopping-risk", kind="numerical", tolerance="relative 1e-9")
def test_risk(eq: Equation) -> None:
    for which, s in ((0, 0.3), (2, 0.9)):
        hat, mean = estimates(0.7, which, 1.3)
        eq.holds(hat_c=hat, E=mean, c_star=1.3, s=s)


@equation("early-stopping-best", kind="numerical", tolerance="relative 1e-9")
def test_best(eq: Equation) -> None:
    for which in (0, 2):
        hat, mean = estimates(0.7, which, 0.4)
        eq.equivalent("s", (0.0, 1.2), scale=1.0, hat_c=hat, E=mean, c_star=0.4)


@equation("early-stopping-twice", kind="numerical", tolerance="relative 1e-9")
def test_twice(eq: Equation) -> None:
    """The share s is what SGD has learned after t steps."""
    for which, eta, t in ((0, 0.3, 5), (2, 0.1, 12)):
        hat, mean = estimates(0.7, which, 1.3)
        curvature = float(design()[1][which])
        s = components(eta, curvature, t)[t] / TARGET
        eq.holds(
            hat_c=hat,
            E=mean,
            s=s,
            c_star=1.3,
            eta=eta,
            t=t,
            sigma=0.7,
            N=12,
            **{"lambda": curvature},
        )


@cache
def normals(count: int) -> Array:
    """Return independent standard normal values of shape (count, samples)."""
    return np.random.default_rng(count).standard_normal((count, 2000 * GROUPS))


@equation("early-stopping-minimum", kind="statistical")
def test_minimum(eq: Equation) -> None:
    """The minimum from half of the samples, the maximum from the other half."""
    for count, mu, sigma in ((3, 1.0, 0.5), (10, -2.0, 1.5)):
        xi = normals(count)
        half = xi.shape[1] // 2
        w = (mu + sigma * xi[:, :half]).min(0)[None]
        m = xi[:, half:].max(0)[None]
        eq.holds(w=w, m=m, mu=mu, sigma=sigma, E=sample_mean)


@equation("early-stopping-jensen", kind="statistical", survivors="a weaker bound is true as well")
def test_jensen(eq: Equation) -> None:
    for count, r in ((1, 1e-4), (3, 0.7), (8, 1.2)):
        xi = normals(count)
        bound = {t: value[None] for t, value in enumerate(xi, 1)}
        eq.holds(T=count, r=r, xi=bound, m=xi.max(0)[None], E=sample_mean)


@equation("early-stopping-logarithm", kind="numerical", survivors="a weaker bound is true as well")
def test_logarithm(eq: Equation) -> None:
    for count in (2, 8):
        mean = sample_mean(normals(count).max(0)[None])
        for r in (0.3, 1.0, 2.0):
            eq.holds(T=count, r=r, m=mean, E=lambda x: x)


@equation("early-stopping-maximum", kind="numerical", survivors="a weaker bound is true as well")
def test_maximum(eq: Equation) -> None:
    for count in (2, 8):
        eq.holds(T=count, m=sample_mean(normals(count).max(0)[None]), E=lambda x: x)
    # For many values the bound comes near: exact means, by the median of the maximum's law.
    from scipy import integrate, stats

    for count in (10**4, 10**8):
        mean = integrate.quad(
            lambda x, n=count: x * n * stats.norm.pdf(x) * stats.norm.cdf(x) ** (n - 1), 0, 12
        )[0]
        assert 0.85 < mean / math.sqrt(2 * math.log(count)) < 1
        eq.holds(T=count, m=mean, E=lambda x: x)


@equation("early-stopping-patience", kind="statistical")
def test_patience(eq: Equation) -> None:
    xi = normals(20)
    n = (np.diff(np.minimum.accumulate(xi, 0), axis=0) == 0).argmax(0) + 2.0
    eq.holds(n=n[None], E=sample_mean)
