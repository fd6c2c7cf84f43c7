"""Lion steps by the sign of each entry, Muon by that of each singular value.

G = U S V^T is replaced by about U V^T, with five steps of Newton-Schulz.

Chen et al. (2023); Jordan et al. (2024).
"""

# --8<-- [start:imports]
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

SEED = 0
ABC = (3.4445, -4.7750, 2.0315)
# --8<-- [end:imports]


# --8<-- [start:lion]
def lion_step(
    theta: Tensor,
    g: Tensor,
    m: Tensor,
    rate: float,
    betas: tuple[float, float] = (0.9, 0.99),
    decay: float = 0.0,
) -> tuple[Tensor, Tensor]:
    """Return parameters and momentum after one step of Lion.

    Raises:
        ValueError: the shapes differ, or the gradient is not real.

    >>> one = torch.ones(2)
    >>> theta, m = lion_step(one, torch.tensor([5.0, -0.1]), 0 * one, 0.1)
    >>> [round(float(x), 3) for x in theta]
    [0.9, 1.1]
    """
    if not theta.shape == g.shape == m.shape:
        shapes = (theta.shape, g.shape, m.shape)
        raise ValueError(f"Expected one shape. Received: {shapes}")
    if not g.is_floating_point():
        raise ValueError(f"Expected a real gradient. Received: {g.dtype}")
    mixed = betas[0] * m + (1 - betas[0]) * g
    theta = (1 - rate * decay) * theta - rate * mixed.sign()
    return theta, betas[1] * m + (1 - betas[1]) * g


# --8<-- [end:lion]


# --8<-- [start:muon]
def orthogonalize(g: Tensor, steps: int = 5) -> Tensor:
    """Return a matrix with the singular vectors of g and values near 1.

    After 5 steps those from 1/500 of the norm of g on lie between 0.6 and
    1.3; smaller ones stay smaller, as do all if the norm is below 1e-7.

    Args:
        g: a matrix, shape (m, n).
        steps: number of Newton-Schulz steps.

    Raises:
        ValueError: g is not a matrix of real numbers.
    """
    if g.ndim != 2 or not g.is_floating_point():
        raise ValueError(f"Expected a matrix. Received: {g.ndim=}, {g.dtype}")
    wide = g.shape[0] <= g.shape[1]
    x = g if wide else g.T
    x = x / x.norm().clamp(min=1e-7)
    for _ in range(steps):
        square = x @ x.T
        x = ABC[0] * x + (ABC[1] * square + ABC[2] * square @ square) @ x
    found: Tensor = x if wide else x.T
    return found


def muon_step(
    theta: Tensor, g: Tensor, m: Tensor, rate: float, beta: float = 0.95
) -> tuple[Tensor, Tensor]:
    """Return a weight matrix and its momentum after one step of Muon.

    Raises:
        ValueError: the shapes differ, or g is not a matrix.
    """
    if not theta.shape == g.shape == m.shape:
        shapes = (theta.shape, g.shape, m.shape)
        raise ValueError(f"Expected one shape. Received: {shapes}")
    m = beta * m + (1 - beta) * g
    direction = orthogonalize((1 - beta) * g + beta * m)
    factor = math.sqrt(max(1.0, g.shape[0] / max(1, g.shape[1])))
    return theta - rate * factor * direction, m


# --8<-- [end:muon]


if __name__ == "__main__":
    # --8<-- [start:demo]
    generator = torch.Generator().manual_seed(SEED)
    g = torch.randn(64, 32, generator=generator)
    g = g * torch.logspace(0, -2, 32)
    before = torch.linalg.svdvals(g)
    after = torch.linalg.svdvals(orthogonalize(g))
    print("singular values          largest   smallest")
    for name, s in (("gradient", before), ("orthogonalized", after)):
        print(f"  {name:<20}{s[0]:10.2f}{s[-1]:11.2f}")
    moved = lion_step(0 * g, g, 0 * g, 0.1)[0].abs() / 0.1
    least, most = moved.aminmax()
    print(f"Lion, step / rate: {least:.2f} to {most:.2f}")
    weight = nn.Parameter(torch.zeros(64, 32))
    optimizer = torch.optim.Muon([weight], lr=0.1, weight_decay=0.0)
    theta, m = torch.zeros(64, 32), torch.zeros(64, 32)
    for _ in range(5):
        weight.grad = g.clone()
        optimizer.step()
        theta, m = muon_step(theta, g, m, 0.1)
        g = g + 0.1 * torch.randn(64, 32, generator=generator)
    gap = (theta - weight.detach()).norm() / theta.norm()
    print(f"distance from torch.optim.Muon after 5 steps: {gap:.0%}")
    # --8<-- [end:demo]


# --8<-- [start:plot_values]
def plot_values() -> Figure:
    """Draw singular values after Newton-Schulz against those before."""
    generator = torch.Generator().manual_seed(SEED)
    g = torch.randn(60, 60, generator=generator)
    u, _, v = torch.linalg.svd(g)
    s = torch.logspace(-3, 0, 60)
    before = s / s.norm()
    fig, ax = plt.subplots(figsize=(5.2, 3.2), layout="constrained")
    fine = np.geomspace(5e-4, 1, 160)
    for i, steps in enumerate((1, 3, 5)):
        out = orthogonalize(u @ torch.diag(s) @ v, steps)
        after = torch.diagonal(u.T @ out @ v.T)
        ax.plot(before, after, "os^"[i], ms=3.5, color=f"C{i}", markevery=3)
        ax.lines[-1].set_label(f"k = {steps}")
        line = fine
        for _ in range(steps):
            line = ABC[0] * line + ABC[1] * line**3 + ABC[2] * line**5
        ax.plot(fine, line, "k--", lw=1, label="predicted" if not i else None)
    ax.set_xscale("log")
    ax.set_xlabel("singular value before")
    ax.set_ylabel("after")
    ax.legend()
    return fig


if __name__ == "__main__":
    plot_values()
    plt.show()
# --8<-- [end:plot_values]
