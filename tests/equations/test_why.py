"""Checks of snippets/equations/why.tex."""

from __future__ import annotations

import math
from functools import cache
from typing import Any

import numpy as np
import sympy as sp
import torch
from scipy.integrate import solve_ivp

from equations.networks import Network, network
from x0_equations.check import Equation, equation
from x0_equations.values import (
    Derivatives,
    Function,
    Indexed,
    Matrix,
    Smooth,
    bent,
    gaussian,
    points,
    relu,
)

TANH = Smooth(sp.tanh)
LOGISTIC = Smooth(lambda z: (1 + sp.tanh(z / 2)) / 2)


def column(tensor: torch.Tensor | None) -> Matrix:
    assert tensor is not None
    return Matrix(tensor.detach().numpy())


@cache
def chain(gain: float = 1.0) -> dict[str, Any]:
    """Return one tanh network of widths 3, 4, 5, 2 with gradients by automatic differentiation."""
    generator = torch.Generator().manual_seed(3)
    sizes = (3, 4, 5, 2)

    def draw(*shape: int) -> torch.Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    h = [draw(3, 1)]
    z, w, b = {}, {}, {}
    for layer in (1, 2, 3):
        w[layer] = gain * draw(sizes[layer], sizes[layer - 1])
        b[layer] = draw(sizes[layer], 1).requires_grad_()
        w[layer].requires_grad_()
        z[layer] = w[layer] @ h[-1] + b[layer]
        z[layer].retain_grad()
        h.append(torch.tanh(z[layer]))
    (draw(2, 1) * z[3].sin()).sum().backward()  # type: ignore[no-untyped-call]
    return {
        "z": {k: column(t) for k, t in z.items()},
        "h": {k: column(t) for k, t in enumerate(h)},
        "W": {k: column(t) for k, t in w.items()},
        "delta": {k: column(t.grad) for k, t in z.items()},
        "bias": {k: column(t.grad) for k, t in b.items()},
        "weight": {k: column(t.grad) for k, t in w.items()},
        "nu": {k: float(np.linalg.norm(t.detach().numpy(), 2)) for k, t in w.items()},
    }


# One network: no assumption ------------------------------------------------------------------------


@equation("why-delta", kind="numerical", identical="PyTorch does the same operations")
def test_delta(eq: Equation) -> None:
    net = chain()
    for layer in (2, 3):
        eq.holds(l=layer, phi=TANH, **{name: net[name] for name in ("delta", "z", "W")})


@equation("why-layer-bound", kind="numerical")
def test_layer_bound(eq: Equation) -> None:
    """Automatic differentiation stays below the bound; on a singular vector it reaches it."""
    for gain in (0.1, 1.0, 3.0):
        net = chain(gain)
        for layer in (2, 3):
            eq.holds(l=layer, gamma=1.0, delta=net["delta"], nu=net["nu"])
    weight = np.array([[3.0, 1.0], [0.5, -2.0]])
    u, s, _ = np.linalg.svd(weight)
    top = Matrix(u[:, :1])
    eq.holds(l=2, gamma=1.0, nu={2: s[0]}, delta={2: top, 1: Matrix(weight).T * top}, tight=True)
    half = Matrix(weight).T * top * 0.5  # an activation of slope 1/2
    eq.holds(l=2, gamma=0.5, nu={2: s[0]}, delta={2: top, 1: half}, tight=True)


@equation("why-bound", kind="numerical")
def test_bound(eq: Equation) -> None:
    for gain in (0.1, 1.0, 3.0):
        net = chain(gain)
        eq.holds(depth=3, gamma=1.0, delta=net["delta"], nu=net["nu"])
    first = Matrix(np.diag([2.0, 1.0]))
    delta = {3: Matrix([1.0, 0.0])}
    delta[2] = first.T * delta[3]
    delta[1] = first.T * delta[2]
    eq.holds(depth=3, gamma=1.0, delta=delta, nu={2: 2.0, 3: 2.0}, tight=True)
    delta[2], delta[1] = delta[2] * 0.5, delta[1] * 0.25
    eq.holds(depth=3, gamma=0.5, delta=delta, nu={2: 2.0, 3: 2.0}, tight=True)


