"""N(0, 0.01) for weights knows neither the width nor the optimizer.

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

    Given q, the next pre-activations are n draws from a normal law.

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


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print what ten layers do to q under both readings of 0.01."""
    rng = np.random.default_rng(SEED)
    values: dict[str, float | tuple[float, float]] = {}
    print("q after 10 layers    std 0.01    variance 0.01      He")
    for width in WIDTHS:
        row = []
        rules = (("std", 1e-4), ("variance", 1e-2), ("he", 2 / width))
        for name, variance in rules:
            q = fixed_std_growth(width, variance, rng)
            error = float(q.std()) / math.sqrt(NETWORKS)
            values[f"{name}_{width}"] = float(q.mean()), error
            values[f"{name}_{width}_theory"] = (width * variance / 2) ** DEPTH
            row.append(float(q.mean()))
        print(f"  width {width:<10d}", end="")
        print(f"{row[0]:11.0e}{row[1]:17.1g}{row[2]:8.1f}")
    return values


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]
