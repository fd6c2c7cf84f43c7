"""In a wide network the second moment of a layer follows a map of one number.

q_l = sigma_w^2 * E[phi(sqrt(q_(l-1)) Z)^2] + sigma_b^2, Var(w) = sigma_w^2 / n

Poole, Lahiri, Raghu, Sohl-Dickstein and Ganguli (2016); Schoenholz, Gilmer,
Ganguli and Sohl-Dickstein (2017), "Deep Information Propagation".
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


# --8<-- [end:moments]


# --8<-- [start:diagnose]
def iterate_map(
    phi: Callable[[Tensor], Tensor],
    weight: float,
    bias: float,
    q: float,
    layers: int,
) -> list[float]:
    """Return q_1, ..., q_layers for sigma_w^2 = weight, sigma_b^2 = bias.

    Args:
        phi: activation function.
        weight: fan_in times the variance of the weights.
        bias: variance of the biases.
        q: second moment of the pre-activations of layer 1.
        layers: how many layers, the first one included.

    Raises:
        ValueError: weight or some q is not positive (or q underflows to 0), or
            bias is negative.

    >>> [round(q, 3) for q in iterate_map(torch.relu, 2.0, 0.0, 1.0, 3)]
    [1.0, 1.0, 1.0]
    """
    if not weight > 0 or not bias >= 0:
        raise ValueError(
            "Expected weight > 0 and bias >= 0. "
            f"Received: weight={weight}, bias={bias}"
        )
    path = [q]
    for _ in range(layers - 1):
        share = activation_moments(
            phi, torch.tensor(path[-1], dtype=torch.float64)
        )[0]
        path.append(weight * float(share) + bias)
    return path


def diagnose_point(
    phi: Callable[[Tensor], Tensor], weight: float, bias: float, q: float
) -> dict[str, float]:
    """Return V(q), chi_par = V'(q), chi_1 and the depth scale at q.

    Raises:
        ValueError: a variance is negative, or q not positive and finite.

    >>> point = diagnose_point(torch.relu, 2.0, 0.0, 1.0)
    >>> [round(point[key], 6) for key in ("map", "chi_par", "chi_1")]
    [1.0, 1.0, 1.0]
    """
    if not (weight >= 0 and bias >= 0 and 0 < q < math.inf):
        raise ValueError(f"Received: {weight=}, {bias=}, {q=}")
    share, slope, response = (
        float(x)
        for x in activation_moments(phi, torch.tensor(q, dtype=torch.float64))
    )
    chi = weight * slope
    log = abs(math.log(chi)) if chi > 0 else math.inf
    return {
        "map": weight * share + bias,
        "chi_par": weight * response,
        "chi_1": chi,
        "depth_scale": 1 / log if log > 1e-9 else math.inf,
    }


# --8<-- [end:diagnose]


if __name__ == "__main__":
    # --8<-- [start:demo]
    networks = {
        "tanh, LeCun": (torch.tanh, 1.0, 0.0),
        "tanh, gain 5/3": (torch.tanh, 25 / 9, 0.0),
        "tanh, ordered": (torch.tanh, 1.0, 0.1),
        "ReLU, He": (torch.relu, 2.0, 0.0),
        "GELU, He": (functional.gelu, 2.0, 0.0),
        "SiLU, He": (functional.silu, 2.0, 0.0),
    }
    settled, points = {}, {}
    for name, (phi, weight, bias) in networks.items():
        q = iterate_map(phi, weight, bias, 1.0, 200)[-1]
        settled[name] = q
        points[name] = diagnose_point(phi, weight, bias, q)
    growth = points["tanh, gain 5/3"]["chi_1"] ** 20  # gradient, 20 layers
    lost = points["tanh, ordered"]["chi_1"] ** 49  # gradient, 50 layers
    gelu = iterate_map(functional.gelu, 2.0, 0.0, 1.0, 30)
    # --8<-- [end:demo]


# --8<-- [start:plot_cobwebs]
def plot_cobwebs() -> Figure:
    """Draw the map q -> V(q) with two orbits for six initializations."""
    half = (1.98305826, 0.17292239)  # critical GELU, see mean_field_gelu
    panels = [
        ("tanh, LeCun", torch.tanh, 1.0, 0.0, (0.3, 1.9), 2.2),
        ("tanh, gain 5/3", torch.tanh, 25 / 9, 0.0, (0.1, 2.1), 2.2),
        ("ReLU, He", torch.relu, 2.0, 0.0, (0.6, 1.6), 2.2),
        ("GELU, He", functional.gelu, 2.0, 0.0, (0.6, 1.9), 2.2),
        ("GELU, 2.352", functional.gelu, 2.35172, 0.0, (0.8, 1.15), 2.2),
        ("GELU, critical", functional.gelu, *half, (0.6, 6.0), 7.0),
    ]
    figure, grid = plt.subplots(3, 2, figsize=(5.6, 8.0), layout="constrained")
    for axis, (name, phi, weight, bias, starts, top) in zip(
        grid.flat, panels, strict=True
    ):
        q = torch.linspace(1e-6, top, 45, dtype=torch.float64)
        share = activation_moments(phi, q)[0]
        axis.plot([0, top], [0, top], color="0.5", lw=1)
        axis.plot(q, weight * share + bias, color="C0", label="V(q)")
        for i, start in enumerate(starts):
            path = np.repeat(iterate_map(phi, weight, bias, start, 9), 2)
            axis.plot(
                path[:-1], path[1:], color=f"C{i + 1}", lw=1.1, ls="-:"[i]
            )
            axis.plot(start, start, "os"[i], color=f"C{i + 1}", ms=4)
        axis.set(xlim=(0, top), ylim=(0, top), title=name, aspect="equal")
    for axis in grid[-1]:
        axis.set_xlabel("q of a layer")
    for axis in grid[:, 0]:
        axis.set_ylabel("q of the next")
    return figure


if __name__ == "__main__":
    plot_cobwebs()
    plt.show()
# --8<-- [end:plot_cobwebs]
