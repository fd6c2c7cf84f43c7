"""The mean squared error of a line is quadratic: one Newton step is exact.

theta - H^-1 g = least squares, from every start theta

The gradient g is computed, not approximated; the second-order Taylor
polynomial of a quadratic function is the function itself.
"""

# --8<-- [start:imports]
import numpy as np
from numpy.typing import NDArray

SEED = 0
Array = NDArray[np.float64]
# --8<-- [end:imports]


# --8<-- [start:data]
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


# --8<-- [end:data]


# --8<-- [start:model]
def line_loss(theta: Array, x: Array, y: Array) -> float:
    """Return the mean squared error of the line w x + b.

    Args:
        theta: The pair (w, b), shape (2,).
        x: Inputs, not empty, shape (m,).
        y: Targets, shape (m,).

    >>> line_loss(np.array([1.0, 0.0]), np.array([0.0, 2.0]), np.ones(2))
    1.0
    """
    return float(np.mean((theta[0] * x + theta[1] - y) ** 2))


def line_gradient(theta: Array, x: Array, y: Array) -> Array:
    """Return the exact derivatives of the mean squared error by (w, b).

    Args:
        theta: The pair (w, b), finite, shape (2,).
        x: Inputs, finite, not empty, shape (m,).
        y: Targets, finite, shape (m,).

    Raises:
        ValueError: If a shape differs, x is empty or a number is not finite,
            with "Received: ...".

    >>> line_gradient(np.zeros(2), np.array([1.0, 3.0]), np.ones(2)).tolist()
    [-4.0, -2.0]
    """
    if theta.shape != (2,) or x.ndim != 1 or x.shape != y.shape:
        raise ValueError(
            "theta must have shape (2,), x and y one shape (m,). "
            f"Received: {theta.shape}, {x.shape}, {y.shape}"
        )
    if not len(x) or not np.isfinite([*theta, *x, *y]).all():
        raise ValueError(f"Expected numbers. Received: {theta}, {x}, {y}")
    residual = theta[0] * x + theta[1] - y
    return 2 / len(x) * np.array([np.sum(residual * x), np.sum(residual)])


def line_hessian(x: Array) -> Array:
    """Return the matrix of second derivatives, shape (2, 2).

    It depends on the inputs only: not on (w, b), not on the targets.

    Args:
        x: Inputs, finite, not empty, shape (m,).

    >>> line_hessian(np.array([0.0, 1.0])).tolist()
    [[1.0, 1.0], [1.0, 2.0]]
    """
    design = np.column_stack([x, np.ones_like(x)])
    return 2 / len(x) * design.T @ design


# --8<-- [end:model]


# --8<-- [start:newton]
def newton_line(theta: Array, x: Array, y: Array) -> Array:
    """Return the minimum of the second-order Taylor polynomial at theta.

    Args:
        theta: The pair (w, b), finite, shape (2,).
        x: Inputs, finite, not empty, shape (m,).
        y: Targets, finite, shape (m,).

    Raises:
        ValueError: If all inputs are equal, so that the Hessian matrix is
            singular, with "Received: ...".

    >>> x, y, start = line_data()
    >>> newton_line(start, x, y).round(6).tolist()
    [2.936551, 2.55808]
    """
    gradient = line_gradient(theta, x, y)
    if np.ptp(x) == 0:
        raise ValueError(f"x must hold two different values. Received: {x}")
    return theta - np.linalg.solve(line_hessian(x), gradient)


# --8<-- [end:newton]


if __name__ == "__main__":
    # --8<-- [start:demo]
    x, y, start = line_data()
    design = np.column_stack([x, np.ones_like(x)])
    best = np.array(np.linalg.lstsq(design, y, rcond=None)[0], float)
    loss = line_loss(best, x, y)
    noise = (y - 3 * x - 2).mean()
    far = np.array([1000.0, -1000.0])
    print("start (w, b):       ", start.round(3))
    print("gradient there:     ", line_gradient(start, x, y).round(3))
    print("one Newton step:    ", newton_line(start, x, y).round(4))
    print("from (1000, -1000): ", newton_line(far, x, y).round(4))
    print("least squares:      ", best.round(4))
    print(f"its loss:            {loss:.4f}")
    low, high = np.linalg.eigvalsh(line_hessian(x))
    limit = 2 / high
    print(f"eigenvalues of H:    {low:.4f}, {high:.4f}")
    print(f"largest stable rate: {limit:.4f}")
    # --8<-- [end:demo]
