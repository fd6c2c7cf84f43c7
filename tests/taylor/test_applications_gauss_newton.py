"""The Gauss-Newton matrix, its gap to the Hessian matrix, and damped steps."""

from functools import cache

import pytest
import torch

from x0.taylor.applications_gauss_newton import (
    curve_data,
    curve_loss,
    curve_output,
    curve_start,
    damped_gauss_newton,
    demo,
    gauss_newton,
    gradient_and_hessian,
    newton_run,
)

VALUES = cache(demo)


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


def test_the_gap_vanishes_with_the_residuals() -> None:
    values = VALUES()
    assert values["start_low"] < -0.1  # the Hessian matrix is indefinite
    assert values["start_gap"] > 0.1
    assert values["middle_gap"] < 0.02
    assert values["end_gap"] < 1e-3
    assert values["start_loss"] > values["middle_loss"] > values["end_loss"]


@pytest.mark.claim("C-49")
def test_damping_makes_the_linear_model_reliable_where_newton_fails() -> None:
    values = VALUES()
    assert values["worst"] < 1e-4
    assert values["newton"] > 0.01
    theta = curve_start(0)
    losses = []
    for steps in (0, 1, 2, 5, 10):
        losses.append(curve_loss(damped_gauss_newton(theta, steps)).item())
    assert losses == sorted(losses, reverse=True)


def test_a_singular_matrix_ends_a_newton_run() -> None:
    assert newton_run(torch.zeros(19, dtype=torch.float64), 1).isnan().all()
