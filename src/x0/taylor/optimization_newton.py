"""Newton's method on ln cosh converges or explodes, depending on the start.

x_(t+1) = x_t - sinh(2 x_t) / 2, and it converges only if |x_0| < 1.0887

The border solves sinh(2 x) = 4 x: there a step lands on -x.
"""

# --8<-- [start:imports]
import math

import matplotlib.pyplot as plt
from matplotlib.figure import Figure

# --8<-- [end:imports]


# --8<-- [start:iterate]
def newton_lncosh(start: float, steps: int) -> list[float]:
    """Run Newton's method on f(x) = ln cosh x, whose minimum is at 0.

    f'(x) = tanh x and f''(x) = 1 / cosh(x)^2. Stops beyond |x| = 100.

    >>> [round(x, 4) for x in newton_lncosh(1.0, 3)]
    [1.0, -0.8134, 0.4094, -0.0473]
    """
    path = [start]
    while len(path) <= steps and abs(path[-1]) < 100:
        path.append(path[-1] - math.sinh(2 * path[-1]) / 2)
    return path


def newton_border() -> float:
    """Find the start x > 0 whose Newton step lands on -x, by bisection.

    >>> round(newton_border(), 5)
    1.08866
    """
    low, high = 0.5, 2.0  # sinh(2 x) - 4 x changes its sign between
    for _ in range(60):
        middle = (low + high) / 2
        if math.sinh(2 * middle) < 4 * middle:
            low = middle
        else:
            high = middle
    return low


def descend_lncosh(start: float, steps: int, rate: float = 1.0) -> list[float]:
    """Run gradient descent on ln cosh: L = 1, so a rate in (0, 2) works.

    >>> [round(x, 3) for x in descend_lncosh(1.2, 2)]
    [1.2, 0.366, 0.016]
    """
    path = [start]
    for _ in range(steps):
        path.append(path[-1] - rate * math.tanh(path[-1]))
    return path


# --8<-- [end:iterate]


if __name__ == "__main__":
    # --8<-- [start:demo]
    border = newton_border()
    print(f"border {border:.5f}")
    inside, outside = newton_lncosh(1.05, 8), newton_lncosh(1.2, 8)
    print("from 1.05:", [f"{x:.3g}" for x in inside[:6]])
    print("from 1.2: ", [f"{x:.3g}" for x in outside[:4]])
    far = abs(outside[3])
    slow = descend_lncosh(1.2, 4)
    print("gradient descent from 1.2:", [f"{x:.2g}" for x in slow])
    # --8<-- [end:demo]


# --8<-- [start:plot_starts]
def plot_starts() -> Figure:
    """Draw |x_t| for three starts: inside, on and outside the border."""
    figure, axis = plt.subplots(figsize=(5.2, 3.6), layout="constrained")
    border = newton_border()
    starts = [("C1D-", 1.2), ("C2^-", border), ("C0o-", 1.05)]
    for style, start in starts:
        path = [max(abs(x), 1e-20) for x in newton_lncosh(start, 6)]
        axis.plot(path, style, lw=1, label=f"x₀ = {start:.5g}")
    axis.axhline(border, color="0.5", ls="--", lw=1)
    axis.set(yscale="log", ylim=(1e-19, 1e5), xlabel="step", ylabel="|x|")
    axis.legend(loc="lower left")
    return figure


if __name__ == "__main__":
    plot_starts()
    plt.show()
# --8<-- [end:plot_starts]
