"""At finite width a ReLU network's scale is nearly log-normal.

Var(ln s) is about 5 * depth / n, s the variance of a layer given the one below

Hanin and Rolnick (2018), "How to Start Training"; Hanin and Nica (2020),
"Products of Many Large Random Matrices and Gradients in Deep Neural Networks".
"""

# --8<-- [start:imports]
import math

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

SEED = 0
DEPTH = 30
WIDTHS = (64, 256, 1024)
NETWORKS = 20_000
# --8<-- [end:imports]


# --8<-- [start:chain]
def log_second_moment(
    width: int, depth: int, networks: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Draw ln(s_depth / s_0) of He networks without their weight matrices.

    Given s, the pre-activations of a layer are n draws from N(0, s). ReLU
    keeps a binomial number k of them, and their squares add up to s times a
    chi-square variable with k degrees of freedom: the next s is 2/n of that.

    Returns:
        Array of shape (networks,).

    Raises:
        ValueError: width, depth or networks is not positive.

    >>> rng = np.random.default_rng(0)
    >>> round(float(np.exp(log_second_moment(256, 4, 4000, rng)).mean()), 1)
    1.0
    """
    if min(width, depth, networks) < 1:
        sizes = f"{width=}, {depth=}, {networks=}"
        raise ValueError(f"Expected positive sizes. Received: {sizes}")
    active = rng.binomial(width, 0.5, size=(depth, networks))
    squares = 2 * rng.standard_gamma(active / 2)
    log: NDArray[np.float64] = np.log(2 / width * squares).sum(axis=0)
    return log


# --8<-- [end:chain]


# --8<-- [start:summary]
def summarize(log_s: NDArray[np.float64]) -> dict[str, float]:
    """Return mean and median of s, variance of ln s, and standard errors.

    Args:
        log_s: ln s of each network, finite, not empty, shape (networks,).

    >>> summarize(np.log(np.array([1.0, 1.0, 4.0])))["median"]
    1.0
    """
    networks, s = len(log_s), np.exp(log_s)
    centered = (log_s - log_s.mean()) ** 2
    return {
        "mean": float(s.mean()),
        "mean_se": float(s.std() / math.sqrt(networks)),
        "median": float(np.median(s)),
        "variance": float(log_s.var()),
        "variance_se": float(centered.std() / math.sqrt(networks)),
    }


# --8<-- [end:summary]


if __name__ == "__main__":
    # --8<-- [start:demo]
    rng = np.random.default_rng(SEED)
    theory = {width: 5 * DEPTH / width for width in WIDTHS}
    median, variance = {}, {}
    for width in WIDTHS:
        row = summarize(log_second_moment(width, DEPTH, NETWORKS, rng))
        median[width] = row["median"]
        variance[width] = row["variance"], row["variance_se"]

    log_s = log_second_moment(64, DEPTH, NETWORKS, rng)
    s = np.sort(np.exp(log_s))[::-1]
    top_share = s[: NETWORKS // 100].sum() / s.sum()  # the largest 1 %
    theory_median = {width: math.exp(-v / 2) for width, v in theory.items()}
    spread = {width: math.exp(math.sqrt(v)) for width, v in theory.items()}
    # --8<-- [end:demo]


# --8<-- [start:plot_lognormal]
def plot_lognormal() -> Figure:
    """Draw the distribution of ln s for three widths, with the prediction."""
    rng = np.random.default_rng(SEED)
    fig, ax = plt.subplots(figsize=(5.6, 3.8), layout="constrained")
    edges = np.linspace(-7.5, 4.5, 61)
    x = (edges[1:] + edges[:-1]) / 2
    for i, n in enumerate(WIDTHS):
        log_s = log_second_moment(n, DEPTH, NETWORKS, rng)
        s2 = 5 * DEPTH / n
        normal = np.exp(-((x + s2 / 2) ** 2) / (2 * s2))
        normal /= math.sqrt(2 * math.pi * s2)
        label = "predicted" if i == 0 else None
        ax.plot(x, normal, ls="--", lw=1, color="black", label=label)
        density, _ = np.histogram(log_s, edges, density=True)
        seen = density > 0.002
        label = f"n = {n}"
        ax.plot(x[seen], density[seen], "o^s"[i], ms=3.5, label=label)
        median = float(np.median(log_s))
        ax.axvline(median, color=f"C{i}", lw=1, ls=":")
    ax.axvline(0, color="0.5", lw=1, label="ln of the mean of s")
    ax.plot([], [], ls=":", lw=1, color="black", label="median of ln s")
    ax.set_xlabel("ln s after 30 layers")
    ax.set_ylabel("density")
    ax.legend(loc="upper left")
    return fig


if __name__ == "__main__":
    plot_lognormal()
    plt.show()
# --8<-- [end:plot_lognormal]
