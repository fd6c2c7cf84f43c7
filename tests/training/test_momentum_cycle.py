"""Heavy ball, tuned for quadratics, circles on a strongly convex function."""

import numpy as np
import pytest

from x0.training import momentum_cycle as cycle


def check_curvatures():
    x = np.linspace(-3, 5, 2001)
    slope = np.array([cycle.bent_slope(v) for v in x])
    curvature = np.diff(slope) / np.diff(x)
    assert curvature.min() > 1 - 1e-6
    assert curvature.max() < 25 + 1e-6


@pytest.mark.proves("momentum-cycle", kind="fact", n="3000", range="x₀ = 3.3")
def test_heavy_ball_circles_and_others_converge():
    """Curvature 1 to 25, start 3.3: heavy ball ends in a cycle of three; the others converge."""
    check_curvatures()
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


def test_values(values):
    last = values("momentum_cycle")["last"]
    assert last["heavy ball"][0] == pytest.approx(last["heavy ball"][3])
    assert last["Nesterov"][3] == last["gradient descent"][3] == 0
