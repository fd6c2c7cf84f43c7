"""Gauss-Newton linearizes the network and keeps the curvature of the loss.

H = J^T J / m + mean of residual * curvature of the output

The second part vanishes with the residuals. The first has no negative
eigenvalue, so a damped step on it points downhill where Newton's may seek a
saddle.
"""

# --8<-- [start:imports]
import torch
from torch import Tensor

SEED = 4
UNITS = 6
# --8<-- [end:imports]


# --8<-- [start:curve]
def curve_data() -> tuple[Tensor, Tensor]:
    """Return 30 inputs between -2 and 2, shape (30, 1), and sin(2x)."""
    x = torch.linspace(-2, 2, 30, dtype=torch.float64)[:, None]
    return x, torch.sin(2 * x[:, 0])


def curve_output(theta: Tensor, x: Tensor) -> Tensor:
    """Return the outputs of a 1-6-1 tanh network, floating-point, shape (m,).

    >>> curve_output(torch.zeros(19), torch.ones(2, 1))
    tensor([0., 0.])
    """
    first, bias, second, top = torch.split(theta, [UNITS, UNITS, UNITS, 1])
    return torch.tanh(x * first + bias) @ second + top


def curve_loss(theta: Tensor) -> Tensor:
    """Return half the mean squared error on the curve, in float64."""
    x, y = curve_data()
    return (curve_output(theta, x) - y).square().mean() / 2


def curve_start(seed: int = SEED) -> Tensor:
    """Return random parameters, shape (19,).

    >>> curve_start().shape
    torch.Size([19])
    """
    generator = torch.Generator().manual_seed(seed)
    theta = torch.zeros(3 * UNITS + 1, dtype=torch.float64)
    theta[: 3 * UNITS].normal_(generator=generator)
    theta[2 * UNITS :] /= UNITS**0.5
    return theta


# --8<-- [end:curve]


# --8<-- [start:matrices]
def gradient_and_hessian(theta: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradient of the loss and its Hessian matrix, in float64."""
    theta = theta.detach().clone().requires_grad_()
    (g,) = torch.autograd.grad(curve_loss(theta), theta, create_graph=True)
    rows = [torch.autograd.grad(v, theta, retain_graph=True)[0] for v in g]
    return g.detach(), torch.stack(rows)


def gauss_newton(theta: Tensor) -> tuple[Tensor, Tensor]:
    """Return J^T r / m, the gradient, and J^T J / m, in float64.

    J holds the derivatives of the 30 outputs, shape (30, 19), and r their
    residuals: first derivatives only.

    >>> bool(torch.linalg.eigvalsh(gauss_newton(curve_start())[1])[0] > -1e-9)
    True
    """
    x, y = curve_data()
    theta = theta.detach().clone().requires_grad_()
    outputs = curve_output(theta, x)
    rows = [
        torch.autograd.grad(v, theta, retain_graph=True)[0] for v in outputs
    ]
    jacobian, residual = torch.stack(rows), outputs.detach() - y
    return jacobian.T @ residual / len(x), jacobian.T @ jacobian / len(x)


def damped_gauss_newton(theta: Tensor, steps: int) -> Tensor:
    """Take damped steps in float64; a bad one raises the damping instead."""
    damping, identity = 0.1, torch.eye(len(theta), dtype=theta.dtype)
    for _ in range(steps):
        g, matrix = gauss_newton(theta)
        candidate = theta - torch.linalg.solve(matrix + damping * identity, g)
        better = bool(curve_loss(candidate) < curve_loss(theta))
        theta = candidate if better else theta
        damping *= 1 / 3 if better else 4
    return theta


def newton_lowest(theta: Tensor, steps: int) -> float:
    """Return the lowest loss of plain Newton steps in float64.

    They end early at a Hessian matrix without an inverse.
    """
    lowest = curve_loss(theta).item()
    for _ in range(steps):
        g, hessian = gradient_and_hessian(theta)
        try:
            theta = theta - torch.linalg.solve(hessian, g)
        except RuntimeError:
            break
        lowest = min(lowest, curve_loss(theta).item())
    return lowest


# --8<-- [end:matrices]


if __name__ == "__main__":
    # --8<-- [start:demo]
    losses = {}
    gaps = {}
    for steps in (0, 6, 20):
        theta = damped_gauss_newton(curve_start(), steps)
        _, hessian = gradient_and_hessian(theta)
        rest = hessian - gauss_newton(theta)[1]
        losses[steps] = curve_loss(theta)
        gaps[steps] = rest.norm() / hessian.norm()
        print(
            f"step {steps:2}: loss {losses[steps]:.0e}, "
            f"without 2nd part {gaps[steps]:.0e}"
        )
    _, hessian = gradient_and_hessian(curve_start())
    low = torch.linalg.eigvalsh(hessian)[0]
    print(f"least eigenvalue of H at the start: {low:.2f}")
    starts = [curve_start(seed) for seed in range(20)]
    damped = [curve_loss(damped_gauss_newton(theta, 40)) for theta in starts]
    worst = max(damped)
    print(f"damped Gauss-Newton, 20 starts: below 1e-5: {worst < 1e-5}")
    reached = sum(newton_lowest(theta, 40) < 0.01 for theta in starts)
    print(f"Newton: a loss below 0.01 from {reached} of them")
    # --8<-- [end:demo]
