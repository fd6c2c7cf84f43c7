"""Checks of snippets/equations/optimization.tex.

Losses of two parameters with exact derivatives: a logistic-like one, whose curvature is bounded,
and quadratics, where bounds are reached. Minimizers come from root finding or linear algebra.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import sympy as sp
import torch
from numpy.typing import NDArray
from scipy.linalg import sqrtm
from scipy.optimize import brentq, minimize
from scipy.optimize import root as zero_of

from x0_equations.check import Equation, equation
from x0_equations.values import Field, Indexed, Matrix

Array = NDArray[np.float64]
MIX = np.array([[1.0, 0.4], [-0.3, 0.8]])
H = np.array([[2.0, 0.6], [0.6, 1.0]])
BEST = np.array([0.7, -0.2])
START, STEP = np.array([1.1, 0.9]), np.array([0.5, -0.8])


def bent_field() -> tuple[Field, float]:
    """Return Σ ln cosh of mixed parameters plus a tilt, and its Lipschitz constant."""
    tilt = np.array([0.3, -0.2])

    def value(p: Matrix) -> float:
        x = p.array.ravel()
        return float(np.log(np.cosh(MIX @ x)).sum() + tilt @ x)

    def slope(p: Matrix) -> Matrix:
        return Matrix(MIX.T @ np.tanh(MIX @ p.array.ravel()) + tilt)

    def bend(p: Matrix) -> Matrix:
        rate = 1 - np.tanh(MIX @ p.array.ravel()) ** 2
        return Matrix(MIX.T @ np.diag(rate) @ MIX)

    return Field(value, slope, bend), float(np.linalg.norm(MIX.T @ MIX, 2))


def quadratic(matrix: Array = H) -> tuple[Field, float]:
    """Return the quadratic around BEST, by sums over entries, and its largest eigenvalue."""

    def value(p: Matrix) -> float:
        e = p.array.ravel() - BEST
        return sum(e[i] * matrix[i, j] * e[j] for i in (0, 1) for j in (0, 1)) / 2

    def slope(p: Matrix) -> Matrix:
        return Matrix(matrix @ (p.array.ravel() - BEST))

    return Field(value, slope, lambda p: Matrix(matrix)), float(np.linalg.eigvalsh(matrix)[-1])


ROUND = 1.5 * np.eye(2)  # curvature L in every direction: the bounds are reached
FIELDS = (bent_field(), quadratic())


def descend(f: Field, rate: float, steps: int) -> dict[int, Matrix]:
    """Run gradient descent."""
    x = START
    path = {0: Matrix(x)}
    for t in range(steps):
        x = x - rate * f.derivative(1)(Matrix(x)).array.ravel()
        path[t + 1] = Matrix(x)
    return path


def bound(f: Field, **more: Any) -> dict[str, Any]:
    return {"f": f, "theta": Matrix(START), "Delta": Matrix(STEP), **more}


@equation("optimization-step", kind="definition", tolerance="relative 1e-9")
def test_step(eq: Equation) -> None:
    """θ by the minimizer of the linear model plus the price, found numerically."""
    f, _ = quadratic()
    g = f.derivative(1)(Matrix(START)).array.ravel()
    found = minimize(
        lambda d: g @ d + d @ d / 0.6, np.zeros(2), jac=lambda d: g + d / 0.3, tol=1e-14
    )
    eq.holds(t=0, f=f, eta=0.3, theta={0: Matrix(START), 1: Matrix(START + found.x)})


@equation("optimization-model", kind="definition", tolerance="relative 1e-9")
def test_model(eq: Equation) -> None:
    for f, _ in FIELDS:

        def m(d: Matrix, f: Field = f) -> float:
            g = f.derivative(1)(Matrix(START)).array.ravel()
            e = d.array.ravel()
            return float(f(Matrix(START)) + g @ e + (e**2).sum() / (2 * 0.3))

        eq.holds(m=Field(m), **bound(f, eta=0.3))


@equation("optimization-square", kind="numerical", tolerance="relative 1e-9")
def test_square(eq: Equation) -> None:
    for f, _ in FIELDS:

        def m(d: Matrix, f: Field = f) -> float:
            g = f.derivative(1)(Matrix(START)).array.ravel()
            e = d.array.ravel()
            return float(f(Matrix(START)) + g @ e + (e**2).sum() / (2 * 0.3))

        eq.holds(m=Field(m), **bound(f, eta=0.3))


@equation(
    "optimization-lipschitz",
    kind="numerical",
    tolerance="relative 1e-9",
    survivors="true as well: the step reversed",
)
def test_lipschitz(eq: Equation) -> None:
    for f, constant in FIELDS:
        for s in (0.3, 1.0):
            eq.holds(s=s, L=constant, **bound(f))
    for s in (0.3, 1.0):
        eq.holds(s=s, L=1.5, tight=True, **bound(quadratic(ROUND)[0]))


@equation("optimization-lemma-integral", kind="numerical", tolerance="relative 1e-9")
def test_lemma_integral(eq: Equation) -> None:
    for f, _ in FIELDS:
        eq.holds(**bound(f))


@equation("optimization-lemma-estimate", kind="numerical", tolerance="relative 1e-9")
def test_lemma_estimate(eq: Equation) -> None:
    for f, constant in FIELDS:
        eq.holds(L=constant, **bound(f))
    eq.holds(L=1.5, tight=True, **bound(quadratic(ROUND)[0]))


@equation("optimization-lemma", kind="numerical", tolerance="relative 1e-9")
def test_lemma(eq: Equation) -> None:
    for f, constant in FIELDS:
        eq.holds(L=constant, **bound(f))
    eq.holds(L=1.5, tight=True, **bound(quadratic(ROUND)[0]))


@equation("optimization-descent", kind="numerical", tolerance="relative 1e-9")
def test_descent(eq: Equation) -> None:
    for f, constant in FIELDS:
        for eta in (0.3 / constant, 1.7 / constant):
            path = descend(f, eta, 3)
            for t in (0, 2):
                eq.holds(t=t, f=f, L=constant, eta=eta, theta=path)
    f, _ = quadratic(ROUND)
    for eta in (0.4, 1.1):
        eq.holds(t=0, f=f, L=1.5, eta=eta, theta=descend(f, eta, 1), tight=True)


@equation(
    "optimization-telescope",
    kind="numerical",
    tolerance="relative 1e-9",
    survivors="true as well: fewer or smaller terms on the left",
)
def test_telescope(eq: Equation) -> None:
    for f, constant in FIELDS:
        for eta, n in ((0.3 / constant, 5), (1.7 / constant, 3)):
            eq.holds(N=n, f=f, L=constant, eta=eta, theta=descend(f, eta, n))
    f, _ = quadratic(ROUND)
    for n in (2, 3):
        eq.holds(N=n, f=f, L=1.5, eta=0.4, theta=descend(f, 0.4, n), tight=True)


@equation(
    "optimization-stationary",
    kind="numerical",
    tolerance="relative 1e-9",
    survivors="true as well: more than one step cannot reach the bound",
)
def test_stationary(eq: Equation) -> None:
    """The least value by a long descent; one step that ends in the minimum reaches the bound."""
    for f, constant in FIELDS:
        least = float(f(descend(f, 1 / constant, 2000)[2000]))
        for eta, n in ((0.3 / constant, 5), (1.5 / constant, 4)):
            path = descend(f, eta, n)
            norms = [np.linalg.norm(f.derivative(1)(path[t]).array) for t in range(n)]
            here = {"tau": int(np.argmin(norms)), "N": n, "f_star": least}
            eq.holds(f=f, L=constant, eta=eta, theta=path, **here)
    for constant in (1.5, 2.5):
        round_one, _ = quadratic(constant * np.eye(2))
        f = Field(lambda p, f=round_one: f(p) + 0.7, *round_one.derivatives[1:])
        path = descend(f, 1 / constant, 1)
        eq.holds(f=f, L=constant, eta=1 / constant, theta=path, tau=0, N=1, f_star=0.7, tight=True)


def slow_bowl() -> tuple[Field, float]:
    """Return x² + 3 sin² x and a bound of its curvature: it is not convex."""
    f = Field(
        lambda p: float(p.array[0, 0] ** 2 + 3 * np.sin(p.array[0, 0]) ** 2),
        lambda p: Matrix([2 * p.array[0, 0] + 3 * np.sin(2 * p.array[0, 0])]),
    )
    return f, 8.0


def huber(p: Matrix) -> float:
    x = abs(float(p.array[0, 0]))
    return x**2 / 2 if x < 1 else x - 0.5


def raised(matrix: Array, least: float) -> Field:
    """Return the quadratic around BEST with this least value."""
    f, _ = quadratic(matrix)
    return Field(lambda p: f(p) + least, *f.derivatives[1:])


def lowest(f: Field, constant: float, start: Array = START) -> tuple[Matrix, float]:
    """Return the end of a long descent, and the value there."""
    x = start
    for _ in range(4000):
        x = x - f.derivative(1)(Matrix(x)).array.ravel() / constant
    return Matrix(x), float(f(Matrix(x)))


@equation(
    "optimization-convex-step",
    kind="numerical",
    tolerance="relative 1e-9",
    survivors="true as well: the loss before the step",
)
def test_convex_step(eq: Equation) -> None:
    """Convex losses; far out on a straight slope, the bound is nearly reached."""
    for f, constant in FIELDS:
        best, least = lowest(f, constant)
        path = descend(f, 1 / constant, 5)
        for t in range(5):
            here = {"theta_star": best, "f_star": least}
            eq.holds(t=t, f=f, L=constant, theta=path, scale=1.0, **here)
    f = Field(lambda p: huber(Matrix([p.array[0, 0] - 5e6])) + 2e7)
    far = {0: Matrix([1.5e7]), 1: Matrix([1.5e7 - 1])}
    eq.holds(t=0, f=f, L=1.0, theta=far, theta_star=Matrix([5e6]), f_star=2e7, tight=True)


@equation(
    "optimization-convex-rate",
    kind="numerical",
    tolerance="relative 1e-9",
    survivors="true as well: a larger bound, or down to half of it",
)
def test_convex_rate(eq: Equation) -> None:
    """Convex losses, and slopes that end where they are slowest: half the bound is reached."""
    for f, constant in FIELDS:
        best, least = lowest(f, constant)
        path = descend(f, 1 / constant, 9)
        for n in (1, 2, 9):
            here = {"theta_star": best, "f_star": least, "theta": path}
            eq.holds(N=n, f=f, L=constant, scale=1.0, **here)
    for n, far in itertools.product((4, 40), (10.0, 0.2)):
        best, width = 1.5 * far, far / (2 * n + 1)  # beyond best ± width the slope is width

        def value(p: Matrix, w: float = width, c: float = best) -> float:
            return w**2 * huber(Matrix([(p.array[0, 0] - c) / w])) + 0.7

        x, path = best - far, {0: Matrix([best - far])}
        for t in range(n):
            x -= float(np.clip(x - best, -width, width))
            path[t + 1] = Matrix([x])
        here = {"theta": path, "theta_star": Matrix([best]), "f_star": 0.7}
        eq.holds(N=n, f=Field(value), L=1.0, **here)
        assert value(path[n]) - 0.7 > 0.44 * far**2 / (2 * n)


@equation("optimization-pl", kind="numerical", tolerance="relative 1e-9")
def test_pl(eq: Equation) -> None:
    """Quadratics with their least eigenvalue, and a function that is not convex."""
    low, vectors = np.linalg.eigh(H)
    rng = np.random.default_rng(0)
    for least in (0.7, -0.7):
        f = raised(H, least)
        for theta in rng.normal(size=(20, 2)):
            eq.holds(f=f, mu=float(low[0]), theta=Matrix(theta), f_star=least)
        end = Matrix(BEST + vectors[:, 0])
        eq.holds(f=f, mu=float(low[0]), theta=end, f_star=least, tight=True)
    f, _ = slow_bowl()
    for x in np.linspace(-30, 30, 2001):
        eq.holds(f=f, mu=1 / 32, theta=Matrix([x]), f_star=0.0)


@equation(
    "optimization-pl-rate",
    kind="numerical",
    tolerance="relative 1e-9",
    survivors="true as well: no loss on the left, or hardly another factor if μ is small",
)
def test_pl_rate(eq: Equation) -> None:
    low, constant = (float(value) for value in np.linalg.eigvalsh(H))
    for n, least in itertools.product((0, 1, 2, 6), (0.7, -0.7)):
        f = raised(H, least)
        here = {"theta": descend(f, 1 / constant, n), "f_star": least}
        eq.holds(N=n, f=f, L=constant, mu=low, tight=n == 0, **here)
    slow = raised(np.diag([1e-7, 1.0]), 0.7)
    far = np.array([1e5, 0.0])
    path = {0: Matrix(BEST + far), 1: Matrix(BEST + (1 - 1e-7) * far)}
    eq.holds(N=1, f=slow, L=1.0, mu=1e-7, theta=path, f_star=0.7, tight=True)
    f, constant = slow_bowl()
    for start in np.linspace(-20, 20, 81):
        x, path = float(start), {0: Matrix([float(start)])}
        for t in range(30):
            x -= float(f.derivative(1)(Matrix([x])).array[0, 0]) / constant
            path[t + 1] = Matrix([x])
        for n in (1, 5, 30):
            eq.holds(N=n, f=f, L=constant, mu=1 / 32, theta=path, f_star=0.0, scale=1e-6)


@equation("optimization-probe", kind="numerical", tolerance="relative 1e-9")
def test_probe(eq: Equation) -> None:
    """All 2^n vectors of signs."""
    for n in (2, 5):
        every = np.array(list(itertools.product((-1.0, 1.0), repeat=n))) / np.sqrt(n)
        _, vectors = np.linalg.eigh(symmetric(n))

        def mean(values: Any) -> Any:
            values = np.asarray(values, dtype=float)
            return values if values.ndim == 0 else values.mean(-1, keepdims=True)

        for i in range(1, n + 1):
            eq.holds(
                i=i,
                n=n,
                u=Indexed(lambda i, k, w=vectors: float(w[int(k) - 1, int(i) - 1])),
                v=Indexed(lambda k, w=every: w[None, :, int(k) - 1]),
                E=mean,
            )


def symmetric(n: int) -> Array:
    a = np.random.default_rng(0).normal(size=(n, n))
    return a + a.T


@equation("optimization-quadrature", kind="numerical", tolerance="relative 1e-9")
def test_quadrature(eq: Equation) -> None:
    """The small matrix by an orthonormal basis of v, H v, ...: moments up to 2N - 1 agree."""
    n, steps = 6, 3
    matrix = symmetric(n)
    values, vectors = np.linalg.eigh(matrix)
    start = np.array([1.0, -1.0, -1.0, 1.0, 1.0, 1.0]) / np.sqrt(n)
    powers = [np.linalg.matrix_power(matrix, k) @ start for k in range(steps)]
    basis, _ = np.linalg.qr(np.stack(powers, 1))
    nodes, small = np.linalg.eigh(basis.T @ matrix @ basis)
    bound = {
        "n": n,
        "N": steps,
        "u": Indexed(lambda i: Matrix(vectors[:, int(i) - 1])),
        "v": Matrix(start),
        "lambda": Indexed(lambda i: float(values[int(i) - 1])),
        "p": Indexed(lambda k: float(small[0, int(k) - 1] ** 2)),
        "z": Indexed(lambda k: float(nodes[int(k) - 1])),
    }
    for j in range(2 * steps):
        eq.holds(j=j, **bound)
    moments = [
        np.sum((vectors.T @ start) ** 2 * values ** (2 * steps)),
        small[0] ** 2 @ nodes ** (2 * steps),
    ]
    assert abs(moments[0] - moments[1]) > 0.01 * abs(moments[0])  # and the next one does not


@equation("optimization-quadratic", kind="definition", tolerance="relative 1e-9")
def test_quadratic(eq: Equation) -> None:
    f, _ = quadratic()
    eq.holds(f=f, H=Matrix(H), theta=Matrix(START), theta_star=Matrix(BEST))


@equation("optimization-recursion", kind="numerical", tolerance="relative 1e-9")
def test_recursion(eq: Equation) -> None:
    f, _ = quadratic()
    for eta in (0.2, 0.9):
        known = {"H": Matrix(H), "I": Matrix(np.eye(2)), "theta_star": Matrix(BEST)}
        eq.holds(t=1, eta=eta, theta=descend(f, eta, 2), **known)


@equation("optimization-mode", kind="numerical", tolerance="relative 1e-9")
def test_mode(eq: Equation) -> None:
    f, _ = quadratic()
    values, vectors = np.linalg.eigh(H)
    path = descend(f, 0.3, 5)

    def part(t: int, i: int) -> float:
        return float(vectors[:, i - 1] @ (path[t].array.ravel() - BEST))

    for t, i in itertools.product((1, 2, 5), (1, 2)):
        eq.holds(t=t, i=i, eta=0.3, e=Indexed(part), **{"lambda": dict(enumerate(values, 1))})


@equation("optimization-stable", kind="numerical")
def test_stable(eq: Equation) -> None:
    for value in (0.5, 3.0):
        eq.equivalent("eta", (-1.0, 5.0), **{"lambda": value})


@equation("optimization-rate", kind="numerical", tolerance="relative 1e-6")
def test_rate(eq: Equation) -> None:
    """η by minimizing the larger of both factors."""
    from scipy.optimize import minimize_scalar

    for low, high in ((1.0, 10.0), (0.3, 0.9)):
        found = minimize_scalar(
            lambda eta: max(abs(1 - eta * low), abs(1 - eta * high)),  # noqa: B023
            bounds=(0, 2 / high),
            method="bounded",
            options={"xatol": 1e-12},
        )
        eq.holds(eta=float(found.x), lambda_min=low, lambda_max=high, kappa=high / low)


@equation("optimization-mse", kind="numerical", tolerance="relative 1e-9")
def test_mse(eq: Equation) -> None:
    """The Hessian matrix by SymPy."""
    x = [0.3, -0.7, 1.4]
    w, b = sp.symbols("w b")
    loss = sum((w * value + b - 2 * k) ** 2 for k, value in enumerate(x)) / len(x)
    matrix = np.array(sp.hessian(loss, (w, b)), dtype=float)
    eq.holds(m=3, x=dict(enumerate(x, 1)), H=Matrix(matrix))


def newton(f: Field, x: Array) -> Array:
    p = Matrix(x)
    g = f.derivative(1)(p).array.ravel()
    step: Array = np.linalg.solve(f.derivative(2)(p).array, g)
    return x - step


def bent_minimum() -> Array:
    x = np.zeros(2)
    for _ in range(60):
        x = newton(FIELDS[0][0], x)
    return x


@equation("optimization-newton", kind="definition", tolerance="relative 1e-7")
def test_newton(eq: Equation) -> None:
    """θ by minimizing the second-order model numerically."""
    for f, _ in FIELDS:
        p = Matrix(START)
        g, h = f.derivative(1)(p).array.ravel(), f.derivative(2)(p).array
        found = minimize(
            lambda d: g @ d + d @ h @ d / 2,  # noqa: B023
            np.zeros(2),
            jac=lambda d: g + h @ d,  # noqa: B023
            tol=1e-13,
        )
        eq.holds(t=0, f=f, theta={0: p, 1: Matrix(START + found.x)})


@equation("optimization-newton-stationary", kind="numerical", tolerance="relative 1e-7")
def test_newton_stationary(eq: Equation) -> None:
    """Δ by minimizing the second-order model numerically."""
    for f, _ in FIELDS:
        p = Matrix(START)
        g, h = f.derivative(1)(p).array.ravel(), f.derivative(2)(p).array
        found = minimize(
            lambda d: g @ d + d @ h @ d / 2,  # noqa: B023
            np.zeros(2),
            jac=lambda d: g + h @ d,  # noqa: B023
            tol=1e-13,
        )
        eq.holds(f=f, theta=p, Delta=Matrix(found.x), scale=1.0)


@equation("optimization-newton-quadratic", kind="numerical", tolerance="relative 1e-9")
def test_newton_quadratic(eq: Equation) -> None:
    eq.holds(H=Matrix(H), theta=Matrix(START), theta_star=Matrix(BEST))


@equation("optimization-newton-error", kind="numerical", tolerance="relative 1e-9")
def test_newton_error(eq: Equation) -> None:
    f, best = FIELDS[0][0], bent_minimum()
    for shift in ((0.3, -0.2), (-0.1, 0.4)):
        x = best + np.array(shift)
        path = {0: Matrix(x), 1: Matrix(newton(f, x))}
        eq.holds(t=0, f=f, theta=path, theta_star=Matrix(best))


@equation("optimization-newton-rate", kind="numerical", tolerance="relative 1e-9")
def test_newton_rate(eq: Equation) -> None:
    """Separate cubics with f'' = 1 - 2 (x - θ_*), so ρ is 2; one parameter reaches the bound."""
    for best, start in (([0.3], [0.45]), ([0.3], [0.1]), ([0.3, -0.2], [0.5, -0.3])):
        middle = np.array(best)
        f = Field(
            lambda p: 0.0,
            lambda p, c=middle: Matrix(p.array.ravel() - c - (p.array.ravel() - c) ** 2),
            lambda p, c=middle: Matrix(np.diag(1 - 2 * (p.array.ravel() - c))),
        )
        x = np.array(start)
        lowest = float(np.linalg.eigvalsh(f.derivative(2)(Matrix(x)).array)[0])
        path = {0: Matrix(x), 1: Matrix(newton(f, x))}
        known = {"rho": 2.0, "lambda_min": lowest, "theta_star": Matrix(middle)}
        eq.holds(t=0, theta=path, tight=len(best) == 1, **known)


@equation("optimization-lncosh", kind="numerical", tolerance="relative 1e-9")
def test_lncosh(eq: Equation) -> None:
    """The step by SymPy's derivatives of ln cosh."""
    z = sp.Symbol("z")
    f = sp.log(sp.cosh(z))
    step = sp.diff(f, z) / sp.diff(f, z, 2)
    for x in (0.4, -1.3):
        path = {0: x, 1: float(x - step.subs(z, x))}
        eq.holds(t=0, x=path)


