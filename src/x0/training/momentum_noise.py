"""Momentum amplifies the noise of the gradient like a larger learning rate.

Var(theta) = eta (1 + beta) Sigma
    / (B lambda (1 - beta) (2 (1 + beta) - eta lambda))
"""

# --8<-- [start:imports]
import functools
import math

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

SEED = 0
CHAINS, RATE = 4000, 0.01
BETAS = (0.0, 0.5, 0.8, 0.9, 0.95, 0.98)
# --8<-- [end:imports]


# --8<-- [start:variance]
def momentum_variance(rate: float, curvature: float, beta: float) -> float:
    """Return the variance where momentum SGD stops, for noise of variance 1.

    Args:
        rate: learning rate.
        curvature: eigenvalue of the Hessian matrix.
        beta: momentum.

    Raises:
        ValueError: outside 0 < rate * curvature < 2 (1 + beta), 0 <= beta < 1.

    >>> round(momentum_variance(0.01, 1.0, 0.0), 5)
    0.00503
    >>> round(momentum_variance(0.01, 1.0, 0.9), 5)
    0.05013
    """
    x = rate * curvature
    if not (0 <= beta < 1 and 0 < x < 2 * (1 + beta)):
        raise ValueError(f"Unstable. Received: {rate=}, {curvature=}, {beta=}")
    top = rate * (1 + beta)
    return top / (curvature * (1 - beta) * (2 * (1 + beta) - x))


# --8<-- [end:variance]


# --8<-- [start:measured]
@functools.cache
def measured_variance(rate: float, beta: float) -> tuple[float, float]:
    """Return the variance over many runs on theta^2 / 2 and its error."""
    rng = np.random.default_rng(SEED)
    theta = np.zeros(CHAINS)
    buffer = np.zeros(CHAINS)
    slow = min((1 - math.sqrt(beta)), rate / (1 - beta))
    for _ in range(math.ceil(3.5 / slow)):
        buffer = beta * buffer + theta + rng.standard_normal(CHAINS)
        theta = theta - rate * buffer
    return float((theta**2).mean()), float((theta**2).std() / CHAINS**0.5)


# --8<-- [end:measured]


if __name__ == "__main__":
    # --8<-- [start:demo]
    fixed, scaled = {}, {}
    print("beta   rate 0.01   predicted   rate 0.01 (1 - beta)   predicted")
    for beta in (0.0, 0.5, 0.9, 0.98):
        rates = RATE, RATE * (1 - beta)
        fixed[beta], scaled[beta] = (measured_variance(r, beta) for r in rates)
        theory = [momentum_variance(rate, 1.0, beta) for rate in rates]
        print(f"{beta:<4g}{fixed[beta][0]:12.4f}{theory[0]:12.4f}", end="")
        print(f"{scaled[beta][0]:23.4f}{theory[1]:12.4f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_variance]
def plot_variance() -> Figure:
    """Draw the variance against the momentum, for two choices of rates."""
    fig, ax = plt.subplots(figsize=(5.2, 3.3), layout="constrained")
    span = np.linspace(0, 0.985, 60)
    inverse = 1 / (1 - np.array(BETAS))
    for i, name in enumerate(("η fixed", "η / (1 − β) fixed")):
        rates = [RATE * (1 - b) ** i for b in BETAS]
        pairs = zip(rates, BETAS, strict=True)
        y = [measured_variance(rate, b)[0] for rate, b in pairs]
        ax.plot(inverse, y, "os"[i], color=f"C{i}", label=name)
        line = [momentum_variance(RATE * (1 - b) ** i, 1.0, b) for b in span]
        label = "predicted" if i else None
        ax.plot(1 / (1 - span), line, "k--", lw=1, label=label)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("1 / (1 − β)")
    ax.set_ylabel("variance of θ")
    ax.legend()
    return fig


if __name__ == "__main__":
    plot_variance()
    plt.show()
# --8<-- [end:plot_variance]
