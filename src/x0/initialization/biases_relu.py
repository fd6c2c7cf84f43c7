"""A positive bias wakes few ReLU units up and makes deep layers alike.

z ~ N(b, s): P(z > 0) = Phi(b / sqrt(s)), and s grows with every layer.
"""

# --8<-- [start:imports]
import functools
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

SEED = 0
BIASES = (0.0, 0.01, 0.1, 1.0)
WIDTH, DEPTH, INPUTS, NETWORKS = 256, 30, 160, 6
# --8<-- [end:imports]


# --8<-- [start:predicted]
def biased_map(
    bias: float, depth: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return s_l and the share of active units of He networks.

    Args:
        bias: the same constant for every unit.
        depth: number of layers, from layer 1; inputs have second moment 1.

    Raises:
        ValueError: depth is not positive.

    >>> s, active = biased_map(0.1, 2)
    >>> s.round(3).tolist(), active.round(3).tolist()
    ([2.0, 2.236], [0.528, 0.527])
    """
    if depth < 1:
        raise ValueError(f"depth must be positive. Received: {depth=}")
    s, active = [2.0], []
    for _ in range(depth):
        t = bias / math.sqrt(s[-1])
        active.append((1 + math.erf(t / math.sqrt(2))) / 2)
        density = math.exp(-(t**2) / 2) / math.sqrt(2 * math.pi)
        share = (1 + t**2) * active[-1] + t * density
        s.append(2 * s[-1] * share)
    return np.array(s[:-1]), np.array(active)


# --8<-- [end:predicted]


# --8<-- [start:measured]
@functools.cache
def units() -> dict[str, Tensor]:
    """Return statistics of He networks under each bias, by layer.

    Returns:
        active (share of positive z), dead (share of units that are never
        positive on the inputs), cosine (mean over pairs of inputs, of h)
        and s, each of shape (biases, depth, networks).
    """
    generator = torch.Generator().manual_seed(SEED)
    x = torch.randn(WIDTH, INPUTS, generator=generator)
    x = x / x.square().mean(0).sqrt()
    bias = torch.tensor(BIASES)[:, None, None, None]
    h = x.expand(len(BIASES), NETWORKS, WIDTH, INPUTS)
    rows: dict[str, list[Tensor]] = {
        k: [] for k in ("active", "dead", "cosine", "s")
    }
    for _ in range(DEPTH):
        w = torch.randn(NETWORKS, WIDTH, WIDTH, generator=generator)
        z = (w * math.sqrt(2 / WIDTH)) @ h
        rows["s"].append(z.square().mean((2, 3)))
        z = z + bias
        h = z.relu()
        on = z > 0
        rows["active"].append(on.float().mean((2, 3)))
        rows["dead"].append((~on.any(3)).float().mean(2))
        direction = h / h.norm(dim=2, keepdim=True).clamp(min=1e-30)
        square = direction.sum(3).square().sum(2)
        rows["cosine"].append((square - INPUTS) / (INPUTS * (INPUTS - 1)))
    return {k: torch.stack(v, 1) for k, v in rows.items()}


# --8<-- [end:measured]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print what a bias does to the first and to the last layer."""
    values: dict[str, float | tuple[float, float]] = {}
    found = units()
    print("bias   active, layer 1   dead on the data     cosine      s")
    print("     predicted measured  layer 1  layer 30  layer 30  predicted")
    for i, b in enumerate(BIASES):
        s, active = biased_map(b, DEPTH)
        row = {k: v[i].mean(1) for k, v in found.items()}
        key = f"{b:g}".replace(".", "")
        values[f"active_{key}_theory"] = float(active[0])
        values[f"s_{key}_theory"] = float(s[-1])
        values[f"active_{key}"] = float(row["active"][0])
        values[f"dead_first_{key}"] = float(row["dead"][0])
        for name in ("dead", "cosine", "s"):
            x = found[name][i, -1]
            error = float(x.std()) / math.sqrt(NETWORKS)
            values[f"{name}_{key}"] = float(x.mean()), error
        print(f"{b:<5g}{active[0]:9.3f}{row['active'][0]:9.3f}", end="")
        print(f"{row['dead'][0]:9.2f}{row['dead'][-1]:9.2f}", end="")
        print(f"{row['cosine'][-1]:10.2f}{s[-1]:10.1f}")
    return values


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]


# --8<-- [start:plot_units]
def plot_units() -> Figure:
    """Draw the share of active units, of dead units and the cosine."""
    fig, axes = plt.subplots(
        3, 1, figsize=(5.6, 6.6), sharex=True, layout="constrained"
    )
    layers = np.arange(1, DEPTH + 1)
    found = units()
    for i, b in enumerate(BIASES):
        _, active = biased_map(b, DEPTH)
        label = "predicted" if i == 0 else None
        axes[0].plot(layers, active, "k--", lw=1, label=label)
        for ax, name in zip(axes, ("active", "dead", "cosine"), strict=True):
            mean = found[name][i].mean(1).numpy()[::2]
            style = {"ls": "none", "marker": "os^D"[i], "ms": 4}
            ax.plot(
                layers[::2], mean, color=f"C{i}", label=f"b = {b:g}", **style
            )
    axes[0].set_ylabel("share of active units")
    axes[1].set_ylabel("share of dead units")
    axes[2].set_ylabel("cosine between inputs")
    axes[2].set_xlabel("layer")
    axes[0].legend(ncols=2)
    return fig


if __name__ == "__main__":
    plot_units()
    plt.show()
# --8<-- [end:plot_units]
