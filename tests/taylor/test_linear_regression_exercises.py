"""Scaled inputs, shifted inputs, and crossed shapes."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from x0.taylor.linear_regression_exercises import (
    condition_number,
    crossed_loss,
    line_data,
    steps_to_shrink,
)


def test_standardized_inputs_need_one_step(values: Callable[[str], Any]) -> None:
    shown = values("linear_regression_exercises")
    assert shown["kappa"]["scaled"] == pytest.approx(1, abs=1e-9)
    assert (shown["w"], shown["b"]) == pytest.approx((2.93655106, 2.55808002), abs=1e-7)
    assert shown["kappa"]["raw"] == pytest.approx(18.49, abs=5e-3)


def test_a_shift_of_the_inputs_ruins_the_condition_number() -> None:
    x, _, _ = line_data()
    shifts = np.array([10.0, 100.0])
    numbers = [condition_number(x + shift) for shift in shifts]
    predicted = [((x + s) ** 2).mean() ** 2 / x.var() for s in shifts]
    np.testing.assert_allclose(numbers, predicted, rtol=0.05)


@pytest.mark.proves("linear-regression-warns", kind="call")
def test_torch_warns_about_crossed_shapes_and_the_minimum_is_a_constant(
    values: Callable[[str], Any],
) -> None:
    """`mse_loss` divides by the number of elements; different shapes warn and broadcast."""
    two = torch.tensor([1.0, 3.0])
    assert torch.nn.functional.mse_loss(two, 0 * two).item() == 5
    x, y, _ = line_data()
    column, row = torch.from_numpy(x)[:, None], torch.from_numpy(y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = torch.nn.functional.mse_loss(2 * column + 1, row).item()
    assert crossed_loss(np.array([2.0, 1.0]), x, y) == pytest.approx(found, rel=1e-12)
    with pytest.warns(UserWarning, match=r"Using a target size \(torch.Size\(\[100\]\)\)"):
        torch.nn.functional.mse_loss(2 * column + 1, row)
    shown = values("linear_regression_exercises")
    flat = np.array([0.0, y.mean()])
    rng = np.random.default_rng(0)
    for _ in range(20):
        nearby = flat + rng.normal(size=2)
        assert crossed_loss(nearby, x, y) > shown["constant"]
    assert shown["constant"] == pytest.approx(y.var(), rel=1e-12)
    assert shown["tilted"] > shown["constant"]


def test_the_count_of_steps_is_the_first_that_is_enough(values: Callable[[str], Any]) -> None:
    steps = values("linear_regression_exercises")["steps"]
    for rate in (0.01, 0.5, 0.7653):
        count = steps[rate]
        factor = 1 - rate * 0.13410428594854912
        assert factor**count <= 0.01 < factor ** (count - 1)
    assert steps_to_shrink(0.5, 3.0, 0.1) == 4  # the factor is -1/2
