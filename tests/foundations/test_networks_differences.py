"""Figure networks-differences-errors: exact derivatives, differences, kinks."""

import math

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch

from x0.foundations import networks_differences as diff


@pytest.mark.claim("C-26")
def test_autograd_is_the_chain_rule_at_a_point_and_a_convention_at_kinks():
    # Exact to rounding at any point, which no difference reaches.
    for x in (-1.0, 0.3, 0.8):
        one, two, automatic = diff.derivative_errors(x)
        assert automatic < 1e-14 < 1e-12 < min(float(two.min()), float(one.min())) * 100
    # The same functions in other words have other "derivatives" at 0.
    assert diff.slope_at_zero("relu(z)") == 0
    assert diff.slope_at_zero("clamp(z, min=0)") == 1
    assert diff.slope_at_zero("maximum(z, 0)") == 0.5
    assert diff.slope_at_zero("relu(z) - relu(-z)") == 0  # the identity: 1
    assert math.isnan(diff.slope_at_zero("where(z > 0, sqrt(z), 0)"))


def test_the_derivative_by_hand():
    x = torch.tensor(0.7, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(diff.three_units(x), x)
    assert diff.derivative_by_hand(0.7) == pytest.approx(float(slope), rel=1e-14)


def test_orders_of_the_differences():
    one, two, _ = diff.derivative_errors(0.3)
    steps = diff.STEPS.numpy()
    for errors, order, low, high in ((one, 1, 1e-6, 1e-2), (two, 2, 1e-3, 3e-2)):
        use = (steps > low) & (steps < high)
        slope = np.polyfit(np.log(steps[use]), np.log(errors.numpy()[use]), 1)[0]
        assert slope == pytest.approx(order, abs=0.1)


def test_the_best_steps(values):
    names = values("networks_differences")
    assert names["best_step"] == pytest.approx(1e-8, rel=1e-6)
    two = diff.derivative_errors(0.3)[1]
    assert 1e-7 < 10 ** round(math.log10(diff.STEPS[two.argmin()])) < 1e-4
    assert names["automatic"] < 1e-14
    with pytest.raises(ValueError, match="Received: sin"):
        diff.slope_at_zero("sin")


@pytest.mark.proves("networks-differences", kind="caption", range="Δ = 10⁻¹³…1")
def test_figure():
    """From right to left the error falls with the step, then rises as rounding is magnified."""
    figure = diff.plot_errors()
    one, two = (line.get_ydata() for line in figure.axes[0].lines[:2])
    assert min(two) < min(one)
    steps = figure.axes[0].lines[0].get_xdata()
    for errors in (one, two):
        least = int(np.argmin(errors))
        assert errors[0] > 100 * errors[least]
        assert errors[-1] > 100 * errors[least]
        right = errors[least + 2 : np.searchsorted(steps, 0.1)]
        assert (np.diff(right) > 0).all()
    plt.close(figure)


@pytest.mark.proves("networks-gradcheck", kind="call")
def test_gradcheck_compares_with_differences():
    """gradcheck passes a right backward pass in double precision, and raises for a wrong one."""

    class Wrong(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x.sin()

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_tensors
            return 1.01 * grad * x.cos()

    x = torch.linspace(-1, 1, 7)
    assert torch.autograd.gradcheck(torch.sin, x.double().requires_grad_())
    with pytest.raises(RuntimeError, match="Jacobian mismatch"):
        torch.autograd.gradcheck(Wrong.apply, x.double().requires_grad_())
