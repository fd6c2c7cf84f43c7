"""Series of the functions of deep learning, and how many terms they take.

A Taylor polynomial is best near its point; on the intervals here, the
polynomial through the Chebyshev points needs a lower degree, and reaches the
error where Taylor's diverges.
"""

# --8<-- [start:imports]
import math
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Function = Callable[[Array], Array]
ORDER = 120  # coefficients that are computed
# --8<-- [end:imports]


# --8<-- [start:coefficients]
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


def erf_series(count: int = ORDER) -> Array:
    """Return count coefficients of erf at 0, at least 1, at most 340.

    >>> erf_series(4).round(4).tolist()
    [0.0, 1.1284, 0.0, -0.3761]
    """
    y = np.zeros(count)
    for n in range(count // 2):
        sign = (-1.0) ** n
        y[2 * n + 1] = sign / (math.factorial(n) * (2 * n + 1))
    found: Array = 2 / math.sqrt(math.pi) * y
    return found


def series(name: str, count: int = ORDER) -> Array:
    """Return the Taylor coefficients of a function at 0, shape (count,).

    The names are those of ``function_named``; count is at most 340.

    >>> series("softplus", 3).round(4).tolist()
    [0.6931, 0.5, 0.125]
    """
    k = np.arange(count, dtype=np.float64)
    logistic = tanh_series(count) * 0.5 ** (k + 1)
    logistic[0] = 0.5
    normal = erf_series(count) * 0.5 ** (k / 2 + 1)  # the distribution function
    normal[0] = 0.5
    if name == "exp":
        found = [1 / math.factorial(n) for n in range(count)]
    elif name == "log1p":
        found = [0.0, *[-((-1.0) ** n) / n for n in range(1, count)]]
    elif name == "rsqrt":  # of 1 + x
        found = [1.0]
        for n in range(1, count):
            found.append(found[-1] * (0.5 - n) / n)
    elif name == "softplus":
        found = [math.log(2), *(logistic[:-1] / k[1:])]
    elif name == "SiLU":
        found = [0.0, *logistic[:-1]]
    elif name == "GELU":
        found = [0.0, *normal[:-1]]
    else:
        known = {"tanh": tanh_series(count), "erf": erf_series(count)}
        found = list({**known, "logistic": logistic}[name])
    return np.array(found)


# --8<-- [end:coefficients]


# --8<-- [start:degrees]
def function_named(name: str) -> Function:
    """Return the function itself, for arrays.

    Raises:
        ValueError: If the name is unknown, with "Received: ...".

    >>> function_named("SiLU")(np.array([0.0])).tolist()
    [0.0]
    """
    erf = np.vectorize(math.erf)
    functions: dict[str, Function] = {
        "exp": np.exp,
        "log1p": np.log1p,
        "rsqrt": lambda x: 1 / np.sqrt(1 + x),
        "logistic": lambda x: 1 / (1 + np.exp(-x)),
        "tanh": np.tanh,
        "softplus": lambda x: np.logaddexp(0, x),
        "SiLU": lambda x: x / (1 + np.exp(-x)),
        "erf": lambda x: erf(x),
        "GELU": lambda x: x / 2 * (1 + erf(x / math.sqrt(2))),
    }
    if name not in functions:
        raise ValueError(f"Expected {list(functions)}. Received: {name}")
    return functions[name]


def taylor_degree(
    name: str, low: float, high: float, allowed: float = 1e-3
) -> int:
    """Return the lowest order with a small enough error; -1 if none below 120.

    Raises:
        ValueError: If the name is unknown, or not -100 <= low < high <= 100,
            with "Received: ...".

    >>> taylor_degree("exp", -1, 1)
    6
    >>> taylor_degree("tanh", -4, 4)
    -1
    """
    if not -100 <= low < high <= 100:
        raise ValueError(f"Received: low={low}, high={high}")
    x = np.linspace(low, high, 2001)
    truth, found, power = (
        function_named(name)(x),
        np.zeros_like(x),
        np.ones_like(x),
    )
    for k, c in enumerate(series(name)):
        found, power = found + c * power, power * x
        if np.abs(found - truth).max() <= allowed:
            return k
    return -1


def chebyshev_degree(
    name: str, low: float, high: float, allowed: float = 1e-3
) -> int:
    """Return the lowest degree at the Chebyshev points; -1 if none below 120.

    Raises:
        ValueError: If the name is unknown, or not -100 <= low < high <= 100,
            with "Received: ...".

    >>> chebyshev_degree("exp", -1, 1)
    4
    """
    if not -100 <= low < high <= 100:
        raise ValueError(f"Received: low={low}, high={high}")
    x, f = np.linspace(low, high, 2001), function_named(name)
    for degree in range(ORDER):
        fit = np.polynomial.Chebyshev.interpolate(f, degree, [low, high])
        if np.abs(fit(x) - f(x)).max() <= allowed:
            return degree
    return -1


# --8<-- [end:degrees]


if __name__ == "__main__":
    # --8<-- [start:demo]
    short, wide = (-1.0, 1.0), (-4.0, 4.0)
    narrow, shifted = (-0.5, 0.5), (-0.5, 2.0)  # where 1 + x is positive
    names = ("exp", "logistic", "tanh", "softplus", "SiLU", "erf", "GELU")
    ranges = dict.fromkeys(names, (short, wide))
    ranges |= dict.fromkeys(("log1p", "rsqrt"), (narrow, shifted))
    taylor, chebyshev = {}, {}
    for name, both in ranges.items():
        for size, (low, high) in zip(("short", "wide"), both, strict=True):
            taylor[name, size] = taylor_degree(name, low, high)
            chebyshev[name, size] = chebyshev_degree(name, low, high)
    for name, (low, high) in (("tanh", short), ("exp", wide)):
        print(f"{name} on [{low:.0f}, {high:.0f}], error at most 0.001:")
        print(
            f"  Taylor {taylor_degree(name, low, high)}, "
            f"Chebyshev {chebyshev_degree(name, low, high)}"
        )
    # --8<-- [end:demo]
