"""Checks of snippets/equations/multivariate.tex.

Functions of two variables, differentiated by SymPy: f before its arguments are put on the segment,
ψ after. Remainders are what is left of f, or quadrature of a derivative of ψ.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import sympy as sp
import torch
from scipy.optimize import brentq

from x0_equations.check import Equation, equation
from x0_equations.values import Derivatives, Field, Indexed, Matrix, Smooth, integrate, points

X, Y = sp.symbols("X Y", real=True)
FORMULAS = (sp.exp(X / 2) * sp.sin(Y) + X * Y**2, sp.tanh(X + 2 * Y) - X**3 * Y / 3)
POINT = (sp.Rational(3, 10), sp.Rational(-2, 5))
STEP = (sp.Rational(1, 5), sp.Rational(3, 10))
CUBE = X**3 / 3  # its Hessian matrix is Lipschitz with the constant 2, and bounds are reached
VECTOR = Matrix([0.7, -0.4])


def number(matrix: Matrix) -> tuple[float, float]:
    return float(matrix.array[0, 0]), float(matrix.array[1, 0])


class Segment:
    """A function, a point and a step, with ψ and the remainders."""

    def __init__(self, formula: Any, point: Any = POINT, step: Any = STEP) -> None:
        self.formula, self.point, self.step = formula, point, step
        gradient = [sp.diff(formula, z) for z in (X, Y)]
        hessian = [[sp.diff(formula, a, b) for b in (X, Y)] for a in (X, Y)]
        value, slope, bend = (sp.lambdify((X, Y), part) for part in (formula, gradient, hessian))
        self.f = Field(
            lambda p: float(value(*number(p))),
            lambda p: Matrix(slope(*number(p))),
            lambda p: Matrix(bend(*number(p))),
        )
        self.theta = Matrix([float(c) for c in point])
        self.Delta = Matrix([float(c) for c in step])
        self.psi = Smooth(self._along)

    def _along(self, s: Any) -> Any:
        moved = {z: p + s * d for z, p, d in zip((X, Y), self.point, self.step, strict=True)}
        return self.formula.subs(moved, simultaneous=True)

    def left(self, k: int) -> float:
        """Return what the polynomial of order k leaves, by SymPy's series of ψ, in 50 digits."""
        s = sp.Symbol("s")
        series = sp.series(self._along(s), s, 0, k + 1).removeO()
        return float(sp.N(self._along(sp.Integer(1)) - series.subs(s, 1), 50))

    def weighted(self, k: int) -> float:
        """Return the integral form by quadrature."""
        derivative = self.psi.derivative(k + 1)
        whole = integrate(lambda s: (1 - s) ** k * derivative(s), 0.0, 1.0)
        return float(whole.item()) / math.factorial(k)

    def remainder(self, how: Callable[[int], float]) -> Indexed:
        return Indexed(lambda k: Field(lambda _: how(k)), function=True)

    def intermediate(self, k: int) -> float:
        """Find ξ: ψ^(k+1) there is its mean with the weight (1 - s)^k."""
        derivative = self.psi.derivative(k + 1)
        mean = math.factorial(k + 1) * self.weighted(k)
        way = np.linspace(0, 1, 101)
        gaps = derivative(way) - mean
        i = int(np.nonzero(gaps[:-1] * gaps[1:] <= 0)[0][0])
        return float(brentq(lambda s: float(derivative(s)) - mean, way[i], way[i + 1], xtol=1e-15))

    def rho(self) -> float:
        """Return the largest norm of the derivative of the Hessian matrix along the segment."""
        s = sp.Symbol("s")
        moved = {z: p + s * d for z, p, d in zip((X, Y), self.point, self.step, strict=True)}
        hessian = sp.hessian(self.formula, (X, Y)).subs(moved, simultaneous=True)
        rate = sp.lambdify(s, sp.diff(hessian, s))
        largest = max(
            np.linalg.norm(np.array(rate(t), dtype=float), 2) for t in np.linspace(0, 1, 201)
        )
        return float(largest) / float(np.linalg.norm(self.Delta.array))

    def bind(self, *names: str) -> dict[str, Any]:
        return {name: getattr(self, name) for name in names}


SEGMENTS = [Segment(formula) for formula in FORMULAS]
REACHED = Segment(CUBE, (sp.Rational(1, 5), sp.Integer(0)), (sp.Rational(3, 10), sp.Integer(0)))
BACK = Segment(CUBE, REACHED.point, (sp.Rational(-3, 10), sp.Integer(0)))  # R_2 is negative


@equation("multivariate-taylor", kind="numerical", tolerance="relative 1e-9")
def test_taylor(eq: Equation) -> None:
    """R by quadrature of the third derivative along the segment."""
    for e in SEGMENTS:
        eq.holds(R=e.remainder(e.weighted), **e.bind("f", "theta", "Delta"))


