"""Real networks of width 500 follow the three mean-field predictions.

q_l = V(q_(l-1)), c_l = C(c_(l-1)), d_(l-1) = chi_1(q_(l-1)) d_l

Poole et al. (2016); Schoenholz et al. (2017).
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

SEED = 0
WIDTH = 500
DEPTH = 20
NETWORKS: dict[str, tuple[Callable[[Tensor], Tensor], float, float]] = {
    "tanh, ordered": (torch.tanh, 1.0, 0.1),
    "tanh, gain 5/3": (torch.tanh, 25 / 9, 0.0),
    "ReLU, He": (torch.relu, 2.0, 0.0),
    "GELU, He": (functional.gelu, 2.0, 0.0),
    "GELU, critical": (functional.gelu, 1.98305826, 0.17292239),
}
# --8<-- [end:imports]


# --8<-- [start:predicted]
def predict_layers(
    phi: Callable[[Tensor], Tensor], weight: float, bias: float, c: float
) -> np.ndarray:
    """Return q_l, c_l and d_l / d_DEPTH, l = 1 to DEPTH, from q_1 = 1.

    Args:
        phi: activation function.
        weight: sigma_w^2, not negative.
        bias: sigma_b^2, not negative.
        c: correlation of two inputs in layer 1, from -1 to 1.

    Returns:
        Array of shape (3, DEPTH).

    >>> predict_layers(torch.relu, 2.0, 0.0, 0.0)[0].round(6)[:2].tolist()
    [1.0, 1.0]
    """
    t = torch.linspace(-9, 9, 360, dtype=torch.float64)  # no node at 0
    density = torch.exp(-(t**2) / 2)
    density /= density.sum()
    q, moments, factors, angles = 1.0, [], [], []
    for _ in range(DEPTH):
        z = (math.sqrt(q) * t).requires_grad_()
        h = phi(z.clone()) + 0 * z  # phi may be constant, or work in place
        (slope,) = torch.autograd.grad(h.sum(), z)
        h = h.detach()
        moments.append(q)
        angles.append(c)
        factors.append(weight * (density @ slope**2).item())
        after = weight * (density @ h**2).item() + bias
        pair = c * t[:, None] + math.sqrt(max(1 - c**2, 0)) * t
        mixed = (h * (phi(math.sqrt(q) * pair) @ density)) @ density
        c = min((weight * mixed.item() + bias) / after, 1.0)
        q = after
    below = np.cumprod([1, *factors[-2::-1]])[::-1]
    return np.array([moments, angles, below])


# --8<-- [end:predicted]


# --8<-- [start:measured]
@cache
def measure_layers(networks: int = 20, pairs: int = 4) -> Tensor:
    """Measure q, c and d in networks that share their random numbers.

    Layer 1 is drawn with q_1 = 1 and c_1 = 1/2; the gradient of the last
    layer is normal.

    Returns:
        Shape (3, len(NETWORKS), networks, DEPTH); d is relative to the last.
    """
    generator = torch.Generator().manual_seed(SEED)
    result = torch.empty(3, len(NETWORKS), networks, DEPTH)
    for network in range(networks):
        noise = torch.randn(2, WIDTH, pairs, generator=generator)
        twin = noise[0] / 2 + math.sqrt(3 / 4) * noise[1]
        first = torch.cat([noise[0], twin], dim=1)
        start = first.repeat(1, len(NETWORKS)).requires_grad_()
        layers = [start]
        for _ in range(DEPTH - 1):
            matrix = torch.randn(WIDTH, WIDTH, generator=generator)
            shift = torch.randn(WIDTH, 1, generator=generator)
            parts = layers[-1].chunk(len(NETWORKS), dim=1)
            h = [
                math.sqrt(weight) * phi(part)
                for part, (phi, weight, _) in zip(
                    parts, NETWORKS.values(), strict=True
                )
            ]
            product = matrix / math.sqrt(WIDTH) @ torch.cat(h, dim=1)
            scale = [math.sqrt(bias) for *_, bias in NETWORKS.values()]
            stds = torch.tensor(scale).repeat_interleave(2 * pairs)
            layers.append(product + shift * stds)
        delta = torch.randn(start.shape, generator=generator)
        gradients = torch.autograd.grad(layers[-1], layers, delta)
        shape = (DEPTH, WIDTH, len(NETWORKS), 2, pairs)
        z = torch.stack(layers).detach().view(shape)
        d = torch.stack(list(gradients)).square().view(shape)
        q = z.square().mean(dim=(1, 3, 4))
        result[0, :, network] = q.T
        result[1, :, network] = (z.prod(dim=3).mean(dim=(1, 3)) / q).T
        result[2, :, network] = d.mean(dim=(1, 3, 4)).T
    result[2] /= result[2, :, :, -1:].clone()
    return result


def typical(seen: Tensor, label: str) -> tuple[float, float]:
    """Return mean and standard error; for q and d the geometric mean.

    Args:
        seen: positive numbers, shape (n,); for "c" of any sign.
        label: "q", "c" or "d".

    Raises:
        ValueError: fewer than two numbers, or not real, or not positive.

    >>> [round(x, 6) for x in typical(torch.tensor([1.0, 4.0]), "q")]
    [2.0, 1.386294]
    """
    if seen.numel() < 2 or seen.is_complex():
        raise ValueError(f"Expected two real numbers. Received: {seen}")
    x = seen.detach().double()
    if label != "c" and not bool((x > 0).all()):
        raise ValueError(f"Expected positive numbers. Received: {x}")
    x = x if label == "c" else x.log()
    mean, error = float(x.mean()), float(x.std()) / math.sqrt(len(x))
    if label == "c":
        return mean, error
    return math.exp(mean), math.exp(mean) * error


# --8<-- [end:measured]


if __name__ == "__main__":
    # --8<-- [start:demo]
    layers = measure_layers()
    predicted, measured = {}, {}
    for index, (name, network) in enumerate(NETWORKS.items()):
        q, c, d = predict_layers(*network, 0.5)
        predicted[name] = q[-1], c[-1], d[0]
        q, c, d = layers[:, index]
        measured[name] = (
            typical(q[:, -1], "q"),
            typical(c[:, -1], "c"),
            typical(d[:, 0], "d"),
        )
    # Layers 6 to 20 of tanh with gain 5/3 stand at the fixed point.
    rate = layers[2, 1, :, 5].double() ** (1 / 14)
    chi_1 = rate.mean(), rate.std() / math.sqrt(len(rate))
    # --8<-- [end:demo]


# --8<-- [start:plot_layers]
def plot_layers() -> Figure:
    """Draw q, 1 - c and d by layer, predicted and measured."""
    figure, axes = plt.subplots(
        3, 1, figsize=(5.6, 8.0), sharex=True, layout="constrained"
    )
    layer = np.arange(1, DEPTH + 1)
    measured = measure_layers()
    means = measured.log().mean(dim=2).exp()
    means[1] = 1 - measured[1].mean(dim=1)
    for index, (name, (phi, weight, bias)) in enumerate(NETWORKS.items()):
        predicted = predict_layers(phi, weight, bias, 0.5)
        predicted[1] = 1 - predicted[1]
        color = f"C{'15034'[index]}"
        dots = {"color": color, "ls": "", "ms": 4}
        for axis, theory, seen in zip(axes, predicted, means, strict=True):
            axis.plot(layer, theory, color=color, ls="--", lw=1)
            axis.plot(layer, seen[index], "os^Dv"[index], label=name, **dots)
    axes[0].plot([], [], color="black", ls="--", lw=1, label="predicted")
    axes[0].set(yscale="log", ylabel="second moment q")
    axes[0].legend(ncols=2)
    axes[1].set(yscale="log", ylabel="1 − c", ylim=(1e-3, 1))
    axes[2].set(yscale="log", ylabel="d / d of the last layer", xlabel="layer")
    axes[2].set_xticks(range(2, DEPTH + 1, 2))
    return figure


if __name__ == "__main__":
    plot_layers()
    plt.show()
# --8<-- [end:plot_layers]
