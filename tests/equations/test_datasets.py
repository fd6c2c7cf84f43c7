"""Checks of snippets/equations/datasets.tex."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
from scipy import stats
from scipy.optimize import brentq

from x0_equations.check import Equation, equation
from x0_equations.values import GROUPS, Array, Matrix, discrete, points, sample_mean


def feature(mean: float, std: float) -> dict[str, Any]:
    """Return H of one feature and a bias, its eigenvalues, and the feature's mean and std."""
    x = mean + std * np.random.default_rng(0).standard_normal(30)
    design = np.stack([x, np.ones_like(x)], 1)
    hessian = design.T @ design / len(x)
    low, high = np.linalg.eigvalsh(hessian)
    return {
        "H": Matrix(hessian),
        "lambda": {1: low, 2: high},
        "kappa": high / low,
        "mu": x.mean(),
        "sigma": x.std(),
    }


FEATURES = [feature(0.5, 0.3), feature(3.0, 2.0), feature(-1.0, 0.5)]


@equation("datasets-hessian", kind="numerical")
def test_hessian(eq: Equation) -> None:
    for bound in FEATURES:
        eq.holds(**{name: bound[name] for name in ("H", "mu", "sigma")})


@equation("datasets-trace", kind="numerical", tolerance="relative 1e-9")
def test_trace(eq: Equation) -> None:
    for bound in FEATURES:
        eq.holds(**{name: bound[name] for name in ("lambda", "mu", "sigma")})


@equation("datasets-condition", kind="numerical", tolerance="relative 1e-9")
def test_condition(eq: Equation) -> None:
    for bound in FEATURES:
        eq.holds(**{name: bound[name] for name in ("kappa", "mu", "sigma")})


@equation(
    "datasets-least",
    kind="numerical",
    survivors="without the mean both sides are equal",
)
def test_least(eq: Equation) -> None:
    mu, sigma = np.meshgrid([0.0, 0.3, -2.0], [0.2, 1.0, 3.0])
    eq.holds(mu=points(mu), sigma=points(sigma), tight=True)


def outcomes(count: int, p: float) -> tuple[dict[int, Array], Array, Any]:
    """Return the hits a_i, their mean and E, over all outcomes of a test of `count` samples."""
    codes = np.arange(2**count)[:, None] >> np.arange(count) & 1
    weights = np.where(codes == 1, p, 1 - p).prod(1)
    hat, mean = discrete(codes.mean(1), weights)
    return {i: codes[:, i - 1][None].astype(float) for i in range(1, count + 1)}, hat, mean


@equation("datasets-indicator", kind="numerical")
def test_indicator(eq: Equation) -> None:
    for count, p in ((1, 0.7), (4, 0.97)):
        a, _, mean = outcomes(count, p)
        eq.holds(a=a, i=count, p=p, E=mean)


@equation("datasets-error", kind="numerical", tolerance="relative 1e-9")
def test_error(eq: Equation) -> None:
    for count, p in ((3, 0.5), (4, 0.97), (6, 0.3)):
        a, hat, mean = outcomes(count, p)
        eq.holds(N=count, a=a, hat_a=hat, p=p, E=mean, tight=p == 0.5)


@equation("datasets-tested", kind="numerical")
def test_tested(eq: Equation) -> None:
    for p, c in ((0.97, 0.01), (0.5, 0.05)):
        eq.equivalent("N", (1.0, 1000.0), p=p, c=c)


@equation("datasets-wilson", kind="numerical")
def test_wilson(eq: Equation) -> None:
    """The ends are found where the difference is z standard errors."""
    for hits, count, z in ((9, 10, 1.96), (30, 100, 1.0)):
        hat = hits / count

        def gap(p: float, hat: float = hat, count: int = count, z: float = z) -> float:
            return abs(hat - p) - z * math.sqrt(p * (1 - p) / count)

        ends = brentq(gap, 1e-9, hat, xtol=1e-15), brentq(gap, hat, 1 - 1e-9, xtol=1e-15)
        eq.equivalent("p", (0.01, 0.995), hat_a=hat, N=count, z=z, p_1=ends[0], p_2=ends[1])


@equation("datasets-rare", kind="numerical")
def test_rare(eq: Equation) -> None:
    """All test sets, one by one."""
    for total, rare, tested in ((7, 2, 3), (8, 3, 2)):
        sets = itertools.combinations(range(total), tested)
        counts = np.array([sum(i < rare for i in chosen) for chosen in sets], float)
        k, mean = discrete(counts, np.full(len(counts), 1 / len(counts)))
        eq.holds(N=total, r=rare, m=tested, k=k, E=mean)


