"""The three remainders: exact identity, and a bound that is never violated."""

import math
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest

from x0.taylor.univariate_remainder import integral_remainder, remainder_bound

# name: function, derivative of order n, largest |derivative of order n| on [low, high]
Real = Callable[[mpmath.mpf], mpmath.mpf]
Family = tuple[
    Real,
    Callable[[int, mpmath.mpf], mpmath.mpf],
    Callable[[int, mpmath.mpf, mpmath.mpf], mpmath.mpf],
]
FAMILIES: dict[str, Family] = {
    "exp": (mpmath.exp, lambda n, x: mpmath.exp(x), lambda n, low, high: mpmath.exp(high)),
    "sin": (
        mpmath.sin,
        lambda n, x: mpmath.sin(x + n * mpmath.pi / 2),
        lambda n, low, high: mpmath.mpf(1),
    ),
    "ln": (
        mpmath.log,
        lambda n, x: mpmath.log(x) if n == 0 else (-1) ** (n + 1) * mpmath.factorial(n - 1) / x**n,
        lambda n, low, high: mpmath.factorial(n - 1) / low**n,
    ),
    "1/x": (
        lambda x: 1 / x,
        lambda n, x: (-1) ** n * mpmath.factorial(n) / x ** (n + 1),
        lambda n, low, high: mpmath.factorial(n) / low ** (n + 1),
    ),
    "sqrt": (
        mpmath.sqrt,
        lambda n, x: mpmath.ff(mpmath.mpf(1) / 2, n) * x ** (mpmath.mpf(1) / 2 - n),
        lambda n, low, high: abs(mpmath.ff(mpmath.mpf(1) / 2, n)) * low ** (mpmath.mpf(1) / 2 - n),
    ),
}


def true_error(family: Family, order: int, point: float, step: float) -> mpmath.mpf:
    function, derivative, _ = family
    x, delta = mpmath.mpf(point), mpmath.mpf(step)
    terms = (derivative(n, x) * delta**n / mpmath.factorial(n) for n in range(order + 1))
    return function(x + delta) - mpmath.fsum(terms)


@pytest.mark.claim("C-17")
@pytest.mark.proves(
    "univariate-never-below",
    kind="search",
    n="2000",
    range="x = 0.5…4, step 0.001…0.9 x, order 0…11",
)
@pytest.mark.parametrize("name", FAMILIES)
def test_the_bound_is_never_below_the_error(name: str) -> None:
    """No error exceeds its bound, and in each family the tightest reaches more than 99% of it."""
    generator = np.random.default_rng(0)
    family = FAMILIES[name]
    tightest = mpmath.mpf(0)
    with mpmath.workdps(150):
        for _ in range(400):
            point = float(generator.uniform(0.5, 4.0))
            step = float(generator.uniform(-0.9, 0.9) * 10 ** generator.uniform(-3, 0) * point)
            order = int(generator.integers(0, 12))
            low, high = sorted([mpmath.mpf(point), mpmath.mpf(point) + mpmath.mpf(step)])
            largest = math.nextafter(float(family[2](order + 1, low, high)), math.inf)
            error = abs(true_error(family, order, point, step))
            bound = mpmath.mpf(remainder_bound(largest, order, step))
            assert error <= bound, (name, order, point, step)
            tightest = max(tightest, error / bound)
    assert tightest > 0.99  # it could not be much smaller


@pytest.mark.proves(
    "univariate-whole-interval", kind="cause", effect="bound / error ≥ 1 → 0.07…0.90"
)
def test_the_value_at_the_expansion_point_is_not_enough() -> None:
    """With the maximum on the interval it is a bound; with the value at the point it is not."""
    ratios = []
    for step in (0.5, 1.0, 2.0, 4.0):
        for order in (0, 1, 3):
            terms = sum(step**n / math.factorial(n) for n in range(order + 1))
            error = math.exp(step) - terms  # of the exponential at 0
            assert remainder_bound(math.exp(step), order, step) >= error
            ratios.append(remainder_bound(1.0, order, step) / error)
    assert (min(ratios), max(ratios)) == pytest.approx((0.07, 0.90), abs=0.005)


