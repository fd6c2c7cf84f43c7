"""Automatic differentiation is exact to rounding; differences are not.

(f(x + D) - f(x)) / D = f'(x) + D/2 f''(x) + O(D^2), plus rounding / D

At a kink it returns what the program says. Baydin et al. (2018); Kakade and
Lee (2018).
"""

# --8<-- [start:imports]
import math
from collections.abc import Callable

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch import Tensor

SEED = 0
STEPS = torch.logspace(-13, 0, 40, dtype=torch.float64)
# --8<-- [end:imports]


# --8<-- [start:errors]
def three_units(x: Tensor) -> Tensor:
    """Return tanh(2 tanh(2 tanh(x))), a network of three units."""
    for _ in range(2):
        x = 2 * torch.tanh(x)
    return torch.tanh(x)


def derivative_by_hand(x: float) -> float:
    """Return the derivative of the network by hand, unit by unit.

    >>> derivative_by_hand(0.0)
    4.0
    """
    slope = 1.0
    for gain in (2, 2, 1):
        t = math.tanh(x)
        slope, x = slope * gain * (1 - t * t), gain * t
    return slope


def derivative_errors(x: float) -> tuple[Tensor, Tensor, float]:
    """Return the errors of one-sided, central and automatic derivatives.

    Returns:
        Two tensors with one error per step in STEPS, and one number.
    """
    point = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(three_units(point), point)
    f, at, exact = three_units, point.detach(), derivative_by_hand(x)
    one = (f(at + STEPS) - f(at)) / STEPS
    two = (f(at + STEPS) - f(at - STEPS)) / (2 * STEPS)
    return (one - exact).abs(), (two - exact).abs(), abs(float(slope) - exact)


# --8<-- [end:errors]


# --8<-- [start:kinks]
def slope_at_zero(program: str) -> float:
    """Differentiate one way to write a function of z at z = 0.

    Raises:
        ValueError: the program is not known.

    >>> slope_at_zero("relu(z)"), slope_at_zero("relu(z) - relu(-z)")
    (0.0, 0.0)
    """
    zero = torch.zeros(())
    ways: dict[str, Callable[[Tensor], Tensor]] = {
        "relu(z)": torch.relu,
        "clamp(z, min=0)": lambda z: torch.clamp(z, min=0),
        "maximum(z, 0)": lambda z: torch.maximum(z, zero),
        "relu(z) - relu(-z)": lambda z: torch.relu(z) - torch.relu(-z),
        "where(z > 0, sqrt(z), 0)": lambda z: torch.where(
            z > 0, torch.sqrt(z), zero
        ),
        "sqrt(where(z > 0, z, 1))": lambda z: torch.where(
            z > 0, torch.sqrt(torch.where(z > 0, z, 1 + zero)), zero
        ),
    }
    if program not in ways:
        raise ValueError(f"Unknown program. Received: {program}")
    z = torch.zeros((), requires_grad=True)
    (slope,) = torch.autograd.grad(ways[program](z), z)
    return float(slope)


# --8<-- [end:kinks]


if __name__ == "__main__":
    # --8<-- [start:demo]
    one, two, automatic = derivative_errors(0.3)
    best_one, best_two = one.min(), two.min()
    best_step = 10.0 ** STEPS[one.argmin()].log10().round()
    print(f"one-sided  error > 1e-11: {best_one > 1e-11}")
    print(f"automatic  error < 1e-14: {automatic < 1e-14}")
    print("slope at 0 of")
    for program in (
        "relu(z)",
        "clamp(z, min=0)",
        "maximum(z, 0)",
        "relu(z) - relu(-z)",
        "where(z > 0, sqrt(z), 0)",
        "sqrt(where(z > 0, z, 1))",
    ):
        print(f"  {program:26}{slope_at_zero(program):.1f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_errors]
def plot_errors() -> Figure:
    """Draw the error of differences against the step."""
    fig, ax = plt.subplots(figsize=(5.2, 3.4), layout="constrained")
    one, two, automatic = derivative_errors(0.3)
    ax.plot(STEPS, one, "o", color="C0", label="one-sided")
    ax.plot(STEPS, two, "s", color="C1", label="central")
    floor = max(automatic, 2.0**-53)
    ax.axhline(floor, color="C2", lw=2, label="automatic")
    x = torch.tensor(0.3, dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(three_units(x), x, create_graph=True)
    (bend,) = torch.autograd.grad(slope, x)
    step = STEPS[STEPS > 3e-8]
    line = abs(float(bend)) / 2 * step
    ax.plot(step, line, ls="--", lw=1, color="black", label="predicted")
    ax.set(
        xscale="log",
        yscale="log",
        xlabel="step Δ",
        ylabel="error of the derivative",
    )
    ax.set_ylim(1e-17, 10)
    ax.legend()
    return fig


if __name__ == "__main__":
    plot_errors()
    plt.show()
# --8<-- [end:plot_errors]