@equation("why-bias", kind="numerical")
def test_bias(eq: Equation) -> None:
    net = chain()
    loss = Derivatives(lambda name, layer: net["bias"][layer])
    for layer in (1, 2, 3):
        eq.holds(l=layer, loss=loss, delta=net["delta"])


@equation("why-outer", kind="numerical")
def test_outer(eq: Equation) -> None:
    """The outer product is the gradient in W of automatic differentiation."""
    net = chain()
    for layer in (1, 2, 3):
        outer = net["delta"][layer] * net["h"][layer - 1].T
        assert np.allclose(outer.array, net["weight"][layer].array, rtol=1e-12)
        eq.holds(l=layer, delta=net["delta"], h=net["h"])


# Ensembles -----------------------------------------------------------------------------------------


@equation("why-factor", kind="numerical")
def test_factor(eq: Equation) -> None:
    """At the top, where the independent read-out makes A5 exact; units are exchangeable."""
    for activation in ("tanh", "skew", "relu"):
        net = network((2, 2, 3), activation, (0.7, 0.9))
        for unit in (1, 2):
            z = Indexed(lambda layer, unit=unit, net=net: net.z[layer, unit])
            eq.holds(l=2, z=z, **net.bind("d", "n", "v", "phi", "E"))
    net = network((2, 1, 2, 3), "linear", (0.7, 0.9, 0.4))
    z = Indexed(lambda layer: net.z[layer, 1])
    eq.holds(l=2, z=z, **net.bind("d", "n", "v", "phi", "E"))


@equation("why-depth", kind="numerical")
def test_depth(eq: Equation) -> None:
    """Linear with three layers, where A5 is exact; nonlinear with two."""
    net = network((2, 1, 2, 3), "linear", (0.7, 0.9, 0.4))
    z = Indexed(lambda layer: net.z[layer, 1])
    eq.holds(depth=3, z=z, **net.bind("d", "n", "v", "phi", "E"))
    net = network((2, 2, 3), "skew", (0.7, 0.9))
    z = Indexed(lambda layer: net.z[layer, 1])
    eq.holds(depth=2, z=z, **net.bind("d", "n", "v", "phi", "E"))


@equation("why-moment", kind="numerical")
def test_moment(eq: Equation) -> None:
    """At the top, and in layer 1, whose one input is not random."""
    net = network((3, 2, 2), "skew", (0.7, 0.9))
    for layer in (1, 2):
        eq.holds(l=layer, **net.bind("G", "d", "p"))


def equal_gains(activation: str) -> Network:
    return network((3, 2, 3), activation, (0.7, 0.7), scale=0.6)


@equation("why-signal", kind="numerical")
def test_signal(eq: Equation) -> None:
    net = network((3, 2, 2), "skew", (0.7, 0.9))
    for layer in (2, 3):
        eq.holds(l=layer, **net.bind("q", "n", "v", "p"))


@equation("why-quotient", kind="numerical")
def test_quotient(eq: Equation) -> None:
    for activation in ("tanh", "skew", "relu"):
        eq.holds(l=2, **equal_gains(activation).bind("G", "d", "p"))


@equation("why-ratio", kind="numerical")
def test_ratio(eq: Equation) -> None:
    for activation in ("tanh", "skew", "relu"):
        net = equal_gains(activation)
        z = Indexed(lambda layer, net=net: net.z[layer, 2])
        eq.holds(l=2, z=z, **net.bind("G", "q", "p", "phi", "E"))


@equation("why-result-delta", kind="numerical")
def test_result_delta(eq: Equation) -> None:
    for activation in ("tanh", "skew", "relu"):
        net = network((2, 2, 3), activation, (0.7, 0.9))
        z = Indexed(lambda layer, net=net: net.z[layer, 2])
        eq.holds(l=2, z=z, **net.bind("d", "n", "v", "phi", "E"))
    net = network((2, 1, 2, 3), "linear", (0.7, 0.9, 0.4))
    z = Indexed(lambda layer: net.z[layer, 1])
    eq.holds(l=2, z=z, **net.bind("d", "n", "v", "phi", "E"))


