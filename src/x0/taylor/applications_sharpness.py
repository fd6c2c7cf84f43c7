"""Near a minimum the learning rate is limited by 2 / (largest eigenvalue).

e after one step = (I - rate * H) e + second order in e

Training with a fixed rate may raise the largest eigenvalue until it stands
at 2 / rate: the edge of stability (Cohen et al. 2021).
"""

# --8<-- [start:imports]
from collections.abc import Callable
from functools import cache
from typing import NamedTuple

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


# --8<-- [start:sharpness]
def hessian_product(theta: Tensor, v: Tensor) -> Tensor:
    """Return H v from two gradients, in float64; H itself is never formed.

    >>> hessian_product(curve_start(), torch.zeros(19).double()).abs().max()
    tensor(0., dtype=torch.float64)
    """
    theta = theta.detach().clone().requires_grad_()
    (g,) = torch.autograd.grad(curve_loss(theta), theta, create_graph=True)
    (product,) = torch.autograd.grad(g @ v, theta)
    return product


class Ends(NamedTuple):
    """Both ends of the spectrum of a symmetric matrix H."""

    smallest: float
    largest: float
    residual: float  # |H v - value v| of the worse end, |v| = 1
    vectors: Tensor  # the two v, shape (n, 2)

    @property
    def converged(self) -> bool:
        """Tell whether the residual is a millionth of the larger end."""
        size = max(abs(self.smallest), abs(self.largest))
        return self.residual <= 1e-6 * size


def lanczos(
    product: Callable[[Tensor], Tensor], start: Tensor, iterations: int = 200
) -> Ends:
    """Find both ends of a spectrum from products with a symmetric matrix.

    Each new vector is made orthogonal to all before it, twice; without
    that, rounding lets found eigenvalues come back as copies. Within the
    residual of each end there is an eigenvalue.

    Args:
        product: Maps a vector v to H v.
        start: A random vector, shape (n,): an end to which it is
            orthogonal is not found.
        iterations: Products to spend at most; it stops when both ends
            have converged.

    Raises:
        ValueError: If a product is not finite, ``iterations`` < 1, or the
            start no real vector or zero, with "Received: ...".

    >>> d = torch.tensor([-10.0, 1.0, 10.0])
    >>> ends = lanczos(lambda v: d * v, torch.ones(3))
    >>> round(ends.smallest, 3), round(ends.largest, 3), ends.converged
    (-10.0, 10.0, True)
    """
    real = start.ndim == 1 and start.is_floating_point()
    if iterations < 1 or not real or not start.norm() > 0:
        raise ValueError(
            "iterations must be >= 1, start a real vector, not zero. "
            f"Received: iterations={iterations}, start={start}"
        )
    start = start.to(torch.promote_types(start.dtype, torch.float32))
    basis = (start / start.norm())[None]
    matrix = torch.zeros(0, 0, dtype=torch.float64)  # H in this basis
    while True:
        image = product(basis[-1].clone()).to(start.dtype)
        if not bool(image.isfinite().all()):
            raise ValueError(f"H v must be finite. Received: {image}")
        matrix = torch.nn.functional.pad(matrix, (0, 1, 0, 1))
        matrix[-1] = basis @ image
        for _ in range(2):
            image = image - basis.T @ (basis @ image)
        left = image.norm()
        values, vectors = torch.linalg.eigh(matrix)  # reads the lower half
        low, high = values[0].item(), values[-1].item()
        last = vectors[:, [0, -1]].to(basis)
        residual = (left * last[-1].abs()).max().item()
        ends = Ends(low, high, residual, basis.T @ last)
        if ends.converged or len(basis) >= min(iterations, len(start)):
            return ends
        basis = torch.cat([basis, image[None] / left])


def sharpness_at(theta: Tensor) -> Ends:
    """Return both ends of the spectrum of H, in float64.

    The sharpness is the largest.
    """
    generator = torch.Generator().manual_seed(SEED)
    start = torch.randn(len(theta), generator=generator, dtype=theta.dtype)
    return lanczos(lambda v: hessian_product(theta, v), start)


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
    path = train_curve(rate, 1500, 50)
    return [sharpness_at(theta).largest for theta in path]


# --8<-- [end:sharpness]


if __name__ == "__main__":
    # --8<-- [start:demo]
    curves = {rate: sharpness_curve(rate) for rate in (0.2, 0.5)}
    late = {}
    for rate, sharp in curves.items():
        late[rate] = sum(sharp[-10:]) / 10
        print(
            f"rate {rate}: sharpness {sharp[0]:.1f} at first, "
            f"{late[rate]:.1f} at last, limit {2 / rate:.1f}"
        )
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