@equation("multivariate-bound", kind="numerical", tolerance="relative 1e-9")
def test_bound(eq: Equation) -> None:
    for e in SEGMENTS:
        eq.holds(R=e.remainder(e.left), Delta=e.Delta, rho=e.rho())
    for e in (REACHED, BACK):
        eq.holds(R=e.remainder(e.left), Delta=e.Delta, rho=2.0, tight=True)


@equation("multivariate-product", kind="numerical", tolerance="relative 1e-9")
def test_product(eq: Equation) -> None:
    """ω is differentiated as a function of its own."""
    for e in SEGMENTS:
        weights = [sp.Rational(7, 10), sp.Rational(-2, 5)]
        slope = sum(w * sp.diff(e.formula, z) for w, z in zip(weights, (X, Y), strict=True))
        eq.holds(f=e.f, omega=Segment(slope).f, theta=e.theta, v=VECTOR)


@equation("multivariate-segment", kind="definition", tolerance="relative 1e-9")
def test_segment(eq: Equation) -> None:
    for e in SEGMENTS:
        for s in (0.0, 0.3, 1.0):
            eq.holds(s=s, only=(1,), **e.bind("f", "theta", "Delta", "psi"))
    e = SEGMENTS[0]
    eq.holds(
        s=points([0.0, 0.4, 1.0]), only=(2, 3), tight=True, **e.bind("f", "theta", "Delta", "psi")
    )


@equation("multivariate-chain", kind="numerical", tolerance="relative 1e-9")
def test_chain(eq: Equation) -> None:
    for e in SEGMENTS:
        for s in (0.0, 0.6):
            eq.holds(s=s, **e.bind("f", "theta", "Delta", "psi"))


@equation("multivariate-polynomial", kind="numerical", tolerance="relative 1e-9")
def test_polynomial(eq: Equation) -> None:
    for e in SEGMENTS:
        for k in (0, 1, 3):
            bound = e.bind("f", "theta", "Delta", "psi")
            eq.holds(k=k, R=e.remainder(e.weighted), **bound)


@equation("multivariate-integral", kind="numerical", tolerance="relative 1e-9")
def test_integral(eq: Equation) -> None:
    for e in SEGMENTS:
        for k in (0, 1, 3):
            eq.holds(k=k, R=e.remainder(e.left), Delta=e.Delta, psi=e.psi)


@equation("multivariate-lagrange", kind="numerical", tolerance="relative 1e-9")
def test_lagrange(eq: Equation) -> None:
    for e in SEGMENTS:
        for k in (0, 1, 3):
            bound = {"xi": e.intermediate(k), "Delta": e.Delta, "psi": e.psi}
            eq.holds(k=k, R=e.remainder(e.left), **bound)


@equation("multivariate-lagrange-hessian", kind="numerical", tolerance="relative 1e-9")
def test_lagrange_hessian(eq: Equation) -> None:
    for e in SEGMENTS:
        bound = e.bind("f", "theta", "Delta")
        eq.holds(xi=e.intermediate(1), R=e.remainder(e.left), **bound)


@equation("multivariate-half", kind="numerical")
def test_half(eq: Equation) -> None:
    eq.holds()


@equation("multivariate-difference", kind="numerical", tolerance="relative 1e-9")
def test_difference(eq: Equation) -> None:
    for e in SEGMENTS:
        eq.holds(R=e.remainder(e.left), **e.bind("f", "theta", "Delta"))


@equation(
    "multivariate-lipschitz",
    kind="numerical",
    tolerance="relative 1e-9",
    survivors="true as well: the step reversed",
)
def test_lipschitz(eq: Equation) -> None:
    for e in SEGMENTS:
        for s in (0.2, 1.0):
            eq.holds(s=s, rho=e.rho(), v=VECTOR, **e.bind("f", "theta", "Delta"))
    along = Matrix([0.6, 0.0])
    for s in (0.2, 1.0):
        eq.holds(s=s, rho=2.0, v=along, tight=True, **REACHED.bind("f", "theta", "Delta"))


@equation("multivariate-bound-integral", kind="numerical", tolerance="relative 1e-9")
def test_bound_integral(eq: Equation) -> None:
    for e in SEGMENTS:
        eq.holds(R=e.remainder(e.left), Delta=e.Delta, rho=e.rho())
    for e in (REACHED, BACK):
        eq.holds(R=e.remainder(e.left), Delta=e.Delta, rho=2.0, tight=True)


def indices(total: int) -> list[tuple[int, int]]:
    return [(a, total - a) for a in range(total + 1)]


