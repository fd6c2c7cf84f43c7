"""Momentum adds up gradients: a lasting one moves 1/(1 - beta) times as far.

m_t = beta m_{t-1} + g_t,  theta_t = theta_{t-1} - eta m_t

Polyak (1964); Nesterov (1983); Sutskever et al. (2013).
"""

# --8<-- [start:imports]
import torch
from torch import Tensor, nn

# --8<-- [end:imports]


# --8<-- [start:step]
def momentum_step(
    theta: Tensor,
    gradient: Tensor,
    buffer: Tensor | None,
    rate: float,
    beta: float,
    dampening: float = 0.0,
    nesterov: bool = False,
) -> tuple[Tensor, Tensor]:
    """Return parameters and buffer after one step, as torch.optim.SGD does.

    Args:
        theta: parameters, any shape.
        gradient: the gradient at theta.
        buffer: m of the step before; None in the first step.
        rate: learning rate.
        beta: momentum.
        dampening: takes this part off the gradient, but not in the first step.
        nesterov: look one step ahead.

    Raises:
        ValueError: Nesterov momentum with dampening, or without momentum;
            shapes that differ.

    >>> theta, m = torch.tensor([1.0]), None
    >>> for _ in range(3):
    ...     theta, m = momentum_step(theta, torch.ones(1), m, 0.1, 0.5)
    >>> round(float(theta), 3), float(m)
    (0.575, 1.75)
    """
    if nesterov and (beta <= 0 or dampening != 0):
        raise ValueError(
            "Nesterov momentum requires beta > 0 and no dampening. "
            f"Received: {beta=}, {dampening=}"
        )
    m = gradient if buffer is None else buffer
    if not theta.shape == gradient.shape == m.shape:
        shapes = (theta.shape, gradient.shape, m.shape)
        raise ValueError(f"Expected one shape. Received: {shapes}")
    if buffer is None:
        buffer = gradient.clone()
    else:
        buffer = beta * buffer + (1 - dampening) * gradient
    direction = gradient + beta * buffer if nesterov else buffer
    return theta - rate * direction, buffer


# --8<-- [end:step]


# --8<-- [start:compare]
def farthest_from_torch(dampening: float, nesterov: bool) -> float:
    """Return the largest difference from torch.optim.SGD in 50 steps."""
    curvature = torch.tensor([0.1, 1.0, 10.0], dtype=torch.float64)
    weight = nn.Parameter(torch.ones_like(curvature))
    optimizer = torch.optim.SGD(
        [weight], lr=0.1, momentum=0.9, dampening=dampening, nesterov=nesterov
    )
    theta, buffer, gap = weight.detach().clone(), None, 0.0
    for _ in range(50):
        weight.grad = curvature * weight.detach()
        optimizer.step()
        gradient = curvature * theta
        theta, buffer = momentum_step(
            theta, gradient, buffer, 0.1, 0.9, dampening, nesterov
        )
        gap = max(gap, float((theta - weight.detach()).abs().max()))
    return gap


# --8<-- [end:compare]


if __name__ == "__main__":
    # --8<-- [start:demo]
    shown, lengths = (1, 2, 3, 10, 50), {}
    print("step t          ", *(f"{t:6d}" for t in shown), "  as torch")
    for name, dampening, nesterov in (
        ("heavy ball", 0.0, False),
        ("Nesterov", 0.0, True),
        ("dampening 0.9", 0.9, False),
    ):
        theta, buffer, steps = torch.zeros(1), None, []
        for _ in range(50):
            new, buffer = momentum_step(
                theta, torch.ones(1), buffer, 1.0, 0.9, dampening, nesterov
            )
            steps.append((theta - new).item())
            theta = new
        lengths[name] = steps
        same = farthest_from_torch(dampening, nesterov) < 1e-12
        print(f"{name:<16}", *(f"{steps[t - 1]:6.2f}" for t in shown), end="")
        print(f"{same!s:>10}")
    # --8<-- [end:demo]
