"""Under LeCun's rule SELU and the scaled tanh keep their signal, others not.

Real networks follow q_l = E[phi(z)^2] and d_(l-1) = E[phi'(z)^2] d_l.

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

SEED = 0
DEPTH = 20
WIDTH = 256
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "SELU": torch.selu,
    "scaled tanh": lambda z: 1.7159 * torch.tanh(2 / 3 * z),
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
}
# --8<-- [end:imports]


# --8<-- [start:predicted]
def predicted_layers(
    phi: Callable[[Tensor], Tensor], depth: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return q_l and d_l / d_depth, l = 1 to depth, for infinite width.

    Args:
        phi: a smooth activation, or one with a kink at 0.
        depth: number of layers; the inputs have the second moment 1.

    Raises:
        ValueError: depth is less than 1.

    >>> predicted_layers(torch.selu, 3)[0].round(6).tolist()
    [1.0, 1.0, 1.0]
    """
    if depth < 1:
        raise ValueError(f"depth must be at least 1. Received: {depth=}")
    t = torch.linspace(-10, 10, 4000, dtype=torch.float64)
    weight = torch.exp(-(t**2) / 2)
    weight /= weight.sum()  # no node at 0
    q, moments, factors = torch.ones(()).double(), [], []
    for _ in range(depth):
        z = (q.sqrt() * t).requires_grad_()
        h = phi(z)
        (slope,) = torch.autograd.grad(h.sum(), z)
        moments.append(float(q))
        factors.append(float(weight @ slope**2))
        q = weight @ h.detach() ** 2
    below = np.cumprod([1, *factors[-2::-1]])[::-1]
    return np.array(moments), below


# --8<-- [end:predicted]


# --8<-- [start:measured]
@cache
def measured_layers(networks: int = 24, columns: int = 8) -> Tensor:
    """Measure networks whose weights have the variance 1 / WIDTH.

    All activation functions see the same weights. Each has its own columns:
    normal inputs and, at the last layer, normal gradients.

    Returns:
        Layer means of z^2 and of delta^2, shape
        (2, len(ACTIVATIONS), networks, DEPTH).
    """
    generator = torch.Generator().manual_seed(SEED)
    size = (WIDTH, columns * len(ACTIVATIONS))
    result = torch.empty(2, len(ACTIVATIONS), networks, DEPTH)
    for network in range(networks):
        h = torch.randn(size, generator=generator, requires_grad=True)
        layers = []
        for _ in range(DEPTH):
            weight = torch.randn(WIDTH, WIDTH, generator=generator)
            layers.append(weight / math.sqrt(WIDTH) @ h)
            parts = layers[-1].chunk(len(ACTIVATIONS), dim=1)
            phis = zip(ACTIVATIONS.values(), parts, strict=True)
            h = torch.cat([phi(part) for phi, part in phis], dim=1)
        delta = torch.randn(size, generator=generator)
        gradients = torch.autograd.grad(layers[-1], layers, delta)
        for row, values in enumerate((layers, gradients)):
            squares = torch.stack(list(values)).detach().square().mean(dim=1)
            means = squares.view(DEPTH, len(ACTIVATIONS), columns).mean(dim=2)
            result[row, :, network] = means.T
    result[1] /= result[1, :, :, -1:].clone()
    return result


# --8<-- [end:measured]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Compare the last q and the first d with the prediction."""
    values: dict[str, float | tuple[float, float]] = {}
    measured = measured_layers()
    print("             q, layer 20          d, layer 1 / layer 20")
    print("             predicted  measured  predicted  measured")
    for index, (name, phi) in enumerate(ACTIVATIONS.items()):
        q, d = predicted_layers(phi, DEPTH)
        key = name.lower().replace(" ", "_")
        line = f"{name:12} "
        for label, theory, seen, digits in (
            ("q", q[-1], measured[0, index, :, -1], ".3f"),
            ("d", d[0], measured[1, index, :, 0], ".1e"),
        ):
            error = float(seen.std()) / math.sqrt(len(seen))
            values[f"{key}_{label}_theory"] = float(theory)
            values[f"{key}_{label}"] = (float(seen.mean()), error)
            shown = f"{float(seen.mean()):{'.2f' if label == 'q' else '.0e'}}"
            line += f"{theory:9{digits}}  {shown:>8}  "
        print(line.rstrip())
    return values


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]


# --8<-- [start:plot_layers]
def plot_layers() -> Figure:
    """Draw q and the gradients by layer, predicted and measured."""
    figure, axes = plt.subplots(
        2, 1, figsize=(5.6, 6.0), sharex=True, layout="constrained"
    )
    layer = np.arange(1, DEPTH + 1)
    means = measured_layers().mean(dim=2)
    for index, (name, phi) in enumerate(ACTIVATIONS.items()):
        predicted = predicted_layers(phi, DEPTH)
        for axis, theory, seen in zip(axes, predicted, means, strict=True):
            axis.plot(layer, theory, color=f"C{index}", ls="--", lw=1)
            dots = {"color": f"C{index}", "ls": "", "ms": 4}
            marker = "os^D"[index]
            axis.plot(layer, seen[index], marker, label=name, **dots)
    axes[0].plot([], [], color="black", ls="--", lw=1, label="predicted")
    axes[0].set(yscale="log", ylabel="second moment q")
    axes[0].legend(ncols=2)
    axes[1].set(yscale="log", ylabel="d / d of the last layer", xlabel="layer")
    axes[1].set_xticks(range(2, DEPTH + 1, 2))
    return figure


if __name__ == "__main__":
    plot_layers()
    plt.show()
# --8<-- [end:plot_layers]