def derivative(formula: Any, alpha: tuple[int, int]) -> Any:
    for z, times in zip((X, Y), alpha, strict=True):
        formula = sp.diff(formula, z, times)
    return formula


def factorials(alpha: tuple[int, int]) -> int:
    return math.prod(map(math.factorial, alpha))


def powers(e: Segment, alpha: tuple[int, int]) -> Any:
    return math.prod(d**a for d, a in zip(e.step, alpha, strict=True))


def at(e: Segment, formula: Any, s: Any) -> float:
    moved = {z: p + s * d for z, p, d in zip((X, Y), e.point, e.step, strict=True)}
    return float(sp.N(formula.subs(moved), 30))


@equation("multivariate-multi-index", kind="numerical", tolerance="relative 1e-9", parsed=False)
def test_multi_index(eq: Equation) -> None:
    eq.states(
        r"\psi^{(j)}(s) = \sum_{\abs{\alpha} = j} "
        r"\frac{j!}{\alpha!} \partial^{\alpha} f(\theta + s \Delta) \Delta^{\alpha}"
    )
    for e, j in itertools.product(SEGMENTS, (1, 2, 3)):
        for s in (0.0, 0.5):
            found = sum(
                math.factorial(j)
                / factorials(a)
                * at(e, derivative(e.formula, a), s)
                * float(powers(e, a))
                for a in indices(j)
            )
            expected = float(e.psi.derivative(j)(s))
            np.testing.assert_allclose(found, expected, rtol=1e-9)
            plain = sum(
                at(e, derivative(e.formula, a), s) * float(powers(e, a)) for a in indices(j)
            )
            assert j == 1 or abs(plain - expected) > 1e-3 * abs(expected)  # without j!/α!


@equation(
    "multivariate-multi-index-taylor", kind="numerical", tolerance="relative 1e-9", parsed=False
)
def test_multi_index_taylor(eq: Equation) -> None:
    eq.states(
        r"f(\theta + \Delta) = \sum_{\abs{\alpha} \le k} "
        r"\frac{\partial^{\alpha} f(\theta)}{\alpha!} \Delta^{\alpha} + \sum_{\abs{\alpha} = k+1} "
        r"\frac{\partial^{\alpha} f(\theta + \xi \Delta)}{\alpha!} \Delta^{\alpha}"
    )
    for e, k in itertools.product(SEGMENTS, (0, 1, 2)):

        def terms(order: int, s: float, e: Segment = e) -> float:
            return sum(
                at(e, derivative(e.formula, a), s) * float(powers(e, a)) / factorials(a)
                for a in indices(order)
            )

        polynomial = sum(terms(j, 0.0) for j in range(k + 1))
        whole = polynomial + terms(k + 1, e.intermediate(k))
        np.testing.assert_allclose(whole, at(e, e.formula, 1), rtol=1e-9)
        assert abs(polynomial + terms(k + 1, 0.0) - whole) > 1e-6  # ξ is not 0


@equation("multivariate-count", kind="numerical")
def test_count(eq: Equation) -> None:
    """N by listing the multi-indices."""
    for n, k in ((1, 3), (2, 2), (3, 4), (5, 2)):
        listed = [a for a in itertools.product(range(k + 1), repeat=n) if sum(a) <= k]
        eq.holds(N=len(listed), n=n, k=k)


@equation("multivariate-gradient", kind="numerical", tolerance="relative 1e-9")
def test_gradient(eq: Equation) -> None:
    for e in SEGMENTS:
        eq.holds(rho=e.rho(), **e.bind("f", "theta", "Delta"))
    eq.holds(rho=2.0, tight=True, **REACHED.bind("f", "theta", "Delta"))


@equation("multivariate-gradient-integral", kind="numerical", tolerance="relative 1e-9")
def test_gradient_integral(eq: Equation) -> None:
    for e in SEGMENTS:
        eq.holds(**e.bind("f", "theta", "Delta"))


@equation("multivariate-components", kind="numerical", tolerance="relative 1e-9")
def test_components(eq: Equation) -> None:
    """ω and g by automatic differentiation, H by SymPy."""
    e = SEGMENTS[0]
    place = torch.tensor(number(e.theta), dtype=torch.float64, requires_grad=True)
    value = torch.exp(place[0] / 2) * torch.sin(place[1]) + place[0] * place[1] ** 2
    (gradient,) = torch.autograd.grad(value, place, create_graph=True)
    v = dict(enumerate(number(VECTOR), 1))
    slope = sum(gradient[j - 1] * v[j] for j in (1, 2))

    def partials(of: torch.Tensor) -> Derivatives:
        (found,) = torch.autograd.grad(of, place, retain_graph=True)
        return Derivatives(lambda name, i: found[i - 1].item() if name == "theta" else None)

    hessian = sp.hessian(e.formula, (X, Y)).subs(dict(zip((X, Y), POINT, strict=True)))
    matrix = {(i, j): float(hessian[i - 1, j - 1]) for i in (1, 2) for j in (1, 2)}
    g = {j: partials(gradient[j - 1]) for j in (1, 2)}
    for i in (1, 2):
        eq.holds(i=i, n=2, omega=partials(slope), g=g, H=matrix, v=v)


