"""Heavy ball's best pair on quadratics."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from x0.taylor.optimization_momentum import best_momentum, slowest_factor, steps_needed


@pytest.mark.parametrize("kappa", [10.0, 18.5, 100.0, 1000.0])
def test_no_pair_of_a_grid_is_better(kappa: float) -> None:
    rate, momentum = best_momentum(1.0, kappa)
    root = np.sqrt(kappa)
    best = slowest_factor(rate, momentum, 1.0, kappa)
    assert best == pytest.approx((root - 1) / (root + 1), rel=1e-6)
    grid = [
        slowest_factor(a, b, 1.0, kappa)
        for a in rate * np.linspace(0.5, 1.5, 21)
        for b in np.linspace(0, 0.99, 34)
    ]
    assert min(grid) >= best - 1e-9
    assert best < slowest_factor(2 / (1 + kappa), 0.0, 1.0, kappa) - 0.01


def test_the_factor_is_the_one_of_a_long_run() -> None:
    rate, momentum = 0.02, 0.6
    before, now = np.ones(2), np.ones(2)
    for t in range(400):
        before, now = now, now - rate * np.array([1.0, 100.0]) * now + momentum * (now - before)
        if t == 199:
            half = np.linalg.norm(now)
    measured = (np.linalg.norm(now) / half) ** (1 / 200)
    assert measured == pytest.approx(slowest_factor(rate, momentum, 1.0, 100.0), rel=1e-3)


def test_the_demo_agrees(values: Callable[[str], Any]) -> None:
    shown = values("optimization_momentum")
    assert shown["plain"] == pytest.approx(99 / 101)
    assert shown["heavy"] == pytest.approx(9 / 11, rel=1e-6)
    assert shown["heavy"] <= shown["best"] < shown["heavy"] + 0.005
    assert shown["steps"][0] / shown["steps"][1] == pytest.approx(10, abs=0.2)
    assert tuple(shown["counts"]) == (691, 93)


@pytest.mark.proves(
    "optimization-fewest",
    kind="best",
    range="η × 0.90…1.02, β = 0.60…0.75",
    effect="{val:optimization_momentum.counts[1]:.0f} → {val:optimization_momentum.fewest[0]:.0f}",
)
def test_the_smallest_factor_is_not_the_fewest_steps(values: Callable[[str], Any]) -> None:
    """Another pair, with separate roots, is below a millionth for good in fewer steps."""
    count, shrink, momentum = values("optimization_momentum")["fewest"]
    assert count == 75
    assert 0.9 < shrink < 1.02  # not on the border of the grid
    assert 0.6 < momentum < 0.75
    rate, best = best_momentum(1.0, 100.0)
    assert steps_needed(rate, best, 1.0, 100.0) == 93
    assert slowest_factor(rate * shrink, momentum, 1.0, 100.0) > 9 / 11
    for eigenvalue in (1.0, 100.0):
        middle = 1 + momentum - rate * shrink * eigenvalue
        roots = np.roots([1.0, -middle, momentum])
        assert abs(roots[0] - roots[1]) > 0.05


def test_a_pair_that_diverges_takes_forever() -> None:
    assert steps_needed(0.03, 0.0, 1.0, 100.0) == np.inf


def test_an_empty_spectrum_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Received: 2\.0, 1\.0"):
        best_momentum(2.0, 1.0)


def test_an_error_that_crosses_zero_and_comes_back_counts() -> None:
    """At a rate of 1/λ the first step lands on 0, but the momentum carries on."""
    now, before, errors = 1.0, 1.0, []
    for _ in range(100):
        now, before = now - now + 0.5 * (now - before), now
        errors.append(abs(now))
    last = max(t for t, error in enumerate(errors, 1) if error > 1e-6)
    assert errors[0] == 0
    assert steps_needed(1.0, 0.5, 1.0, 1.0) == last + 1 > 10
