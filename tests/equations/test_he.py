"""Checks of snippets/equations/he.tex."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch

from equations.networks import Network, network
from x0_equations.check import Equation, equation
from x0_equations.values import (
    GROUPS,
    Array,
    Fixed,
    Indexed,
    bent,
    discrete,
    gaussian,
    points,
    relu,
    sample_mean,
    uniform,
)

M, N, D = sp.symbols("M N D", positive=True)
SHAPES = ((3, 2), (2, 4), (3, 3))
SLOPE = 0.25
LEAKY = bent(SLOPE)


def kept(activation: str, fan_in: int, fan_out: int, *, backward: bool = False) -> float:
    """Measure the variance that keeps q (or d) from layer 1 to layer 2, over all networks of ±σ."""

    def ratio(v: float) -> float:
        net = network((1, fan_in, fan_out), activation, (1.0, v))
        return (net.d[1] / net.d[2] if backward else net.q[2] / net.q[1]).item()

    v = 1.0 / ratio(1.0)
    assert ratio(v) == pytest.approx(1.0, rel=1e-12)
    return v


def symmetric() -> list[tuple[Array, Any]]:
    """Return symmetric variables: the factor ½ needs nothing else."""
    values, odds = [-3.0, -0.5, 0.5, 3.0], [0.1, 0.4, 0.4, 0.1]
    return [gaussian(points([0.3, 2.0])), uniform(1.7), discrete(values, odds)]


# Forward -----------------------------------------------------------------------------------------


def rectified() -> Network:
    """Return all networks of ±σ with ReLU and different widths."""
    return network((2, 3, 1, 2), "relu")


@equation("he-forward", kind="numerical")
def test_forward(eq: Equation) -> None:
    for layer in (1, 2, 3):
        eq.holds(l=layer, **rectified().bind("q", "n", "v", "p"))


@equation("he-symmetric", kind="numerical", survivors="a tautology is true as well")
def test_symmetric(eq: Equation) -> None:
    net = rectified()
    for layer, unit, t in ((1, 2, 0.3), (2, 1, -0.4), (3, 2, 0.1), (3, 1, -1.0)):
        eq.holds(l=layer, i=unit, t=t, **net.bind("z", "E"))


@equation("he-split", kind="numerical", tolerance="relative 1e-15")
def test_split(eq: Equation) -> None:
    eq.holds(z=points(np.linspace(-3, 3, 31)))


@equation("he-half", kind="numerical")
def test_half(eq: Equation) -> None:
    for z, mean in symmetric():
        eq.holds(z=z, E=mean)


@equation("he-activation", kind="numerical")
def test_activation(eq: Equation) -> None:
    for layer in (1, 2, 3):
        eq.holds(l=layer, **rectified().bind("p", "q"))


@equation("he-recursion", kind="numerical")
def test_recursion(eq: Equation) -> None:
    for layer in (2, 3):
        eq.holds(l=layer, **rectified().bind("q", "n", "v"))


@equation("he-depth", kind="numerical")
def test_depth(eq: Equation) -> None:
    for depth in (2, 3):
        eq.holds(depth=depth, **rectified().bind("q", "n", "v"))


@equation("he-condition", kind="numerical")
def test_condition(eq: Equation) -> None:
    for fan_in, fan_out in SHAPES:
        eq.holds(l=2, n={1: fan_in, 2: fan_out}, v={2: kept("relu", fan_in, fan_out)})


@equation("he-fan-in", kind="numerical")
def test_fan_in(eq: Equation) -> None:
    for fan_in, fan_out in SHAPES:
        eq.holds(l=2, n={1: fan_in, 2: fan_out}, v={2: kept("relu", fan_in, fan_out)})


@equation("he-first", kind="numerical", survivors="true as well: p_1 is p_0 with this variance")
def test_first(eq: Equation) -> None:
    """Layer 1 with the variance that keeps q in the layers above."""
    for fan_in, fan_out in SHAPES:
        v = kept("relu", fan_in, fan_out)
        net = network((fan_in, fan_out), "relu", (v,), scale=0.6)
        eq.holds(**net.bind("q", "n", "v", "p"))


@equation("he-xavier", kind="numerical")
def test_xavier(eq: Equation) -> None:
    """v has the mean gain 1 in a linear network with equal fans, measured."""
    for width in (2, 3):
        net = network((width, width), "linear", (1.0,))
        v = 2.0 / (net.q[1] / net.p[0] + net.d[0] / net.d[1]).item()
        eq.holds(n=width, v=v)


@equation("he-tied", kind="numerical")
def test_tied(eq: Equation) -> None:
    """The arithmetic; and in code, that it is the share which ReLU keeps of this row."""
    eq.holds()
    z, mean = discrete([s + t + s * t for s in (-1, 1) for t in (-1, 1)], [0.25] * 4)
    share = mean(np.maximum(z, 0.0) ** 2) / mean(z**2)
    assert share.item() == pytest.approx(3 / 4, rel=1e-12)


# The second moment, not the variance -------------------------------------------------------------


def normal(q: Any) -> dict[str, Any]:
    z, mean = gaussian(q)
    return {"q": q, "z": z, "E": mean}


@equation("he-relu-mean", kind="numerical")
def test_relu_mean(eq: Equation) -> None:
    """z is the random variable and the variable of the integral, which is evaluated by itself."""
    for q in (0.3, 1.0, 2.5):
        eq.holds(**normal(q))


@equation("he-relu-variance", kind="numerical")
def test_relu_variance(eq: Equation) -> None:
    eq.holds(**normal(points([0.3, 1.0, 2.5])))


def tuned() -> float:
    """Find n v such that n v times the variance after ReLU is the variance before it."""
    z, mean = gaussian(1.0)
    h = relu(z)
    return 1.0 / (mean(h**2) - mean(h) ** 2).item()


@equation("he-tuned", kind="numerical")
def test_tuned(eq: Equation) -> None:
    eq.holds(n=7, v=tuned() / 7)


@equation("he-explode", kind="numerical")
def test_explode(eq: Equation) -> None:
    for width in (2, 3):
        v = tuned() / width
        net = network((1, width, width), "relu", (1.0, v))
        eq.holds(l=2, n=width, v=v, q=net.q)


# A slope for negative inputs ---------------------------------------------------------------------


@equation("he-leaky", kind="numerical", tolerance="relative 1e-15")
def test_leaky(eq: Equation) -> None:
    eq.holds(z=points(np.linspace(-3, 3, 30)), a=SLOPE, lrelu=LEAKY)


@equation("he-leaky-square", kind="numerical", tolerance="relative 1e-15")
def test_leaky_square(eq: Equation) -> None:
    eq.holds(z=points(np.linspace(-3, 3, 30)), a=SLOPE, lrelu=LEAKY)


@equation("he-leaky-moment", kind="numerical")
def test_leaky_moment(eq: Equation) -> None:
    for z, mean in symmetric():
        eq.holds(z=z, E=mean, a=SLOPE, lrelu=LEAKY)


@equation("he-leaky-condition", kind="numerical")
def test_leaky_condition(eq: Equation) -> None:
    for fan_in, fan_out in SHAPES:
        v = kept("leaky", fan_in, fan_out)
        eq.holds(l=2, n={1: fan_in, 2: fan_out}, v={2: v}, a=SLOPE)


@equation(
    "he-variance",
    kind="numerical",
    identical="measured by a mean over all networks, which few operations round",
)
def test_variance(eq: Equation) -> None:
    for fan_in, fan_out in SHAPES:
        eq.holds(fanin=fan_in, a=SLOPE, v=kept("leaky", fan_in, fan_out))


@equation(
    "he-gain",
    kind="numerical",
    identical="measured by a mean over all networks, which few operations round",
)
def test_gain(eq: Equation) -> None:
    """The gain that PyTorch calculates, the variance that was measured."""
    gain = torch.nn.init.calculate_gain("leaky_relu", SLOPE)
    for fan_in, fan_out in SHAPES:
        eq.holds(gain=gain, a=SLOPE, fanin=fan_in, v=kept("leaky", fan_in, fan_out))


@equation("he-slopes", kind="numerical")
def test_slopes(eq: Equation) -> None:
    for left, right in ((-0.5, 1.5), (0.3, 0.7)):
        for z, mean in symmetric():
            eq.holds(z=z, E=mean, a=left, b=right, phi=bent(left, right))


@equation(
    "he-slopes-variance",
    kind="numerical",
    identical="measured by a mean over all networks, which few operations round",
)
def test_slopes_variance(eq: Equation) -> None:
    for fan_in, fan_out in SHAPES:
        eq.holds(fanin=fan_in, a=-0.5, b=1.5, v=kept("bent", fan_in, fan_out))


@equation(
    "he-absolute",
    kind="numerical",
    identical="measured by a mean over all networks, which few operations round",
)
def test_absolute(eq: Equation) -> None:
    for fan_in, fan_out in SHAPES:
        eq.holds(fanin=fan_in, v=kept("abs", fan_in, fan_out))


# Backward ----------------------------------------------------------------------------------------


@equation(
    "he-chain", kind="numerical", identical="automatic differentiation does the same operations"
)
def test_chain(eq: Equation) -> None:
    """Gradients of automatic differentiation, in every single network."""
    net = rectified()
    for layer, unit in ((3, 1), (2, 1), (2, 3)):
        bound = net.bind("delta", "z", "n", "phi")
        eq.holds(l=layer, j=unit, w=net.weights(layer), **bound)


@equation("he-backward-unit", kind="numerical")
def test_backward_unit(eq: Equation) -> None:
    """At the top layer, where the independent read-out makes A5 exact."""
    for shape, unit in (((2, 2, 3), 2), ((1, 3, 2), 3)):
        net = network(shape, "relu")
        eq.holds(l=2, j=unit, **net.bind("delta", "z", "n", "v", "phi", "E"))


@equation("he-active", kind="numerical")
def test_active(eq: Equation) -> None:
    for z, mean in symmetric():
        eq.holds(z=z, E=mean, phi=relu)


def wide(variances: tuple[float, ...] = ()) -> Network:
    """Return sampled networks in which hardly any layer is dead as a whole."""
    return network((4, 12, 16, 10), "relu", variances, samples=500 * GROUPS, seed=2, head="h")


@equation("he-backward", kind="statistical")
def test_backward(eq: Equation) -> None:
    """At the top exactly, over all networks of ±σ; below in sampled networks, at finite width."""
    for shape in ((1, 2, 3), (1, 3, 2)):
        eq.holds(l=2, **network(shape, "relu").bind("d", "n", "v"))
    for layer in (2, 3):
        eq.holds(l=layer, **wide().bind("d", "n", "v"))


@equation("he-backward-depth", kind="statistical")
def test_backward_depth(eq: Equation) -> None:
    eq.holds(depth=3, **wide().bind("d", "n", "v"))


@equation("he-backward-condition", kind="numerical")
def test_backward_condition(eq: Equation) -> None:
    for fan_in, fan_out in SHAPES:
        v = kept("relu", fan_in, fan_out, backward=True)
        eq.holds(l=2, n={1: fan_in, 2: fan_out}, v={2: v})


@equation("he-fan-out", kind="numerical")
def test_fan_out(eq: Equation) -> None:
    for fan_in, fan_out in SHAPES:
        v = kept("relu", fan_in, fan_out, backward=True)
        eq.holds(l=2, n={1: fan_in, 2: fan_out}, v={2: v})


# Without A5: the layers above a fixed h. ---------------------------------------------------------


def given(size: int, width: int, seed: int) -> Network:
    """Return all networks of ±σ above one fixed vector h_0."""
    return network((size, width), "relu", (0.7,), seed=seed, head="h")


@equation(
    "he-exact-start",
    kind="numerical",
    survivors="true as well: each component has mean zero",
)
def test_exact_start(eq: Equation) -> None:
    """u of the layer below a random one; c is measured for another value of z."""
    for seed in (1, 2):
        net, other = given(3, 2, seed), given(3, 2, seed + 10)
        second = other.E(other.u[0, 1] ** 2)
        for i, k in ((1, 2), (2, 3)):
            z = {0: Fixed(np.stack([net.h[0, j][0] for j in (1, 2, 3)]))}
            u = Indexed(lambda layer, j, net=net: net.u[0, j])
            eq.holds(l=0, i=i, k=k, u=u, z=z, c={0: second}, E=net.E, scale=1.0)


@equation(
    "he-exact-chain",
    kind="numerical",
    identical="automatic differentiation does the same operations",
)
def test_exact_chain(eq: Equation) -> None:
    net = network((2, 3, 1, 2), "relu", head="h")
    for layer, unit in ((3, 1), (2, 3), (1, 2)):
        eq.holds(l=layer, j=unit, w=net.weights(layer), **net.bind("u", "z", "n", "phi"))


def conditioned(net: Network) -> dict[str, Any]:
    inputs = np.stack([net.h[0, j][0] for j in range(1, net.n[0] + 1)])
    return {"l": 1, "h": {0: Fixed(inputs)}, "w": net.weights(1), **net.bind("phi", "z", "E")}


@equation("he-exact-sum", kind="numerical")
def test_exact_sum(eq: Equation) -> None:
    net = given(3, 2, 1)
    for j, k in ((1, 1), (3, 3), (1, 3)):
        eq.holds(j=j, k=k, **conditioned(net), **net.bind("u", "c", "n"), scale=1.0)


@equation("he-exact-flip", kind="numerical")
def test_exact_flip(eq: Equation) -> None:
    net = given(3, 2, 1)
    for i, j, k in ((1, 1, 1), (2, 3, 3), (1, 1, 3)):
        eq.holds(i=i, j=j, k=k, **conditioned(net), scale=1.0)


@equation(
    "he-exact-step",
    kind="numerical",
    identical="measured by a mean over all networks, which few operations round",
)
def test_exact_step(eq: Equation) -> None:
    for size, width in SHAPES:
        eq.holds(l=1, **given(size, width, 1).bind("c", "n", "v"))


# fan_in or fan_out -------------------------------------------------------------------------------


@equation("he-telescope-forward", kind="numerical")
def test_telescope_forward(eq: Equation) -> None:
    """fan_out everywhere: the variances that keep d, measured."""
    sizes = (1, 2, 3, 1)
    rule = tuple(kept("relu", a, b, backward=True) for a, b in ((3, 2), (2, 3), (3, 1)))
    net = network(sizes, "relu", rule)
    for depth in (2, 3):
        eq.holds(depth=depth, **net.bind("q", "n"))


@equation("he-telescope-backward", kind="statistical")
def test_telescope_backward(eq: Equation) -> None:
    """fan_in everywhere: PyTorch's He initialization of sampled networks."""
    gain = torch.nn.init.calculate_gain("relu")
    net = wide(tuple(gain**2 / fan_in for fan_in in (4, 12, 16)))
    eq.holds(depth=3, **net.bind("d", "n"))


