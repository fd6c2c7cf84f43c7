"""A residual stream grows by factors without a norm, by terms with one.

no norm: r_K = (1 + s^2)^K * r_0;  pre-norm: r_K = r_0 + K * s^2

Figure residual-stream-depth measures both for 12 and 48 blocks.
"""

# --8<-- [start:imports]
import functools
import math

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

SEED = 0
WIDTH, NETWORKS = 64, 400
RULES = ("no norm", "pre-norm", "pre-norm, 1/√K")
# --8<-- [end:imports]


# --8<-- [start:stream]
def stream_moments(
    count: int,
    scale: float,
    norm: bool,
    width: int,
    networks: int,
    rng: np.random.Generator,
    ends_in_relu: bool = False,
) -> NDArray[np.float64]:
    """Return r_0 … r_K of streams x + s·W₂ relu(W₁ x), one input each.

    Given the stream, W₁ x is Gaussian, and so is W₂ relu(W₁ x) given W₁ x:
    no weight matrices are needed. With a norm the branch reads x / rms(x).

    Args:
        count: number K of branches.
        scale: s; the weights give a branch gain 1.
        norm: whether the branch reads the normalized stream.
        width: units of the stream and of the hidden layer.
        networks: number of independent networks.
        rng: source of randomness.
        ends_in_relu: leave out W₂, so that the branch is never negative.

    Returns:
        Array of shape (count + 1, networks).

    >>> rng = np.random.default_rng(0)
    >>> r = stream_moments(4, 1, True, 64, 200, rng)
    >>> r.shape, round(float(r[-1].mean()))
    ((5, 200), 5)
    """
    x = rng.standard_normal((networks, width))
    x /= np.sqrt((x**2).mean(1, keepdims=True))
    r = [np.ones(networks)]
    for _ in range(count):
        read = np.ones(networks) if norm else r[-1]
        branch = np.sqrt(2 * read)[:, None] * np.maximum(
            rng.standard_normal((networks, width), dtype=np.float32), 0
        )
        if not ends_in_relu:
            rms = np.sqrt((branch**2).mean(1, keepdims=True))
            branch = rms * rng.standard_normal(
                (networks, width), dtype=np.float32
            )
        x = x + scale * branch
        r.append((x**2).mean(1))
    return np.stack(r)


def predicted_stream(
    count: int, scale: float, norm: bool
) -> NDArray[np.float64]:
    """Return r_0 … r_K as predicted, with r_0 = 1."""
    k = np.arange(count + 1)
    steps = 1 + k * scale**2 if norm else (1 + scale**2) ** k
    return np.asarray(steps, dtype=np.float64)


@functools.cache
def measured_stream(count: int, rule: str) -> NDArray[np.float64]:
    """Return the mean of r_k and its standard error, shape (2, K + 1)."""
    rng = np.random.default_rng(SEED)
    scale = 1 / math.sqrt(count) if "√" in rule else 1.0
    r = stream_moments(count, scale, rule != "no norm", WIDTH, NETWORKS, rng)
    return np.stack([r.mean(1), r.std(1) / math.sqrt(NETWORKS)])


# --8<-- [end:stream]


if __name__ == "__main__":
    # --8<-- [start:demo]
    predicted, measured = {}, {}
    for rule in RULES:
        for count in (24, 96):
            scale = 1 / math.sqrt(count) if "√" in rule else 1.0
            theory = predicted_stream(count, scale, rule != "no norm")[-1]
            mean, error = measured_stream(count, rule)[:, -1]
            predicted[rule, count] = theory
            measured[rule, count] = mean, error
    rng = np.random.default_rng(SEED)
    r = stream_moments(24, 1, True, WIDTH, NETWORKS, rng, ends_in_relu=True)
    law = 1 + 24 + 24 * 23 / math.pi
    positive = r[-1].mean(), r[-1].std() / math.sqrt(NETWORKS)
    print(f"branch ends in ReLU: {law:.0f}", end="")
    print(f" predicted, {positive[0]:.0f} measured")
    inverse = {}
    for width in (64, 256):
        r = stream_moments(24, 1, True, width, 1000, rng)
        kept = 1 - 1 / width  # the norm projects out one direction
        growth = (1 + kept / r[:-1]).prod(0)  # of the gradient, given r
        inverse[width] = growth.mean(), growth.std() / math.sqrt(1000)
        print(f"mean growth of the gradient, width {width}: ", end="")
        print(f"{growth.mean():.0f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_depth]
def plot_depth() -> Figure:
    """Draw r_k by branch for 12 and 48 blocks of two branches."""
    fig, axes = plt.subplots(2, figsize=(5.6, 5.4), layout="constrained")
    for ax, blocks in zip(axes, (12, 48), strict=True):
        count = 2 * blocks
        k = np.arange(0, count + 1, count // 12)
        for i, rule in enumerate(RULES):
            scale = 1 / math.sqrt(count) if "√" in rule else 1.0
            theory = predicted_stream(count, scale, rule != "no norm")
            label = "predicted" if i == 0 else None
            ax.plot(theory, ls="--", lw=1, color="black", label=label)
            mean = measured_stream(count, rule)[0, k]
            ax.plot(k, mean, "os^"[i], ms=5, color=f"C{i}", label=rule)
        ax.set_yscale("log")
        ax.set_ylim(0.5, 1e8)
        ax.set_title(f"{blocks} blocks, {count} branches")
        ax.set_ylabel("second moment r")
    axes[0].legend(loc="upper left")
    axes[1].set_xlabel("branch k")
    return fig


if __name__ == "__main__":
    plot_depth()
    plt.show()
# --8<-- [end:plot_depth]
