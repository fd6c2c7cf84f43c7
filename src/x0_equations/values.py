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
from numpy.lib.mixins import NDArrayOperatorsMixin
from numpy.typing import NDArray
from scipy.integrate import quad_vec

Array = NDArray[np.float64]
GROUPS = 40  # of independent samples, for the jackknife
REPLICATES = GROUPS + 1  # the estimate from all samples, then those without one group each


class Indexed:
    """A symbol with subscripts: `q_{l-1}` is `value(l - 1)`, `w_{l,ij}` is `value(l, i, j)`.

    With `function`, the values are functions, as for `T_k(x)`.
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
        return type(self)(*self.derivatives[order:])


class Field(Function):
    r"""A function of a vector, with its gradient and Hessian matrix: `\nabla f`, `\nabla^2 f`."""


class Smooth(Function):
    """A function given by a formula, differentiated by SymPy: `Smooth(sp.exp)`."""

    def __init__(self, formula: Callable[[sp.Symbol], sp.Expr]) -> None:
        self.x = sp.Symbol("x", real=True)
        self.expression = sp.sympify(formula(self.x))
        self.compiled = sp.lambdify(self.x, self.expression, "numpy")

    def __call__(self, x: Any) -> Any:
        """Return the value at x."""
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


class Matrix(NDArrayOperatorsMixin):
    """A matrix or column vector whose neighbour means the matrix product."""

    def __init__(self, array: Any) -> None:
        array = np.asarray(array, dtype=float)
        self.array: Array = array[:, None] if array.ndim == 1 else array

    @classmethod
    def of(cls, value: Any) -> Matrix:
        """Return a value that must be a matrix or vector here: a plain array, if it can be one."""
        if isinstance(value, Matrix):
            return value
        if np.ndim(value) not in (1, 2) or 1 in np.shape(value):
            raise TypeError(f"the shape {np.shape(value)} is not that of a vector or matrix")
        return cls(value)

    @property
    def T(self) -> Matrix:
        """The transpose."""
        return Matrix(self.array.T)

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> Array:
        return self.array

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any) -> Any:
        """Neighbours are multiplied as matrices; a sum needs equal shapes, a divisor is a number."""
        number = [np.size(value) == 1 and not isinstance(value, Matrix) for value in inputs]
        arrays = [v if n else Matrix.of(v).array for v, n in zip(inputs, number, strict=True)]
        if ufunc is np.power:
            return Matrix(np.linalg.matrix_power(*arrays))
        if ufunc is np.multiply and not any(number):
            product = arrays[0] @ arrays[1]
            return product.item() if product.size == 1 else Matrix(product)
        scaled = ufunc is np.multiply or (ufunc is np.divide and number[1])
        if not scaled and len({np.shape(array) for array in arrays}) > 1:
            raise ValueError(f"the shapes {' and '.join(str(np.shape(a)) for a in arrays)} differ")
        return Matrix(ufunc(*arrays))


def multiply(left: Any, right: Any) -> Any:
    """Return the product of neighbours; plain arrays are numbers side by side."""
    plain = isinstance(left, np.ndarray) and isinstance(right, np.ndarray)
    if plain and left.ndim + right.ndim == 3 and 1 not in left.shape + right.shape:
        raise TypeError(f"a product of shapes {left.shape} and {right.shape} is of matrices")
    return left * right


def sample_mean(values: Any) -> Any:
    """Estimate an expectation from samples, with jackknife replicates that carry its error.

    The samples have shape (1, samples), or (replicates, samples) if they hold an estimate. The
    result has shape (replicates, 1): the mean over all samples, then without each group in turn.
    """
    values = np.asarray(values, dtype=float)
    if values.ndim == 0 or values.shape[-1] == 1:
        return values  # not random
    samples = values.shape[-1]
    if samples % GROUPS:
        raise ValueError(f"samples must come in {GROUPS} equal groups. Received: {samples}")
    sums = values.reshape(values.shape[0], GROUPS, -1).sum(-1)
    left_out = (sums.sum(1, keepdims=True) - sums) / (samples - samples // GROUPS)
    replicates = np.arange(1, REPLICATES) if values.shape[0] > 1 else 0  # each without its own
    without = left_out[replicates, np.arange(GROUPS)]
    return np.concatenate([values[:1].mean(1), without])[:, None]


def jackknife(replicates: Array) -> tuple[float, float]:
    """Return the bias-corrected estimate and its standard error from replicates of shape (R, 1)."""
    whole, left_out = float(replicates.ravel()[0]), replicates.ravel()[1:]
    mean = float(left_out.mean())
    error = math.sqrt((GROUPS - 1) / GROUPS * float(((left_out - mean) ** 2).sum()))
    return GROUPS * whole - (GROUPS - 1) * mean, error


@cache
def _panels(low: float, high: float, count: int) -> tuple[Array, Array]:
    """Return nodes and weights of Gauss-Legendre quadrature on equal panels."""
    x, w = np.polynomial.legendre.leggauss(24)
    half = (high - low) / count / 2
    centers = low + half * (2 * np.arange(count) + 1)
    return (centers[:, None] + half * x).ravel(), np.tile(half * w, count)


def discrete(values: Any, probabilities: Any) -> tuple[Array, Callable[[Any], Any]]:
    """Return a variable with finitely many values, and the expectation that `E` is bound to."""
    weights = np.asarray(probabilities, dtype=float)[None]

    def expectation(values: Any) -> Any:
        values = np.asarray(values, dtype=float)
        if values.ndim == 0 or values.shape[-1] == 1:
            return values * weights.sum()
        return (values * weights).sum(-1, keepdims=True)

    return np.asarray(values, dtype=float)[None], expectation


def gaussian(variance: Any = 1.0) -> tuple[Array, Callable[[Any], Any]]:
    """Return a centred Gaussian variable and its expectation, by quadrature, exact at a kink in 0.

    Its variance is a number, or points of shape (P, 1): then the variable has shape (P, nodes).
    """
    x, w = _panels(-12.0, 12.0, 24)
    x, mean = discrete(x, w * np.exp(-(x**2) / 2) / math.sqrt(2 * math.pi))
    return np.sqrt(variance) * x, mean


def uniform(bound: Any = 1.0) -> tuple[Array, Callable[[Any], Any]]:
    """Return a variable that is uniform on (-bound, bound) and its expectation, by quadrature."""
    x, w = _panels(-1.0, 1.0, 2)
    return bound * x[None], discrete(x, w / 2)[1]


def points(values: Any) -> Array:
    """Return independent points in the shape (P, 1) that keeps them apart from samples."""
    return np.asarray(values, dtype=float).reshape(-1, 1)


def integrate(function: Callable[[float], Any], low: Any, high: Any) -> Any:
    """Integrate numbers or arrays by adaptive quadrature."""
    return quad_vec(function, float(low), float(high), epsabs=0.0, epsrel=1e-13)[0]
