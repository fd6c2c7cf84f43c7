"""Whether weight gradients vary by layer is decided by phi and by q.

G_(l-1) / G_l = q E[phi'(z)^2] / E[phi(z)^2], q = E[z^2], z of layer l - 1

For ReLU the ratio is 1 at every scale. Equal widths and weight variances.
"""

# --8<-- [start:imports]
import functools
import math
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

SEED = 0
WIDTH, DEPTH, NETWORKS = 128, 16, 24
Array = NDArray[np.float64]
Pair = tuple[Callable[[Array], Any], Callable[[Array], Any]]


def logistic(z: Array) -> Array:
    """Return 1 / (1 + exp(-z))."""
    result: Array = 0.5 * (1 + np.tanh(z / 2))
    return result


TANH: Pair = (np.tanh, lambda z: 1 - np.tanh(z) ** 2)
RELU: Pair = (lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0)
LOGISTIC: Pair = (logistic, lambda z: logistic(z) * (1 - logistic(z)))
CASES: dict[str, tuple[Pair, float]] = {
    "tanh, n·v = 0.25": (TANH, 0.25),
    "ReLU, n·v = 2": (RELU, 2.0),
    "logistic, n·v = 1": (LOGISTIC, 1.0),
    "tanh, n·v = 9": (TANH, 9.0),
    "logistic, n·v = 103": (LOGISTIC, 103.0),
}
# --8<-- [end:imports]


# --8<-- [start:ratio]
def layer_ratios(phi: Pair, n_v: float, q: float) -> tuple[float, float, float]:
    """Return what one layer does at infinite width, z from N(0, q).

    Args:
        phi: The activation function and its derivative.
        n_v: Width times variance of the weights.
        q: Second moment of the pre-activations; good to 4 digits up to 1e4.

    Returns:
        The q of the next layer, d_(l-1) / d_l, and G_(l-1) / G_l.

    Raises:
        ValueError: q is not positive.

    >>> [round(x, 3) for x in layer_ratios(RELU, 2.0, 0.7)]
    [0.7, 1.0, 1.0]
    >>> [round(x, 3) for x in layer_ratios(LOGISTIC, 1.0, 0.29)]
    [0.266, 0.055, 0.06]
    """
    if q <= 0:
        raise ValueError(f"q must be positive. Received: q={q}")
    x = np.linspace(-10, 10, 4000)  # no node at the kink
    weight = np.exp(-(x**2) / 2)
    weight /= weight.sum()
    z = math.sqrt(q) * x
    p, slope = float(weight @ phi[0](z) ** 2), float(weight @ phi[1](z) ** 2)
    return n_v * p, n_v * slope, q * slope / p


# --8<-- [end:ratio]


# --8<-- [start:networks]
@functools.cache
def simulate_cases(
    case: str, networks: int = NETWORKS, depth: int = DEPTH
) -> tuple[Array, Array]:
    """Return d_l and G_l of random networks, l = 1 … depth.

    The gradient at the last pre-activation is standard normal.

    Returns:
        Two arrays of shape (networks, depth).

    >>> d, G = simulate_cases("ReLU, n·v = 2", networks=2, depth=3)
    >>> d.shape, G.shape
    ((2, 3), (2, 3))
    """
    (phi, slope), n_v = CASES[case]
    rng = np.random.default_rng(SEED)
    h = rng.standard_normal((networks, WIDTH, 1))
    weights, inputs, z = [], [], []
    for _ in range(depth):
        draw = rng.standard_normal((networks, WIDTH, WIDTH), dtype=np.float32)
        weights.append(math.sqrt(n_v / WIDTH) * draw)
        inputs.append((h**2).mean((1, 2)))
        z.append(weights[-1] @ h)
        h = phi(z[-1])
    delta = rng.standard_normal((networks, WIDTH, 1))
    d = [(delta**2).mean((1, 2))]
    for layer in range(depth - 1, 0, -1):
        delta = slope(z[layer - 1]) * (weights[layer].mT @ delta)
        d.append((delta**2).mean((1, 2)))
    moments = np.stack(d[::-1], 1)
    return moments, moments * np.stack(inputs, 1)


def case_theory(case: str, depth: int = DEPTH) -> tuple[Array, Array]:
    """Return d_l and G_l relative to the last layer, at infinite width.

    Raises:
        ValueError: the case is none of CASES.
    """
    if case not in CASES:
        raise ValueError(f"Expected one of {list(CASES)}. Received: {case}")
    phi, n_v = CASES[case]
    q, d_steps, g_steps = n_v, [], []  # inputs have second moment 1
    for _ in range(depth - 1):
        q_next, d_step, g_step = layer_ratios(phi, n_v, q)
        d_steps.append(d_step)
        g_steps.append(g_step)
        q = q_next
    d, g = (
        np.append(np.cumprod(steps[::-1])[::-1], 1.0)
        for steps in (d_steps, g_steps)
    )
    return d, g


# --8<-- [end:networks]


if __name__ == "__main__":
    # --8<-- [start:demo]
    measured, predicted = {}, {}
    for case in CASES:
        pairs = zip(simulate_cases(case), case_theory(case), strict=True)
        for name, (x, y) in zip("dG", pairs, strict=True):
            factor = (x[:, 0] / x[:, -1]) ** (0.5 / (DEPTH - 1))
            error = factor.std(ddof=1) / math.sqrt(NETWORKS)
            measured[case, name] = (factor.mean(), error)
            predicted[case, name] = y[0] ** (0.5 / (DEPTH - 1))
    # --8<-- [end:demo]


# --8<-- [start:plot_layers]
def plot_layers() -> Figure:
    """Draw the gradients in z and in W by layer for the five cases."""
    layer = np.arange(1, DEPTH + 1)
    fig, axes = plt.subplots(2, figsize=(5.6, 5.8), sharex=True)
    fig.set_layout_engine("constrained", rect=(0, 0, 0.99, 1))
    for i, case in enumerate(CASES):
        pairs = zip(axes, simulate_cases(case), case_theory(case), strict=True)
        for ax, x, predicted in pairs:
            norm = np.exp(0.5 * np.log(x / x[:, -1:]).mean(0))
            ax.plot(layer, np.sqrt(predicted), ls="--", lw=1, color=f"C{i}")
            ax.plot(layer, norm, "o^sDv"[i], ms=4, color=f"C{i}", label=case)
    axes[0].set(yscale="log", ylabel="gradient in z, relative")
    axes[1].set(yscale="log", ylabel="gradient in W, relative")
    axes[1].set(xlabel="layer", xticks=[1, 4, 8, 12, 16])
    axes[1].legend(loc="lower right")
    return fig


if __name__ == "__main__":
    plot_layers()
    plt.show()
# --8<-- [end:plot_layers]
