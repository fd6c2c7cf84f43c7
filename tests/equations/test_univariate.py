"""Checks of snippets/equations/univariate.tex.

T_k is the polynomial that SymPy's series gives, R_k is what is left of f, ψ moves the expansion
point; f is differentiated by SymPy. Every check tries several functions, orders and steps.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import mpmath
import numpy as np
import sympy as sp
from scipy.optimize import brentq, minimize_scalar

from x0_equations.check import Equation, equation
from x0_equations.values import Function, Indexed, Smooth, integrate, points

FUNCTIONS: dict[str, tuple[Callable[[Any], Any], sp.Rational]] = {
    "exp": (sp.exp, sp.Rational(3, 10)),
    "sin": (sp.sin, sp.Rational(7, 10)),
    "rational": (lambda x: 1 / (1 + x**2), sp.Rational(2, 5)),
    "ln": (lambda x: sp.log(1 + x), sp.Rational(1, 5)),
}
STEPS = (0.4, -0.3)
SMALL = np.geomspace(0.01, 0.1, 6)
t, u, delta, zeta = sp.symbols("t u Delta zeta")


class Expansion:
    """A function with its expansion point, its polynomials and its remainders."""

    def __init__(self, formula: Callable[[Any], Any], point: Any) -> None:
        self.formula, self.point = formula, point
        self.f, self.x_0 = Smooth(formula), float(point)
        self.T = Indexed(self._polynomial, function=True)
        self.R = Indexed(self._remainder, function=True)
        self.polynomials: dict[int, Smooth] = {}

    def _polynomial(self, k: int) -> Smooth:
        if k not in self.polynomials:
            series = sp.series(self.formula(self.point + delta), delta, 0, k + 1).removeO()
            self.polynomials[k] = Smooth(lambda x: series.subs(delta, x))
        return self.polynomials[k]

    def _remainder(self, k: int) -> Smooth:
        polynomial = self._polynomial(k).expression
        x = self._polynomial(k).x
        return Smooth(lambda d: self.formula(self.point + d) - polynomial.subs(x, d))

    def moved(self, k: int, step: float) -> Smooth:
        """Return ψ: the remainder as a function of the expansion point x_0 + t."""
        a = sp.Symbol("a", real=True)
        series = sp.series(self.formula(a + delta), delta, 0, k + 1).removeO()
        end = self.formula(self.point + sp.Rational(step))
        return Smooth(
            lambda s: end - series.subs({a: self.point + s, delta: sp.Rational(step) - s})
        )

    def intermediate(self, k: int, step: float) -> float:
        """Find ξ: f^(k+1) there is its mean with the weight (1 - s)^k."""
        derivative = self.f.derivative(k + 1)
        mean = integrate(lambda s: (1 - s) ** k * derivative(self.x_0 + s * step), 0.0, 1.0)
        value = (k + 1) * mean.item()
        ends = sorted((self.x_0, self.x_0 + step))
        xi = brentq(lambda x: float(derivative(x)) - value, *ends, xtol=1e-15)
        assert ends[0] < xi < ends[1]
        return float(xi)

    def extremes(self, k: int, step: float) -> tuple[float, float]:
        """Return the least and the largest value of the derivative of order k on the way."""
        values = self.f.derivative(k)(self.x_0 + step * np.linspace(0.0, 1.0, 2001))
        return float(values.min()), float(values.max())

    def bind(self, *names: str) -> dict[str, Any]:
        return {name: getattr(self, name) for name in names}


@cache
def expansion(name: str) -> Expansion:
    return Expansion(*FUNCTIONS[name])


@cache
def monomial(k: int) -> Expansion:
    """Return x^k around 0, whose derivative of order k is constant: bounds are reached."""
    return Expansion(lambda x: x**k, sp.Integer(0))


def cases(*orders: int) -> Iterator[tuple[Expansion, int, float]]:
    """Yield expansions, orders and steps."""
    for name, step in (("exp", 0.4), ("sin", -0.3), ("rational", 0.2), ("ln", -0.3)):
        for k in orders:
            yield expansion(name), k, step


def supremum(values: Any) -> float:
    return float(np.max(np.abs(values)))


AROUND = points(np.concatenate([np.geomspace(-0.3, -0.02, 6), np.geomspace(0.02, 0.3, 6)]))


# The polynomial ----------------------------------------------------------------------------------


@equation("univariate-polynomial", kind="definition", tolerance="relative 1e-9")
def test_polynomial(eq: Equation) -> None:
    """SymPy's own series."""
    for e, k, step in cases(0, 1, 3):
        eq.holds(k=k, Delta=step, **e.bind("f", "x_0", "T"))


