"""Training minimizes the loss on its data; the goal is the loss on others.

E[train] = s2 (m - n) / m,  E[test] = s2 (1 + n / (m - n - 1))

Least squares with n weights, m normal samples and noise of variance s2. With
more weights than samples the shortest solution errs by s2 (1 + m / (n - m - 1))
if there is no signal: Hastie, Montanari, Rosset and Tibshirani (2022).
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

    For n < m a signal that is linear in the inputs changes neither result.
    For n > m the shortest of all solutions is taken.

    Args:
        n: number of weights, less than m - 1 or greater than m + 1.
        m: number of samples.
        sets: number of independent data sets.
        rng: source of randomness.

    Returns:
        Squared error on the samples, and expected squared error on new
        ones, both of shape (sets,).

    Raises:
        ValueError: n is less than 1, or within 1 of m.
    """
    if n < 1 or abs(n - m) < 2:
        raise ValueError(f"Expected |n - m| > 1. Received: n={n}, m={m}")
    x = rng.normal(size=(sets, m, n))
    y = rng.normal(size=(sets, m, 1))
    xt = x.transpose(0, 2, 1)
    if n < m:
        w = np.linalg.solve(xt @ x, xt @ y)
    else:
        w = xt @ np.linalg.solve(x @ xt, y)
    train = ((y - x @ w) ** 2).mean((1, 2))
    test = 1 + (w**2).sum((1, 2))  # new inputs are N(0, I)
    return train, test


# --8<-- [end:risk]


if __name__ == "__main__":
    # --8<-- [start:demo]
    rng = np.random.default_rng(SEED)
    n, m = 20, SAMPLES
    train, test = least_squares_risk(n, m, 2000, rng)
    measured = {}
    for name, sample in (("train", train), ("test", test)):
        error = sample.std(ddof=1) / math.sqrt(len(sample))
        measured[name] = (sample.mean(), error)
        print(f"{name:6}{sample.mean():.1f}")
    theory = {"train": (m - n) / m, "test": 1 + n / (m - n - 1)}
    wide = {}
    for n in (44, 80, 160):
        train, test = least_squares_risk(n, m, 400, rng)
        error = test.std(ddof=1) / math.sqrt(len(test))
        wide[n] = (test.mean(), error)
        largest = train.max()
    print(f"160 weights: fits every sample: {largest < 1e-20},", end=" ")
    print(f"test {wide[160][0]:.1f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_curves]
def plot_curves() -> Figure:
    """Draw the error on the samples and on new ones against n."""
    fig, ax = plt.subplots(figsize=(5.2, 3.2), layout="constrained")
    rng = np.random.default_rng(SEED)
    m = SAMPLES
    sizes = (2, 5, 10, 15, 20, 25, 30, 34, 36, 44, 46, 50, 60, 80, 120, 160)
    found = [least_squares_risk(n, m, 300, rng) for n in sizes]
    few, many = np.arange(1, m - 1), np.geomspace(m + 2, 180, 60)
    ax.plot(sizes, [pair[1].mean() for pair in found], "sC1")
    ax.lines[0].set_label("on new samples")
    below = [i for i, n in enumerate(sizes) if n < m]
    ax.plot(
        [sizes[i] for i in below], [found[i][0].mean() for i in below], "oC0"
    )
    ax.lines[1].set_label("on its own samples")
    ax.plot(few, 1 + few / (m - few - 1), "k--", lw=1, label="predicted")
    ax.plot(many, 1 + m / (many - m - 1), "k--", lw=1)
    ax.plot(few, (m - few) / m, "k--", lw=1)
    ax.axvline(m, color="0.5", ls=":", lw=1)
    ax.set(xscale="log", yscale="log", ylim=(0.04, 60))
    ax.set_xlabel("weights n, of 40 samples")
    ax.set_ylabel("squared error")
    ax.legend()
    return fig


if __name__ == "__main__":
    plot_curves()
    plt.show()
# --8<-- [end:plot_curves]
