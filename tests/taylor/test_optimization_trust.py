"""Conjugate gradients in a ball, and the trust region around them."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from scipy.optimize import minimize
from torch import Tensor

from x0.taylor.optimization_trust import conjugate_gradients, to_border, trust_region


def lncosh(x: Tensor) -> Tensor:
    return torch.log(torch.cosh(x)).sum()


def problem(seed: int, n: int, *, definite: bool) -> tuple[Tensor, Tensor]:
    rng = np.random.default_rng(seed)
    base = rng.normal(size=(n, n))
    matrix = base @ base.T + np.eye(n) if definite else base + base.T
    return torch.from_numpy(matrix), torch.from_numpy(rng.normal(size=n) * 1e-8)


def test_without_a_limit_it_is_newtons_step() -> None:
    for seed in range(20):
        matrix, g = problem(seed, 5, definite=True)
        found = conjugate_gradients(g, lambda v, h=matrix: h @ v, math.inf)  # type: ignore[misc]
        exact = torch.linalg.solve(matrix, -g)
        assert (found - exact).norm() < 0.02 * exact.norm()


@pytest.mark.proves(
    "optimization-ball", kind="search", range="200 random H, n = 2…6, radius 0.01…10"
)
def test_the_step_stays_in_the_ball_and_lowers_the_model() -> None:
    """The step is no longer than the radius and, unless g is zero, lowers the model, whatever the signs in H."""
    for seed in range(200):
        rng = np.random.default_rng(seed)
        matrix, _ = problem(seed, int(rng.integers(2, 7)), definite=False)
        g = torch.from_numpy(rng.normal(size=len(matrix)))
        radius = float(10 ** rng.uniform(-2, 1))
        step = conjugate_gradients(g, lambda v, h=matrix: h @ v, radius)  # type: ignore[misc]
        assert float(step.norm()) <= radius * (1 + 1e-9)
        model = float(g @ step + step @ matrix @ step / 2)
        size = float(g.norm())
        bend = float(g @ matrix @ g) / size**2
        length = radius if bend <= 0 else min(radius, size / bend)
        cauchy = -length * size + length**2 * bend / 2  # along the gradient alone
        assert model <= cauchy + 1e-9 * abs(cauchy)
        assert model < 0


def test_to_border_ends_on_the_sphere() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        step, way = torch.from_numpy(rng.normal(size=(2, 3)))
        radius = float(step.norm() * rng.uniform(1, 3))
        assert float(to_border(step, way, radius).norm()) == pytest.approx(radius, rel=1e-9)


def test_it_converges_where_newton_diverges() -> None:
    for start in (1.2, 5.0, -20.0):
        far = torch.tensor([start], dtype=torch.float64)
        assert trust_region(lncosh, far, 30).abs() < 1e-9


def test_scipy_finds_the_same_minimum() -> None:
    def value(p: np.ndarray) -> float:
        return float(100 * (p[1] - p[0] ** 2) ** 2 + (1 - p[0]) ** 2)

    def rosenbrock(p: Tensor) -> Tensor:
        return 100 * (p[1] - p[0] ** 2) ** 2 + (1 - p[0]) ** 2

    start = np.array([-1.2, 1.0])
    found = trust_region(rosenbrock, torch.from_numpy(start), 100).numpy()
    np.testing.assert_allclose(found, minimize(value, start, tol=1e-12).x, atol=1e-4)


def test_it_works_where_newton_stops(values: Callable[[str], Any]) -> None:
    shown = values("optimization_trust")
    assert shown["losses"][60] < 1e-5 < shown["losses"][20] < 1e-3
    assert values("applications_gauss_newton")["reached"] == 0  # Newton's method below 0.01
    assert shown["distances"][2] < 1e-9


@pytest.mark.parametrize("radius", [0.0, -1.0, math.inf, math.nan])
def test_the_first_radius_is_positive_and_finite(radius: float) -> None:
    with pytest.raises(ValueError, match="Received:"):
        trust_region(lncosh, torch.ones(1), 3, radius)
