"""A sum forgotten over the samples turns one model into one per sample.

residual_i after t steps = (1 - 2 * rate / m * (x_i^2 + 1))^t * residual_i

In place, NumPy refuses to grow the weight; out of place it grows silently.
"""

# --8<-- [start:imports]
from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

SEED = 0
Array = NDArray[np.float64]
# --8<-- [end:imports]


# --8<-- [start:helpers]
def line_data(seed: int = SEED, count: int = 100) -> tuple[Array, Array, Array]:
    """Draw x from U(0, 1), y = 3x + 2 + U(0, 1), and a start (w, b).

    The legacy generator, kept local, draws the numbers that the same calls
    draw after ``np.random.seed(seed)``.

    >>> x, y, start = line_data()
    >>> start.round(3).tolist()
    [1.127, -1.08]
    """
    rng = np.random.RandomState(seed)
    x = rng.rand(count)
    return x, 3 * x + 2 + rng.rand(count), rng.randn(2)


# --8<-- [end:helpers]


# --8<-- [start:crash]
def broadcast_error() -> str:
    """Subtract one number per sample from one weight, in place.

    >>> broadcast_error()[:35]
    'non-broadcastable output operand wi'
    """
    weight = np.zeros((1, 1))
    one_per_sample = np.ones((100, 1))
    try:
        weight -= 0.01 * one_per_sample
    except ValueError as error:
        return str(error)
    return "no error"


# --8<-- [end:crash]


# --8<-- [start:repairs]
def descend_reduced(
    start: Array,
    x: Array,
    y: Array,
    rate: float,
    steps: int,
    reduce: Callable[[Array], Array],
) -> tuple[Array, Array]:
    """Descend, with one of three ways to reduce the derivatives.

    Args:
        start: The pair (w, b), shape (2,).
        x: Inputs, not empty, shape (m,).
        y: Targets, shape (m,).
        rate: The learning rate.
        steps: How many updates.
        reduce: np.sum is right; np.mean divides by m a second time;
            np.asarray keeps one derivative per sample.

    Returns:
        w and b: shape (1, 1), or (m, 1) if nothing was reduced.

    Warns:
        RuntimeWarning: The descent diverges and numbers overflow.

    >>> x, y, start = line_data()
    >>> descend_reduced(start, x, y, 0.01, 1, np.asarray)[0].shape
    (100, 1)
    """
    column, target = x[:, None], y[:, None]
    w, b = start[:1, None], start[1:, None]
    for _ in range(steps):
        per_sample = 2 / len(x) * (w * column + b - target)
        w = w - rate * reduce(per_sample * column)
        b = b - rate * reduce(per_sample)
    return w, b


def one_newton_step(start: Array, x: Array, y: Array) -> tuple[Array, Array]:
    """Return w and b, shape (1, 1): least squares of what is left over.

    The inputs x are finite.

    >>> x, y, start = line_data()
    >>> [round(part.item(), 4) for part in one_newton_step(start, x, y)]
    [2.9366, 2.5581]
    """
    design = np.column_stack([x, np.ones_like(x)])
    step = np.linalg.lstsq(design, y - design @ start, rcond=None)[0]
    w, b = (start + step)[:, None, None]
    return w, b


# --8<-- [end:repairs]


if __name__ == "__main__":
    # --8<-- [start:demo]
    x, y, start = line_data()
    print(broadcast_error())
    fits = {
        "no sum": descend_reduced(start, x, y, 0.01, 1000, np.asarray),
        "mean": descend_reduced(start, x, y, 0.01, 1000, np.mean),
        "sum": descend_reduced(start, x, y, 0.01, 1000, np.sum),
        "Newton": one_newton_step(start, x, y),
    }
    lines = {}
    losses = {}
    for name, (w, b) in fits.items():
        losses[name] = np.mean((w[:, 0] * x + b[:, 0] - y) ** 2)
        if len(w) == 1:
            lines[name] = w.item(), b.item()
            found = f"w {w.item():.3f}, b {b.item():.3f}"
        else:
            found = f"w of shape {w.shape}"
        print(f"{name:7}", found, f"loss {losses[name]:.4f}")
    each = fits["no sum"][0]
    smallest, largest = each.min(), each.max()
    w, b = descend_reduced(start, x, y, 0.5, 1000, np.asarray)
    memorized = np.mean((w[:, 0] * x + b[:, 0] - y) ** 2)
    print(f"no sum, rate 0.5: loss {memorized:.1e}")
    # --8<-- [end:demo]


# --8<-- [start:plot_fits]
def plot_fits() -> Figure:
    """Draw what each repair predicts after 1000 steps at rate 0.01."""
    x, y, start = line_data()
    figure, axis = plt.subplots(figsize=(5.2, 4.0))
    axis.plot(x, y, "o", color="0.5", ms=3, label="data points")
    w, b = descend_reduced(start, x, y, 0.01, 1000, np.asarray)
    axis.plot(x, w[:, 0] * x + b[:, 0], "C3x", ms=4, label="not summed")
    ends = np.array([0.0, 1.0])
    w, b = descend_reduced(start, x, y, 0.01, 1000, np.mean)
    axis.plot(ends, w[0] * ends + b[0], "C1-.", label="mean over points")
    w, b = descend_reduced(start, x, y, 0.01, 1000, np.sum)
    axis.plot(ends, w[0] * ends + b[0], "C0-", label="sum over points")
    w, b = one_newton_step(start, x, y)
    axis.plot(ends, w[0] * ends + b[0], "k--", lw=1, label="one Newton step")
    axis.set(xlabel="x", ylabel="y", ylim=(-1, 8.5))
    axis.legend(loc="upper left", ncols=2)
    return figure


if __name__ == "__main__":
    plot_fits()
    plt.show()
# --8<-- [end:plot_fits]
