"""Centered, scaled inputs give every mode the same curvature.

H = 2 I, so that kappa = 1 and the rate 1/2 is exact in one step

A target of shape (m,) against predictions of shape (m, 1) fits a constant.
"""

# --8<-- [start:imports]
import numpy as np
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


# --8<-- [end:helpers]


# --8<-- [start:exercises]
def condition_number(x: Array) -> float:
    """Return the ratio of the eigenvalues of the Hessian matrix.

    Rounding hides the smaller one if x lies 1e7 times its spread from 0.

    Args:
        x: Inputs, finite, not empty, shape (m,).

    Raises:
        ValueError: If all inputs are equal, or not as above, with
            "Received: ...".

    >>> round(condition_number(np.array([-1.0, 1.0])), 9)
    1.0
    """
    if x.ndim != 1 or not np.isfinite(x).all() or len({*x}) < 2:
        raise ValueError(f"x must hold two different values. Received: {x}")
    low, high = np.linalg.eigvalsh(line_hessian(x))
    return float(high / low)


def steps_to_shrink(rate: float, eigenvalue: float, part: float) -> int:
    """Return the steps after which at most this part of a mode is left.

    Raises:
        ValueError: If the mode does not shrink from step to step, or is gone
            after one, or the part is not between 0 and 1, with
            "Received: ...".

    >>> steps_to_shrink(0.5, 1.0, 0.25)
    2
    """
    factor = abs(1 - rate * eigenvalue)
    if not (0 < factor < 1 and 0 < part < 1):
        raise ValueError(f"Expected 0 to 1. Received: {factor=}, {part=}")
    return int(np.ceil(np.log(part) / np.log(factor)))


def crossed_loss(theta: Array, x: Array, y: Array) -> float:
    """Return the mean of (prediction_i - target_j)^2 over all pairs.

    This is what column minus row computes: shape (m, 1) against (m,). The
    inputs x are not empty.

    >>> crossed_loss(np.zeros(2), np.ones(3), np.array([0.0, 0.0, 3.0]))
    3.0
    """
    prediction = (theta[0] * x + theta[1])[:, None]
    return float(np.mean((prediction - y) ** 2))


# --8<-- [end:exercises]


if __name__ == "__main__":
    # --8<-- [start:demo]
    x, y, _ = line_data()
    scaled = (x - x.mean()) / x.std()
    kappa = {}
    for name, inputs in (("raw", x), ("far", x + 100), ("scaled", scaled)):
        kappa[name] = condition_number(inputs)
        print(f"{name + ':':8} kappa {kappa[name]:.3g}")
    step = -0.5 * line_gradient(np.zeros(2), scaled, y)
    w, b = step[0] / x.std(), step[1] - step[0] * x.mean() / x.std()
    print(f"one step on scaled inputs: w {w:.4f}, b {b:.4f}")
    low = np.linalg.eigvalsh(line_hessian(x))[0]
    steps = {}
    for rate in (0.01, 0.5, 0.7653):
        steps[rate] = steps_to_shrink(rate, low, 0.01)
        print(f"rate {rate}: 1% is left after {steps[rate]} steps")
    constant = crossed_loss(np.array([0.0, y.mean()]), x, y)
    tilted = crossed_loss(np.array([2.9366, 2.5581]), x, y)
    print(f"crossed loss, constant: {constant:.3f}")
    print(f"crossed loss, best line: {tilted:.3f}")
    # --8<-- [end:demo]
