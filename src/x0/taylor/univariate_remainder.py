"""The Lagrange form bounds the remainder of a Taylor polynomial.

|R_k| <= M / (k+1)! * |step|^(k+1) if |f^(k+1)| <= M between the two points

The integral form is exact (Rudin 1976, Theorem 5.15, for the Lagrange form;
Apostol 1967, chapter 7, for both).
"""

# --8<-- [start:imports]
import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
from numpy.typing import NDArray

# --8<-- [end:imports]


# --8<-- [start:bound]
def remainder_bound(derivative_bound: float, order: int, step: float) -> float:
    """Return a float that is never below M / (k+1)! * |step|^(k+1).

    The product is formed exactly, in rational numbers, and rounded up.

    Args:
        derivative_bound: M, with |f^(k+1)| <= M from the expansion point to
            the expansion point + step. A wrong M gives a wrong bound.
        order: Degree k of the polynomial.
        step: Distance x - expansion_point.

    Returns:
        The bound; inf if it exceeds the largest float.

    Raises:
        ValueError: If ``order`` is negative, M is negative or one of the
            numbers is not finite, with "Received: ...".

    >>> round(remainder_bound(math.e, 3, 1.0), 6)
    0.113262
    """
    if order < 0:
        raise ValueError(f"order must be >= 0. Received: order={order}")
    if not (0 <= derivative_bound < math.inf and math.isfinite(step)):
        raise ValueError(
            "derivative_bound must be finite and >= 0, and step finite. "
            f"Received: derivative_bound={derivative_bound}, step={step}"
        )
    power = Fraction(float(abs(step))) ** (order + 1)
    exact = (
        Fraction(float(derivative_bound)) * power / math.factorial(order + 1)
    )
    try:
        rounded = float(exact)
    except OverflowError:
        return math.inf
    return rounded if rounded >= exact else math.nextafter(rounded, math.inf)


# --8<-- [end:bound]


# --8<-- [start:integral]
def integral_remainder(
    derivative: Callable[[NDArray[np.float64]], NDArray[np.float64]],
    order: int,
    expansion_point: float,
    step: float,
    nodes: int = 32,
) -> float:
    """Evaluate the integral form of the remainder by Gauss-Legendre nodes.

    Nothing cancels, so small remainders keep their digits.

    Args:
        derivative: The derivative of order k + 1, on an array of points.
        order: Degree k of the polynomial, at most 170.
        expansion_point: Where the polynomial was made.
        step: Distance x - expansion_point.
        nodes: Number of quadrature nodes.

    Returns:
        R_k(step), with its sign.

    Raises:
        ValueError: If ``order`` is not as above, ``nodes`` below 1 or the
            step infinite, with "Received: ...".

    Warns:
        RuntimeWarning: The derivative overflows.

    >>> exact = math.e - 1 - 1 - 1 / 2
    >>> round(integral_remainder(np.exp, 2, 0.0, 1.0) / exact, 12)
    1.0
    """
    if not 0 <= order <= 170 or nodes < 1 or not math.isfinite(step):
        raise ValueError(
            "order must be 0 to 170, nodes >= 1, the step finite. "
            f"Received: order={order}, nodes={nodes}, step={step}"
        )
    node, weight = np.polynomial.legendre.leggauss(nodes)
    s = (node + 1) / 2
    values = (1 - s) ** order * derivative(expansion_point + step * s)
    scale = step ** (order + 1) / math.factorial(order)
    return float(scale * (weight / 2 * values).sum())


# --8<-- [end:integral]


if __name__ == "__main__":
    # --8<-- [start:demo]
    start, step = 0.7, 0.5
    end = math.exp(start + step)  # exp is largest at the end
    terms = [math.exp(start) * step**n / math.factorial(n) for n in range(4)]
    errors = [end - sum(terms[: k + 1]) for k in range(4)]
    bounds = [remainder_bound(end, k, step) for k in range(4)]
    print("order   f - T_k   integral   bound     error / bound")
    for k, (error, bound) in enumerate(zip(errors, bounds, strict=True)):
        integral = integral_remainder(np.exp, k, start, step)
        print(
            f"{k:5d}   {error:.5f}   {integral:.5f}    {bound:.5f}   "
            f"{error / bound:.2f}"
        )
    # --8<-- [end:demo]
