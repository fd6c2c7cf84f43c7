"""One Newton step on the mean squared error of a line is least squares."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch
from sklearn.linear_model import LinearRegression
from sklearn.metrics import mean_squared_error

from x0.taylor.linear_regression import (
    line_data,
    line_gradient,
    line_hessian,
    line_loss,
    newton_line,
)


def autograd(theta: np.ndarray, x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    inputs, targets = torch.from_numpy(x), torch.from_numpy(y)

    def loss(point: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.mse_loss(point[0] * inputs + point[1], targets)

    point = torch.tensor(theta, requires_grad=True)
    (gradient,) = torch.autograd.grad(loss(point), point)
    return gradient.numpy(), torch.autograd.functional.hessian(loss, point.detach()).numpy()


def test_the_local_generator_draws_what_the_global_seed_draws() -> None:
    state = np.random.get_state()
    try:
        np.random.seed(0)
        inputs = np.random.rand(100, 1)
        targets = 3 * inputs + 2 + np.random.rand(100, 1)
        w, b = np.random.randn(1, 1), np.random.randn(1, 1)
    finally:
        np.random.set_state(state)
    x, y, start = line_data()
    assert np.array_equal(x, inputs[:, 0])
    assert np.array_equal(y, targets[:, 0])
    assert np.array_equal(start, [w.item(), b.item()])


@pytest.mark.claim("C-31")
@pytest.mark.claim("C-32")
def test_with_one_weight_for_all_samples_the_formulas_are_the_derivatives() -> None:
    w, b = sp.symbols("w b")
    x, y = sp.symbols("x:3"), sp.symbols("y:3")
    residuals = [w * x[i] + b - y[i] for i in range(3)]
    loss = sum(r**2 for r in residuals) / 3
    by_w = sp.Rational(2, 3) * sum(r * x[i] for i, r in enumerate(residuals))
    by_b = sp.Rational(2, 3) * sum(residuals)
    assert sp.simplify(sp.diff(loss, w) - by_w) == 0
    assert sp.simplify(sp.diff(loss, b) - by_b) == 0
    # with one weight per sample there is no single derivative: it has three components
    many = sp.symbols("w:3")
    indexed = sum((many[i] * x[i] + b - y[i]) ** 2 for i in range(3)) / 3
    assert all(sp.diff(indexed, v) != 0 for v in many)
    inputs, targets, start = line_data()
    expected, _ = autograd(start, inputs, targets)
    np.testing.assert_allclose(line_gradient(start, inputs, targets), expected, rtol=1e-12)


@pytest.mark.claim("C-30")
def test_one_weight_per_sample_fits_any_targets_without_loss() -> None:
    x, y, _ = line_data()
    for b in (-1.0, 0.0, 7.0):
        weights = (y - b) / x
        assert np.mean((weights * x + b - y) ** 2) < 1e-20
    best = newton_line(np.zeros(2), x, y)
    assert line_loss(best, x, y) > 0.07  # one weight cannot


@pytest.mark.claim("C-34")
@pytest.mark.claim("C-44")
def test_the_gradient_is_exact_and_needs_no_expansion() -> None:
    x, y, start = line_data()
    for theta in (start, np.array([50.0, -3.0])):
        expected, hessian = autograd(theta, x, y)
        np.testing.assert_allclose(line_gradient(theta, x, y), expected, rtol=1e-12)
        np.testing.assert_allclose(line_hessian(x), hessian, rtol=1e-12)
    # what an expansion gives is the gradient elsewhere, here without any error
    step = np.array([0.7, -4.0])
    there = line_gradient(start, x, y) + line_hessian(x) @ step
    np.testing.assert_allclose(there, line_gradient(start + step, x, y), rtol=1e-12)


@pytest.mark.proves("linear-regression-one-step", kind="search", n="300", range="θ = ±1e-3…±1e6")
def test_from_any_start_one_newton_step_is_least_squares() -> None:
    """From any start one Newton step is least squares."""
    rng = np.random.default_rng(0)
    for scale in np.geomspace(1e-3, 1e6, 10):
        for _ in range(30):
            x, y = rng.normal(size=(2, rng.integers(3, 50)))
            found = newton_line(scale * rng.normal(size=2), x, y)
            best = np.linalg.lstsq(np.column_stack([x, np.ones_like(x)]), y, rcond=None)[0]
            np.testing.assert_allclose(found, best, atol=1e-9 * max(1, scale))


@pytest.mark.claim("C-27")
@pytest.mark.parametrize("start", [(1.7, -2.2), (0.0, 0.0), (1e4, -1e4)])
def test_the_second_order_model_is_exact_and_one_step_solves_the_problem(
    start: tuple[float, float],
) -> None:
    x, y, _ = line_data()
    found = newton_line(np.array(start), x, y)
    model = LinearRegression().fit(x[:, None], y)
    np.testing.assert_allclose(found, [model.coef_[0], model.intercept_], rtol=1e-9)
    np.testing.assert_allclose(found, [2.93655106, 2.55808002], atol=5e-9)
    step = found - np.array(start)
    g, hessian = line_gradient(np.array(start), x, y), line_hessian(x)
    quadratic = line_loss(np.array(start), x, y) + g @ step + step @ hessian @ step / 2
    assert quadratic == pytest.approx(line_loss(found, x, y), abs=1e-6)
    first_order = line_loss(np.array(start), x, y) + g @ step
    assert abs(first_order - line_loss(found, x, y)) > 1  # the linear model is not


@pytest.mark.claim("C-29")
@pytest.mark.claim("C-37")
def test_the_loss_is_the_mean_squared_error_of_a_line() -> None:
    x, y, start = line_data()
    for w, b in (start, (3.0, 2.5)):
        expected = mean_squared_error(y, [w * value + b for value in x])
        assert line_loss(np.array([w, b]), x, y) == pytest.approx(expected, rel=1e-12)
    best = newton_line(start, x, y)
    assert line_loss(best, x, y) == pytest.approx(0.0762, abs=5e-5)  # what a log would show


def test_the_eigenvalues_of_the_page(values: Callable[[str], Any]) -> None:
    shown = values("linear_regression")
    low, high = shown["low"], shown["high"]
    assert low == pytest.approx(0.1341, abs=5e-5)
    assert high == pytest.approx(2.4792, abs=5e-5)
    assert high / low == pytest.approx(18.49, abs=5e-3)
    assert shown["limit"] == pytest.approx(0.8067, abs=5e-5)
    assert 2 / (low + high) == pytest.approx(0.7653, abs=5e-5)
    assert (high - low) / (high + low) == pytest.approx(0.8974, abs=5e-5)
    assert shown["noise"] == pytest.approx(0.5281, abs=5e-5)


def test_equal_inputs_are_refused() -> None:
    with pytest.raises(ValueError, match=r"two different values.*Received"):
        newton_line(np.zeros(2), np.full(5, 0.3), np.ones(5))


@pytest.mark.parametrize("shapes", [((2,), (5, 1), (5,)), ((2,), (5,), (5, 1)), ((1,), (5,), (5,))])
def test_shapes_that_would_broadcast_are_refused(shapes: tuple[tuple[int, ...], ...]) -> None:
    theta, x, y = (np.ones(shape) for shape in shapes)
    with pytest.raises(ValueError, match="Received: "):
        line_gradient(theta, x, y)


# The calls of the section on frameworks


@pytest.mark.proves("linear-regression-squared", kind="fact", tolerance="relative 1e-8")
def test_the_condition_number_of_the_matrix_is_that_of_the_design_squared() -> None:
    """The condition number of H is that of the design matrix squared."""
    x, _, _ = line_data()
    for shift in (0.0, 1.0, 10.0):
        design = np.column_stack([x + shift, np.ones_like(x)])
        expected = np.linalg.cond(design) ** 2
        assert np.linalg.cond(line_hessian(x + shift)) == pytest.approx(expected, rel=1e-8)


@pytest.mark.proves("linear-regression-shapes", kind="call")
def test_scikit_learn_keeps_the_shape_of_the_targets() -> None:
    """`LinearRegression().fit(X, y)`: X has two dimensions; y of (m, 1) gives (1, 1)."""
    x, y, _ = line_data()
    assert LinearRegression().fit(x[:, None], y[:, None]).coef_.shape == (1, 1)
    assert LinearRegression().fit(x[:, None], y).coef_.shape == (1,)
    with pytest.raises(ValueError, match="2D array"):
        LinearRegression().fit(x, y)


@pytest.mark.proves("linear-regression-no-grad", kind="call")
def test_a_trainable_tensor_is_updated_without_recording() -> None:
    """Inside `torch.no_grad()` the shapes are refused; without it another error comes first."""
    w = torch.ones(1, 1, requires_grad=True)
    with pytest.raises(RuntimeError, match="a leaf Variable that requires grad"):
        w -= torch.ones(1, 1)
    shapes = r"output with shape \[1, 1\] doesn't match the broadcast shape \[100, 1\]"
    with torch.no_grad(), pytest.raises(RuntimeError, match=shapes):
        w -= torch.ones(100, 1)
    with torch.no_grad():
        w -= torch.ones(1, 1)
    assert w.item() == 0
