from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

Define = Callable[[str], SimpleNamespace]
Values = Callable[[str], Mapping[str, Any]]


@pytest.fixture
def lab(define: Define) -> SimpleNamespace:
    """The lab's functions, on a problem of two features."""
    lab = define("newton")
    rng = np.random.default_rng(1)
    features = np.zeros((50, 4)) + rng.standard_normal((50, 4)) * [1, 0.8, 0.5, 0.4]
    lab.features, lab.y = features, features @ [1.0, -2.0, 0.5, 3.0]
    lab.solution = np.array([1.0, -2.0, 0.5, 3.0])
    lab.eigenvalues = np.linalg.eigvalsh(2 / 50 * features.T @ features)
    for function in (lab.gradient, lab.errors, lab.predicted):
        function.__globals__.update(vars(lab))
    return lab


def test_the_gradient_is_that_of_the_mean_squared_error(lab: SimpleNamespace) -> None:
    theta = np.array([0.3, -1.0, 2.0, 0.1])

    def loss(at: np.ndarray) -> float:
        return float(((lab.features @ at - lab.y) ** 2).mean())

    steps = 1e-6 * np.eye(4)
    numerical = [(loss(theta + step) - loss(theta - step)) / 2e-6 for step in steps]
    assert np.allclose(lab.gradient(theta), numerical, rtol=1e-6)


@pytest.mark.parametrize(("eta", "beta"), [(0.2, 0.0), (0.6, 0.0), (0.5, 0.5), (2.0, 0.3)])
def test_the_factor_per_step_is_the_largest_root(
    lab: SimpleNamespace, eta: float, beta: float
) -> None:
    found = lab.errors(eta, beta, 90)
    factor = (found[90] / found[40]) ** (1 / 50)
    assert factor == pytest.approx(lab.predicted(eta, beta), rel=0.03)
    assert factor != pytest.approx(lab.predicted(eta / 4, beta), rel=0.03)


def test_stability_ends_at_two_over_lambda_times_one_plus_beta(lab: SimpleNamespace) -> None:
    for beta in (0.0, 0.3, 0.9):
        edge = 2 * (1 + beta) / lab.eigenvalues[-1]
        assert lab.predicted(0.999 * edge, beta) < 1 < lab.predicted(1.001 * edge, beta)


def test_the_finding(values: Values) -> None:
    found = values("newton")
    assert found["kappa"] > 50
    assert found["descent_measured"] == pytest.approx(found["descent_rate"], abs=1e-4)
    assert found["ball_measured"] == pytest.approx(found["ball_rate"], rel=0.02)
    assert found["ball_steps"] < found["descent_steps"] / 5
