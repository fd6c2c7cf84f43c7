"""On a quadratic heavy ball turns (k - 1) / (k + 1) into one with sqrt(k).

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
        rate: Learning rate, finite.
        momentum: Heavy ball's beta, finite; 0 is gradient descent.
        low: Smallest eigenvalue, finite; between the ends no root is larger.
        high: Largest eigenvalue, finite.

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


def steps_needed(
    rate: float, momentum: float, low: float, high: float
) -> float:
    """Count steps until errors (1, 1) stay below a millionth of it.

    Args:
        rate: Learning rate.
        momentum: Heavy ball's beta, finite, from a start at rest.
        low: Smallest eigenvalue, finite.
        high: Largest eigenvalue.

    Returns:
        The number of steps; infinity if it diverges or has not come to rest
        below 1e-12 within 10000. An error that falls below a millionth and
        comes back still counts.

    >>> steps_needed(2 / 101, 0.0, 1.0, 100.0)
    691
    """
    eigenvalues = np.array([low, high])
    now = before = np.ones(2)
    above = 0
    for step in range(1, 10001):
        move = -rate * eigenvalues * now + momentum * (now - before)
        now, before = now + move, now
        distance = math.hypot(*now)
        if distance > 1e-6 * math.sqrt(2):
            above = step
        elif max(distance, math.hypot(*before)) < 1e-12:
            return above + 1
        if distance > 1e6:  # it diverges
            break
    return math.inf


# --8<-- [end:rate]


if __name__ == "__main__":
    # --8<-- [start:demo]
    rate, momentum = best_momentum(1.0, 100.0)
    plain = slowest_factor(2 / 101, 0.0, 1.0, 100.0)
    heavy = slowest_factor(rate, momentum, 1.0, 100.0)
    print(f"gradient descent {plain:.4f}, heavy ball {heavy:.4f}")
    best = min(
        slowest_factor(rate * a, b, 1.0, 100.0)
        for a in np.linspace(0.7, 1.3, 41)
        for b in np.linspace(0.5, 0.9, 41)
    )
    print(f"best of a grid of 1681 pairs: {best:.3f}")
    steps = [math.ceil(math.log(1e-6) / math.log(f)) for f in (plain, heavy)]
    print(f"steps to a millionth, by the factor: {steps[0]} and {steps[1]}")
    pairs = (2 / 101, 0.0), (rate, momentum)
    counts = [steps_needed(*pair, 1.0, 100.0) for pair in pairs]
    print(f"steps to a millionth, counted: {counts[0]} and {counts[1]}")
    fewest = min(
        (steps_needed(rate * a, b, 1.0, 100.0), a, b)
        for a in np.linspace(0.9, 1.02, 13)
        for b in np.linspace(0.6, 0.75, 16)
    )
    shorter = 100 * (1 - fewest[1])
    print(f"fewest on a grid: {fewest[0]}, beta {fewest[2]:.2f}")
    # --8<-- [end:demo]
