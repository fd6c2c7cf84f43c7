"""Attention logits of head dimension d have variance d; 1/sqrt(d) makes it 1.

Var(q . k) = d for components of variance 1

Vaswani et al. (2017), section 3.2.1 and its footnote.
"""

# --8<-- [start:imports]
import functools
import math

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

SEED = 0
DIMENSIONS = (4, 8, 16, 32, 64, 128)
KEYS, QUERIES = 256, 200
# --8<-- [end:imports]


# --8<-- [start:logits]
def draw_logits(
    dimension: int, scaled: bool, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return logits q·k of QUERIES queries with KEYS keys each.

    The components of q and k are standard normal.

    >>> rng = np.random.default_rng(0)
    >>> draw_logits(64, False, rng).shape
    (200, 256)
    """
    q = rng.standard_normal((QUERIES, 1, dimension), dtype=np.float32)
    k = rng.standard_normal((QUERIES, KEYS, dimension), dtype=np.float32)
    logits = (k @ q.swapaxes(1, 2))[..., 0].astype(np.float64)
    return logits / math.sqrt(dimension) if scaled else logits


def used_keys(logits: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return 1 / Σ p² of each query: how many keys it averages over.

    Args:
        logits: finite, not empty, shape (queries, keys).
    """
    p = np.exp(logits - logits.max(1, keepdims=True))
    p /= p.sum(1, keepdims=True)
    return np.asarray(1 / (p**2).sum(1))


@functools.cache
def attention_summary(scaled: bool) -> NDArray[np.float64]:
    """Return variance, mean of used_keys, their errors: (4, dimensions)."""
    rng = np.random.default_rng(SEED)
    rows = []
    for dimension in DIMENSIONS:
        logits = draw_logits(dimension, scaled, rng)
        squares, used = (logits**2).mean(1), used_keys(logits)
        errors = [x.std() / math.sqrt(QUERIES) for x in (squares, used)]
        rows.append([squares.mean(), used.mean(), *errors])
    return np.array(rows).T


# --8<-- [end:logits]


if __name__ == "__main__":
    # --8<-- [start:demo]
    at = DIMENSIONS.index(64)
    variance, used = {}, {}
    print("d = 64      variance  keys in use of 256")
    for name, label in (("plain", "q·k"), ("scaled", "q·k / √d")):
        v, keys, *errors = attention_summary(name == "scaled")[:, at]
        variance[name], used[name] = (v, errors[0]), (keys, errors[1])
        print(f"{label:<10}{v:10.1f}{keys:13.0f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_logits]
def plot_logits() -> Figure:
    """Draw variance of the logits and keys in use by head dimension."""
    fig, axes = plt.subplots(
        2, figsize=(5.6, 5.2), sharex=True, layout="constrained"
    )
    d = np.array(DIMENSIONS)
    for i, scaled in enumerate((False, True)):
        variance, used, *_ = attention_summary(scaled)
        name = "q·k / √d" if scaled else "q·k"
        axes[0].plot(d, variance, "os"[i], ms=5, color=f"C{i}", label=name)
        axes[1].plot(d, used, "os"[i], ms=5, color=f"C{i}", label=name)
        theory = d**0 if scaled else d
        label = None if scaled else "predicted"
        axes[0].plot(d, theory, ls="--", lw=1, color="black", label=label)
    axes[1].axhline(KEYS / math.e, ls="--", lw=1, color="black")
    for ax in axes:
        ax.set_xscale("log", base=2)
    axes[0].set_yscale("log")
    axes[0].set_ylabel("variance of the logits")
    axes[1].set_ylabel("keys in use")
    axes[1].set_xlabel("head dimension d")
    axes[0].legend()
    return fig


if __name__ == "__main__":
    plot_logits()
    plt.show()
# --8<-- [end:plot_logits]
