"""A critical ReLU network still makes all inputs parallel, only slowly.

C(c) = (sqrt(1 - c^2) + c (pi - arccos c)) / pi, 1 - c_l ~ 9 pi^2 / (2 l^2)

Cho and Saul (2009); Poole et al. (2016); Schoenholz et al. (2017).
"""

# --8<-- [start:imports]
import math
from collections.abc import Callable
from functools import cache, partial

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

# --8<-- [end:imports]


# --8<-- [start:maps]
def relu_map(c: Tensor) -> Tensor:
    """Return the correlation after a ReLU layer without biases, real c.

    >>> round(float(relu_map(torch.tensor(0.0))), 6)
    0.31831
    """
    c = c.clamp(-1, 1)
    return ((1 - c**2).sqrt() + c * (math.pi - c.arccos())) / math.pi


def smooth_map(
    phi: Callable[[Tensor], Tensor],
    weight: float,
    bias: float,
    q: float,
    c: Tensor,
) -> Tensor:
    """Return the correlation after a layer, both inputs at the fixed point q.

    Args:
        phi: a smooth activation function.
        weight: sigma_w^2.
        bias: sigma_b^2.
        q: fixed point of the q-map.
        c: correlations before the layer, shape (m,).

    Raises:
        ValueError: some c is outside [-1, 1] or c no vector of real numbers,
            or q is not positive.

    >>> c = torch.tensor([0.2, 0.5], dtype=torch.float64)
    >>> [round(float(x), 6) for x in smooth_map(lambda z: z, 1, 0, 1, c)]
    [0.2, 0.5]
    """
    real = c.ndim == 1 and c.is_floating_point()
    if not real or bool((c.abs() > 1).any()) or not 0 < q < math.inf:
        raise ValueError(
            "c must lie in [-1, 1], shape (m,), and q above 0. "
            f"Received: c={c}, q={q}"
        )
    c = c.double()
    t = torch.linspace(-8, 8, 97, dtype=torch.float64)  # trapezoids
    density = torch.exp(-(t**2) / 2)
    density /= density.sum()
    first = phi(math.sqrt(q) * t)
    mixed = c[:, None, None] * t[:, None]
    mixed = mixed + (1 - c**2).sqrt()[:, None, None] * t
    second = phi(math.sqrt(q) * mixed) @ density
    return (weight * (second * first) @ density + bias) / q


def fixed_q(
    phi: Callable[[Tensor], Tensor], weight: float, bias: float
) -> float:
    """Return q after 400 steps of the q-map from 1, mostly its fixed point.

    The variances weight and bias are not negative.

    >>> round(fixed_q(torch.tanh, 25 / 9, 0.0), 3)
    1.178
    """
    t = torch.linspace(-10, 10, 401, dtype=torch.float64)
    density = torch.exp(-(t**2) / 2)
    density /= density.sum()
    q = 1.0
    for _ in range(400):
        mean = phi(math.sqrt(q) * t) ** 2 @ density
        q = weight * mean.item() + bias
    return q


def critical_variance(
    phi: Callable[[Tensor], Tensor], bias: float, low: float, high: float
) -> float:
    """Return the sigma_w^2 at which chi_1 is 1, by bisection.

    chi_1 must be below 1 at low and above 1 at high.

    >>> round(critical_variance(torch.tanh, 0.1, 1.0, 4.0), 5)
    1.98607
    """
    t = torch.linspace(-10, 10, 401, dtype=torch.float64)
    density = torch.exp(-(t**2) / 2)
    density /= density.sum()
    for _ in range(40):
        weight = (low + high) / 2
        z = (math.sqrt(fixed_q(phi, weight, bias)) * t).requires_grad_()
        (slope,) = torch.autograd.grad(phi(z).sum(), z)
        if weight * float(slope**2 @ density) < 1:
            low = weight
        else:
            high = weight
    return low


@cache
def tanh_networks() -> dict[str, tuple[float, float]]:
    """Return sigma_w^2 and sigma_b^2 of three tanh networks."""
    return {
        "tanh, ordered": (1.0, 0.1),
        "tanh, critical": (critical_variance(torch.tanh, 0.1, 1.0, 4.0), 0.1),
        "tanh, chaotic": (4.0, 0.1),
    }


def correlation_maps() -> dict[str, Callable[[Tensor], Tensor]]:
    """Return the maps c -> C(c) of four networks, for c of shape (m,).

    >>> one = torch.ones(1, dtype=torch.float64)
    >>> [round(float(step(one)), 4) for step in correlation_maps().values()]
    [1.0, 1.0, 1.0, 1.0]
    """
    maps: dict[str, Callable[[Tensor], Tensor]] = {"ReLU, He": relu_map}
    for name, (weight, bias) in tanh_networks().items():
        q = fixed_q(torch.tanh, weight, bias)
        maps[name] = partial(smooth_map, torch.tanh, weight, bias, q)
    return maps


def correlations(
    step: Callable[[Tensor], Tensor], layers: int, c: float = 0.0
) -> np.ndarray:
    """Return c_1, ..., c_layers under a map.

    >>> correlations(relu_map, 30).round(3)[[0, 1, 29]].tolist()
    [0.0, 0.318, 0.97]
    """
    x = torch.tensor([c], dtype=torch.float64)
    path = [x]
    for _ in range(layers - 1):
        path.append(step(path[-1]).clamp(-1, 1))
    return torch.cat(path).detach().numpy()


# --8<-- [end:maps]


if __name__ == "__main__":
    # --8<-- [start:demo]
    paths = {
        name: correlations(step, 100)
        for name, step in correlation_maps().items()
    }
    print("layer               1      3     10     30    100")
    for name, path in paths.items():
        row = " ".join(f"{path[k - 1]:6.3f}" for k in (1, 3, 10, 30, 100))
        print(f"{name:15}{row}")
    law = 1 - 9 * math.pi**2 / (2 * 100**2)  # ReLU, layer 100
    last = correlations(relu_map, 2000)[-1]
    scaled = (1 - last) * 2 * 2000**2 / (9 * math.pi**2)
    print(f"ReLU, layer 2000: (1 - c) 2 l^2 / (9 pi^2) = {scaled:.2f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_maps]
def plot_maps() -> Figure:
    """Draw four correlation maps, and the distance to 1 by layer."""
    figure, axes = plt.subplots(2, 1, figsize=(5.4, 7.6), layout="constrained")
    c = torch.linspace(0, 1, 33, dtype=torch.float64)
    axes[0].plot([0, 1], [0, 1], color="0.5", lw=1)
    for i, (name, step) in enumerate(correlation_maps().items()):
        style = {"color": f"C{i}", "marker": "os^D"[i], "ms": 4, "lw": 1.4}
        axes[0].plot(c, step(c), markevery=(i, 8), label=name, **style)
        distance = np.maximum(1 - correlations(step, 100), 1e-17)
        axes[1].plot(range(1, 101), distance, markevery=0.1, **style)
    tail = np.arange(3, 101)
    law = 9 * math.pi**2 / (2 * tail**2)
    axes[1].plot(tail, law, color="black", ls="--", lw=1, label="9π²/(2l²)")
    axes[0].set(xlabel="c of a layer", ylabel="c of the next", aspect="equal")
    axes[0].legend(loc="lower right")
    axes[1].set(xscale="log", yscale="log", ylim=(1e-6, 3), xlabel="layer")
    axes[1].set_ylabel("1 − c")
    axes[1].legend()
    return figure


if __name__ == "__main__":
    plot_maps()
    plt.show()
# --8<-- [end:plot_maps]