@equation("univariate-taylor", kind="definition", tolerance="relative 1e-9")
def test_taylor(eq: Equation) -> None:
    """R by quadrature of the integral form."""
    for e, k, step in cases(0, 1, 3):

        def remainder(d: float, e: Expansion = e, k: int = k) -> float:
            f = e.f.derivative(k + 1)
            whole = integrate(lambda s: (d - s) ** k * f(e.x_0 + s), 0.0, d)
            return whole.item() / math.factorial(k)

        rest = Indexed(lambda order, g=remainder: g, function=True)
        eq.holds(k=k, Delta=step, R=rest, **e.bind("f", "x_0", "T"))


@equation("univariate-differentiate", kind="numerical", tolerance="relative 1e-9")
def test_differentiate(eq: Equation) -> None:
    for e, k, step in cases(2, 3):
        for j in (0, 1, 2):
            eq.holds(k=k, j=j, Delta=step, **e.bind("f", "x_0", "T"))


@equation("univariate-match", kind="numerical", tolerance="relative 1e-9")
def test_match(eq: Equation) -> None:
    for e, k, _ in cases(3):
        for j in (0, 1, 2, 3):
            eq.holds(k=k, j=j, **e.bind("f", "x_0", "T"))


@equation("univariate-vanish", kind="numerical", tolerance="relative 1e-9")
def test_vanish(eq: Equation) -> None:
    for e, k, _ in cases(3):
        for j in (0, 1, 2, 3):
            eq.holds(k=k, j=j, scale=1.0, **e.bind("f", "x_0", "T", "R"))


@equation("univariate-telescoping", kind="numerical", tolerance="relative 1e-9")
def test_telescoping(eq: Equation) -> None:
    for e, k, step in cases(1, 2, 3):
        eq.holds(k=k, Delta=step, **e.bind("f", "x_0", "R"))


# Peano's remainder: ε is the least number that serves on an interval, and shrinks with it. --------


def shrinks(values: Callable[[float], Any]) -> bool:
    """Tell whether the largest value tends to zero with the interval."""
    return supremum(values(0.003)) < 0.2 * supremum(values(0.03)) < 0.04 * supremum(values(0.3))


def peano(e: Expansion, k: int, shift: int = 0) -> Any:
    """Return what ε bounds, |R_k^(shift)(t)| over |t|^(k - shift), on intervals of a radius."""
    remainder = e.R[k].derivative(shift)
    way = np.concatenate([np.linspace(-1, -0.1, 19), np.linspace(0.1, 1, 19)])
    return lambda radius: remainder(radius * way) / (radius * way) ** (k - shift)


@equation("univariate-peano", kind="numerical")
def test_peano(eq: Equation) -> None:
    for e, k, _ in cases(1, 2):
        assert shrinks(peano(e, k))
        epsilon = supremum(e.R[k](AROUND) / AROUND**k)
        eq.holds(k=k, Delta=AROUND, varepsilon=epsilon, R=e.R, tight=True)


@equation("univariate-peano-lemma", kind="numerical")
def test_peano_lemma(eq: Equation) -> None:
    for e, k, _ in cases(1, 2):
        psi = e.R[k]
        epsilon = supremum(psi(AROUND) / AROUND**k)
        eq.holds(k=k, Delta=AROUND, varepsilon=epsilon, psi=psi, tight=True)


@equation("univariate-peano-hypothesis", kind="numerical")
def test_peano_hypothesis(eq: Equation) -> None:
    for e, k, _ in cases(2, 3):
        assert shrinks(peano(e, k, 1))
        psi = e.R[k]
        epsilon = supremum(psi.derivative(1)(AROUND) / AROUND ** (k - 1))
        eq.holds(k=k, t=AROUND, varepsilon=epsilon, psi=psi, tight=True)


@equation("univariate-peano-base", kind="numerical", tolerance="relative 1e-9")
def test_peano_base(eq: Equation) -> None:
    for e, k, _ in cases(1):
        psi = e.R[k]
        epsilon = supremum(psi(AROUND) / AROUND)
        eq.holds(Delta=AROUND, varepsilon=epsilon, psi=psi, tight=True)


def mean_value(psi: Smooth, step: float) -> float:
    """Find where ψ leaves its chord most, as in the proof of the mean value theorem."""
    chord = float(psi(step) - psi(0.0)) / step
    way = np.linspace(0.0, step, 2001)
    near = int(np.argmax(np.abs(psi(way) - chord * way)))
    slope = psi.derivative(1)
    return float(
        brentq(lambda s: float(slope(s)) - chord, way[near - 1], way[near + 1], xtol=1e-16)
    )


@equation("univariate-peano-mean", kind="numerical", tolerance="relative 1e-9")
def test_peano_mean(eq: Equation) -> None:
    for e, k, step in cases(1, 2):
        psi = e.R[k]
        eq.holds(Delta=step, t=mean_value(psi, step), psi=psi)


