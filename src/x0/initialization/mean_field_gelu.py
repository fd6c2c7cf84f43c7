"""GELU and SiLU have one critical point, and it is only half-stable.

chi_par - chi_1 = sigma_w^2 E[phi phi''] = 0, for GELU q = (3 + sqrt(17)) / 2

Roberts, Yaida and Hanin (2022), "The Principles of Deep Learning Theory".
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


# --8<-- [start:critical]
def critical_point(
    phi: Callable[[Tensor], Tensor], low: float = 0.5, high: float = 50.0
) -> tuple[float, float, float]:
    """Return (q, sigma_w^2, sigma_b^2) where chi_1 = chi_par = 1.

    Both factors are proportional to sigma_w^2, so q is the root of
    E[phi'^2] - d/dq E[phi^2], found by bisection.

    Raises:
        ValueError: the difference has the same sign at low and high, or phi
            has the slope 0.

    >>> [round(x, 5) for x in critical_point(functional.gelu)]
    [3.56155, 1.98306, 0.17292]
    """

    def gap(q: float) -> float:
        point = torch.tensor(q, dtype=torch.float64)
        _, slope, response = activation_moments(phi, point)
        return float(slope - response)

    if gap(low) * gap(high) > 0:
        raise ValueError(f"No sign change. Received: low={low}, high={high}")
    sign = math.copysign(1, gap(low))
    for _ in range(80):
        middle = (low + high) / 2
        if sign * gap(middle) > 0:
            low = middle
        else:
            high = middle
    share, slope, _ = activation_moments(
        phi, torch.tensor(low, dtype=torch.float64)
    )
    if not 0 < slope < math.inf:
        raise ValueError(f"phi has no slope. Received: E[phi'^2] = {slope}")
    return low, float(1 / slope), low - float(share / slope)


def gelu_moments(q: float) -> tuple[float, float]:
    """Return E[phi^2] and E[phi'^2] of GELU for z ~ N(0, q), in closed form.

    Raises:
        ValueError: q is negative, or 1e30 or more.

    >>> [round(x, 6) for x in gelu_moments(1.0)]
    [0.425221, 0.455851]
    """
    if not 0 <= q < 1e30:
        raise ValueError(f"q must be in [0, 1e30). Received: {q=}")
    root, angle = math.sqrt(1 + 2 * q), math.asin(q / (1 + q))
    share = q / 4 + q / (2 * math.pi) * (angle + 2 * q / ((1 + q) * root))
    tail = q * (3 + 5 * q) / ((1 + q) * root**3)
    return share, 1 / 4 + (angle + tail) / (2 * math.pi)


def orbit(
    phi: Callable[[Tensor], Tensor],
    weight: float,
    bias: float,
    q: float,
    layers: int,
) -> list[float]:
    """Return q_1 = q, ..., q_layers, stopping where q leaves (1e-9, 1e4).

    >>> [round(x, 3) for x in orbit(torch.relu, 2.0, 0.0, 1.0, 3)]
    [1.0, 1.0, 1.0]
    """
    path = [q]
    while len(path) < layers and 1e-9 < path[-1] < 1e4:
        point = torch.tensor(path[-1], dtype=torch.float64)
        share = activation_moments(phi, point)[0]
        path.append(weight * float(share) + bias)
    return path


def neighbor(
    phi: Callable[[Tensor], Tensor], q: float, weight: float, bias: float
) -> tuple[float, list[float]]:
    """Return the fixed point next to a half-stable q, and V(x) - x beside q.

    Args:
        phi: activation function.
        q: fixed point where V(x) - x keeps its sign.
        weight: sigma_w^2.
        bias: sigma_b^2.

    Returns:
        The neighbor between q / 2 and 3 q / 2, and V(x) - x at 0.99 q, 1.01 q.

    >>> critical = critical_point(functional.gelu)
    >>> round(neighbor(functional.gelu, *critical)[0], 2)
    3.03
    """

    def excess(x: float) -> float:
        point = torch.tensor(x, dtype=torch.float64)
        return weight * float(activation_moments(phi, point)[0]) + bias - x

    sides = [excess(0.99 * q), excess(1.01 * q)]
    far, near = (0.5 * q, 0.99 * q) if sides[0] < 0 else (1.5 * q, 1.01 * q)
    for _ in range(60):
        middle = (far + near) / 2
        if excess(middle) * excess(far) > 0:
            far = middle
        else:
            near = middle
    return far, sides


# --8<-- [end:critical]


if __name__ == "__main__":
    # --8<-- [start:demo]
    one = torch.ones((), dtype=torch.float64)
    critical, gain2, orbits, others = {}, {}, {}, {}
    for name, phi in (("GELU", functional.gelu), ("SiLU", functional.silu)):
        critical[name] = critical_point(phi)
        q, weight, bias = critical[name]
        print(f"{name}: critical q {q:.4f}, sigma_w^2 {weight:.6f}", end="")
        print(f", sigma_b^2 {bias:.6f}")
        gain2[name] = 1 / activation_moments(phi, one)[0].item()
        for start in (0.99, 1.01):
            path = orbit(phi, gain2[name], 0.0, start, 61)
            orbits[name, start] = path
            print(f"  gain² {gain2[name]:.3f}, from q = {start}: ", end="")
            print(f"q = {path[-1]:.1e} at layer {len(path)}")
        other, sides = neighbor(phi, q, weight, bias)
        others[name] = other / q
        signs = ", ".join("below" if x < 0 else "above" for x in sides)
        print(f"  critical: V(q) {signs} the diagonal", end="")
        print(f" at 0.99 and 1.01 q*, on it at {other / q:.2f} q*")
    grid = torch.tensor([0.5, 1.0, 4.0], dtype=torch.float64)
    shares, *_ = activation_moments(functional.gelu, grid)
    closed = [gelu_moments(x)[0] for x in grid.tolist()]
    agree = np.allclose(shares, closed, rtol=0, atol=1e-12)
    print(f"GELU, closed form and quadrature agree: {agree}")
    # --8<-- [end:demo]