@equation("he-mean-pair", kind="symbolic")
def test_mean_pair(eq: Equation) -> None:
    eq.holds(M=M, N=N)
    widths = points(np.random.default_rng(0).uniform(1, 900, 50))
    eq.holds(M=widths, N=widths, tight=True)


# Distributions and frameworks --------------------------------------------------------------------


def drawn(initializer: Any, shape: tuple[int, ...]) -> Array:
    """Return the weights of PyTorch's own initializer as samples."""
    w = torch.empty(shape, dtype=torch.float64)
    initializer(w, nonlinearity="relu", generator=torch.Generator().manual_seed(0))
    return w.numpy().reshape(1, -1)


@equation("he-normal", kind="statistical")
def test_normal(eq: Equation) -> None:
    w = drawn(torch.nn.init.kaiming_normal_, (80, 12 * GROUPS))
    eq.holds(w=w, fanin=12 * GROUPS)


@equation("he-uniform", kind="statistical", tolerance="4 SE, SE ≤ 5 %; relative 1e-4")
def test_uniform(eq: Equation) -> None:
    """The bound is the largest weight drawn."""
    w = drawn(torch.nn.init.kaiming_uniform_, (1000, 8 * GROUPS))
    eq.holds(w=w, r=float(np.abs(w).max()), fanin=8 * GROUPS)


