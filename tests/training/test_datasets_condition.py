"""Standardizing lowers the condition number, to 1 only if the features are uncorrelated."""

import numpy as np
import pytest

from x0.training import datasets_condition as condition


def test_values_of_the_page():
    values = condition.demo()
    assert values["line_raw"] == pytest.approx(18.49, abs=0.01)
    assert values["line_standard"] == pytest.approx(1)
    assert values["people_raw"] > 1e6
    assert values["people_standard"] < 1.2
    assert values["pixels_raw"] > 5 * values["pixels_centered"] > 5 * values["pixels_standard"]
    assert values["pixels_standard"] > 50  # neighboring pixels stay correlated


def test_gradient_descent_is_as_fast_as_the_condition_number_says():
    x = np.random.RandomState(0).rand(100, 1)
    for data, steps in ((x, 40), ((x - x.mean()) / x.std(), 1)):
        design = np.column_stack([data, np.ones(100)])
        hessian = design.T @ design / 100
        low, high = np.linalg.eigvalsh(hessian)
        error = np.array([1.0, -1.0])
        for _ in range(steps):
            error = error - 2 / (low + high) * hessian @ error
        kappa = condition.input_condition(data)
        bound = ((kappa - 1) / (kappa + 1)) ** steps * 2**0.5
        assert np.linalg.norm(error) <= bound * 1.001 + 1e-12


def test_errors():
    with pytest.raises(ValueError, match=r"Received: \(3,\)"):
        condition.input_condition(np.ones(3))
    with pytest.raises(ValueError, match="Singular"):
        condition.input_condition(np.ones((5, 1)))
