"""Checks of snippets/equations/applications.tex.

A small tanh network differentiated by autograd; expectations by quadrature; optima by retraining.
"""

from __future__ import annotations

import math
from fractions import Fraction
from functools import cache
from typing import Any

import mpmath
import numpy as np
import torch
from scipy import special
from scipy.integrate import quad
from scipy.optimize import minimize, minimize_scalar

from x0_equations.check import Equation, equation
from x0_equations.values import Derivatives, Field, Function, Indexed, Matrix, gaussian

Array = np.ndarray
SMALL = np.geomspace(0.003, 0.05, 6)


class Point(Matrix):
    """A point in parameter space: a function of it returns a number, not a matrix."""

    def __add__(self, other: Matrix) -> Point:
        return Point(super().__add__(other).array)

    def map(self, function: Any) -> Any:
        return function(self.array)


# A network: 2-3-1, tanh, m = 5 ------------------------------------------------------------------


@cache
def batch() -> tuple[torch.Tensor, torch.Tensor]:
    rng = np.random.default_rng(0)
    return torch.from_numpy(rng.normal(size=(5, 2))), torch.from_numpy(rng.normal(size=5))


def start(seed: int = 1) -> Array:
    return np.random.default_rng(seed).normal(size=9)


def outputs(theta: torch.Tensor) -> torch.Tensor:
    x, _ = batch()
    return torch.tanh(x @ theta[:6].view(2, 3)) @ theta[6:]


def loss(theta: torch.Tensor) -> torch.Tensor:
    return (outputs(theta) - batch()[1]).square().mean() / 2


def value(theta: Array) -> float:
    return loss(torch.from_numpy(np.ravel(theta))).item()


def derivatives(function: Any, theta: Array) -> tuple[Array, Array]:
    """Return gradient and Hessian matrix by reverse mode, twice."""
    point = torch.tensor(np.ravel(theta), dtype=torch.float64, requires_grad=True)
    (g,) = torch.autograd.grad(function(point), point, create_graph=True)
    rows = [torch.autograd.grad(entry, point, retain_graph=True)[0] for entry in g]
    return g.detach().numpy(), torch.stack(rows).numpy()


@equation(
    "applications-model",
    kind="numerical",
    tolerance="slope ± 0.05",
    survivors="a term of higher order has no sign",
)
def test_model(eq: Equation) -> None:
    for seed in (1, 2):
        theta = start(seed)
        g, hessian = derivatives(loss, theta)
        direction = np.random.default_rng(9).normal(size=9)

        def bind(
            t: float, a: Array = theta, d: Array = direction, g: Array = g, h: Array = hessian
        ) -> dict[str, Any]:
            names = {"theta": Point(a), "Delta": Matrix(t * d), "g": Matrix(g), "H": Matrix(h)}
            return {"loss": value, **names}

        eq.approximates(SMALL / 3, bind)


@equation("applications-pruning", kind="numerical", tolerance="slope ± 0.05")
def test_pruning(eq: Equation) -> None:
    """A weight of size t is set to zero: the error goes with t³."""

    def bind(t: float, j: int) -> dict[str, Any]:
        theta = start()
        theta[j] = t
        g, hessian = derivatives(loss, theta)
        without = theta.copy()
        without[j] = 0.0
        entries = {"g": Indexed(lambda i: float(g[i])), "w": Indexed(lambda i: float(theta[i]))}
        second = Indexed(lambda i, k: float(hessian[i, k]))
        return {"loss_j": value(without), "loss": value(theta), "H": second, "j": j, **entries}

    for j in (0, 3, 4):
        eq.approximates(SMALL, lambda t, j=j: bind(t, j), order=3)


@equation("applications-gauss-newton", kind="numerical", tolerance="relative 1e-9")
def test_gauss_newton(eq: Equation) -> None:
    for seed in (1, 2):
        theta = start(seed)
        parts = [derivatives(lambda p, i=i: outputs(p)[i], theta) for i in range(5)]
        residuals = (outputs(torch.from_numpy(theta)) - batch()[1]).numpy()
        eq.holds(
            H=Matrix(derivatives(loss, theta)[1]),
            m=5,
            J=Indexed(lambda i, parts=parts: Matrix(parts[i - 1][0][None])),
            r=Indexed(lambda i, r=residuals: float(r[i - 1])),
            Phi=Indexed(lambda i, parts=parts: Matrix(parts[i - 1][1])),
        )