@equation(
    "univariate-peano-step",
    kind="numerical",
    tolerance="relative 1e-9",
    survivors="true as well, and weaker for small steps",
)
def test_peano_step(eq: Equation) -> None:
    """ε serves at the intermediate point; for k = 1 both bounds are reached."""
    for e, k, step in cases(1, 2, 3):
        psi = e.R[k]
        place = mean_value(psi, step)
        epsilon = abs(float(psi.derivative(1)(place))) / abs(place) ** (k - 1)
        eq.holds(k=k, Delta=step, t=place, varepsilon=epsilon, psi=psi, tight=k == 1)
        eq.holds(k=k, Delta=step, t=place, varepsilon=2 * epsilon, psi=psi)


# The integral remainder --------------------------------------------------------------------------


@equation("univariate-ftc", kind="numerical", tolerance="relative 1e-9")
def test_ftc(eq: Equation) -> None:
    for e, _, step in cases(0):
        eq.holds(Delta=step, **e.bind("f", "x_0", "R"))


@equation("univariate-integral-before", kind="numerical", tolerance="relative 1e-9")
def test_integral_before(eq: Equation) -> None:
    for e, k, step in cases(1, 2, 3):
        eq.holds(k=k, Delta=step, **e.bind("f", "x_0", "R"))


@equation("univariate-antiderivative", kind="symbolic")
def test_antiderivative(eq: Equation) -> None:
    for k in (1, 2, 5):
        eq.holds(k=k, t=t, Delta=delta)


@equation("univariate-parts", kind="numerical", tolerance="relative 1e-9")
def test_parts(eq: Equation) -> None:
    for e, k, step in cases(1, 2, 3):
        eq.holds(k=k, Delta=step, **e.bind("f", "x_0", "R"))


@equation("univariate-boundary", kind="numerical", tolerance="relative 1e-9")
def test_boundary(eq: Equation) -> None:
    for e, k, step in cases(1, 2, 3):
        eq.holds(k=k, Delta=step, **e.bind("f", "x_0"))


@equation("univariate-integral", kind="numerical", tolerance="relative 1e-9")
def test_integral(eq: Equation) -> None:
    for e, k, step in cases(0, 1, 2, 3):
        eq.holds(k=k, Delta=step, **e.bind("f", "x_0", "R"))


@equation("univariate-integral-unit", kind="numerical", tolerance="relative 1e-9")
def test_integral_unit(eq: Equation) -> None:
    for e, k, step in cases(0, 1, 2, 3):
        eq.holds(k=k, Delta=step, **e.bind("f", "x_0", "R"))


# Lagrange's remainder ----------------------------------------------------------------------------


@equation("univariate-extremes", kind="numerical")
def test_extremes(eq: Equation) -> None:
    for e, k, step in cases(0, 2):
        low, high = e.extremes(k + 1, step)
        s = points(np.linspace(0, 1, 2001))
        eq.holds(k=k, Delta=step, s=s, alpha=low, omega=high, tight=True, **e.bind("f", "x_0"))


@equation("univariate-weight", kind="numerical")
def test_weight(eq: Equation) -> None:
    for k in (0, 1, 4):
        eq.holds(k=k)


@equation(
    "univariate-sandwich",
    kind="numerical",
    tolerance="relative 1e-9",
    survivors="true as well: the derivative at one point lies between its extremes",
)
def test_sandwich(eq: Equation) -> None:
    for e, k, step in cases(0, 1, 2):
        low, high = e.extremes(k + 1, step)
        eq.holds(k=k, Delta=step, alpha=low, omega=high, **e.bind("f", "x_0"))
    for k in (0, 2):
        e = monomial(k + 1)
        low, high = e.extremes(k + 1, 0.7)
        eq.holds(k=k, Delta=0.7, alpha=low, omega=high, tight=True, **e.bind("f", "x_0"))


@equation("univariate-intermediate", kind="numerical", tolerance="relative 1e-9")
def test_intermediate(eq: Equation) -> None:
    """ξ from Lagrange's form."""
    for e, k, step in cases(0, 1, 3):
        derivative = e.f.derivative(k + 1)
        value = math.factorial(k + 1) * float(e.R[k](step)) / step ** (k + 1)
        ends = sorted((e.x_0, e.x_0 + step))
        xi = float(brentq(lambda x: float(derivative(x)) - value, *ends, xtol=1e-15))  # noqa: B023
        eq.holds(k=k, Delta=step, xi=xi, **e.bind("f", "x_0"))


@equation("univariate-lagrange", kind="numerical", tolerance="relative 1e-9")
def test_lagrange(eq: Equation) -> None:
    """ξ from the weighted mean of the derivative."""
    for e, k, step in cases(0, 1, 3):
        eq.holds(k=k, Delta=step, xi=e.intermediate(k, step), **e.bind("f", "R"))


