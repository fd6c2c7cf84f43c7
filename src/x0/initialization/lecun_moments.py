"""Gain 1 fixes the second moment that each activation function settles at.

q = n Var(w) * E[phi(z)^2], z ~ N(0, q), and d_(l-1) = n Var(w) * E[phi'^2] d_l

LeCun et al. (1998), section 4.6; Klambauer et al. (2017) for SELU.
"""

# --8<-- [start:imports]
import math
from collections.abc import Callable
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional

# --8<-- [end:imports]


# --8<-- [start:moments]
@cache
def gaussian_rule() -> tuple[Tensor, Tensor]:
    """Return nodes z and weights w: sum(w * f(z)) is E[f(Z)], Z ~ N(0, 1).

    Gauss-Legendre on panels that end at 0, so that a kink there does no harm.

    >>> z, w = gaussian_rule()
    >>> [round(float(w @ z**k), 12) for k in (0, 2, 4)]
    [1.0, 1.0, 3.0]
    """
    edges = np.array([0, 0.125, 0.5, 1, 2, 3, 4.5, 6, 8, 10, 12])
    x, w = np.polynomial.legendre.leggauss(20)
    half = np.diff(edges)[:, None] / 2
    z = (edges[:-1, None] + half * (1 + x)).ravel()
    w = (half * w).ravel() * np.exp(-(z**2) / 2) / math.sqrt(2 * math.pi)
    nodes, weights = np.r_[-z[::-1], z], np.r_[w[::-1], w]
    return torch.from_numpy(nodes), torch.from_numpy(weights)


def activation_moments(
    phi: Callable[[Tensor], Tensor], q: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return E[phi(z)^2], E[phi'(z)^2] and d/dq E[phi(z)^2], z ~ N(0, q).

    Args:
        phi: activation function, applied to each element.
        q: positive second moments of any shape; the results have it too.

    Raises:
        ValueError: some q is not positive.

    >>> q = torch.tensor(1.0, dtype=torch.float64)
    >>> [round(float(x), 4) for x in activation_moments(torch.tanh, q)]
    [0.3943, 0.4644, 0.1818]
    """
    if q.is_complex() or not bool((q > 0).all()):
        raise ValueError(f"q must be positive. Received: q={q}")
    nodes, weights = gaussian_rule()
    std = q.double().sqrt()[..., None]
    z = (std * nodes).requires_grad_()
    h = phi(z.clone()) + 0 * z  # phi may be constant, or work in place
    (slope,) = torch.autograd.grad(h.sum(), z)
    h = h.detach()
    response = h * slope * nodes / std
    return h**2 @ weights, slope**2 @ weights, response @ weights


ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "ReLU": torch.relu,
    "leaky 0.2": lambda z: functional.leaky_relu(z, 0.2),
    "tanh": torch.tanh,
    "scaled tanh": lambda z: 1.7159 * torch.tanh(2 / 3 * z),
    "logistic": torch.sigmoid,
    "SELU": torch.selu,
    "ELU": functional.elu,
    "GELU": functional.gelu,
    "SiLU": functional.silu,
}


def settle(
    phi: Callable[[Tensor], Tensor], n_v: float = 1.0, layers: int = 100
) -> tuple[float, float, float]:
    """Return q of the last layer, dV/dq and chi_1 there, from q = 1.

    Args:
        phi: activation function.
        n_v: fan_in times the variance of the weights; 1 is LeCun's rule.
        layers: how many layers, the first one included.

    Raises:
        ValueError: q has become 0 or infinite on the way.

    >>> [round(x, 3) for x in settle(torch.selu)]
    [1.0, 0.783, 1.072]
    """
    q = torch.ones((), dtype=torch.float64)
    for _ in range(layers - 1):
        q = n_v * activation_moments(phi, q)[0]
    _, slope, response = activation_moments(phi, q)
    return float(q), n_v * float(response), n_v * float(slope)


# --8<-- [end:moments]


if __name__ == "__main__":
    # --8<-- [start:demo]
    one = torch.ones((), dtype=torch.float64)
    share, slope, q, response, chi = {}, {}, {}, {}, {}
    for name, phi in ACTIVATIONS.items():
        share[name], slope[name] = activation_moments(phi, one)[:2]
        q[name], response[name], chi[name] = settle(phi)
    four_q, _, four_chi = settle(torch.sigmoid, 16.0)

    gain = share["scaled tanh"] ** -0.5  # holds q = 1
    unit_chi = slope["scaled tanh"] / share["scaled tanh"]
    loss = 1 / chi["logistic"]
    growth = chi["SELU"] ** 50
    # --8<-- [end:demo]


# --8<-- [start:plot_scale]
def plot_scale() -> Figure:
    """Draw the gain that holds q, and the gradient factor there, over q."""
    q = torch.logspace(-2, 2, 81, dtype=torch.float64)
    figure, axes = plt.subplots(
        2, 1, figsize=(5.8, 6.8), sharex=True, layout="constrained"
    )
    for i, (name, phi) in enumerate(ACTIVATIONS.items()):
        share, slope, _ = activation_moments(phi, q)
        style = {
            "color": f"C{i}" if i < 8 else "0.5",
            "marker": "os^vD<>Ph"[i],
            "markevery": (2 + i, 20),
            "lw": 1.3,
            "ms": 5,
        }
        axes[0].plot(q, q / share, label=name, **style)
        axes[1].plot(q, q / share * slope, **style)
    for axis in axes:
        axis.axhline(1, color="black", ls="--", lw=1)
    axes[0].set(xscale="log", yscale="log", ylim=(0.3, 30), ylabel="gain²")
    axes[1].set(xlabel="second moment q", ylabel="χ₁", ylim=(0.8, 1.4))
    figure.legend(loc="outside upper center", ncols=3)
    return figure


if __name__ == "__main__":
    plot_scale()
    plt.show()
# --8<-- [end:plot_scale]
