"""Checks of snippets/equations/xavier.tex."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import pytest
import sympy as sp
import torch
from scipy.optimize import minimize_scalar

from equations.networks import Network, network
from x0_equations.check import Equation, equation
from x0_equations.values import (
    GROUPS,
    Array,
    Derivatives,
    Function,
    Indexed,
    Smooth,
    discrete,
    gaussian,
    points,
    sample_mean,
    uniform,
)

M, N, V = sp.symbols("M N v", positive=True)
FANS = {"fanin": M, "fanout": N}
SHAPES = ((3, 2), (2, 4), (3, 3))
TANH = Smooth(sp.tanh)
SOFTSIGN = Function(lambda z: z / (1 + np.abs(z)))
SMALL = np.geomspace(0.01, 0.1, 7)


# Forward -----------------------------------------------------------------------------------------


def generic() -> Network:
    """Return all networks of ±σ with different widths and an activation without any symmetry."""
    return network((3, 1, 4, 2), "skew", inputs=2)


@equation("xavier-expand", kind="numerical")
def test_expand(eq: Equation) -> None:
    """Correlated weights, correlated inputs: this step uses A2 alone."""
    rows, row_odds = (
        np.array([[1.0, 2.0, -1.0], [0.5, -1.5, 0.3], [-2.0, 0.2, 1.0]]),
        [0.5, 0.2, 0.3],
    )
    data, data_odds = np.array([[1.0, 1.5, 0.0], [2.0, -1.0, 0.7]]), [0.6, 0.4]
    w, h = np.repeat(rows, 2, 0).T, np.tile(data, (3, 1)).T
    _, mean = discrete(np.zeros(6), np.outer(row_odds, data_odds).ravel())
    z = (w * h).sum(0)[None]
    eq.holds(
        l=1,
        i=1,
        n={0: 3},
        w={(1, j): w[j - 1][None] for j in (1, 2, 3)},
        h={(0, j): h[j - 1][None] for j in (1, 2, 3)},
        z={(1, 1): z},
        E=mean,
    )


@equation("xavier-cross", kind="numerical")
def test_cross(eq: Equation) -> None:
    net = generic()
    for layer, unit in ((1, 1), (2, 3), (3, 2)):
        eq.holds(l=layer, i=unit, **net.bind("z", "h", "n", "v", "E"))


@equation("xavier-forward", kind="numerical")
def test_forward(eq: Equation) -> None:
    net = generic()
    for layer in (1, 2, 3):
        eq.holds(l=layer, **net.bind("q", "n", "v", "p"))


@equation("xavier-linearize", kind="numerical", tolerance="slope ± 0.05")
def test_linearize(eq: Equation) -> None:
    for formula in (lambda z: sp.exp(z) - 1, lambda z: sp.log(1 + z)):
        phi = Smooth(formula)
        eq.approximates(SMALL, lambda z, phi=phi: {"phi": phi, "z": z})


@equation("xavier-regime", kind="numerical", tolerance="slope ± 0.05", survivors="the same order")
def test_regime(eq: Equation) -> None:
    """At layer 1 the size of the input sets q; odd and not odd, all networks of ±σ."""
    for activation in ("tanh", "skew"):

        def bind(q: float, activation: str = activation) -> dict[str, Any]:
            net = network((3, 2), activation, (1 / 3,), scale=q**0.5)
            return {"l": 1, **net.bind("p", "q")}

        eq.approximates(np.geomspace(1e-3, 1e-2, 5), bind)


def small_network(scale: float) -> Network:
    return network((2, 1, 3, 2), "tanh", (0.8, 1.3, 0.4), scale=scale)


@equation("xavier-forward-depth", kind="numerical", tolerance="slope ± 0.05")
def test_forward_depth(eq: Equation) -> None:
    """The error is of second order in q, of fourth in the scale of the input."""
    eq.approximates(SMALL, lambda s: {"depth": 3, **small_network(s).bind("q", "n", "v")}, order=4)


@equation("xavier-forward-condition", kind="numerical")
def test_forward_condition(eq: Equation) -> None:
    """The variance that keeps q in a linear network, measured."""
    for wide, narrow in SHAPES:
        net = network((1, wide, narrow), "linear", (1.0, 1.0))
        v = 1.0 * net.q[1] / net.q[2]
        kept = network((1, wide, narrow), "linear", (1.0, v.item()))
        assert kept.q[2].item() == pytest.approx(kept.q[1].item(), rel=1e-12)
        eq.holds(l=2, n=net.n, v={2: v})


# Backward ----------------------------------------------------------------------------------------


@equation("xavier-chain", kind="numerical")
def test_chain(eq: Equation) -> None:
    """Gradients of automatic differentiation, in every single network."""
    net = generic()
    for layer, unit in ((3, 1), (3, 4), (2, 1)):
        bound = net.bind("delta", "z", "n", "phi")
        eq.holds(l=layer, j=unit, w=net.weights(layer), **bound)


@equation("xavier-backward-unit", kind="numerical")
def test_backward_unit(eq: Equation) -> None:
    """At the top layer, where the independent read-out makes A5 exact."""
    net = generic()
    for unit in (1, 2, 3, 4):
        eq.holds(l=3, j=unit, **net.bind("delta", "z", "n", "v", "phi", "E"))


@equation("xavier-backward", kind="numerical", tolerance="slope ± 0.05")
def test_backward(eq: Equation) -> None:
    for layer in (2, 3):

        def bind(scale: float, layer: int = layer) -> dict[str, Any]:
            return {"l": layer, **small_network(scale).bind("d", "n", "v")}

        eq.approximates(SMALL, bind, order=2)


@equation("xavier-backward-depth", kind="numerical", tolerance="slope ± 0.05")
def test_backward_depth(eq: Equation) -> None:
    eq.approximates(SMALL, lambda s: {"depth": 3, **small_network(s).bind("d", "n", "v")}, order=2)


@equation("xavier-backward-condition", kind="numerical")
def test_backward_condition(eq: Equation) -> None:
    """The variance that keeps d in a linear network, measured."""
    for wide, narrow in SHAPES:
        net = network((1, wide, narrow), "linear", (1.0, 1.0))
        v = 1.0 * net.d[2] / net.d[1]
        kept = network((1, wide, narrow), "linear", (1.0, v.item()))
        assert kept.d[2].item() == pytest.approx(kept.d[1].item(), rel=1e-12)
        eq.holds(l=2, n=net.n, v={2: v})


# Weight gradients --------------------------------------------------------------------------------


@equation("xavier-weight-gradient", kind="numerical")
def test_weight_gradient(eq: Equation) -> None:
    net = generic()
    for layer, i, j in ((1, 1, 3), (2, 3, 1), (3, 2, 4)):
        loss = Derivatives(lambda name, *at, layer=layer: net.loss.partial(name, layer, *at))
        eq.holds(l=layer, i=i, j=j, loss=loss, **net.bind("delta", "h"))


@equation("xavier-weight-moment", kind="numerical")
def test_weight_moment(eq: Equation) -> None:
    """Where A5 is exact: in all layers of a linear network, at the top of any other."""
    net = network((3, 1, 4, 2), "linear", inputs=2)
    for layer in (1, 2, 3):
        eq.holds(l=layer, **net.bind("G", "d", "p"))
    eq.holds(l=3, **generic().bind("G", "d", "p"))


@equation("xavier-weight-product", kind="numerical", tolerance="slope ± 0.05")
def test_weight_product(eq: Equation) -> None:
    for layer in (1, 2, 3):

        def bind(scale: float, layer: int = layer) -> dict[str, Any]:
            net = small_network(scale)
            return {"l": layer, "depth": 3, **net.bind("G", "d", "p", "n", "v")}

        eq.approximates(SMALL, bind, order=4)


@equation("xavier-weight-flat", kind="numerical", tolerance="slope ± 0.05")
def test_weight_flat(eq: Equation) -> None:
    for layer, depth in ((1, 3), (2, 3), (3, 3), (2, 2)):

        def bind(scale: float, layer: int = layer, depth: int = depth) -> dict[str, Any]:
            net = network((2,) * (depth + 1), "tanh", (0.8,) * depth, scale=scale)
            return {"l": layer, "depth": depth, "n": 2, "v": 0.8, **net.bind("G", "d", "p")}

        eq.approximates(SMALL, bind, order=4)


# The compromise ----------------------------------------------------------------------------------


def gains(fan_in: int, fan_out: int, v: float) -> tuple[float, float]:
    """Measure by what a linear layer multiplies the second moment, forward and backward."""
    net = network((fan_in, fan_out), "linear", (v,))
    return (net.q[1] / net.p[0]).item(), (net.d[0] / net.d[1]).item()


def compromise(fan_in: int, fan_out: int) -> float:
    """Find the variance whose measured gains have the mean 1."""
    v = 2.0 / sum(gains(fan_in, fan_out, 1.0))
    assert sum(gains(fan_in, fan_out, v)) == pytest.approx(2.0, rel=1e-12)
    return v


@equation("xavier-gains", kind="numerical")
def test_gains(eq: Equation) -> None:
    for fan_in, fan_out in SHAPES:
        forward, backward = gains(fan_in, fan_out, 0.7)
        eq.holds(fanin=fan_in, fanout=fan_out, v=0.7, F=forward, B=backward)


@equation("xavier-mean-gain", kind="numerical", survivors="true as well: both sides are 1")
def test_mean_gain(eq: Equation) -> None:
    for fan_in, fan_out in SHAPES:
        v = compromise(fan_in, fan_out)
        forward, backward = gains(fan_in, fan_out, v)
        eq.holds(fanin=fan_in, fanout=fan_out, v=v, F=forward, B=backward)


@equation("xavier-solution", kind="numerical")
def test_solution(eq: Equation) -> None:
    for fan_in, fan_out in SHAPES:
        eq.holds(fanin=fan_in, fanout=fan_out, v=compromise(fan_in, fan_out))


@equation("xavier-harmonic", kind="symbolic")
def test_harmonic(eq: Equation) -> None:
    eq.holds(**FANS)


@equation("xavier-product", kind="numerical")
def test_product(eq: Equation) -> None:
    """Measured gains; the bound is reached for equal fans."""
    for fan_in, fan_out in SHAPES:
        forward, backward = gains(fan_in, fan_out, compromise(fan_in, fan_out))
        equal = fan_in == fan_out
        eq.holds(fanin=fan_in, fanout=fan_out, F=forward, B=backward, tight=equal)


@equation("xavier-log-cost", kind="definition")
def test_log_cost(eq: Equation) -> None:
    """The squared logarithms by which the two measured gains miss 1."""
    for fan_in, fan_out in SHAPES:
        cost = sum(math.log(gain) ** 2 for gain in gains(fan_in, fan_out, 0.7))
        eq.holds(fanin=fan_in, fanout=fan_out, v=0.7, J=cost)


@equation("xavier-log-cost-slope", kind="symbolic")
def test_log_cost_slope(eq: Equation) -> None:
    cost = sp.log(M * V) ** 2 + sp.log(N * V) ** 2
    eq.holds(**FANS, v=V, J=Derivatives(lambda name: sp.diff(cost, {"v": V}[name])))


@equation("xavier-geometric", kind="numerical", tolerance="relative 1e-6")
def test_geometric(eq: Equation) -> None:
    """The minimum of the cost of the measured gains."""
    for fan_in, fan_out in SHAPES:
        forward, backward = gains(fan_in, fan_out, 1.0)

        def cost(log_v: float, at: tuple[float, float] = (forward, backward)) -> float:
            return sum((math.log(gain) + log_v) ** 2 for gain in at)

        v = math.exp(minimize_scalar(cost, tol=1e-12).x)
        eq.holds(fanin=fan_in, fanout=fan_out, v=v)


@equation("xavier-geometric-order", kind="numerical")
def test_geometric_order(eq: Equation) -> None:
    rng = np.random.default_rng(0)
    fan_in, fan_out = points(rng.uniform(1, 900, 200)), points(rng.uniform(1, 900, 200))
    fan_out[0] = fan_in[0]
    eq.holds(fanin=fan_in, fanout=fan_out, tight=True)


# Distributions -----------------------------------------------------------------------------------


def drawn(initializer: Any, shape: tuple[int, ...]) -> Array:
    """Return the weights of PyTorch's own initializer as samples."""
    w = torch.empty(shape, dtype=torch.float64)
    initializer(w, generator=torch.Generator().manual_seed(0))
    return w.numpy().reshape(1, -1)