# Bound and slope ---------------------------------------------------------------------------------


def largest(e: Expansion, step: float) -> Indexed:
    return Indexed(lambda order: max(map(abs, e.extremes(order, step))))


@equation("univariate-bound", kind="numerical", tolerance="relative 1e-9")
def test_bound(eq: Equation) -> None:
    for e, k, step in cases(0, 1, 3):
        eq.holds(k=k, Delta=step, M=largest(e, step), R=e.R)
    for k, step in ((0, 0.7), (2, -0.4)):
        e = monomial(k + 1)
        eq.holds(k=k, Delta=step, M=largest(e, step), R=e.R, tight=True)


@equation("univariate-leading", kind="numerical", tolerance="relative 1e-9")
def test_leading(eq: Equation) -> None:
    for e, k, _ in cases(0, 1, 2):
        assert shrinks(peano(e, k + 1))
        epsilon = supremum(e.R[k + 1](AROUND) / AROUND ** (k + 1))
        bound = e.bind("f", "x_0", "R")
        eq.holds(k=k, Delta=AROUND, varepsilon=epsilon, tight=True, **bound)


@equation("univariate-log", kind="numerical", tolerance="slope ± 0.05")
def test_log(eq: Equation) -> None:
    for e, k, _ in cases(0, 1, 2):
        bound = {"k": k, **e.bind("f", "x_0", "R")}
        for sign in (1, -1):
            eq.approximates(
                SMALL / 3,
                lambda d, b=bound, s=sign: {**b, "Delta": s * d},
                order=1,
            )


@equation("univariate-slope", kind="numerical", tolerance="slope ± 0.05")
def test_slope(eq: Equation) -> None:
    for e, k, _ in cases(0, 1, 2):
        bound = {"k": k, "R": e.R}
        eq.approximates(SMALL / 3, lambda d, b=bound: {**b, "Delta": d}, order=1)


@equation("univariate-growth", kind="numerical")
def test_growth(eq: Equation) -> None:
    """The hypothesis, for an exponential that reaches it at the end of the interval."""
    gamma, step = 1.7, 0.8
    way = points(np.linspace(0, step, 9))
    for n, sign in ((0, 1), (1, -1), (4, -1)):
        f = Smooth(lambda x, s=sign: s * sp.exp(sp.Rational(17, 10) * x))
        largest_f = math.exp(gamma * (0.3 + step))
        eq.holds(n=n, t=way, x_0=0.3, f=f, gamma=gamma, M=largest_f, tight=True)


@cache
def wave() -> Expansion:
    return Expansion(lambda x: sp.Rational(5, 2) * sp.sin(sp.Rational(17, 10) * x), sp.Integer(0))


@equation("univariate-entire", kind="numerical", tolerance="relative 1e-8")
def test_entire(eq: Equation) -> None:
    """A sine of amplitude M and frequency γ; reached for small steps."""
    for k in (0, 2, 3):
        for step in (0.9, -2.0):
            eq.holds(k=k, Delta=step, R=wave().R, gamma=1.7, M=2.5)
    for k in (0, 2):
        eq.holds(k=k, Delta=1e-3, R=wave().R, gamma=1.7, M=2.5, tight=True)


# Smooth is not analytic --------------------------------------------------------------------------


FLAT = Smooth(lambda x: sp.exp(-1 / x**2))


def flat_derivative(n: int) -> Callable[[float], float]:
    """Return f^(n) with the value at 0 that its difference quotients tend to."""
    smooth = FLAT.derivative(n)
    return lambda x: 0.0 if x == 0 else float(smooth(x))


flat = Function(*(flat_derivative(n) for n in range(6)))


@cache
def factor(n: int) -> Smooth:
    """Return P_n(u): the derivative of order n at 1/u, divided by the exponential."""
    x = FLAT.x
    quotient = sp.diff(FLAT.expression, x, n) / FLAT.expression
    return Smooth(lambda v: sp.expand(sp.simplify(quotient.subs(x, 1 / v))))


P = Indexed(factor, function=True)


@equation("univariate-flat", kind="definition")
def test_flat(eq: Equation) -> None:
    for x in (-0.7, 0, 0.3, 2.0):
        eq.holds(x=x, f=flat)


@cache
def recursive(n: int) -> Smooth:
    """Return P_n by multiplying out 2 u^3 P - u^2 P'."""
    if n == 0:
        return Smooth(lambda v: 1 + 0 * v)
    before = recursive(n - 1)
    return Smooth(lambda v: 2 * v**3 * before(v) - v**2 * sp.diff(before(v), v))