@equation("why-result-weight", kind="numerical")
def test_result_weight(eq: Equation) -> None:
    for activation in ("tanh", "skew", "relu"):
        net = equal_gains(activation)
        z = Indexed(lambda layer, net=net: net.z[layer, 1])
        eq.holds(l=2, z=z, **net.bind("G", "q", "p", "phi", "E"))


# Activations ---------------------------------------------------------------------------------------


@equation("why-homogeneous", kind="numerical")
def test_homogeneous(eq: Equation) -> None:
    z = points([-3.0, -0.4, 0.2, 5.0])
    for phi in (relu, bent(0.25), Function(np.abs, np.sign)):
        eq.holds(phi=phi, z=z)


@equation("why-relu-ratio", kind="numerical")
def test_relu_ratio(eq: Equation) -> None:
    z, mean = gaussian(points([0.3, 2.0]))
    for phi in (relu, bent(0.25)):
        eq.holds(phi=phi, z=z, E=mean)


def bound(phi: Function) -> Any:
    def bind(q: float) -> dict[str, Any]:
        z, mean = gaussian(q)
        return {"q": q, "z": z, "E": mean, "phi": phi}

    return bind


@equation("why-tanh-ratio", kind="numerical", tolerance="slope ± 0.05")
def test_tanh_ratio(eq: Equation) -> None:
    eq.approximates(np.geomspace(5e-4, 5e-3, 6), bound(TANH))


@equation("why-logistic-ratio", kind="numerical", tolerance="slope ± 0.05")
def test_logistic_ratio(eq: Equation) -> None:
    eq.approximates(np.geomspace(1e-4, 5e-3, 6), bound(LOGISTIC))


@equation(
    "why-saturated-ratio",
    kind="numerical",
    tolerance="slope ± 0.05",
    survivors="an error of order 1 is an error of order 2",
)
def test_saturated_ratio(eq: Equation) -> None:
    eq.approximates(np.geomspace(100, 3000, 6), bound(TANH))


@equation(
    "why-logistic-large",
    kind="numerical",
    tolerance="slope ± 0.05",
    survivors="for large q phi is nearly 0 or 1 and its powers agree; an error of order 1 is one of order 2",
)
def test_logistic_large(eq: Equation) -> None:
    eq.approximates(np.geomspace(400, 12000, 6), bound(LOGISTIC))


@equation("why-euler", kind="numerical")
def test_euler(eq: Equation) -> None:
    """Unequal widths, no biases, a random nonlinear loss, gradients by automatic differentiation."""
    generator = torch.Generator().manual_seed(5)
    for slope, scale in ((0.0, 0.01), (0.0, 3.0), (0.3, 1.0), (-1.0, 1.0)):
        h = [torch.randn(3, 1, generator=generator, dtype=torch.float64)]
        w, z = {}, {}
        for layer, size in ((1, 5), (2, 4), (3, 2)):
            shape = (size, len(h[-1]))
            w[layer] = scale * torch.randn(shape, generator=generator, dtype=torch.float64)
            w[layer].requires_grad_()
            z[layer] = w[layer] @ h[-1]
            z[layer].retain_grad()
            h.append(torch.where(z[layer] > 0, z[layer], slope * z[layer]))
        (z[3].sin().sum() + z[3].prod()).backward()  # type: ignore[no-untyped-call]
        for layer in (1, 2, 3):
            grad = column(z[layer].grad) * column(h[layer - 1]).T
            assert np.allclose(grad.array, column(w[layer].grad).array, rtol=1e-12)
            eq.holds(
                l=layer,
                depth=3,
                tr=np.trace,
                W={layer: column(w[layer])},
                delta={k: column(t.grad) for k, t in z.items()},
                h={k: column(t) for k, t in enumerate(h)},
                z={k: column(t) for k, t in z.items()},
            )