@equation("xavier-normal", kind="statistical")
def test_normal(eq: Equation) -> None:
    w = drawn(torch.nn.init.xavier_normal_, (80, 12 * GROUPS))
    eq.holds(w=w, fanin=12 * GROUPS, fanout=80)


@equation("xavier-variance", kind="statistical")
def test_variance(eq: Equation) -> None:
    for initializer in (torch.nn.init.xavier_normal_, torch.nn.init.xavier_uniform_):
        w = drawn(initializer, (300, 8 * GROUPS))
        eq.holds(w=w, E=sample_mean, fanin=8 * GROUPS, fanout=300)


@equation("xavier-uniform", kind="statistical", tolerance="4 SE, SE ≤ 5 %; relative 1e-4")
def test_uniform(eq: Equation) -> None:
    """The bound is the largest weight drawn."""
    w = drawn(torch.nn.init.xavier_uniform_, (1000, 8 * GROUPS))
    eq.holds(w=w, r=float(np.abs(w).max()), fanin=8 * GROUPS, fanout=1000)


@equation("xavier-uniform-variance", kind="numerical")
def test_uniform_variance(eq: Equation) -> None:
    for bound in (0.3, 2.0):
        w, mean = uniform(bound)
        eq.holds(w=w, E=mean, r=bound)


