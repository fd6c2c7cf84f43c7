"""The best step of a difference quotient balances remainder and rounding.

error(h) = M3 h^2 / 6 + eps M0 / h, smallest at h = (3 eps M0 / M3)^(1/3)

The complex step Im f(x + i h) / h subtracts nothing: h may be 1e-20.
"""

# --8<-- [start:imports]
from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

Array = NDArray[np.float64]
Function = Callable[[complex], complex]
EPSILON = 2.0**-53  # largest relative rounding error of float64
# --8<-- [end:imports]


# --8<-- [start:quotients]
def forward_quotient(f: Function, x: float, h: float) -> float:
    """Return (f(x + h) - f(x)) / h. The step h is not zero.

    >>> forward_quotient(lambda x: x * x, 1.0, 0.5)
    2.5
    """
    return (f(x + h) - f(x)).real / h


def central_quotient(f: Function, x: float, h: float) -> float:
    """Return (f(x + h) - f(x - h)) / (2 h). The step h is not zero.

    >>> central_quotient(lambda x: x * x, 1.0, 0.5)
    2.0
    """
    return (f(x + h) - f(x - h)).real / (2 * h)


def complex_step(f: Function, x: float, h: float = 1e-20) -> float:
    """Return Im f(x + i h) / h; f must be real on the axis and analytic.

    The step h is not zero.

    >>> complex_step(lambda x: x * x, 1.0)
    2.0
    """
    return f(complex(x, h)).imag / h


def best_step(size: float, third: float) -> tuple[float, float]:
    """Return the best step of the central quotient, and its error bound.

    The bound leaves out the rounding of x + h and x - h.

    Args:
        size: M0, a bound of the absolute value of f near the point.
        third: M3, a bound of that of the third derivative, positive.

    >>> h, error = best_step(1.0, 1.0)
    >>> f"{h:.1e} {error:.1e}"
    '6.9e-06 2.4e-11'
    """
    h = (3 * EPSILON * size / third) ** (1 / 3)
    return h, third * h * h / 2


# --8<-- [end:quotients]


if __name__ == "__main__":
    # --8<-- [start:demo]
    x, exact = 0.7, float(np.exp(0.7))
    steps = 10.0 ** -np.arange(1, 16)
    least = {
        name: min(abs(rule(np.exp, x, h) - exact) for h in steps) / exact
        for name, rule in (
            ("forward", forward_quotient),
            ("central", central_quotient),
        )
    }
    least["complex"] = abs(complex_step(np.exp, x) - exact) / exact
    h, error = best_step(exact, exact)  # exp is its own third derivative
    promised = error / exact
    print(f"predicted for central: step {h:.0e}, error {promised:.0e}")
    for name, bound in (("forward", 1e-7), ("central", 1e-10)):
        print(f"{name:8} best error below {bound:.0e}: {least[name] < bound}")
    print(f"complex step: below 1e-15: {least['complex'] < 1e-15}")
    # --8<-- [end:demo]


# --8<-- [start:plot_error]
def plot_error() -> Figure:
    """Draw the error of the three quotients of exp at 0.7 over the step."""
    figure, axis = plt.subplots(figsize=(5.2, 3.6), layout="constrained")
    x, exact = 0.7, float(np.exp(0.7))
    steps = np.geomspace(1e-15, 1, 61)
    rules = (
        ("C1s", forward_quotient),
        ("C0o", central_quotient),
        ("C2^", complex_step),
    )
    names = ("forward quotient", "central quotient", "complex step")
    for name, (style, rule) in zip(names, rules, strict=True):
        errors = [abs(rule(np.exp, x, h) - exact) / exact for h in steps]
        shown = np.maximum(errors, 1e-17)
        axis.plot(steps, shown, style, ms=3, label=name)
    bound: Array = steps**2 / 6 + EPSILON / steps
    axis.plot(steps, bound, "--", color="0.4", lw=1, label="bound for central")
    axis.set(xscale="log", yscale="log", ylim=(5e-18, 10))
    axis.set(xlabel="step h", ylabel="relative error")
    axis.legend()
    return figure


if __name__ == "__main__":
    plot_error()
    plt.show()
# --8<-- [end:plot_error]
