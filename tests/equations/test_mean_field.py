"""Checks of snippets/equations/mean-field.tex."""

from __future__ import annotations

import itertools
import math
from functools import cache
from typing import Any

import numpy as np
import sympy as sp
from scipy import stats

from equations.networks import network
from x0.initialization import mean_field_gelu
from x0_equations.check import Equation, equation
from x0_equations.values import Function, Smooth, bent, gaussian, points, relu

TANH = Smooth(sp.tanh)
NORMAL = Function(stats.norm.pdf)
CDF = Function(stats.norm.cdf)


def gelu_second(z: Any) -> Any:
    return (2 - np.asarray(z) ** 2) * stats.norm.pdf(z)


GELU = Function(
    lambda z: z * stats.norm.cdf(z),
    lambda z: stats.norm.cdf(z) + z * stats.norm.pdf(z),
    gelu_second,
)
# (phi, sigma_w, sigma_b): what the laws are tried with.
POINTS = [(TANH, 1.3, 0.4), (GELU, 1.2, 0.3), (Smooth(lambda z: sp.sin(z) + z / 5), 1.5, 0.2)]


def second_moment(phi: Any, q: float, weight: float, bias: float) -> float:
    z, mean = gaussian(q)
    return weight * float(mean(phi(z) ** 2).item()) + bias


def settle(phi: Any, weight: float, bias: float) -> float:
    q = 1.0
    for _ in range(400):
        q = second_moment(phi, q, weight, bias)
    return q


def slope_of_map(phi: Any, q: float, weight: float, bias: float) -> float:
    """Differentiate the map numerically."""
    step, total = 1e-2 * q, 0.0
    for k, factor in {1: 4 / 5, 2: -1 / 5, 3: 4 / 105, 4: -1 / 280}.items():
        ahead = second_moment(phi, q + k * step, weight, bias)
        total += factor * (ahead - second_moment(phi, q - k * step, weight, bias))
    return total / step


