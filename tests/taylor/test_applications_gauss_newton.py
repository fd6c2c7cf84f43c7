"""The Gauss-Newton matrix, its gap to the Hessian matrix, and damped steps."""

from collections.abc import Callable
from typing import Any

import pytest
import torch

from x0.taylor.applications_gauss_newton import (
    curve_data,
    curve_loss,
    curve_output,
    curve_start,
    damped_gauss_newton,
    gauss_newton,
    gradient_and_hessian,
    newton_lowest,
)


def test_gradient_and_hessian_agree_with_autograd() -> None:
    theta = curve_start(1)
    g, hessian = gradient_and_hessian(theta)
    torch.testing.assert_close(g, torch.autograd.functional.jacobian(curve_loss, theta))
    torch.testing.assert_close(gauss_newton(theta)[0], g)
    torch.testing.assert_close(hessian, torch.autograd.functional.hessian(curve_loss, theta))


def test_the_matrix_is_the_hessian_of_the_linearized_network() -> None:
    theta = curve_start(2)
    x, y = curve_data()
    jacobian = torch.autograd.functional.jacobian(lambda p: curve_output(p, x), theta)
    fixed = curve_output(theta, x)

    def linearized(step: torch.Tensor) -> torch.Tensor:
        return (fixed + jacobian @ step - y).square().mean() / 2

    expected = torch.autograd.functional.hessian(linearized, torch.zeros_like(theta))
    torch.testing.assert_close(gauss_newton(theta)[1], expected)
    assert torch.linalg.eigvalsh(gauss_newton(theta)[1])[0] > -1e-12


@pytest.mark.proves(
    "applications-semidefinite", kind="search", range="θ × 0.01…100", n="600", tolerance="1e-12"
)
def test_the_matrix_has_no_negative_eigenvalue() -> None:
    """G takes first derivatives only, and as a mean of JᵀJ has no negative eigenvalue."""
    for scale in (0.01, 0.1, 1.0, 10.0, 100.0):
        for seed in range(120):
            values = torch.linalg.eigvalsh(gauss_newton(scale * curve_start(seed))[1])
            assert values[0] > -1e-12 * values[-1]


def test_the_gap_vanishes_with_the_residuals(values: Callable[[str], Any]) -> None:
    shown = values("applications_gauss_newton")
    assert shown["low"] < -0.1  # the Hessian matrix is indefinite
    assert shown["gaps"][0] > 0.1
    assert shown["gaps"][6] < 0.02
    assert shown["gaps"][20] < 1e-3
    assert shown["losses"][0] > shown["losses"][6] > shown["losses"][20]


@pytest.mark.claim("C-49")
@pytest.mark.proves(
    "applications-newton",
    kind="search",
    range="20 starts, 40 steps; six also displaced by 1e-15",
    effect="0.01, 1e-5",
)
def test_damping_makes_the_linear_model_reliable_where_newton_fails(
    values: Callable[[str], Any],
) -> None:
    """From no start does Newton's method get below 0.01; damped Gauss-Newton does from all 20."""
    shown = values("applications_gauss_newton")
    assert shown["worst"] < 1e-5
    assert shown["reached"] == 0
    generator = torch.Generator().manual_seed(1)
    for seed in range(6):  # rounding decides what the steps do later: the result holds anyway
        moved = curve_start(seed) + 1e-15 * torch.randn(19, generator=generator)
        assert newton_lowest(moved, 40) > 0.01
        assert curve_loss(damped_gauss_newton(moved, 40)) < 1e-5
    theta = curve_start(0)
    losses = []
    for steps in (0, 1, 2, 5, 10):
        losses.append(curve_loss(damped_gauss_newton(theta, steps)).item())
    assert losses == sorted(losses, reverse=True)


def test_a_singular_matrix_ends_the_newton_steps() -> None:
    theta = torch.zeros(19, dtype=torch.float64)
    assert newton_lowest(theta, 5) == curve_loss(theta).item()