@equation("optimization-border", kind="numerical")
def test_border(eq: Equation) -> None:
    eq.equivalent("x", (-2.0, 2.1), scale=1.0)


@equation("optimization-heavy-ball", kind="definition", tolerance="relative 1e-9")
def test_heavy_ball(eq: Equation) -> None:
    """θ by PyTorch's SGD with momentum."""
    import torch

    f, _ = quadratic()
    x = torch.tensor(START, requires_grad=True)
    optimizer = torch.optim.SGD([x], lr=0.2, momentum=0.7)
    path = {0: Matrix(START)}
    for t in (1, 2, 3):
        x.grad = torch.tensor(H @ (x.detach().numpy() - BEST))
        optimizer.step()
        path[t] = Matrix(x.detach().numpy().copy())
    for t in (1, 2):
        eq.holds(t=t, f=f, eta=0.2, beta=0.7, theta=path)


@equation("optimization-characteristic", kind="numerical", tolerance="relative 1e-9")
def test_characteristic(eq: Equation) -> None:
    """r by the eigenvalues of the matrix that takes two errors to the next two."""
    for eta, beta, value in ((0.2, 0.5, 1.0), (0.1, 0.8, 30.0), (0.05, 0.1, 3.0)):
        matrix = np.array([[1 + beta - eta * value, -beta], [1.0, 0.0]])
        for root in np.linalg.eigvals(matrix):
            eq.holds(r=np.array([[root]]), eta=eta, beta=beta, scale=1.0, **{"lambda": value})


