"""Figure early-stopping-ridge-filters: stopping shrinks like ridge, and the risks nearly agree."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest

from x0.training import early_stopping_ridge as ridge


def test_filter_is_gradient_descent():
    x, eigenvalues, vectors, truth = ridge.spiked_problem()
    y = x @ truth + np.random.default_rng(3).standard_normal(len(x))
    rate, theta = 1 / eigenvalues[-1], np.zeros(len(truth))
    for _ in range(17):
        theta -= rate * x.T @ (x @ theta - y) / len(x)
    solution = vectors.T @ np.linalg.lstsq(x, y, rcond=None)[0]
    shares = ridge.stopped_filter(eigenvalues, rate, 17)
    assert np.allclose(vectors.T @ theta, shares * solution)


def test_filter_is_ridge_regression():
    x, eigenvalues, vectors, truth = ridge.spiked_problem()
    y, penalty = x @ truth + 0.3, 0.2
    hessian = x.T @ x / len(x)
    theta = np.linalg.solve(hessian + penalty * np.eye(len(truth)), x.T @ y / len(x))
    solution = vectors.T @ np.linalg.lstsq(x, y, rcond=None)[0]
    assert np.allclose(vectors.T @ theta, ridge.ridge_filter(eigenvalues, penalty) * solution)


def test_filters_differ_by_less_than_30_percent_at_the_matching_penalty():
    eigenvalues = np.geomspace(1e-5, 1, 200)
    for steps in (1000, 3000):  # small steps: the flow
        stopped = ridge.stopped_filter(eigenvalues, 0.01, steps)
        kept = ridge.ridge_filter(eigenvalues, 1 / (0.01 * steps))
        ratio = stopped / kept
        assert ratio.min() > 0.999
        assert 1.29 < ratio.max() < 1.31


@pytest.mark.parametrize("steps", [5, 21, 200])
def test_measured_risk_is_the_predicted_one(steps):
    _, eigenvalues, vectors, truth = ridge.spiked_problem()
    distances, rate = ridge.measured_risks(steps)
    shares = ridge.stopped_filter(eigenvalues, rate, steps)
    predicted = ridge.spectral_risk(shares, eigenvalues, vectors.T @ truth)
    error = distances.std(ddof=1) / math.sqrt(len(distances))
    assert abs(distances.mean() - predicted) < 4 * error < 0.2 * predicted
    without_variance = ((1 - shares) ** 2 * (vectors.T @ truth) ** 2).sum()
    assert abs(distances.mean() - without_variance) > 4 * error


def test_best_stop_is_almost_as_good_as_the_best_penalty(values):
    shown = values("early_stopping_ridge")
    assert 0.95 < shown["stopped"] / shown["ridge"] < 1.1
    assert shown["stopped"] < 0.1 * shown["least_squares"]
    assert 0.8 < shown["oracle"] / shown["stopped"] < 1
    _, eigenvalues, vectors, truth = ridge.spiked_problem()
    zero = ridge.spectral_risk(np.zeros(ridge.FEATURES), eigenvalues, vectors.T @ truth)
    assert shown["stopped"] < 0.6 * zero
    matching = 1 / (shown["rate"] * shown["best_step"])
    assert 0.5 < matching / shown["best_penalty"] < 2


def test_errors():
    one = np.ones(1)
    with pytest.raises(ValueError, match="Received: steps=-1"):
        ridge.stopped_filter(one, 0.1, -1)
    with pytest.raises(ValueError, match=r"rate=2\.5"):
        ridge.stopped_filter(one, 2.5, 1)
    with pytest.raises(ValueError, match="Received: penalty=-1"):
        ridge.ridge_filter(one, -1)


@pytest.mark.proves("early-stopping-filters", kind="caption", range="λ = 10⁻⁴…1, t = 3, 30, 300")
def test_figure_shows_the_ridge_below_the_stopped_shares():
    """The shares coincide at small eigenvalues; in the middle stopping learns a little more."""
    figure = ridge.plot_filters()
    lines = figure.axes[0].lines
    for stopped, kept in zip(lines[::2], lines[1::2], strict=True):
        ratio = np.asarray(stopped.get_ydata()) / np.asarray(kept.get_ydata())
        assert ratio.min() > 0.99
        assert ratio.max() < 1.5
        assert ratio[0] == pytest.approx(1, abs=0.02)
        middle = (stopped.get_ydata() > 0.3) & (stopped.get_ydata() < 0.95)
        assert (ratio[middle] > 1.1).all()
    plt.close(figure)
