"""Taylor series at any point, their radius and their bounds: the numerics of taylor."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
import torch
from ports import INPUTS, Port, agree, random_rows

from x0.taylor import univariate, univariate_divergence, univariate_polynomials, univariate_radius
from x0.taylor.univariate_remainder import remainder_bound

Ports = Callable[..., Port]
FUNCTIONS: dict[str, tuple[Callable[[torch.Tensor], torch.Tensor], Callable[..., np.ndarray]]] = {
    "sin x": (torch.sin, np.sin),
    "exp x": (torch.exp, np.exp),
    "ln(1 + x)": (torch.log1p, np.log1p),
    "1 / (1 + x²)": (lambda x: 1 / (1 + x**2), lambda x: 1 / (1 + x**2)),
    "tanh x": (torch.tanh, np.tanh),
    "√(1 + x)": (lambda x: (1 + x).sqrt(), lambda x: np.sqrt(1 + x)),
}
CENTER = (-0.8, 2.0)  # of the slider


def test_there_are_these_functions(port: Ports) -> None:
    assert port("series")("Object.keys(FUNCTIONS)", [0])[0] == list(FUNCTIONS)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_coefficients_are_those_of_nested_differentiation(port: Ports, name: str) -> None:
    function = FUNCTIONS[name][0]
    centers = random_rows([CENTER[0]], [CENTER[1]], INPUTS // 6)[:, 0]
    for order, some in ((4, centers), (7, centers[:20])):
        found = port("series")(f'FUNCTIONS["{name}"].coefficients(row, {order})', some)
        wanted = [univariate.taylor_coefficients(function, float(c), order).numpy() for c in some]
        size = np.abs(wanted).max(axis=1, keepdims=True)
        agree(found, wanted, 1e-9, scale=1e-3 * size)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_high_orders_are_those_of_the_circle(port: Ports, name: str) -> None:
    """Against the size that a coefficient has on the circle: that is what the circle resolves."""
    series = port("series")
    for center in (-0.8, -0.3, 0.0, 0.45, 1.1, 2.0):
        (limit,) = series(f'radius("{name}", row)', [center])
        circle = 0.7 * min(limit, 2.0)
        wanted = univariate_radius.circle_coefficients(FUNCTIONS[name][1], center, 25, circle)
        (found,) = series(f'FUNCTIONS["{name}"].coefficients(row, 25)', [center])
        powers = circle ** np.arange(26)
        agree(found * powers, wanted * powers, 1e-9, scale=1e-2)
        if math.isfinite(limit):
            estimate = univariate_radius.radius_estimate(
                np.array(series(f'FUNCTIONS["{name}"].coefficients(row, 60)', [center])[0], float)
            )
            assert estimate == pytest.approx(limit, rel=0.05)
        else:
            assert name in ("sin x", "exp x")


def test_closed_forms_and_values(port: Ports) -> None:
    names = {"sin": "sin x", "log1p": "ln(1 + x)", "runge": "1 / (1 + x²)"}
    x = np.random.default_rng(2).uniform(-3, 7, INPUTS // 2)
    for short, name in names.items():
        (found,) = port("series")(f'FUNCTIONS["{name}"].coefficients(0, 24)', [0])
        agree(found, univariate_polynomials.closed_form(short, 24), scale=1e-12)
        values = port("series")(f'FUNCTIONS["{name}"].value(row)', x)
        agree(values, univariate_polynomials.function_values(short, x), scale=1e-6)
    (found,) = port("series")('FUNCTIONS["tanh x"].coefficients(0, 24)', [0])
    agree(found, univariate_divergence.tanh_coefficients(24), scale=1e-12)
    for name, (_, function) in FUNCTIONS.items():
        inside = x[x > -1]
        agree(
            port("series")(f'FUNCTIONS["{name}"].value(row)', inside), function(inside), scale=1e-6
        )
    ends = port("series")(
        '[FUNCTIONS["√(1 + x)"].value(row), FUNCTIONS["ln(1 + x)"].value(row)]', [-1, -1.1]
    )
    assert ends[0][0] == 0
    assert np.isnan([ends[0][1], *ends[1]]).all()


def test_polynomials(port: Ports) -> None:
    rng = np.random.default_rng(3)
    rows = [
        [rng.normal(size=rng.integers(1, 26)).tolist(), float(rng.uniform(-3, 3))]
        for _ in range(INPUTS)
    ]
    from json import dumps

    port("series").context.eval(f"var polynomials = {dumps(rows)}")
    found = port("series")("polynomial(...polynomials[i])", range(INPUTS))
    wanted, size = [], []
    for coefficients, step in rows:
        c = torch.tensor(coefficients, dtype=torch.float64)
        x = torch.tensor(step, dtype=torch.float64)
        wanted.append(float(univariate.taylor_polynomial(c, x)))
        size.append(float(univariate.taylor_polynomial(c.abs(), x.abs())))
    agree(found, wanted, scale=np.array(size))


def test_remainder_bounds(port: Ports) -> None:
    rows = random_rows([0.0, 0, -5.0], [50.0, 24, 5.0])
    rows[:, 1] = rows[:, 1].round()
    wanted = [remainder_bound(m, int(order), step) for m, order, step in rows.tolist()]
    agree(port("series")("remainderBound(...row)", rows), wanted)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_the_lagrange_bound_holds_and_is_reached(port: Ports, name: str) -> None:
    """No error of the polynomial exceeds it; where the derivative hardly changes it is the error."""
    function = FUNCTIONS[name][1]
    steps = np.linspace(0.02, 2, 100)
    for center in (-0.8, 0.0, 0.7, 2.0):
        for order in (0, 3, 6):
            for sign in (1, -1):
                walk = sign * steps
                (bounds,) = port("series")(
                    f'lagrangeBounds("{name}", {center}, {order}, row)', [walk]
                )
                (c,) = port("series")(f'FUNCTIONS["{name}"].coefficients({center}, {order})', [0])
                with np.errstate(invalid="ignore", divide="ignore"):
                    errors = np.abs(
                        function(center + walk) - np.polynomial.polynomial.polyval(walk, c)
                    )
                known = np.isfinite(errors) & np.isfinite(bounds)
                assert known[0]
                room = 1 + 1e-3  # the largest derivative is sampled
                assert (errors[known] <= np.array(bounds)[known] * room + 1e-13).all()
    (near,) = port("series")(f'lagrangeBounds("{name}", 0.7, 1, row)', [[1e-3]])
    (c,) = port("series")(f'FUNCTIONS["{name}"].coefficients(0.7, 2)', [0])
    assert near[0] == pytest.approx(abs(c[2]) * 1e-6, rel=0.02)
