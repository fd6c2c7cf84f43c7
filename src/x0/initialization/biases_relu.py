"""A small bias wakes few ReLU units up; a large one makes inputs more parallel.

z ~ N(b, s): P(z > 0) = Phi(b / sqrt(s)), and for b > 0 s grows by layer.
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
WIDTH, DEPTH, INPUTS, NETWORKS = 256, 30, 64, 20
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
        ValueError: depth is not positive, or bias beyond 1e30 or so far below 0
            that hardly a unit is active.

    >>> s, active = biased_map(0.1, 2)
    >>> s.round(3).tolist(), active.round(3).tolist()
    ([2.0, 2.236], [0.528, 0.527])
    """
    if depth < 1 or not abs(bias) < 1e30:
        raise ValueError(f"Out of range. Received: {depth=}, {bias=}")
    s, active = [2.0], []
    for _ in range(depth):
        t = bias / math.sqrt(s[-1])
        active.append((1 + math.erf(t / math.sqrt(2))) / 2)
        density = math.exp(-(t**2) / 2) / math.sqrt(2 * math.pi)
        share = (1 + t**2) * active[-1] + t * density
        if not share > 0:
            raise ValueError(f"Hardly a unit is active. Received: {bias=}")
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


if __name__ == "__main__":
    # --8<-- [start:demo]
    predicted = {b: biased_map(b, DEPTH) for b in BIASES}
    active = {b: share[0] for b, (_, share) in predicted.items()}
    s = {b: moments[-1] for b, (moments, _) in predicted.items()}
    found = units()
    last = {
        (name, b): (x[i, -1].mean(), x[i, -1].std() / math.sqrt(NETWORKS))
        for name, x in found.items()
        for i, b in enumerate(BIASES)
    }
    first = {
        b: (x.mean(), x.std() / math.sqrt(NETWORKS))
        for b, x in zip(BIASES, found["active"][:, 0], strict=True)
    }
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
