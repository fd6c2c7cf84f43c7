"""Heavy ball's best pair on quadratics."""

import numpy as np
import pytest

from x0.taylor.optimization_momentum import best_momentum, demo, slowest_factor


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


def test_the_demo_agrees() -> None:
    values = demo()
    assert values["plain"] == pytest.approx(99 / 101)
    assert values["heavy"] == pytest.approx(9 / 11, rel=1e-6)
    assert values["heavy"] <= values["grid"] < values["heavy"] + 0.005
    assert values["plain_steps"] / values["heavy_steps"] == pytest.approx(10, abs=0.2)


def test_an_empty_spectrum_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Received: 2\.0, 1\.0"):
        best_momentum(2.0, 1.0)