@equation("multivariate-central", kind="numerical", tolerance="slope ± 0.05")
def test_central(eq: Equation) -> None:
    for e in SEGMENTS:
        bound = {"f": e.f, "theta": e.theta, "v": VECTOR}
        steps = np.geomspace(0.003, 0.1, 6)
        eq.approximates(steps, lambda x, b=bound: {**b, "epsilon": x}, order=2)


@equation("multivariate-recursion", kind="numerical", tolerance="relative 1e-9")
def test_recursion(eq: Equation) -> None:
    """tanh of a polynomial, its derivative factor 1 - tanh², and SymPy's series of both."""
    t = sp.Symbol("t")
    inner = sp.Rational(1, 5) + 2 * t - t**2 / 2 + t**3
    outer = sp.tanh(inner)

    def coefficients(formula: Any) -> Indexed:
        return Indexed(lambda n: float(sp.diff(formula, t, n).subs(t, 0) / sp.factorial(n)))

    found = {"x": coefficients(inner), "y": coefficients(outer), "w": coefficients(1 - outer**2)}
    for k in (1, 2, 4):
        eq.holds(k=k, **found)


@equation("multivariate-enclosure", kind="numerical", tolerance="relative 1e-9")
def test_enclosure(eq: Equation) -> None:
    """τ by SymPy's series around s."""
    u = sp.Symbol("u")
    for e in SEGMENTS:

        def tau(n: int, e: Segment = e) -> Any:
            def at_s(s: float) -> float:
                formula = e._along(sp.nsimplify(s, rational=True) + u)
                series = sp.series(formula, u, 0, n + 1).removeO()
                return float(sp.N(series.coeff(u, n)))

            return at_s

        for k in (0, 1):
            eq.holds(
                j=3,
                k=k,
                s=0.25,
                xi=e.intermediate(k),
                tau=Indexed(tau, function=True),
                psi=e.psi,
                R=e.remainder(e.left),
                Delta=e.Delta,
            )


def signs(n: int) -> tuple[Indexed, Callable[[Any], Any]]:
    every = np.array(list(itertools.product((-1.0, 1.0), repeat=n)))

    def mean(values: Any) -> Any:
        values = np.asarray(values, dtype=float)
        return values if values.ndim == 0 else values.mean(-1, keepdims=True)

    return Indexed(lambda i: every[None, :, i - 1]), mean


def symmetric(n: int) -> dict[tuple[int, int], float]:
    rng = np.random.default_rng(0)
    a = rng.normal(size=(n, n))
    a = a + a.T + np.eye(n)
    return {(i + 1, j + 1): float(a[i, j]) for i in range(n) for j in range(n)}


@equation(
    "multivariate-hutchinson",
    kind="numerical",
    tolerance="relative 1e-9",
    survivors="true as well: only the terms with i = j stay",
)
def test_hutchinson(eq: Equation) -> None:
    """All 2^n vectors of signs."""
    for n in (2, 4):
        v, mean = signs(n)
        eq.holds(n=n, H=symmetric(n), v=v, E=mean)


@equation("multivariate-hutchinson-variance", kind="numerical", tolerance="relative 1e-9")
def test_hutchinson_variance(eq: Equation) -> None:
    for n in (2, 4):
        v, mean = signs(n)
        eq.holds(n=n, H=symmetric(n), v=v, E=mean)


@equation("multivariate-check-right", kind="numerical", tolerance="slope ± 0.05")
def test_check_right(eq: Equation) -> None:
    for e in SEGMENTS:
        bound = {"f": e.f, "theta": e.theta, "v": VECTOR}
        eq.approximates(np.geomspace(0.001, 0.03, 6), lambda x, b=bound: {**b, "h": x}, order=3)


@equation("multivariate-check-wrong", kind="numerical", tolerance="slope ± 0.05")
def test_check_wrong(eq: Equation) -> None:
    """A gradient with one wrong entry."""
    for e in SEGMENTS:
        wrong = Matrix(e.f.derivative(1)(e.theta).array + np.array([[0.2], [0.0]]))
        bound = {"f": e.f, "theta": e.theta, "v": VECTOR, "g": wrong}
        eq.approximates(np.geomspace(0.001, 0.03, 6), lambda x, b=bound: {**b, "h": x}, order=2)
