"""Under LeCun's rule tanh loses its signal, the logistic function its gradient.

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
    "logistic": torch.sigmoid,
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
        h = phi(z.clone()) + 0 * z  # phi may be constant, or in place
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


if __name__ == "__main__":
    # --8<-- [start:demo]
    networks = measured_layers()
    predicted, measured = {}, {}
    for i, (name, phi) in enumerate(ACTIVATIONS.items()):
        q, d = predicted_layers(phi, DEPTH)
        predicted[name] = q[-1], d[0]
        last_q, first_d = networks[0, i, :, -1], networks[1, i, :, 0]
        measured[name] = [
            (x.mean(), x.std() / math.sqrt(len(x))) for x in (last_q, first_d)
        ]
    # --8<-- [end:demo]


# --8<-- [start:plot_layers]
def plot_layers() -> Figure:
    """Draw q and the gradients by layer, predicted and measured."""
    figure, axes = plt.subplots(2, 1, figsize=(5.6, 6.0), sharex=True)
    figure.set_layout_engine("constrained", rect=(0, 0, 0.99, 1))
    layer = np.arange(1, DEPTH + 1)
    means = measured_layers().mean(dim=2)
    for index, (name, phi) in enumerate(ACTIVATIONS.items()):
        predicted = predicted_layers(phi, DEPTH)
        for axis, theory, seen in zip(axes, predicted, means, strict=True):
            color = ("C5", "C3", "C2", "C4")[index]
            axis.plot(layer, theory, color=color, ls="--", lw=1)
            dots = {"color": color, "ls": "", "ms": 4}
            axis.plot(layer, seen[index], "os^D"[index], **dots)
        end = DEPTH + 0.5, float(means[0, index, -1])
        axes[0].text(*end, name, color=color, va="center")
    axes[0].set(yscale="log", ylabel="second moment q")
    axes[1].set(yscale="log", ylabel="d / d of the last layer", xlabel="layer")
    axes[1].set_xticks(range(2, DEPTH + 1, 2))
    return figure


if __name__ == "__main__":
    plot_layers()
    plt.show()
# --8<-- [end:plot_layers]