@equation("applications-damped", kind="numerical", tolerance="relative 1e-8")
def test_damped(eq: Equation) -> None:
    """The minimum of the linearized problem with a penalty, by least squares."""
    for seed, damping in ((1, 0.3), (2, 0.01)):
        theta = start(seed)
        rows = [derivatives(lambda p, i=i: outputs(p)[i], theta)[0] for i in range(5)]
        jacobian = np.array(rows) / math.sqrt(5)
        residual = (outputs(torch.from_numpy(theta)) - batch()[1]).numpy() / math.sqrt(5)
        stacked = np.vstack([jacobian, math.sqrt(damping) * np.eye(9)])
        target = np.concatenate([-residual, np.zeros(9)])
        step = np.linalg.lstsq(stacked, target, rcond=None)[0]
        matrix, g = Matrix(jacobian.T @ jacobian), Matrix(derivatives(loss, theta)[0])
        eq.holds(Delta=Matrix(step), G=matrix, tau=damping, I=Matrix(np.eye(9)), g=g)


@equation("applications-stable", kind="numerical", tolerance="slope ± 0.05")
def test_stable(eq: Equation) -> None:
    """A minimum of a network with a pull, and torch's SGD from nearby in generic directions."""
    best = start()
    targets = outputs(torch.from_numpy(best)).detach() + 0.1

    def curved(theta: torch.Tensor) -> torch.Tensor:
        # the linear term makes `best` a minimum although the fit is not perfect
        fit = (outputs(theta) - targets).square().mean() / 2
        return fit + theta @ pull + (theta - torch.from_numpy(best)).square().sum()

    point = torch.tensor(best, requires_grad=True)
    fit = (outputs(point) - targets).square().mean() / 2
    pull = -torch.autograd.grad(fit, point)[0]
    g, hessian = derivatives(curved, best)
    values, vectors = np.linalg.eigh(hessian)
    assert np.abs(g).max() < 1e-12 < values[0]

    def bind(size: float, along: Array) -> dict[str, Any]:
        theta = torch.nn.Parameter(torch.from_numpy(best + size * along))
        curved(theta).backward()  # type: ignore[no-untyped-call]
        torch.optim.SGD([theta], lr=0.3).step()
        after = float((theta.detach().numpy() - best) @ vectors[:, -1])
        return {
            "e": {0: size * float(along @ vectors[:, -1]), 1: after},
            "theta": {0: Matrix(best + size * along)},
            "theta_star": Matrix(best),
            "t": 0,
            "eta": 0.3,
            "lambda_max": float(values[-1]),
        }

    rng = np.random.default_rng(3)
    for _ in range(3):
        direction = rng.normal(size=9)
        direction /= np.linalg.norm(direction)
        eq.approximates(SMALL, lambda t, d=direction: bind(t, d))
    # orthogonal to the eigenvector e_t is zero, and e_(t + 1) is not
    direction -= (direction @ vectors[:, -1]) * vectors[:, -1]
    assert abs(bind(0.05, direction)["e"][1]) > 1e-5
    eq.approximates(SMALL, lambda t: bind(t, direction))


# Xavier's linearization --------------------------------------------------------------------------


@equation(
    "applications-tanh-square",
    kind="numerical",
    tolerance="slope ± 0.05",
    survivors="one more in five digits is less than the next term in double precision",
)
def test_tanh_square(eq: Equation) -> None:
    eq.approximates(np.geomspace(0.06, 0.25, 6), lambda z: {"z": z})


@equation("applications-variance", kind="numerical", tolerance="slope ± 0.05")
def test_variance(eq: Equation) -> None:
    def bind(s: float) -> dict[str, Any]:
        z, mean = gaussian(s)
        return {"z": z, "E": mean, "s": s}

    eq.approximates(np.geomspace(7e-4, 6e-3, 6), bind)


@cache
def moments(count: int) -> list[Fraction]:
    """Return the coefficients of Var(tanh z), from tanh' = 1 − tanh² in 60 digits."""
    with mpmath.workdps(60):
        square = mpmath.taylor(lambda x: mpmath.tanh(x) ** 2, 0, 2 * count + 2)
        return [square[2 * k] * mpmath.fac2(2 * k - 1) for k in range(1, count + 1)]


@equation("applications-ratio", kind="numerical", tolerance="slope ± 0.05")
def test_ratio(eq: Equation) -> None:
    """The error falls like that of the next pair of poles, three times as far away."""
    a = Indexed(lambda k: moments(16)[k - 1])

    def bind(k: float) -> dict[str, Any]:
        with mpmath.workdps(60):
            ratio = float(a[int(k) + 1] / a[int(k)] + 4 * (2 * int(k) + 3) / mpmath.pi**2)
        shift = -4 * (2 * int(k) + 3) / math.pi**2
        return {"k": int(k), "a": {int(k): 1.0, int(k) + 1: shift + ratio}}

    eq.approximates((3, 4, 5, 6, 7), bind, order=lambda k: (2 * k + 3) * 9.0**-k)


