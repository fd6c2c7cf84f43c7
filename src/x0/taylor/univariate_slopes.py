"""On log-log axes the error of T_k against the step has slope k + 1.

|f(x) - T_k(x)| ~ |f^(k+1)(expansion_point)| / (k+1)! * |step|^(k+1)

If the next derivatives vanish, the slope is the order of the first one
that does not: a slope test finds wrong coefficients.
"""

# --8<-- [start:imports]
import math

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

EXPANSION_POINT = 0.7
ORDERS = (0, 1, 2, 3)
# --8<-- [end:imports]


# --8<-- [start:slope]
def slope(steps: NDArray[np.float64], errors: NDArray[np.float64]) -> float:
    """Return the least-squares slope of log(errors) against log(steps).

    Args:
        steps: Positive step sizes, shape (n,).
        errors: Positive errors, shape (n,).

    Returns:
        The slope; for a Taylor polynomial of order k it tends to k + 1.

    Raises:
        ValueError: If a step or an error is not positive and finite, or if
            there are fewer than two, with "Received: ...".

    >>> round(slope(np.array([0.1, 0.2]), np.array([0.01, 0.04])), 6)
    2.0
    """
    fits = steps.ndim == 1 and steps.shape == errors.shape and len(steps) > 1
    if not fits or not all(0 < x < np.inf for x in (*steps, *errors)):
        raise ValueError(
            "slope needs two or more steps and errors, all > 0. "
            f"Received: steps={steps.tolist()}, errors={errors.tolist()}"
        )
    return float(np.polyfit(np.log(steps), np.log(errors), 1)[0])


def exponential_error(
    order: int, steps: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Return |exp(0.7 + step) - T_k(step)|.

    Args:
        order: Order k of the polynomial at 0.7, not negative.
        steps: Finite distances from 0.7, any shape.

    Returns:
        Errors, of the shape of ``steps``.

    >>> exponential_error(1, np.array([0.5])).round(4).tolist()
    [0.2995]
    """
    factors = [1 / math.factorial(n) for n in range(order + 1)]
    polynomial = np.polynomial.polynomial.polyval(steps, factors)
    start = math.exp(EXPANSION_POINT)
    errors: NDArray[np.float64] = np.abs(
        np.exp(EXPANSION_POINT + steps) - start * polynomial
    )
    return errors


# --8<-- [end:slope]


if __name__ == "__main__":
    # --8<-- [start:demo]
    steps = np.geomspace(0.01, 0.1, 9)
    slopes = {k: slope(steps, exponential_error(k, steps)) for k in ORDERS}
    sine = slope(steps, np.abs(np.sin(steps) - steps))
    start = math.exp(EXPANSION_POINT)
    polynomial = start * (1 + steps + steps**2)  # the factor 1/2! is missing
    wrong = slope(steps, np.abs(start * np.exp(steps) - polynomial))
    print(f"exp, order 2: slope {slopes[2]:.2f}, without 1/2!: {wrong:.2f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_error]
def plot_error() -> Figure:
    """Draw the error of exp at 0.7 against the step, orders 0 to 3."""
    steps = np.geomspace(0.003, 1, 11)
    figure, axis = plt.subplots(figsize=(5.6, 4.2))
    for k, marker in zip(ORDERS, "osD^", strict=True):
        predicted = math.exp(EXPANSION_POINT) / math.factorial(k + 1)
        line = predicted * steps ** (k + 1)
        axis.plot(steps, line, color=f"C{k}", ls="--", lw=1)
        label = f"order {k}: slope {k + 1}"
        errors = exponential_error(k, steps)
        axis.plot(steps, errors, f"C{k}{marker}", label=label)
    axis.set(xscale="log", yscale="log")
    axis.set(xlabel="step |x − x₀|", ylabel="error |f(x) − Tₖ(x)|")
    axis.legend()
    return figure


if __name__ == "__main__":
    plot_error()
    plt.show()
# --8<-- [end:plot_error]
