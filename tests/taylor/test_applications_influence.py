"""Influence functions against retraining without each sample."""

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression, Ridge

from x0.taylor.applications_influence import (
    fit_logistic,
    leave_one_out,
    plot_retraining,
    ridge_ratio,
    threes_and_eights,
)


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
def test_taylor_predicts_retraining_which_is_no_optimization_algorithm(
    values: Callable[[str], Any],
) -> None:
    shown = values("applications_influence")
    assert shown["correlations"][0.1][0] > 0.998
    assert shown["slopes"][0.1][0] == pytest.approx(1.046, abs=0.005)
    guess, truth, *_ = leave_one_out(0.1)
    assert np.abs(guess - truth).max() < 0.15 * np.abs(truth).max()
    assert np.corrcoef(-guess, truth)[0, 1] < -0.9  # the wrong sign is rejected


@pytest.mark.proves(
    "applications-division",
    kind="cause",
    seeds=20,
    range="weight decay 0.1, 0.0001",
    effect="{val:applications_influence.left[1e-4]:.2f} → {val:applications_influence.linear[1e-4]:.2f}",
)
def test_the_division_leaves_less_of_the_linear_part(values: Callable[[str], Any]) -> None:
    """Of the change's linear part the division leaves less of the error than of the change."""
    shown = values("applications_influence")
    for decay in (0.1, 1e-4):
        (whole, error), (linear, other) = shown["left"][decay], shown["linear"][decay]
        assert whole - linear > 4 * (error**2 + other**2) ** 0.5
        mean, error = shown["slopes"][decay]
        assert mean > 1 + 4 * error
        assert abs(shown["divided"][decay][0] - 1) < 0.3 * (mean - 1)
    # the parameters themselves: a division repairs most of them
    x, y, _, _ = threes_and_eights()
    theta, hessian = fit_logistic(x, y, np.ones((1, 150)), 1e-4)
    p = 1 / (1 + np.exp(-x @ theta[0]))
    solved = np.linalg.solve(hessian[0], x.T).T
    shift = (p - y)[:, None] * solved / 150
    leverage = np.sum(x * solved, 1) * p * (1 - p) / 150
    moved = fit_logistic(x, y, 1 - np.eye(150), 1e-4)[0] - theta
    left = np.linalg.norm(shift / (1 - leverage)[:, None] - moved)
    assert left < 0.2 * np.linalg.norm(shift - moved)


def test_weak_decay_breaks_the_first_order(values: Callable[[str], Any]) -> None:
    shown = values("applications_influence")
    assert shown["slopes"][1e-4][0] > 2.5
    assert shown["correlations"][1e-4][0] < 0.95
    x, y, _, _ = threes_and_eights()
    theta, _ = fit_logistic(x, y, np.ones((1, 150)), 1e-4)
    p = 1 / (1 + np.exp(-x @ theta[0]))
    assert np.abs((p - y) @ x / 150 + 1e-4 * theta[0]).max() < 1e-14  # it is an optimum
    assert shown["leverages"][1e-4] > 0.7 > 0.1 > shown["leverages"][0.1]


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


@pytest.mark.proves("applications-scatter", kind="caption", n="150", effect="7 % → 80 %")
def test_the_figure_shows_points_on_the_line_above_and_off_it_below() -> None:
    """Strong decay: within 7% of the largest change; weak decay: the farthest is off by 80%."""
    for decay, share in ((0.1, 0.067), (1e-4, 0.80)):
        guess, truth, *_ = leave_one_out(decay)
        assert len(guess) == 150
        farthest = np.abs(guess - truth).max() / np.abs(truth).max()
        assert farthest == pytest.approx(share, abs=0.005)
    figure = plot_retraining()
    for axis, close in zip(figure.axes, (True, False), strict=True):
        x, y = (np.asarray(v) for v in axis.lines[1].get_data())
        assert len(x) == 75
        assert (np.abs(y - x).max() < 0.15 * np.abs(y).max()) == close
    plt.close(figure)


def test_a_fit_may_start_anywhere() -> None:
    x, y, _, _ = threes_and_eights()
    theta, _ = fit_logistic(x, y, np.ones((1, 150)), 0.01)
    again, _ = fit_logistic(x, y, np.ones((2, 150)), 0.01, 1, theta[0])
    np.testing.assert_allclose(again, np.repeat(theta, 2, 0), rtol=1e-9)
