"""Tuned for quadratics, heavy ball can circle forever on a convex function.

f'(x) = 25 x below 1, x + 24 up to 2, 25 x - 24 above: curvature 1 to 25

Lessard, Recht and Packard (2016).
"""

# --8<-- [start:imports]
from collections.abc import Callable

# --8<-- [end:imports]


# --8<-- [start:cycle]
def bent_slope(x: float) -> float:
    """Return the derivative of a strongly convex function, minimal at 0.

    >>> [bent_slope(x) for x in (-1.0, 0.0, 1.0, 2.0, 3.0)]
    [-25.0, 0.0, 25.0, 26.0, 51.0]
    """
    if x < 1:
        return 25 * x
    return x + 24 if x < 2 else 25 * x - 24


def momentum_path(
    slope: Callable[[float], float],
    start: float,
    rate: float,
    beta: float,
    steps: int,
    nesterov: bool = False,
) -> list[float]:
    """Return x_0 … x_steps of heavy ball or of Nesterov's method.

    Args:
        slope: derivative of the function.
        start: first point.
        rate: learning rate.
        beta: momentum.
        steps: number of steps.
        nesterov: take the derivative one step ahead.

    Raises:
        ValueError: beta is not in [0, 1).
    """
    if not 0 <= beta < 1:
        raise ValueError(f"Expected 0 <= beta < 1. Received: {beta=}")
    path, before = [start], start
    for _ in range(steps):
        now = path[-1]
        ahead = now + beta * (now - before)
        at = ahead if nesterov else now
        path.append(ahead - rate * slope(at))
        before = now
    return path


# --8<-- [end:cycle]


if __name__ == "__main__":
    # --8<-- [start:demo]
    last = {}
    for name, rate, beta, nesterov in (
        ("gradient descent", 2 / 26, 0.0, False),
        ("heavy ball", 1 / 9, 4 / 9, False),
        ("Nesterov", 1 / 25, 2 / 3, True),
    ):
        path = momentum_path(bent_slope, 3.3, rate, beta, 1000, nesterov)
        last[name] = [0.0 if abs(x) < 1e-9 else x for x in path[-4:]]
        print(f"{name:<17}", "  ".join(f"{x:7.3f}" for x in last[name]))
    # --8<-- [end:demo]
