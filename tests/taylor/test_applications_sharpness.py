"""The largest eigenvalue of the Hessian matrix and the learning rate."""

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.taylor.applications_sharpness import (
    Ends,
    curve_loss,
    curve_start,
    hessian_product,
    lanczos,
    plot_edge,
    sharpness_at,
    train_curve,
)


def test_the_product_is_that_with_the_hessian_matrix() -> None:
    theta = curve_start(1)
    hessian = torch.autograd.functional.hessian(curve_loss, theta)
    v = torch.linspace(-1, 1, 19, dtype=torch.float64)
    torch.testing.assert_close(hessian_product(theta, v), hessian @ v)


def test_lanczos_finds_both_ends() -> None:
    for theta in (curve_start(), train_curve(0.2, 500, 500)[-1]):
        hessian = torch.autograd.functional.hessian(curve_loss, theta)
        low, *_, high = torch.linalg.eigvalsh(hessian).tolist()
        ends = lanczos(lambda v, h=hessian: h @ v, torch.ones_like(theta))
        assert ends.converged
        assert (ends.smallest, ends.largest) == pytest.approx((low, high), rel=1e-6, abs=1e-6)
        for value, v in zip(ends[:2], ends.vectors.T, strict=True):
            assert (hessian @ v - value * v).norm() <= ends.residual + 1e-10
        assert sharpness_at(theta).converged
        assert sharpness_at(theta).largest == pytest.approx(high, rel=1e-9)


@pytest.mark.parametrize("ends", [(1.0, 8.0), (-8.0, 1.0), (-1.0, 8.0), (-8.0, -1.0)])
def test_converged_is_measured_by_the_larger_end(ends: tuple[float, float]) -> None:
    for residual, expected in ((7e-6, True), (9e-6, False)):
        assert Ends(*ends, residual, torch.eye(2)).converged is expected


def test_too_few_products_say_that_they_have_not_converged() -> None:
    hessian = torch.autograd.functional.hessian(curve_loss, curve_start())
    assert not lanczos(lambda v: hessian @ v, torch.ones(19, dtype=torch.float64), 3).converged


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


def test_training_stops_at_the_edge_of_stability(values: Callable[[str], Any]) -> None:
    shown = values("applications_sharpness")
    small, large = shown["late"][0.2], shown["late"][0.5]
    curve, limit = shown["curves"][0.5], 2 / 0.5
    assert max(curve) > 1.05 * limit
    assert large == pytest.approx(limit, rel=0.02)
    assert curve[0] < 0.7 * limit
    # with a rate that allows 10 the sharpness settles elsewhere
    assert small < 0.6 * 2 / 0.2
    assert small > 1.1 * large


@pytest.mark.proves(
    "applications-edge",
    kind="caption",
    range="η = 0.2, 0.5; 1500 steps",
    effect="{val:applications_sharpness.late[0.5]:.2f}",
)
def test_the_figure_shows_the_edge() -> None:
    """At 0.5 it rises above 4 twice, falls back, is within 1% from step 1000; at 0.2 below 5."""
    figure = plot_edge()
    (axis,) = figure.axes
    small, large, limit = axis.lines
    assert limit.get_linestyle() == "--"
    level = float(np.asarray(limit.get_ydata())[0])
    assert level == 4.0
    np.testing.assert_allclose(np.asarray(large.get_ydata())[-10:], level, rtol=0.02)
    assert (np.asarray(small.get_ydata())[-10:] > 1.1 * level).all()
    above = np.asarray(large.get_ydata()) > level
    assert (np.diff(above.astype(int)) == 1).sum() == 2
    assert (np.diff(above.astype(int)) == -1).sum() == 2
    late = np.asarray(large.get_xdata()) >= 1000
    assert late.sum() == 11
    assert np.abs(np.asarray(large.get_ydata())[late] / level - 1).max() < 0.01
    assert np.asarray(small.get_ydata()).max() < 5 < 2 / 0.2
    plt.close(figure)