@equation("optimization-complex", kind="numerical")
def test_complex(eq: Equation) -> None:
    for beta, value in ((0.3, 1.0), (0.8, 2.5)):
        eq.equivalent("eta", (-0.5, 4.0), beta=beta, **{"lambda": value})


@equation("optimization-double", kind="numerical", tolerance="relative 1e-9")
def test_double(eq: Equation) -> None:
    """PyTorch's SGD with the best pair on both ends of the spectrum, from rest."""
    for kappa in (4.0, 100.0):
        root = (np.sqrt(kappa) - 1) / (np.sqrt(kappa) + 1)
        rate = 4 / (np.sqrt(kappa) + 1) ** 2
        for eigenvalue, r in ((1.0, root), (kappa, -root)):
            x = torch.nn.Parameter(torch.tensor(0.7, dtype=torch.float64))
            optimizer = torch.optim.SGD([x], lr=rate, momentum=root**2)
            errors = {0: x.item()}
            for t in range(1, 12):
                optimizer.zero_grad()
                (eigenvalue * x.square() / 2).backward()
                optimizer.step()
                errors[t] = x.item()
            for t in (1, 2, 5, 11):
                eq.holds(e=errors, t=t, r=float(r))


@equation("optimization-momentum", kind="numerical", tolerance="relative 1e-3")
def test_momentum(eq: Equation) -> None:
    """Rate and momentum by a search for the smallest spectral radius."""
    for low, high in ((1.0, 10.0), (0.5, 50.0)):

        def radius(pair: Any, low: float = low, high: float = high) -> float:
            eta, beta = pair
            found = [
                np.abs(np.roots([1, -(1 + beta - eta * value), beta])).max()
                for value in (low, high)
            ]
            return float(max(found))

        start = min(
            itertools.product(np.linspace(0.1, 4, 40) / high, np.linspace(0.02, 0.98, 49)),
            key=radius,
        )
        found = minimize(
            radius,
            start,
            method="Nelder-Mead",
            options={"xatol": 1e-12, "fatol": 1e-14, "maxiter": 4000},
        ).x
        known = {"kappa": high / low, "lambda_min": low, "lambda_max": high}
        eq.holds(beta=float(found[1]), eta=float(found[0]), **known)


