"""Heavy ball, tuned for quadratics, circles on a strongly convex function."""

import numpy as np
import pytest

from x0.training import momentum_cycle as cycle


def test_the_function_has_curvatures_between_1_and_25():
    x = np.linspace(-3, 5, 2001)
    slope = np.array([cycle.bent_slope(v) for v in x])
    curvature = np.diff(slope) / np.diff(x)
    assert curvature.min() > 1 - 1e-6
    assert curvature.max() < 25 + 1e-6


def test_heavy_ball_circles_and_others_converge():
    heavy = cycle.momentum_path(cycle.bent_slope, 3.3, 1 / 9, 4 / 9, 3000)
    assert np.allclose(heavy[-3:], heavy[-6:-3], atol=1e-12)  # a cycle of three
    assert np.ptp(heavy[-3:]) > 3
    for rate, beta, nesterov in (
        (2 / 26, 0.0, False),
        (1 / 25, 2 / 3, True),
        (1 / 25, 4 / 9, False),
    ):
        path = cycle.momentum_path(cycle.bent_slope, 3.3, rate, beta, 3000, nesterov)
        assert abs(path[-1]) < 1e-9
    near = cycle.momentum_path(cycle.bent_slope, 0.3, 1 / 9, 4 / 9, 3000)
    assert abs(near[-1]) < 1e-9  # here the start decides, which no quadratic allows


def test_rejects_a_momentum_of_one():
    with pytest.raises(ValueError, match=r"Received: beta=1\.0"):
        cycle.momentum_path(cycle.bent_slope, 1.0, 0.1, 1.0, 1)


def test_values():
    values = cycle.demo()
    assert values["heavy_0"] == pytest.approx(values["heavy_3"])
    assert values["nesterov_3"] == values["gradient_3"] == 0
