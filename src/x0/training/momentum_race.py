"""On a quadratic momentum replaces the condition number by its root.

rates (kappa - 1) / (kappa + 1), 1 - 1 / sqrt(kappa), 1 - 2 / sqrt(3 kappa + 1)
and (sqrt(kappa) - 1) / (sqrt(kappa) + 1): gradient descent, Nesterov with the
usual and with the best constants, heavy ball

Polyak (1964); Nesterov (2018); Lessard, Recht and Packard (2016).
"""

# --8<-- [start:imports]
import functools
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import nn

KAPPA, MODES = 100.0, 20
NAMES = ("gradient descent", "Nesterov", "Nesterov, best", "heavy ball", "Adam")
# --8<-- [end:imports]


# --8<-- [start:best]
def best_heavy_ball(smallest: float, largest: float) -> tuple[float, float]:
    """Return the learning rate and momentum that are best on a quadratic.

    Args:
        smallest: least eigenvalue of the Hessian matrix.
        largest: greatest eigenvalue.

    Raises:
        ValueError: not 0 < smallest <= largest.

    >>> rate, beta = best_heavy_ball(1.0, 100.0)
    >>> round(rate, 4), round(beta, 4), round(math.sqrt(beta), 3)
    (0.0331, 0.6694, 0.818)
    """
    if not 0 < smallest <= largest:
        raise ValueError(
            "Expected 0 < smallest <= largest. "
            f"Received: {smallest=}, {largest=}"
        )
    low, high = math.sqrt(smallest), math.sqrt(largest)
    return 4 / (low + high) ** 2, ((high - low) / (high + low)) ** 2


def best_nesterov(smallest: float, largest: float) -> tuple[float, float]:
    """Return the learning rate and momentum that are best for Nesterov.

    Best on a quadratic, where the factor per step is 1 - 2 / root. The usual
    constants are 1 / largest and, with kappa = largest / smallest,
    (sqrt(kappa) - 1) / (sqrt(kappa) + 1). The eigenvalues smallest and
    largest, positive both, may be equal.

    >>> rate, beta = best_nesterov(1.0, 100.0)
    >>> round(rate, 4), round(beta, 2)
    (0.0133, 0.79)
    """
    root = math.sqrt(3 * largest / smallest + 1)
    return 4 / (3 * largest + smallest), (root - 2) / (root + 2)


# --8<-- [end:best]


# --8<-- [start:race]
@functools.cache
def error_norms(
    name: str, steps: int, rate: float = 0.1
) -> NDArray[np.float64]:
    """Return the distance from the minimum by step, shape (steps + 1,).

    All methods are those of torch.optim. Gradient descent, heavy ball and
    "Nesterov, best" have the best constants, "Nesterov" the usual ones; only
    Adam is given a rate, not negative.
    """
    curvature = torch.logspace(0, math.log10(KAPPA), MODES, dtype=torch.float64)
    weight = nn.Parameter(torch.ones_like(curvature))
    root = math.sqrt(KAPPA)
    eta, beta = best_heavy_ball(1.0, KAPPA)
    optimizer: torch.optim.Optimizer = torch.optim.Adam([weight], lr=rate)
    if name == "gradient descent":
        optimizer = torch.optim.SGD([weight], lr=2 / (1 + KAPPA))
    elif name == "heavy ball":
        optimizer = torch.optim.SGD([weight], lr=eta, momentum=beta)
    elif name == "Nesterov":
        optimizer = torch.optim.SGD(
            [weight],
            lr=1 / KAPPA,
            momentum=(root - 1) / (root + 1),
            nesterov=True,
        )
    elif name == "Nesterov, best":
        eta, beta = best_nesterov(1.0, KAPPA)
        optimizer = torch.optim.SGD(
            [weight], lr=eta, momentum=beta, nesterov=True
        )
    norms = [float(weight.detach().norm())]
    for _ in range(steps):
        weight.grad = curvature * weight.detach()
        optimizer.step()
        norms.append(float(weight.detach().norm()))
    return np.array(norms)


# --8<-- [end:race]


if __name__ == "__main__":
    # --8<-- [start:demo]
    root = math.sqrt(KAPPA)
    predicted = {
        "gradient descent": (KAPPA - 1) / (KAPPA + 1),
        "Nesterov": 1 - 1 / root,
        "Nesterov, best": 1 - 2 / math.sqrt(3 * KAPPA + 1),
        "heavy ball": (root - 1) / (root + 1),
    }
    measured, steps = {}, {}
    print("                   predicted   measured   steps to 1e-6")
    for name, theory in predicted.items():
        norms = error_norms(name, 1200)
        measured[name] = (norms[1200] / norms[600]) ** (1 / 600)
        steps[name] = (norms / norms[0] < 1e-6).argmax()
        print(f"{name:<18}{theory:10.3f}{measured[name]:11.3f}", end="")
        print(f"{steps[name]:12d}")
    for rate in (0.1, 0.01):
        norms = error_norms("Adam", 1200, rate)
        count = (norms / norms[0] < 1e-6).argmax()
        print(f"Adam, rate {rate:<28g}{count:12d}")
    # --8<-- [end:demo]


# --8<-- [start:plot_error]
def plot_error() -> Figure:
    """Draw the distance from the minimum by step."""
    fig, ax = plt.subplots(figsize=(5.2, 3.6), layout="constrained")
    k = np.arange(0, 201, 5)
    rates = (0.9802, 0.9, 0.8847, 0.8182)
    for i, name in enumerate(NAMES):
        y = error_norms(name, 200)[k]
        color = f"C{'03712'[i]}"
        ax.plot(k, y, "os^vD"[i], ms=3.5, color=color, label=name)
        if i < 4:
            late = k[8:]
            line = y[20] * rates[i] ** (late - 100.0)
            label = "predicted" if i == 0 else None
            ax.plot(late, line, "k--", lw=1, label=label)
    ax.set_yscale("log")
    ax.set_ylim(1e-14, 1e2)
    ax.set_xlabel("step")
    ax.set_ylabel("distance from the minimum")
    ax.legend(loc="lower left")
    return fig


if __name__ == "__main__":
    plot_error()
    plt.show()
# --8<-- [end:plot_error]
