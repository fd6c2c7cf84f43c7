"""Each eigenvalue of H has its own factor; the largest sets the limit.

error along mode i after t steps = (1 - rate * lambda_i)^t * error at 0

Gradient descent converges to least squares from every start if and only if
the rate lies between 0 and 2 / lambda_max.
"""

# --8<-- [start:imports]
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


# --8<-- [start:descent]
def descend_line(
    start: Array, x: Array, y: Array, rate: float, steps: int
) -> Array:
    """Return the iterates (w, b) of gradient descent, shape (steps + 1, 2).

    The inputs x are not empty.

    Warns:
        RuntimeWarning: The descent diverges and numbers overflow.

    >>> x, y, start = line_data()
    >>> descend_line(start, x, y, 0.5, 1000)[-1].round(6).tolist()
    [2.936551, 2.55808]
    """
    design = np.column_stack([x, np.ones_like(x)])
    path = [start]
    for _ in range(steps):
        gradient = 2 / len(x) * design.T @ (design @ path[-1] - y)
        path.append(path[-1] - rate * gradient)
    return np.array(path)


def line_modes(x: Array, y: Array) -> tuple[Array, Array, Array]:
    """Return eigenvalues and eigenvectors of H, and least squares (w, b).

    The inputs x, finite and not empty, and the targets y have shape (m,).

    >>> line_modes(np.array([0.0, 1.0]), np.array([2.0, 5.0]))[2].round(9)
    array([3., 2.])
    """
    design = np.column_stack([x, np.ones_like(x)])
    best = np.array(np.linalg.lstsq(design, y, rcond=None)[0], float)
    eigenvalues, vectors = np.linalg.eigh(2 / len(x) * design.T @ design)
    return eigenvalues, vectors, best


def excess_loss(path: Array, x: Array, y: Array) -> Array:
    """Return loss minus least loss along a path of shape (T, 2).

    Half the quadratic form of the error keeps the digits that a difference
    of two losses has lost. The path is finite; x, finite and not empty, and
    y are as in line_modes.

    >>> x, y = np.array([0.0, 1.0]), np.array([2.0, 5.0])
    >>> excess_loss(np.array([[3.0, 3.0]]), x, y).round(9).tolist()
    [1.0]
    """
    eigenvalues, vectors, best = line_modes(x, y)
    return ((path - best) @ vectors) ** 2 @ eigenvalues / 2


def predicted_loss(
    start: Array, x: Array, y: Array, rate: float, steps: NDArray[np.int64]
) -> Array:
    """Predict the excess loss from the eigenvalues, without iterating.

    The inputs x, finite and not empty, and y are as in line_modes.

    Warns:
        RuntimeWarning: The descent diverges and numbers overflow.

    >>> x, y, start = line_data()
    >>> predicted_loss(start, x, y, 0.5, np.array([0, 20])).round(6).tolist()
    [20.46587, 4e-06]
    """
    eigenvalues, vectors, best = line_modes(x, y)
    powers = (1 - rate * eigenvalues) ** steps[:, None]
    return (powers * ((start - best) @ vectors)) ** 2 @ eigenvalues / 2


# --8<-- [end:descent]


if __name__ == "__main__":
    # --8<-- [start:demo]
    x, y, start = line_data()
    eigenvalues, vectors, best = line_modes(x, y)
    slow, fast = np.abs((start - best) @ vectors)
    kept = (1 - 0.01 * eigenvalues[0]) ** 1000
    print(f"random start: error {slow:.3f} slow, {fast:.3f} fast")
    print(f"rate 0.01: 1000 steps keep {kept:.1%} of the slow error")
    ends = {}
    for name, origin in (("random", start), ("zero", np.zeros(2))):
        w, b = ends[name] = descend_line(origin, x, y, 0.01, 1000)[-1]
        print(f"  from the {name} start: w {w:.3f}, b {b:.3f}")
    w, b = descend_line(np.zeros(2), x, y, 0.5, 1000)[-1]
    print(f"rate 0.5 from zero: w {w:.3f}, b {b:.3f}")
    factors = {}
    for rate in (0.8, 0.81):
        before, after = excess_loss(
            descend_line(start, x, y, rate, 500)[-2:], x, y
        )
        factor = factors[rate] = np.sqrt(after / before)
        print(f"rate {rate}: one step multiplies the error by {factor:.4f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_loss]
def plot_loss() -> Figure:
    """Draw the excess loss for rates on both sides of 2 / lambda_max."""
    x, y, _ = line_data()
    start, steps = np.zeros(2), np.arange(0, 201, 10)
    figure, axis = plt.subplots(figsize=(5.2, 3.9))
    rates = (0.01, 0.5, 0.7653, 0.81)
    for i, (rate, marker) in enumerate(zip(rates, "osD^", strict=True)):
        predicted = predicted_loss(start, x, y, rate, steps)
        axis.plot(steps, predicted, f"C{i}--", lw=1)
        path = descend_line(start, x, y, rate, 200)[steps]
        loss = excess_loss(path, x, y)
        axis.plot(steps, loss, f"C{i}{marker}", ms=4, label=f"η = {rate}")
    axis.set(yscale="log", xlabel="step", ylabel="loss − least loss")
    axis.legend()
    return figure


if __name__ == "__main__":
    plot_loss()
    plt.show()
# --8<-- [end:plot_loss]