def box_step(g: Array, eta: float) -> Array:
    """Minimize g·Δ + (largest entry)² / (2 η) over the corners of boxes of all sizes."""
    from scipy.optimize import minimize_scalar

    corners = [np.array(c) for c in itertools.product((-1.0, 0.0, 1.0), repeat=len(g))]
    corner = min(corners, key=lambda c: float(g @ c))
    slope = float(g @ corner)
    size = minimize_scalar(lambda r: slope * r + r**2 / (2 * eta), tol=1e-12)
    return float(size.x) * corner


@equation("optimization-entry", kind="numerical", tolerance="relative 1e-6")
def test_entry(eq: Equation) -> None:
    for g in (np.array([0.5, -1.3]), np.array([-0.2, 0.7, 2.0])):
        step = box_step(g, 0.3)
        at = {"n": len(g), "g": dict(enumerate(g, 1)), "Delta": dict(enumerate(step, 1))}
        for i in range(1, len(g) + 1):
            eq.holds(i=i, eta=0.3, **at)


@equation(
    "optimization-entry-bound",
    kind="numerical",
    tolerance="relative 1e-9",
    survivors="true as well, and weaker",
)
def test_entry_bound(eq: Equation) -> None:
    """r is the largest entry of a random step; the minimizer reaches both bounds."""
    rng = np.random.default_rng(0)
    g = np.array([0.5, -1.3, 0.9])
    for _ in range(20):
        step = rng.normal(size=3)
        at = {"n": 3, "g": dict(enumerate(g, 1)), "Delta": dict(enumerate(step, 1))}
        eq.holds(r=float(np.abs(step).max()), eta=0.3, **at)
    for eta in (0.3, 1.7):
        step = -eta * np.sign(g) * np.abs(g).sum()
        at = {"n": 3, "g": dict(enumerate(g, 1)), "Delta": dict(enumerate(step, 1))}
        eq.holds(r=float(np.abs(step).max()), eta=eta, tight=True, **at)


