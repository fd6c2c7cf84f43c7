"""Under PyTorch's default a deep ReLU network forgets its input.

q_l = q_{l-1} / 6 + 1 / (3 n): the biases keep q at 2 / (5 n), while the
squared difference of two inputs shrinks to a sixth or less in each layer.
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
WIDTH, DEPTH, INPUTS, NETWORKS = 256, 30, 48, 8
# n Var(w) and n Var(b)
RULES = {"PyTorch default": (1 / 3, 1 / 3), "He": (2.0, 0.0)}
# --8<-- [end:imports]


# --8<-- [start:predicted]
def default_map(
    weight: float, bias: float, depth: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return q_l and the relative variance of z_l across inputs.

    The inputs have second moment 1 and are uncorrelated. The second value
    is 1 minus their correlation, by the map of Cho and Saul (2009).

    Args:
        weight: n Var(w).
        bias: Var(b), not negative.
        depth: number of layers; the first entry belongs to layer 1.

    >>> q, spread = default_map(2.0, 0.0, 3)
    >>> q.round(3).tolist(), spread.round(3).tolist()
    ([2.0, 2.0, 2.0], [1.0, 0.682, 0.506])
    """
    q, u = [weight + bias], [weight / (weight + bias)]
    for _ in range(depth - 1):
        angle = 2 * math.asin(math.sqrt(u[-1] / 2))
        lost = math.sin(angle) - angle * math.cos(angle)
        if angle < 1e-3:  # the same without cancellation
            lost = angle**3 / 3
        difference = weight / 2 * q[-1] * (u[-1] - lost / math.pi)
        q.append(weight / 2 * q[-1] + bias)
        u.append(difference / q[-1])
    return np.array(q), np.array(u)


# --8<-- [end:predicted]


# --8<-- [start:measured]
@functools.cache
def forward(rule: str) -> tuple[Tensor, Tensor]:
    """Run several ReLU networks at once, in double precision.

    Returns:
        q_l and the relative variance of z_l across inputs, each of shape
        (depth, networks).
    """
    weight, bias = RULES[rule]
    generator = torch.Generator().manual_seed(SEED)

    def noise(*shape: int) -> Tensor:
        return torch.rand(*shape, generator=generator).double() * 2 - 1

    h = torch.randn(WIDTH, INPUTS, generator=generator).double()
    h = h / h.square().mean(0).sqrt()  # every input has second moment 1
    q, spread = [], []
    for _ in range(DEPTH):
        w = noise(NETWORKS, WIDTH, WIDTH) * math.sqrt(3 * weight / WIDTH)
        b = noise(NETWORKS, WIDTH, 1) * math.sqrt(3 * bias / WIDTH)
        z = w @ h + b
        q.append(z.square().mean((1, 2)))
        spread.append(z.var(2).mean(1) / q[-1])
        h = z.relu()
    return torch.stack(q), torch.stack(spread)


# --8<-- [end:measured]


if __name__ == "__main__":
    # --8<-- [start:demo]
    q, spread, measured = {}, {}, {}
    print("layer 30            q, predicted  measured  spread across inputs")
    for rule, (weight, bias) in RULES.items():
        q[rule], u = default_map(weight, bias / WIDTH, DEPTH)
        spread[rule] = np.sqrt(u)
        last_q, last_u = (x[-1] for x in forward(rule))
        measured[rule] = [
            (x.mean(), x.std() / math.sqrt(NETWORKS))
            for x in (last_q, last_u.sqrt())
        ]
        print(f"{rule:<20}{q[rule][-1]:12.5f}{last_q.mean():10.4f}", end="")
        print(f"{last_u.sqrt().mean():15.0e}")

    # from this layer on, the spread is below the precision of float32
    single = np.flatnonzero(spread["PyTorch default"] < 2.0**-24)[0] + 1
    p = q["PyTorch default"][-1] / 2
    # --8<-- [end:demo]


# --8<-- [start:plot_spread]
def plot_spread() -> Figure:
    """Draw q and the relative spread across inputs, by layer."""
    fig, axes = plt.subplots(
        2, 1, figsize=(5.6, 5.2), sharex=True, layout="constrained"
    )
    layers = np.arange(1, DEPTH + 1)
    for i, (rule, (weight, bias)) in enumerate(RULES.items()):
        theory = default_map(weight, bias / WIDTH, DEPTH)
        pairs = zip(axes, theory, forward(rule), (1, 0.5), strict=True)
        for ax, line, points, power in pairs:
            ax.plot(layers, line**power, "k--", lw=1)
            mean = points.pow(power).mean(1).numpy()
            color = ("C4", "C0")[i]
            ax.plot(layers[::2], mean[::2], "os"[i], color=color)
            ax.set_yscale("log")
        axes[0].text(20, (3e-3, 0.4)[i], rule, color=color)
        axes[1].text(20, (1e-5, 1e-2)[i], rule, color=color)
    axes[0].set_ylabel("second moment q")
    axes[1].set_ylabel("relative spread across inputs")
    axes[1].set_xlabel("layer")
    return fig


if __name__ == "__main__":
    plot_spread()
    plt.show()
# --8<-- [end:plot_spread]