@equation("univariate-flat-form", kind="numerical", tolerance="relative 1e-9")
def test_flat_form(eq: Equation) -> None:
    """P by its recursion, f differentiated by SymPy."""
    for n in (0, 1, 3):
        for x in (-0.7, 0.4, 2.0):
            eq.holds(n=n, x=x, f=flat, P=Indexed(recursive, function=True))


@equation("univariate-flat-chain", kind="numerical", tolerance="relative 1e-9")
def test_flat_chain(eq: Equation) -> None:
    for n in (0, 1, 3):
        for x in (-0.7, 0.4, 2.0):
            eq.holds(n=n, x=x, f=flat, P=P)


@equation("univariate-flat-recursion", kind="symbolic")
def test_flat_recursion(eq: Equation) -> None:
    for n in (0, 1, 3):
        eq.holds(n=n, u=u, P=P)


@equation("univariate-flat-quotient", kind="numerical", tolerance="relative 1e-9")
def test_flat_quotient(eq: Equation) -> None:
    for n in (0, 1, 3):
        for x in (-0.7, 0.4, 2.0):
            eq.holds(n=n, x=x, u=1 / x, f=flat, P=P)


@equation(
    "univariate-flat-tail", kind="numerical", survivors="true as well, and weaker for large u"
)
def test_flat_tail(eq: Equation) -> None:
    for j in (1, 2, 5):
        eq.holds(j=j, u=points([-2.0, -0.4, 0.3, 1.0, 1.5, 3.0]))
    eq.holds(j=0, u=1e-4, tight=True)


@equation("univariate-flat-remainder", kind="numerical")
def test_flat_remainder(eq: Equation) -> None:
    """The polynomial from the limits of the derivatives at 0."""
    x = FLAT.x
    for k in (0, 2):
        limits = [sp.limit(sp.diff(FLAT.expression, x, n), x, 0) for n in range(k + 1)]
        coefficients = [float(value) / math.factorial(n) for n, value in enumerate(limits)]

        def polynomial(d: float, c: list[float] = coefficients) -> float:
            return float(np.polynomial.Polynomial(c)(d))

        def remainder(d: float, t: Callable[[float], float] = polynomial) -> float:
            return float(FLAT(d)) - t(d)

        for step in (-0.6, 0.5, 2.0):
            eq.holds(
                k=k,
                Delta=step,
                f=flat,
                T=Indexed(lambda order, g=polynomial: g, function=True),
                R=Indexed(lambda order, g=remainder: g, function=True),
            )


# Radius of convergence ---------------------------------------------------------------------------


def circle(radius: float) -> Callable[[Any], Any]:
    return lambda t: radius * np.exp(1j * t)


@equation("univariate-cauchy", kind="numerical", tolerance="relative 1e-9")
def test_cauchy(eq: Equation) -> None:
    for e, _, step in cases(0):
        eq.holds(Delta=step, zeta=circle(0.7), **e.bind("f", "x_0"))


@equation("univariate-geometric", kind="symbolic")
def test_geometric(eq: Equation) -> None:
    for k in (0, 3):
        eq.holds(k=k, zeta=zeta, Delta=delta)


@equation("univariate-coefficient", kind="numerical", tolerance="relative 1e-9")
def test_coefficient(eq: Equation) -> None:
    for e, n, _ in cases(0, 1, 4):
        eq.holds(n=n, zeta=circle(0.7), **e.bind("f", "x_0"))


@equation("univariate-circle-remainder", kind="numerical", tolerance="relative 1e-9")
def test_circle_remainder(eq: Equation) -> None:
    for e, k, step in cases(0, 1, 3):
        eq.holds(k=k, Delta=step, zeta=circle(0.7), **e.bind("f", "x_0", "R"))


@equation("univariate-circle-bound", kind="numerical")
def test_circle_bound(eq: Equation) -> None:
    """Reached by monomials for small steps."""
    for e, k, step in cases(0, 1, 3):
        size = supremum(e.f(e.x_0 + circle(0.7)(np.linspace(0, 2 * math.pi, 2001))))
        eq.holds(k=k, Delta=step, r=0.7, M=size, R=e.R)
    for k in (0, 1, 3):
        for step, near in ((-1e-7, True), (-0.3, False), (0.6, False)):
            e = monomial(k + 1)
            eq.holds(k=k, Delta=step, r=0.7, M=0.7 ** (k + 1), R=e.R, tight=near)
    for sign in (1, -1):  # of absolute value 1 on the unit circle
        turning = Expansion(lambda x, s=sign: (2 * x - s) / (2 - s * x), sp.Integer(0))
        for k in (0, 1):
            eq.holds(k=k, Delta=0.9 * sign, r=1.0, M=1.0, R=turning.R)


@equation("univariate-runge", kind="symbolic")
def test_runge(eq: Equation) -> None:
    for j in (1, 2, 4):
        eq.holds(j=j, x=sp.Symbol("x", positive=True))


