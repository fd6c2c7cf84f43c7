"""Gives an expression its value, from the values that its symbols are bound to."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Mapping
from functools import reduce
from typing import Any

import numpy as np
import sympy as sp
from scipy import stats

from x0_equations.tree import Node
from x0_equations.values import Derivatives, Field, Fixed, Indexed, Matrix, integrate, multiply


class Unbound(LookupError):
    """A symbol has no value."""


class NoValue(ArithmeticError):
    """A part of an expression has no value; `node` is that part."""

    def __init__(self, node: Node, reason: Exception) -> None:
        super().__init__(f"{type(reason).__name__}: {reason}")
        self.node = node


COMPARE: dict[str, Callable[[Any, Any], Any]]
COMPARE = {"=": operator.eq, "≠": operator.ne, "<": operator.lt, "≤": operator.le}
COMPARE |= {">": operator.gt, "≥": operator.ge}
# What is known without a binding: for numbers, and for SymPy.
KNOWN: dict[str, tuple[Any, Any]] = {
    "relu": (lambda z: np.maximum(z, 0.0), lambda z: sp.Max(z, 0)),
    "min": (lambda *values: reduce(np.minimum, values), sp.Min),
    "max": (lambda *values: reduce(np.maximum, values), sp.Max),
}
_NAMES = (  # of LaTeX, NumPy and SymPy
    "sin cos tan sinh cosh tanh exp log sign pi ln/log/log e/e/E infty/inf/oo "
    "arcsin/arcsin/asin arccos/arccos/acos arctan/arctan/atan"
)
for _name in _NAMES.split():
    _own, _numeric, _exact = (_name.split("/") * 3)[:3]
    KNOWN[_own] = getattr(np, _numeric), getattr(sp, _exact)


def _power(base: Any, exponent: Any) -> Any:
    exact = isinstance(base, Matrix | sp.Basic) or isinstance(exponent, sp.Basic)
    return (base if exact else np.multiply(base, 1.0)) ** exponent  # 1.0: no powers of integers


def _root(radicand: Any, degree: int = 2) -> Any:
    if isinstance(radicand, sp.Basic):
        return sp.root(radicand, degree)
    return np.sqrt(radicand) if degree == 2 else np.float64(radicand) ** (1 / degree)


def _hadamard(left: Any, right: Any) -> Any:
    """Return the elementwise product of equal shapes."""
    matrices = isinstance(left + right, Matrix)
    return Matrix(left.array * right.array) if matrices else left * right


def _given(value: Any, condition: Any) -> Any:
    """Return what is random; the condition must be the same in all samples."""
    if not isinstance(condition, Fixed):
        raise Unbound("the condition of an expectation to a Fixed value")
    return value


# By the kind of node: its value, from the values of its children.
PLAIN: dict[str, Callable[..., Any]] = {
    "group": lambda inner: inner,
    "positive": lambda term: term,
    "negative": operator.neg,
    "plus": lambda *terms: reduce(operator.add, terms),
    "times": lambda *factors: reduce(multiply, factors),
    "hadamard": _hadamard,
    "fraction": operator.truediv,
    "power": _power,
    "root": _root,
    "transpose": lambda value: Matrix.of(value).T,
    "absolute": abs,
    "norm": lambda value: float(np.linalg.norm(Matrix.of(value).array)),
    "binomial": math.comb,
    "factorial": lambda n: 0 * n + math.factorial(n),  # a SymPy integer stays one
    "semifactorial": lambda n: 0 * n + math.prod(range(n, 0, -2)),
    "expectation": lambda mean, value: mean(value),
    "variance": lambda mean, value: mean(value * value) - mean(value) ** 2,
    "probability": lambda mean, truth: mean(np.asarray(truth, dtype=float)),
    "given": _given,
    "normal": lambda mean, variance: stats.norm(mean, math.sqrt(variance)),
    "uniform": lambda low, high: stats.uniform(low, high - low),
}
JOINS = {"sum": (operator.add, 0), "product": (operator.mul, 1)}


class Evaluation:
    """The evaluation of one expression."""

    def __init__(self, bindings: Mapping[str, Any]) -> None:
        self.bindings = bindings
        self.exact = any(isinstance(value, sp.Basic) for value in bindings.values())
        self.orders: list[Any] = []  # the values of the terms \order{…}, which count as 0

    def value(self, node: Node) -> Any:
        """Return the value of an expression; Unbound or NoValue says why there is none."""
        try:
            if node.kind in PLAIN:
                return PLAIN[node.kind](*(self.value(child) for child in node.children))
            return getattr(self, f"_{node.kind}")(node)
        except (Unbound, NoValue):
            raise
        except Exception as error:  # whatever NumPy, SymPy or the bindings refuse
            raise NoValue(node, error) from error

    def _number(self, node: Node) -> Any:
        if self.exact:
            return sp.Rational(node.text)
        return float(node.text) if "." in node.text else int(node.text)

    def _lookup(self, name: str) -> Any:
        if name in self.bindings:
            return self.bindings[name]
        if name in KNOWN:
            return KNOWN[name][self.exact]
        raise Unbound(name)

    def _name(self, node: Node) -> Any:
        value = self._lookup(node.text)
        return value.value if isinstance(value, Derivatives) else value

    def _index(self, node: Node) -> Any:
        base = node.children[0]
        if base.kind == "name" and node.name in self.bindings:
            return self.bindings[node.name]
        if len(node.children) == 1:
            raise Unbound(node.name)
        value = self.value(base)
        indices = tuple(self._integer(child) for child in node.children[1:])
        if not isinstance(value, Indexed | Mapping):
            raise Unbound(f"{base.text} with the index {node.text}")
        return value[indices if len(indices) > 1 else indices[0]]

    def _integer(self, node: Node) -> int:
        value = self.value(node)
        if isinstance(value, np.ndarray) or value != int(value):
            raise Unbound(f"an integer for {value}")
        return int(value)

    def _order(self, node: Node) -> Any:
        self.orders.append(self.value(node.children[0]))
        return 0

    def _matrix(self, node: Node) -> Any:
        cells = [self.value(child) for child in node.children]
        return Matrix(np.array(cells, dtype=float).reshape(int(node.text), -1))

    def _cases(self, node: Node) -> Any:
        conditions = [self.value(child) for child in node.children[1::2]]
        if all(isinstance(condition, bool | np.bool_) for condition in conditions):
            cases = zip(node.children[::2], conditions, strict=True)
            return next((self.value(value) for value, condition in cases if condition), math.nan)
        with np.errstate(all="ignore"):  # a case may not exist where another one holds
            values = [self.value(child) for child in node.children[::2]]
        return np.select([np.asarray(condition) for condition in conditions], values, np.nan)

    def _condition(self, node: Node) -> Any:
        pairs = itertools.pairwise(self.value(child) for child in node.children)
        held = [COMPARE[s](a, b) for s, (a, b) in zip(node.text.split(), pairs, strict=True)]
        return reduce(operator.and_, held)

    def _call(self, node: Node) -> Any:
        function, *arguments = (self.value(child) for child in node.children)
        if isinstance(arguments[0], Matrix) and not isinstance(function, Field):
            return Matrix(function(arguments[0].array))
        return function(*arguments)

    def _derivative(self, node: Node) -> Any:
        function = self.value(node.children[0])
        if not hasattr(function, "derivative"):
            raise Unbound("the derivative of a function")
        return function.derivative(self._integer(node.children[1]))

    def _partial(self, node: Node) -> Any:
        target, variable, order = node.children
        quantity = self._lookup(target.text) if target.kind == "name" else self.value(target)
        if not isinstance(quantity, Derivatives) or self.value(order) != 1:
            raise Unbound(f"the derivative of {target.text}")
        symbol, *indices = variable.children if variable.kind == "index" else (variable,)
        return quantity.partial(symbol.text, *(self._integer(index) for index in indices))

    def _differentiate(self, node: Node) -> Any:
        body, variable, order = node.children
        name, times = variable.text, self._integer(order)
        if self.exact:
            return sp.diff(self.value(body), self._lookup(name), times)
        if times != 1:
            raise Unbound("a numerical derivative of higher order")
        # Central differences of order 8; good to about 1e-10 for smooth functions.
        x, step = self._lookup(name), 1e-2
        return sum(
            weight
            / step
            * (self._with(name, x + k * step, body) - self._with(name, x - k * step, body))
            for k, weight in enumerate((4 / 5, -1 / 5, 4 / 105, -1 / 280), 1)
        )

    def _with(self, name: str, value: Any, body: Node) -> Any:
        outer = self.bindings
        self.bindings = {**outer, name: value}
        try:
            return self.value(body)
        finally:
            self.bindings = outer

    def _sum(self, node: Node) -> Any:
        join, empty = JOINS[node.kind]
        body, *bounds = node.children
        if not bounds:
            indices = self._lookup(node.text)
            if not isinstance(indices, range):
                raise Unbound(f"the range of {node.text}")
        elif node.kind == "sum" and self.value(bounds[1]) == math.inf:
            return self._series(node, self._integer(bounds[0]))
        else:
            indices = range(self._integer(bounds[0]), self._integer(bounds[1]) + 1)
        terms = [self._with(node.text, index, body) for index in indices]
        return reduce(join, terms) if terms else empty

    _product = _sum

    def _series(self, node: Node, low: int) -> Any:
        """Sum an infinite series until its terms no longer count."""
        total, still = 0.0, 0
        for index in range(low, low + 1000):
            term = self._with(node.text, index, node.children[0])
            total = total + term
            still = still + 1 if np.all(np.abs(term) <= 1e-17 * np.abs(total)) else 0
            if still == 4:
                return total
        raise ArithmeticError("a series does not converge")

    def _integral(self, node: Node) -> Any:
        body, *bounds = node.children
        low, high = (self.value(bound) for bound in bounds)
        if isinstance(low, sp.Basic) or isinstance(high, sp.Basic):
            t = sp.Dummy(node.text, real=True)
            return sp.integrate(self._with(node.text, t, body), (t, low, high))
        found: list[Any] = []

        def at(t: float) -> Any:
            found[:] = [self._with(node.text, t, body)]
            return np.asarray(found[0]) + 0.0

        value = integrate(at, low, high)
        return Matrix(value) if isinstance(found[0], Matrix) else value

    def _between(self, node: Node) -> Any:
        body, low, high = node.children
        top = self._with(node.text, self.value(high), body)
        return top - self._with(node.text, self.value(low), body)
