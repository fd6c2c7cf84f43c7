"""N(0, 0.01) for weights, whatever the width, keeps q at one width only.

q_l / q_{l-1} = n v / 2, with v = 0.0001 or 0.01 as 0.01 is read.
"""

# --8<-- [start:imports]
import math

import numpy as np
from numpy.typing import NDArray

SEED = 0
WIDTHS, DEPTH, NETWORKS = (64, 256, 1024), 10, 400
# --8<-- [end:imports]


# --8<-- [start:growth]
def fixed_std_growth(
    width: int, variance: float, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return q_11 / q_1 of ReLU networks without biases, one per network.

    Given q, the next pre-activations are n draws from a normal.

    Args:
        width: number of units.
        variance: of each weight.
        rng: source of randomness.

    Raises:
        ValueError: the variance is not positive.

    >>> rng = np.random.default_rng(0)
    >>> round(float(fixed_std_growth(256, 2 / 256, rng).mean()))
    1
    """
    if variance <= 0:
        raise ValueError(f"Expected a positive number. Received: {variance=}")
    q = np.ones(NETWORKS)
    for _ in range(DEPTH):
        g = rng.standard_normal((NETWORKS, width), dtype=np.float32)
        q = q * width * variance * (np.maximum(g, 0) ** 2).mean(1)
    return q


# --8<-- [end:growth]


if __name__ == "__main__":
    # --8<-- [start:demo]
    rng = np.random.default_rng(SEED)
    measured, predicted = {}, {}
    for width in WIDTHS:
        variances = {"std": 1e-4, "variance": 1e-2, "He": 2 / width}
        for rule, variance in variances.items():
            q = fixed_std_growth(width, variance, rng)
            measured[rule, width] = q.mean(), q.std() / math.sqrt(NETWORKS)
            predicted[rule, width] = (width * variance / 2) ** DEPTH
    # --8<-- [end:demo]
