"""At the border of what they accept, and at the smallest sizes, the functions give what one finds by hand."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from borders import names, near
from x0.taylor import (
    applications,
    applications_influence,
    linear_regression,
    multivariate,
    multivariate_bound,
    multivariate_check,
    multivariate_exercises,
    optimization,
    optimization_momentum,
    optimization_norms,
    optimization_paths,
    optimization_saddles,
    univariate,
    univariate_autograd,
    univariate_divergence,
    univariate_exercises,
    univariate_orders,
    univariate_polynomials,
    univariate_radius,
    univariate_remainder,
    univariate_slopes,
    univariate_smooth,
)

ONE, PAIR = torch.ones(1, dtype=torch.float64), torch.tensor([1.0, 2.0], dtype=torch.float64)
TWO_SAMPLES = np.array([[1.0], [-1.0]]), np.array([1.0, 0.0])
LINE = np.array([0.0, 1.0]), np.array([1.0, 3.0])


def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


def bowl(x: Tensor) -> Tensor:
    """Curvatures 2 and 6, gradient (2 x, 6 y)."""
    return x[0] ** 2 + 3 * x[-1] ** 2 * (len(x) > 1)


def cube(x: Tensor) -> Tensor:
    return (x**3).sum()


def diagonal(v: Tensor) -> Tensor:
    return torch.tensor([2.0, 6.0], dtype=v.dtype) * v


def gradient_order(slope: Callable[[Any], Any], **settings: int) -> float:
    def function(x: Any) -> float:
        return float((x**2).sum())

    found = multivariate_check.check_gradient(function, slope, np.array([1.0, -2.0]), **settings)
    return round(found, 3)


def ends(function: Callable[[Tensor], Tensor], start: Tensor, count: int = 9) -> list[float]:
    found = optimization.lanczos(function, start, count)
    return [found.smallest, found.largest]


def lanczos_vectors() -> Tensor:
    return optimization.lanczos(diagonal, torch.ones(2, dtype=torch.float64)).vectors.abs()


def coefficients(function: Callable[[Tensor], Tensor], at: float, order: int) -> Tensor:
    return univariate.taylor_coefficients(function, at, order)


FOUND: list[tuple[Callable[[], Any], Any]] = [
    # tanh² = z² - 2/3 z⁴ + 17/45 z⁶; E[z⁴] = 3 q², E[z⁶] = 15 q³
    (lambda: applications.variance_coefficients(1), [1]),
    (lambda: applications.variance_coefficients(3), [1, -2, 17 / 3]),
    # labels and inputs of both signs: the gradient at 0 is -1/4, the curvature 1/4 + the decay
    (
        lambda: applications_influence.fit_logistic(*TWO_SAMPLES, np.ones((1, 2)), 0.75, 1),
        ([0.5], [1.0]),
    ),
    (lambda: linear_regression.newton_line(np.zeros(2), *LINE), [2, 1]),
    (lambda: linear_regression.newton_line(np.zeros(2), np.array([0.0, 1e-3]), LINE[1])[0], 2000),
    (lambda: linear_regression.line_gradient(np.array([2.0, 1.0]), *LINE), [0, 0]),
    (lambda: linear_regression.line_gradient(np.zeros(2), *LINE), [-3, -4]),
    (lambda: multivariate.taylor_terms(bowl, PAIR, 0 * PAIR), (13, 0, 0)),
    (lambda: multivariate.taylor_terms(bowl, PAIR, PAIR), (13, 26, 13)),
    (lambda: multivariate.taylor_terms(cube, ONE, 2 * ONE), (1, 6, 12)),
    (
        lambda: (lambda x: (x.low < 1 < x.high, x.high - x.low < 1e-15))(
            multivariate_bound.outward(1.0, 1.0)
        ),
        (True, True),
    ),
    (lambda: multivariate_bound.expand(lambda x: x, [2.0], [1.0], 0).value, 2),
    (lambda: multivariate_bound.expand(lambda x: x * x, [2.0], [1.0], 0).estimate, 4),
    (lambda: multivariate_bound.expand(lambda x: x * x, [2.0], [1.0], 2).coefficients, [4, 4, 1]),
    (lambda: multivariate_bound.expand(lambda x: x * x, [2.0], [1.0], 1).bound, 1),
    (lambda: gradient_order(lambda x: 2 * x, directions=1, seed=0), 2),
    (lambda: gradient_order(lambda x: 2 * x + 1, directions=1), 1),
    (
        lambda: multivariate_exercises.trace_estimate(bowl, PAIR, 2, generator()),
        (8, 0),
    ),
    (lambda: multivariate_exercises.trace_estimate(torch.sum, PAIR, 2, generator()), (0, 0)),
    (lambda: multivariate_exercises.trace_estimate(cube, ONE, 2, generator()), (6, 0)),
    (lambda: ends(diagonal, torch.ones(2).double(), 1), (4, 4)),
    (lambda: ends(diagonal, torch.ones(2).double(), 2), (2, 6)),
    (lambda: ends(diagonal, torch.tensor([0.0, 1e-30]).double()), (6, 6)),
    (lanczos_vectors, torch.eye(2)),
    (lambda: optimization.newton_step(bowl, PAIR), [-1, -2]),
    (lambda: optimization.newton_step(cube, 4 * ONE), [-2]),
    (lambda: optimization_momentum.best_momentum(4.0, 4.0), (0.25, 0)),
    (lambda: optimization_momentum.best_momentum(1.0, 9.0), (0.25, 0.25)),
    (lambda: optimization_norms.steepest_step(-PAIR[None], 0.5, "euclidean"), [0.5, 1]),
    (lambda: optimization_norms.steepest_step(-PAIR[None], 0.5, "entry"), [1.5, 1.5]),
    (
        lambda: optimization_norms.steepest_step(torch.diag(-PAIR), 0.5, "spectral"),
        [1.5, 0, 0, 1.5],
    ),
    (lambda: optimization_paths.descent_path(1e-9, 0), [-1, 3]),
    (lambda: optimization_saddles.second_order(bowl, PAIR), ([2, 12], [2, 0, 0, 6])),
    (lambda: optimization_saddles.second_order(cube, ONE), (3, 6)),
    (lambda: optimization_saddles.second_order(torch.sum, PAIR), ([1, 1], [0] * 4)),
    (lambda: coefficients(torch.exp, 0.0, 0), [1]),
    (lambda: coefficients(torch.exp, 0.0, 3), [1, 1, 1 / 2, 1 / 6]),
    (lambda: coefficients(torch.square, 3.0, 3), [9, 6, 1, 0]),
    (lambda: len(coefficients(torch.square, 3.0, 170)), 171),
    (lambda: univariate.taylor_polynomial(PAIR, 3 * ONE), [7]),
    (lambda: univariate.taylor_polynomial(ONE, 3 * ONE), [1]),
    (lambda: univariate.remainder_estimate(torch.exp, 0.0, 0, -0.5), 0.5),
    (lambda: univariate.remainder_estimate(torch.exp, 0.0, 1, -0.5), 0.125),
    (lambda: univariate_autograd.nested_gradient(torch.square, 0)(torch.tensor(3.0)), 9),
    (lambda: univariate_autograd.nested_gradient(torch.square, 2)(torch.tensor(3.0)), 2),
    (lambda: univariate_divergence.tanh_coefficients(0), [0]),
    (lambda: univariate_divergence.tanh_coefficients(5), [0, 1, 0, -1 / 3, 0, 2 / 15]),
    # e^(θ h) = (e^h - 1) / h, and for order 1 = 2 (e^h - 1 - h) / h²
    (
        lambda: univariate_exercises.intermediate_fraction(0, 1.0),
        math.log(math.e - 1),
    ),
    (
        lambda: univariate_exercises.intermediate_fraction(1, -1.0),
        -math.log(2 / math.e),
    ),
    (lambda: univariate_exercises.intermediate_fraction(2, 1e-4), 1 / 4 + 1e-4 * 3 / 160),
    (lambda: univariate_exercises.sufficient_order(0.0, 1e-300), 0),
    (lambda: univariate_exercises.sufficient_order(1.0, 1.0), 0),
    (lambda: univariate_exercises.sufficient_order(1.0, 0.5), 1),
    (lambda: univariate_exercises.sufficient_order(1.0, 0.49), 2),
    (lambda: univariate_orders.predicted_order(0.0, 1e-300), 1),
    (lambda: univariate_orders.predicted_order(3.14, 1.0), 1),
    (lambda: univariate_polynomials.closed_form("log1p", 3), [0, 1, -1 / 2, 1 / 3]),
    (lambda: univariate_polynomials.closed_form("sin", 5), [0, 1, 0, -1 / 6, 0, 1 / 120]),
    (lambda: univariate_polynomials.closed_form("runge", 4), [1, 0, -1, 0, 1]),
    (lambda: univariate_polynomials.closed_form("flat", 0), [0]),
    (lambda: univariate_radius.circle_coefficients(np.exp, 0.0, 0, 0.5), [1]),
    (lambda: univariate_radius.circle_coefficients(np.exp, 0.0, 3, 0.5), [1, 1, 1 / 2, 1 / 6]),
    (lambda: univariate_radius.circle_coefficients(np.square, 3.0, 2, 0.5), [9, 6, 1]),
    (lambda: univariate_radius.radius_estimate(0.25 ** np.arange(24)), 4),
    (lambda: univariate_radius.radius_estimate(3.0 ** np.arange(30)), 1 / 3),
    (lambda: univariate_remainder.remainder_bound(0.0, 0, 1.0), 0),
    (lambda: univariate_remainder.remainder_bound(3.0, 0, -2.0), 6),
    (lambda: univariate_remainder.remainder_bound(3.0, 1, -2.0), 6),
    (lambda: univariate_remainder.remainder_bound(3.0, 2, -2.0), 4),
    (lambda: univariate_remainder.remainder_bound(1e308, 1, 10.0), math.inf),
    (lambda: univariate_remainder.integral_remainder(np.exp, 0, 0.0, 1.0), math.e - 1),
    (lambda: univariate_remainder.integral_remainder(np.exp, 1, 0.0, -1.0), 1 / math.e),
    (lambda: univariate_remainder.integral_remainder(np.ones_like, 0, 0.0, 2.0, 1), 2),
    (lambda: univariate_slopes.slope(np.array([1.0, 2.0]), np.array([1e-300, 8e-300])), 3),
    (lambda: univariate_smooth.flat_polynomial(0).coef, [1]),
    # (e^(-1/x²))' = 2 u³ e^(-u²) with u = 1/x, and (2 u³)' = 4 u⁶ - 6 u⁴
    (lambda: univariate_smooth.flat_polynomial(1)(2.0), 16),
    (lambda: univariate_smooth.flat_polynomial(2)(2.0), 4 * 64 - 6 * 16),
]
REJECTED: list[Callable[[], Any]] = [
    lambda: applications.variance_coefficients(0),
    lambda: applications_influence.fit_logistic(*TWO_SAMPLES, np.ones((1, 2)), 0.5, 0),
    lambda: linear_regression.newton_line(np.zeros(2), np.ones(2), np.ones(2)),
    lambda: linear_regression.line_gradient(np.zeros(3), *LINE),
    lambda: linear_regression.line_gradient(np.zeros(2), np.ones(3), np.ones(2)),
    lambda: linear_regression.line_gradient(np.zeros(2), np.ones((2, 1)), np.ones((2, 1))),
    lambda: multivariate.taylor_terms(bowl, PAIR, ONE),
    lambda: multivariate.taylor_terms(bowl, torch.ones(2).long(), torch.ones(2).long()),
    lambda: multivariate.taylor_terms(torch.square, PAIR, PAIR),
    lambda: multivariate.taylor_terms(lambda x: x.detach().sum(), PAIR, PAIR),
    lambda: multivariate_bound.outward(-1.7976931348623157e308, 1.0),
    lambda: multivariate_bound.outward(1.0, 1.7976931348623157e308),
    lambda: multivariate_bound.exact(math.inf),
    lambda: multivariate_bound.expand(lambda x: x, [2.0], [1.0], -1),
    lambda: multivariate_bound.expand(lambda x: x, [2.0], [1.0, 1.0], 1),
    lambda: multivariate_bound.expand(lambda: 1, [], [], 1),
    lambda: multivariate_bound.expand(lambda x: 1.0, [2.0], [1.0], 1),
    lambda: gradient_order(lambda x: 2 * x, directions=0),
    lambda: gradient_order(lambda x: 2 * x, seed=-1),
    lambda: gradient_order(lambda x: x[:1]),
    lambda: multivariate_exercises.trace_estimate(bowl, PAIR, 1, generator()),
    lambda: multivariate_exercises.trace_estimate(bowl, PAIR[None], 2, generator()),
    lambda: multivariate_exercises.trace_estimate(bowl, PAIR[:0], 2, generator()),
    lambda: multivariate_exercises.trace_estimate(bowl, PAIR.long(), 2, generator()),
    lambda: multivariate_exercises.trace_estimate(torch.square, PAIR, 2, generator()),
    lambda: ends(diagonal, PAIR, 0),
    lambda: ends(diagonal, 0 * PAIR),
    lambda: ends(diagonal, PAIR[None]),
    lambda: ends(diagonal, PAIR.long()),
    lambda: ends(lambda v: v / 0, PAIR),
    lambda: optimization.newton_step(cube, 0 * ONE),
    lambda: optimization.newton_step(cube, -ONE),
    lambda: optimization.newton_step(bowl, PAIR[:0]),
    lambda: optimization_momentum.best_momentum(0.0, 1.0),
    lambda: optimization_momentum.best_momentum(2.0, 1.0),
    lambda: optimization_norms.steepest_step(PAIR, 0.5, "entry"),
    lambda: optimization_norms.steepest_step(PAIR[None].long(), 0.5, "entry"),
    lambda: optimization_norms.steepest_step(PAIR[None] / 0, 0.5, "entry"),
    lambda: optimization_norms.steepest_step(PAIR[None], 0.5, "none"),
    lambda: optimization_paths.descent_path(0.0, 1),
    lambda: optimization_paths.descent_path(math.inf, 1),
    lambda: optimization_saddles.second_order(bowl, PAIR[None]),
    lambda: optimization_saddles.second_order(bowl, PAIR[:0]),
    lambda: optimization_saddles.second_order(bowl, PAIR.long()),
    lambda: optimization_saddles.second_order(torch.square, PAIR),
    lambda: optimization_saddles.second_order(lambda x: x.detach().sum(), PAIR),
    lambda: optimization_saddles.second_order(lambda x: (x / 0).sum(), PAIR),
    lambda: optimization_saddles.second_order(lambda x: (x**1.5).sum(), 0 * ONE),
    lambda: coefficients(torch.exp, 0.0, -1),
    lambda: coefficients(torch.exp, 0.0, 171),
    lambda: coefficients(lambda x: x[None], 0.0, 1),
    lambda: coefficients(lambda x: x.float(), 0.0, 1),
    lambda: coefficients(lambda x: x.detach(), 0.0, 1),
    lambda: coefficients(torch.sqrt, 0.0, 1),
    lambda: univariate.taylor_polynomial(ONE[:0], ONE),
    lambda: univariate.taylor_polynomial(ONE[None], ONE),
    lambda: univariate.remainder_estimate(torch.exp, 0.0, -1, 1.0),
    lambda: univariate_autograd.nested_gradient(torch.square, -1),
    lambda: univariate_divergence.tanh_coefficients(-1),
    lambda: univariate_exercises.intermediate_fraction(-1, 1.0),
    lambda: univariate_exercises.intermediate_fraction(0, 0.0),
    lambda: univariate_exercises.intermediate_fraction(0, math.inf),
    lambda: univariate_exercises.sufficient_order(1.0, 0.0),
    lambda: univariate_exercises.sufficient_order(-1e-9, 1.0),
    lambda: univariate_exercises.sufficient_order(1.1e6, 1e300),
    lambda: univariate_orders.predicted_order(math.pi, 1.0),
    lambda: univariate_orders.predicted_order(0.0, 0.0),
    lambda: univariate_polynomials.closed_form("sin", -1),
    lambda: univariate_polynomials.closed_form("cos", 1),
    lambda: univariate_radius.circle_coefficients(np.exp, 0.0, -1, 0.5),
    lambda: univariate_radius.circle_coefficients(np.exp, 0.0, 1, 0.0),
    lambda: univariate_radius.circle_coefficients(np.exp, 0.0, 1, math.inf),
    lambda: univariate_radius.circle_coefficients(np.exp, math.inf, 1, 0.5),
    lambda: univariate_radius.circle_coefficients(np.exp, 0.0, 400, 0.1),
    lambda: univariate_radius.circle_coefficients(lambda z: 1 / z, 0.0, 1, 0.5),
    lambda: univariate_radius.radius_estimate(0.25 ** np.arange(23)),
    lambda: univariate_radius.radius_estimate(np.ones((5, 5))),
    lambda: univariate_radius.radius_estimate(np.zeros(24)),
    lambda: univariate_remainder.remainder_bound(1.0, -1, 1.0),
    lambda: univariate_remainder.remainder_bound(-1e-9, 0, 1.0),
    lambda: univariate_remainder.remainder_bound(math.inf, 0, 1.0),
    lambda: univariate_remainder.remainder_bound(1.0, 0, math.inf),
    lambda: univariate_remainder.integral_remainder(np.exp, -1, 0.0, 1.0),
    lambda: univariate_remainder.integral_remainder(np.exp, 0, 0.0, 1.0, 0),
    lambda: univariate_remainder.integral_remainder(np.exp, 0, 0.0, math.inf),
    lambda: univariate_slopes.slope(np.ones(1), np.ones(1)),
    lambda: univariate_slopes.slope(np.array([1.0, 0.0]), np.ones(2)),
    lambda: univariate_slopes.slope(np.array([1.0, 2.0]), np.array([1.0, 0.0])),
    lambda: univariate_smooth.flat_polynomial(-1),
]


@pytest.mark.parametrize(("call", "expected"), FOUND, ids=[names(call) for call, _ in FOUND])
def test_at_the_border_and_at_the_smallest_size(call: Callable[[], Any], expected: Any) -> None:
    assert near(call(), expected, 1e-7)


@pytest.mark.parametrize("call", REJECTED, ids=[names(call) for call in REJECTED])
def test_beyond_the_border_nothing_is_accepted(call: Callable[[], Any]) -> None:
    with pytest.raises(ValueError, match="Received"):
        call()