@equation("datasets-walk", kind="numerical")
def test_walk(eq: Equation) -> None:
    """All walks of eight steps ±1."""
    steps = 1.0 - 2.0 * (np.arange(2**8) >> np.arange(8)[:, None] & 1)
    walks = np.cumsum(steps, 0)
    y, mean = discrete(walks[0], np.full(2**8, 2.0**-8))
    bound = {i + 1: walk[None] for i, walk in enumerate(walks)}
    assert y.shape == bound[1].shape
    for s, t in ((1, 4), (2, 8), (5, 6)):
        eq.holds(s=s, t=t, y=bound, E=mean)


@equation("datasets-nearest", kind="statistical")
def test_nearest(eq: Equation) -> None:
    """The nearest of the known times on both sides of an unknown one."""
    rng = np.random.default_rng(0)
    for a in (0.5, 0.8):
        known = rng.random((2, 30, 500 * GROUPS)) < a
        d = (known.any(0).argmax(0) + 1.0)[None]
        eq.holds(d=d, a=a, E=sample_mean)


@equation("datasets-horizon", kind="numerical")
def test_horizon(eq: Equation) -> None:
    for m in (1, 5, 100):
        eq.holds(m=m)


@equation("datasets-tail", kind="numerical", tolerance="relative 1e-9")
def test_tail(eq: Equation) -> None:
    for c in (0.3, 1.7, 2.5):
        eq.holds(c=c, varphi=lambda z: stats.norm.pdf(z))


def given_mean(n: int, r: float) -> Array:
    """Return n normal values with the mean r, shape (n, samples): the rest is drawn freely."""
    u = np.random.default_rng(n).standard_normal((n, 4000 * GROUPS))
    return u - u.mean(0) + r


@equation("datasets-pair", kind="statistical")
def test_pair(eq: Equation) -> None:
    for n, r in ((4, 0.2), (6, 0.9)):
        u = given_mean(n, r)
        eq.holds(u={1: u[0][None], 2: u[1][None]}, r=r, n=n, E=sample_mean)


@equation("datasets-weight", kind="statistical")
def test_weight(eq: Equation) -> None:
    for n, m, r in ((6, 4, 0.2), (6, 2, 0.9)):
        w = given_mean(n, r)[:m].mean(0)[None]
        eq.holds(w=w, r=r, n=n, m=m, E=sample_mean)


@equation("datasets-leaked", kind="statistical", parsed=False)
def test_leaked(eq: Equation) -> None:
    """Simulated: select among all, train on 80 of 100, classify the others."""
    eq.states(r"\Prob{v > 0} \approx \Phi\left(\sqrt{k} \frac{s / n}{\sqrt{s / n + 1 / m}}\right)")
    n, m, k, rng = 100, 80, 20, np.random.default_rng(0)
    for features in (100, 1000):
        rates = []
        for _ in range(400):
            u = rng.standard_normal((n, features))
            chosen = np.argsort(-np.abs(u.mean(0)))[:k]
            v = u[m:, chosen] @ u[:m, chosen].mean(0)
            rates.append((v > 0).mean())
        c = stats.norm.isf(k / features / 2)
        s = 2 * features * c * stats.norm.pdf(c) / k
        theory = stats.norm.cdf(math.sqrt(k) * s / n / math.sqrt(s / n + 1 / m))
        error = np.std(rates) / math.sqrt(len(rates))
        assert abs(np.mean(rates) - theory) < 4 * error + 0.005 < 0.05 * theory
        assert np.mean(rates) - 0.5 > 10 * error


@equation("datasets-excess", kind="numerical", tolerance="relative 1e-6")
def test_excess(eq: Equation) -> None:
    """The mean of z² above the threshold, by quadrature, less 1."""
    for features, k in ((200, 20), (1000, 5)):
        c = brentq(lambda x, q=k / features: 2 * stats.norm.sf(x) - q, 0, 9, xtol=1e-15)
        z = np.linspace(c, c + 12, 400_001)
        density = stats.norm.pdf(z)
        s = float(np.trapezoid(z**2 * density, z) / np.trapezoid(density, z)) - 1
        eq.holds(s=s, M=features, c=c, k=k, varphi=lambda x: stats.norm.pdf(x))
