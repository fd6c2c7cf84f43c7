"""Checks of snippets/equations/symmetry.tex."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from scipy.integrate import solve_ivp

from x0_equations.check import Equation, equation
from x0_equations.values import Derivatives, Matrix

UNITS, INPUTS, CLASSES = 3, 2, 2
GENERATOR = torch.Generator().manual_seed(0)
X = torch.randn(INPUTS, 5, generator=GENERATOR, dtype=torch.float64)
Y = torch.randn(CLASSES, 5, generator=GENERATOR, dtype=torch.float64)
SIZE = UNITS * (INPUTS + 1 + CLASSES)


def loss(theta: torch.Tensor) -> torch.Tensor:
    """Return the loss of a network with one hidden layer, its parameters in one vector."""
    incoming, bias, outgoing = theta.split([UNITS * INPUTS, UNITS, UNITS * CLASSES])
    h = torch.tanh(incoming.view(UNITS, INPUTS) @ X + bias.view(-1, 1))
    return ((outgoing.view(CLASSES, UNITS) @ h - Y) ** 2).mean()


def f(theta: Any) -> Any:
    return loss(torch.tensor(theta.ravel())).numpy()[None, None]


def g(theta: Any) -> Any:
    t = torch.tensor(theta.ravel(), requires_grad=True)
    return torch.autograd.grad(loss(t), t)[0].numpy()[:, None]


def swap() -> Matrix:
    """Return the permutation that exchanges units 1 and 2."""
    index = torch.arange(SIZE)
    incoming, bias, outgoing = index.split([UNITS * INPUTS, UNITS, UNITS * CLASSES])
    order = [1, 0, 2]
    parts = (
        incoming.view(UNITS, INPUTS)[order],
        bias[order],
        outgoing.view(CLASSES, UNITS)[:, order],
    )
    permuted = torch.cat([part.reshape(-1) for part in parts])
    return Matrix(np.eye(SIZE)[permuted.numpy()])


def random_theta(equal: bool = False) -> Matrix:
    theta = Matrix(np.random.default_rng(1).standard_normal(SIZE))
    return (theta + swap() * theta) * 0.5 if equal else theta


@equation(
    "symmetry-loss",
    kind="numerical",
    survivors="without P it is still true: the equation says that P changes nothing",
    identical="equal units are rounded alike",
)
def test_loss(eq: Equation) -> None:
    eq.holds(f=f, P=swap(), theta=random_theta())


@equation("symmetry-gradient", kind="numerical")
def test_gradient(eq: Equation) -> None:
    """Automatic differentiation at a point where the two units differ."""
    eq.holds(g=g, P=swap(), theta=random_theta())


def descend(eta: float, equal: bool) -> dict[int, Matrix]:
    """Take one step with torch.optim.SGD."""
    start = random_theta(equal)
    theta = torch.tensor(start.array.ravel(), requires_grad=True)
    loss(theta).backward()  # type: ignore[no-untyped-call]
    torch.optim.SGD([theta], lr=eta).step()
    return {0: start, 1: Matrix(theta.detach().numpy())}


@equation("symmetry-step", kind="numerical", identical="PyTorch does the same operations")
def test_step(eq: Equation) -> None:
    eq.holds(t=0, g=g, theta=descend(0.3, False), eta=0.3)


@equation(
    "symmetry-stay",
    kind="numerical",
    survivors="without P it is still true: the equation says that P changes nothing",
    identical="equal units are rounded alike",
)
def test_stay(eq: Equation) -> None:
    eq.holds(t=0, g=g, P=swap(), theta=descend(0.3, True), eta=0.3)


def trained_from_constants() -> list[np.ndarray]:
    """Train a network of widths 2, 3, 3, 2 from constants, in float64."""
    weights = [
        torch.full(shape, c, dtype=torch.float64, requires_grad=True)
        for shape, c in (((3, 2), 0.3), ((3, 3), 0.2), ((2, 3), 0.4))
    ]
    optimizer = torch.optim.SGD(weights, lr=0.2)
    for _ in range(50):
        h = X
        for w in weights[:-1]:
            h = torch.tanh(w @ h)
        optimizer.zero_grad()
        ((weights[-1] @ h - Y) ** 2).mean().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return [w.detach().numpy() for w in weights]


ONES = Matrix(np.ones(3))


@equation("symmetry-first", kind="numerical", tolerance="relative 1e-9")
def test_first(eq: Equation) -> None:
    w = trained_from_constants()[0]
    assert np.ptp(w[0]) > 0.01
    eq.holds(W={1: Matrix(w)}, e=ONES, u=Matrix(w[0]))


@equation("symmetry-middle", kind="numerical", tolerance="relative 1e-9")
def test_middle(eq: Equation) -> None:
    w = trained_from_constants()[1]
    assert abs(w[0, 0] - 0.2) > 0.01
    eq.holds(l=2, W={2: Matrix(w)}, c={2: float(w[0, 0])}, e=ONES)


@equation("symmetry-last", kind="numerical", tolerance="relative 1e-9")
def test_last(eq: Equation) -> None:
    w = trained_from_constants()[2]
    eq.holds(depth=3, W={3: Matrix(w)}, v=Matrix(w[:, 0]), e=ONES)


@equation("symmetry-sum", kind="numerical", tolerance="relative 1e-9")
def test_sum(eq: Equation) -> None:
    w = trained_from_constants()[1]
    eq.holds(l=2, W={2: Matrix(w)}, c={2: float(w[0, 0])}, e=ONES, n=3, h=0.7)


@equation("symmetry-rates", kind="numerical", tolerance="relative 1e-6")
def test_rates(eq: Equation) -> None:
    """The rates of the network of width 1 whose first step is that of the wide network."""

    def gradients(width: int) -> tuple[list[float], list[float]]:
        values = (0.3, 0.2, 0.4) if width == 3 else (0.3, 0.6, 1.2)
        shapes = ((width, 2), (width, width), (2, width))
        weights = [
            torch.full(shape, c, dtype=torch.float64, requires_grad=True)
            for shape, c in zip(shapes, values, strict=True)
        ]
        h = X
        for w in weights[:-1]:
            h = torch.tanh(w @ h)
        found = torch.autograd.grad(((weights[-1] @ h - Y) ** 2).mean(), weights)
        return list(values), [float(x[0, 0]) for x in found]

    eta = 0.7
    _, slope = gradients(3)
    _, single = gradients(1)
    # what the sums over equal units, u, n c and n v, move by
    moved = [eta * slope[0], 3 * eta * slope[1], 3 * eta * slope[2]]
    rates = {k + 1: moved[k] / single[k] for k in range(3)}
    eq.holds(n=3, eta=eta, eta_1=rates[1], eta_l=rates[2], eta_depth=rates[3])


@equation("symmetry-bias-rates", kind="numerical", tolerance="relative 1e-6")
def test_bias_rates(eq: Equation) -> None:
    """The rates of the biases of the small network whose first step is that of the wide one."""

    def slopes(width: int) -> list[float]:
        values = (0.3, 0.2, 0.4) if width == 3 else (0.3, 0.6, 1.2)
        shapes = ((width, 2), (width, width), (2, width))
        biases = [
            torch.full((shape[0], 1), 0.1, dtype=torch.float64, requires_grad=True)
            for shape in shapes
        ]
        h = X
        for k, (shape, c) in enumerate(zip(shapes, values, strict=True)):
            h = torch.full(shape, c, dtype=torch.float64) @ h + biases[k]
            h = torch.tanh(h) if k < 2 else h
        found = torch.autograd.grad(((h - Y) ** 2).mean(), biases)
        return [float(x[0, 0]) for x in found]

    eta = 0.7
    zeta = [eta * wide / small for wide, small in zip(slopes(3), slopes(1), strict=True)]
    eq.holds(n=3, eta=eta, zeta_1=zeta[0], zeta_l=zeta[1], zeta_depth=zeta[2])


@equation("symmetry-weight", kind="numerical")
def test_weight(eq: Equation) -> None:
    h = X[:, :1].clone().requires_grad_()
    w = torch.randn(3, 2, generator=GENERATOR, dtype=torch.float64, requires_grad=True)
    z = w @ h
    z.retain_grad()
    z.sin().sum().backward()  # type: ignore[no-untyped-call]
    assert w.grad is not None
    assert z.grad is not None
    slope = Matrix(w.grad.numpy())
    eq.holds(
        l=1,
        loss=Derivatives(lambda name, layer: slope),
        delta={1: Matrix(z.grad.numpy())},
        h={0: Matrix(h.detach().numpy())},
    )


COUNTS = torch.tensor([5, 2, 3])


def fitted_bias() -> torch.Tensor:
    """Fit the bias of the last layer alone to class counts, by L-BFGS."""
    labels = torch.repeat_interleave(torch.arange(3), COUNTS)
    bias = torch.zeros(3, dtype=torch.float64, requires_grad=True)
    options = {"tolerance_grad": 1e-14, "tolerance_change": 0.0, "max_iter": 200}
    optimizer = torch.optim.LBFGS([bias], line_search_fn="strong_wolfe", **options)

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        value = torch.nn.functional.cross_entropy(bias.expand(10, 3), labels)
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(closure)
    return bias.detach()


@equation("symmetry-logits", kind="numerical", tolerance="relative 1e-6")
def test_logits(eq: Equation) -> None:
    bias, share = fitted_bias().numpy(), (COUNTS / 10.0).double().numpy()
    for k in (1, 2, 3):
        b = {i + 1: float(x) for i, x in enumerate(bias)}
        eq.holds(k=k, C=3, b=b, f={i + 1: float(x) for i, x in enumerate(share)})


@equation("symmetry-entropy", kind="numerical", tolerance="relative 1e-6")
def test_entropy(eq: Equation) -> None:
    labels = torch.repeat_interleave(torch.arange(3), COUNTS)
    value = torch.nn.functional.cross_entropy(fitted_bias().expand(10, 3), labels)
    share = {i + 1: float(x) / 10 for i, x in enumerate(COUNTS)}
    eq.holds(C=3, loss=float(value), f=share)


@equation("symmetry-grow", kind="numerical", tolerance="relative 1e-6")
def test_grow(eq: Equation) -> None:
    """The negative gradient of (v_1 u_1 + v_2 u_2 − 1)² / 2, by automatic differentiation."""

    def slope(_: float, values: Any) -> Any:
        p = torch.tensor(values, dtype=torch.float64, requires_grad=True)
        ((p[2] * p[0] + p[3] * p[1] - 1) ** 2 / 2).backward()  # type: ignore[no-untyped-call]
        assert p.grad is not None
        return -p.grad.numpy()

    start = [0.2, 0.1, 0.15, 0.3]
    run = solve_ivp(
        slope, (0, 3), start, rtol=1e-12, atol=1e-14, method="DOP853", dense_output=True
    )

    def at(t: Any) -> Any:
        return run.sol(float(np.asarray(t).item()))

    for t in (0.5, 2.0):
        eq.holds(
            t=t,
            a=lambda t: at(t)[0] - at(t)[1],
            b=lambda t: at(t)[2] - at(t)[3],
            r=lambda t: 1 - at(t)[2] * at(t)[0] - at(t)[3] * at(t)[1],
        )


@equation("symmetry-wait", kind="numerical", tolerance="relative 1e-6")
def test_wait(eq: Equation) -> None:
    """Two runs of an exponential growth, timed at the same level."""
    rate, times = 0.4, {}
    for k, size in ((1, 1e-3), (2, 1e-6)):

        def reached(_: float, y: Any) -> float:
            return float(y[0]) - 0.5

        reached.terminal = True  # type: ignore[attr-defined]
        run = solve_ivp(
            lambda _, y: rate * y, (0, 100), [size], events=reached, rtol=1e-10, atol=1e-16
        )
        times[k] = float(run.t_events[0][0])
    # the variable is called λ: the growth rate that the run was given
    eq.holds(t=times, varepsilon={1: 1e-3, 2: 1e-6}, **{"lambda": rate})
