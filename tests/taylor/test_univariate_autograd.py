"""The traps of nested automatic differentiation."""

import math
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest
import torch

from x0.taylor.univariate import taylor_coefficients
from x0.taylor.univariate_autograd import cubic_remainder, graph_sizes, nested_gradient


@pytest.mark.proves("univariate-functional", kind="call", n="orders 0…6")
@pytest.mark.parametrize("order", range(7))
def test_torch_func_gives_the_same_derivatives(order: int) -> None:
    """`torch.func.grad(torch.func.grad(f))` gives the same derivatives, for a scalar `f`."""
    with pytest.raises(RuntimeError, match="scalar"):
        torch.func.grad(torch.sin)(torch.ones(2))
    x = torch.tensor(0.3, dtype=torch.float64)
    expected = taylor_coefficients(torch.tanh, 0.3, order)[order] * math.factorial(order)
    torch.testing.assert_close(nested_gradient(torch.tanh, order)(x), expected, rtol=1e-12, atol=0)


def test_the_graph_grows_geometrically_unless_it_closes_on_itself(
    values: Callable[[str], Any],
) -> None:
    for function in (torch.exp, torch.sin):
        assert max(graph_sizes(function, 12)) <= 5
    for function in (torch.tanh, torch.log1p):
        sizes = graph_sizes(function, 8)
        growth = [b / a for a, b in pairwise(sizes[4:])]
        assert min(growth) > 2
    assert values("univariate_autograd")["growth"] == pytest.approx(4, abs=0.1)


def test_float32_drowns_a_small_remainder() -> None:
    exact = math.exp(0.01) * 0.01**4 / math.factorial(4)
    assert cubic_remainder(torch.float64) == pytest.approx(exact, rel=0.01)
    assert abs(cubic_remainder(torch.float32)) > 10 * exact


def test_without_create_graph_there_is_no_second_derivative() -> None:
    x = torch.tensor(0.5, requires_grad=True)
    (first,) = torch.autograd.grad(torch.tanh(x), x)
    with pytest.raises(RuntimeError, match="does not require grad"):
        torch.autograd.grad(first, x)


@pytest.mark.proves("univariate-kink", kind="search", range="slope −1e6…1e6, step 1e-6…1")
def test_no_line_fits_a_kink() -> None:
    """The error of a line through the kink of ReLU is on one side at least half the step."""
    slopes = torch.cat([-torch.logspace(-6, 6, 200), torch.linspace(-2, 3, 501)])
    for slope in torch.cat([slopes, torch.logspace(-6, 6, 200)]).double().tolist():
        for step in (1e-6, 1e-3, 1.0):
            errors = [abs(max(x, 0.0) - slope * x) for x in (-step, step)]
            assert max(errors) >= 0.5 * step * (1 - 1e-12)


def test_autograd_gives_a_number_at_a_kink() -> None:
    zero = torch.tensor(0.0)
    assert nested_gradient(torch.relu, 1)(zero).item() == 0.0
    # no tangent line fits: the error of T_1 is not small compared with the step
    for step in (0.1, 0.001):
        assert (torch.relu(torch.tensor(step)).item() - 0.0) / step == pytest.approx(1)


def test_negative_order_is_refused() -> None:
    with pytest.raises(ValueError, match="Received: order=-1"):
        nested_gradient(torch.exp, -1)
