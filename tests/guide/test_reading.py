"""What guide/reading tells of the marks."""

import math

import pytest
import torch

ERROR = 0.0015  # as the page prints it


@pytest.mark.proves(
    "reading-generic", kind="search", seeds=100, range="random directions, distance 0.001…0.1"
)
def test_a_start_on_the_steepest_direction_cannot_tell_the_two_forms_apart() -> None:
    """The error of the component is of second order in the distance, not in the component."""

    def step(x: float, y: float) -> float:
        """The component along the steepest direction, x, after a step of gradient descent."""
        theta = torch.tensor([x, y], dtype=torch.float64, requires_grad=True)
        a, b = theta
        loss = 2 * a**2 + b**2 / 2 + a * b**2 / 2
        loss.backward()
        torch.optim.SGD([theta], lr=0.3).step()
        return float(theta.detach()[0])

    def error(x: float, y: float) -> float:
        return abs(step(x, y) - (1 - 0.3 * 4) * x)

    assert step(0.0, 0.1) == pytest.approx(-ERROR, rel=1e-12)
    # On the steepest direction the error is below any multiple of the square of the component …
    assert all(error(x, 0.0) <= 1e-9 * x**2 for x in (1e-3, 1e-2, 1e-1))
    generator = torch.Generator().manual_seed(0)
    worst = 0.0
    for angle in (2 * math.pi * torch.rand(100, generator=generator)).tolist():
        for distance in (1e-3, 1e-2, 1e-1):
            x, y = distance * math.cos(angle), distance * math.sin(angle)
            assert error(x, y) <= 0.15 * distance**2 * (1 + 1e-9)
            worst = max(worst, error(x, y) / x**2)
    assert worst > 1  # … and elsewhere it is not.