@equation("optimization-spectral", kind="numerical", tolerance="relative 1e-5")
def test_spectral(eq: Equation) -> None:
    """Δ by a numerical search for the lowest value of the model."""
    g = np.array([[1.2, -0.4], [-0.7, 0.9]])
    u, s, v = np.linalg.svd(g)
    if np.linalg.det(v) < 0:  # as good with both signs turned, and V is not symmetric then
        u[:, 0], v[0] = -u[:, 0], -v[0]
    assert abs(v[0, 1] - v[1, 0]) > 0.1

    def model(flat: Array) -> float:
        d = flat.reshape(2, 2)
        return float((g * d).sum() + np.linalg.norm(d, 2) ** 2 / 0.6)

    best = -0.3 * s.sum() * u @ v
    rng = np.random.default_rng(0)
    found = np.zeros(4)
    for _ in range(12):  # the spectral norm has kinks: restart the simplex
        simplex = found + np.vstack([np.zeros(4), 0.2 * rng.normal(size=(4, 4))])
        options = {
            "initial_simplex": simplex,
            "xatol": 1e-13,
            "fatol": 1e-15,
            "maxiter": 4000,
            "maxfev": 8000,
        }
        found = minimize(model, found, method="Nelder-Mead", options=options).x
    assert model(found) >= model(best.ravel()) - 1e-12
    known = {"U": Matrix(u), "S": Matrix(np.diag(s)), "V": Matrix(v.T), "G": Matrix(g)}
    known |= {"n": 2, "nu": dict(enumerate(s, 1))}
    eq.holds(eta=0.3, Delta=Matrix(found.reshape(2, 2)), **known)