@pytest.mark.proves(
    "univariate-rounds-up", kind="cause", n="500", effect="0 → > 50 bounds below the truth"
)
def test_the_bound_is_rounded_up_where_plain_arithmetic_rounds_down() -> None:
    """Rational numbers, rounded up once, stay above the truth; plain arithmetic does not."""
    # f(x) = x^(k+1) at 0: M = (k+1)! and the error is exactly |step|^(k+1), the bound itself.
    generator = np.random.default_rng(1)
    plain_fails = 0
    for _ in range(500):
        order, step = int(generator.integers(0, 15)), float(generator.normal())
        factorial = math.factorial(order + 1)
        exact = abs(Fraction(step)) ** (order + 1)
        bound = Fraction(remainder_bound(float(factorial), order, step))
        assert exact <= bound <= exact * (1 + Fraction(2, 2**52))
        plain_fails += Fraction(factorial * abs(step) ** (order + 1) / factorial) < exact
    assert plain_fails > 50


def test_the_bound_at_the_ends_of_the_float_range() -> None:
    assert remainder_bound(1e308, 0, 1e10) == math.inf
    assert remainder_bound(1e-300, 3, 1e-300) == math.nextafter(0.0, 1.0)
    assert remainder_bound(0.0, 3, 2.0) == 0.0
    assert remainder_bound(5.0, 3, 0.0) == 0.0


@pytest.mark.claim("C-05")
@pytest.mark.parametrize("name", FAMILIES)
def test_taylors_theorem_is_an_identity_with_the_integral_remainder(name: str) -> None:
    family = FAMILIES[name]
    derivative, x = family[1], mpmath.mpf(2)
    with mpmath.workdps(50):
        for order in (0, 1, 3, 6):
            for step in (-0.4, 0.7):
                delta = mpmath.mpf(step)
                integral = mpmath.quad(
                    lambda t, k=order, d=delta: (
                        (d - t) ** k / mpmath.factorial(k) * derivative(k + 1, x + t)
                    ),
                    [0, delta],
                )
                remainder = true_error(family, order, 2.0, step)
                assert mpmath.almosteq(integral, remainder, rel_eps=mpmath.mpf("1e-40"))
                # the Lagrange form: f^(k+1) takes the value that it asks for, between the two points
                wanted = remainder * mpmath.factorial(order + 1) / delta ** (order + 1)
                grid = [derivative(order + 1, x + delta * i / 200) for i in range(201)]
                assert min(grid) <= wanted <= max(grid)


@pytest.mark.parametrize("order", range(6))
@pytest.mark.parametrize("step", [-0.8, -0.1, 0.001, 0.5, 2.0])
def test_the_integral_form_keeps_the_digits_of_small_remainders(order: int, step: float) -> None:
    with mpmath.workdps(60):
        exact = float(true_error(FAMILIES["exp"], order, 0.7, step))
    assert integral_remainder(np.exp, order, 0.7, step) == pytest.approx(exact, rel=1e-12)


def test_the_wrong_power_in_the_integral_is_found() -> None:
    """(1 - s)^(k+1) instead of (1 - s)^k is off by a factor near (k+1)/(k+2)."""
    right = integral_remainder(np.exp, 2, 0.7, 0.1)
    wrong = integral_remainder(np.exp, 3, 0.7, 0.1) / 0.1 * 3
    assert abs(wrong / right - 1) > 0.2


def test_demo_agrees_with_the_exact_remainder(values: Callable[[str], Any]) -> None:
    shown = values("univariate_remainder")
    for order in range(4):
        with mpmath.workdps(40):
            exact = float(true_error(FAMILIES["exp"], order, 0.7, 0.5))
        assert shown["errors"][order] == pytest.approx(exact, rel=1e-11)
        assert 0.5 < shown["errors"][order] / shown["bounds"][order] < 1


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((1.0, -1, 0.5), "Received: order=-1"),
        ((-1.0, 2, 0.5), "Received: derivative_bound=-1.0"),
        ((math.inf, 2, 0.5), "Received: derivative_bound=inf"),
        ((math.nan, 2, 0.5), "Received: derivative_bound=nan"),
        ((1.0, 2, math.nan), "step=nan"),
    ],
)
def test_bad_input_is_refused(arguments: tuple[float, int, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        remainder_bound(*arguments)


@pytest.mark.parametrize("order", [-1, 171])
def test_the_integral_refuses_an_order_without_a_factorial(order: int) -> None:
    with pytest.raises(ValueError, match=f"Received: order={order}"):
        integral_remainder(np.exp, order, 0.0, 1.0)
    assert integral_remainder(np.exp, 170, 0.0, 1.0) > 0