@equation("xavier-uniform-bound", kind="numerical", tolerance="relative 1e-9")
def test_uniform_bound(eq: Equation) -> None:
    """The bound whose uniform law has the variance of the compromise, both measured."""
    for fan_in, fan_out in SHAPES:
        v = compromise(fan_in, fan_out)
        w, mean = uniform(1.0)
        bound = math.sqrt(v / mean(w**2).item())
        w, mean = uniform(bound)
        assert mean(w**2).item() == pytest.approx(v, rel=1e-12)
        eq.holds(r=bound, v=v, fanin=fan_in, fanout=fan_out)


def triangular(bound: float) -> tuple[Array, Any]:
    """Return the sum of two independent variables, uniform on ±bound/2, and its expectation."""
    half, mean = uniform(bound / 2)
    w = (half.T + half).reshape(1, -1)

    def expectation(values: Any) -> Any:
        grid = np.broadcast_to(values, w.shape).reshape(half.size, half.size)
        return mean(mean(grid).reshape(1, -1))

    return w, expectation


@equation("xavier-triangle-variance", kind="numerical")
def test_triangle_variance(eq: Equation) -> None:
    for bound in (0.3, 2.0):
        w, mean = triangular(bound)
        eq.holds(w=w, E=mean, r=bound)


@equation("xavier-triangle-bound", kind="numerical", tolerance="relative 1e-9")
def test_triangle_bound(eq: Equation) -> None:
    for fan_in, fan_out in SHAPES:
        v = compromise(fan_in, fan_out)
        w, mean = triangular(1.0)
        bound = math.sqrt(v / mean(w**2).item())
        eq.holds(r=bound, v=v, fanin=fan_in, fanout=fan_out)


