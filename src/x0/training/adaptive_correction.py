"""Without its bias correction Adam starts with steps that are too long.

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
        ValueError: a beta is not in [0, 1).

    >>> adam_directions(np.array([[2.0], [2.0]])).round(6).ravel()
    array([1., 1.])
    """
    if not all(0 <= beta < 1 for beta in betas):
        raise ValueError(f"Expected 0 <= beta < 1. Received: {betas=}")
    m, u = np.zeros_like(gradients[0]), np.zeros_like(gradients[0])
    rows = []
    for t, g in enumerate(gradients, 1):
        m = betas[0] * m + (1 - betas[0]) * g
        u = betas[1] * u + (1 - betas[1]) * g**2
        scale = (1 - betas[0] ** t, 1 - betas[1] ** t) if corrected else (1, 1)
        rows.append(m / scale[0] / np.sqrt(u / scale[1]))
    return np.array(rows)


# --8<-- [end:moments]


# --8<-- [start:demo]
def excess_ratio(t: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the predicted ratio of uncorrected to corrected steps."""
    ratio: NDArray[np.float64] = (1 - 0.9**t) / np.sqrt(1 - 0.999**t)
    return ratio


def demo() -> dict[str, float | tuple[float, float]]:
    """Print the size of steps for pure signal and for pure noise."""
    rng = np.random.default_rng(SEED)
    noise = rng.standard_normal((3000, 400))
    signal = np.ones((3000, 1))
    values: dict[str, float | tuple[float, float]] = {}
    print("root mean square of steps / rate      t = 1     10    3000")
    for name, g in (("signal", signal), ("noise", noise)):
        for corrected in (False, True):
            steps = adam_directions(g, corrected=corrected)
            sizes = np.sqrt((steps**2).mean(1))[[0, 9, 2999]]
            label = "corrected" if corrected else "not corrected"
            print(f"{name:<8}{label:<26}", "".join(f"{s:8.2f}" for s in sizes))
            for t, s in zip((1, 10, 3000), sizes, strict=True):
                values[f"{name}_{int(corrected)}_{t}"] = float(s)
    worst = excess_ratio(np.arange(1, 100))
    values["worst"], values["worst_t"] = (
        float(worst.max()),
        worst.argmax() + 1.0,
    )
    values["floor"] = math.sqrt(0.1 / 1.9)
    return values


if __name__ == "__main__":
    demo()
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
