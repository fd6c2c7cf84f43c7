"""Var(tanh z) as a Taylor series in the variance."""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from typing import Any

import matplotlib.pyplot as plt
import mpmath
import numpy as np
import pytest
import sympy as sp
import torch
from scipy.optimize import brentq
from torch.nn.utils import prune

from x0.taylor.applications import (
    normal_mean_variance,
    plot_variance,
    variance_coefficients,
    variance_series,
)


def test_coefficients_agree_with_sympy() -> None:
    z = sp.Symbol("z")
    square = sp.Poly(sp.series(sp.tanh(z) ** 2, z, 0, 18).removeO(), z)
    expected = [square.coeff_monomial(z ** (2 * k)) * sp.factorial2(2 * k - 1) for k in range(1, 9)]
    assert variance_coefficients(8) == [Fraction(int(c.p), int(c.q)) for c in expected]


@pytest.mark.parametrize("order", range(1, 6))
def test_the_error_of_a_partial_sum_is_the_next_term(order: int) -> None:
    s = np.array([1e-3, 2e-3])
    exact = np.array([normal_mean_variance(value)[1] for value in s])
    error = np.abs(variance_series(s, order) - exact)
    slope = np.log(error[1] / error[0]) / np.log(2)
    assert slope == pytest.approx(order + 1, abs=0.05)
    following = abs(float(variance_coefficients(order + 1)[-1]))
    np.testing.assert_allclose(error, following * s ** (order + 1), rtol=0.03)


def test_the_exact_values_of_the_table() -> None:
    table = {
        0.01: 0.0098055,
        0.05: 0.045602,
        0.1: 0.084214,
        0.2: 0.147182,
        0.5: 0.273676,
        1: 0.394294,
    }
    for s, expected in table.items():
        assert normal_mean_variance(s)[1] == pytest.approx(expected, abs=6e-7)


@pytest.mark.proves(
    "applications-smallest-term", kind="search", range="s = 0.02…0.5, 60", tolerance="1"
)
def test_the_smallest_term_lies_near_pi_squared_over_eight_s_minus_one() -> None:
    """The smallest term has k within 1 of π²/(8s) − 1; to cut there costs at most a quarter."""
    coefficients = np.abs([float(c) for c in variance_coefficients(80)])
    for s in np.geomspace(0.07, 0.5, 200):  # below, rounding hides the errors
        exact = normal_mean_variance(s)[1]
        errors = [abs(variance_series(np.array(s), k) - exact) for k in range(1, 40)]
        smallest = int(np.argmin(coefficients * s ** np.arange(1, 81)))
        assert errors[smallest] < 1.25 * min(errors)
    for s in np.geomspace(0.02, 0.5, 60):
        smallest = int(np.argmin(coefficients * s ** np.arange(1, 81))) + 1
        assert abs(smallest - (np.pi**2 / (8 * s) - 1)) < 1


@pytest.mark.proves(
    "applications-quadrature", kind="search", range="s = 0.001…10", tolerance="1e-12"
)
def test_quadrature_has_twelve_correct_digits() -> None:
    """The sum in `normal_mean_variance` has twelve correct digits."""
    for s in np.geomspace(1e-3, 10, 9):
        with mpmath.workdps(30):
            root = mpmath.sqrt(mpmath.mpf(float(s)))
            exact = mpmath.quad(
                lambda x, r=root: mpmath.tanh(r * x) ** 2 * mpmath.npdf(x), range(-16, 17, 2)
            )
        assert normal_mean_variance(float(s))[1] == pytest.approx(float(exact), rel=1e-12)


@pytest.mark.proves("applications-origin", kind="search", range="μ = ±1e-4…±1e3")
def test_tanh_keeps_mean_and_variance_at_the_origin_and_nowhere_else() -> None:
    """tanh′(μ)² is 1 and tanh(μ) is μ at the origin and nowhere else."""
    assert np.tanh(0.0) == 0.0
    assert 1 - np.tanh(0.0) ** 2 == 1
    for sign in (-1, 1):
        mu = sign * np.geomspace(1e-4, 1e3, 400)
        assert (np.abs(np.tanh(mu)) < np.abs(mu)).all()
        assert ((1 - np.tanh(mu) ** 2) ** 2 < 1).all()


def test_the_series_diverges_for_every_variance(values: Callable[[str], Any]) -> None:
    coefficients = variance_coefficients(60)
    for s in (0.3, 0.1, 0.05):
        terms = [abs(float(c)) * s ** (k + 1) for k, c in enumerate(coefficients)]
        smallest = int(np.argmin(terms)) + 1
        assert smallest == pytest.approx(np.pi**2 / (8 * s) - 0.5, abs=1.01)
        assert terms[-1] > 1000 * min(terms)
    shown = values("applications")
    assert shown["least"] < 1e-4 < 1e-2 < shown["errors"][-1]
    ratio = float(coefficients[-1] / coefficients[-2])
    assert ratio == pytest.approx(-4 / np.pi**2 * (2 * 59 + 3), rel=1e-12)


@pytest.mark.claim("B-19")
def test_the_mean_of_the_output_is_not_the_output_of_the_mean_plus_the_deviation(
    values: Callable[[str], Any],
) -> None:
    mean, _ = normal_mean_variance(0.01, mean=1.0)
    t = np.tanh(1.0)
    second = t + (-2 * t * (1 - t**2)) / 2 * 0.01
    assert mean == pytest.approx(0.7584, abs=5e-5)
    assert abs(mean - second) < 1e-5
    assert abs(mean - t) > 3e-3  # tanh of the mean, without the curvature
    assert abs(mean - 1.0) > 0.2  # the right-hand side of the claim: the mean of Z
    assert abs(normal_mean_variance(0.5)[0]) < 1e-15  # both sides vanish for an odd function
    assert values("applications")["second"] == pytest.approx(second, rel=1e-12)


