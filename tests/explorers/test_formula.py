"""Formulas of readers: parsed like a program's, with their derivatives, and nothing is evaluated."""

from __future__ import annotations

import random
from collections.abc import Callable

import numpy as np
import pytest
import torch
from ports import INPUTS, Port, agree
from torch import Tensor
from torch.nn import functional

from x0.initialization import lecun_moments
from x0.initialization.mean_field_gains import ACTIVATIONS, normalizing_gain

Ports = Callable[..., Port]
GAIN = "(([a, b, c]) => [a ** -0.5, b / a, c / a])(activationMoments({}, 1))"
ONE: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "sin": torch.sin,
    "cos": torch.cos,
    "arctan": torch.arctan,
    "erf": torch.erf,
    "sigmoid": torch.sigmoid,
    "softplus": functional.softplus,
    "relu": torch.relu,
    "abs": torch.abs,
    "exp": lambda u: torch.exp(torch.sin(u)),
    "sqrt": lambda u: torch.sqrt(1 + u * u),
    "ln": lambda u: torch.log(2 + torch.cos(u)),
    "log": lambda u: torch.log(2 + torch.cos(u)),
}
INSIDE = {"exp": "sin({})", "sqrt": "1 + ({}) * ({})", "ln": "2 + cos({})", "log": "2+cos({})"}


def tree(rng: random.Random, depth: int) -> tuple[str, Callable[[Tensor], Tensor]]:
    """Return a random formula and what it means."""
    if depth == 0 or rng.random() < 0.1:
        if rng.random() < 0.6:
            return rng.choice("zx"), lambda z: z
        value = round(rng.uniform(0.1, 3), 2)
        return str(value), lambda z: torch.full_like(z, value)
    kind = rng.choice(["one", "one", "two", "two", "minus", "max", "min", "power"])
    left, f = tree(rng, depth - 1)
    if kind == "one":
        name = rng.choice(list(ONE))
        inside = INSIDE.get(name, "{}").replace("{}", left)
        return f"{name}({inside})", lambda z: ONE[name](f(z))
    if kind == "minus":
        return f"(-({left}))", lambda z: -f(z)
    if kind == "power":
        exponent = rng.choice([2, 3])
        return f"({left})^{exponent}", lambda z: f(z) ** exponent
    right, g = tree(rng, depth - 1)
    if kind in ("max", "min"):
        choose = torch.maximum if kind == "max" else torch.minimum
        return f"{kind}({left}, {right})", lambda z: choose(f(z), g(z))
    sign = rng.choice("+-*/")
    if sign == "/":
        return f"({left}) / (2 + cos({right}))", lambda z: f(z) / (2 + torch.cos(g(z)))
    work = {"+": torch.add, "-": torch.sub, "*": torch.mul}[sign]
    return f"({left}) {sign} ({right})", lambda z: work(f(z), g(z))


