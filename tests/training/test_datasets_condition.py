"""Standardizing lowers the condition number, to 1 only if the features are uncorrelated."""

import numpy as np
import pytest

from x0.training import datasets_condition as condition


def test_values_of_the_page(values):
    kappa = values("datasets_condition")["kappa"]
    assert kappa["line"]["raw"] == pytest.approx(18.49, abs=0.01)
    assert kappa["line"]["standard"] == pytest.approx(1)
    assert kappa["people"]["raw"] > 1e6
    assert kappa["people"]["standard"] < 1.2
    pixels = kappa["pixels"]
    assert pixels["raw"] > 5 * pixels["centered"] > 5 * pixels["standard"]
    assert pixels["standard"] > 50  # neighboring pixels stay correlated


@pytest.mark.proves(
    "datasets-correlated",
    kind="cause",
    effect='{val:datasets_condition.kappa["pixels"]["standard"]:.0f} → 2',
    n="1797",
)
def test_shuffled_pixels_are_well_conditioned():
    """Shuffling each standardized pixel over the images takes κ from over 100 to about 2."""
    images = condition.load_digits().data / 16
    pixels = images[:, (images > 0).mean(0) > 0.02]
    standard = condition.prepared_inputs(pixels)["standard"]
    assert condition.input_condition(standard) > 100
    for seed in range(10):
        shuffled = np.random.default_rng(seed).permuted(standard, axis=0)
        assert 1.6 < condition.input_condition(shuffled) < 2.4


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
