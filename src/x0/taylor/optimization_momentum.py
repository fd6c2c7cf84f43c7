"""Heavy ball turns the rate (k - 1) / (k + 1) into one with sqrt(k).

sqrt(beta) = (sqrt(k) - 1) / (sqrt(k) + 1), k = lambda_max / lambda_min

The step is 4 / (sqrt(lambda_max) + sqrt(lambda_min))^2 (Polyak 1964).
"""

# --8<-- [start:imports]
import math

import numpy as np

# --8<-- [end:imports]


# --8<-- [start:rate]
def slowest_factor(
    rate: float, momentum: float, low: float, high: float
) -> float:
    """Return the largest root of the two ends of the spectrum.

    Args:
        rate: Learning rate.
        momentum: Heavy ball's beta; 0 is gradient descent.
        low: Smallest eigenvalue; between the ends no root is larger.
        high: Largest eigenvalue.

    Returns:
        The factor per step by which the error shrinks in the long run.

    >>> round(slowest_factor(2 / 101, 0.0, 1.0, 100.0), 4)
    0.9802
    """
    found = 0.0
    for eigenvalue in (low, high):
        middle = 1 + momentum - rate * eigenvalue
        roots = np.roots([1.0, -middle, momentum])
        found = max(found, float(np.abs(roots).max()))
    return found


def best_momentum(low: float, high: float) -> tuple[float, float]:
    """Return the rate and the momentum with the smallest slowest factor.

    Raises:
        ValueError: If not 0 < low <= high, with "Received: ...".

    >>> rate, momentum = best_momentum(1.0, 100.0)
    >>> round(rate, 5), round(momentum, 5)
    (0.03306, 0.66942)
    """
    if not 0 < low <= high:
        raise ValueError(f"0 < low <= high. Received: {low}, {high}")
    a, b = math.sqrt(low), math.sqrt(high)
    return 4 / (a + b) ** 2, ((b - a) / (b + a)) ** 2


# --8<-- [end:rate]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print the factors for condition number 100 and a search around."""
    rate, momentum = best_momentum(1.0, 100.0)
    plain = slowest_factor(2 / 101, 0.0, 1.0, 100.0)
    heavy = slowest_factor(rate, momentum, 1.0, 100.0)
    print(f"gradient descent {plain:.4f}, heavy ball {heavy:.4f}")
    grid = [
        slowest_factor(rate * a, b, 1.0, 100.0)
        for a in np.linspace(0.7, 1.3, 41)
        for b in np.linspace(0.5, 0.9, 41)
    ]
    print(f"best of a grid of 1681 pairs: {min(grid):.3f}")
    steps = {
        name: math.ceil(math.log(1e-6) / math.log(factor))
        for name, factor in (("plain", plain), ("heavy", heavy))
    }
    print(f"steps to a millionth: {steps['plain']} and {steps['heavy']}")
    return {
        "plain": plain,
        "heavy": heavy,
        "grid": min(grid),
        "plain_steps": float(steps["plain"]),
        "heavy_steps": float(steps["heavy"]),
    }


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]
