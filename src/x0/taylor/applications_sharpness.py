"""The largest stable learning rate is 2 over the largest eigenvalue of H.

e after one step = (I - rate * H) e + second order in e

Training with a fixed rate raises the largest eigenvalue until it stands at
2 / rate: the edge of stability (Cohen et al. 2021).
"""

# --8<-- [start:imports]
from functools import cache

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
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
    """Return the outputs of a 1-6-1 tanh network, shape (m,).

    >>> curve_output(torch.zeros(19), torch.ones(2, 1))
    tensor([0., 0.])
    """
    first, bias, second, top = torch.split(theta, [UNITS, UNITS, UNITS, 1])
    return torch.tanh(x * first + bias) @ second + top


def curve_loss(theta: Tensor) -> Tensor:
    """Return half the mean squared error on the curve."""
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


# --8<-- [start:sharpness]
def hessian_product(theta: Tensor, v: Tensor) -> Tensor:
    """Return H v from two gradients; H itself is never formed.

    >>> hessian_product(curve_start(), torch.zeros(19).double()).abs().max()
    tensor(0., dtype=torch.float64)
    """
    theta = theta.detach().clone().requires_grad_()
    (g,) = torch.autograd.grad(curve_loss(theta), theta, create_graph=True)
    (product,) = torch.autograd.grad(g @ v, theta)
    return product


def sharpness_at(theta: Tensor, steps: int = 30) -> float:
    """Return the eigenvalue of H that is largest in size: power iteration."""
    v = torch.ones_like(theta) / len(theta) ** 0.5
    for _ in range(steps):
        product = hessian_product(theta, v)
        v = product / product.norm()
    return float(v @ hessian_product(theta, v))


def train_curve(rate: float, steps: int, every: int) -> list[Tensor]:
    """Return the parameters of gradient descent, every so many steps."""
    theta, found = curve_start().requires_grad_(), []
    for step in range(steps + 1):
        if step % every == 0:
            found.append(theta.detach())
        (g,) = torch.autograd.grad(curve_loss(theta), theta)
        theta = (theta - rate * g).detach().requires_grad_()
    return found


@cache
def sharpness_curve(rate: float) -> list[float]:
    """Return the sharpness at steps 0, 50, ..., 1500."""
    return [sharpness_at(theta) for theta in train_curve(rate, 1500, 50)]


# --8<-- [end:sharpness]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print the sharpness of trained networks and the limit 2 / rate."""
    values: dict[str, float | tuple[float, float]] = {}
    for name, rate in (("small", 0.2), ("large", 0.5)):
        sharp = sharpness_curve(rate)
        late = sum(sharp[-10:]) / 10
        values |= {f"{name}_start": sharp[0], f"{name}_late": late}
        values |= {f"{name}_peak": max(sharp), f"{name}_limit": 2 / rate}
        print(f"rate {rate}: sharpness {sharp[0]:.1f} at first, ", end="")
        print(f"{late:.1f} at last, limit {2 / rate:.1f}")
    return values


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]


# --8<-- [start:plot_edge]
def plot_edge() -> Figure:
    """Draw the sharpness along training for two learning rates."""
    figure, axis = plt.subplots(figsize=(5.2, 3.6))
    for i, (rate, marker) in enumerate(((0.2, "o"), (0.5, "s"))):
        steps, sharp = range(0, 1501, 50), sharpness_curve(rate)
        axis.plot(steps, sharp, f"C{i}{marker}-", ms=3, label=f"η = {rate}")
    axis.axhline(4, color="C1", ls="--", lw=1, label="2 / 0.5")
    axis.set(xlabel="step", ylabel="largest eigenvalue of H")
    axis.legend()
    return figure


if __name__ == "__main__":
    plot_edge()
    plt.show()
# --8<-- [end:plot_edge]
