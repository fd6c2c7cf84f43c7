"""Orders predicted from the poles of the logistic function."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from x0.taylor.univariate_orders import (
    logistic_series,
    measured_order,
    predicted_order,
    ratio_radius,
    tanh_series,
)


def test_the_prediction_holds_for_many_points_and_errors() -> None:
    for x in np.linspace(0.3, 2.6, 11):
        for allowed in (1e-3, 1e-5, 1e-8):
            assert predicted_order(float(x), allowed) == measured_order(float(x), allowed)
            assert predicted_order(-float(x), allowed) == measured_order(-float(x), allowed)
    assert measured_order(2.8, 1e-8) == -1  # more than the coefficients that are computed


def test_the_ratio_gives_both_radii() -> None:
    assert ratio_radius(logistic_series(60)) == pytest.approx(math.pi, rel=1e-9)
    assert ratio_radius(tanh_series(60)) == pytest.approx(math.pi / 2, rel=1e-9)


def test_the_demo(values: Callable[[str], Any]) -> None:
    shown = values("univariate_orders")
    assert shown["predicted"] == shown["measured"]
    assert shown["radius"] == pytest.approx(math.pi, abs=1e-5)
