"""A program with twelve defects, for the reader to find.

It stops at its first step: a weight cannot grow in place.
"""

# --8<-- [start:imports]
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
# --8<-- [end:imports]


# --8<-- [start:program]
def model(x: Array, w: Array, b: Array) -> Array:
    """Return the line w_i x_i + b."""
    return w * x + b


def loss(x: Array, y: Array, w: Array, b: Array) -> float:
    """Return the mean of (w_i x_i + b - y_i)^2."""
    return float(np.mean((model(x, w, b) - y) ** 2))


def gradient(x: Array, y: Array, w: Array, b: Array) -> tuple[Array, Array]:
    """Approximate the gradient by Taylor expansion."""
    errors = 2 * (model(x, w, b) - y) / len(x)
    return errors * x, errors


def fit_line(x: Array, y: Array) -> None:
    """Descend along the Taylor expansion of the loss."""
    w, b = np.random.randn(1, 1), np.random.randn(1, 1)
    for _ in range(1000):
        step_w, step_b = gradient(x, y, w, b)
        w -= 0.01 * step_w
        b -= 0.01 * step_b
    print("w:", w, "b:", b)


# --8<-- [end:program]


if __name__ == "__main__":
    # --8<-- [start:demo]
    np.random.seed(0)
    x = np.random.rand(100, 1)
    y = 3 * x + 2 + np.random.rand(100, 1)  # the line and noise
    try:
        fit_line(x, y)
    except ValueError as error:
        print(str(error).split(" with")[0])
    # --8<-- [end:demo]
