"""Dropout on the inputs of a linear regression is a ridge penalty.

mean over the masks = squared error + p / (1 - p) sum_j |x_j|^2 w_j^2

Srivastava et al. (2014). Noise on the inputs adds N s^2 |w|^2.
"""

# --8<-- [start:imports]
import functools

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray

SEED = 0
SAMPLES, STEPS, RATE = 40, 5_000, 0.05
SCALES = np.array([1.0, 1.0, 0.3, 0.3])
TRUTH = np.array([1.0, -1.0, 3.0, -3.0])
# --8<-- [end:imports]


# --8<-- [start:penalized]
@functools.cache
def problem() -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return a regression whose last two columns have a small scale."""
    rng = np.random.default_rng(SEED)
    x = rng.standard_normal((SAMPLES, 4)) * SCALES
    return x, x @ TRUTH + 0.5 * rng.standard_normal(SAMPLES)


def penalized(
    x: NDArray[np.float64],
    y: NDArray[np.float64],
    penalties: NDArray[np.float64] | float,
) -> NDArray[np.float64]:
    """Return the minimum of |y - Xw|^2 + N sum_j a_j w_j^2.

    Args:
        x: shape (N, features).
        y: shape (N,).
        penalties: a, one for each feature or one for all, not negative.

    Raises:
        ValueError: a negative penalty, or x and y do not fit.

    >>> penalized(np.eye(2), np.array([1.0, 2.0]), 0.5).tolist()
    [0.5, 1.0]
    """
    if x.ndim != 2 or y.shape != x.shape[:1] or not len(x):
        raise ValueError(
            "Shapes (N, features) and (N,) are needed. "
            f"Received: {x.shape}, {y.shape}"
        )
    a = np.broadcast_to(np.asarray(penalties, float), x.shape[1:])
    if (a < 0).any():
        raise ValueError(f"Penalties must not be negative. Received: {a}")
    found: NDArray[np.float64] = np.linalg.solve(
        x.T @ x + len(x) * np.diag(a), x.T @ y
    )
    return found


def dropout_penalties(
    x: NDArray[np.float64], drop: float
) -> NDArray[np.float64]:
    """Return the penalties that dropout at this rate amounts to.

    Args:
        x: not empty, shape (N, features).
        drop: the rate of dropout.

    Raises:
        ValueError: unless 0 <= drop < 1, or x has no rows.

    >>> dropout_penalties(np.array([[1.0, 2.0], [1.0, 0.0]]), 0.5).tolist()
    [1.0, 2.0]
    """
    if not 0 <= drop < 1:
        raise ValueError(f"0 <= drop < 1 is needed. Received: {drop=}")
    if x.ndim != 2 or not len(x):
        raise ValueError(f"Shape (N, features) is needed. Received: {x.shape}")
    ratio: NDArray[np.float64] = drop / (1 - drop) * (x**2).mean(0)
    return ratio


# --8<-- [end:penalized]


# --8<-- [start:train]
@functools.cache
def trained(drop: float, noise: float) -> NDArray[np.float64]:
    """Train with dropout, or with noise, on the inputs; return the weights.

    Returns:
        The mean of the weights over the second half of the steps.
    """
    x, y = (torch.tensor(v) for v in problem())
    generator = torch.Generator().manual_seed(SEED)
    weight = torch.zeros(4, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([weight], lr=RATE)
    total = torch.zeros(4, dtype=torch.float64)
    for step in range(STEPS):
        kept = torch.rand(x.shape, generator=generator) >= drop
        seen = x * kept / (1 - drop)
        if noise:
            seen = seen + noise * torch.randn(x.shape, generator=generator)
        optimizer.zero_grad()
        ((y - seen @ weight) ** 2).mean().backward()
        optimizer.step()
        if step >= STEPS // 2:
            total += weight.detach()
    return (total / (STEPS - STEPS // 2)).numpy()


# --8<-- [end:train]


if __name__ == "__main__":
    # --8<-- [start:demo]
    x, y = problem()
    drops = (0.0, 0.2, 0.5, 0.8)
    found = {p: trained(p, 0.0) for p in drops}
    ridge = {p: penalized(x, y, dropout_penalties(x, p)) for p in drops}
    noisy = np.abs(trained(0.0, 0.5) - penalized(x, y, 0.25)).max()
    apart = max(noisy, *(np.abs(found[p] - ridge[p]).max() for p in drops))
    kept = found[0.5][[0, 2]] / found[0.0][[0, 2]]  # a large, a small scale
    plain = penalized(x, y, 1.0)[[0, 2]] / found[0.0][[0, 2]]
    print("trained with dropout, and predicted")
    for p in drops:
        print(f"{p}  {found[p].round(2)}  {ridge[p].round(2)}")
    # --8<-- [end:demo]


# --8<-- [start:plot_shrink]
def plot_shrink() -> Figure:
    """Draw the weights against the rate of dropout, and plain ridge."""
    fig, ax = plt.subplots(figsize=(5.4, 3.4), layout="constrained")
    x, y = problem()
    rates = np.linspace(0, 0.9, 46)
    paths = np.array([penalized(x, y, dropout_penalties(x, p)) for p in rates])
    shown = (0.0, 0.2, 0.4, 0.6, 0.8)
    points = np.array([trained(p, 0.0) for p in shown])
    for j in (0, 2):
        color, mark = f"C{j}", "os"[j // 2]
        share = paths[:, j] / paths[0, j]
        plain = [penalized(x, y, p / (1 - p))[j] / paths[0, j] for p in rates]
        label = "scale 1" if j == 0 else "scale 0.3"
        ax.plot(rates, share, color=color, ls="--", lw=1)
        ax.plot(rates, plain, color=color, ls=":", lw=1)
        ax.plot(
            shown, points[:, j] / paths[0, j], mark, color=color, label=label
        )
    ax.set(xlabel="rate of dropout", ylabel="weight / without dropout")
    ax.legend(loc="lower left")
    return fig


if __name__ == "__main__":
    plot_shrink()
    plt.show()
# --8<-- [end:plot_shrink]
