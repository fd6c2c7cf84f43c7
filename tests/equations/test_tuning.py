"""Checks of snippets/equations/tuning.tex."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from x0_equations.check import Equation, equation
from x0_equations.values import GROUPS, Array, sample_mean


@equation("tuning-needed", kind="numerical")
def test_needed(eq: Equation) -> None:
    for q, delta in ((0.05, 0.05), (0.3, 0.01)):
        eq.equivalent("n", (0.5, 200.0), q=q, delta=delta)


@cache
def nearest(n: int) -> Array:
    """Return the distance of the nearest of n uniform points to a uniform target."""
    rng = np.random.default_rng(n)
    count = 4000 * GROUPS
    return np.abs(rng.random((n, count)) - rng.random(count)).min(0)[None]


@equation("tuning-random", kind="statistical")
def test_random(eq: Equation) -> None:
    for n in (1, 3, 16):
        eq.holds(n=n, D=nearest(n), E=sample_mean)


@equation("tuning-grid", kind="numerical", tolerance="relative 1e-6")
def test_grid(eq: Equation) -> None:
    """The distance to the centers of k cells, averaged over a fine row of targets."""
    for k in (1, 4, 7):
        targets = (np.arange(2000 * k) + 0.5) / (2000 * k)
        centers = (np.arange(k) + 0.5) / k
        distance = np.abs(targets[:, None] - centers).min(1)
        eq.holds(k=k, D=float(distance.mean()), E=lambda x: x)


@equation("tuning-tail", kind="numerical", tolerance="relative 1e-9")
def test_tail(eq: Equation) -> None:
    for n in (1, 4, 9):
        for t in (0.05, 0.3, 0.5):
            eq.holds(n=n, t=t)
    # The left side is the mean distance to the target t.
    rng = np.random.default_rng(0)
    measured = np.abs(rng.random((5, 200_000)) - 0.2).min(0)
    error = measured.std() / 200_000**0.5
    assert abs(measured.mean() - (1 + 0.6**6) / 12) < 4 * error


@equation("tuning-average", kind="numerical", tolerance="relative 1e-9")
def test_average(eq: Equation) -> None:
    for n in (1, 4, 9, 30):
        eq.holds(n=n)


@cache
def trials(n: int, mu: float, tau: float, sigma: float) -> tuple[Array, Array]:
    """Return true and measured qualities of n trials, shape (n, samples)."""
    rng = np.random.default_rng(n)
    true = mu + tau * rng.standard_normal((n, 2000 * GROUPS))
    return true, true + sigma * rng.standard_normal(true.shape)


CASES = ((2, 1.0, 0.5, 1.5), (8, -2.0, 2.0, 1.3))


@equation("tuning-share", kind="statistical", survivors="the other factor has mean zero")
def test_share(eq: Equation) -> None:
    for n, mu, tau, sigma in CASES:
        true, seen = trials(n, mu, tau, sigma)
        eq.holds(u=true[:1], v=seen[:1], mu=mu, tau=tau, sigma=sigma, E=sample_mean)


def winners(case: tuple[int, float, float, float]) -> dict[str, Any]:
    """Return the winner's qualities, and the largest of n normals from other samples."""
    n, mu, tau, sigma = case
    true, seen = trials(n, mu, tau, sigma)
    best = seen.argmax(0)[None]
    u, v = (np.take_along_axis(x, best, 0) for x in (true, seen))
    m = np.random.default_rng(99).standard_normal(true.shape).max(0)[None]
    return {"u": u, "v": v, "m": m, "mu": mu, "tau": tau, "sigma": sigma, "E": sample_mean}


@equation("tuning-winner", kind="statistical")
def test_winner(eq: Equation) -> None:
    for case in CASES:
        eq.holds(**winners(case))


@equation("tuning-curse", kind="statistical")
def test_curse(eq: Equation) -> None:
    for case in CASES:
        bound = winners(case)
        del bound["mu"]
        eq.holds(**bound)


@equation("tuning-halving", kind="numerical", tolerance="relative 1e-9")
def test_halving(eq: Equation) -> None:
    """Against a plain count of the steps of trials that go on where they stopped."""
    for n, r, k, rungs in ((64, 4, 4, 2), (81, 1, 3, 4), (16, 5, 2, 3)):
        eq.holds(n=n, r=r, k=k, S=rungs)
        steps, alive, before = 0, n, 0
        for i in range(rungs + 1):
            steps += alive * (r * k**i - before)
            before, alive = r * k**i, alive // k
        assert steps == n * r * (1 + rungs * (1 - 1 / k))


@equation("tuning-twice", kind="numerical", tolerance="relative 1e-9")
def test_twice(eq: Equation) -> None:
    rng = np.random.default_rng(0)
    for classes in (2, 3, 10):
        rows = list(rng.dirichlet(np.full(classes, 0.3), 20)) + list(np.eye(classes))
        for p in rows:
            for y in (1, classes):
                eq.holds(p=dict(enumerate(p.tolist(), 1)), y=y, C=classes)
        eq.holds(p=dict(enumerate(np.eye(classes)[0].tolist(), 1)), y=1, C=classes, tight=True)
