"""Second-order conditions, and Newton's method made to go downhill."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from x0.taylor.optimization_saddles import (
    classify,
    curve_loss,
    curve_start,
    line_search,
    saddle_free_newton,
    saddle_free_step,
    second_order,
)
from x0.taylor.optimization_trust import trust_region


def wells(p: Tensor) -> Tensor:
    return (p[0] ** 2 - 1) ** 2 / 4 + p[1] ** 2 / 2


def point(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


def test_the_class_is_what_a_small_circle_shows() -> None:
    generator = torch.Generator().manual_seed(0)
    seen = set()
    for _ in range(300):
        n = int(torch.randint(1, 5, (), generator=generator))
        draw = torch.randn(n, n, generator=generator, dtype=torch.float64)
        shift = float(torch.randn((), generator=generator)) * 3
        matrix = draw + draw.T + shift * torch.eye(n, dtype=torch.float64)
        around = torch.randn(4000, n, generator=generator, dtype=torch.float64)
        around = torch.cat([around, torch.linalg.eigh(matrix)[1].T])
        values = ((around @ matrix) * around).sum(1)
        expected = "minimum" if values.min() > 0 else "maximum" if values.max() < 0 else "saddle"
        assert classify(matrix) == expected
        seen.add(expected)
    assert seen == {"minimum", "maximum", "saddle"}


@pytest.mark.proves("optimization-undecided", kind="fact")
def test_the_fourth_and_third_power_share_a_second_derivative() -> None:
    """x⁴, −x⁴ and x³ have second derivative zero at 0, and are minimum, maximum and neither."""
    near = torch.linspace(-0.1, 0.1, 201, dtype=torch.float64)
    signs = []
    for f in (lambda x: x**4, lambda x: -(x**4), lambda x: x**3):
        gradient, matrix = second_order(lambda p, f=f: f(p).sum(), point(0.0))  # type: ignore[misc]
        assert float(gradient) == float(matrix) == 0
        assert classify(matrix) == "undecided"
        signs.append({int(s) for s in torch.sign(f(near[near != 0]))})
    assert signs == [{1}, {-1}, {-1, 1}]


@pytest.mark.proves(
    "optimization-ridge", kind="call", effect="x is ±1 from a start of 1e-8 beside it"
)
def test_a_start_on_the_ridge_stays_on_it() -> None:
    """On the straight ridge between two wells both methods end at the saddle; from beside it, in a well."""
    for solve in (saddle_free_newton, trust_region):
        on = solve(wells, point(0.0, 1.0), 60)
        assert on.abs().max() < 1e-9
        assert classify(second_order(wells, on)[1]) == "saddle"
        beside = solve(wells, point(1e-8, 1.0), 60)
        assert abs(abs(float(beside[0])) - 1) < 1e-9


@pytest.mark.proves("optimization-uphill", kind="search", range="300 random H, n = 1…6")
def test_the_saddle_free_step_leads_downhill_where_newton_need_not() -> None:
    """Divided by absolute eigenvalues the step leads downhill; Newton's step may lead uphill."""
    generator = torch.Generator().manual_seed(1)
    uphill = 0
    for _ in range(300):
        n = int(torch.randint(1, 7, (), generator=generator))
        draw = torch.randn(n, n, generator=generator, dtype=torch.float64)
        g = torch.randn(n, generator=generator, dtype=torch.float64)
        matrix = draw + draw.T
        assert float(g @ saddle_free_step(g, matrix)) < 0
        uphill += float(g @ torch.linalg.solve(matrix, -g)) > 0
    assert 50 < uphill < 250


def test_newton_alone_climbs_to_the_saddle() -> None:
    end = point(0.1, 0.5)
    for _ in range(8):
        gradient, matrix = second_order(wells, end)
        end = end - torch.linalg.solve(matrix, gradient)
    assert end.abs().max() < 1e-9
    assert abs(saddle_free_newton(wells, point(0.1, 0.5), 30)[0].abs() - 1) < 1e-9


def test_line_search_falls_and_refuses_a_way_up() -> None:
    for seed in range(6):
        theta = curve_start(seed)
        gradient, matrix = second_order(curve_loss, theta)
        step = saddle_free_step(gradient, matrix)
        slope = float(gradient @ step)
        assert curve_loss(line_search(curve_loss, theta, step, slope)) < curve_loss(theta)
        with pytest.raises(ValueError, match="downhill"):
            line_search(curve_loss, theta, -step, -slope)


def test_infinite_derivatives_are_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        second_order(lambda x: x.sqrt().sum(), point(0.0))


def test_it_works_where_newton_stops(values: Callable[[str], Any]) -> None:
    shown = values("optimization_saddles")
    assert shown["worst"] < 1e-4
    assert values("applications_gauss_newton")["reached"] == 0  # Newton's method below 0.01
    assert np.isfinite(shown["worst"])


def test_where_all_is_zero_the_step_is_zero() -> None:
    assert not saddle_free_step(torch.zeros(2), torch.zeros(2, 2)).any()
