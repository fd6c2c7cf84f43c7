"""The Taylor tool: its bound is never below the true error, its estimate often is."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
import torch

from x0.taylor.multivariate_bound import Interval, Jet, exact, expand, outward


class Number:
    """A number of 60 digits with the methods of a jet: the oracle."""

    def __init__(self, value: Any) -> None:
        self.value = mpmath.mpf(value)

    def _as(self, other: Any) -> Any:
        return other.value if isinstance(other, Number) else mpmath.mpf(other)

    def __add__(self, other: Any) -> Number:
        return Number(self.value + self._as(other))

    def __mul__(self, other: Any) -> Number:
        return Number(self.value * self._as(other))

    def __sub__(self, other: Any) -> Number:
        return Number(self.value - self._as(other))

    def __rsub__(self, other: Any) -> Number:
        return Number(self._as(other) - self.value)

    def __truediv__(self, other: Any) -> Number:
        return Number(self.value / self._as(other))

    def __rtruediv__(self, other: Any) -> Number:
        return Number(self._as(other) / self.value)

    def __neg__(self) -> Number:
        return Number(-self.value)

    __radd__, __rmul__ = __add__, __mul__

    def __getattr__(self, name: str) -> Callable[[], Number]:
        function = getattr(mpmath, {"log": "ln"}.get(name, name))
        return lambda: Number(function(self.value))


def composed(rng: random.Random, depth: int) -> Callable[..., Any]:
    """Return a random function of two variables, composed of elementary ones."""
    if depth == 0:
        kind = rng.choice(["x", "y", "constant"])
        if kind == "constant":
            constant = rng.uniform(-2, 2)
            return lambda x, y: 0 * x + constant
        return (lambda x, y: x) if kind == "x" else (lambda x, y: y)
    left, right = composed(rng, depth - 1), composed(rng, depth - 1)
    kind = rng.choice("+-*/estclrq")
    found: dict[str, Callable[..., Any]] = {
        "+": lambda x, y: left(x, y) + right(x, y),
        "-": lambda x, y: left(x, y) - 0.5 * right(x, y),
        "*": lambda x, y: left(x, y) * right(x, y),
        "/": lambda x, y: left(x, y) / (3 + right(x, y).sin()),
        "e": lambda x, y: (0.5 * left(x, y)).exp(),
        "s": lambda x, y: left(x, y).sin(),
        "t": lambda x, y: left(x, y).tanh(),
        "c": lambda x, y: left(x, y).cos(),
        "l": lambda x, y: (2 + left(x, y) * left(x, y)).log(),
        "r": lambda x, y: 1 / (2 - left(x, y).cos()),
        "q": lambda x, y: (3 + left(x, y).cos()).sqrt(),
    }
    return found[kind]


@pytest.mark.proves(
    "multivariate-encloses", kind="search", n="600", range="order 0…6, step 1e-6…0.5"
)
def test_the_bound_is_never_below_the_true_error_and_the_estimate_is() -> None:
    """For random functions, points, steps and orders the bound is never below the error."""
    rng = random.Random(0)
    checked = refused = short = moved = 0
    with mpmath.workdps(60):
        while checked < 600:
            function = composed(rng, rng.choice([1, 2, 2, 3]))
            point = [rng.uniform(-1.5, 1.5) for _ in range(2)]
            size = 10 ** rng.uniform(-6, -0.3)
            step = [rng.uniform(-size, size) for _ in range(2)]
            order = rng.randrange(0, 7)
            try:
                found = expand(function, point, step, order)
            except ValueError as message:
                refused += "Received" in str(message)
                continue
            ends = [Number(mpmath.mpf(x) + mpmath.mpf(d)) for x, d in zip(point, step, strict=True)]
            error = abs(function(*ends).value - mpmath.mpf(found.value))
            assert error <= mpmath.mpf(found.bound)
            short += error > mpmath.mpf(found.estimate)
            moved += found.bound < 1e-3
            checked += 1
    assert refused < 100
    assert moved > 300  # the bound is small where it can be: it is no empty promise
    assert short > 200  # the estimate is not a bound


def test_the_bound_falls_like_the_error() -> None:
    def f(x: Any) -> Any:
        return (x.exp() * x.sin()).tanh()

    for order in (1, 2, 4):
        bounds = [expand(f, [0.4], [step], order).bound for step in (0.004, 0.002)]
        assert math.log2(bounds[0] / bounds[1]) == pytest.approx(order + 1, abs=0.1)


def test_the_coefficients_are_those_of_nested_autograd() -> None:
    def f(x: Any, y: Any) -> Any:
        return (x * y).tanh() + (1 + x * x).log() / y - (x + 3).sqrt() * y.cos()

    found = expand(f, [0.5, 1.2], [0.3, -0.4], 4).coefficients
    s = torch.zeros((), dtype=torch.float64, requires_grad=True)
    derivative = f(0.5 + 0.3 * s, 1.2 - 0.4 * s)
    for n, coefficient in enumerate(found):
        assert coefficient == pytest.approx(derivative.item() / math.factorial(n), rel=1e-10)
        (derivative,) = torch.autograd.grad(derivative, s, create_graph=True)


@pytest.mark.claim("C-23")
def test_one_pass_costs_the_square_of_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = []
    times = Interval.times
    calls = [0]

    def counted(self: Interval, other: Interval) -> Interval:
        calls[0] += 1
        return times(self, other)

    monkeypatch.setattr(Interval, "times", counted)
    for order in (8, 16, 32):
        calls[0] = 0
        expand(lambda x: (x.exp() * x.sin()).tanh() / (2 + x), [0.1], [0.1], order)
        counts.append(calls[0])
    assert 3 < counts[1] / counts[0] < 4
    assert 3.4 < counts[2] / counts[1] < 4


@pytest.mark.proves("multivariate-methods", kind="call")
def test_one_function_takes_jets_and_tensors_if_written_with_methods() -> None:
    """+ - * / and methods work for a `Jet` and for tensors; a `Jet` refuses `torch.tanh(x)`, `x**2`."""

    def f(x: Any) -> Any:
        y = (x * x).tanh() + 2 - x.exp() / (3 - x.sin()) - -x
        return 1 / (y.cos() + 2 * x.log() + 4) * (x + 1).sqrt()

    end = f(torch.tensor(0.51, dtype=torch.float64)).item()
    found = expand(f, [0.5], [0.01], 3)
    assert found.value == pytest.approx(end, abs=1e-6)
    assert abs(found.value - end) <= found.bound
    for refused in (torch.tanh, lambda x: x**2):
        with pytest.raises(TypeError):
            expand(refused, [0.5], [0.1], 3)


@pytest.mark.proves("multivariate-outward", kind="search", n="2000", range="1e-300…1e300")
def test_intervals_lose_nothing() -> None:
    """Each sum, product and quotient widens outward, so that rounding is inside the bound."""
    rng = np.random.default_rng(0)
    for _ in range(2000):
        a, b = (
            float(s * 10**e)
            for s, e in zip(rng.normal(size=2), rng.uniform(-150, 150, 2), strict=True)
        )
        for result, true in (
            (exact(a).add(exact(b)), Fraction(a) + Fraction(b)),
            (exact(a).times(exact(b)), Fraction(a) * Fraction(b)),
            (exact(a).over(exact(b)), Fraction(a) / Fraction(b)),
        ):
            assert Fraction(result.low) <= true <= Fraction(result.high)
    tenth = exact(0.1)
    total = tenth.add(tenth).add(tenth)
    with mpmath.workdps(40):
        assert mpmath.mpf(total.low) < 3 * mpmath.mpf(0.1) < mpmath.mpf(total.high)
        third = exact(1.0).over(exact(3.0))
        assert mpmath.mpf(third.low) < mpmath.mpf(1) / 3 < mpmath.mpf(third.high)
    assert Interval(-2.0, 3.0).times(Interval(-1.0, 4.0)).low <= -8.0
    wide = Jet([Interval(0.0, 7.0)]).sin().c[0]
    assert wide.low <= -1.0
    assert wide.high >= 1.0


def test_the_demo_finds_no_bound_too_small_and_many_estimates(values: Callable[[str], Any]) -> None:
    shown = values("multivariate_bound")
    assert shown["wrong"] == 0
    assert 20 < shown["percent"] < 80
    assert 1 < shown["median"] < 5
    for k in (1, 3, 5, 7):
        assert shown["errors"][k] <= shown["bounds"][k]


@pytest.mark.proves("multivariate-refuses", kind="call", n="8")
@pytest.mark.parametrize(
    ("function", "point", "step", "order", "message"),
    [
        (lambda x: x.exp(), [0.0], [0.1], -1, "order=-1"),
        (lambda x: x.exp(), [0.0], [0.1, 0.2], 2, "Received: 1, 2"),
        (lambda: 1.0, [], [], 2, "Received: 0, 0"),
        (lambda x: x.exp(), [math.nan], [0.1], 2, "Received: nan"),
        (lambda x: x.log(), [0.5], [-0.7], 2, "log needs numbers > 0"),
        (lambda x: 1 / x, [0.5], [-0.7], 2, "cannot divide by 0"),
        (lambda x: x.exp(), [700.0], [20.0], 2, "exp overflows"),
        (lambda x: 1.0, [0.5], [0.1], 2, "must return a Jet. Received: 1.0"),
    ],
)
def test_bad_input_is_refused(
    function: Callable[..., Any], point: list[float], step: list[float], order: int, message: str
) -> None:
    """A step onto a singularity raises an error instead of giving a bound."""
    with pytest.raises(ValueError, match=message):
        expand(function, point, step, order)


def test_an_end_that_is_not_finite_is_refused() -> None:
    with pytest.raises(ValueError, match=r"Received: 0\.0, inf"):
        outward(0.0, math.inf)
    largest = math.nextafter(math.inf, 0)
    with pytest.raises(ValueError, match="no finite bound"):
        exact(largest).add(exact(0.0))
