"""Scaled inputs, shifted inputs, and crossed shapes."""

import warnings

import numpy as np
import pytest
import torch

from x0.taylor.linear_regression_exercises import (
    condition_number,
    crossed_loss,
    demo,
    line_data,
    steps_to_shrink,
)


def test_standardized_inputs_need_one_step() -> None:
    values = demo()
    assert values["scaled"] == pytest.approx(1, abs=1e-9)
    assert (values["w"], values["b"]) == pytest.approx((2.93655106, 2.55808002), abs=1e-7)
    assert values["raw"] == pytest.approx(18.49, abs=5e-3)


def test_a_shift_of_the_inputs_ruins_the_condition_number() -> None:
    x, _, _ = line_data()
    shifts = np.array([10.0, 100.0])
    numbers = [condition_number(x + shift) for shift in shifts]
    predicted = [((x + s) ** 2).mean() ** 2 / x.var() for s in shifts]
    np.testing.assert_allclose(numbers, predicted, rtol=0.05)


def test_torch_warns_about_crossed_shapes_and_the_minimum_is_a_constant() -> None:
    x, y, _ = line_data()
    column, row = torch.from_numpy(x)[:, None], torch.from_numpy(y)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = torch.nn.functional.mse_loss(2 * column + 1, row).item()
    assert crossed_loss(np.array([2.0, 1.0]), x, y) == pytest.approx(found, rel=1e-12)
    with pytest.warns(UserWarning, match=r"Using a target size \(torch.Size\(\[100\]\)\)"):
        torch.nn.functional.mse_loss(2 * column + 1, row)
    values = demo()
    flat = np.array([0.0, y.mean()])
    rng = np.random.default_rng(0)
    for _ in range(20):
        nearby = flat + rng.normal(size=2)
        assert crossed_loss(nearby, x, y) > values["crossed"]
    assert values["crossed"] == pytest.approx(y.var(), rel=1e-12)
    assert values["tilted"] > values["crossed"]


def test_the_count_of_steps_is_the_first_that_is_enough() -> None:
    values = demo()
    for name, rate in (("slow", 0.01), ("half", 0.5), ("best", 0.7653)):
        count = int(values[f"steps_{name}"])
        factor = 1 - rate * 0.13410428594854912
        assert factor**count <= 0.01 < factor ** (count - 1)
    assert steps_to_shrink(0.5, 3.0, 0.1) == 4  # the factor is -1/2