def radius(formula: Callable[[Any], Any], point: float) -> float:
    """Measure the radius of convergence from high coefficients.

    Two conjugate poles at distance R make c_{n+1} = a c_n - c_{n-1} / R² in the limit.
    """
    with mpmath.workdps(60):
        c = [float(value) for value in mpmath.taylor(formula, mpmath.mpf(point), 40)]
    matrix = np.array([[c[38], c[37]], [c[39], c[38]]])
    return float(np.linalg.solve(matrix, np.array([c[39], c[40]]))[1] * -1.0) ** -0.5


@equation("univariate-moved", kind="numerical", tolerance="relative 1e-6")
def test_moved(eq: Equation) -> None:
    for point in (0.0, 0.7, -1.3):
        eq.holds(R=radius(lambda x: 1 / (1 + x**2), point), i=1j, x_0=point)


@equation("univariate-moved-tanh", kind="numerical", tolerance="relative 1e-6")
def test_moved_tanh(eq: Equation) -> None:
    for point in (0.3, 0.7, -0.9):
        eq.holds(R=radius(mpmath.tanh, point), i=1j, x_0=point)


@cache
def tanh_coefficients() -> list[Any]:
    with mpmath.workdps(50):
        return list(mpmath.taylor(mpmath.tanh, 0, 40))


@equation("univariate-tanh-pole", kind="symbolic")
def test_tanh_pole(eq: Equation) -> None:
    eq.holds(x=sp.Symbol("x", real=True), i=sp.I)


@equation("univariate-tanh-geometric", kind="numerical")
def test_tanh_geometric(eq: Equation) -> None:
    for x in (0.5, -1.2):
        eq.holds(x=x)


@equation("univariate-tanh-ratio", kind="numerical", tolerance="slope ± 0.05")
def test_tanh_ratio(eq: Equation) -> None:
    """The error falls like that of the next pair of poles, three times as far away."""
    values = [math.factorial(n) * float(c) for n, c in enumerate(tanh_coefficients())]
    f = Function(*(lambda x, value=value: value if x == 0 else math.nan for value in values))
    eq.approximates((9, 11, 13, 15, 17), lambda n: {"n": int(n), "f": f}, order=lambda n: 3.0**-n)


@equation("univariate-tanh-error", kind="numerical", tolerance="slope ± 0.05")
def test_tanh_error(eq: Equation) -> None:
    """Errors with 50 digits; what is left belongs to the next pair of poles."""

    def remainder(k: int) -> Callable[[float], float]:
        def value(d: float) -> float:
            with mpmath.workdps(50):
                polynomial = mpmath.polyval(tanh_coefficients()[k::-1], d)
                return float(mpmath.tanh(d) - polynomial)

        return value

    rest = Indexed(remainder, function=True)
    for step in (0.8, -1.1):
        ratio = 2 * abs(step) / (3 * math.pi)
        eq.approximates(
            (5, 7, 9, 11, 13),
            lambda k, d=step: {"k": int(k), "Delta": d, "R": rest},
            order=lambda k, ratio=ratio: ratio**k,
        )


# Exercises ---------------------------------------------------------------------------------------


@equation("univariate-rolle-function", kind="definition", tolerance="relative 1e-9")
def test_rolle_function(eq: Equation) -> None:
    """What is left of f at the end if the expansion point moves to x_0 + t."""
    for e, k, step in cases(0, 2):
        for share in (0.0, 0.3, 0.8):
            psi = e.moved(k, step)
            eq.holds(k=k, Delta=step, t=share * step, psi=psi, **e.bind("f", "x_0"))


@equation("univariate-rolle-ends", kind="numerical", tolerance="relative 1e-9")
def test_rolle_ends(eq: Equation) -> None:
    for e, k, step in cases(0, 2):
        size = abs(float(e.R[k](step)))
        eq.holds(k=k, Delta=step, psi=e.moved(k, step), R=e.R, scale=size)


@equation("univariate-rolle-derivative", kind="numerical", tolerance="relative 1e-9")
def test_rolle_derivative(eq: Equation) -> None:
    for e, k, step in cases(0, 2):
        for share in (0.0, 0.3, 0.8):
            psi = e.moved(k, step)
            eq.holds(k=k, Delta=step, t=share * step, psi=psi, **e.bind("f", "x_0"))


def corrected(e: Expansion, k: int, step: float) -> Smooth:
    """Return Ψ: ψ minus the multiple of (Δ - t)^(k+1) that makes it vanish at t = 0."""
    psi, end = e.moved(k, step), sp.Rational(step)
    at_zero = psi.expression.subs(psi.x, 0)
    return Smooth(lambda s: psi.expression.subs(psi.x, s) - at_zero * (1 - s / end) ** (k + 1))