@equation("optimization-schulz", kind="numerical", tolerance="relative 1e-9")
def test_schulz(eq: Equation) -> None:
    """Each singular value s becomes (3 s - s³)/2; the singular vectors stay."""
    u, _, v = np.linalg.svd(np.array([[1.2, -0.4], [0.5, 0.9]]))
    for s in (np.array([0.9, 0.4]), np.array([0.5, 0.1])):
        after = (3 * s - s**3) / 2
        eq.holds(k=0, X={0: Matrix(u @ np.diag(s) @ v), 1: Matrix(u @ np.diag(after) @ v)})


@equation("optimization-preconditioned", kind="numerical", tolerance="relative 1e-9")
def test_preconditioned(eq: Equation) -> None:
    for step in (STEP, START):
        known = {"g": Matrix([0.4, -1.1]), "M": Matrix(H), "Delta": Matrix(step)}
        eq.holds(eta=0.3, **known)


@equation("optimization-steps", kind="numerical")
def test_steps(eq: Equation) -> None:
    for gamma, epsilon in ((0.9, 0.01), (0.5, 0.2)):
        eq.equivalent("t", (0.1, 80.0), gamma=gamma, epsilon=epsilon)


def resting(f: Field) -> Array:
    """Return the point where the gradient of a field is zero."""
    found = zero_of(lambda x: f.derivative(1)(Matrix(x)).array.ravel(), np.zeros(2), tol=1e-14)
    return np.array(found.x)


