"""Checks of snippets/equations/networks.tex."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import sympy as sp
import torch
from torch.utils.flop_counter import FlopCounterMode

from x0_equations.check import Equation, equation
from x0_equations.values import Derivatives, Function, Indexed, Matrix, Smooth, points

WIDTHS = (3, 4, 2, 5)
RNG = np.random.default_rng(0)
PHI = Function(np.tanh, lambda z: 1 - np.tanh(z) ** 2)


def leaf(*shape: int) -> torch.Tensor:
    return torch.from_numpy(RNG.normal(size=shape)).requires_grad_()


def network() -> dict[str, Any]:
    """One sample through a tanh network; every gradient by autograd."""
    w = {k: leaf(WIDTHS[k], WIDTHS[k - 1]) for k in (1, 2, 3)}
    b = {k: leaf(WIDTHS[k]) for k in (1, 2, 3)}
    h, z = {0: leaf(3)}, {}
    for k in (1, 2, 3):
        z[k] = w[k] @ h[k - 1] + b[k]
        h[k] = z[k].tanh()
    y = torch.tensor([0.3, -0.2, 0.9, 0.0, -1.0], dtype=torch.float64)
    loss = (z[3] - y).square().sum() / 2
    parts = {"W": w, "w": w, "b": b, "h": h, "z": z}

    def partial(name: str, layer: int, *at: int) -> Any:
        (found,) = torch.autograd.grad(loss, parts[name][layer], retain_graph=True)
        index = tuple(i - 1 for i in at)
        return float(found[index]) if at else Matrix(found.numpy())

    def entry(values: dict[int, torch.Tensor]) -> Indexed:
        def get(layer: int, *at: int) -> Any:
            found = values[layer].detach().numpy()
            return float(found[tuple(i - 1 for i in at)]) if at else Matrix(found)

        return Indexed(get)

    return {
        "z": entry(z),
        "h": entry(h),
        "W": entry(w),
        "w": entry(w),
        "b": entry(b),
        "n": Indexed(lambda k: WIDTHS[k]),
        "delta": Indexed(lambda k, *at: partial("z", k, *at)),
        "loss": Derivatives(partial, float(loss.detach())),
        "y": Matrix(y.numpy()),
        "tensors": z,
    }


NET = network()


def bind(*names: str) -> dict[str, Any]:
    return {name: NET[name] for name in names}


@equation("networks-forward", kind="definition")
def test_forward(eq: Equation) -> None:
    for layer in (1, 3):
        eq.holds(l=layer, phi=PHI, **bind("z", "h", "W", "b"))


@equation("networks-unit", kind="numerical", identical="torch does the same operations")
def test_unit(eq: Equation) -> None:
    for layer, i in ((1, 4), (2, 1)):
        eq.holds(l=layer, i=i, **bind("z", "h", "w", "b", "n"))


@equation("networks-loss", kind="definition")
def test_loss(eq: Equation) -> None:
    eq.holds(depth=3, **bind("loss", "z", "y"))


@equation("networks-start", kind="numerical")
def test_start(eq: Equation) -> None:
    eq.holds(depth=3, **bind("delta", "z", "y"))


@equation("networks-entry", kind="numerical")
def test_entry(eq: Equation) -> None:
    for layer, i, j in ((1, 4, 3), (2, 1, 4), (3, 5, 2)):
        eq.holds(l=layer, i=i, j=j, **bind("loss", "delta", "h"))


@equation("networks-back", kind="numerical")
def test_back(eq: Equation) -> None:
    for layer, j in ((2, 4), (3, 1)):
        eq.holds(l=layer, j=j, **bind("loss", "delta", "w", "n"))


@equation("networks-unit-delta", kind="numerical")
def test_unit_delta(eq: Equation) -> None:
    for layer, j in ((2, 4), (3, 1)):
        eq.holds(l=layer, j=j, phi=PHI, **bind("delta", "w", "n", "z"))


@equation("networks-delta", kind="numerical")
def test_delta(eq: Equation) -> None:
    for layer in (2, 3):
        eq.holds(l=layer, phi=PHI, **bind("delta", "W", "z"))


@equation("networks-weight", kind="numerical")
def test_weight(eq: Equation) -> None:
    for layer in (1, 2, 3):
        eq.holds(l=layer, **bind("loss", "delta", "h"))


@equation("networks-bias", kind="numerical")
def test_bias(eq: Equation) -> None:
    for layer in (1, 3):
        eq.holds(l=layer, **bind("loss", "delta"))


@equation("networks-order", kind="numerical")
def test_order(eq: Equation) -> None:
    z = NET["tensors"]

    def jacobian(layer: int) -> Matrix:
        rows = [
            torch.autograd.grad(unit, z[layer - 1], retain_graph=True)[0].numpy()
            for unit in z[layer]
        ]
        return Matrix(np.stack(rows))

    eq.holds(J=Indexed(jacobian), **bind("delta"))


@equation("networks-update", kind="numerical", identical="PyTorch does the same operations")
def test_update(eq: Equation) -> None:
    theta = torch.tensor([0.4, -1.2], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([theta], lr=0.3)
    path, slopes = [], []
    for _ in range(3):
        optimizer.zero_grad()
        loss = theta[0] ** 4 + (theta[0] * theta[1]).exp()
        torch.autograd.backward(loss)
        path.append(Matrix(theta.detach().numpy().copy()))
        slopes.append(Matrix(theta.grad.numpy().copy()))
        optimizer.step()
    for t in (0, 1):
        eq.holds(
            t=t,
            eta=0.3,
            theta=Indexed(lambda k: path[k]),
            loss=Derivatives(lambda name, k: slopes[k]),
        )


# Cost --------------------------------------------------------------------------------------------


def counted(widths: tuple[int, ...], m: int) -> dict[str, Any]:
    """Multiplications of the matrix products that PyTorch carries out."""
    weights = [torch.randn(b, a, requires_grad=True) for a, b in itertools.pairwise(widths)]
    with FlopCounterMode(display=False) as counter:
        h = torch.randn(m, widths[0])
        for weight in weights:
            h = torch.tanh(h @ weight.T)
        loss = h.sum()
    forward = counter.get_total_flops() // 2
    with FlopCounterMode(display=False) as counter:
        torch.autograd.grad(loss, weights)
    backward = counter.get_total_flops() // 2
    return {"N_f": forward, "N_b": backward, "n": Indexed(lambda k: widths[k]), "m": m}


COUNTS = [counted((7, 5, 4, 2), 3), counted((2, 9, 3), 11)]


@equation("networks-cost-forward", kind="numerical")
def test_cost_forward(eq: Equation) -> None:
    for found, depth in zip(COUNTS, (3, 2), strict=True):
        eq.holds(depth=depth, **{k: v for k, v in found.items() if k != "N_b"})


@equation("networks-cost-backward", kind="numerical")
def test_cost_backward(eq: Equation) -> None:
    for found in COUNTS:
        eq.holds(**found)


@equation(
    "networks-cost", kind="numerical", survivors="< 3 states only that a positive share is saved"
)
def test_cost(eq: Equation) -> None:
    for found, depth in zip(COUNTS, (3, 2), strict=True):
        eq.holds(depth=depth, **{k: v for k, v in found.items() if k != "m"})


# Rescaling ---------------------------------------------------------------------------------------


def unit(a: float) -> dict[str, Any]:
    """One ReLU unit, its inputs scaled by a and its outputs by 1/a; gradients by autograd."""
    rng = np.random.default_rng(3)
    x = torch.from_numpy(np.concatenate([np.ones((9, 1)), rng.normal(size=(9, 3))], 1))
    w = torch.from_numpy(rng.normal(size=4) * a).requires_grad_()
    u = torch.from_numpy(rng.normal(size=2) / a).requires_grad_()
    y = torch.from_numpy(rng.normal(size=(9, 2)))
    loss = (torch.relu(x @ w)[:, None] * u - y).square().sum()
    gw, gu = torch.autograd.grad(loss, [w, u])
    return {"w": w.detach().numpy(), "u": u.detach().numpy(), "gw": gw.numpy(), "gu": gu.numpy()}


@equation("networks-rescale", kind="numerical")
def test_rescale(eq: Equation) -> None:
    for a in (0.2, 5.0):
        eq.holds(a=a, u=-1.3, z=points([-2.0, 0.5, 3.0]))


@equation("networks-rescale-gradient", kind="numerical")
def test_rescale_gradient(eq: Equation) -> None:
    one, other = unit(1.0), unit(5.0)
    slopes = {"w": one["gw"], "tilde_w": other["gw"]}
    eq.holds(a=5.0, loss=Derivatives(lambda name: slopes[name]))


@equation("networks-sensitivity", kind="numerical")
def test_sensitivity(eq: Equation) -> None:
    one, other = unit(1.0), unit(5.0)
    slopes = {"w": one["gw"], "tilde_w": other["gw"]}
    eq.holds(w=one["w"], tilde_w=other["w"], loss=Derivatives(lambda name: slopes[name]))


@equation("networks-balance", kind="numerical")
def test_balance(eq: Equation) -> None:
    for a in (1.0, 3.0):
        found = unit(a)
        slopes = {"w": lambda j, f=found: f["gw"][j], "u": lambda i, f=found: f["gu"][i - 1]}
        eq.holds(
            n=Indexed(lambda k: {0: 3, 2: 2}[k]),
            w=Indexed(lambda j, f=found: f["w"][j]),
            u=Indexed(lambda i, f=found: f["u"][i - 1]),
            loss=Derivatives(lambda name, k, s=slopes: s[name](k)),
        )


@equation("networks-conserved", kind="numerical")
def test_conserved(eq: Equation) -> None:
    found = unit(1.0)
    eq.holds(
        eta=0.1,
        w=Matrix(found["w"]),
        u=Matrix(found["u"]),
        G_w=Matrix(found["gw"]),
        G_u=Matrix(found["gu"]),
    )


# Differences and kinks ---------------------------------------------------------------------------


@equation("networks-difference", kind="numerical", tolerance="slope ± 0.05")
def test_difference(eq: Equation) -> None:
    f = Smooth(lambda x: sp.tanh(2 * sp.tanh(x)))
    steps = np.geomspace(2e-4, 4e-3, 6)
    eq.approximates(steps, lambda step: {"f": f, "x": 0.3, "Delta": step})


@equation("networks-rounding", kind="numerical")
def test_rounding(eq: Equation) -> None:
    best = np.sqrt(2 * 1e-4 / 3.0)
    eq.holds(varepsilon=1e-4, M=3.0, Delta=points(best * np.array([0.1, 1.0, 5.0])), tight=True)


@equation("networks-kink", kind="numerical")
def test_kink(eq: Equation) -> None:
    eq.holds(z=points([-2.0, 0.0, 1.5]))