@equation("univariate-rolle-corrected", kind="definition", tolerance="relative 1e-9")
def test_rolle_corrected(eq: Equation) -> None:
    for e, k, step in cases(0, 2):
        for share in (0.0, 0.3, 0.8):
            functions = {"Psi": corrected(e, k, step), "psi": e.moved(k, step), "R": e.R}
            size = abs(float(e.R[k](step)))
            eq.holds(k=k, Delta=step, t=share * step, scale=size, **functions)


@equation("univariate-rolle-zero", kind="numerical", tolerance="relative 1e-8")
def test_rolle_zero(eq: Equation) -> None:
    """The derivative anywhere; its zero where Ψ is farthest from zero."""
    for e, k, step in cases(0, 2):
        psi = corrected(e, k, step)
        bound = {"k": k, "Delta": step, "Psi": psi, **e.bind("f", "x_0", "R")}
        for share in (0.1, 0.6):
            eq.holds(only=[1], t=share * step, **bound)
        size = abs(float(psi.derivative(1)(0.0)))
        eq.holds(t=mean_value(psi, step), scale=size, **bound)


@equation("univariate-converse", kind="numerical", tolerance="relative 1e-9")
def test_converse(eq: Equation) -> None:
    """f(x) = x³ sin(1/x), differentiated by SymPy away from 0 and by its quotient at 0."""
    smooth = Smooth(lambda x: x**3 * sp.sin(1 / x))
    quotients = [float(smooth(h)) / h for h in (1e-3, -1e-5, 1e-7)]
    assert max(map(abs, quotients)) < 1e-5
    derivative = smooth.derivative(1)
    f = Function(float, lambda x: 0.0 if x == 0 else float(derivative(x)))
    for x in (0.3, -0.05, 0.011):
        eq.holds(x=x, f=f)


@equation("univariate-sine-twin", kind="numerical")
def test_sine_twin(eq: Equation) -> None:
    e = Expansion(sp.sin, sp.Integer(0))
    for j in (1, 2, 3):
        for step in (0.7, -2.0):
            eq.holds(j=j, Delta=step, T=e.T)


@equation("univariate-sine-bound", kind="numerical", tolerance="relative 1e-8")
def test_sine_bound(eq: Equation) -> None:
    e = Expansion(sp.sin, sp.Integer(0))
    for j in (0, 1, 2):
        for step in (0.7, -2.0):
            eq.holds(j=j, Delta=step, R=e.R)
    for j in (0, 1):
        eq.holds(j=j, Delta=1e-3, R=e.R, tight=True)


def small_step(k: int, **more: Any) -> Callable[[float], dict[str, Any]]:
    e = expansion("ln")  # its derivatives of different orders differ
    names = more.get("names", ("f", "x_0", "R"))

    def bind(step: float) -> dict[str, Any]:
        bound = {"k": k, "Delta": step, **e.bind(*names)}
        if "xi" in more:
            bound["xi"] = e.intermediate(k, step)
        return bound

    return bind


@equation("univariate-xi-left", kind="numerical", tolerance="slope ± 0.05")
def test_xi_left(eq: Equation) -> None:
    for k in (0, 1, 2):
        eq.approximates(SMALL, small_step(k))


@equation("univariate-xi-right", kind="numerical", tolerance="slope ± 0.05")
def test_xi_right(eq: Equation) -> None:
    for k in (0, 1):
        eq.approximates(SMALL, small_step(k, names=("f", "x_0"), xi=True))


@equation("univariate-xi", kind="numerical", tolerance="slope ± 0.05")
def test_xi(eq: Equation) -> None:
    for k in (0, 1, 2):
        eq.approximates(SMALL, small_step(k, names=("x_0",), xi=True))


@equation("univariate-central", kind="numerical", tolerance="slope ± 0.05")
def test_central(eq: Equation) -> None:
    for formula, point in FUNCTIONS.values():
        e = Expansion(formula, point)
        eq.approximates(SMALL, lambda h, e=e: {"h": h, "f": e.f, "x_0": e.x_0}, order=4)


def worst_central(h: float, third: float, size: float, rounding: float) -> float:
    """Return the largest error for a cubic, over the signs of the rounding of both values."""
    cubic = [third * (s * h) ** 3 / 6 for s in (1, -1)]  # its slope at 0 is zero
    values = [
        (cubic[0] + a * rounding * size - cubic[1] - b * rounding * size) / (2 * h)
        for a in (1, -1)
        for b in (1, -1)
    ]
    return max(map(abs, values))


@equation("univariate-central-bound", kind="numerical", tolerance="relative 1e-9")
def test_central_bound(eq: Equation) -> None:
    for third, size, rounding in ((2.0, 3.0, 1e-3), (0.5, 1.0, 1e-2)):

        def bound(h: float, m: float = third, s: float = size, e: float = rounding) -> float:
            return worst_central(h, m, s, e)

        for h in (0.1, 0.3, 1.0):
            eq.holds(h=h, B=Function(bound), M_3=third, M_0=size, epsilon=rounding)


