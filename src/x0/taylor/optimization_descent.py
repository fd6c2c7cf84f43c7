"""A step of gradient descent lowers f by a guaranteed amount below 2 / L.

f(x) - f(x - rate g) >= rate (1 - L rate / 2) |g|^2

L bounds the curvature everywhere: the descent lemma (Nesterov 2018).
"""

# --8<-- [start:imports]
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

Array = NDArray[np.float64]
SEED = 0
# --8<-- [end:imports]


# --8<-- [start:logistic]
def signed_inputs(count: int = 300, size: int = 4) -> Array:
    """Draw inputs of two classes, each multiplied by its label -1 or +1.

    >>> signed_inputs().shape
    (300, 4)
    """
    rng = np.random.default_rng(SEED)
    inputs = rng.normal(size=(count, size))
    noisy = inputs[:, 0] + rng.normal(size=count)
    return np.where(noisy > 0, 1.0, -1.0)[:, None] * inputs


def margin_loss(w: Array, data: Array) -> Array:
    """Return the logistic loss, mean of ln(1 + exp(-margin)).

    Args:
        w: Weights, finite, shape (..., size).
        data: From ``signed_inputs``, finite, not empty, shape (count, size).

    >>> float(margin_loss(np.zeros(4), signed_inputs()).round(4))
    0.6931
    """
    found: Array = np.logaddexp(0.0, -w @ data.T).mean(-1)
    return found


def margin_gradient(w: Array, data: Array) -> Array:
    """Return the gradient of ``margin_loss``, of the shape of ``w``.

    Args:
        w: Weights, shape (..., size).
        data: From ``signed_inputs``, finite, not empty, shape (count, size).
    """
    pull = 1 / (1 + np.exp(w @ data.T))
    found: Array = -pull @ data / len(data)
    return found


def lipschitz_constant(data: Array) -> float:
    """Bound the largest eigenvalue of the Hessian matrix for all w.

    The second derivative of ln(1 + exp(-m)) is at most 1/4.

    Args:
        data: From ``signed_inputs``, finite, not empty, shape (count, size).
    """
    return float(np.linalg.eigvalsh(data.T @ data / len(data))[-1] / 4)


# --8<-- [end:logistic]


# --8<-- [start:valley]
def valley_distance(rate: float, steps: int = 200) -> float:
    """Descend (x_1^2 + 10 x_2^2) / 2 from (1, 1); return the distance to 0.

    Warns:
        RuntimeWarning: The descent diverges and numbers overflow.

    >>> round(valley_distance(0.2), 3)
    1.0
    """
    x = np.ones(2)
    for _ in range(steps):
        x = x - rate * np.array([1.0, 10.0]) * x
    return float(np.linalg.norm(x))


# --8<-- [end:valley]


if __name__ == "__main__":
    # --8<-- [start:demo]
    data, rng = signed_inputs(), np.random.default_rng(SEED + 1)
    lipschitz = lipschitz_constant(data)
    w, step = rng.normal(size=(2, 2000, 4)) * 3
    gradient = margin_gradient(w, data)
    linear = margin_loss(w, data) + (gradient * step).sum(1)
    quadratic = lipschitz / 2 * (step**2).sum(1)
    above = (margin_loss(w + step, data) > linear + quadratic).sum()
    rates = rng.uniform(0, 2 / lipschitz, 2000)
    moved = margin_loss(w - rates[:, None] * gradient, data)
    promised = rates * (1 - lipschitz * rates / 2) * (gradient**2).sum(1)
    risen = (moved > margin_loss(w, data) - promised).sum()
    print(f"of 2000 pairs above the quadratic: {above}")
    print(f"of 2000 steps short of the promise: {risen}")
    distances = {rate: valley_distance(rate) for rate in (0.199, 0.2, 0.201)}
    for rate, distance in distances.items():
        print(f"rate {rate:.3f}: distance after 200 steps {distance:.3f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_decrease]
def plot_decrease() -> Figure:
    """Draw the decrease by one step against the rate, with the bound."""
    data = signed_inputs()
    lipschitz, w = lipschitz_constant(data), np.full(4, -1.0)
    gradient = margin_gradient(w, data)
    square = gradient @ gradient
    times = np.linspace(0, 4, 41)  # the rate, in units of 1 / L
    moved = w - (times / lipschitz)[:, None] * gradient
    logistic = margin_loss(w, data) - margin_loss(moved, data)
    steepest = times - times**2 / 2  # a quadratic of curvature L everywhere
    figure, axis = plt.subplots(figsize=(5.2, 3.6), layout="constrained")
    scaled = logistic / square * lipschitz
    axis.plot(times[::4], scaled[::4], "C0o", label="logistic loss")
    axis.plot(times[::4], steepest[::4], "C1s", label="quadratic")
    axis.plot(times, steepest, "C1--", lw=1, label="bound")
    axis.axhline(0, color="0.5", lw=1)
    axis.axvline(2, color="0.5", lw=1, ls=":")
    axis.set(xlabel="η L", ylabel="decrease × L / |g|²", ylim=(-2, 1.5))
    axis.legend(loc="lower left")
    return figure


if __name__ == "__main__":
    plot_decrease()
    plt.show()
# --8<-- [end:plot_decrease]
