"""The largest eigenvalue of the Hessian matrix and the learning rate."""

from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.taylor.applications_sharpness import (
    curve_loss,
    curve_start,
    demo,
    hessian_product,
    plot_edge,
    sharpness_at,
    train_curve,
)

VALUES = cache(demo)


def test_the_product_is_that_with_the_hessian_matrix() -> None:
    theta = curve_start(1)
    hessian = torch.autograd.functional.hessian(curve_loss, theta)
    v = torch.linspace(-1, 1, 19, dtype=torch.float64)
    torch.testing.assert_close(hessian_product(theta, v), hessian @ v)


def test_power_iteration_finds_the_largest_eigenvalue() -> None:
    for theta in (curve_start(), train_curve(0.2, 500, 500)[-1]):
        hessian = torch.autograd.functional.hessian(curve_loss, theta)
        expected = torch.linalg.eigvalsh(hessian)[-1].item()
        assert sharpness_at(theta) == pytest.approx(expected, rel=1e-3)


@pytest.mark.parametrize(("factor", "stable"), [(0.95, True), (1.05, False)])
def test_a_minimum_is_stable_exactly_below_two_over_the_sharpness(
    factor: float, stable: bool
) -> None:
    best = train_curve(0.2, 1000, 1000)[-1]
    hessian = torch.autograd.functional.hessian(curve_loss, best)
    values, vectors = torch.linalg.eigh(hessian)
    rate = factor * 2 / values[-1].item()
    theta = (best + 1e-3 * vectors[:, -1]).requires_grad_()
    along = []
    for _ in range(12):
        along.append(abs(float((theta.detach() - best) @ vectors[:, -1])))
        (g,) = torch.autograd.grad(curve_loss(theta), theta)
        theta = (theta - rate * g).detach().requires_grad_()
    assert (along[-1] < along[0]) == stable
    assert along[1] / along[0] == pytest.approx(2 * factor - 1, abs=0.05)


def test_training_stops_at_the_edge_of_stability() -> None:
    values = VALUES()
    assert values["large_peak"] > 1.05 * values["large_limit"]
    assert values["large_late"] == pytest.approx(values["large_limit"], rel=0.02)
    assert values["large_start"] < 0.7 * values["large_limit"]
    # with a rate that allows 10 the sharpness settles elsewhere
    assert values["small_late"] < 0.6 * values["small_limit"]
    assert values["small_late"] > 1.1 * values["large_late"]


def test_the_figure_shows_the_edge() -> None:
    figure = plot_edge()
    (axis,) = figure.axes
    small, large, limit = axis.lines
    assert limit.get_linestyle() == "--"
    level = float(np.asarray(limit.get_ydata())[0])
    assert level == 4.0
    np.testing.assert_allclose(np.asarray(large.get_ydata())[-10:], level, rtol=0.02)
    assert (np.asarray(small.get_ydata())[-10:] > 1.1 * level).all()
    plt.close(figure)
