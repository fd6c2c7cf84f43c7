"""The mean of the noise belongs to the intercept."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from x0.taylor.linear_regression_noise import fit_many


@pytest.mark.claim("C-35")
@pytest.mark.claim("C-28")
def test_least_squares_finds_the_conditional_mean_not_the_typed_line(
    values: Callable[[str], Any],
) -> None:
    shown = values("linear_regression_noise")
    for name, intercept in (("uniform", 2.5), ("centered", 2.0)):
        for key, truth in (("w", 3.0), ("b", intercept)):
            mean, error = shown[key][name]
            assert error < 0.05 * truth
            assert abs(mean - truth) < 4 * error
    mean, error = shown["b"]["uniform"]
    assert abs(mean - 2.0) > 100 * error  # the number in the code is rejected


def test_the_spread_of_one_data_set_is_the_textbook_one() -> None:
    spread = fit_many(0.5, 2000)[:, 0].std()
    assert spread == pytest.approx(math.sqrt(1 / 12) / math.sqrt(100 / 12), rel=0.05)


def test_the_fits_are_least_squares() -> None:
    rng = np.random.default_rng(0)
    x = rng.random((3, 100))
    y = 3 * x + 2 + rng.random((3, 100))
    expected = [np.polyfit(a, b, 1) for a, b in zip(x, y, strict=True)]
    np.testing.assert_allclose(fit_many(0.5, 3), expected, rtol=1e-9)