TANH = Function(
    np.tanh,
    lambda x: 1 - np.tanh(x) ** 2,
    lambda x: -2 * np.tanh(x) * (1 - np.tanh(x) ** 2),
)
WAVE = Function(np.sin, np.cos, lambda x: -np.sin(x))


@equation(
    "applications-shifted",
    kind="numerical",
    tolerance="slope ± 0.05",
    survivors="z and −z have the same distribution",
)
def test_shifted(eq: Equation) -> None:
    for phi, point in ((TANH, 1.0), (WAVE, 0.6)):

        def bind(s: float, phi: Function = phi, point: float = point) -> dict[str, Any]:
            z, mean = gaussian(s)
            return {"z": z, "E": mean, "s": s, "mu": point, "phi": phi}

        eq.approximates(np.geomspace(3e-4, 6e-3, 6), bind)


@equation("applications-erf", kind="numerical", tolerance="relative 1e-9")
def test_erf(eq: Equation) -> None:
    phi = Function(lambda z: math.sqrt(math.pi) / 2 * special.erf(z))
    for s in (0.05, 0.7, 3.0):
        z, mean = gaussian(s)
        eq.holds(z=z, E=mean, phi=phi, s=s)


# K-FAC, influence, pruning with correction, sharpness-aware steps ---------------------------------


@equation("applications-kfac", kind="numerical", tolerance="relative 1e-9")
def test_kfac(eq: Equation) -> None:
    """All pairs of 4 inputs and 3 quadratic losses: independent; the block by autograd."""
    rng = np.random.default_rng(0)
    inputs = torch.from_numpy(rng.normal(size=(4, 2)))
    roots = torch.from_numpy(rng.normal(size=(3, 3, 3)))
    forms = roots @ roots.transpose(1, 2)
    h, s = inputs.repeat_interleave(3, 0), forms.repeat(4, 1, 1)

    def mean_loss(weight: torch.Tensor) -> torch.Tensor:
        z = h @ weight.view(3, 2).T
        return torch.einsum("ni,nik,nk->n", z, s, z).mean() / 2

    block = derivatives(mean_loss, rng.normal(size=6))[1].reshape(3, 2, 3, 2)
    for i, j, k, l in ((1, 1, 1, 1), (1, 2, 3, 1), (2, 2, 3, 2)):  # noqa: E741
        eq.holds(
            G=Indexed(lambda i, j, k, l: float(block[i - 1, j - 1, k - 1, l - 1])),  # noqa: E741
            h=Indexed(lambda j: h[:, j - 1].numpy()[None]),
            s=Indexed(lambda i, k: s[:, i - 1, k - 1].numpy()[None]),
            E=lambda values: np.asarray(values).mean(-1, keepdims=True),
            i=i,
            j=j,
            k=k,
            l=l,
        )


@equation("applications-kfac-damped", kind="numerical", tolerance="relative 1e-9")
def test_kfac_damped(eq: Equation) -> None:
    """The damped block as one large matrix, solved without the factors' eigenvectors."""
    rng = np.random.default_rng(0)
    roots = rng.normal(size=(3, 3)), rng.normal(size=(4, 2))
    outer, inner = (root @ root.T for root in roots)
    nu, left = np.linalg.eigh(outer)
    omega, right = np.linalg.eigh(inner)
    v = rng.normal(size=(3, 4))
    for tau in (0.01, 2.0):
        system = np.kron(outer, inner) + tau * np.eye(12)
        x = left.T @ np.linalg.solve(system, v.ravel()).reshape(3, 4) @ right
        turned = left.T @ v @ right
        for i, j in ((1, 1), (2, 3), (3, 4)):
            eq.holds(
                tilde_X=Indexed(lambda i, j, x=x: float(x[i - 1, j - 1])),
                tilde_V=Indexed(lambda i, j, t=turned: float(t[i - 1, j - 1])),
                nu=Indexed(lambda i: float(nu[i - 1])),
                omega=Indexed(lambda j: float(omega[j - 1])),
                tau=tau,
                i=i,
                j=j,
            )


