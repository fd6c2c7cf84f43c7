"""Training minimizes the loss on its data; the goal is the loss on others.

E[train] = s2 (m - n) / m,  E[test] = s2 (1 + n / (m - n - 1))

Least squares with n weights, m normal samples and noise of variance s2.
"""

# --8<-- [start:imports]
import math

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

SEED = 0
SAMPLES = 40
# --8<-- [end:imports]


# --8<-- [start:risk]
def least_squares_risk(
    n: int, m: int, sets: int, rng: np.random.Generator
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Fit n weights to m samples; noise of variance 1, no signal.

    A signal that is linear in the inputs changes neither result.

    Args:
        n: number of weights, less than m - 1.
        m: number of samples.
        sets: number of independent data sets.
        rng: source of randomness.

    Returns:
        Squared error on the samples, and expected squared error on new
        ones, both of shape (sets,).

    Raises:
        ValueError: n is not between 1 and m - 2.
    """
    if not 1 <= n < m - 1:
        raise ValueError(f"Expected 1 <= n < m - 1. Received: n={n}, m={m}")
    x = rng.normal(size=(sets, m, n))
    y = rng.normal(size=(sets, m, 1))
    xt = x.transpose(0, 2, 1)
    w = np.linalg.solve(xt @ x, xt @ y)
    train = ((y - x @ w) ** 2).mean((1, 2))
    test = 1 + (w**2).sum((1, 2))  # new inputs are N(0, I)
    return train, test


# --8<-- [end:risk]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print both errors of least squares with 20 weights, 40 samples."""
    rng = np.random.default_rng(SEED)
    n, m = 20, SAMPLES
    train, test = least_squares_risk(n, m, 2000, rng)
    values: dict[str, float | tuple[float, float]] = {
        "train_theory": (m - n) / m,
        "test_theory": 1 + n / (m - n - 1),
    }
    for name, sample in (("train", train), ("test", test)):
        error = float(sample.std(ddof=1)) / math.sqrt(len(sample))
        values[name] = (float(sample.mean()), error)
        print(f"{name:6}{sample.mean():.1f}")
    return values


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]


# --8<-- [start:plot_curves]
def plot_curves() -> Figure:
    """Draw the error on the samples and on new ones against n."""
    fig, ax = plt.subplots(figsize=(5.2, 3.2), layout="constrained")
    rng = np.random.default_rng(SEED)
    sizes, m = range(2, 33, 3), SAMPLES
    found = [least_squares_risk(n, m, 300, rng) for n in sizes]
    grid = np.arange(1, 34)
    laws = ((m - grid) / m, 1 + grid / (m - grid - 1))
    for i, name in enumerate(("on its own samples", "on new samples")):
        mean = [pair[i].mean() for pair in found]
        ax.plot(sizes, mean, "os"[i], color=f"C{i}", label=name)
        label = "predicted" if i else None
        ax.plot(grid, laws[i], ls="--", lw=1, color="black", label=label)
    ax.set_xlabel("weights n, of 40 samples")
    ax.set_ylabel("squared error")
    ax.legend()
    return fig


if __name__ == "__main__":
    plot_curves()
    plt.show()
# --8<-- [end:plot_curves]
