"""In the long run an order multiplies the Taylor error by |step| / radius.

|error of order k| ~ C (|step| / radius)^k, for a simple pole on the circle

Inside the radius many terms help, outside they harm (Rudin 1976, chapter 3,
on the radius of a power series).
"""

# --8<-- [start:imports]
import math

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

FRACTIONS = (0.6, 0.9, 1.1)
# --8<-- [end:imports]


# --8<-- [start:error]
def tanh_coefficients(order: int) -> NDArray[np.float64]:
    """Return the coefficients of tanh at 0 from y' = 1 - y^2.

    Comparing powers gives (n + 1) c_(n+1) = [n = 0] - sum of c_j c_(n-j):
    the cost is quadratic in the order, not exponential.

    Args:
        order: Highest degree.

    Returns:
        Shape (order + 1,), lowest degree first.

    Raises:
        ValueError: If ``order`` is negative, with "Received: ...".

    >>> tanh_coefficients(5).round(4).tolist()
    [0.0, 1.0, 0.0, -0.3333, 0.0, 0.1333]
    """
    if order < 0:
        raise ValueError(f"order must be >= 0. Received: order={order}")
    c = np.zeros(order + 1)
    for n in range(order):
        c[n + 1] = ((n == 0) - c[: n + 1] @ c[n::-1]) / (n + 1)
    return c


def tanh_errors(x: float, order: int) -> NDArray[np.float64]:
    """Return |tanh x - T_k(x)| for the odd orders k = 1, 3, ..., order.

    Warns:
        RuntimeWarning: A power of x overflows.

    >>> tanh_errors(0.5, 5).round(4).tolist()
    [0.0379, 0.0038, 0.0004]
    """
    sums = np.cumsum(tanh_coefficients(order) * x ** np.arange(order + 1))
    return np.abs(math.tanh(x) - sums[1::2])


def runge_error(terms: int, x: float) -> float:
    """Return |1 / (1 + x^2) - the first nonzero terms of its series|.

    >>> round(runge_error(10, 1.1), 2)
    3.04
    """
    partial = sum((-x * x) ** n for n in range(terms))
    return abs(1 / (1 + x * x) - partial)


# --8<-- [end:error]


if __name__ == "__main__":
    # --8<-- [start:demo]
    runge = {terms: runge_error(terms, 1.1) for terms in (10, 50, 200)}
    for terms, error in runge.items():
        print(f"1/(1+x²) at 1.1, {terms:3d} terms: error {error:.1e}")
    rates = {}
    for fraction in FRACTIONS:
        errors = tanh_errors(fraction * math.pi / 2, 41)
        rate = rates[fraction] = (errors[12] / errors[4]) ** (1 / 16)
        print(f"tanh at {fraction} × π/2: error × {rate:.3f} per order")
    # --8<-- [end:demo]


# --8<-- [start:plot_error]
def plot_error() -> Figure:
    """Draw the error of tanh against the order, inside and outside."""
    orders = np.arange(1, 42, 2)
    figure, axis = plt.subplots(figsize=(5.6, 4.0))
    for index, fraction in enumerate(FRACTIONS):
        line = 4 / math.pi * fraction ** (orders + 2) / (1 + fraction**2)
        axis.plot(orders, line, color=f"C{index}", ls="--", lw=1)
        label = f"step = {fraction} × π/2"
        errors = tanh_errors(fraction * math.pi / 2, 41)
        axis.plot(orders, errors, f"C{index}{'os^'[index]}", label=label)
    axis.set(yscale="log", ylim=(1e-12, 1e3))
    axis.set(xlabel="order k", ylabel="error |tanh x − Tₖ(x)|")
    axis.legend()
    return figure


if __name__ == "__main__":
    plot_error()
    plt.show()
# --8<-- [end:plot_error]
