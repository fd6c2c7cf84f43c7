"""The edge of chaos of tanh is a line that starts at Xavier's (1, 0).

sigma_w^2 = 1 / E[phi'^2], sigma_b^2 = q - E[phi^2] / E[phi'^2], one point per q

Schoenholz, Gilmer, Ganguli and Sohl-Dickstein (2017).
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


# --8<-- [start:edge]
def critical_line(
    phi: Callable[[Tensor], Tensor], q: Tensor
) -> tuple[Tensor, Tensor]:
    """Return (sigma_w^2, sigma_b^2) for which q is fixed and chi_1 is 1.

    A negative sigma_b^2 means that no network has this critical q.

    >>> weight, bias = critical_line(torch.relu, torch.tensor([0.5, 2.0]))
    >>> [round(abs(float(x)), 9) for x in (*weight, *bias)]
    [2.0, 2.0, 0.0, 0.0]
    """
    share, slope, _ = activation_moments(phi, q)
    return 1 / slope, q - share / slope


def critical_weight(phi: Callable[[Tensor], Tensor], bias: float) -> float:
    """Return sigma_w^2 of the line at a given sigma_b^2, by bisection.

    Raises:
        ValueError: the line does not reach bias for q between 0 and 50.

    >>> round(critical_weight(torch.tanh, 0.1), 3)
    1.986
    """
    low, high = torch.tensor([1e-9, 50.0], dtype=torch.float64)
    if not float(critical_line(phi, high)[1]) > bias >= 0:
        raise ValueError(f"bias is out of reach. Received: bias={bias}")
    for _ in range(60):
        middle = (low + high) / 2
        if float(critical_line(phi, middle)[1]) < bias:
            low = middle
        else:
            high = middle
    return float(critical_line(phi, low)[0])


def settle_grid(
    phi: Callable[[Tensor], Tensor],
    weight: Tensor,
    bias: Tensor,
    layers: int = 400,
) -> tuple[Tensor, Tensor]:
    """Return q and chi_1 on a grid of networks, settled or after all layers.

    >>> one = torch.ones(1, dtype=torch.float64)
    >>> q, chi = settle_grid(torch.tanh, 25 / 9 * one, 0 * one)
    >>> round(float(q), 3), round(float(chi), 3)
    (1.178, 1.21)
    """
    q = torch.ones_like(weight)
    for _ in range(layers):
        share = activation_moments(phi, q)[0]
        after = weight * share + bias
        if bool(((after - q).detach().abs() < 1e-10).all()):
            break
        q = after
    return q, weight * activation_moments(phi, q)[1]


# --8<-- [end:edge]


if __name__ == "__main__":
    # --8<-- [start:demo]
    biases = (0.0, 0.01, 0.05, 0.1, 0.2, 0.3)
    critical = {bias: critical_weight(torch.tanh, bias) for bias in biases}
    print("tanh: sigma_b^2  critical sigma_w^2")
    for bias, weight in critical.items():
        print(f"{bias:15.2f}  {weight:18.3f}")
    weights = torch.tensor([0.8, 1.0, 25 / 9], dtype=torch.float64)
    _, factors = settle_grid(torch.tanh, weights, torch.full_like(weights, 0.1))
    for w, chi in zip(weights, factors, strict=True):
        state = "ordered" if chi < 1 else "chaotic"
        print(f"({w:.2f}, 0.10): chi_1 {chi:.3f}, {state}")
    # --8<-- [end:demo]


# --8<-- [start:plot_diagram]
def plot_diagram() -> Figure:
    """Draw chi_1 over (sigma_w^2, sigma_b^2) with the critical line."""
    axis_w = torch.linspace(0.5, 4, 57, dtype=torch.float64)
    axis_b = torch.linspace(0, 0.3, 49, dtype=torch.float64)
    weight, bias = torch.meshgrid(axis_w, axis_b, indexing="ij")
    chi = settle_grid(torch.tanh, weight, bias, 100)[1]
    figure, axis = plt.subplots(figsize=(5.6, 4.0), layout="constrained")
    levels = [0.4, 0.6, 0.8, 1.2, 1.4]
    lines = axis.contour(
        weight, bias, chi, levels, colors="0.5", linewidths=0.9
    )
    axis.clabel(lines, fontsize=8)
    q = torch.logspace(-3, 0.5, 40, dtype=torch.float64)
    line = critical_line(torch.tanh, q)
    axis.plot(*line, color="C0", lw=2)
    axis.text(2.52, 0.27, "χ₁ = 1", color="C0")
    for marker, color, x, name in (
        ("o", "C1", 1.0, "Xavier"),
        ("s", "C5", 25 / 9, "gain 5/3"),
    ):
        axis.plot(x, 0, marker, c=color, ms=7, clip_on=False)
        axis.text(x + 0.12, 0.02, name, color=color)
    axis.text(1.8, 0.27, "ordered", fontsize=11)
    axis.text(3.1, 0.06, "chaotic", fontsize=11)
    axis.set(xlim=(0.5, 4), ylim=(0, 0.3), xlabel="σ_w²", ylabel="σ_b²")
    return figure


if __name__ == "__main__":
    plot_diagram()
    plt.show()
# --8<-- [end:plot_diagram]
