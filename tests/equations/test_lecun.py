"""Checks of snippets/equations/lecun.tex."""

from __future__ import annotations

import math

import numpy as np
import sympy as sp
import torch
from scipy import stats

from equations.networks import network
from x0.initialization import lecun
from x0_equations.check import Equation, equation
from x0_equations.values import Function, Smooth, gaussian, points

SCALED = Smooth(lambda z: sp.Float("1.7159", 30) * sp.tanh(sp.Rational(2, 3) * z))
LOGISTIC = Smooth(lambda z: 1 / (1 + sp.exp(-z)))
SIZES = (3, 1, 4, 2)
EQUAL = (2, 2, 2, 2)


def fan_in(sizes: tuple[int, ...]) -> tuple[float, ...]:
    """Return the variances of the rule."""
    return tuple(1 / n for n in sizes[:-1])


def drawn(draw) -> np.ndarray:
    generator = torch.Generator().manual_seed(4)
    return draw(torch.empty(100, 50), generator=generator).double().numpy().reshape(1, -1)


@equation("lecun-variance", kind="numerical")
def test_variance(eq: Equation) -> None:
    # v is measured: all signs of a row of the rule's size give E z^2 = E h^2 for any input.
    net = network(SIZES, "skew", fan_in(SIZES))
    for layer in (1, 2, 3):
        eq.holds(
            v=(net.q[layer] / net.p[layer - 1] / net.n[layer - 1]).item(), fanin=SIZES[layer - 1]
        )


@equation("lecun-normal", kind="statistical")
def test_normal(eq: Equation) -> None:
    eq.holds(w=drawn(lecun.lecun_normal_), fanin=50)


@equation("lecun-uniform", kind="statistical")
def test_uniform(eq: Equation) -> None:
    weights = drawn(lecun.lecun_uniform_)
    # The bound is where the variance of a uniform variable is 1 / fan_in.
    low, high = 0.0, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        variance = stats.uniform(-middle, 2 * middle).var()
        low, high = (middle, high) if variance < 1 / 50 else (low, middle)
    eq.holds(w=weights, r=high, fanin=50)


@equation("lecun-forward", kind="numerical")
def test_forward(eq: Equation) -> None:
    net = network(SIZES, "skew", inputs=2)
    for layer in (1, 2, 3):
        eq.holds(l=layer, **net.bind("q", "n", "v", "p"))


@equation("lecun-first", kind="numerical")
def test_first(eq: Equation) -> None:
    net = network(SIZES, "tanh", fan_in(SIZES), inputs=2)
    eq.holds(**net.bind("q", "n", "v", "p"))


@equation("lecun-condition", kind="numerical")
def test_condition(eq: Equation) -> None:
    net = network(SIZES, "skew", fan_in(SIZES))
    for layer in (1, 2, 3):
        factor = (net.q[layer] / net.p[layer - 1]).item()
        assert abs(factor - 1) < 1e-12
        eq.holds(l=layer, **net.bind("n", "v"))


@equation("lecun-map", kind="numerical")
def test_map(eq: Equation) -> None:
    net = network(EQUAL, "skew", fan_in(EQUAL))
    units = np.concatenate([net.z[1, 1], net.z[1, 2]], axis=-1)
    second = np.concatenate([net.z[2, 1], net.z[2, 2]], axis=-1)
    for layer, z in ((2, units), (3, second)):
        eq.holds(l=layer, q=net.q, phi=net.phi, z={layer - 1: z}, E=net.E)


@equation("lecun-backward", kind="numerical")
def test_backward(eq: Equation) -> None:
    # A linear layer below the top meets A5 exactly; the slopes are drawn independently.
    rng = np.random.default_rng(0)
    for n_in, n_out in ((3, 2), (2, 5)):
        z = rng.standard_normal((1, 7))
        signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * n_out)).reshape(n_out, -1)
        delta = rng.standard_normal(n_out)
        sums = (signs.T @ delta) / math.sqrt(n_in)  # every row of signs, Var(w) = 1/n_in
        slopes = SCALED.derivative(1)(z).ravel()
        below = np.mean([(s * sums) ** 2 for s in slopes])
        eq.holds(
            l=2,
            d={1: below, 2: np.mean(delta**2)},
            n={1: n_in, 2: n_out},
            v={2: 1 / n_in},
            phi=SCALED,
            z={1: z},
            E=lambda x: np.asarray(x).mean(-1, keepdims=True),
        )


@equation("lecun-sigmoid", kind="definition")
def test_sigmoid(eq: Equation) -> None:
    z = np.linspace(-4, 4, 33)
    values = lecun.scaled_tanh(torch.from_numpy(z)).numpy()
    eq.holds(z=points(z), phi=Function(lambda x: points(values)))


@equation("lecun-sigmoid-one", kind="numerical", tolerance="last digit")
def test_sigmoid_one(eq: Equation) -> None:
    eq.holds(phi=SCALED)


def fixed_point() -> float:
    q = 1.0
    for _ in range(200):
        z, mean = gaussian(q)
        q = float(mean(SCALED(z) ** 2).item())
    return q