def saddle() -> Field:
    """Return x²(1 - x)/2 - y²(1 - y)/2 in mixed parameters: at 0 a saddle, and not quadratic."""

    def value(p: Matrix) -> float:
        x, y = MIX @ p.array.ravel()
        return float(x**2 * (1 - x) - y**2 * (1 - y)) / 2

    def slope(p: Matrix) -> Matrix:
        x, y = MIX @ p.array.ravel()
        return Matrix(MIX.T @ np.array([x - 1.5 * x**2, 1.5 * y**2 - y]))

    def bend(p: Matrix) -> Matrix:
        x, y = MIX @ p.array.ravel()
        return Matrix(MIX.T @ np.diag([1 - 3 * x, 3 * y - 1]) @ MIX)

    return Field(value, slope, bend)


@equation("optimization-second-order", kind="numerical", tolerance="relative 1e-9")
def test_second_order(eq: Equation) -> None:
    """ξ by root finding on the segment, from a minimum and from a saddle."""
    for f in (bent_field()[0], saddle()):
        best, step = resting(f), np.array([0.3, 0.2])
        change = float(f(Matrix(best + step)) - f(Matrix(best)))

        def gap(
            s: float, f: Field = f, p: Array = best, d: Array = step, c: float = change
        ) -> float:
            bend: float = d @ f.derivative(2)(Matrix(p + s * d)).array @ d
            return bend / 2 - c

        grid = np.linspace(0, 1, 101)
        signs = np.sign([gap(float(s)) for s in grid])
        k = int(np.flatnonzero(signs[1:] != signs[:-1])[0])
        xi = brentq(gap, grid[k], grid[k + 1], xtol=1e-15)
        eq.holds(f=f, theta_star=Matrix(best), Delta=Matrix(step), xi=xi)


@equation(
    "optimization-minimum",
    kind="numerical",
    tolerance="relative 1e-9",
    survivors="true as well: a half in the place of the quarter, if the step is short enough",
)
def test_minimum(eq: Equation) -> None:
    for f in (bent_field()[0], quadratic()[0]):
        best = resting(f)
        least = float(np.linalg.eigvalsh(f.derivative(2)(Matrix(best)).array)[0])
        for angle in np.linspace(0, 2 * np.pi, 9):
            step = 0.1 * np.array([np.cos(angle), np.sin(angle)])
            eq.holds(f=f, theta_star=Matrix(best), lambda_min=least, Delta=Matrix(step))


@equation(
    "optimization-falls",
    kind="numerical",
    tolerance="relative 1e-9",
    survivors="true as well: a half in the place of the quarter, if s is short enough",
)
def test_falls(eq: Equation) -> None:
    f = saddle()
    values, vectors = np.linalg.eigh(f.derivative(2)(Matrix(np.zeros(2))).array)
    v = Matrix(vectors[:, 0])
    for s in (-0.1, -0.01, 0.01, 0.1):
        eq.holds(f=f, theta_star=Matrix(np.zeros(2)), v=v, s=s, **{"lambda": float(values[0])})


