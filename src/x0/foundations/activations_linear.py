"""Linear layers collapse into one; polynomial units stay polynomials.

W2 (W1 x + b1) + b2 = (W2 W1) x + (W2 b1 + b2)

Leshno et al. (1993): wide hidden layers approximate every continuous function
on a bounded set if and only if the activation function is not a polynomial.
"""

# --8<-- [start:imports]
from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

Array = NDArray[np.float64]
SEED = 0
WIDTHS = (1, 2, 4, 8, 16, 32, 64)
# --8<-- [end:imports]


# --8<-- [start:collapse]
def collapse_affine(layers: list[tuple[Array, Array]]) -> tuple[Array, Array]:
    """Return the one layer (W, b) that equals a stack of linear layers.

    Args:
        layers: (W, b) of each layer from the input on, (n_out, n_in).

    Raises:
        ValueError: there is no layer.

    >>> two, one = np.array([[2.0]]), np.ones(1)
    >>> w, b = collapse_affine([(two, one), (two, one)])
    >>> w.item(), b.item()
    (4.0, 3.0)
    """
    if not layers:
        raise ValueError(f"Expected at least one layer. Received: {layers}")
    weight, bias = layers[0]
    for w, b in layers[1:]:
        weight, bias = w @ weight, w @ bias + b
    return weight, bias


# --8<-- [end:collapse]


# --8<-- [start:fit]
UNITS: dict[str, Callable[[Array], Array]] = {
    "linear": lambda z: z,
    "square": lambda z: z**2,
    "ReLU": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
}


def wave(x: Array) -> Array:
    """Return the target, sin 3x + cos 2x, at finite x."""
    target: Array = np.sin(3 * x) + np.cos(2 * x)
    return target


def fitting_error(
    phi: Callable[[Array], Array], width: int, rng: np.random.Generator
) -> float:
    """Fit the output weights of random hidden units; return the rms error.

    Args:
        phi: activation function of the hidden units phi(w x + b).
        width: number of hidden units.
        rng: source of w and b.
    """
    x = np.linspace(-2, 2, 201)
    w = rng.normal(0, 3, width)
    h = phi(np.outer(x, w) + w * rng.uniform(-2, 2, width))
    h = np.column_stack([h, np.ones_like(x)])
    u = np.linalg.lstsq(h, wave(x), rcond=1e-10)[0]
    return float(np.sqrt(np.mean((h @ u - wave(x)) ** 2)))


def polynomial_error(degree: int) -> float:
    """Return the rms error of the best polynomial, degree not negative.

    >>> polynomial_error(1) > polynomial_error(2) > 0
    True
    """
    x = np.linspace(-2, 2, 201)
    fit = np.polynomial.Polynomial.fit(x, wave(x), degree)
    return float(np.sqrt(np.mean((fit(x) - wave(x)) ** 2)))


# --8<-- [end:fit]


if __name__ == "__main__":
    # --8<-- [start:demo]
    rng = np.random.default_rng(SEED)
    sizes = ((9, 5), (7, 9), (3, 7))
    layers = [(rng.normal(size=s), rng.normal(size=s[0])) for s in sizes]
    x = rng.normal(size=(5, 100))
    deep = x
    for w, b in layers:
        deep = w @ deep + b[:, None]
    weight, bias = collapse_affine(layers)
    gap = abs(deep - weight @ x - bias[:, None]).max()
    numbers = sum(w.size + b.size for w, b in layers)
    print("three layers are one:", gap < 1e-12)
    print(
        f"numbers: {numbers} in three layers, {weight.size + bias.size} in one"
    )
    best = {degree: polynomial_error(degree) for degree in (1, 2)}
    errors = {}
    print("error with 64 units")
    for name, phi in UNITS.items():
        found = [fitting_error(phi, 64, rng) for _ in range(10)]
        errors[name] = np.exp(np.mean(np.log(found)))
        shown = f"{errors[name]:.2f}" if errors[name] > 0.1 else "< 0.1"
        print(f"  {name:8}{shown}")
    # --8<-- [end:demo]


# --8<-- [start:plot_width]
def plot_width() -> Figure:
    """Draw the error of a random hidden layer against its width."""
    rng = np.random.default_rng(SEED)
    fig, ax = plt.subplots(figsize=(5.2, 3.4), layout="constrained")
    for i, (name, phi) in enumerate(UNITS.items()):
        errors = [
            [fitting_error(phi, width, rng) for _ in range(10)]
            for width in WIDTHS
        ]
        mean = np.exp(np.log(errors).mean(1))
        color = f"C{'4102'[i]}"
        ax.plot(WIDTHS, mean, "o^sD"[i], color=color, label=name, ls=":")
    for degree in (1, 2):
        label = "best polynomial" if degree == 1 else None
        level = polynomial_error(degree)
        ax.axhline(level, ls="--", lw=1, color="black", label=label)
    ax.set(xscale="log", yscale="log", xlabel="hidden units")
    ax.set(ylabel="rms error", ylim=(4e-3, 2))
    ax.legend()
    return fig


if __name__ == "__main__":
    plot_width()
    plt.show()
# --8<-- [end:plot_width]
