"""The error bar of an accuracy, and the interval that holds near 1."""

import math

import numpy as np
import pytest
from scipy import stats

from x0.training import datasets_error as error


@pytest.mark.parametrize(("hits", "tested"), [(0, 10), (10, 10), (7, 10), (355, 360)])
def test_interval_is_wilsons(hits, tested):
    oracle = stats.binomtest(hits, tested).proportion_ci(0.95, method="wilson")
    z = stats.norm.ppf(0.975)
    assert error.accuracy_interval(hits, tested, z) == pytest.approx(oracle, abs=1e-12)


def test_coverage_by_simulation():
    rng = np.random.default_rng(0)
    for tested, wilson in ((30, False), (30, True), (100, False)):
        hits = rng.binomial(tested, 0.98, 20_000)
        inside = 0
        for h in hits:
            p = h / tested
            half = 1.96 * math.sqrt(p * (1 - p) / tested)
            low, high = error.accuracy_interval(h, tested) if wilson else (p - half, p + half)
            inside += low <= 0.98 <= high
        rate = inside / len(hits)
        exact = error.interval_coverage(0.98, tested, wilson)
        assert abs(rate - exact) < 4 * math.sqrt(exact * (1 - exact) / len(hits))


def test_usual_interval_fails_near_one_and_wilsons_holds(values):
    shown = values("datasets_error")
    assert shown["usual"][30] < 0.5
    assert shown["usual"][100] < 0.9
    for tested in (30, 100, 360):
        assert 0.94 < shown["wilson"][tested] < 0.99


def test_spread_over_splits_is_the_binomial_one():
    found = error.split_accuracies()
    mean, std = found.mean(), found.std(ddof=1)
    theory = math.sqrt(mean * (1 - mean) / 360)
    # The splits share 1797 images: a little less than independent test sets.
    assert 0.75 * theory < std < 1.1 * theory
    assert mean == pytest.approx(0.988, abs=0.003)


def test_errors():
    for hits, tested, z in ((3, 2, 1.0), (-1, 2, 1.0), (0, 0, 1.0), (1, 2, 0.0)):
        with pytest.raises(ValueError, match=f"Received: hits={hits}, tested={tested}"):
            error.accuracy_interval(hits, tested, z)