@equation("optimization-saddle-free", kind="numerical", tolerance="relative 1e-9")
def test_saddle_free(eq: Equation) -> None:
    """The step by the root of the square of H, which has the absolute eigenvalues."""
    mixed = np.array([[1.0, 2.0, 0.3], [2.0, -0.5, 0.7], [0.3, 0.7, -2.0]])
    g = np.array([0.4, -1.0, 0.8])
    values, vectors = np.linalg.eigh(mixed)
    assert values[0] < 0 < values[-1]
    step = -np.linalg.solve(np.real(sqrtm(mixed @ mixed)), g)
    eq.holds(
        Delta=Matrix(step),
        g=Matrix(g),
        n=3,
        u=Indexed(lambda i: Matrix(vectors[:, int(i) - 1])),
        **{"lambda": Indexed(lambda i: float(values[int(i) - 1]))},
    )


def sloping(f: Field) -> tuple[dict[str, Any], float]:
    """Return point, gradient and a step downhill that is no multiple of the gradient."""
    g = f.derivative(1)(Matrix(START)).array.ravel()
    step = -np.array([[1.0, 0.3], [0.3, 0.5]]) @ g
    return {"g": Matrix(g), "Delta": Matrix(step)}, float(g @ step)


@equation("optimization-armijo", kind="numerical", tolerance="relative 1e-9")
def test_armijo(eq: Equation) -> None:
    """It holds up to the length of the next equation, and is reached there if the curvature is L."""
    for f, limit in (*FIELDS, (quadratic(ROUND)[0], 1.5)):
        known, slope = sloping(f)
        for c in (1e-4, 0.3):
            longest = 2 * (1 - c) * -slope / (limit * float((known["Delta"].array ** 2).sum()))
            eq.holds(f=f, theta=Matrix(START), c=c, alpha=0.9 * longest, **known)
            if limit == 1.5:
                eq.holds(f=f, theta=Matrix(START), c=c, alpha=longest, tight=True, **known)


@equation("optimization-armijo-length", kind="numerical", tolerance="relative 1e-9")
def test_armijo_length(eq: Equation) -> None:
    """The longest step that passes, by root finding, where the curvature is L everywhere."""
    f = quadratic(ROUND)[0]
    known, slope = sloping(f)
    step, before = known["Delta"].array.ravel(), float(f(Matrix(START)))
    for c in (1e-4, 0.3):

        def excess(a: float, c: float = c) -> float:
            return float(f(Matrix(START + a * step))) - before - c * a * slope

        longest = brentq(excess, 0.01, 50, xtol=1e-15, rtol=1e-14)
        for part in (0.5, 1.0):
            eq.holds(alpha=part * longest, c=c, L=1.5, tight=part == 1, **known)


@equation("optimization-trust", kind="definition", tolerance="relative 1e-9")
def test_trust(eq: Equation) -> None:
    """The model by sums over its entries."""
    f, _ = bent_field()
    known, _ = sloping(f)
    g, step = known["g"].array.ravel(), known["Delta"].array.ravel()
    bend = f.derivative(2)(Matrix(START)).array
    model = sum(g[i] * step[i] for i in (0, 1))
    model += sum(step[i] * bend[i, j] * step[j] for i in (0, 1) for j in (0, 1)) / 2
    fall = float(f(Matrix(START)) - f(Matrix(START + step)))
    eq.holds(q=fall / -model, f=f, theta=Matrix(START), H=Matrix(bend), **known)


@equation("optimization-conjugate", kind="numerical", tolerance="relative 1e-9")
def test_conjugate(eq: Equation) -> None:
    """Steps by minimizing over the span of g, H g, …; directions by Gram-Schmidt with H."""
    rng = np.random.default_rng(3)
    base, g = rng.normal(size=(4, 4)), rng.normal(size=4)
    h = base @ base.T + np.eye(4)
    steps = [np.zeros(4)]
    for k in (1, 2, 3):
        span = np.stack([np.linalg.matrix_power(h, j) @ g for j in range(k)], axis=1)
        steps.append(span @ np.linalg.solve(span.T @ h @ span, -span.T @ g))
    rests = [-g - h @ step for step in steps]
    ways: list[Array] = []
    for rest in rests[:3]:
        ways.append(rest - sum((rest @ h @ d) / (d @ h @ d) * d for d in ways))
    sizes = [float((steps[k + 1] - steps[k]) @ ways[k] / (ways[k] @ ways[k])) for k in (0, 1)]
    for k in (0, 1):
        eq.holds(
            k=k,
            Delta=Indexed(lambda k: Matrix(steps[int(k)])),
            alpha=Indexed(lambda k: sizes[int(k)]),
            d=Indexed(lambda k: Matrix(ways[int(k)])),
            r=Indexed(lambda k: Matrix(rests[int(k)])),
            H=Matrix(h),
        )
