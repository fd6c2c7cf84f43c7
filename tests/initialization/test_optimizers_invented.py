"""N(0, 0.01): wrong under both readings, at most widths."""

import math

import numpy as np
import pytest

from x0.initialization import optimizers_invented as invented


@pytest.mark.claim("A-38")
@pytest.mark.parametrize("width", [64, 256, 1024])
def test_the_factor_depends_on_the_width(width):
    rng = np.random.default_rng(1)
    for variance in (1e-4, 1e-2):
        log = np.log(invented.fixed_std_growth(width, variance, rng)) / invented.DEPTH
        error = log.std() / math.sqrt(len(log))
        theory = math.log(width * variance / 2) - 5 / (2 * width)  # finite width
        assert abs(log.mean() - theory) < 4 * error + 6 / width**2
        assert abs(log.mean()) > 10 * error  # neither keeps q


@pytest.mark.claim("A-38")
def test_a_small_random_bias_does_not_help():
    """b ~ N(0, 0.001) read as a variance leaves only the bias behind, read as a std less."""
    rng = np.random.default_rng(2)
    for bias in (1e-6, 1e-3):
        q = 1.0
        for _ in range(20):
            q = 256 * 1e-4 / 2 * q + bias
        assert q == pytest.approx(bias / (1 - 0.0128), rel=1e-6)
    with pytest.raises(ValueError, match=r"Received: variance=0\.0"):
        invented.fixed_std_growth(8, 0.0, rng)


def test_values(values):
    left = values("optimizers_invented")
    assert left["predicted"]["std", 256] == pytest.approx(0.0128**10)
    assert left["predicted"]["variance", 256] == pytest.approx(1.28**10)
    mean, error = left["measured"]["variance", 256]
    assert abs(mean - 1.28**10) < 4 * error