@equation("lecun-fixed", kind="numerical", tolerance="relative 1e-9; last digit")
def test_fixed(eq: Equation) -> None:
    z, mean = gaussian()
    eq.holds(q_star=fixed_point(), phi=SCALED, Z=z, E=mean)


@equation("lecun-slope", kind="numerical", tolerance="last digit")
def test_slope(eq: Equation) -> None:
    z, mean = gaussian()
    eq.holds(q_star=fixed_point(), phi=SCALED, Z=z, E=mean)


@equation("lecun-logistic", kind="definition")
def test_logistic(eq: Equation) -> None:
    z = np.linspace(-5, 5, 41)
    values = torch.sigmoid(torch.from_numpy(z)).numpy()
    eq.holds(z=points(z), phi=Function(lambda x: points(values)))


@equation("lecun-logistic-slope", kind="numerical")
def test_logistic_slope(eq: Equation) -> None:
    eq.holds(z=points(np.linspace(-5, 5, 41)), phi=LOGISTIC, tight=True)


@equation("lecun-logistic-factor", kind="numerical")
def test_logistic_factor(eq: Equation) -> None:
    z, mean = gaussian(points([1e-9, 0.1, 1.0, 5.0, 30.0]))
    eq.holds(z=z, phi=LOGISTIC, E=mean, tight=True)


ALPHA, TAU = 1.6732632423543772, 1.0507009873554805  # torch's constants, not the formulas


def selu(alpha: float, tau: float) -> Function:
    return Function(lambda z: tau * np.where(z > 0, z, alpha * np.expm1(np.minimum(z, 0))))


@equation("lecun-selu", kind="definition")
def test_selu(eq: Equation) -> None:
    z = np.linspace(-5, 5, 41)
    values = torch.selu(torch.from_numpy(z)).numpy()
    eq.holds(z=points(z), phi=Function(lambda x: points(values)), alpha=ALPHA, tau=TAU)


@equation("lecun-selu-half", kind="numerical", tolerance="relative 1e-10")
def test_selu_half(eq: Equation) -> None:
    for k in (0, 1, 2):
        eq.holds(k=k, Phi=stats.norm.cdf)


@equation("lecun-selu-mean", kind="numerical", tolerance="relative 1e-10")
def test_selu_mean(eq: Equation) -> None:
    z, mean = gaussian()
    for alpha, tau in ((1.0, 1.0), (0.4, 2.0), (3.0, 0.7)):
        eq.holds(z=z, E=mean, phi=selu(alpha, tau), alpha=alpha, tau=tau, Phi=stats.norm.cdf)


@equation("lecun-selu-square", kind="numerical", tolerance="relative 1e-10")
def test_selu_square(eq: Equation) -> None:
    z, mean = gaussian()
    for alpha, tau in ((1.0, 1.0), (0.4, 2.0), (3.0, 0.7)):
        eq.holds(z=z, E=mean, phi=selu(alpha, tau), alpha=alpha, tau=tau, Phi=stats.norm.cdf)


@equation("lecun-selu-constants", kind="numerical", tolerance="relative 1e-9; last digit")
def test_selu_constants(eq: Equation) -> None:
    z, mean = gaussian()
    assert abs(mean(selu(ALPHA, TAU)(z)).item()) < 1e-12
    assert abs(mean(selu(ALPHA, TAU)(z) ** 2).item() - 1) < 1e-12
    eq.holds(alpha=ALPHA, tau=TAU, Phi=stats.norm.cdf)


@equation("lecun-peak-third", kind="symbolic")
def test_peak_third(eq: Equation) -> None:
    eq.holds(x=sp.Symbol("x", real=True))


@equation("lecun-peak", kind="numerical", tolerance="relative 1e-6; last digit")
def test_peak(eq: Equation) -> None:
    from scipy.optimize import minimize_scalar

    bend = SCALED.derivative(2)
    found = minimize_scalar(
        lambda z: -abs(float(bend(z))), bounds=(0.1, 3), method="bounded", options={"xatol": 1e-9}
    )
    eq.holds(z=found.x)


@equation("lecun-sixteen", kind="numerical")
def test_sixteen(eq: Equation) -> None:
    """The second moment of a sum of two units, over both signs of the weights of variance 8."""
    for q in (0.5, 4.0, 6.0):
        z, mean = gaussian(q)
        h = LOGISTIC(z)
        squares = np.mean([8 * (h.T + sign * h) ** 2 for sign in (-1, 1)], axis=0)
        eq.holds(l=2, q={2: mean(mean(squares).T).item()}, z=z, phi=LOGISTIC, E=mean)


@equation("lecun-sixteen-factor", kind="numerical")
def test_sixteen_factor(eq: Equation) -> None:
    z, mean = gaussian(points([1e-9, 0.5, 4.0, 6.0, 20.0]))
    eq.holds(z=z, phi=LOGISTIC, E=mean, tight=True)


@equation("lecun-default", kind="numerical", tolerance="last digit")
def test_default(eq: Equation) -> None:
    eq.holds()
