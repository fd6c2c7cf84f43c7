"""For chi_par < 1 the spread of the scale settles; that of the gradient grows.

Var(ln s) = sigma_w^4 Var(phi^2) / (n q^2 (1 - chi_par^2)) for chi_par < 1

Hanin and Nica (2020) for the log-normal scale of ReLU, where chi_par = 1.
"""

# --8<-- [start:imports]
import functools
import math
from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional

SEED = 0
WIDTH, DEPTH, COUNT = 100, 80, 400
# activation, sigma_w^2, sigma_b^2 and the fixed point where it starts
NETWORKS: dict[str, tuple[Callable[[Tensor], Tensor], float, float, float]] = {
    "ReLU, He": (torch.relu, 2.0, 0.0, 1.0),
    "ReLU, biases": (torch.relu, 1.6, 0.2, 1.0),
    "tanh, gain 5/3": (torch.tanh, 25 / 9, 0.0, 1.17848049),
    "tanh, critical": (torch.tanh, 1.98607264, 0.1, 0.8057992),
    "SELU, LeCun": (torch.selu, 1.0, 0.0, 1.0),
    "GELU, 2.352": (functional.gelu, 2.351720, 0.0, 1.0),
    "GELU, critical": (functional.gelu, 1.98305826, 0.17292239, 3.56155281),
}
# --8<-- [end:imports]


# --8<-- [start:chain]
def scale_chain(
    name: str,
    width: int,
    depth: int,
    count: int,
    generator: torch.Generator,
    start: float | None = None,
) -> tuple[Tensor, Tensor]:
    """Draw ln s_l and ln d_l of random networks without weight matrices.

    s is the variance of z given the layer below, d the mean square of the
    gradient in z; the last one is normal. Given z = W h + b, the matrix is
    normal in all directions but that of h: the backward pass is exact too.

    Args:
        name: One of NETWORKS.
        width: Units per layer.
        depth: Number of layers.
        count: Number of networks.
        generator: Source of randomness.
        start: The first s; None takes the fixed point.

    Returns:
        Two tensors of shape (depth, count).

    >>> generator = torch.Generator().manual_seed(0)
    >>> log_s, log_d = scale_chain("ReLU, He", 400, 5, 900, generator)
    >>> round(float(log_s[4].exp().mean()), 1), tuple(log_d.shape)
    (1.0, (5, 900))
    """
    phi, weight, bias, q = NETWORKS[name]
    s = torch.full((count,), start or q, dtype=torch.float64)

    def normal() -> Tensor:
        shape = (count, width)
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    scales, products, inputs = [], [], []
    for _ in range(depth):
        scales.append(s)
        products.append(normal() * (s - bias).sqrt()[:, None])  # W h
        z = products[-1] + math.sqrt(bias) * normal()
        inputs.append(z.requires_grad_())
        s = weight * phi(z).detach().square().mean(1) + bias
    delta = normal()
    gradients = [delta]
    for product, z in zip(products[:0:-1], inputs[-2::-1], strict=True):
        out = phi(z)
        (slope,) = torch.autograd.grad(out.sum(), z)
        out = out.detach()
        unit = out / out.norm(dim=1, keepdim=True)
        free = math.sqrt(weight / width) * delta.norm(dim=1, keepdim=True)
        free = free * normal()
        free -= unit * (unit * free).sum(1, keepdim=True)
        along = (product * delta).sum(1, keepdim=True)
        along = along / out.norm(dim=1, keepdim=True)
        delta = slope * (free + unit * along)
        gradients.append(delta)
    d = torch.stack(gradients[::-1]).square().mean(2)
    return torch.stack(scales).log(), d.log()


@functools.cache
def spreads() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return the standard deviations of ln s_l and ln d_l by layer."""
    generator = torch.Generator().manual_seed(SEED)
    result = {}
    for name in NETWORKS:
        runs = scale_chain(name, WIDTH, DEPTH, COUNT, generator)
        s, d = (x.std(1).numpy() for x in runs)
        result[name] = s, d
    return result


# --8<-- [end:chain]


# --8<-- [start:level]
def settled(name: str, width: int = WIDTH) -> tuple[float, float]:
    """Return chi_par and the predicted standard deviation of ln s.

    The latter is infinite where chi_par is not below 1.

    >>> [round(x, 3) for x in settled("tanh, gain 5/3")]
    [0.431, 0.084]
    """
    phi, weight, _, q = NETWORKS[name]
    x = torch.linspace(-10, 10, 4000, dtype=torch.float64)  # no node at 0
    density = torch.exp(-(x**2) / 2)
    density /= density.sum()
    z = (math.sqrt(q) * x).requires_grad_()
    square = phi(z).square()
    (slope,) = torch.autograd.grad(square.sum(), z)
    square = square.detach()
    chi = weight * float(density @ (slope * z.detach())) / (2 * q)
    variance = float(density @ square**2) - float(density @ square) ** 2
    noise = weight**2 * variance / (width * q**2)
    if chi > 1 - 1e-6:
        return chi, math.inf
    return chi, math.sqrt(noise / (1 - chi**2))


# --8<-- [end:level]


if __name__ == "__main__":
    # --8<-- [start:demo]
    print("std of:             ln s, layer 20, 80   ln d, layer 60, 1")
    s_spread, d_spread, level = {}, {}, {}
    for name, (s, d) in spreads().items():
        s_spread[name] = {layer: s[layer - 1] for layer in (20, 80)}
        d_spread[name] = {layer: d[layer - 1] for layer in (60, 1)}
        level[name] = settled(name)
        print(f"{name:<18}{s[19]:13.2f}{s[79]:9.2f}", end="")
        print(f"{d[59]:13.1f}{d[0]:7.1f}")

    generator = torch.Generator().manual_seed(SEED)
    typical = {}  # geometric mean of s in layer 20, from 1 in layer 1
    for width, count in ((500, 600), (2000, 150)):
        log_s, _ = scale_chain(
            "GELU, critical", width, 20, count, generator, 1.0
        )
        mean = math.exp(log_s[-1].mean())
        typical[width] = mean, mean * log_s[-1].std().item() / math.sqrt(count)
        print(f"critical GELU, width {width}, s_20: {mean:.2f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_layers]
def plot_layers() -> Figure:
    """Draw the spread of ln s and of ln d by layer."""
    figure, axes = plt.subplots(
        2, 1, figsize=(5.6, 6.4), sharex=True, layout="constrained"
    )
    layer = np.arange(1, DEPTH + 1)
    for i, (name, (s, d)) in enumerate(spreads().items()):
        if name == "GELU, critical":
            continue
        color = f"C{'065243'[i]}"
        style = {"color": color, "marker": "os^vD<"[i], "ms": 4, "lw": 1.2}
        axes[0].plot(layer[1:], s[1:], markevery=(i, 12), label=name, **style)
        axes[1].plot(layer[:-1], d[:-1], markevery=(i, 12), **style)
        _, level = settled(name)
        if math.isfinite(level):
            axes[0].axhline(level, color=color, ls="--", lw=1)
    walk = np.sqrt(5 * (layer - 1) / WIDTH)
    axes[0].plot(layer[1:], walk[1:], "k--", lw=1, label="predicted")
    axes[0].set(yscale="log", ylabel="std of ln s")
    axes[1].set(yscale="log", ylabel="std of ln d", xlabel="layer")
    axes[0].legend(ncols=2, loc="upper left")
    axes[0].set_ylim(0.03, 2000)
    return figure


if __name__ == "__main__":
    plot_layers()
    plt.show()
# --8<-- [end:plot_layers]
