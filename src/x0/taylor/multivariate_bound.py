"""Taylor mode on intervals encloses a function, its polynomial and the rest.

|f(point + step) - T_k| <= max |c_(k+1)| over the segment to point + step

c_n(s) is the n-th Taylor coefficient of f(point + s * step) in s. Every
operation rounds outward, so that rounding is part of the bound (Moore 1966).
"""

# --8<-- [start:imports]
import math
from collections.abc import Callable, Iterable, Sequence
from functools import reduce
from typing import Any, NamedTuple

import numpy as np
import torch

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:interval]
class Interval(NamedTuple):
    """All numbers from low to high. Operations never lose a value."""

    low: float
    high: float

    def add(self, other: "Interval") -> "Interval":
        """Return the interval of all sums."""
        return outward(self.low + other.low, self.high + other.high)

    def negative(self) -> "Interval":
        """Return the interval of all negatives."""
        return Interval(-self.high, -self.low)

    def times(self, other: "Interval") -> "Interval":
        """Return the interval of all products."""
        ends = [a * b for a in self for b in other]
        return outward(min(ends), max(ends))

    def over(self, other: "Interval") -> "Interval":
        """Return the interval of all quotients; ValueError for 0 below."""
        if other.low <= 0 <= other.high:
            raise ValueError(f"cannot divide by 0. Received: {other}")
        return self.times(outward(1 / other.high, 1 / other.low))


def outward(low: float, high: float, ulps: int = 1) -> Interval:
    """Widen by units in the last place; 4 cover the math functions.

    Raises:
        ValueError: If an end is not finite, with "Received: ...".

    >>> outward(1.0, 1.0).high > 1.0
    True
    """
    below = low - ulps * math.ulp(low)
    above = high + ulps * math.ulp(high)
    if not (math.isfinite(below) and math.isfinite(above)):
        raise ValueError(f"no finite bound. Received: {low}, {high}")
    return Interval(below, above)


def exact(number: float) -> Interval:
    """Return the interval of one number."""
    if not math.isfinite(number):
        raise ValueError(f"numbers must be finite. Received: {number}")
    return Interval(float(number), float(number))


def total(terms: Iterable[Interval]) -> Interval:
    """Return the interval of all sums."""
    return reduce(Interval.add, terms, exact(0.0))


# --8<-- [end:interval]


# --8<-- [start:jet]
class Jet:
    """Taylor coefficients c[0], c[1], ... in s. Torch's names, one pass."""

    def __init__(self, coefficients: list[Interval]) -> None:
        self.c = coefficients

    def _as_jet(self, other: "Jet | float") -> "Jet":
        if isinstance(other, Jet):
            return other
        return Jet([exact(other)] + [exact(0.0)] * (len(self.c) - 1))

    def __add__(self, other: "Jet | float") -> "Jet":
        pairs = zip(self.c, self._as_jet(other).c, strict=True)
        return Jet([a.add(b) for a, b in pairs])

    def __mul__(self, other: "Jet | float") -> "Jet":
        a, b, orders = self.c, self._as_jet(other).c, range(len(self.c))
        sums = [[a[i].times(b[n - i]) for i in range(n + 1)] for n in orders]
        return Jet([total(terms) for terms in sums])

    def __truediv__(self, other: "Jet | float") -> "Jet":
        b, quotient = self._as_jet(other).c, Jet([])
        for n, a in enumerate(self.c):
            known = total(quotient.c[i].times(b[n - i]) for i in range(n))
            quotient.c.append(a.add(known.negative()).over(b[0]))
        return quotient

    def __neg__(self) -> "Jet":
        return Jet([c.negative() for c in self.c])

    def __sub__(self, other: "Jet | float") -> "Jet":
        return self + -self._as_jet(other)

    def __rsub__(self, other: float) -> "Jet":
        return -self + other

    def __rtruediv__(self, other: float) -> "Jet":
        return self._as_jet(other) / self

    __radd__, __rmul__ = __add__, __mul__

    def _next(self, rate: list[Interval]) -> Interval:
        """Return the next coefficient of y if y' = rate * (this jet)'."""
        n = len(rate)
        pairs = zip(range(1, n + 1), reversed(rate), strict=True)
        terms = [exact(i).times(self.c[i]).times(w) for i, w in pairs]
        return total(terms).over(exact(n))

    def exp(self) -> "Jet":
        """Solve y' = y * self'."""
        low, high = self.c[0]
        if high > 709:
            raise ValueError(f"exp overflows. Received: {self.c[0]}")
        y = [outward(math.exp(low), math.exp(high), 4)]
        while len(y) < len(self.c):
            y.append(self._next(y))
        return Jet(y)

    def log(self) -> "Jet":
        """Solve y' = self' / self."""
        low, high = self.c[0]
        if low <= 0:
            raise ValueError(f"log needs numbers > 0. Received: {self.c[0]}")
        y, rate = [outward(math.log(low), math.log(high), 4)], (1 / self).c
        while len(y) < len(self.c):
            y.append(self._next(rate[: len(y)]))
        return Jet(y)

    def _wave(self, sine: bool) -> "Jet":
        """Solve s' = c * self' and c' = -s * self' together."""
        low, high = self.c[0]
        middle = low + (high - low) / 2
        radius = outward(0.0, max(high - middle, middle - low)).high
        around = Interval(-radius, radius)  # |sin'| <= 1
        s, c = (
            [outward(value, value, 4).add(around)]
            for value in (math.sin(middle), math.cos(middle))
        )
        while len(s) < len(self.c):
            down = self._next(s)
            s.append(self._next(c))
            c.append(down.negative())
        return Jet(s if sine else c)

    def sin(self) -> "Jet":
        """Return the sine."""
        return self._wave(sine=True)

    def cos(self) -> "Jet":
        """Return the cosine."""
        return self._wave(sine=False)

    def tanh(self) -> "Jet":
        """Solve y' = (1 - y**2) * self'."""
        low, high = self.c[0]
        y = [outward(math.tanh(low), math.tanh(high), 4)]
        rate = [exact(1.0).add(y[0].times(y[0]).negative())]
        while len(y) < len(self.c):
            y.append(self._next(rate))
            pairs = zip(y, reversed(y), strict=True)
            rate.append(total(a.times(b) for a, b in pairs).negative())
        return Jet(y)

    def sqrt(self) -> "Jet":
        """Return the square root of positive numbers."""
        return (self.log() * 0.5).exp()


