"""If a gradient is right, the error of the linear model has slope 2 or more.

f(x + h v) - f(x) - h g . v = h^2 v . (H v) / 2 + O(h^3)

A mistake in g leaves a part that falls like h: for small h the slope is 1.
"""

# --8<-- [start:imports]
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
SEED = 0
# --8<-- [end:imports]


# --8<-- [start:check]
def check_gradient(
    function: Callable[[Array], float],
    gradient: Callable[[Array], Array],
    point: Array,
    directions: int = 5,
    seed: int = SEED,
) -> float:
    """Return the smallest slope of the error of the linear model.

    The step is halved as long as the error stays far above rounding; the
    slope is read off the last halvings, where a small mistake shows best.

    Args:
        function: Maps a vector to a number, in float64.
        gradient: Maps a vector to the gradient to check, shape (n,).
        point: Where, shape (n,). A kink must not be near.
        directions: How many random directions to try.
        seed: Seed of the directions.

    Returns:
        About 2, or more, if the gradient is right; about 1 if an entry is
        off by 1e-4 of the gradient's length or more: 1e-6 already hides.
        Infinity if the function is linear as far as rounding can tell.

    Raises:
        ValueError: If the shape of the gradient is not that of the point,
            the value no single number, one of them not finite near it,
            without directions or with a negative seed, with "Received: ...".

    >>> x = np.array([0.5, -1.0])
    >>> round(check_gradient(lambda x: x @ x, lambda x: 2 * x, x), 3)
    2.0
    >>> round(check_gradient(lambda x: x @ x, lambda x: x, x), 3)
    1.0
    """
    if directions < 1 or seed < 0:
        raise ValueError(f"Received: {directions=}, {seed=}")
    point = np.asarray(point)
    slope = np.asarray(gradient(point), dtype=np.float64)
    if slope.ndim != 1 or slope.shape != np.shape(point):
        raise ValueError(
            "the gradient must be a vector, of the shape of the point. "
            f"Received: {slope.shape}, {np.shape(point)}"
        )
    start = np.asarray(function(point), dtype=np.float64)
    if start.size != 1:
        raise ValueError(f"Expected a number. Received: {start}")
    value, rng, found = start.item(), np.random.default_rng(seed), []
    for _ in range(directions):
        v = rng.standard_normal(len(point))
        v /= np.linalg.norm(v)
        errors, step = [], 0.1
        while step > 1e-12:
            moved = np.asarray(function(point + step * v), float).item()
            error = abs(moved - value - step * float(slope @ v))
            noise = np.finfo(float).eps * max(abs(value), abs(moved))
            if error <= 1e4 * noise:
                break  # what is left is rounding
            errors.append(error)
            step /= 2
        last = errors[-4:]
        if not np.isfinite(last[-1:]).all():
            raise ValueError(f"Not finite. Received: {value=}, {slope=}")
        if len(last) > 1:
            found.append(math.log2(last[0] / last[-1]) / (len(last) - 1))
    return min(found, default=math.inf)


# --8<-- [end:check]


if __name__ == "__main__":
    # --8<-- [start:demo]
    rng = np.random.default_rng(SEED)
    inputs, labels = rng.standard_normal((50, 4)), rng.integers(0, 2, 50)

    def loss(w: Array) -> float:
        """Return the mean cross-entropy of a logistic regression."""
        z = inputs @ w
        return float(np.mean(np.logaddexp(0, z) - labels * z))

    def slopes(w: Array) -> Array:
        """Return its gradient."""
        errors = 1 / (1 + np.exp(-inputs @ w)) - labels
        slope: Array = inputs.T @ errors / len(labels)
        return slope

    def almost(w: Array) -> Array:
        """Return it with one entry off by a thousandth."""
        wrong: Array = slopes(w) * np.array([1.001, 1, 1, 1])
        return wrong

    w = rng.standard_normal(4)
    right = check_gradient(loss, slopes, w)
    wrong = check_gradient(loss, almost, w)
    print(f"right: slope {right:.2f}; one entry off by 0.1%: {wrong:.2f}")
    # --8<-- [end:demo]
