"""Dropout and noise on the inputs of a regression against the ridge penalties that they amount to."""

import matplotlib.pyplot as plt
import numpy as np
import pytest

from x0.training import regularization_linear as linear


def test_penalized_is_a_minimum():
    x, y = linear.problem()
    for a in (0.0, 0.3, np.array([0.1, 0.0, 2.0, 5.0])):
        w = linear.penalized(x, y, a)

        def loss(w, a=a):
            return ((y - x @ w) ** 2).sum() + len(x) * (np.broadcast_to(a, 4) * w**2).sum()

        for step in 1e-3 * np.vstack([np.eye(4), -np.eye(4)]):
            assert loss(w + step) > loss(w)


def test_training_ends_at_the_prediction(values):
    shown = values("regularization_linear")
    assert shown["apart"] < 0.05
    x, y = linear.problem()
    wrong = linear.penalized(x, y, 1.0)  # plain ridge is not it
    assert np.abs(wrong - shown["found"][0.5]).max() > 0.5


@pytest.mark.proves(
    "regularization-unit", kind="search", range="units 10⁻³…10³, p = 0.1…0.9", tolerance="10⁻⁸"
)
def test_units_do_not_matter_to_dropout():
    """In another unit of an input dropout predicts the same, and ridge predicts something else."""
    x, y = linear.problem()
    fresh = np.random.default_rng(1).standard_normal((30, 4)) * linear.SCALES
    for unit in (1e-3, 0.1, 10.0, 1e3):
        scale = np.array([1.0, unit, 1.0, 1.0])
        for p in (0.1, 0.5, 0.9):
            same, changed = (
                [
                    (fresh * s) @ linear.penalized(x * s, y, penalty(x * s))
                    for s in (np.ones(4), scale)
                ]
                for penalty in (
                    lambda z, p=p: linear.dropout_penalties(z, p),
                    lambda z, p=p: p / (1 - p),
                )
            )
            assert same[0] == pytest.approx(same[1], rel=1e-8, abs=1e-8)
            assert np.abs(changed[0] - changed[1]).max() > 0.01


@pytest.mark.proves("regularization-linear", kind="caption", tolerance="0.03")
def test_figure():
    """Points lie on the dashed lines; the small input is shrunk more by ridge than by dropout."""
    figure = linear.plot_shrink()
    large, large_ridge, points, small, small_ridge, small_points = figure.axes[0].lines
    for line, found in ((large, points), (small, small_points)):
        for x, y in zip(found.get_xdata(), found.get_ydata(), strict=True):
            assert y == pytest.approx(np.interp(x, line.get_xdata(), line.get_ydata()), abs=0.03)
    a, b, c, d = (line.get_ydata()[1:] for line in (large, small, large_ridge, small_ridge))
    assert np.abs(a - b).max() < 0.1
    assert (d < b).all()
    assert (c - d).max() > 0.3
    plt.close(figure)


def test_errors():
    x, y = linear.problem()
    with pytest.raises(ValueError, match="not be negative"):
        linear.penalized(x, y, -1.0)
    with pytest.raises(ValueError, match=r"drop=1\.0"):
        linear.dropout_penalties(x, 1.0)