@cache
def constructed(fan_in: int) -> Array:
    """Return the weights that the constructor of torch.nn.Linear draws."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        linear = torch.nn.Linear(fan_in, 1000, dtype=torch.float64)
    return linear.weight.detach().numpy().reshape(1, -1)


PYTORCH_GAIN = torch.nn.init.calculate_gain("leaky_relu", math.sqrt(5))


@equation("he-default-gain", kind="numerical")
def test_default_gain(eq: Equation) -> None:
    eq.holds(gain=PYTORCH_GAIN)


@equation("he-default-bound", kind="numerical", tolerance="relative 1e-4")
def test_default_bound(eq: Equation) -> None:
    """The bound is the largest weight drawn."""
    for fan_in in (320, 400):
        eq.holds(gain=PYTORCH_GAIN, fanin=fan_in, r=float(np.abs(constructed(fan_in)).max()))


@equation("he-default-variance", kind="statistical")
def test_default_variance(eq: Equation) -> None:
    v = sample_mean(constructed(320) ** 2)
    eq.holds(gain=PYTORCH_GAIN, fanin=320, v=v)


@equation("he-default-factor", kind="statistical")
def test_default_factor(eq: Equation) -> None:
    eq.holds(fanin=320, v=sample_mean(constructed(320) ** 2))


# Finite width ------------------------------------------------------------------------------------


@equation("he-width-step", kind="numerical")
def test_width_step(eq: Equation) -> None:
    """s of the next layer: the variance of z over its own weights, with the variance that keeps q."""
    for width in (2, 3):
        z = np.random.default_rng(width).normal(size=(2, width))  # two draws of layer l
        v = kept("relu", width, 2)
        signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * width)).reshape(width, -1) * v**0.5
        after = ((np.maximum(z, 0.0) @ signs) ** 2).mean(1)
        for draw in (0, 1):
            units = Indexed(lambda layer, i, z=z, draw=draw: float(z[draw, i - 1]))
            eq.holds(l=1, n=width, z=units, s={2: float(after[draw])})


@equation("he-width-fourth", kind="numerical")
def test_width_fourth(eq: Equation) -> None:
    s = points([0.3, 1.0, 2.5])
    z, mean = gaussian(s)
    eq.holds(s=s, z=z, E=mean)


@equation("he-width-unit", kind="numerical")
def test_width_unit(eq: Equation) -> None:
    s = points([0.3, 1.0, 2.5])
    z, mean = gaussian(s)
    eq.holds(s=s, z=z, E=mean)


@equation("he-leaky-fourth", kind="numerical")
def test_leaky_fourth(eq: Equation) -> None:
    s = points([0.3, 1.0, 2.5])
    z, mean = gaussian(s)
    eq.holds(s=s, z=z, E=mean, a=SLOPE, lrelu=LEAKY)


@equation("he-leaky-unit", kind="numerical")
def test_leaky_unit(eq: Equation) -> None:
    z, mean = gaussian(points([0.3, 1.0, 2.5]))
    eq.holds(z=z, E=mean, a=SLOPE, lrelu=LEAKY)


@cache
def scales(width: int, depth: int) -> dict[int, Array]:
    """Sample s: the variance of z given the layer below, v times the sum of h², by layer."""
    rng = np.random.default_rng(width)
    v = kept("relu", 2, 1) * 2 / width
    found = {0: np.ones(1000 * GROUPS)}
    for layer in range(depth):
        z = np.sqrt(found[layer]) * rng.standard_normal((width, 1000 * GROUPS))
        found[layer + 1] = v * (np.maximum(z, 0.0) ** 2).sum(0)
    return {layer: values[None] for layer, values in found.items()}


@equation("he-width-ratio", kind="statistical", survivors="true as well: s over itself is 1")
def test_width_ratio(eq: Equation) -> None:
    for width, layer in ((14, 0), (24, 1)):  # at width 24 no sampled layer is dead
        eq.holds(l=layer, n=width, s=scales(width, 2), E=sample_mean)


@equation("he-width-product", kind="statistical")
def test_width_product(eq: Equation) -> None:
    for width, depth in ((14, 2), (20, 2), (20, 1)):
        eq.holds(n=width, depth=depth, s=scales(width, 2), E=sample_mean)


@cache
def log_ratio(width: int) -> tuple[Array, Array]:
    """Return four values and probabilities with the exact first moments of ln(s_1 / s_0).

    The number of active units is binomial, the sum of their squares chi-square. That a layer is
    dead, with probability 2^-n, is left out: its logarithm does not exist.
    """
    from scipy import stats

    active = np.arange(1, width + 1)[:, None]
    log_sum = np.linspace(-40.0, math.log(8.0 * width + 200.0), 4000)[None]
    density = stats.chi2.pdf(np.exp(log_sum), active) * np.exp(log_sum)
    law = (stats.binom.pmf(active, width, 0.5) * density).sum(0)
    y, law = (math.log(2.0 / width) + log_sum)[0], law / law.sum()
    # Gauss quadrature of this law, by orthogonalizing the powers of y.
    vectors, mean = [np.sqrt(law)], (y * law).sum()
    spread = math.sqrt(((y - mean) ** 2 * law).sum())
    t = (y - mean) / spread
    for _ in range(3):
        new = t * vectors[-1]
        for old in vectors * 2:
            new = new - (new @ old) * old
        vectors.append(new / np.linalg.norm(new))
    basis = np.array(vectors)
    nodes, directions = np.linalg.eigh((basis * t) @ basis.T)
    return mean + spread * nodes, directions[0] ** 2


@equation("he-width-log", kind="numerical", tolerance="slope ± 0.05")
def test_width_log(eq: Equation) -> None:
    """The error of both is of second order in 1/n."""
    for depth in (1, 3):

        def bind(width: float, depth: int = depth) -> dict[str, Any]:
            nodes, odds = log_ratio(int(width))
            y, law = nodes, odds
            for _ in range(depth - 1):
                y, law = np.add.outer(y, nodes).ravel(), np.multiply.outer(law, odds).ravel()
            ratio, mean = discrete(np.exp(y), law)
            return {"n": int(width), "depth": depth, "s": {0: 1.0, depth: ratio}, "E": mean}

        eq.approximates([100, 150, 220, 330, 500], bind, order=-2)


@equation("he-width-median", kind="statistical", parsed=False)
def test_width_median(eq: Equation) -> None:
    """The median of 40000 networks; the next term of the theory is 1/(2.5 D) of the first."""
    eq.states(r"e^{-\frac{5 \depth}{2 n}} < 1")
    width, depth, count = 256, 30, 40_000
    rng = np.random.default_rng(0)
    log_s = np.zeros(count)
    for _ in range(depth):
        log_s += np.log(2.0 / width * rng.chisquare(rng.binomial(width, 0.5, count)))
    theory = -5 * depth / (2 * width)
    error = math.sqrt(math.pi / 2) * log_s.std() / math.sqrt(count)
    assert abs(float(np.median(log_s)) - theory) < 4 * error < 4 * 0.05 * abs(theory)
    assert abs(float(np.log(np.exp(log_s).mean())) - theory) > 20 * error  # the mean is not there


@equation("he-width-needed", kind="symbolic")
def test_width_needed(eq: Equation) -> None:
    """The width at which the leading term of the variance is the square of 0.1."""
    width = sp.Symbol("n", positive=True)
    (needed,) = sp.solve(sp.Eq(5 * D / width, sp.Rational(1, 100)), width)
    eq.holds(n=needed, depth=D)


# Exercises ---------------------------------------------------------------------------------------


@equation("he-dropout", kind="numerical")
def test_dropout(eq: Equation) -> None:
    for keep in (0.5, 0.8):
        values, odds = np.array([0.0, 0.4, 1.5]), np.array([0.5, 0.3, 0.2])
        h, mean = discrete(np.tile(values, 2), np.concatenate([keep * odds, (1 - keep) * odds]))
        eq.holds(h=h, varepsilon=np.repeat([[1.0, 0.0]], 3, axis=1), t=keep, E=mean)


def dropped(width: int, keep: float, v: float) -> dict[int, float]:
    """Return q of layers 1 and 2, with dropout between them, over all weights ±σ and all masks."""
    signs = np.array(np.meshgrid(*[[-1.0, 1.0]] * (3 * width))).reshape(3, width, -1)
    x = np.linspace(0.4, 1.9, 2)[:, None, None]
    z = (x * signs[:2]).sum(0)
    masks = np.array(np.meshgrid(*[[0.0, 1.0]] * width)).reshape(width, 1, -1)
    odds = np.where(masks > 0, keep, 1 - keep).prod(0)[0]
    kept_h = np.maximum(z, 0.0)[..., None] * masks / keep
    after = (v**0.5 * signs[2][..., None] * kept_h).sum(0) ** 2
    return {1: float((z**2).mean()), 2: float((after.mean(0) * odds).sum())}


@equation("he-dropout-recursion", kind="numerical")
def test_dropout_recursion(eq: Equation) -> None:
    for width, keep in ((2, 0.5), (3, 0.8)):
        q = dropped(width, keep, 0.9)
        eq.holds(l=2, n={1: width}, v={2: 0.9}, t=keep, q=q)


@equation("he-dropout-variance", kind="numerical")
def test_dropout_variance(eq: Equation) -> None:
    for width, keep in ((2, 0.5), (3, 0.8)):
        q = dropped(width, keep, 1.0)
        eq.holds(l=2, n={1: width}, v={2: q[1] / q[2]}, t=keep)


@equation(
    "he-pyramid",
    kind="statistical",
    tolerance="4 SE, SE ≤ 5 %; relative 1e-5",
    survivors="true as well: q_2 is 1",
)
def test_pyramid(eq: Equation) -> None:
    """Sampled networks with inputs of size 1; q as the mean variance of z, given the layer below.

    The variance of PyTorch's Xavier weights is read from the largest of many uniform draws.
    """
    rng = np.random.default_rng(0)
    count = 500 * GROUPS
    below, q = np.full(count, 768.0), {}  # the sum of h² of the layer below
    for layer, (fan_in, fan_out) in enumerate(((768, 256), (256, 128), (128, 10)), 1):
        # 40 positions of a kernel count in both fans.
        w = torch.empty(fan_out, fan_in, 40, dtype=torch.float64)
        torch.nn.init.xavier_uniform_(w, generator=torch.Generator().manual_seed(0))
        s = 40 * float(w.abs().max()) ** 2 / 3 * below
        q[layer] = sample_mean(s[None])
        if layer < 3:
            below = (np.maximum(rng.standard_normal((fan_out, count)), 0.0) ** 2).sum(0) * s
    eq.holds(q=q)
