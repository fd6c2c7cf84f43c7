"""The gradient in a residual stream grows down as the stream grows up.

d_k * r_k is about the same for every branch k, with a norm and without

d_k is the second moment of the loss's derivative by the stream x_k.
"""

# --8<-- [start:imports]
import functools
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

SEED = 0
WIDTH, COUNT, NETWORKS = 64, 24, 200
# --8<-- [end:imports]


# --8<-- [start:moments]
def stream_gradients(
    count: int,
    scale: float,
    norm: bool,
    width: int,
    networks: int,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Run many residual networks forward and backward.

    Branches are W₂ relu(W₁ x) with gain 1, of x / rms(x) if norm. The
    gradient at the top is standard normal.

    Returns:
        r_k and d_k, k = 0 … count, each of shape (count + 1, networks).

    >>> generator = torch.Generator().manual_seed(0)
    >>> r, d = stream_gradients(2, 1, False, 64, 300, generator)
    >>> r.shape, round((d[0] / d[2]).mean().item(), 1)
    (torch.Size([3, 300]), 4.0)
    """
    x = torch.randn(networks, width, 1, generator=generator)
    x /= x.square().mean(1, keepdim=True).sqrt()
    stream = [x.requires_grad_()]
    for _ in range(count):
        read = stream[-1]
        if norm:
            read = read / read.square().mean(1, keepdim=True).sqrt()
        shape = (2, networks, width, width)
        first, last = torch.randn(shape, generator=generator)
        branch = last @ (first @ read).relu() * (math.sqrt(2) / width)
        stream.append(stream[-1] + scale * branch)
    top = torch.randn(stream[-1].shape, generator=generator)
    d = torch.autograd.grad(stream[-1], stream, top)
    return (
        torch.stack([t.detach().square().mean((1, 2)) for t in stream]),
        torch.stack([t.square().mean((1, 2)) for t in d]),
    )


@functools.cache
def gradient_means(norm: bool) -> tuple[Tensor, Tensor, Tensor]:
    """Return means of r_k and d_k, and the standard error of d_k."""
    generator = torch.Generator().manual_seed(SEED)
    parts = [
        stream_gradients(COUNT, 1, norm, WIDTH, NETWORKS // 4, generator)
        for _ in range(4)
    ]
    r, d = (torch.cat(t, 1) for t in zip(*parts, strict=True))
    return r.mean(1), d.mean(1), d.std(1) / math.sqrt(NETWORKS)


# --8<-- [end:moments]


if __name__ == "__main__":
    # --8<-- [start:demo]
    ratios = {}
    print("            r_K / r_0  d_0 / d_K")
    for name, norm in (("no norm", False), ("pre-norm", True)):
        r, d, error = gradient_means(norm)
        ratios[name] = d[0] / d[-1], error[0] / d[-1]
        print(f"{name:<12}{r[-1]:9.2g}{d[0] / d[-1]:11.2g}")
    # --8<-- [end:demo]


# --8<-- [start:plot_product]
def plot_product() -> Figure:
    """Draw d_k and r_k with a norm and without; they mirror each other."""
    fig, axes = plt.subplots(
        2, figsize=(5.6, 5.2), sharex=True, layout="constrained"
    )
    k = np.arange(COUNT + 1)
    for ax, norm in zip(axes, (False, True), strict=True):
        r, d, _ = gradient_means(norm)
        theory = 1.0 + k if norm else 2.0**k
        ax.plot(theory, ls="--", lw=1, color="black", label="predicted")
        ax.plot(theory[-1] / theory, ls="--", lw=1, color="black")
        ax.plot(k, r, "o", ms=5, color="C0", label="stream r")
        ax.plot(k, d, "s", ms=5, color="C1", label="gradient d")
        ax.set_yscale("log")
        ax.set_title("pre-norm" if norm else "no norm")
        ax.set_ylabel("second moment")
    axes[0].legend(loc="upper center")
    axes[1].set_xlabel("branch k")
    return fig


if __name__ == "__main__":
    plot_product()
    plt.show()
# --8<-- [end:plot_product]