@equation("univariate-central-best", kind="numerical", tolerance="relative 1e-6")
def test_central_best(eq: Equation) -> None:
    """The minimum of the worst error, by search."""
    for third, size, rounding in ((2.0, 3.0, 1e-3), (0.5, 1.0, 1e-2)):

        def bound(h: float, m: float = third, s: float = size, e: float = rounding) -> float:
            return worst_central(h, m, s, e)

        found = minimize_scalar(bound, bounds=(1e-3, 3), method="bounded", options={"xatol": 1e-10})
        known = {"M_3": third, "M_0": size, "epsilon": rounding}
        eq.holds(h_star=float(found.x), B=Function(bound), **known)


@equation("univariate-complex-step", kind="numerical", tolerance="slope ± 0.05")
def test_complex_step(eq: Equation) -> None:
    """w by NumPy's complex functions."""
    for formula, point in FUNCTIONS.values():
        e = Expansion(formula, point)
        value = sp.lambdify(u, formula(u), "numpy")
        w = Function(lambda h, value=value, x=e.x_0: float(np.imag(value(complex(x, float(h))))))
        eq.approximates(
            SMALL, lambda h, e=e, w=w: {"h": h, "f": e.f, "x_0": e.x_0, "w": w}, order=4
        )


# The series of deep learning -----------------------------------------------------------------------

NEAR, FARTHER = np.geomspace(0.003, 0.03, 6), np.geomspace(0.02, 0.2, 6)
LOGISTIC = Function(lambda x: 1 / (1 + np.exp(-x)))
NORMAL = Function(lambda x: 0.5 * math.erfc(-x / math.sqrt(2)))


@equation("univariate-series-exp", kind="numerical", tolerance="slope ± 0.05")
def test_series_exp(eq: Equation) -> None:
    eq.approximates(NEAR, lambda x: {"x": x})


@equation("univariate-series-log", kind="numerical", tolerance="slope ± 0.05")
def test_series_log(eq: Equation) -> None:
    eq.approximates(NEAR, lambda x: {"x": x})


@equation("univariate-series-rsqrt", kind="numerical", tolerance="slope ± 0.05")
def test_series_rsqrt(eq: Equation) -> None:
    eq.approximates(NEAR, lambda x: {"x": x})


@equation("univariate-series-logistic", kind="numerical", tolerance="slope ± 0.05")
def test_series_logistic(eq: Equation) -> None:
    eq.approximates(2.5 * FARTHER, lambda x: {"x": x, "sigma": LOGISTIC})


@equation("univariate-series-tanh", kind="numerical", tolerance="slope ± 0.05")
def test_series_tanh(eq: Equation) -> None:
    eq.approximates(FARTHER, lambda x: {"x": x})


@equation("univariate-series-softplus", kind="numerical", tolerance="slope ± 0.05")
def test_series_softplus(eq: Equation) -> None:
    eq.approximates(FARTHER, lambda x: {"x": x})


@equation("univariate-series-silu", kind="numerical", tolerance="slope ± 0.05")
def test_series_silu(eq: Equation) -> None:
    eq.approximates(2.5 * FARTHER, lambda x: {"x": x, "sigma": LOGISTIC})


@equation("univariate-series-erf", kind="numerical", tolerance="slope ± 0.05")
def test_series_erf(eq: Equation) -> None:
    eq.approximates(FARTHER, lambda x: {"x": x})


@equation("univariate-series-gelu", kind="numerical", tolerance="slope ± 0.05")
def test_series_gelu(eq: Equation) -> None:
    eq.approximates(FARTHER, lambda x: {"x": x, "Phi": NORMAL})


def logits() -> dict[str, Any]:
    z, v = np.array([0.3, -1.0, 0.8]), np.array([0.5, 1.0, -0.7])
    p = np.exp(z) / np.exp(z).sum()
    known = {"z": z, "v": v, "p": p}
    indexed = {k: Indexed(lambda i, a=a: float(a[int(i) - 1])) for k, a in known.items()}  # type: ignore[misc]
    return {**indexed, "n": 3, "mu": float(p @ v)}


@equation("univariate-series-logsumexp", kind="numerical", tolerance="slope ± 0.05")
def test_series_logsumexp(eq: Equation) -> None:
    eq.approximates(NEAR, lambda h: {**logits(), "h": h})


@equation("univariate-series-softmax", kind="numerical", tolerance="slope ± 0.05")
def test_series_softmax(eq: Equation) -> None:
    for i in (1, 2, 3):
        eq.approximates(NEAR / 3, lambda h, i=i: {**logits(), "h": h, "i": i})