# --8<-- [end:jet]


# --8<-- [start:expand]
class Expansion(NamedTuple):
    """The polynomial at the end of the step, and what it leaves out."""

    value: float
    bound: float  # of |f(point + step) - value|, rounding included
    estimate: float  # the first term left out: may be too small
    coefficients: list[float]  # of s in f(point + s * step)


def expand(
    function: Callable[..., Any],
    point: Sequence[float],
    step: Sequence[float],
    order: int,
) -> Expansion:
    """Expand a function of n numbers along a step, with a rigorous bound.

    Args:
        function: Takes n jets; uses + - * / and the methods of ``Jet``.
        point: The n coordinates of the expansion point.
        step: The n coordinates of the step.
        order: Order k of the polynomial.

    Raises:
        ValueError: If order < 0, the lengths differ, a number is not
            finite, the result is no jet, or some value on the way is not
            defined for the whole segment, with "Received: ...".

    >>> expand(lambda x, y: (x * y).exp(), [0, 1], [0.1, 0], 2).value
    1.105
    """
    if order < 0:
        raise ValueError(f"order must be >= 0. Received: order={order}")
    if len(point) != len(step) or not len(point):
        raise ValueError(
            "point and step must have one length >= 1. "
            f"Received: {len(point)}, {len(step)}"
        )
    rest = [exact(0.0)] * order
    here, along = [], []
    for x, d in zip(point, step, strict=True):
        end = exact(x).add(exact(d))
        segment = Interval(min(x, end.low), max(x, end.high))
        here.append(Jet([exact(x), exact(d), *rest]))
        along.append(Jet([segment, exact(d), *rest]))
    at, over = function(*here), function(*along)
    if not isinstance(at, Jet) or not isinstance(over, Jet):
        raise ValueError(f"function must return a Jet. Received: {at!r}")
    coefficients = [c.low + (c.high - c.low) / 2 for c in at.c]
    value = sum(coefficients[: order + 1])
    whole = total([*at.c[: order + 1], over.c[order + 1]])
    error = whole.add(exact(-value))
    bound = max(error.high, -error.low)
    estimate = abs(coefficients[order + 1])
    return Expansion(value, bound, estimate, coefficients[:-1])


# --8<-- [end:expand]


# --8<-- [start:corpus]
CORPUS: list[Callable[..., Any]] = [
    lambda x, y: (x * y).exp() - x,
    lambda x, y: (x + 2 * y).sin() * y,
    lambda x, y: (x * x + 1).log() / (2 + y * y),
    lambda x, y: (x - y * x).tanh() + x.cos(),
    lambda x, y: (3 + x + y.sin()).sqrt(),
    lambda x, y: ((0.5 * x).exp() + y).tanh() * (x * y).cos(),
]


def true_error(
    function: Callable[..., Any],
    point: Sequence[float],
    step: Sequence[float],
    value: float,
) -> float:
    """Return |f(point + step) - value| in float64, f called with tensors."""
    ends = [
        torch.tensor(x + d, dtype=torch.float64)
        for x, d in zip(point, step, strict=True)
    ]
    return abs(float(function(*ends)) - value)


# --8<-- [end:corpus]


if __name__ == "__main__":
    # --8<-- [start:demo]
    print("order   error     bound     first term left out")
    wave, point, step = CORPUS[1], [0.3, 0.5], [0.2, 0.1]
    errors = {}
    bounds = {}
    for k in (1, 3, 5, 7):
        found = expand(wave, point, step, k)
        error = errors[k] = true_error(wave, point, step, found.value)
        bounds[k] = found.bound
        print(f"{k}     {error:.2e}  {found.bound:.2e}  {found.estimate:.2e}")
    rng = np.random.default_rng(SEED)
    wrong, short, ratios = 0, 0, []
    for _ in range(200):
        function = CORPUS[rng.integers(len(CORPUS))]
        point = rng.uniform(-1, 1, 2).tolist()
        step = rng.uniform(-0.3, 0.3, 2).tolist()
        found = expand(function, point, step, int(rng.integers(1, 6)))
        error = true_error(function, point, step, found.value)
        if error > 1e-10:  # float64 cannot tell smaller ones
            wrong += found.bound < error
            short += found.estimate < error
            ratios.append(found.bound / error)
    cases, median = len(ratios), np.median(ratios)
    percent = 100 * short / cases
    ratio = bounds[7] / errors[7]
    print(f"random cases: bound below the error {wrong} times,")
    print(f"estimate below the error in {percent:.0f}% of them")
    try:
        expand(lambda x: x.log(), [0.5], [-0.7], 2)
    except ValueError as message:
        print(message)
    # --8<-- [end:demo]
