"""exp(-1 / x^2) has every derivative zero at 0 and yet is not zero.

f^(n)(x) = P_n(1/x) exp(-1/x^2), P_(n+1)(u) = 2 u^3 P_n(u) - u^2 P_n'(u)

Its Taylor polynomials at 0 are all zero, so the remainder is f itself.
"""

# --8<-- [start:imports]
import math

import numpy as np
from numpy.polynomial import Polynomial
from numpy.typing import NDArray

# --8<-- [end:imports]


# --8<-- [start:derivative]
def flat_polynomial(order: int) -> Polynomial:
    """Return P_n, which has degree 3 n and integer coefficients.

    Args:
        order: n, the order of the derivative.

    Returns:
        The polynomial in u = 1 / x.

    Raises:
        ValueError: If ``order`` is negative, with "Received: ...".

    >>> flat_polynomial(2).coef.tolist()
    [0.0, 0.0, 0.0, 0.0, -6.0, 0.0, 4.0]
    """
    if order < 0:
        raise ValueError(f"order must be >= 0. Received: order={order}")
    u = Polynomial([0.0, 1.0])
    polynomial = Polynomial([1.0])
    for _ in range(order):
        polynomial = 2 * u**3 * polynomial - u**2 * polynomial.deriv()
    return polynomial


def flat_derivative(x: NDArray[np.float64], order: int) -> NDArray[np.float64]:
    """Return the derivative of exp(-1/x^2); it is 0 at x = 0.

    Args:
        x: Points of any shape.
        order: Order of the derivative, up to 20; 0 is the function. Above
            that rounding shows, at 30 in the fourth digit.

    Returns:
        Values of the shape of ``x``.

    Raises:
        ValueError: If ``order`` is negative, with "Received: ...".

    >>> flat_derivative(np.array([0.0, 0.5]), 0).round(4).tolist()
    [0.0, 0.0183]
    """
    x = np.asarray(x, dtype=np.float64)
    # Below 0.03 the factor exp(-u^2) is below 1e-482, and P_20(u) < 1e98.
    u = 1 / np.where(np.abs(x) < 0.03, 0.03, x)
    values = flat_polynomial(order)(u) * np.exp(-(u**2))
    return np.where(np.abs(x) < 0.03, 0.0, values)


# --8<-- [end:derivative]


if __name__ == "__main__":
    # --8<-- [start:demo]
    at_half = flat_derivative(np.array(0.5), 0).item()
    print(f"f(0.5) = {at_half:.4f}, every Taylor polynomial: 0")
    print("order n   f^(n) at 0.1   Lagrange bound of |R| at 0.5, order n - 1")
    bounds = {}
    x = np.linspace(0, 0.5, 5001)
    for n in (1, 2, 4, 8, 12):
        near = flat_derivative(np.array(0.1), n).item()
        largest = np.abs(flat_derivative(x, n)).max()
        bounds[n] = largest * 0.5**n / math.factorial(n)
        print(f"{n:7d}   {near:12.1e}   {bounds[n]:.2f}")
    imaginary = np.exp(-1 / 0.1j**2).real
    print(f"f(0.1 i) = {imaginary:.1e}: in the complex plane f explodes at 0")
    # --8<-- [end:demo]