@cache
def plane() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return nodes of two independent standard normal variables and their weights."""
    x = np.linspace(-9, 9, 200)
    w = np.exp(-(x**2) / 2)
    w /= w.sum()
    first, second = np.meshgrid(x, x, indexing="ij")
    return first.reshape(1, -1), second.reshape(1, -1), np.outer(w, w).reshape(1, -1)


def pair(q: float) -> tuple[np.ndarray, np.ndarray, Any]:
    first, second, weights = plane()

    def mean(values: Any) -> Any:
        return (np.asarray(values) * weights).sum(-1, keepdims=True)

    return math.sqrt(q) * first, math.sqrt(q) * second, mean


def correlation(phi: Any, weight: float, bias: float, q: float, c: float) -> float:
    u, t, mean = pair(q)
    second = c * u + math.sqrt(1 - c**2) * t
    covariance = weight * mean(phi(u) * phi(second)) + bias
    return float((covariance / (weight * mean(phi(u) ** 2) + bias)).item())


@equation("mean-field-variance", kind="definition")
def test_variance(eq: Equation) -> None:
    signs = np.array([[-1.0, 1.0]])
    eq.holds(
        l=2, i=1, v={2: np.mean((0.7 * signs / 2) ** 2)}, n={1: 4}, sigma_w=0.7, sigma_b=0.3,
        b={(2, 1): 0.3 * signs}, E=lambda x: np.asarray(x).mean(-1, keepdims=True),
    )  # fmt: skip


@equation("mean-field-layer", kind="numerical")
def test_layer(eq: Equation) -> None:
    # Every row of signs and both signs of the bias: a mean without error.
    rng = np.random.default_rng(0)
    h = rng.standard_normal(4)
    signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * 5)).reshape(5, -1)
    for sigma_w, sigma_b in ((0.7, 0.3), (1.4, 0.0)):
        z = sigma_w / 2 * h @ signs[:4] + sigma_b * signs[4]
        eq.holds(l=2, q={2: np.mean(z**2)}, p={1: np.mean(h**2)}, sigma_w=sigma_w, sigma_b=sigma_b)


@equation("mean-field-map", kind="numerical", tolerance="relative 1e-9")
def test_map(eq: Equation) -> None:
    # The left side: z ~ N(0, q) integrated against its own density.
    from scipy.integrate import quad

    for phi, weight, bias in POINTS:
        for q in (0.3, 2.0):

            def density(x: float, phi: Any = phi, q: float = q) -> float:
                return float(phi(x)) ** 2 * math.exp(-(x**2) / (2 * q)) / math.sqrt(2 * math.pi * q)

            value = weight**2 * quad(density, -15, 15, epsabs=1e-13)[0] + bias**2
            z, mean = gaussian()
            eq.holds(
                cal_V=Function(lambda _, v=value: v), q=q, phi=phi, Z=z, E=mean,
                sigma_w=weight, sigma_b=bias,
            )  # fmt: skip


@equation("mean-field-iterate", kind="numerical", tolerance="relative 1e-9")
def test_iterate(eq: Equation) -> None:
    from x0.initialization import mean_field

    for phi, weight, bias in ((np.tanh, 1.5, 0.1), (np.tanh, 25 / 9, 0.0)):
        import torch

        path = mean_field.iterate_map(torch.tanh, weight, bias, 1.0, 300)
        eq.holds(
            l=2, q={1: path[0], 2: path[1]}, q_star=path[-1],
            cal_V=Function(lambda q, f=phi, w=weight, b=bias: second_moment(f, q, w, b)),
        )  # fmt: skip


@equation("mean-field-response", kind="numerical", tolerance="relative 1e-9")
def test_response(eq: Equation) -> None:
    for phi, weight, bias in POINTS:
        for q in (0.5, 2.0):
            value = slope_of_map(phi, q, weight**2, bias**2)
            z, mean = gaussian()
            eq.holds(
                cal_V=Function(lambda _: 0.0, lambda _, v=value: v),
                q=q, phi=phi, Z=z, E=mean, sigma_w=weight,
            )  # fmt: skip


@equation("mean-field-stein", kind="numerical")
def test_stein(eq: Equation) -> None:
    z, mean = gaussian()
    for f in (Smooth(lambda x: sp.tanh(x) + x**2), Smooth(lambda x: sp.sin(x) * x**2)):
        eq.holds(Z=z, E=mean, f=f)


@equation("mean-field-parallel", kind="numerical", tolerance="relative 1e-9")
def test_parallel(eq: Equation) -> None:
    for phi, weight, bias in POINTS:
        q = settle(phi, weight**2, bias**2)
        slope = slope_of_map(phi, q, weight**2, bias**2)
        z, mean = gaussian(q)
        # The linear response of the map to a small change of q.
        eq.holds(
            chi_parallel=slope, cal_V=Function(lambda _: 0.0, lambda _, s=slope: s), q_star=q,
            z=z, phi=phi, E=mean, sigma_w=weight,
        )  # fmt: skip


def slope_at_one(phi: Any, q: float, weight: float, bias: float) -> float:
    """Differentiate the correlation map at c = 1 from the left, by Richardson extrapolation."""
    steps = [0.02 / 2**k for k in range(6)]
    table = [(1 - correlation(phi, weight, bias, q, 1 - s)) / s for s in steps]
    for k in range(1, 6):
        table = [b + (b - a) / (2**k - 1) for a, b in itertools.pairwise(table)]
    return table[0]


@equation("mean-field-chi", kind="numerical", tolerance="relative 1e-7")
def test_chi(eq: Equation) -> None:
    for phi, weight, bias in POINTS:
        q = settle(phi, weight**2, bias**2)
        z, mean = gaussian(q)
        eq.holds(
            chi_1=slope_at_one(phi, q, weight**2, bias**2), z=z, phi=phi, E=mean, sigma_w=weight
        )


@equation("mean-field-gap", kind="numerical", tolerance="relative 1e-6")
def test_gap(eq: Equation) -> None:
    for phi, weight, bias in POINTS:
        q = settle(phi, weight**2, bias**2)
        z, mean = gaussian(q)
        eq.holds(
            chi_parallel=slope_of_map(phi, q, weight**2, bias**2),
            chi_1=slope_at_one(phi, q, weight**2, bias**2), z=z, phi=phi, E=mean, sigma_w=weight,
        )  # fmt: skip


@equation(
    "mean-field-backward",
    kind="numerical",
    tolerance="relative 1e-10",
    identical="a mean over all signs, which few operations round",
)
def test_backward(eq: Equation) -> None:
    z, mean = gaussian(0.6)
    rng = np.random.default_rng(0)
    n, sigma_w = 4, 1.2
    signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * n)).reshape(n, -1)
    delta = rng.standard_normal(n)
    sums = sigma_w / math.sqrt(n) * (signs.T @ delta)  # every column of signs
    slopes = TANH.derivative(1)(z)
    through = float(mean((slopes * sums[:, None]) ** 2).mean())
    q_next = slope_at_one(TANH, 0.6, sigma_w**2, 0.6 - second_moment(TANH, 0.6, sigma_w**2, 0))
    assert abs(q_next / (sigma_w**2 * mean(slopes**2).item()) - 1) < 1e-7
    eq.holds(
        l=2, d={1: through, 2: np.mean(delta**2)}, n={2: n},
        v={2: sigma_w**2 / n}, phi=TANH, z={1: z}, E=mean,
        chi_1=sigma_w**2 * float(mean((1 - np.tanh(z) ** 2) ** 2).item()),
    )  # fmt: skip


@equation("mean-field-depth", kind="numerical", tolerance="relative 1e-9")
def test_depth(eq: Equation) -> None:
    # Linear networks meet A5 exactly, and their chi_1 is n v.
    net = network((2, 2, 2, 2), "linear", (0.35, 0.35, 0.35))
    factor = float((net.d[1] / net.d[2]).item())
    eq.holds(d={1: net.d[1], 3: net.d[3]}, depth=3, chi_1=factor)


@equation("mean-field-scale", kind="numerical", tolerance="relative 1e-9")
def test_scale(eq: Equation) -> None:
    for chi in (0.8, 1.25):
        # The number of layers after which chi^n has changed by a factor of e.
        layers = math.log(math.e, max(chi, 1 / chi))
        eq.holds(tau=layers, chi_1=chi)


@equation(
    "mean-field-correlation",
    kind="numerical",
    tolerance="relative 1e-9",
    survivors="t and -t have one law",
)
def test_correlation(eq: Equation) -> None:
    # The left side by another way: independent parts instead of a rotation.
    for phi, weight, bias in POINTS[:2]:
        q = settle(phi, weight**2, bias**2)
        for c in (0.2, 0.9):
            u, t, mean = pair(q)
            a, b = math.sqrt((1 + c) / 2), math.sqrt((1 - c) / 2)
            joint = phi(a * u + b * t) * phi(a * u - b * t)
            value = (weight**2 * mean(joint) + bias**2) / q
            eq.holds(
                cal_C=Function(lambda _, v=value: v), c=c, u=u, t=t, phi=phi, E=mean,
                q_star=q, sigma_w=weight, sigma_b=bias,
            )  # fmt: skip


@equation(
    "mean-field-one",
    kind="numerical",
    tolerance="relative 1e-9",
    survivors="true as well: both are 1",
)
def test_one(eq: Equation) -> None:
    for phi, weight, bias in POINTS[:2]:
        q = settle(phi, weight**2, bias**2)
        u, _, mean = pair(q)
        value = correlation(phi, weight**2, bias**2, q, 1.0)
        eq.holds(
            cal_C=Function(lambda _, v=value: v), u=u, phi=phi, E=mean, q_star=q,
            sigma_w=weight, sigma_b=bias,
        )  # fmt: skip


@equation(
    "mean-field-price",
    kind="numerical",
    tolerance="relative 1e-7",
    survivors="t and -t have one law",
)
def test_price(eq: Equation) -> None:
    for phi, *_ in POINTS[:2]:
        for c in (0.1, 0.6):
            u, t, mean = pair(1.3)
            eq.holds(c=c, u=u, t=t, phi=phi, E=mean, q_star=1.3)


@equation("mean-field-slope", kind="numerical", tolerance="relative 1e-7")
def test_slope(eq: Equation) -> None:
    for phi, weight, bias in POINTS:
        q = settle(phi, weight**2, bias**2)
        z, mean = gaussian(q)
        value = slope_at_one(phi, q, weight**2, bias**2)
        eq.holds(
            cal_C=Function(lambda _: 1.0, lambda _, v=value: v), u=z, phi=phi, E=mean,
            sigma_w=weight, chi_1=value,
        )  # fmt: skip


@equation("mean-field-homogeneous", kind="numerical", tolerance="relative 1e-10")
def test_homogeneous(eq: Equation) -> None:
    for a in (0.0, 0.3):
        phi = bent(a)
        for weight, bias, q in ((1.4, 0.3, 0.5), (0.6, 0.0, 2.0)):
            z, mean = gaussian(q)
            value = second_moment(phi, q, weight**2, bias**2)
            chi = weight**2 * float(mean(phi.derivative(1)(z) ** 2).item())
            eq.holds(
                cal_V=Function(lambda _, v=value: v), q=q, a=a, sigma_w=weight, sigma_b=bias,
                chi_1=chi, chi_parallel=slope_of_map(phi, q, weight**2, bias**2),
            )  # fmt: skip


LEGENDRE = np.polynomial.legendre.leggauss(40)


def relu_correlation(c: Any) -> Any:
    """Integrate over the angle at which both units are active: no closed form."""
    c = float(np.asarray(c).item())
    angle = math.acos(c)
    x, w = LEGENDRE
    low, high = angle - math.pi / 2, math.pi / 2
    phi = (low + high) / 2 + (high - low) / 2 * x
    # E[r^2] = 2 for two standard normals, and the direction is uniform on the circle.
    total = (w * np.cos(phi) * np.cos(phi - angle)).sum() * (high - low) / 2
    return 2 * (2 * total / (2 * math.pi))


@equation("mean-field-relu", kind="numerical", tolerance="relative 1e-10")
def test_relu(eq: Equation) -> None:
    for c in (-0.9, -0.2, 0.0, 0.5, 0.95):
        eq.holds(cal_C=Function(relu_correlation), c=c)


@equation(
    "mean-field-relu-near",
    kind="numerical",
    tolerance="relative 1e-12; slope ± 0.05",
    survivors="the same order",
)
def test_relu_near(eq: Equation) -> None:
    steps = np.geomspace(1e-3, 3e-2, 7)
    eq.approximates(steps, lambda s: {"cal_C": Function(relu_correlation), "c": 1 - s})


@equation(
    "mean-field-relu-root",
    kind="numerical",
    tolerance="relative 1e-12; slope ± 0.05",
    survivors="the same order",
)
def test_relu_root(eq: Equation) -> None:
    steps = np.geomspace(1e-3, 3e-2, 7)
    eq.approximates(steps, lambda s: {"cal_C": Function(relu_correlation), "c": 1 - s})


@equation("mean-field-relu-decay", kind="numerical", tolerance="slope ± 0.2")
def test_relu_decay(eq: Equation) -> None:
    c, path = 0.0, {}
    for layer in range(1, 4001):
        path[layer] = c
        c = relu_correlation(c)

    # 1/sqrt(1-c) is linear in l up to ln l: the error is of the order ln l / l^3.
    eq.approximates(
        [250, 500, 1000, 2000, 4000],
        lambda layer: {"l": int(layer), "c": path},
        order=lambda layer: math.log(layer) / layer**3,
    )


@equation("mean-field-settled", kind="statistical", parsed=False)
def test_settled(eq: Equation) -> None:
    """The scale of 4000 tanh networks in layer 30; the right side by quadrature."""
    eq.states(
        r"\Var{\ln(s_l)} \approx \frac{\sigma_w^4 \Var{\phi(z)^2}}"
        r"{n q_{\star}^2 (1 - \chi_{\parallel}^2)}"
    )
    rng = np.random.default_rng(0)
    x = np.linspace(-10, 10, 2001)
    density = np.exp(-(x**2) / 2)
    density /= density.sum()
    for weight, bias, width in ((25 / 9, 0.0, 200), (1.2, 0.3, 100)):
        q = 1.0
        for _ in range(500):
            q = weight * float(density @ np.tanh(math.sqrt(q) * x) ** 2) + bias
        h = np.tanh(math.sqrt(q) * x)
        chi = weight * float(density @ (h * (1 - h**2) * x)) / math.sqrt(q)
        spread = float(density @ h**4) - float(density @ h**2) ** 2
        theory = weight**2 * spread / (width * q**2 * (1 - chi**2))
        s = np.full(4000, q)
        for _ in range(29):
            z = np.sqrt(s)[:, None] * rng.standard_normal((len(s), width))
            s = weight * (np.tanh(z) ** 2).mean(1) + bias
        log_s = np.log(s)
        centered = (log_s - log_s.mean()) ** 2
        error = float(centered.std()) / math.sqrt(len(s))
        assert abs(log_s.var() - theory) < 4 * error + 6 / width * theory
        assert error < 0.05 * theory
        assert abs(log_s.var() - theory * (1 - chi**2)) > 4 * error  # one layer alone
        assert abs(log_s.var() - 29 * theory * (1 - chi**2)) > 4 * error  # a sum over layers


@equation("mean-field-edge", kind="numerical", tolerance="relative 1e-9")
def test_edge(eq: Equation) -> None:
    from scipy.optimize import brentq

    for phi, q in ((TANH, 0.3), (TANH, 1.5)):
        z, mean = gaussian(q)
        slopes = float(mean(phi.derivative(1)(z) ** 2).item())
        weight = brentq(lambda w, s=slopes: w * s - 1, 0.1, 20, xtol=1e-14)
        bias = q - second_moment(phi, q, weight, 0.0)
        assert abs(second_moment(phi, q, weight, bias) - q) < 1e-12
        eq.holds(sigma_w=math.sqrt(weight), sigma_b=math.sqrt(bias), q_star=q, z=z, phi=phi, E=mean)


@equation("mean-field-gain", kind="numerical", identical="the root is found to the last bit")
def test_gain(eq: Equation) -> None:
    from scipy.optimize import brentq

    z, mean = gaussian()
    for phi in (TANH, GELU, relu):
        gain = brentq(lambda g, f=phi: second_moment(f, 1.0, g**2, 0.0) - 1, 0.1, 5, xtol=1e-15)
        eq.holds(gain=gain, phi=phi, Z=z, E=mean)


@equation("mean-field-gain-chi", kind="numerical", tolerance="relative 1e-7")
def test_gain_chi(eq: Equation) -> None:
    z, mean = gaussian()
    for phi in (TANH, GELU):
        weight = 1 / second_moment(phi, 1.0, 1.0, 0.0)
        eq.holds(chi_1=slope_at_one(phi, 1.0, weight, 0.0), phi=phi, Z=z, E=mean)


@equation("mean-field-gelu", kind="definition")
def test_gelu(eq: Equation) -> None:
    import torch

    z = np.linspace(-4, 4, 33)
    values = torch.nn.functional.gelu(torch.from_numpy(z)).numpy()
    eq.holds(z=points(z), phi=Function(lambda _: points(values)), Phi=CDF)


QS = (0.2, 1.0, 3.5)


@equation("mean-field-gelu-twice", kind="numerical")
def test_gelu_twice(eq: Equation) -> None:
    for q in (0.2, 1.5, 3.5):
        z, mean = gaussian(q)
        for f in (Smooth(lambda x: sp.tanh(x) + x**2), Smooth(sp.cos)):
            eq.holds(z=z, E=mean, f=f, q=q)


@equation("mean-field-gelu-orthant", kind="numerical")
def test_gelu_orthant(eq: Equation) -> None:
    for q in QS:
        z, mean = gaussian(q)
        eq.holds(z=z, E=mean, Phi=CDF, q=q)


@equation("mean-field-gelu-density", kind="numerical")
def test_gelu_density(eq: Equation) -> None:
    for q in QS:
        z, mean = gaussian(q)
        eq.holds(z=z, E=mean, varphi=NORMAL, q=q)


@equation("mean-field-gelu-mixed", kind="numerical")
def test_gelu_mixed(eq: Equation) -> None:
    for q in QS:
        z, mean = gaussian(q)
        eq.holds(z=z, E=mean, varphi=NORMAL, Phi=CDF, q=q)


@equation("mean-field-gelu-curve", kind="numerical")
def test_gelu_curve(eq: Equation) -> None:
    cdf = Smooth(lambda x: ((1 + sp.erf(x / sp.sqrt(2))) / 2) ** 2)
    second = Function(
        lambda z: stats.norm.cdf(z) ** 2,
        lambda z: 2 * stats.norm.cdf(z) * stats.norm.pdf(z),
        lambda z: 2 * stats.norm.pdf(z) ** 2 - 2 * z * stats.norm.cdf(z) * stats.norm.pdf(z),
    )
    exact = sp.lambdify(cdf.x, sp.diff(cdf.expression, cdf.x, 2), ["scipy", "numpy"])
    x = np.linspace(-3, 3, 13)
    assert np.allclose(second.derivative(2)(x), exact(x), rtol=1e-12, atol=1e-14)
    for q in QS:
        z, mean = gaussian(q)
        eq.holds(z=z, E=mean, f=second, varphi=NORMAL, Phi=CDF, q=q)


@equation("mean-field-gelu-moment", kind="numerical")
def test_gelu_moment(eq: Equation) -> None:
    for q in QS:
        z, mean = gaussian(q)
        eq.holds(z=z, E=mean, phi=GELU, q=q)


@equation("mean-field-gelu-slope", kind="numerical")
def test_gelu_slope(eq: Equation) -> None:
    for q in QS:
        z, mean = gaussian(q)
        eq.holds(z=z, E=mean, phi=GELU, q=q)


@equation("mean-field-gelu-one", kind="numerical")
def test_gelu_one(eq: Equation) -> None:
    z, mean = gaussian()
    eq.holds(Z=z, E=mean, phi=GELU)


@equation("mean-field-gelu-gap", kind="numerical")
def test_gelu_gap(eq: Equation) -> None:
    for q in QS:
        z, mean = gaussian(q)
        eq.holds(z=z, E=mean, phi=GELU, q=q)


@equation("mean-field-gelu-root", kind="numerical", tolerance="relative 1e-9")
def test_gelu_root(eq: Equation) -> None:
    import torch

    q, *_ = mean_field_gelu.critical_point(torch.nn.functional.gelu)
    eq.holds(q_star=q, scale=1.0)


@equation("mean-field-gelu-critical", kind="numerical", tolerance="last digit")
def test_gelu_critical(eq: Equation) -> None:
    from scipy.optimize import brentq

    def gap(q: float) -> float:
        z, mean = gaussian(q)
        return float(mean(GELU(z) * gelu_second(z)).item())

    q = brentq(gap, 1.0, 9.0, xtol=1e-14)
    z, mean = gaussian(q)
    weight = 1 / float(mean(GELU.derivative(1)(z) ** 2).item())
    bias = q - second_moment(GELU, q, weight, 0.0)
    eq.holds(sigma_w=math.sqrt(weight), sigma_b=math.sqrt(bias))


@equation("mean-field-power", kind="numerical", tolerance="relative 1e-9")
def test_power(eq: Equation) -> None:
    for k in (1, 2, 3):
        phi = Function(
            lambda z, k=k: np.maximum(z, 0.0) ** k,
            lambda z, k=k: k * np.maximum(z, 0.0) ** (k - 1) * (np.asarray(z) > 0),
        )
        weight = 1 / second_moment(phi, 1.0, 1.0, 0.0)
        z, mean = gaussian()
        eq.holds(
            phi=phi, z=points([-1.0, 0.5, 2.0]), k=k,
            chi_parallel=slope_of_map(phi, 1.0, weight, 0.0),
            chi_1=weight * float(mean(phi.derivative(1)(z) ** 2).item()),
        )  # fmt: skip


ERF = Smooth(sp.erf)
ERF.compiled = __import__("scipy.special", fromlist=["erf"]).erf


@equation("mean-field-erf-moment", kind="numerical", tolerance="relative 1e-10")
def test_erf_moment(eq: Equation) -> None:
    for q in QS:
        z, mean = gaussian(q)
        eq.holds(z=z, E=mean, phi=ERF, q=q)


@equation("mean-field-erf-line", kind="numerical", tolerance="relative 1e-9")
def test_erf_line(eq: Equation) -> None:
    for q in QS:
        z, mean = gaussian(q)
        weight = 1 / float(mean(ERF.derivative(1)(z) ** 2).item())
        eq.holds(sigma_w=math.sqrt(weight), q_star=q)
