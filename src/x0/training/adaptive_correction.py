"""Without bias correction Adam, with its usual betas, starts with long steps.

uncorrected / corrected = (1 - beta1^t) / sqrt(1 - beta2^t)

Kingma and Ba (2015).
"""

# --8<-- [start:imports]
import math

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:moments]
def adam_directions(
    gradients: NDArray[np.float64],
    betas: tuple[float, float] = (0.9, 0.999),
    corrected: bool = True,
) -> NDArray[np.float64]:
    """Return the steps of Adam in units of the learning rate.

    Args:
        gradients: one row for each step, shape (steps, weights).
        betas: decay of both moments.
        corrected: divide the moments by 1 - beta^t.

    Raises:
        ValueError: a beta is not in [0, 1), or gradients are no finite
            matrix.

    >>> adam_directions(np.array([[2.0], [2.0]])).round(6).ravel()
    array([1., 1.])
    """
    if not all(0 <= beta < 1 for beta in betas):
        raise ValueError(f"Expected 0 <= beta < 1. Received: {betas=}")
    if gradients.ndim != 2 or not np.isfinite(gradients).all():
        raise ValueError(f"Expected finite rows. Received: {gradients}")
    gradients = gradients.astype(float)
    m, u = np.zeros(gradients.shape[1]), np.zeros(gradients.shape[1])
    rows = []
    for t, g in enumerate(gradients, 1):
        m = betas[0] * m + (1 - betas[0]) * g
        u = betas[1] * u + (1 - betas[1]) * g**2
        scale = (1 - betas[0] ** t, 1 - betas[1] ** t) if corrected else (1, 1)
        root = np.sqrt(u / scale[1])  # 0 if all gradients were 0, or tiny
        rows.append(m / scale[0] / np.where(root == 0, 1, root))
    return np.array(rows).reshape(gradients.shape)


# --8<-- [end:moments]


# --8<-- [start:ratio]
def excess_ratio(t: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return uncorrected over corrected step, predicted; t at least 1."""
    ratio: NDArray[np.float64] = (1 - 0.9**t) / np.sqrt(1 - 0.999**t)
    return ratio


# --8<-- [end:ratio]


if __name__ == "__main__":
    # --8<-- [start:demo]
    noise = np.random.default_rng(SEED).standard_normal((3000, 400))
    sizes = {}
    print("root mean square of steps / rate      t = 1     10    3000")
    for name, g in (("signal", np.ones((3000, 1))), ("noise", noise)):
        for corrected in (False, True):
            steps = adam_directions(g, corrected=corrected)
            rms = np.sqrt((steps**2).mean(1))[[0, 9, 2999]]
            label = "corrected" if corrected else "not corrected"
            print(f"{name:<8}{label:<26}", "".join(f"{s:8.2f}" for s in rms))
            sizes[name, label] = rms
    ratio = excess_ratio(np.arange(1, 100))
    worst, worst_step = ratio.max(), ratio.argmax() + 1
    floor = math.sqrt(0.1 / 1.9)
    # --8<-- [end:demo]


# --8<-- [start:plot_ratio]
def plot_ratio() -> Figure:
    """Draw how much longer uncorrected steps are."""
    rng = np.random.default_rng(SEED)
    gradients = 0.5 + rng.standard_normal((5000, 200))
    ratio = adam_directions(gradients, corrected=False)
    ratio = ratio / adam_directions(gradients)
    t = np.unique(np.geomspace(1, 5000, 60).astype(int))
    fig, ax = plt.subplots(figsize=(5.2, 3.0), layout="constrained")
    ax.plot(t, np.median(ratio, 1)[t - 1], "o", ms=4, label="measured")
    ax.plot(t, excess_ratio(t), "k--", lw=1, label="predicted")
    ax.axhline(1, color="0.5", lw=1, ls=":")
    ax.set_xscale("log")
    ax.set_xlabel("step")
    ax.set_ylabel("uncorrected / corrected")
    ax.legend()
    return fig


if __name__ == "__main__":
    plot_ratio()
    plt.show()
# --8<-- [end:plot_ratio]
