"""Taylor polynomials at 0 diverge outside the convergence radius.

radius(sin) = inf, radius(ln(1 + x)) = radius(1 / (1 + x^2)) = 1

exp(-1 / x^2) has zero coefficients only: its series converges everywhere,
but to the wrong function (Rudin 1976, chapter 8, on power series).
"""

# --8<-- [start:imports]
import math
from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

ORDERS = (1, 3, 5, 9, 13)
# --8<-- [end:imports]


# --8<-- [start:polynomials]
def closed_form(name: str, order: int) -> NDArray[np.float64]:
    """Return known Taylor coefficients at 0, lowest degree first.

    Args:
        name: "sin", "log1p", "runge" for 1 / (1 + x^2), or "flat" for
            exp(-1 / x^2).
        order: Highest degree.

    Returns:
        Shape (order + 1,).

    Raises:
        ValueError: If ``order`` is negative or ``name`` is unknown, with
            "Received: ...".

    >>> closed_form("log1p", 2).tolist()
    [0.0, 1.0, -0.5]
    """
    rules: dict[str, Callable[[int], float]] = {
        "sin": lambda n: [0, 1, 0, -1][n % 4] / math.factorial(n),
        "log1p": lambda n: (-1) ** (n + 1) / n if n else 0.0,
        "runge": lambda n: float([1, 0, -1, 0][n % 4]),
        "flat": lambda n: 0.0,
    }
    if order < 0 or name not in rules:
        raise ValueError(
            f"order must be >= 0 and name one of {sorted(rules)}. "
            f"Received: name={name!r}, order={order}"
        )
    return np.array([rules[name](n) for n in range(order + 1)])


def function_values(name: str, x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Evaluate the function of that name; outside its domain it is nan.

    Args:
        name: As for ``closed_form``.
        x: Finite points of any shape.

    Returns:
        Values of the shape of ``x``.

    >>> function_values("flat", np.array([0.0, 0.5])).round(4).tolist()
    [0.0, 0.0183]
    """
    if name == "sin":
        return np.sin(x)
    if name == "log1p":
        return np.log1p(np.where(x > -1, x, np.nan))
    if name == "runge":
        return 1 / (1 + x**2)
    return np.exp(-1 / np.where(x == 0, 1e-3, x) ** 2)


def maximum_error(name: str, order: int, half_width: float) -> float:
    """Return max |f - T_k| at 2001 points of [-half_width, half_width].

    It is nan if the function is not defined at all of them.

    Warns:
        RuntimeWarning: A power of half_width overflows.

    >>> round(maximum_error("sin", 7, math.pi), 3)
    0.075
    """
    x = np.linspace(-half_width, half_width, 2001)
    polynomial = np.polynomial.polynomial.polyval(x, closed_form(name, order))
    return float(np.abs(function_values(name, x) - polynomial).max())


# --8<-- [end:polynomials]


if __name__ == "__main__":
    # --8<-- [start:demo]
    orders = range(1, 14, 2)
    sine = {k: maximum_error("sin", k, math.pi) for k in orders}
    near = {k: maximum_error("runge", k, 0.5) for k in orders}
    far = {k: maximum_error("runge", k, 1.5) for k in orders}
    print("order   sin, |x| <= π   1/(1+x²), |x| <= 0.5   |x| <= 1.5")
    for k in orders:
        print(f"{k:5d}   {sine[k]:13.1e}   {near[k]:20.1e}   {far[k]:10.1e}")
    # --8<-- [end:demo]


# --8<-- [start:plot_gallery]
def plot_gallery() -> Figure:
    """Draw four functions, their polynomials and convergence intervals."""
    panels = [
        ("sin", "sin x", (-7.0, 7.0), (-1.8, 1.8), 0.0),
        ("log1p", "ln(1 + x)", (-1.5, 2.0), (-3.0, 2.0), 1.0),
        ("runge", "1 / (1 + x²)", (-2.0, 2.0), (-0.6, 2.0), 1.0),
        ("flat", "exp(−1 / x²)", (-2.0, 2.0), (-0.2, 0.9), 0.0),
    ]
    styles = ["-", "--", "-.", ":", (0, (5, 1, 1, 1, 1, 1))]
    figure, axes = plt.subplots(4, 1, figsize=(5.6, 8.8), layout="constrained")
    for axis, (name, title, width, height, radius) in zip(
        axes, panels, strict=True
    ):
        x = np.linspace(*width, 281)
        axis.axvspan(-radius, radius, color="0.5", alpha=0.15, lw=0)
        axis.plot(
            x, function_values(name, x), c="0.5", lw=4, alpha=0.6, label="f"
        )
        for index, (order, style) in enumerate(
            zip(ORDERS, styles, strict=True)
        ):
            y = np.polynomial.polynomial.polyval(x, closed_form(name, order))
            y[(y < height[0] - 3) | (y > height[1] + 3)] = np.nan
            label = f"order {order}"
            axis.plot(
                x, y, ls=style, c=f"C{'02413'[index]}", lw=1.4, label=label
            )
        axis.set(xlim=width, ylim=height, title=title)
    lines, names = axes[0].get_legend_handles_labels()
    figure.legend(lines, names, ncols=3, loc="outside upper center")
    axes[-1].set_xlabel("x")
    return figure


if __name__ == "__main__":
    plot_gallery()
    plt.show()
# --8<-- [end:plot_gallery]
