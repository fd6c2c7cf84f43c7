"""Figure reproducibility-seeds-coverage: two standard errors are too few for a few seeds."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy import stats

from x0.training import reproducibility_seeds as seeds


def test_factors_are_students():
    for count, factor in enumerate(seeds.T95, 2):
        assert factor == pytest.approx(stats.t.ppf(0.975, count - 1), abs=6e-4)


def test_two_standard_errors_cover_what_students_law_says():
    for count in (2, 3, 5, 10):
        share, error = seeds.covered(count, 2.0)
        assert abs(share - (2 * stats.t.cdf(2, count - 1) - 1)) < 4 * error < 0.05 * share
        assert abs(share - 0.9545) > 4 * error  # the normal law
        share, error = seeds.covered(count, seeds.T95[count - 2])
        assert abs(share - 0.95) < 4 * error


def test_how_much_shorter(values):
    shorter = values("reproducibility_seeds")["shorter"]
    for a, b in ((2, 3), (5, 10), (10, 20)):
        width = [stats.t.ppf(0.975, n - 1) / math.sqrt(n) for n in (a, b)]
        assert shorter[a, b] == pytest.approx(width[1] / width[0], abs=1e-3)


def test_closed_forms(values):
    theory = values("reproducibility_seeds")["theory"]
    assert theory[2] == pytest.approx(2 * stats.t.cdf(2, 1) - 1)
    assert theory[3] == pytest.approx(2 * stats.t.cdf(2, 2) - 1)


@pytest.mark.parametrize("count", [2, 5, 10])
def test_interval_is_scipys(count):
    results = np.random.default_rng(count).normal(97, 0.5, count)
    mean, half = seeds.seed_interval(results)
    oracle = stats.t.interval(0.95, count - 1, mean, results.std(ddof=1) / math.sqrt(count))
    assert (mean - half, mean + half) == pytest.approx(oracle, rel=1e-5)


def test_more_than_ten_seeds_are_on_the_safe_side():
    results = np.random.default_rng(0).normal(0, 1, 30)
    half = seeds.seed_interval(results)[1]
    assert half > stats.t.ppf(0.975, 29) * results.std(ddof=1) / math.sqrt(30)


def test_errors():
    for bad in (np.ones(1), np.array([1.0, np.nan])):
        with pytest.raises(ValueError, match="Expected 2 finite results"):
            seeds.seed_interval(bad)


def test_figure():
    figure = seeds.plot_coverage()
    usual, student = (figure.axes[0].lines[i].get_ydata() for i in (0, 1))
    assert max(usual) < 0.94
    assert min(student) > 0.94
    plt.close(figure)
