"""A critical ReLU network still makes all inputs parallel, only slowly.

C(c) = (sqrt(1 - c^2) + c (pi - arccos c)) / pi, 1 - c_l ~ 9 pi^2 / (2 l^2)

Cho and Saul (2009); Poole et al. (2016); Schoenholz et al. (2017).
"""

# --8<-- [start:imports]
import math
from collections.abc import Callable
from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

# --8<-- [end:imports]


# --8<-- [start:maps]
def relu_map(c: Tensor) -> Tensor:
    """Return the correlation after a ReLU layer without biases.

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
        ValueError: some c is outside [-1, 1].

    >>> c = torch.tensor([0.2, 0.5], dtype=torch.float64)
    >>> [round(float(x), 6) for x in smooth_map(lambda z: z, 1, 0, 1, c)]
    [0.2, 0.5]
    """
    if bool((c.abs() > 1).any()):
        raise ValueError(f"c must lie in [-1, 1]. Received: c={c}")
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
    """Return the fixed point of the q-map reached from q = 1.

    >>> round(fixed_q(torch.tanh, 25 / 9, 0.0), 3)
    1.178
    """
    t = torch.linspace(-10, 10, 401, dtype=torch.float64)
    density = torch.exp(-(t**2) / 2)
    density /= density.sum()
    q = 1.0
    for _ in range(400):
        q = weight * float(phi(math.sqrt(q) * t) ** 2 @ density) + bias
    return q


NETWORKS = {
    "tanh, ordered": (1.0, 0.1),
    "tanh, critical": (1.98566, 0.1),
    "tanh, chaotic": (4.0, 0.1),
}


def correlation_maps() -> dict[str, Callable[[Tensor], Tensor]]:
    """Return the maps c -> C(c) of four networks, for c of shape (m,).

    >>> one = torch.ones(1, dtype=torch.float64)
    >>> [round(float(step(one)), 4) for step in correlation_maps().values()]
    [1.0, 1.0, 1.0, 1.0]
    """
    maps: dict[str, Callable[[Tensor], Tensor]] = {"ReLU, He": relu_map}
    for name, (weight, bias) in NETWORKS.items():
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
    return torch.cat(path).numpy()


# --8<-- [end:maps]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print the correlation of two inputs by layer."""
    values: dict[str, float | tuple[float, float]] = {}
    print("layer               1      3     10     30    100")
    for name, step in correlation_maps().items():
        path = correlations(step, 100)
        key = name.split(", ")[1].lower()
        shown = (1, 3, 10, 30, 100)
        values |= {f"{key}_{layer}": float(path[layer - 1]) for layer in shown}
        row = " ".join(f"{path[layer - 1]:6.3f}" for layer in shown)
        print(f"{name:15}{row}")
    last = correlations(relu_map, 2000)[-1]
    values["he_scaled"] = float(1 - last) * 2 * 2000**2 / (9 * math.pi**2)
    values["he_law_100"] = 1 - 9 * math.pi**2 / (2 * 100**2)
    print("ReLU, layer 2000: (1 - c) 2 l^2 / (9 pi^2) = ", end="")
    print(f"{values['he_scaled']:.2f}")
    return values


if __name__ == "__main__":
    demo()
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