def test_the_delta_method_predicts_the_variance_to_first_order(
    values: Callable[[str], Any],
) -> None:
    shown = values("applications")
    assert shown["variance"] == pytest.approx(0.00181, abs=5e-6)
    assert shown["delta"] == pytest.approx(0.00176, abs=5e-6)


@pytest.mark.parametrize("order", [0, -2])
def test_an_order_below_one_is_refused(order: int) -> None:
    with pytest.raises(ValueError, match=f"Received: order={order}"):
        variance_coefficients(order)


@pytest.mark.proves(
    "applications-crossings",
    kind="caption",
    range="s = 0.001…2",
    effect="0.62, 0.50, 0.42, 0.37, 0.33",
)
def test_in_the_figure_higher_orders_win_below_and_lose_above() -> None:
    """Slopes 1 to 5 on the left, crossings in 0.20…0.41, then the reverse; all pass 100%."""

    def error(s: float, order: int) -> float:
        exact = normal_mean_variance(s)[1]
        return abs(float(variance_series(np.array(s), order)) / exact - 1)

    for order in range(1, 5):
        cross = brentq(lambda s, k=order: error(s, k) - error(s, k + 1), 0.05, 1.0)
        assert 0.20 < cross < 0.41
        for s in np.geomspace(cross * 1.001, 2, 40):
            assert error(s, order + 1) > error(s, order)
    passes = [brentq(lambda s, k=k: error(s, k) - 1, 0.05, 3) for k in range(1, 6)]
    assert passes == pytest.approx([0.62, 0.50, 0.42, 0.37, 0.33], abs=0.005)
    figure = plot_variance()
    (axis,) = figure.axes
    curves = [np.asarray(line.get_ydata()) for line in axis.lines[:5]]
    s = np.asarray(axis.lines[0].get_xdata())
    for order, curve in enumerate(curves, 1):
        assert np.log(curve[1] / curve[0]) / np.log(s[1] / s[0]) == pytest.approx(order, abs=0.05)
        assert curve[-1] > 1
    assert {float(y) for y in np.asarray(axis.lines[5].get_ydata())} == {1.0}
    for lower, higher in pairwise(curves):
        assert (higher < lower)[s < 0.2].all()
        assert (higher > lower)[s > 0.6].all()
    plt.close(figure)


# The calls of the section on frameworks


def network(theta: torch.Tensor, x: torch.Tensor) -> torch.Tensor:
    return torch.tanh(x @ theta[:6].view(2, 3)) @ theta[6:]


def batch() -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return tuple(
        torch.randn(shape, generator=generator, dtype=torch.float64) for shape in (9, (5, 2), 5)
    )


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.proves("applications-products", kind="call")
def test_the_product_with_g_is_a_forward_and_a_reverse_product() -> None:
    """For squared error G v is `jvp`, then `vjp`, over m."""
    theta, x, _ = batch()
    v = torch.linspace(-1, 1, 9, dtype=torch.float64)
    along = torch.func.jvp(lambda p: network(p, x), (theta,), (v,))[1]
    back = torch.func.vjp(lambda p: network(p, x), theta)[1](along)[0]
    jacobian = torch.autograd.functional.jacobian(lambda p: network(p, x), theta)
    torch.testing.assert_close(back / 5, jacobian.T @ jacobian @ v / 5)


@pytest.mark.proves("applications-per-sample", kind="call")
def test_gradients_of_samples_come_in_one_call_and_batch_norm_ties_samples() -> None:
    """`vmap(grad(loss))` gives each g_i; with batch normalization a loss depends on others."""
    theta, x, y = batch()

    def loss(p: torch.Tensor, one: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        return (network(p, one[None])[0] - target).square() / 2

    rows = torch.func.vmap(torch.func.grad(loss), (None, 0, 0))(theta, x, y)
    for i in range(5):
        torch.testing.assert_close(rows[i], torch.func.grad(loss)(theta, x[i], y[i]))
    norm = torch.nn.BatchNorm1d(2).double()
    moved = x.clone()
    moved[1:] += 1
    assert not torch.allclose(norm(x)[0], norm(moved)[0])


def test_masks_of_your_own_and_the_built_in_rule() -> None:
    layer = torch.nn.Linear(3, 2)
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[1.0, -2.0, 3.0], [-0.1, 0.2, 4.0]]))
    mask = torch.tensor([[1.0, 1.0, 0.0], [1.0, 1.0, 1.0]])
    prune.custom_from_mask(layer, "weight", mask)
    assert layer.weight[0, 2] == 0
    assert layer.weight[1, 2] == 4
    prune.remove(layer, "weight")
    prune.l1_unstructured(layer, "weight", amount=3)
    assert layer.weight.flatten().tolist() == [1.0, -2.0, 0.0, 0.0, 0.0, 4.0]


@pytest.mark.proves("applications-training-mode", kind="cause", effect="> 0 → 0")
def test_in_training_mode_there_is_no_fixed_function() -> None:
    """Dropout changes each evaluation and batch normalization each batch; `eval()` ends both."""
    x = torch.linspace(-1, 1, 40).view(8, 5)
    torch.manual_seed(0)
    for model, other in (
        (torch.nn.Dropout(0.5), x),
        (torch.nn.BatchNorm1d(5), torch.cat([x[:1], 3 * x[1:]])),
    ):
        assert not torch.equal(model(x)[0], model(other)[0])
        model.eval()
        assert torch.equal(model(x)[0], model(other)[0])
