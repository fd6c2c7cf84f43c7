"""The descent lemma and the cliff at 2 / L."""

from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest

from x0.taylor.optimization_descent import (
    lipschitz_constant,
    margin_gradient,
    margin_loss,
    plot_decrease,
    signed_inputs,
    valley_distance,
)


def test_gradient_and_constant_belong_to_the_loss() -> None:
    data, rng = signed_inputs(), np.random.default_rng(3)
    w, d = rng.normal(size=(2, 4))
    slope = (margin_loss(w + 1e-5 * d, data) - margin_loss(w - 1e-5 * d, data)) / 2e-5
    assert margin_gradient(w, data) @ d == pytest.approx(slope, rel=1e-7)
    # at w = 0 the constant is reached, and half of it is violated there
    high = np.linalg.eigh(data.T @ data)[1][:, -1] * 1e-3
    change = np.linalg.norm(margin_gradient(high, data) - margin_gradient(0 * high, data)) / 1e-3
    assert change == pytest.approx(lipschitz_constant(data), rel=1e-5)


def test_inputs_keep_their_size_under_the_label() -> None:
    data = signed_inputs(40_000)
    assert (data**2).mean(0) == pytest.approx(np.ones(4), rel=0.03)
    # The label is the sign of a sum of two standard normal numbers, one of them the input.
    assert data.mean(0) == pytest.approx([1 / np.sqrt(np.pi), 0, 0, 0], abs=0.02)


@pytest.mark.claim("C-21")
def test_a_step_lowers_the_loss_below_two_over_l_without_minimizing_it(
    values: Callable[[str], Any],
) -> None:
    shown = values("optimization_descent")
    assert shown["above"] == shown["risen"] == 0
    assert shown["distances"][0.199] == pytest.approx(0.134, abs=1e-3)
    assert shown["distances"][0.2] == pytest.approx(1, abs=1e-9)
    assert shown["distances"][0.201] == pytest.approx(7.32, abs=0.01)
    # one step is no minimization: a second one lowers the loss again
    data, w = signed_inputs(), np.full(4, -1.0)
    losses = []
    for _ in range(3):
        losses.append(float(margin_loss(w, data)))
        w = w - margin_gradient(w, data) / lipschitz_constant(data)
    assert losses[0] > losses[1] > losses[2]
    # one sample's gradient can raise it, and lowers it on average
    w = np.full(4, -1.0)
    steps = np.array([w - 0.5 * margin_gradient(w, data[i : i + 1]) for i in range(len(data))])
    after, before = margin_loss(steps, data), float(margin_loss(w, data))
    assert after.max() > before > after.mean()


def test_half_the_constant_would_be_wrong() -> None:
    data, rng = signed_inputs(), np.random.default_rng(1)
    w, step = rng.normal(size=(2, 2000, 4)) * 0.3
    linear = margin_loss(w, data) + (margin_gradient(w, data) * step).sum(1)
    half = lipschitz_constant(data) / 4 * (step**2).sum(1)
    assert (margin_loss(w + step, data) > linear + half).any()


def test_the_cliff_is_at_two_over_the_largest_eigenvalue() -> None:
    assert valley_distance(0.19) < valley_distance(0.199) < 1 < valley_distance(0.201)


@pytest.mark.proves("optimization-decrease", kind="caption", range="η L = 0…4")
def test_the_figure_shows_the_decrease_above_the_bound_and_the_quadratic_on_it() -> None:
    """The bound is zero at 2; the quadratic lies on it; the logistic loss, of curvature < L, falls further."""
    data, start = signed_inputs(), np.full(4, -1.0)
    lipschitz = lipschitz_constant(data)
    for times in np.linspace(0, 4, 21):
        w = start - times / lipschitz * margin_gradient(start, data)
        p = 1 / (1 + np.exp(w @ data.T))
        hessian = (p * (1 - p) * data.T) @ data / len(data)
        assert np.linalg.eigvalsh(hessian)[-1] < lipschitz
    figure = plot_decrease()
    logistic, quadratic, bound = (np.asarray(line.get_ydata()) for line in figure.axes[0].lines[:3])
    assert (logistic[1:] > bound[::4][1:]).all()
    np.testing.assert_allclose(quadratic, bound[::4])
    rates = np.asarray(figure.axes[0].lines[2].get_xdata())
    assert bound[rates == 2].item() == pytest.approx(0, abs=1e-12)
    plt.close(figure)


@pytest.mark.proves("optimization-not-convex", kind="search", range="|x| = 1e-6…1e6")
def test_a_function_that_is_not_convex_satisfies_the_condition() -> None:
    """x^2 + 3 sin(x)^2 satisfies the condition with 1/32 and is not convex."""
    x = np.concatenate([np.geomspace(1e-6, 1e6, 200_001), np.linspace(1e-3, 60, 200_001)])
    value, slope = x**2 + 3 * np.sin(x) ** 2, 2 * x + 3 * np.sin(2 * x)
    assert (slope**2 >= 2 / 32 * value).all()  # even in x, least value 0
    assert (2 + 6 * np.cos(2 * x)).min() < -3.9
    for start in np.linspace(-50, 50, 201):
        end = start
        for _ in range(3000):
            end -= (2 * end + 3 * np.sin(2 * end)) / 8
        assert abs(end) < 1e-12
