"""How many orders a series takes, predicted from its poles and measured.

error of the logistic series at x: about 2/pi (x/pi)^(k+2) / (1 + (x/pi)^2)
radius: about the root of |c_n / c_(n+2)| for a large n
"""

# --8<-- [start:imports]
import math

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
ORDER = 120
# --8<-- [end:imports]


# --8<-- [start:orders]
def tanh_series(count: int = ORDER) -> Array:
    """Return count coefficients of tanh at 0, at least 1; y' = 1 - y^2.

    >>> tanh_series(4).round(4).tolist()
    [0.0, 1.0, 0.0, -0.3333]
    """
    y = np.zeros(count)
    for k in range(count - 1):
        square = y[: k + 1] @ y[k::-1]
        y[k + 1] = ((k == 0) - square) / (k + 1)
    return y


def logistic_series(count: int = ORDER) -> Array:
    """Return count coefficients of 1 / (1 + exp(-x)) at 0, at least 1.

    >>> logistic_series(4).round(4).tolist()
    [0.5, 0.25, 0.0, -0.0208]
    """
    y: Array = tanh_series(count) * 0.5 ** (np.arange(count) + 1.0)
    y[0] = 0.5
    return y


def measured_order(x: float, allowed: float) -> int:
    """Return the lowest order whose error at x is small enough, or -1.

    Raises:
        ValueError: If x is beyond 100, where the powers overflow, with
            "Received: ...".

    >>> measured_order(0.1, 1e-3)
    1
    """
    if not abs(x) <= 100:
        raise ValueError(f"x must be within 100. Received: x={x}")
    truth = 1 / (1 + math.exp(-x))
    found = np.cumsum(logistic_series() * x ** np.arange(ORDER))
    enough = np.flatnonzero(np.abs(found - truth) <= allowed)
    return int(enough[0]) if len(enough) else -1


def predicted_order(x: float, allowed: float) -> int:
    """Return the lowest odd order whose predicted error is small enough.

    Raises:
        ValueError: |x| is not below pi, or nothing is allowed.

    >>> predicted_order(0.1, 1e-3)
    1
    """
    if not abs(x) < math.pi or not allowed > 0:
        raise ValueError(f"Expected |x| < pi. Received: {x=}, {allowed=}")
    q, k = abs(x) / math.pi, 1
    while 2 / math.pi * q ** (k + 2) / (1 + q * q) > allowed:
        k += 2
    return k


def ratio_radius(coefficients: Array) -> float:
    """Estimate the radius from the last two coefficients that are not zero.

    For series whose coefficients are zero in every second place.

    Raises:
        ValueError: If fewer than two are not zero, with "Received: ...".

    >>> round(ratio_radius(np.array([1.0, 0.0, -0.25])), 3)
    2.0
    """
    places = np.flatnonzero(coefficients)[-2:]
    if coefficients.ndim != 1 or len(places) < 2:
        raise ValueError(f"needs two that are not 0. Received: {coefficients}")
    last = coefficients[places]
    return math.sqrt(abs(last[0] / last[1]))


# --8<-- [end:orders]


if __name__ == "__main__":
    # --8<-- [start:demo]
    predicted = predicted_order(2.0, 1e-6)
    measured = measured_order(2.0, 1e-6)
    print(f"logistic at 2, error 1e-6: {predicted} predicted, {measured} taken")
    factor = (2 / math.pi) ** 2
    radius = ratio_radius(logistic_series(40))
    print(f"radius of logistic: {radius:.6f}")
    # --8<-- [end:demo]
