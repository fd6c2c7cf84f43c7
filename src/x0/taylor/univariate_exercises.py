"""Two answers: where ξ lies, and which order a tolerance needs.

(ξ - expansion_point) / step -> 1 / (k + 2) as step -> 0

The second comes from the Lagrange bound with M = 1, for the sine.
"""

# --8<-- [start:imports]
import math

import numpy as np

# --8<-- [end:imports]


# --8<-- [start:intermediate]
def intermediate_fraction(order: int, step: float) -> float:
    """Return (ξ - x0) / step of the Lagrange form for exp.

    For exp the point ξ is known: exp(ξ - x0) = (k+1)! sum of step^n / n!
    over n > k, divided by step^(k+1). It does not depend on x0.

    Args:
        order: Order k of the polynomial.
        step: Distance x - x0, not 0.

    Returns:
        A number strictly between 0 and 1.

    Raises:
        ValueError: If ``order`` is negative or ``step`` is 0 or beyond 10,
            where the 60 terms end too early, with "Received: ...".

    >>> round(intermediate_fraction(1, 0.001), 3)
    0.333
    """
    if order < 0 or not 0 < abs(step) <= 10:
        raise ValueError(
            "order must be >= 0 and step not 0, at most 10. "
            f"Received: order={order}, step={step}"
        )
    j = np.arange(1, 60)  # terms after the first, which is 1
    ratios = np.cumprod(step / (order + 1 + j))
    return math.log1p(float(ratios.sum())) / step


# --8<-- [end:intermediate]


# --8<-- [start:sufficient]
def sufficient_order(half_width: float, tolerance: float) -> int:
    """Return the smallest k with half_width^(k+1) / (k+1)! <= tolerance.

    Args:
        half_width: The interval is [-half_width, half_width].
        tolerance: Largest error allowed, > 0.

    Returns:
        An order that suffices for sin and cos at 0.

    Raises:
        ValueError: If ``tolerance`` is not positive, or ``half_width`` is
            negative or above 700, whose powers overflow: "Received: ...".

    >>> sufficient_order(math.pi, 1e-3)
    12
    """
    if not tolerance > 0 or not 0 <= half_width <= 700:
        raise ValueError(
            "tolerance must be > 0, half_width from 0 to 700. "
            f"Received: tolerance={tolerance}, half_width={half_width}"
        )
    order, bound = 0, half_width
    while bound > tolerance:
        order += 1
        bound *= half_width / (order + 1)
    return order


# --8<-- [end:sufficient]


if __name__ == "__main__":
    # --8<-- [start:demo]
    near = [intermediate_fraction(k, 0.01) for k in range(4)]
    far = [intermediate_fraction(k, 1.0) for k in range(4)]
    for k in range(4):
        print(
            f"order {k}: ξ at {near[k]:.3f} of a step 0.01, "
            f"{far[k]:.3f} of a step 1, limit {1 / (k + 2):.3f}"
        )
    order = sufficient_order(math.pi, 1e-3)
    x = np.linspace(-math.pi, math.pi, 2001)
    sine = [[0, 1, 0, -1][n % 4] / math.factorial(n) for n in range(order + 1)]
    bounds = {}
    errors = {}
    for k in (order - 2, order):
        polynomial = np.polynomial.polynomial.polyval(x, sine[: k + 1])
        error = errors[k] = np.abs(np.sin(x) - polynomial).max()
        bound = bounds[k] = math.pi ** (k + 1) / math.factorial(k + 1)
        print(f"sin, order {k}: bound {bound:.1e}, largest error {error:.1e}")
    # --8<-- [end:demo]
