"""The broadcast error, reproduced, and what each repair computes."""

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.taylor.linear_regression_repairs import (
    broadcast_error,
    descend_reduced,
    line_data,
    one_newton_step,
    plot_fits,
)


def loss(w: np.ndarray, b: np.ndarray) -> float:
    x, y, _ = line_data()
    return float(np.mean((w[:, 0] * x + b[:, 0] - y) ** 2))


@pytest.mark.claim("C-39")
def test_in_place_numpy_refuses_at_the_first_step() -> None:
    assert broadcast_error() == (
        "non-broadcastable output operand with shape (1,1) doesn't match the broadcast shape (100,1)"
    )
    x, y, start = line_data()
    w, b = start[:1, None].copy(), start[1:, None].copy()
    per_sample = -2 / len(y) * (y[:, None] - (w * x[:, None] + b))
    with pytest.raises(ValueError, match="non-broadcastable output operand"):
        w -= 0.01 * per_sample * x[:, None]
    with pytest.raises(RuntimeError, match="doesn't match the broadcast shape"):
        torch.zeros(1, 1).sub_(torch.ones(100, 1))


@pytest.mark.claim("C-38")
def test_without_the_sum_there_is_one_number_per_sample_and_it_is_no_derivative() -> None:
    x, y, start = line_data()
    per_sample = 2 / len(x) * (start[0] * x + start[1] - y)[:, None]
    assert per_sample.shape == (100, 1)
    # it is the derivative by the prediction of each sample
    prediction = torch.from_numpy(start[0] * x + start[1]).requires_grad_()
    torch.nn.functional.mse_loss(prediction, torch.from_numpy(y)).backward()
    np.testing.assert_allclose(per_sample[:, 0], prediction.grad, rtol=1e-12)
    # the derivatives by w and b are its sums
    point = torch.from_numpy(start.copy()).requires_grad_()
    out = point[0] * torch.from_numpy(x) + point[1]
    torch.nn.functional.mse_loss(out, torch.from_numpy(y)).backward()
    sums = [(per_sample[:, 0] * x).sum(), per_sample.sum()]
    np.testing.assert_allclose(sums, point.grad, rtol=1e-12)


@pytest.mark.claim("C-40")
@pytest.mark.proves("linear-regression-silent", kind="call", effect="100 × w")
def test_the_naive_repair_trains_one_model_per_sample_and_the_mean_divides_twice() -> None:
    """`w = w - …` raises nothing and the result is wrong: one w for each sample."""
    x, y, start = line_data()
    w, b = descend_reduced(start, x, y, 0.01, 1000, np.asarray)
    assert w.shape == b.shape == (100, 1)
    assert loss(w, b) == pytest.approx(11.96, abs=5e-3)
    factor = (1 - 2 * 0.01 / 100 * (x**2 + 1)) ** 1000
    residual = factor * (start[0] * x + start[1] - y)
    np.testing.assert_allclose(w[:, 0] * x + b[:, 0] - y, residual, rtol=1e-9)
    w, b = descend_reduced(start, x, y, 0.5, 20_000, np.asarray)  # 0.01 for 10^6 steps
    assert loss(w, b) < 1e-24  # far below least squares: every sample is memorized
    w, b = descend_reduced(start, x, y, 0.01, 1000, np.mean)
    assert (w.item(), b.item()) == pytest.approx((1.530, -0.284), abs=5e-4)
    assert loss(w, b) == pytest.approx(12.54, abs=5e-3)
    slow = descend_reduced(start, x, y, 0.01 / 100, 1000, np.sum)
    np.testing.assert_allclose((w, b), slow, rtol=1e-12)


@pytest.mark.claim("C-43")
def test_the_weights_are_arrays_until_item_is_called() -> None:
    x, y, start = line_data()
    w, _ = descend_reduced(start, x, y, 0.01, 3, np.sum)
    assert w.shape == (1, 1)
    assert str(w).startswith("[[")
    assert isinstance(w.item(), float)


@pytest.mark.claim("C-36")
def test_the_model_is_right_for_one_feature_and_silently_wrong_for_two() -> None:
    x, _, start = line_data()
    w = np.array([[2.0]])
    assert (w * x[:, None]).shape == (100, 1)
    two = np.column_stack([x, x**2])
    wrong = w * two + start[1]
    assert wrong.shape == (100, 2)  # no error, no dot product
    weights = np.array([[2.0], [-1.0]])
    assert (two @ weights + start[1]).shape == (100, 1)


def test_the_sum_and_newton_fit_the_data(values: Callable[[str], Any]) -> None:
    shown = values("linear_regression_repairs")
    assert tuple(shown["lines"]["sum"]) == pytest.approx((2.944, 2.555), abs=5e-4)
    assert tuple(shown["lines"]["Newton"]) == pytest.approx((2.93655, 2.55808), abs=5e-6)
    assert shown["losses"]["sum"] == pytest.approx(0.0762, abs=5e-5)
    assert shown["memorized"] < 1e-7 < shown["losses"]["Newton"]
    x, y, start = line_data()
    for theta in (start, np.array([100.0, 3.0])):
        w, b = one_newton_step(theta, x, y)
        assert (w.item(), b.item()) == pytest.approx((2.93655106, 2.55808002), abs=5e-8)


@pytest.mark.proves("linear-regression-fits", kind="caption", n="100", tolerance="0.01")
def test_the_figure_shows_two_fits_in_the_data_and_two_below() -> None:
    """Sum and Newton differ by less than 0.01; unsummed ≥ 2 below; divided twice below all data."""
    figure = plot_fits()
    (axis,) = figure.axes
    data, naive, mean, total, newton = axis.lines
    y = np.asarray(data.get_ydata())
    assert len(y) == len(np.asarray(naive.get_ydata())) == 100
    assert (np.asarray(naive.get_ydata()) < y - 2).all()
    assert np.asarray(mean.get_ydata()).max() < y.min()
    np.testing.assert_allclose(total.get_ydata(), newton.get_ydata(), atol=0.01)
    assert y.min() < np.asarray(newton.get_ydata()).mean() < y.max()
    plt.close(figure)