# Convolutions: count the connections of one output and of one input. -----------------------------


CONVOLUTIONS = (
    # in, out, kernel, groups, stride, length of each axis
    (4, 6, (3,), 2, (2,), 12),
    (3, 5, (3, 5), 1, (2, 3), 12),
    (6, 3, (5,), 3, (1,), 12),
)


def counted(conv: torch.nn.Module, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """Return, for each output and for each input, the number of its connections."""
    torch.nn.init.ones_(conv.weight)
    x.requires_grad_()
    y = conv(x)
    y.sum().backward()
    assert x.grad is not None
    return y.detach(), x.grad


@equation("xavier-convolution-fans", kind="numerical")
def test_convolution_fans(eq: Equation) -> None:
    for c_in, c_out, kernel, groups, stride, length in CONVOLUTIONS:
        make = (torch.nn.Conv1d, torch.nn.Conv2d)[len(kernel) - 1]
        conv = make(
            c_in,
            c_out,
            kernel,
            stride=stride,
            padding=tuple(size // 2 for size in kernel),
            padding_mode="circular",
            groups=groups,
            bias=False,
        ).double()
        x = torch.ones(1, c_in, *(length,) * len(kernel), dtype=torch.float64)
        outputs, inputs = counted(conv, x)
        eq.holds(
            fanin=outputs.mean().item(),
            fanout=inputs.mean().item(),
            C_in=c_in,
            C_out=c_out,
            K=math.prod(kernel),
            Gamma=groups,
            S=math.prod(stride),
        )


@equation("xavier-transposed-fans", kind="numerical")
def test_transposed_fans(eq: Equation) -> None:
    """Away from the border, over whole periods of the stride."""
    for c_in, c_out, kernel, groups, stride, length in CONVOLUTIONS:
        make = (torch.nn.ConvTranspose1d, torch.nn.ConvTranspose2d)[len(kernel) - 1]
        conv = make(c_in, c_out, kernel, stride=stride, groups=groups, bias=False).double()
        x = torch.ones(1, c_in, *(length,) * len(kernel), dtype=torch.float64)
        outputs, inputs = counted(conv, x)
        inner = outputs[(..., *(slice(2 * s * 3, 2 * s * 3 + 2 * s) for s in stride))]
        eq.holds(
            fanin=inner.mean().item(),
            fanout=inputs.mean().item(),
            C_in=c_in,
            C_out=c_out,
            K=math.prod(kernel),
            Gamma=groups,
            S=math.prod(stride),
        )


# Alternating widths ------------------------------------------------------------------------------


@equation("xavier-telescope", kind="symbolic")
def test_telescope(eq: Equation) -> None:
    for depth in (1, 4):
        eq.holds(depth=depth, n=dict(enumerate(sp.symbols("n:5", positive=True))))


@equation("xavier-pair", kind="symbolic")
def test_pair(eq: Equation) -> None:
    eq.holds(M=M, N=N)


@equation("xavier-pairs", kind="numerical")
def test_pairs(eq: Equation) -> None:
    """Linear networks with the measured compromise in every layer."""
    for m, n, pairs in ((3, 2, 1), (2, 1, 2), (1, 2, 2)):
        sizes = (m, *(n, m) * pairs)
        variances = (compromise(m, n), compromise(n, m)) * pairs
        net = network(sizes, "linear", variances)
        eq.holds(M=m, N=n, k=pairs, **net.bind("p", "d"))


# The decay under tanh ----------------------------------------------------------------------------


@equation("xavier-tanh-series", kind="numerical", tolerance="slope ± 0.05")
def test_tanh_series(eq: Equation) -> None:
    eq.approximates(np.geomspace(0.03, 0.15, 6), lambda z: {"z": z})


@equation(
    "xavier-gauss-moments", kind="numerical", identical="the quadrature is exact to the last bit"
)
def test_gauss_moments(eq: Equation) -> None:
    q = points([0.3, 1.0, 2.5])
    z, mean = gaussian(q)
    eq.holds(z=z, E=mean, q=q)


def gaussian_z(q: float) -> dict[str, Any]:
    z, mean = gaussian(q)
    return {"q": q, "z": z, "E": mean}


SMALL_Q = np.geomspace(5e-4, 5e-3, 6)


@equation("xavier-tanh-moment", kind="numerical", tolerance="slope ± 0.05")
def test_tanh_moment(eq: Equation) -> None:
    eq.approximates(SMALL_Q, gaussian_z)


@equation("xavier-slope-moment", kind="numerical", tolerance="slope ± 0.05")
def test_slope_moment(eq: Equation) -> None:
    eq.approximates(SMALL_Q, gaussian_z)


@equation("xavier-softsign-moment", kind="numerical", tolerance="slope ± 0.05")
def test_softsign_moment(eq: Equation) -> None:
    eq.approximates(np.geomspace(1e-7, 1e-5, 6), gaussian_z)


@equation("xavier-cubic", kind="numerical", tolerance="slope ± 0.05")
def test_cubic(eq: Equation) -> None:
    for formula in (sp.tanh, sp.sin):
        phi = Smooth(formula)
        cubic = float(phi.derivative(3)(0.0)) / 6
        eq.approximates(SMALL, lambda z, phi=phi, c=cubic: {"phi": phi, "z": z, "c": c})


@equation("xavier-cubic-moment", kind="numerical", tolerance="slope ± 0.05")
def test_cubic_moment(eq: Equation) -> None:
    for formula in (sp.tanh, sp.sin):
        phi = Smooth(formula)
        cubic = float(phi.derivative(3)(0.0)) / 6
        eq.approximates(
            SMALL_Q,
            lambda q, phi=phi, c=cubic: {**gaussian_z(q), "phi": phi, "c": c},
        )


def q_map(phi: Function, q: float) -> float:
    """Return the second moment after one layer of infinite width with n v = 1."""
    z, mean = gaussian(q)
    return float(mean(phi(z) ** 2).item())


@cache
def iterates(phi: Function, count: int) -> dict[int, float]:
    """Iterate the map from q_1 = 1."""
    q = {1: 1.0}
    for layer in range(1, count):
        q[layer + 1] = q_map(phi, q[layer])
    return q


LATE = 20_000
LAYERS = [int(layer) for layer in np.geomspace(400, LATE, 8)]


def two_layers(phi: Function) -> Any:
    return lambda q: {"l": 1, "q": {1: q, 2: q_map(phi, q)}}


@equation("xavier-tanh-map", kind="numerical", tolerance="slope ± 0.05")
def test_tanh_map(eq: Equation) -> None:
    eq.approximates(SMALL_Q, two_layers(TANH))


@equation("xavier-reciprocal", kind="numerical", tolerance="slope ± 0.05")
def test_reciprocal(eq: Equation) -> None:
    eq.approximates(SMALL_Q, two_layers(TANH))


@equation("xavier-softsign-reciprocal", kind="numerical", tolerance="slope ± 0.05")
def test_softsign_reciprocal(eq: Equation) -> None:
    eq.approximates(np.geomspace(1e-7, 1e-5, 6), two_layers(SOFTSIGN))


@equation("xavier-decay", kind="numerical", tolerance="slope ± 0.05", survivors="the same order")
def test_decay(eq: Equation) -> None:
    """The map itself, by quadrature, to layer 20000."""
    eq.approximates(LAYERS, lambda layer: {"l": layer, "q": iterates(TANH, LATE)})


@equation("xavier-cubic-decay", kind="numerical", tolerance="slope ± 0.05")
def test_cubic_decay(eq: Equation) -> None:
    eq.approximates(
        LAYERS,
        lambda layer: {"l": layer, "q": iterates(TANH, LATE), "c": -1 / 3},
        order=lambda layer: math.log(layer) / layer**2,
    )


@equation("xavier-softsign-decay", kind="numerical", tolerance="slope ± 0.05")
def test_softsign_decay(eq: Equation) -> None:
    eq.approximates(
        LAYERS,
        lambda layer: {"l": layer, "q": iterates(SOFTSIGN, LATE)},
        order=lambda layer: math.log(layer) / layer**3,
    )


@cache
def factors() -> dict[int, float]:
    """Return the factors of the squared gradient along the iterates of tanh."""

    def factor(q: float) -> float:
        z, mean = gaussian(q)
        return float(mean((1 - np.tanh(z) ** 2) ** 2).item())

    return {layer: factor(q) for layer, q in iterates(TANH, LATE).items()}


@equation("xavier-slope-factor", kind="numerical", tolerance="relative 1e-12; slope ± 0.05")
def test_slope_factor(eq: Equation) -> None:
    """The factor in networks with n v = 1; its decay along the iterates of the map."""
    net = network((2, 3, 3), "tanh", (0.8, 1 / 3))
    factor = {1: net.d[1] / net.d[2]}
    eq.holds(only=[1], l=2, d=net.d, chi=factor)
    moments = {"phi": net.phi, "E": net.E}
    for unit in (1, 2, 3):
        z = Indexed(lambda layer, unit=unit: net.z[layer, unit])
        eq.holds(only=[2], l=1, chi=factor, z=z, **moments)

    def bind(layer: float) -> dict[str, Any]:
        # The law holds from any start. With q_3 = 1 its next term is smallest, and the slope of
        # the logarithm shows before layer 20000.
        z, mean = gaussian(iterates(TANH, LATE)[int(layer) - 2])
        return {"l": int(layer), "z": {int(layer): z}, "E": mean, "phi": TANH}

    eq.approximates(LAYERS, bind, only=[3])


@equation("xavier-slope-product", kind="numerical", tolerance="slope ± 0.05")
def test_slope_product(eq: Equation) -> None:
    """omega is the limit of l times the product, extrapolated from layers that are not used below."""
    product = np.cumprod([1.0, *(factors()[layer] for layer in range(1, LATE))])
    late = np.arange(5000, LATE)
    basis = np.stack([np.ones(late.size), np.log(late) / late, 1 / late], 1)
    limit = float(np.linalg.lstsq(basis, late * product[late - 1])[0][0])
    layers = [int(layer) for layer in np.geomspace(150, 1500, 6)]
    eq.approximates(
        layers,
        lambda layer: {"l": layer, "chi": factors(), "omega": limit},
        order=lambda layer: math.log(layer) / layer**2,
    )


@equation("xavier-tanh-gradient", kind="numerical", tolerance="slope ± 0.05")
def test_tanh_gradient(eq: Equation) -> None:
    """At infinite width: d from its factors, G from the two ends of a weight."""
    depth_of = 3

    def bind(layer: float) -> dict[str, Any]:
        first, depth = int(layer), depth_of * int(layer)
        gradient = {depth: 1.7}
        for k in range(depth, first, -1):
            gradient[k - 1] = factors()[k - 1] * gradient[k]
        p = iterates(TANH, LATE)[first]  # n v = 1: the p of the layer before
        return {"l": first, "depth": depth, "d": gradient, "G": {first: gradient[first] * p}}

    layers = [int(layer) for layer in np.geomspace(400, LATE // depth_of, 6)]
    eq.approximates(
        layers,
        lambda layer: {k: v for k, v in bind(layer).items() if k != "G"},
        only=[1],
        order=lambda layer: math.log(layer) / layer,
    )
    eq.approximates(layers, bind, only=[2], order=lambda layer: math.log(layer) / layer**2)
