"""The variance of tanh(z) is a Taylor series that converges for no variance.

Var(tanh z) = s - 2 s^2 + 17/3 s^3 - 62/3 s^4 + 1382/15 s^5 - ...

Xavier initialization keeps the first term (Glorot and Bengio 2010). The
series is asymptotic: it is cut where its terms are smallest.
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
    """Return the sum of the terms up to s^order, of the shape of s.

    >>> variance_series(np.array([0.1]), 2).round(9).tolist()
    [0.08]
    """
    powers = [float(c) for c in variance_coefficients(order)]
    return np.polynomial.polynomial.polyval(s, [0.0, *powers])


def normal_mean_variance(s: float, mean: float = 0.0) -> tuple[float, float]:
    """Return mean and variance of tanh(z), z normal, by quadrature.

    Args:
        s: Variance of z.
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


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print exact variances, partial sums, and a mean that is not zero."""
    print("s     exact    order 1  order 2  order 3")
    values: dict[str, float] = {}
    for s in (0.01, 0.1, 1.0):
        exact = normal_mean_variance(s)[1]
        sums = [float(variance_series(np.array(s), k)) for k in (1, 2, 3)]
        print(f"{s:<5} {exact:.5f} ", *(f"{v:8.5f}" for v in sums))
        values[f"exact_{round(100 * s)}"] = exact
        values[f"excess_{round(100 * s)}"] = s / exact - 1
    errors = [
        abs(variance_series(np.array(0.1), k).item() - values["exact_10"])
        for k in range(1, 25)
    ]
    best = int(np.argmin(errors)) + 1
    print(f"s = 0.1: best order {best}, error {min(errors):.1e}")
    print(f"         order 24, error {errors[-1]:.1e}")
    values |= {"best": best, "least": min(errors), "late": errors[-1]}
    mean, variance = normal_mean_variance(0.01, mean=1.0)
    print(f"mean 1, s = 0.01: mean {mean:.4f}, variance {variance:.5f}")
    values |= {"mean": mean, "variance": variance}
    slope = 1 - np.tanh(1.0) ** 2
    values["second"] = float(np.tanh(1.0) * (1 - slope * 0.01))
    values["delta"] = float(slope**2 * 0.01)
    print(f"second order:     mean {values['second']:.4f}, ", end="")
    print(f"variance {values['delta']:.5f}")
    return {**values}


if __name__ == "__main__":
    demo()
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
