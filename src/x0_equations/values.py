"""What a symbol of an equation can be bound to, besides numbers, arrays and SymPy expressions.

Arrays follow one convention: the last axis runs over the samples (or the quadrature nodes) that an
expectation sums over, the axis before it over independent points or jackknife replicates. So a
random quantity has shape (1, samples), an expectation of it (replicates, 1).
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
import sympy as sp
from numpy.typing import NDArray

Array = NDArray[np.float64]
GROUPS = 40  # of independent samples, for the jackknife
REPLICATES = GROUPS + 1  # the estimate from all samples, then those without one group each


class Indexed:
    """A symbol with subscripts: `q_{l-1}` is `indexed[l - 1]`, `w_{l,ij}` is `indexed[l, i, j]`.

    Args:
        value: Maps the indices, counted as in the equation, to the value.
        function: Whether the values are functions, as for `T_k(x)`.
    """

    def __init__(self, value: Callable[..., Any], *, function: bool = False) -> None:
        self.value = value
        self.function = function

    def __getitem__(self, index: int | tuple[int, ...]) -> Any:
        return self.value(*index) if isinstance(index, tuple) else self.value(index)


class Function:
    """A function with its derivatives: `Function(f, df)` has f(x) and f'(x)."""

    def __init__(self, *derivatives: Callable[[Any], Any]) -> None:
        self.derivatives = derivatives

    def __call__(self, x: Any) -> Any:
        """Return the value at x."""
        return self.derivatives[0](x)

    def derivative(self, order: int) -> Function:
        """Return the derivative of an order."""
        if not 0 <= order < len(self.derivatives):
            raise IndexError(f"the derivative of order {order} is not bound")
        return Function(*self.derivatives[order:])


class Field(Function):
    r"""A function of a vector, with its gradient and Hessian matrix: `\nabla f`, `\nabla^2 f`."""

    def derivative(self, order: int) -> Field:
        """Return the derivative of an order."""
        return Field(*super().derivative(order).derivatives)


class Smooth(Function):
    """A function given by a formula, differentiated by SymPy: `Smooth(sp.exp)`."""

    def __init__(self, formula: Callable[[sp.Symbol], sp.Expr]) -> None:
        self.x = sp.Symbol("x", real=True)
        self.expression = sp.sympify(formula(self.x))
        self.compiled = sp.lambdify(self.x, self.expression, "numpy")

    def __call__(self, x: Any) -> Any:
        """Return the value at x: a number, an array or an expression."""
        if isinstance(x, sp.Basic):
            return self.expression.subs(self.x, x)
        x = np.asarray(x) if np.iscomplexobj(x) else np.asarray(x, dtype=float)
        return self.compiled(x) + 0.0 * x  # a constant keeps the shape of x

    @cache  # noqa: B019 - a handful of functions, alive as long as the run
    def derivative(self, order: int) -> Smooth:
        """Return the derivative of an order."""
        if order < 0:
            raise IndexError(f"no derivative of order {order}")
        return Smooth(lambda x: sp.diff(self.expression.subs(self.x, x), x, order))


relu = Function(lambda z: np.maximum(z, 0.0), lambda z: (np.asarray(z) > 0) * 1.0)


def bent(left: float, right: float = 1.0) -> Function:
    """Return the function with two slopes: leaky ReLU if the right one is 1."""
    return Function(
        lambda z: np.where(np.asarray(z) > 0, right, left) * z,
        lambda z: np.where(np.asarray(z) > 0, right, left),
    )


class Fixed:
    r"""What `\E{… \mid h}` holds fixed: all samples were made with this one value of h."""

    def __init__(self, samples: Any) -> None:
        samples = np.asarray(samples, dtype=float)
        if np.ptp(samples, axis=-1).max() != 0.0:
            raise ValueError("the samples differ in what is given")


class Derivatives:
    r"""A quantity whose derivatives were computed by automatic differentiation.

    `\frac{\partial \loss}{\partial w_{l,ij}}` is `partial("w", l, i, j)`.
    """

    def __init__(self, partial: Callable[..., Any], value: Any = None) -> None:
        self.partial = partial
        self.value = value


class Matrix:
    """A matrix or column vector whose neighbour means the matrix product."""

    __array_ufunc__ = None  # NumPy leaves arithmetic with it to this class

    def __init__(self, array: Any) -> None:
        array = np.asarray(array, dtype=float)
        self.array: Array = array[:, None] if array.ndim == 1 else array

    @property
    def T(self) -> Matrix:
        """The transpose."""
        return Matrix(self.array.T)

    def __neg__(self) -> Matrix:
        return Matrix(-self.array)

    def __add__(self, other: Matrix) -> Matrix:
        if not isinstance(other, Matrix) or self.array.shape != other.array.shape:
            raise ValueError("a sum of different shapes")
        return Matrix(self.array + other.array)

    def __sub__(self, other: Matrix) -> Matrix:
        return self + -other

    def __mul__(self, other: Any) -> Any:
        if not isinstance(other, Matrix):
            return Matrix(self.array * other)
        product = self.array @ other.array
        return product.item() if product.shape == (1, 1) else Matrix(product)

    def __rmul__(self, other: float) -> Matrix:
        return Matrix(self.array * other)

    def __truediv__(self, other: float) -> Matrix:
        return Matrix(self.array / other)

    def __pow__(self, exponent: int) -> Matrix:
        return Matrix(np.linalg.matrix_power(self.array, exponent))

    def map(self, function: Callable[[Any], Any]) -> Matrix:
        """Apply a function to each entry."""
        return Matrix(function(self.array))

    def hadamard(self, other: Matrix) -> Matrix:
        """Return the elementwise product."""
        if self.array.shape != other.array.shape:
            raise ValueError("an elementwise product of different shapes")
        return Matrix(self.array * other.array)


