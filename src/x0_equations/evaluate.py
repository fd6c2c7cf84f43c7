"""Gives an expression its value, from the values that its symbols are bound to."""

from __future__ import annotations

import itertools
import math
import operator
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import sympy as sp

from x0_equations.tree import Node
from x0_equations.values import Derivatives, Field, Fixed, Indexed, Matrix, integrate


class Unbound(LookupError):
    """A symbol has no value."""


COMPARE: dict[str, Callable[[Any, Any], Any]] = {
    "=": operator.eq,
    "≠": operator.ne,
    "<": operator.lt,
    "≤": operator.le,
    ">": operator.gt,
    "≥": operator.ge,
}
CONSTANTS: dict[str, tuple[Any, Any]] = {
    "pi": (math.pi, sp.pi),
    "e": (math.e, sp.E),
    "infty": (math.inf, sp.oo),
}
ELEMENTARY: dict[str, tuple[Callable[[Any], Any], Callable[[Any], Any]]] = {
    "sin": (np.sin, sp.sin),
    "cos": (np.cos, sp.cos),
    "tan": (np.tan, sp.tan),
    "sinh": (np.sinh, sp.sinh),
    "cosh": (np.cosh, sp.cosh),
    "tanh": (np.tanh, sp.tanh),
    "arctan": (np.arctan, sp.atan),
    "arcsin": (np.arcsin, sp.asin),
    "arccos": (np.arccos, sp.acos),
    "ln": (np.log, sp.log),
    "log": (np.log, sp.log),
    "exp": (np.exp, sp.exp),
    "sign": (np.sign, sp.sign),
    "relu": (lambda z: np.maximum(z, 0.0), lambda z: sp.Max(z, 0)),
}


