"""Heavy ball is stable inside a triangle, and its rate is flat at the top.

0 < eta lambda < 2 (1 + beta), beta < 1; the rate is sqrt(beta) between
(1 - sqrt(beta))^2 and (1 + sqrt(beta))^2.

Polyak (1964).
"""

# --8<-- [start:imports]
import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import ArrayLike, NDArray
from torch import nn

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:radius]
def heavy_ball_radius(step: ArrayLike, beta: ArrayLike) -> NDArray[np.float64]:
    """Return the factor per step of one mode, from its 2 x 2 matrix.

    Args:
        step: eta lambda.
        beta: momentum; broadcast with step.

    Raises:
        ValueError: beta is negative.

    >>> heavy_ball_radius([0.5, 3.7, 4.0], 0.81).round(3)
    array([0.9  , 1.233, 1.719])
    """
    x, b = np.broadcast_arrays(
        np.asarray(step, dtype=float), np.asarray(beta, dtype=float)
    )
    if (b < 0).any():
        raise ValueError(f"Expected beta >= 0. Received: {beta=}")
    rows = [1 + b - x, -b, np.ones_like(b), np.zeros_like(b)]
    matrices = np.stack(rows, -1).reshape(*b.shape, 2, 2)
    radius: NDArray[np.float64] = np.abs(np.linalg.eigvals(matrices)).max(-1)
    return radius


# --8<-- [end:radius]


# --8<-- [start:torch]
def torch_converges(
    step: NDArray[np.float64], beta: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Run torch.optim.SGD on theta^2 / 2 and tell where theta shrank.

    Args:
        step: learning rates, not empty, shape (n,).
        beta: momentum for each, shape (n,).
    """
    weights = [nn.Parameter(torch.ones(1, dtype=torch.float64)) for _ in step]
    optimizer = torch.optim.SGD(
        [
            {"params": [w], "lr": float(x), "momentum": float(b)}
            for w, x, b in zip(weights, step, beta, strict=True)
        ],
        lr=0.1,
    )
    for _ in range(300):
        for w in weights:
            w.grad = w.detach().clone()
        optimizer.step()
    ends = np.array([float(w.detach().abs()) for w in weights])
    shrank: NDArray[np.bool_] = ends < 1
    return shrank


def random_settings(count: int) -> NDArray[np.float64]:
    """Return pairs (eta lambda, beta), shape (2, count)."""
    rng = np.random.default_rng(SEED)
    return rng.uniform((0.02, 0.0), (4.2, 0.97), (count, 2)).T


# --8<-- [end:torch]


if __name__ == "__main__":
    # --8<-- [start:demo]
    factors = {}
    print("eta lambda       0.01    0.5    1.9    2.1    3.7    3.9")
    for beta in (0.0, 0.9):
        factors[beta] = heavy_ball_radius([0.01, 0.5, 1.9, 2.1, 3.7, 3.9], beta)
        print(f"factor, beta {beta:g} ".ljust(15), end="")
        print("".join(f"{r:7.3f}" for r in factors[beta]))
    steps, betas = random_settings(200)
    inside = (steps > 0) & (steps < 2 * (1 + betas))
    agree = (torch_converges(steps, betas) == inside).sum()
    print(f"torch.optim.SGD shrinks exactly inside: {agree} of {len(steps)}")
    # --8<-- [end:demo]


# --8<-- [start:plot_triangle]
def plot_triangle() -> Figure:
    """Draw the factor per step over the learning rate and the momentum."""
    fig, ax = plt.subplots(figsize=(5.2, 4.2), layout="constrained")
    x, b = np.meshgrid(np.linspace(0, 4, 321), np.linspace(0, 1, 241))
    levels = [0.5, 0.7, 0.8, 0.9, 0.95]
    lines = ax.contour(
        x, b, heavy_ball_radius(x, b), levels, colors="0.5", linewidths=1
    )
    places = [(1.7 - r / 2, r**2) for r in levels]
    ax.clabel(lines, fmt="%g", fontsize=8, manual=places)
    root = np.linspace(0, 1, 40)
    ax.plot([0, 2, 4], [0, 0, 1], "k--", lw=1.2, label="ηλ = 2(1 + β)")
    for sign in (-1, 1):
        label = "ηλ = (1 ± √β)²" if sign == 1 else None
        edge = (1 + sign * root) ** 2
        ax.plot(edge, root**2, "-.", color="C2", lw=1.2, label=label)
    step, beta = random_settings(120)
    shrank = torch_converges(step, beta)
    ax.plot(
        step[shrank], beta[shrank], "o", color="C0", ms=3.5, label="shrinks"
    )
    ax.plot(
        step[~shrank], beta[~shrank], "x", color="C1", ms=4.5, label="grows"
    )
    ax.set_xlim(0, 4.25)
    ax.set_ylim(0, 1.02)
    ax.set_xlabel("ηλ")
    ax.set_ylabel("β")
    fig.legend(loc="outside upper left", ncols=2)
    return fig


if __name__ == "__main__":
    plot_triangle()
    plt.show()
# --8<-- [end:plot_triangle]