@equation("applications-fisher", kind="numerical", tolerance="relative 1e-9")
def test_fisher(eq: Equation) -> None:
    """First and second derivatives of cross-entropy in the outputs, by autograd."""
    for seed in (0, 1):
        z = np.random.default_rng(seed).normal(size=4)

        def cross_entropy(point: torch.Tensor, c: int = 0) -> torch.Tensor:
            return torch.logsumexp(point, 0) - point[c]

        curvature = derivatives(cross_entropy, z)[1]
        slopes = [derivatives(lambda p, c=c: cross_entropy(p, c), z)[0] for c in range(4)]
        p = np.exp(z) / np.exp(z).sum()
        for i, k in ((1, 1), (1, 3), (4, 2)):
            eq.holds(
                s=Indexed(lambda i, k, s=curvature: float(s[i - 1, k - 1])),
                p=Indexed(lambda c, p=p: float(p[c - 1])),
                d=Indexed(lambda c, i, d=slopes: float(d[c - 1][i - 1])),
                C=4,
                i=i,
                k=k,
            )


@equation("applications-influence", kind="numerical", tolerance="relative 1e-6")
def test_influence(eq: Equation) -> None:
    """Logistic regression retrained with one sample weighted a little more or less."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(12, 3)), (rng.random(12) > 0.5) * 1.0

    def optimum(epsilon: float, i: int) -> tuple[Array, Array, Array]:
        theta, weights = np.zeros(3), np.full(12, 1 / 12)
        weights[i] += epsilon
        for _ in range(60):
            p = 1 / (1 + np.exp(-x @ theta))
            hessian = (weights * p * (1 - p) * x.T) @ x + 0.1 * np.eye(3)
            theta = theta - np.linalg.solve(hessian, (weights * (p - y)) @ x + 0.1 * theta)
        return theta, hessian, (p - y)[i] * x[i]

    for i in (0, 5):
        step = 1e-3
        ends = [optimum(k * step, i)[0] for k in (-2, -1, 1, 2)]
        slope = (ends[0] - 8 * ends[1] + 8 * ends[2] - ends[3]) / (12 * step)
        _, hessian, g = optimum(0.0, i)
        moved = Derivatives(lambda name, slope=slope: Matrix(slope))
        eq.holds(theta_star=moved, H=Matrix(hessian), g_i=Matrix(g))


@equation("applications-leverage", kind="numerical", tolerance="relative 1e-9; slope ± 0.05")
def test_leverage(eq: Equation) -> None:
    """Ridge regression refitted without sample i; the leverage falls with the decay."""
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(10, 3)), rng.normal(size=10)

    def bind(decay: float, i: int) -> dict[str, Any]:
        identity = decay * np.eye(3)
        hessian = x.T @ x / 10 + identity
        fitted = x[i] @ np.linalg.solve(hessian, x.T @ y / 10) - y[i]
        rest = np.delete(np.arange(10), i)
        without = np.linalg.solve(x[rest].T @ x[rest] / 10 + identity, x[rest].T @ y[rest] / 10)
        leverage = x[i] @ np.linalg.solve(hessian, x[i]) / 10
        return {"tilde_r_i": x[i] @ without - y[i], "r_i": fitted, "alpha_i": leverage}

    for i in (0, 4):
        for decay in (0.01, 1.0):
            eq.holds(only=[1], **bind(decay, i))
        decays = np.geomspace(100.0, 3000.0, 6)
        along = [bind(decay, i)["alpha_i"] for decay in decays]
        chosen = dict(zip(along, decays, strict=True))
        eq.approximates(along, lambda a, c=chosen, i=i: bind(c[a], i))


@equation("applications-surgeon", kind="numerical", tolerance="relative 1e-9")
def test_surgeon(eq: Equation) -> None:
    """The cheapest step that deletes weight j, from the equations of the constrained minimum."""
    rng = np.random.default_rng(0)
    root, w = rng.normal(size=(4, 4)), rng.normal(size=4)
    hessian = root @ root.T + np.eye(4)
    inverse = np.linalg.inv(hessian)
    for j in (0, 2):
        unit = np.eye(4)[j]
        system = np.block([[hessian, unit[:, None]], [unit[None], np.zeros((1, 1))]])
        step = np.linalg.solve(system, np.concatenate([np.zeros(4), [-w[j]]]))[:4]
        assert abs(step[j] + w[j]) < 1e-12
        vectors = {"Delta": Matrix(step), "u_j": Matrix(unit), "H": Matrix(hessian)}
        eq.holds(w_j=float(w[j]), Q=Matrix(inverse), Q_jj=float(inverse[j, j]), **vectors)


@equation("applications-sharpness-aware", kind="numerical", tolerance="relative 1e-6")
def test_sharpness_aware(eq: Equation) -> None:
    """The largest g^T Δ in a ball, by a search over directions."""
    for seed, radius in ((0, 0.05), (1, 2.0)):
        g = np.random.default_rng(seed).normal(size=3)

        def gain(v: Array, g: Array = g, r: float = radius) -> float:
            return float(-r * (g @ v) / np.linalg.norm(v))

        found = minimize(gain, np.ones(3), method="BFGS", options={"gtol": 1e-12}).x
        step = radius * found / np.linalg.norm(found)
        eq.holds(Delta=Matrix(step), g=Matrix(g), r=radius)


# The metric of predictions, and the first order in the input -----------------------------------------


def tiny_logits(theta: torch.Tensor) -> torch.Tensor:
    h = torch.tanh(theta[:4].view(2, 2) @ torch.tensor([0.7, -1.2], dtype=theta.dtype))
    return theta[4:].view(3, 2) @ h


def fisher(theta: Array) -> Array:
    """Return the mean of d d^T over labels drawn from the model, by autograd."""
    point = torch.from_numpy(theta).requires_grad_()
    logs = torch.log_softmax(tiny_logits(point), 0)
    slopes = [torch.autograd.grad(c, point, retain_graph=True)[0].numpy() for c in logs]
    odds = logs.exp().detach().numpy()
    return np.array(sum(p * np.outer(d, d) for p, d in zip(odds, slopes, strict=True)))


@equation("applications-kl", kind="numerical", tolerance="slope ± 0.05")
def test_kl(eq: Equation) -> None:
    rng = np.random.default_rng(2)
    theta, way = rng.normal(size=10), rng.normal(size=10)

    def odds(at: Array) -> Indexed:
        p = torch.softmax(tiny_logits(torch.from_numpy(at)), 0).numpy()
        return Indexed(lambda c, p=p: float(p[int(c) - 1]))

    def bind(h: float) -> dict[str, Any]:
        moved = {"p": odds(theta), "q": odds(theta + h * way)}
        return {**moved, "C": 3, "F": Matrix(fisher(theta)), "Delta": Matrix(h * way)}

    eq.approximates(np.geomspace(0.001, 0.02, 6), bind)


@equation("applications-natural", kind="numerical", tolerance="relative 1e-6")
def test_natural(eq: Equation) -> None:
    """The minimum of the linear model with the quadratic form of F as its price, by search."""
    rng = np.random.default_rng(0)
    root, g = rng.normal(size=(3, 3)), rng.normal(size=3)
    metric, eta = root @ root.T + np.eye(3), 0.3

    def model(d: Array) -> float:
        return float(g @ d + d @ metric @ d / (2 * eta))

    found = minimize(model, np.zeros(3), jac=lambda d: g + metric @ d / eta, tol=1e-12).x
    eq.holds(Delta=Matrix(found), F=Matrix(metric), g=Matrix(g), eta=eta)


@equation("applications-fast-sign", kind="numerical", tolerance="relative 1e-5")
def test_fast_sign(eq: Equation) -> None:
    """The largest g^T Δ in a box, by search in each coordinate."""
    for seed, radius in ((0, 0.1), (1, 2.0)):
        g = np.random.default_rng(seed).normal(size=4)
        best = [
            minimize_scalar(
                lambda d, c=c: -c * d,
                bounds=(-radius, radius),
                method="bounded",
                options={"xatol": 1e-9},
            ).x
            for c in g
        ]
        known = {"g": g, "Delta": best}
        entries = {k: Indexed(lambda i, a=a: float(a[int(i) - 1])) for k, a in known.items()}  # type: ignore[misc]
        for i in (1, 3):
            eq.holds(i=i, n=4, r=radius, **entries)


@equation("applications-integrated", kind="numerical", tolerance="relative 1e-9")
def test_integrated(eq: Equation) -> None:
    """A small network in its input; each a_i by quadrature of one entry of the gradient."""
    rng = np.random.default_rng(3)
    w, top = rng.normal(size=(4, 3)), rng.normal(size=4)
    x, step = rng.normal(size=3), rng.normal(size=3)

    def slope(p: Array) -> Array:
        return np.array(w.T @ (top * (1 - np.tanh(w @ p) ** 2)))

    parts = [step[i] * quad(lambda s, i=i: slope(x + s * step)[i], 0, 1)[0] for i in range(3)]
    f = Field(
        lambda p: float(top @ np.tanh(w @ p.array.ravel())),
        lambda p: Matrix(slope(p.array.ravel())),
    )
    a = Indexed(lambda i: float(parts[int(i) - 1]))
    eq.holds(a=a, n=3, f=f, x=Matrix(x), Delta=Matrix(step))
