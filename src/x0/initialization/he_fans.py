"""fan_in or fan_out: each keeps one pass, the other keeps a ratio of widths.

fan_in: d_1 / d_D = n_D / n_1;  fan_out: q_D / q_1 = n_1 / n_D

He et al. (2015), section 2.2, after eq. (14).
"""

# --8<-- [start:imports]
import functools
import itertools
import math
from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

SEED = 0
WIDTHS = (256, 64) * 6 + (256,)
PYRAMID = (768, 256, 128, 10)
RULES = ("fan_in", "fan_out", "mean of both")
# --8<-- [end:imports]


# --8<-- [start:variances]
def variances(widths: Sequence[int], rule: str) -> list[float]:
    """Return Var(w) of each layer under one of RULES.

    Raises:
        ValueError: the rule is unknown.

    >>> variances([4, 1], "fan_in"), variances([4, 1], "mean of both")
    ([0.5], [0.8])
    """
    if rule not in RULES:
        raise ValueError(f"rule must be one of {RULES}. Received: {rule=}")
    pairs = list(itertools.pairwise(widths))
    if rule == "fan_in":
        return [2 / m for m, n in pairs]
    if rule == "fan_out":
        return [2 / n for m, n in pairs]
    return [4 / (m + n) for m, n in pairs]


# --8<-- [end:variances]


# --8<-- [start:passes]
def passes(
    widths: Sequence[int],
    variance: Sequence[float],
    networks: int,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Run many ReLU networks at once, forward and backward.

    The input and the gradient at the top are standard normal.

    Returns:
        Second moments q_l of z_l and d_l of its gradient, l = 1 … depth,
        each of shape (depth, networks).

    >>> generator = torch.Generator().manual_seed(0)
    >>> q, d = passes([64, 64, 64], [1 / 32] * 2, 400, generator)
    >>> q.shape, round(float((q[1] / q[0]).mean()), 1), float(d[0].mean()) > 0
    (torch.Size([2, 400]), 1.0, True)
    """
    weights, z = [], []
    h = torch.randn(networks, widths[0], 1, generator=generator)
    for m, n, v in zip(widths[:-1], widths[1:], variance, strict=True):
        w = torch.randn(networks, n, m, generator=generator) * math.sqrt(v)
        weights.append(w)
        z.append(w @ h)
        h = z[-1].relu()
    delta = torch.randn(networks, widths[-1], 1, generator=generator)
    d = [delta]
    for w, below in zip(weights[:0:-1], z[-2::-1], strict=True):
        delta = (below > 0) * (w.mT @ delta)
        d.append(delta)
    return (
        torch.stack([t.square().mean((1, 2)) for t in z]),
        torch.stack([t.square().mean((1, 2)) for t in reversed(d)]),
    )


@functools.cache
def measure(rule: str, rounds: int = 4) -> tuple[Tensor, Tensor]:
    """Return q_l / q_1 and d_l / d_D of 100 networks per round."""
    generator = torch.Generator().manual_seed(SEED)
    v = variances(WIDTHS, rule)
    parts = [passes(WIDTHS, v, 100, generator) for _ in range(rounds)]
    q = torch.cat([q for q, _ in parts], 1)
    d = torch.cat([d for _, d in parts], 1)
    return q / q[0].mean(), d / d[-1].mean()


# --8<-- [end:passes]


if __name__ == "__main__":
    # --8<-- [start:demo]
    measured = {}
    print("rule          q_D / q_1   d_1 / d_D")
    for rule in RULES:
        q, d = measure(rule)
        measured[rule] = [
            (x.mean(), x.std() / math.sqrt(len(x))) for x in (q[-1], d[0])
        ]
        print(f"{rule:<13}{q[-1].mean():10.2f}{d[0].mean():12.2f}")
    # mean of both: 64 * 4 / 320 / 2 = 0.4, 256 * 4 / 320 / 2 = 1.6
    predicted = [0.4**6 * 1.6**5, 1.6**6 * 0.4**5]

    generator = torch.Generator().manual_seed(SEED)
    pyramid = {}
    for name, rule, gain in (
        ("He", "fan_in", 1),
        ("Xavier", "mean of both", 0.5),
    ):
        v = [gain * x for x in variances(PYRAMID, rule)]
        q, _ = passes(PYRAMID, v, 100, generator)
        pyramid[name] = [(x.mean(), x.std() / math.sqrt(len(x))) for x in q]
    # --8<-- [end:demo]


# --8<-- [start:plot_passes]
def plot_passes() -> Figure:
    """Draw q forward and d backward through alternating widths."""
    size = (5.6, 5.0)
    fig, axes = plt.subplots(2, sharex=True, figsize=size, layout="constrained")
    n, layers = np.array(WIDTHS), np.arange(1, len(WIDTHS))
    for i, rule in enumerate(RULES):
        v = np.array(variances(WIDTHS, rule))
        forward = np.cumprod([1, *(n[1:-1] * v[1:] / 2)])
        backward = np.cumprod([1, *(n[:1:-1] * v[:0:-1] / 2)])[::-1]
        pairs = zip(axes, measure(rule), (forward, backward), strict=True)
        for ax, measured, theory in pairs:
            color = ("C0", "C2", "C1")[i]
            ax.plot(layers, theory, ls="--", lw=1, color=color)
            mean = measured.mean(1).numpy()
            ax.plot(layers, mean, "os^"[i], ms=4, color=color, label=rule)
    for ax in axes:
        ax.set_yscale("log")
    axes[0].legend()
    axes[0].set_ylabel("q / q of layer 1")
    axes[1].set_ylabel("d / d of the last layer")
    axes[1].set_xlabel("layer")
    return fig


if __name__ == "__main__":
    plot_passes()
    plt.show()
# --8<-- [end:plot_passes]