class Evaluation:
    r"""The evaluation of one expression.

    Attributes:
        orders: The values of the terms \order{…} that were met; they count as 0 in the sum.
    """

    def __init__(self, bindings: Mapping[str, Any]) -> None:
        self.bindings = bindings
        self.exact = any(isinstance(value, sp.Basic) for value in bindings.values())
        self.orders: list[Any] = []
        self.local: dict[str, Any] = {}

    def value(self, node: Node) -> Any:
        """Return the value of an expression.

        Raises:
            Unbound: A symbol has no value.
            ArithmeticError: The value does not exist, such as 1/0.
        """
        return getattr(self, f"_{node.kind}")(node)

    def _values(self, node: Node) -> list[Any]:
        return [self.value(child) for child in node.children]

    # Numbers and names -------------------------------------------------------------------------

    def _number(self, node: Node) -> Any:
        if self.exact:
            return sp.Rational(node.text)
        return float(node.text) if "." in node.text else int(node.text)

    def _lookup(self, name: str) -> Any:
        if name in self.local:
            return self.local[name]
        if name in self.bindings:
            return self.bindings[name]
        if name in CONSTANTS:
            return CONSTANTS[name][self.exact]
        if name in ELEMENTARY:
            numeric, exact = ELEMENTARY[name]
            return lambda x: (exact if isinstance(x, sp.Basic) else _entrywise(numeric))(x)
        raise Unbound(name)

    def _name(self, node: Node) -> Any:
        value = self._lookup(node.text)
        return value.value if isinstance(value, Derivatives) else value

    def _index(self, node: Node) -> Any:
        base = node.children[0]
        label = index_name(node)
        if base.kind == "name" and label in self.bindings:
            return self.bindings[label]
        if len(node.children) == 1:
            raise Unbound(label)
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

    # Arithmetic --------------------------------------------------------------------------------

    def _group(self, node: Node) -> Any:
        return self.value(node.children[0])

    def _signed(self, node: Node) -> Any:
        value = self.value(node.children[0])
        return -value if node.text == "-" else value

    def _plus(self, node: Node) -> Any:
        terms = [self.value(child) for child in node.children if not _is_order(child)]
        for child in node.children:
            if _is_order(child):
                self.value(child)
        return _fold(operator.add, terms) if terms else 0

    def _times(self, node: Node) -> Any:
        return _fold(operator.mul, self._values(node))

    def _hadamard(self, node: Node) -> Any:
        left, right = self._values(node)
        return left.hadamard(right) if isinstance(left, Matrix) else left * right

    def _over(self, node: Node) -> Any:
        left, right = self._values(node)
        return left / right

    _fraction = _over

    def _power(self, node: Node) -> Any:
        base, exponent = self._values(node)
        if isinstance(base, Matrix | sp.Basic) or isinstance(exponent, sp.Basic):
            return base**exponent
        return np.float64(base) ** exponent if np.ndim(base) == 0 else base**exponent

    def _transpose(self, node: Node) -> Any:
        return self.value(node.children[0]).T

    def _root(self, node: Node) -> Any:
        radicand, *degree = self._values(node)
        if isinstance(radicand, sp.Basic):
            return sp.root(radicand, degree[0] if degree else 2)
        return np.float64(radicand) ** (1 / degree[0]) if degree else np.sqrt(radicand)

    def _factorial(self, node: Node) -> Any:
        value = self._integer(node.children[0])
        result = math.prod(range(value, 0, -2)) if node.text else math.factorial(value)
        return sp.Integer(result) if self.exact else result

    def _binomial(self, node: Node) -> Any:
        return math.comb(*(self._integer(child) for child in node.children))

    def _absolute(self, node: Node) -> Any:
        return abs(self.value(node.children[0]))

    def _norm(self, node: Node) -> Any:
        return float(np.linalg.norm(self.value(node.children[0]).array))

    def _order(self, node: Node) -> Any:
        self.orders.append(self.value(node.children[0]))
        return 0

    def _matrix(self, node: Node) -> Any:
        return Matrix(np.array(self._values(node), dtype=float).reshape(int(node.text), -1))

    def _cases(self, node: Node) -> Any:
        conditions = [self.value(child) for child in node.children[1::2]]
        if all(isinstance(condition, bool | np.bool_) for condition in conditions):
            for value, condition in zip(node.children[::2], conditions, strict=True):
                if condition:
                    return self.value(value)
            return math.nan
        with np.errstate(all="ignore"):  # a case may not exist where another one holds
            values = [self.value(child) for child in node.children[::2]]
        return np.select([np.asarray(condition) for condition in conditions], values, np.nan)

    def _condition(self, node: Node) -> Any:
        values = self._values(node)
        pairs = itertools.pairwise(values)
        held = [COMPARE[s](a, b) for s, (a, b) in zip(node.text.split(), pairs, strict=True)]
        return _fold(operator.and_, held)

    # Functions and calculus --------------------------------------------------------------------

    def _call(self, node: Node) -> Any:
        function, *arguments = self._values(node)
        if isinstance(arguments[0], Matrix) and not isinstance(function, Field):
            return arguments[0].map(function)
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
        if variable.kind == "index":
            indices = [self._integer(child) for child in variable.children[1:]]
            return quantity.partial(variable.children[0].text, *indices)
        return quantity.partial(variable.text)

    def _differentiate(self, node: Node) -> Any:
        body, variable, order = node.children
        name, times = variable.text, self._integer(order)
        if self.exact:
            return sp.diff(self.value(body), self._lookup(name), times)
        # Central differences of order 8; good to about 1e-10 for smooth functions.
        x, step = self._lookup(name), 1e-2
        if times != 1:
            raise Unbound("a numerical derivative of higher order")
        weights = {1: 4 / 5, 2: -1 / 5, 3: 4 / 105, 4: -1 / 280}
        total = 0.0
        for k, weight in weights.items():
            ahead = self._with(name, x + k * step, body)
            total = total + weight * (ahead - self._with(name, x - k * step, body))
        return total / step

    def _with(self, name: str, value: Any, body: Node) -> Any:
        outer = self.local
        self.local = {**outer, name: value}
        try:
            return self.value(body)
        finally:
            self.local = outer

    def _sum(self, node: Node) -> Any:
        return self._accumulate(node, operator.add, 0)

    def _product(self, node: Node) -> Any:
        return self._accumulate(node, operator.mul, 1)

    def _accumulate(self, node: Node, join: Callable[[Any, Any], Any], result: Any) -> Any:
        body, *bounds = node.children
        if not bounds:
            indices = self._lookup(node.text)
            if not isinstance(indices, range):
                raise Unbound(f"the range of {node.text}")
            return _fold(join, [self._with(node.text, i, body) for i in indices])
        low = self._integer(bounds[0])
        high = self.value(bounds[1])
        if isinstance(high, float) and math.isinf(high):
            if node.kind == "product":
                raise ArithmeticError("an infinite product")
            return self._series(node, low)
        first = True
        for index in range(low, self._integer(bounds[1]) + 1):
            value = self._with(node.text, index, body)
            result = value if first else join(result, value)
            first = False
        return result

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
        if any(isinstance(bound, Field) for bound in self.bindings.values()):
            return self._integral_of_vectors(node, low, high)
        value = integrate(lambda t: self._with(node.text, t, body), low, high)
        return value.item() if np.size(value) == 1 else value

    def _integral_of_vectors(self, node: Node, low: float, high: float) -> Any:
        """Integrate numbers or matrices node by node: vectors have no room for an axis of nodes."""
        found: list[Any] = []

        def values(t: Any) -> Any:
            found[:] = [self._with(node.text, float(s), node.children[0]) for s in t.ravel()]
            arrays = [v.array if isinstance(v, Matrix) else np.asarray(v, float) for v in found]
            return np.stack(arrays, -1)

        value = integrate(values, low, high)[..., 0]
        return Matrix(value) if isinstance(found[0], Matrix) else value.item()

    def _between(self, node: Node) -> Any:
        body, low, high = node.children
        top = self._with(node.text, self.value(high), body)
        return top - self._with(node.text, self.value(low), body)

    # Probability -------------------------------------------------------------------------------

    def _expectation(self, node: Node) -> Any:
        return self._lookup("E")(self.value(node.children[0]))

    def _variance(self, node: Node) -> Any:
        mean, value = self._lookup("E"), self.value(node.children[0])
        return mean(value * value) - mean(value) ** 2

    def _probability(self, node: Node) -> Any:
        return self._lookup("E")(np.asarray(self.value(node.children[0]), dtype=float))

    def _given(self, node: Node) -> Any:
        """Return what is random; the condition must be the same in all samples."""
        value, condition = self._values(node)
        if not isinstance(condition, Fixed):
            raise Unbound("the condition of an expectation to a Fixed value")
        return value

    def _normal(self, node: Node) -> Any:
        from scipy import stats

        mean, variance = self._values(node)
        return stats.norm(mean, math.sqrt(variance))

    def _uniform(self, node: Node) -> Any:
        from scipy import stats

        low, high = self._values(node)
        return stats.uniform(low, high - low)


def index_name(node: Node) -> str:
    """Return the name that a symbol with a subscript can be bound by as a whole, as `x_0`."""
    return f"{node.children[0].text}_{node.text}"


def _is_order(node: Node) -> bool:
    return node.kind == "order" or (node.kind == "signed" and node.children[0].kind == "order")


def _entrywise(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    return lambda x: x.map(function) if isinstance(x, Matrix) else function(x)


def _fold(join: Callable[[Any, Any], Any], values: list[Any]) -> Any:
    result = values[0]
    for value in values[1:]:
        result = join(result, value)
    return result
