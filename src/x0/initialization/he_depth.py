"""Each layer multiplies a ReLU network's second moment by n Var(w) / 2.

q_l = (n * Var(w) / 2) * q_{l-1}

He et al. (2015), eq. (10), is the case in which the factor is 1.
"""

# --8<-- [start:imports]
import math

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

SEED = 0
WIDTH, DEPTH, NETWORKS = 256, 50, 2000
STD = {
    "std 0.01": 0.01,
    "Xavier": math.sqrt(1 / WIDTH),
    "He": math.sqrt(2 / WIDTH),
    "1.5 × He": 1.5 * math.sqrt(2 / WIDTH),
}
# --8<-- [end:imports]


# --8<-- [start:moments]
def second_moments(
    std: list[float],
    width: int,
    depth: int,
    networks: int,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return q_0 … q_depth of ReLU networks for several weight deviations.

    Given q, the pre-activations of the next layer are n draws from N(0, q):
    one input needs no weight matrices. relu(sqrt(q) g) = sqrt(q) relu(g), so
    the same g serves every std.

    Returns:
        Array of shape (len(std), depth + 1, networks); q_0 is 1.

    Raises:
        ValueError: a standard deviation is not positive.

    >>> rng = np.random.default_rng(0)
    >>> q = second_moments([0.125], 128, 2, 500, rng)
    >>> q.shape, round(float(q[0, 2].mean()), 1)
    ((1, 3, 500), 1.0)
    """
    if min(std) <= 0:
        raise ValueError(f"Expected positive deviations. Received: {std=}")
    n_v = width * np.square(std)[:, None]
    q = [np.ones((len(std), networks))]
    for _ in range(depth):
        g = rng.standard_normal((networks, width), dtype=np.float32)
        q.append(n_v * q[-1] * (np.maximum(g, 0) ** 2).mean(axis=1))
    return np.stack(q, axis=1)


# --8<-- [end:moments]


if __name__ == "__main__":
    # --8<-- [start:demo]
    rng = np.random.default_rng(SEED)
    q = second_moments(list(STD.values()), WIDTH, DEPTH, NETWORKS, rng)
    mean, error = q.mean(axis=2), q.std(axis=2) / math.sqrt(NETWORKS)
    measured = {
        name: list(zip(mean[i], error[i], strict=True))
        for i, name in enumerate(STD)
    }
    layers = np.arange(DEPTH + 1)
    predicted = {name: (WIDTH * s * s / 2) ** layers for name, s in STD.items()}
    print("             predicted  measured factor of q per layer")
    for name, pairs in measured.items():
        factor = (pairs[30][0] / pairs[0][0]) ** (1 / 30)
        print(f"{name:<12}{predicted[name][1]:10.4f}{factor:10.3g}")
    # --8<-- [end:demo]


# --8<-- [start:plot_forward]
def plot_forward() -> Figure:
    """Draw the mean of q by layer for four weight deviations, log scale."""
    rng = np.random.default_rng(SEED)
    q = second_moments(list(STD.values()), WIDTH, DEPTH, NETWORKS, rng)
    fig, ax = plt.subplots(figsize=(5.6, 3.6))
    fig.set_layout_engine("constrained", rect=(0, 0, 0.98, 1))
    layers = np.arange(0, DEPTH + 1, 5)
    for i, (name, s) in enumerate(STD.items()):
        theory = (WIDTH * s * s / 2) ** layers
        ax.plot(layers, theory, ls="--", lw=1, color="black")
        mean = q[i].mean(axis=1)[layers]
        color = f"C{'2103'[i]}"
        ax.plot(layers, mean, "o^sD"[i], ms=5, color=color)
        ax.text(DEPTH + 1.5, mean[-1], name, color=color, va="center")
    ax.set_yscale("log")
    ax.set_xlabel("layer")
    ax.set_ylabel("second moment q")
    return fig


if __name__ == "__main__":
    plot_forward()
    plt.show()
# --8<-- [end:plot_forward]