# Expectations: what \E{…} and \Var{…} mean. ------------------------------------------------------


def sample_mean(values: Any) -> Any:
    """Estimate an expectation from samples, with jackknife replicates that carry its error.

    Args:
        values: Shape (1, samples), or (replicates, samples) if it holds an estimate itself.

    Returns:
        Shape (replicates, 1): the mean over all samples, then without each group in turn.
    """
    values = np.asarray(values, dtype=float)
    if values.ndim == 0 or values.shape[-1] == 1:
        return values  # not random
    samples = values.shape[-1]
    if samples % GROUPS:
        raise ValueError(f"samples must come in {GROUPS} equal groups. Received: {samples}")
    sums = values.reshape(values.shape[0], GROUPS, -1).sum(-1)
    left_out = (sums.sum(1, keepdims=True) - sums) / (samples - samples // GROUPS)
    if values.shape[0] == 1:
        return np.concatenate([values.mean(1), left_out[0]])[:, None]
    without_own = left_out[np.arange(1, REPLICATES), np.arange(GROUPS)]
    return np.concatenate([values[:1].mean(1), without_own])[:, None]


def jackknife(replicates: Array) -> tuple[float, float]:
    """Return the bias-corrected estimate and its standard error from replicates of shape (R, 1)."""
    whole, left_out = float(replicates.ravel()[0]), replicates.ravel()[1:]
    mean = float(left_out.mean())
    error = math.sqrt((GROUPS - 1) / GROUPS * float(((left_out - mean) ** 2).sum()))
    return GROUPS * whole - (GROUPS - 1) * mean, error


@cache
def _panels(low: float, high: float, count: int) -> tuple[Array, Array]:
    """Return nodes and weights, shape (1, N), of Gauss-Legendre quadrature on equal panels."""
    x, w = np.polynomial.legendre.leggauss(24)
    edges = np.linspace(low, high, count + 1)
    half = (edges[1:] - edges[:-1])[:, None] / 2
    nodes = (edges[:-1, None] + half) + half * x
    return nodes.reshape(1, -1), (half * w).reshape(1, -1)


def gaussian(variance: Any = 1.0) -> tuple[Array, Callable[[Any], Any]]:
    """Return a centred Gaussian variable and its expectation, by quadrature, exact at a kink in 0.

    Args:
        variance: A number, or points of shape (P, 1).

    Returns:
        The nodes of the variable, shape (P, N), and the function that `E` is bound to.
    """
    x, w = _panels(-12.0, 12.0, 24)
    return np.sqrt(variance) * x, _weighted(w * np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi))


def uniform(bound: Any = 1.0) -> tuple[Array, Callable[[Any], Any]]:
    """Return a variable that is uniform on (-bound, bound) and its expectation, by quadrature."""
    x, w = _panels(-1.0, 1.0, 2)
    return bound * x, _weighted(w / 2)


def discrete(values: Any, probabilities: Any) -> tuple[Array, Callable[[Any], Any]]:
    """Return a variable with finitely many values and its expectation."""
    weights = np.asarray(probabilities, dtype=float)[None]
    return np.asarray(values, dtype=float)[None], _weighted(weights)


def _weighted(weights: Array) -> Callable[[Any], Any]:
    def expectation(values: Any) -> Any:
        values = np.asarray(values, dtype=float)
        if values.ndim == 0 or values.shape[-1] == 1:
            return values * weights.sum()
        return (values * weights).sum(-1, keepdims=True)

    return expectation


def points(values: Any) -> Array:
    """Return independent points in the shape (P, 1) that keeps them apart from samples."""
    return np.asarray(values, dtype=float).reshape(-1, 1)


def integrate(function: Callable[[Array], Any], low: Any, high: Any) -> Any:
    """Integrate by quadrature; a range to infinity is cut at 0 and mapped double-exponentially."""
    if np.isinf(low) and np.isinf(high):
        return integrate(function, low, 0.0) + integrate(function, 0.0, high)
    if np.isinf(low):
        return integrate(lambda t: function(-t), -high, np.inf)
    if np.isinf(high):
        u, w = _panels(-3.6, 3.6, 30)
        t = np.exp(math.pi / 2 * np.sinh(u))
        return (function(low + t) * t * math.pi / 2 * np.cosh(u) * w).sum(-1, keepdims=True)
    x, w = _panels(0.0, 1.0, 8)
    width = high - low
    return (function(low + width * x) * w).sum(-1, keepdims=True) * width
