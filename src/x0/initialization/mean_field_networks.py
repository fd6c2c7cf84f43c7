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
        weight: sigma_w^2.
        bias: sigma_b^2.
        c: correlation of two inputs in layer 1.

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
        h = phi(z)
        (slope,) = torch.autograd.grad(h.sum(), z)
        h = h.detach()
        moments.append(q)
        angles.append(c)
        factors.append(weight * float(density @ slope**2))
        after = weight * float(density @ h**2) + bias
        pair = c * t[:, None] + math.sqrt(max(1 - c**2, 0)) * t
        mixed = (h * (phi(math.sqrt(q) * pair) @ density)) @ density
        c = min((weight * float(mixed) + bias) / after, 1.0)
        q = after
    below = np.cumprod([1, *factors[-2::-1]])[::-1]
    return np.array([moments, angles, below])


# --8<-- [end:predicted]


# --8<-- [start:measured]
@cache
def measure_layers(networks: int = 16, pairs: int = 4) -> Tensor:
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

    >>> [round(x, 6) for x in typical(torch.tensor([1.0, 4.0]), "q")]
    [2.0, 1.386294]
    """
    x = seen.double() if label == "c" else seen.double().log()
    mean, error = float(x.mean()), float(x.std()) / math.sqrt(len(x))
    if label == "c":
        return mean, error
    return math.exp(mean), math.exp(mean) * error


# --8<-- [end:measured]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Compare the three quantities at the far end with the prediction."""
    values: dict[str, float | tuple[float, float]] = {}
    measured = measure_layers()
    print(f"layer 20 (d: layer 1)   {'q':>8}    {'c':>8}    {'d':>8}")
    for index, (name, (phi, weight, bias)) in enumerate(NETWORKS.items()):
        predicted = predict_layers(phi, weight, bias, 0.5)
        key = name.lower().replace(", ", "_").replace(" ", "_")
        key = key.replace("/", "")
        rows = {"predicted": "", "measured": ""}
        for row, label in enumerate("qcd"):
            layer = 0 if label == "d" else -1
            theory = float(predicted[row, layer])
            seen = measured[row, index, :, layer]
            mean, error = typical(seen, label)
            values[f"{key}_{label}_theory"] = theory
            values[f"{key}_{label}"] = (mean, error)
            rows["predicted"] += f"{theory:8.2g}    "
            rows["measured"] += f"{mean:8.1g}    "
        for label, text in rows.items():
            print(f"{name if label == 'predicted' else '':15}{label:9}", end="")
            print(text.rstrip())
    # Layers 6 to 20 of tanh with gain 5/3 stand at the fixed point.
    factor = measured[2, 1, :, 5].double() ** (1 / 14)
    error = float(factor.std()) / math.sqrt(len(factor))
    values["tanh_factor"] = (float(factor.mean()), error)
    return values


if __name__ == "__main__":
    demo()
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
        dots = {"color": f"C{index}", "ls": "", "ms": 4}
        for axis, theory, seen in zip(axes, predicted, means, strict=True):
            axis.plot(layer, theory, color=f"C{index}", ls="--", lw=1)
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
