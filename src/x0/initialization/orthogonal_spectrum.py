"""W W^T of independent weights is the identity in expectation only.

eigenvalues of W W^T fill [(1 - sqrt(c))^2, (1 + sqrt(c))^2], c = rows/columns

Marchenko and Pastur (1967), "Distribution of eigenvalues for some sets of
random matrices".
"""

# --8<-- [start:imports]
import functools
import math

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

SEED = 0
COLUMNS = 1024
ROWS = (1024, 256)
# --8<-- [end:imports]


# --8<-- [start:law]
def marchenko_pastur(
    x: NDArray[np.float64], ratio: float
) -> NDArray[np.float64]:
    """Return the limit density of the eigenvalues of W W^T.

    Args:
        x: positive eigenvalues.
        ratio: rows / columns, at most 1; n * Var(w) = 1.

    Raises:
        ValueError: ratio is not in (0, 1], or an eigenvalue not positive.

    >>> x = np.linspace(0.2501, 2.2499, 4001)
    >>> round(float(np.trapezoid(marchenko_pastur(x, 0.25), x)), 3)
    1.0
    """
    if not 0 < ratio <= 1:
        raise ValueError(f"Expected 0 < ratio <= 1. Received: {ratio=}")
    if not (x > 0).all():
        raise ValueError(f"Expected positive eigenvalues. Received: {x}")
    low, high = (1 - math.sqrt(ratio)) ** 2, (1 + math.sqrt(ratio)) ** 2
    inside = np.clip((high - x) * (x - low), 0, None)
    density: NDArray[np.float64] = np.sqrt(inside) / (2 * math.pi * ratio * x)
    return density


# --8<-- [end:law]


# --8<-- [start:distance]
@functools.cache
def eigenvalues(rows: int, columns: int) -> NDArray[np.float64]:
    """Return the eigenvalues of W W^T, w ~ N(0, 1 / columns).

    >>> round(float(eigenvalues(8, 4)[:4].max()), 6) == 0  # rank at most 4
    True
    """
    rng = np.random.default_rng(SEED)
    w = rng.normal(size=(rows, columns)) / math.sqrt(columns)
    return np.asarray(np.linalg.eigvalsh(w @ w.T), dtype=np.float64)


def distance(rows: int, columns: int) -> float:
    """Return |W W^T - I| / |I| in the Frobenius norm.

    >>> round(distance(512, 512), 1)
    1.0
    """
    return float(np.sqrt(np.mean((eigenvalues(rows, columns) - 1) ** 2)))


# --8<-- [end:distance]


if __name__ == "__main__":
    # --8<-- [start:demo]
    measured = {rows: distance(rows, COLUMNS) for rows in ROWS}
    predicted = {rows: math.sqrt((rows + 1) / COLUMNS) for rows in ROWS}
    print("rows  eigenvalues   predicted     distance  predicted")
    for rows in ROWS:
        found, root = eigenvalues(rows, COLUMNS), math.sqrt(rows / COLUMNS)
        low, high = (1 - root) ** 2, (1 + root) ** 2
        print(
            f"{rows:<6}{found[0]:.1f} to {found[-1]:.1f}    {low:.2f} to "
            f"{high:.2f}  {measured[rows]:8.2f}{predicted[rows]:11.2f}"
        )
    # --8<-- [end:demo]


# --8<-- [start:plot_eigenvalues]
def plot_eigenvalues() -> Figure:
    """Draw the eigenvalues of W W^T against the Marchenko-Pastur density."""
    fig, axes = plt.subplots(2, figsize=(5.6, 4.8), layout="constrained")
    for ax, rows in zip(axes, ROWS, strict=True):
        ratio = rows / COLUMNS
        edges = np.linspace(0, 4.2, 43)
        found = eigenvalues(rows, COLUMNS)
        density, _ = np.histogram(found, edges, density=True)
        middle = (edges[1:] + edges[:-1]) / 2
        seen = density > 0
        ax.plot(middle[seen], density[seen], "o", ms=3.5, label="measured")
        x = np.linspace(0.01, 4.2, 2000)
        law = marchenko_pastur(x, ratio)
        ax.plot(x, law, ls="--", lw=1, color="black", label="predicted")
        ax.axvline(1, color="C3", lw=1.5, label="orthogonal")
        ax.set_ylim(0, 1.4)
        ax.set_title(f"{rows} × {COLUMNS}", loc="left")
        ax.set_ylabel("density")
    axes[0].legend()
    axes[1].set_xlabel("eigenvalue of W Wᵀ")
    return fig


if __name__ == "__main__":
    plot_eigenvalues()
    plt.show()
# --8<-- [end:plot_eigenvalues]