# One step ------------------------------------------------------------------------------------------


def first_step(optimizer: Any, gradient: float) -> dict[str, Any]:
    theta = torch.tensor([0.7], dtype=torch.float64, requires_grad=True)
    (theta * gradient).sum().backward()  # type: ignore[no-untyped-call]
    before = theta.item()
    optimizer([theta]).step()
    return {"theta": {0: before, 1: theta.item()}, "g": gradient, "eta": 0.3}


GRADIENTS = (-2.0, 1e-3, 3e-2)


@equation("why-sgd", kind="numerical", tolerance="relative 1e-10")
def test_sgd(eq: Equation) -> None:
    """What torch.optim.SGD does."""
    for gradient in GRADIENTS:
        eq.holds(**first_step(lambda p: torch.optim.SGD(p, lr=0.3), gradient))


@equation("why-adam", kind="numerical", tolerance="relative 1e-10")
def test_adam(eq: Equation) -> None:
    """What torch.optim.Adam does; gradients above, near and below eps."""
    for gradient in GRADIENTS:
        step = first_step(lambda p: torch.optim.Adam(p, lr=0.3, eps=1e-2), gradient)
        eq.holds(varepsilon=1e-2, **step)


# Exercises -----------------------------------------------------------------------------------------


@equation("why-underflow", kind="numerical")
def test_underflow(eq: Equation) -> None:
    eq.equivalent("k", (1.0, 60.0))


def flow(depth: int, start: float, end: float = 0.9) -> Any:
    """Follow the negative gradient of (product − 1)² / 2 with equal factors, by autograd."""

    def slope(_: float, factors: Any) -> Any:
        u = torch.tensor(factors, dtype=torch.float64, requires_grad=True)
        ((u.prod() - 1) ** 2 / 2).backward()  # type: ignore[no-untyped-call]
        assert u.grad is not None
        return -u.grad.numpy()

    def reached(_: float, factors: Any) -> float:
        return float(factors[0]) - end

    reached.terminal = True  # type: ignore[attr-defined]
    start_at = np.full(depth, start)
    options = {"rtol": 1e-11, "atol": 1e-13, "method": "DOP853", "dense_output": True}
    return solve_ivp(slope, (0.0, 1e6), start_at, events=reached, **options)


@equation("why-flow", kind="numerical", tolerance="relative 1e-6")
def test_flow(eq: Equation) -> None:
    for depth in (3, 4):
        solution = flow(depth, 0.4)
        t = 0.5 * solution.t[-1]
        eq.holds(depth=depth, t=t, u=lambda t, s=solution: float(s.sol(t)[0]))


@equation("why-time", kind="numerical", tolerance="relative 1e-6")
def test_time(eq: Equation) -> None:
    for depth, start in ((3, 0.4), (4, 0.3)):
        arrival = float(flow(depth, start).t_events[0][0])
        eq.holds(depth=depth, t={1: arrival}, u={0: start, 1: 0.9})


@equation("why-plateau", kind="numerical")
def test_plateau(eq: Equation) -> None:
    """Holds for the whole way; while both ends are small, it is nearly an equality."""
    for depth, start in ((3, 0.4), (4, 0.3)):
        arrival = float(flow(depth, start).t_events[0][0])
        eq.holds(depth=depth, t={1: arrival}, u={0: start, 1: 0.9})
    for depth, start, end in ((4, 0.01, 0.02), (5, 0.05, 0.06)):
        arrival = float(flow(depth, start, end).t_events[0][0])
        eq.holds(depth=depth, t={1: arrival}, u={0: start, 1: end}, tight=True)


def test_half_precision_underflows_where_the_exercise_says() -> None:
    """The norm factor of nn.Linear's default in a ReLU network, multiplied in float16."""
    value, layers = torch.ones((), dtype=torch.float64), 0
    while value.half() > 0:  # rounds to the nearest multiple of 2^-24
        value, layers = value / 6**0.5, layers + 1
    assert layers == math.ceil(50 * math.log(2) / math.log(6))
