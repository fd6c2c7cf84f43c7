"""Var(tanh z) has a Taylor series in s = Var(z), convergent for no s > 0.

Var(tanh z) = s - 2 s^2 + 17/3 s^3 - 62/3 s^4 + 1382/15 s^5 - ...

Xavier initialization keeps the first term (Glorot and Bengio 2010). The
series is asymptotic: cut it near its smallest term.
"""

# --8<-- [start:imports]
from fractions import Fraction

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

Array = NDArray[np.floating]
# --8<-- [end:imports]


# --8<-- [start:series]
def variance_coefficients(order: int) -> list[Fraction]:
    """Return the exact coefficients of s, s^2, ..., s^order.

    Args:
        order: The highest power of the variance s of z.

    Raises:
        ValueError: If ``order`` is below 1, with "Received: ...".

    >>> [str(c) for c in variance_coefficients(5)]
    ['1', '-2', '17/3', '-62/3', '1382/15']
    """
    if order < 1:
        raise ValueError(f"order must be >= 1. Received: order={order}")
    odd = [Fraction(1)]  # tanh z = sum of odd[k] z^(2k + 1), from y' = 1 - y^2
    square: list[Fraction] = []  # tanh(z)^2 = sum of square[k] z^(2k + 2)
    for k in range(order):
        terms = [odd[i] * odd[k - i] for i in range(k + 1)]
        square.append(sum(terms, Fraction(0)))
        odd.append(-square[k] / (2 * k + 3))
    moment, coefficients = 1, []
    for k, coefficient in enumerate(square):
        moment *= 2 * k + 1  # E z^(2k + 2) = (2k + 1)!! s^(k + 1)
        coefficients.append(moment * coefficient)
    return coefficients


def variance_series(s: Array, order: int) -> Array:
    """Return the sum of the terms up to s^order for finite s, of its shape.

    An order above 177 has coefficients beyond float64.

    >>> variance_series(np.array([0.1]), 2).round(9).tolist()
    [0.08]
    """
    powers = [float(c) for c in variance_coefficients(order)]
    return np.polynomial.polynomial.polyval(s, [0.0, *powers])


def normal_mean_variance(s: float, mean: float = 0.0) -> tuple[float, float]:
    """Return mean and variance of tanh(z), z normal, by quadrature.

    Args:
        s: Variance of z, finite and not negative.
        mean: Mean of z.

    >>> [round(value, 4) + 0.0 for value in normal_mean_variance(1.0)]
    [0.0, 0.3943]
    """
    x = np.linspace(-12, 12, 4801)
    weight = np.exp(-(x**2) / 2)
    weight /= weight.sum()
    value = np.tanh(mean + np.sqrt(s) * x)
    first = float(weight @ value)
    return first, float(weight @ (value - first) ** 2)


# --8<-- [end:series]


if __name__ == "__main__":
    # --8<-- [start:demo]
    print("s     exact    order 1  order 2  order 3")
    exact = {s: normal_mean_variance(s)[1] for s in (0.01, 0.1, 0.3, 1.0)}
    excess = {s: s / variance - 1 for s, variance in exact.items()}
    for s in exact:
        sums = [variance_series(np.array(s), k).item() for k in (1, 2, 3)]
        print(f"{s:<5} {exact[s]:.5f} ", *(f"{v:8.5f}" for v in sums))
    errors = [
        abs(variance_series(np.array(0.1), k).item() - exact[0.1])
        for k in range(1, 25)
    ]
    best, least = np.argmin(errors) + 1, min(errors)
    print(f"s = 0.1: best order {best}, error {least:.1e}")
    print(f"         order 24, error {errors[-1]:.1e}")
    mean, variance = normal_mean_variance(0.01, mean=1.0)
    print(f"mean 1, s = 0.01: mean {mean:.4f}, variance {variance:.5f}")
    slope = 1 - np.tanh(1.0) ** 2
    second = np.tanh(1.0) * (1 - slope * 0.01)
    delta = slope**2 * 0.01
    print(f"second order:     mean {second:.4f}, variance {delta:.5f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_variance]
def plot_variance() -> Figure:
    """Draw the relative error of orders 1 to 5 against the variance."""
    s = np.geomspace(1e-3, 2, 25)
    exact = np.array([normal_mean_variance(value)[1] for value in s])
    figure, axis = plt.subplots(figsize=(5.2, 3.9))
    for order, marker in zip(range(1, 6), "osD^v", strict=True):
        error = np.abs(variance_series(s, order) / exact - 1)
        axis.plot(s, error, marker=marker, ms=4, label=f"order {order}")
    axis.axhline(1, color="0.5", ls="--", lw=1)
    axis.set(xscale="log", yscale="log", xlabel="s", ylabel="relative error")
    axis.legend()
    return figure


if __name__ == "__main__":
    plot_variance()
    plt.show()
# --8<-- [end:plot_variance]
