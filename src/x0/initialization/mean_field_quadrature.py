"""Gauss-Hermite quadrature misses kinks, and steps between its nodes.

E[f(Z)] = sum_k w_k f(z_k), k = 1 ... m, is exact up to degree 2 m - 1.
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


# --8<-- [start:rules]
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


def hermite_mean(f: Callable[[Tensor], Tensor], q: float, nodes: int) -> float:
    """Return E[f(z)], z ~ N(0, q), by Gauss-Hermite quadrature.

    Raises:
        ValueError: nodes is less than 1, or q is negative.

    >>> round(hermite_mean(torch.square, 2.0, 3), 12)
    2.0
    """
    if nodes < 1 or not 0 <= q < math.inf:
        raise ValueError(
            "nodes must be at least 1, q at least 0. "
            f"Received: nodes={nodes}, q={q}"
        )
    x, w = np.polynomial.hermite_e.hermegauss(nodes)
    z = torch.from_numpy(math.sqrt(q) * x)
    return (torch.from_numpy(w) @ f(z)).item() / math.sqrt(2 * math.pi)


def split_mean(f: Callable[[Tensor], Tensor], q: float) -> float:
    """Return E[f(z)], z ~ N(0, q), by gaussian_rule, q not negative.

    >>> round(split_mean(torch.relu, 1.0) * (2 * math.pi) ** 0.5, 12)
    1.0
    """
    z, w = gaussian_rule()
    return (w @ f(math.sqrt(q) * z)).item()


# --8<-- [end:rules]


if __name__ == "__main__":
    # --8<-- [start:demo]
    root = math.sqrt(2 * math.pi)
    normal = 0.5 * math.erfc(1 / math.sqrt(2))  # P(Z < -1)
    elu = 1 / root - 0.5 + math.exp(0.5) * normal
    t = torch.linspace(-12, 12, 48001, dtype=torch.float64)
    density = torch.exp(-(t**2) / 2) / root * (24 / 48000)
    # fine trapezoidal sums
    flat, steep = (float(density @ (x * t).tanh() ** 2) for x in (1, 5))
    cases = {
        "z^8": (lambda z: z**8, 1.0, 105.0),
        "cos": (torch.cos, 1.0, math.exp(-0.5)),
        "ReLU": (torch.relu, 1.0, 1 / root),
        "ELU": (functional.elu, 1.0, elu),
        "ReLU^3": (lambda z: torch.relu(z) ** 3, 1.0, 2 / root),
        "tanh^2, q=1": (lambda z: z.tanh() ** 2, 1.0, flat),
        "tanh^2, q=25": (lambda z: z.tanh() ** 2, 25.0, steep),
    }
    errors = {}
    print("error of        20 nodes   80 nodes   split at 0")
    for name, (f, q, exact) in cases.items():
        means = [
            hermite_mean(f, q, 20),
            hermite_mean(f, q, 80),
            split_mean(f, q),
        ]
        errors[name] = [abs(mean - exact) for mean in means]
        shown = [f"{e:.0e}" if e > 1e-11 else "< 1e-11" for e in errors[name]]
        print(f"{name:14}" + " ".join(f"{x:>10}" for x in shown))
    # --8<-- [end:demo]
