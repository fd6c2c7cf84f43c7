"""Hold, then fall: the early factors do not know the end, and the end is below the floor."""

import itertools

import numpy as np
import pytest

from x0.training import learning_rate_noise as noise
from x0.training import learning_rate_stable as stable


@pytest.mark.parametrize(("warmup", "fall"), [(1, 10), (5, 20), (10, 90)])
def test_the_factors_rise_stay_and_fall(warmup, fall):
    factors = [stable.warmup_stable_decay(t, 100, warmup, fall) for t in range(101)]
    assert factors[:warmup] == [(t + 1) / warmup for t in range(warmup)]
    assert set(factors[warmup - 1 : 100 - fall + 1]) == {1.0}
    steps = np.diff(factors[100 - fall :])
    assert np.allclose(steps, -1 / fall)
    assert factors[100] == 0


@pytest.mark.proves("learning-rate-late", kind="search", range="total = 40…400, fall = 5…30")
def test_until_the_fall_the_total_does_not_matter():
    """Until the fall begins, the factor is the same for every total number of steps."""
    for total, fall in itertools.product((40, 100, 400), (5, 12, 30)):
        for step in range(total - fall + 1):
            longer = stable.warmup_stable_decay(step, 10 * total, 8, fall)
            assert stable.warmup_stable_decay(step, total, 8, fall) == longer


def test_wrong_parts_are_refused():
    for step, total, warmup, fall in ((0, 10, 6, 5), (11, 10, 2, 2), (-1, 10, 2, 2), (0, 10, 2, 0)):
        with pytest.raises(ValueError, match="Expected"):
            stable.warmup_stable_decay(step, total, warmup, fall)
    with pytest.raises(ValueError, match="Expected"):
        stable.inverse_root(-1, 3)


def test_the_recursion_is_that_of_the_measured_chains(values):
    error = values("learning_rate_stable")["error"]
    assert error["fixed rate"] == pytest.approx(noise.noise_floor(0.1, 1, 1), rel=1e-6)
    predicted = noise.predicted_error(lambda t: 0.1 * (1 - (t - 1) / 3000), 3001)
    assert error["line to zero"] == pytest.approx(predicted[-1], rel=1e-9)


@pytest.mark.proves("learning-rate-stable", kind="fact", range="fall = 30…2999")
def test_a_fall_goes_below_the_floor_and_a_longer_one_lower(values):
    """A fall over the last tenth divides the error of the fixed rate by more than 5; longer falls divide it further, the cosine more."""
    error = values("learning_rate_stable")["error"]
    assert error["fixed rate"] > 5 * error["stable, fall of 300"]
    falls = (30, 100, 300, 600, 1500, 2400, 2999)
    ends = [
        stable.squared_error(
            np.array([stable.warmup_stable_decay(t, 3000, 1, fall) for t in range(3000)])
        )
        for fall in falls
    ]
    assert ends == sorted(ends, reverse=True)
    assert error["cosine"] < min(ends)


def test_inverse_root_is_continuous_and_halves_with_four_times_the_steps():
    factors = [stable.inverse_root(t, 100) for t in range(1000)]
    assert max(factors) == factors[99] == 1
    assert np.abs(np.diff(factors)).max() < 0.011
    assert factors[399] == pytest.approx(0.5)
