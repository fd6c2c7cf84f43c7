"""The gain that keeps q at 1 keeps the gradient for ReLU's family, not tanh.

g = E[phi(Z)^2]^(-1/2), chi_1 = g^2 E[phi'(Z)^2], chi_par = V'(1)

Poole et al. (2016); torch.nn.init.calculate_gain for comparison.
"""

# --8<-- [start:imports]
import math
from collections.abc import Callable
from functools import cache

import numpy as np
import torch
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


# --8<-- [end:moments]


# --8<-- [start:gains]
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "linear": lambda z: 1.0 * z,
    "relu": torch.relu,
    "leaky_relu": lambda z: functional.leaky_relu(z, 0.01),
    "leaky_relu 0.2": lambda z: functional.leaky_relu(z, 0.2),
    "tanh": torch.tanh,
    "scaled tanh": lambda z: 1.7159 * torch.tanh(2 / 3 * z),
    "softsign": functional.softsign,
    "erf": torch.erf,
    "hardtanh": functional.hardtanh,
    "sigmoid": torch.sigmoid,
    "softplus": functional.softplus,
    "selu": torch.selu,
    "elu": functional.elu,
    "gelu": functional.gelu,
    "silu": functional.silu,
    "mish": functional.mish,
    "hardswish": functional.hardswish,
    "relu squared": lambda z: torch.relu(z) ** 2,
}


def normalizing_gain(
    phi: Callable[[Tensor], Tensor],
) -> tuple[float, float, float]:
    """Return the gain that keeps q at 1, and chi_1 and chi_par with it.

    Args:
        phi: activation function, smooth or with kinks at 0, ±1, ±3.

    Raises:
        ValueError: phi vanishes, so that no gain exists.

    >>> [round(x, 4) for x in normalizing_gain(functional.gelu)]
    [1.5335, 1.072, 1.1441]
    """
    one = torch.ones((), dtype=torch.float64)
    share, slope, response = (float(x) for x in activation_moments(phi, one))
    if not share > 0:
        raise ValueError(f"E[phi(Z)^2] must be positive. Received: {share}")
    return share**-0.5, slope / share, response / share


def pytorch_gain(name: str) -> float | None:
    """Return what calculate_gain says, or None if it raises ValueError.

    >>> pytorch_gain("gelu") is None, pytorch_gain("selu")
    (True, 0.75)
    """
    gain: Callable[..., float] = torch.nn.init.calculate_gain
    base, _, slope = name.partition(" ")
    try:
        if base == "leaky_relu" and slope:
            return float(gain(base, float(slope)))
        return float(gain(name))
    except ValueError:
        return None


# --8<-- [end:gains]


if __name__ == "__main__":
    # --8<-- [start:demo]
    gains = {name: normalizing_gain(phi) for name, phi in ACTIVATIONS.items()}
    theirs = {name: pytorch_gain(name) for name in ACTIVATIONS}
    pytorch = {name: gain for name, gain in theirs.items() if gain}
    kept = gains["tanh"][0] ** -2  # E[tanh(Z)^2]
    tanh_growth = {depth: gains["tanh"][1] ** depth for depth in (10, 50)}
    # --8<-- [end:demo]