def test_random_formulas_have_their_value_and_derivative(port: Ports) -> None:
    rng, points = random.Random(1), torch.tensor([-2.1, -0.7, 0.31, 1.9], dtype=torch.float64)
    for _ in range(INPUTS // 4):  # at four points each
        text, f = tree(rng, 4)
        z = points.clone().requires_grad_()
        value = f(z) + 0 * z
        (slope,) = torch.autograd.grad(value.sum(), z)
        (found,) = port("formula")(
            f"(([f, d]) => row.map((z) => [f(z), d(z)]))(parsed({text!r}))", [points]
        )
        for (a, b), c, d in zip(found, value.tolist(), slope.tolist(), strict=True):
            if abs(c) > 1e60 or abs(d) > 1e60 or not np.isfinite([c, d]).all():
                continue
            size = max(1, abs(c), abs(d))
            tied = ("max" in text or "min" in text) and abs(b - d) > 1e-9 * size
            assert abs(a - c) <= 1e-9 * size, text
            if not tied:  # where both are equal the derivative may be that of either
                assert abs(b - d) <= 1e-8 * size, text


@pytest.mark.parametrize("name", ONE)
def test_every_function_and_its_derivative(port: Ports, name: str) -> None:
    z = torch.linspace(-3.03, 3, INPUTS // 8, dtype=torch.float64).requires_grad_()
    value = ONE[name](z)
    (slope,) = torch.autograd.grad(value.sum(), z)
    text = f"{name}({INSIDE.get(name, '{}').replace('{}', 'z')})"
    found = np.array(port("formula")(f"parsed({text!r}).map((f) => f(row))", z.detach()))
    agree(found, torch.stack([value.detach(), slope], 1), scale=1e-3)


def test_powers_with_z_above(port: Ports) -> None:
    z = torch.linspace(0.1, 3, INPUTS // 4, dtype=torch.float64).requires_grad_()
    (slope,) = torch.autograd.grad(((1 + z**2) ** z + 2**-z).sum(), z)
    found = port("formula")('parsed("(1 + z^2)^z + 2^-z")[1](row)', z.detach())
    agree(found, slope, scale=1e-3)
    assert port("formula")('parsed("z^2 + 2^0")[1](0)', [0]) == [0]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("2^3^2", 512),
        ("-2^2", -4),
        ("2 - 3 - 4", -5),
        ("24 / 4 / 2", 3),
        ("2 * 3 + 4", 10),
        ("2 + 3 * 4", 14),
        ("2 · 3 − 1", 5),
        ("z^-1", 0.5),
        ("1.5e1 + .5", 15.5),
        ("1e-2 * pi / π", 0.01),
        ("ln(e)", 1),
        ("MAX(z, 1) - min(z, 1)", 1),
        ("((z))", 2),
        ("--z", 2),
    ],
)
def test_precedence(port: Ports, text: str, value: float) -> None:
    assert port("formula")(f"parsed({text!r})[0](2)", [0])[0] == pytest.approx(value)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("", 0),
        ("z +", 3),
        ("z z", 2),
        ("foo(z)", 0),
        ("tanh z", 5),
        ("max(z)", 5),
        ("(z", 2),
        ("z)", 1),
        ("constructor(z)", 0),
        ("__proto__", 0),
        ("toString", 0),
        ("z; alert(1)", 1),
        ("1 $ 2", 2),
        ("(" * 80 + "z", 40),
        ("-" * 80 + "z", None),
    ],
)
def test_what_is_no_formula_is_refused_at_its_place(port: Ports, text: str, at: int | None) -> None:
    body = f"""(() => {{ try {{ parsed({text!r}); return "accepted"; }}
      catch (e) {{ return e instanceof FormulaError ? e.at : String(e); }} }})()"""
    (found,) = port("formula")(body, [0])
    assert found == at if at is not None else isinstance(found, int)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("max(0, z)", "relu"),
        ("z * sigmoid(z)", "silu"),
        ("z * (1 + erf(z / sqrt(2))) / 2", "gelu"),
        ("1.7159 * tanh(2 * z / 3)", "scaled tanh"),
        ("z / (1 + abs(z))", "softsign"),
        ("relu(z)^2", "relu squared"),
        ("z * tanh(softplus(z))", "mish"),
        ("max(z, 0.2 * z)", "leaky_relu 0.2"),
    ],
)
def test_an_own_formula_has_the_gain_of_the_module(port: Ports, text: str, name: str) -> None:
    both = port("formula", "moments")
    agree(both(GAIN.format(f"parsed({text!r})"), [0])[0], normalizing_gain(ACTIVATIONS[name]))
    q = np.exp(np.random.default_rng(3).uniform(-4.6, 4.6, 40))
    wanted = lecun_moments.activation_moments(ACTIVATIONS[name], torch.tensor(q))
    found = np.array(both(f"activationMoments(parsed({text!r}), row)", q))
    for column, moment in zip(found.T, wanted, strict=True):
        agree(column, moment.detach(), scale=1e-10)
