"""Influence functions against retraining without each sample."""

from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from x0.taylor.applications_influence import (
    demo,
    fit_logistic,
    leave_one_out,
    plot_retraining,
    ridge_ratio,
    threes_and_eights,
)

VALUES = cache(demo)


def test_the_fit_is_scikit_learns() -> None:
    x, y, _, _ = threes_and_eights()
    theta, _ = fit_logistic(x, y, np.ones((1, 150)), 0.01)
    model = LogisticRegression(C=1 / (0.01 * 150), fit_intercept=False, tol=1e-10, max_iter=2000)
    np.testing.assert_allclose(theta, model.fit(x, y).coef_, atol=1e-5)


def test_a_weight_of_zero_is_a_fit_without_the_sample() -> None:
    x, y, _, _ = threes_and_eights()
    weights = np.ones((1, 150))
    weights[0, 7] = 0
    theta, _ = fit_logistic(x, y, weights, 0.01)
    rest = np.delete(np.arange(150), 7)
    # the mean still divides by 150: the decay of a fit on 149 samples is rescaled
    other, _ = fit_logistic(x[rest], y[rest], np.ones((1, 149)), 0.01 * 150 / 149)
    np.testing.assert_allclose(theta, other, rtol=1e-9)


@pytest.mark.claim("C-09")
def test_taylor_predicts_retraining_which_is_no_optimization_algorithm() -> None:
    values = VALUES()
    assert values["strong_correlation"] > 0.999
    assert values["strong_slope"] == pytest.approx(1.05, abs=0.01)
    guess, truth, _ = leave_one_out(0.1)
    assert np.abs(guess - truth).max() < 0.15 * np.abs(truth).max()
    assert np.corrcoef(-guess, truth)[0, 1] < -0.9  # the wrong sign is rejected


def test_weak_decay_breaks_the_first_order() -> None:
    values = VALUES()
    assert values["weak_slope"] > 1.8
    assert values["weak_correlation"] < 0.9
    assert values["weak_leverage"] > 0.7 > 0.1 > values["strong_leverage"]


def test_for_ridge_regression_the_leverage_is_the_whole_story() -> None:
    for decay in (0.01, 1.0):
        leverage, ratio = ridge_ratio(decay)
        np.testing.assert_allclose(ratio, 1 / (1 - leverage), rtol=1e-8)
        first_order = np.abs(1 + leverage - ratio)
        np.testing.assert_allclose(first_order, leverage**2 / (1 - leverage), rtol=1e-6)
    x, y, _, _ = threes_and_eights()
    rest = np.arange(1, 150)
    model = Ridge(alpha=150 * 0.01, fit_intercept=False)
    left_out = model.fit(x[rest], y[rest]).predict(x[:1])[0] - y[0]
    fitted = model.fit(x, y).predict(x[:1])[0] - y[0]
    assert left_out / fitted == pytest.approx(ridge_ratio(0.01)[1][0], rel=1e-6)


def test_the_figure_shows_points_on_the_line_above_and_off_it_below() -> None:
    figure = plot_retraining()
    for axis, close in zip(figure.axes, (True, False), strict=True):
        x, y = (np.asarray(v) for v in axis.lines[1].get_data())
        assert len(x) == 75
        assert (np.abs(y - x).max() < 0.15 * np.abs(y).max()) == close
    plt.close(figure)
