"""Post-norm keeps the gradient and forgets the input fast, pre-norm slowly.

pre-norm: d_k = 1 / (k + 1), share of x_0 = 1 / (k + 1)
post-norm: d_k = 1, share of x_0 = 2^(-k)

Xiong et al. (2020) compare the gradients of both near the output.
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
WIDTH, COUNT, NETWORKS = 128, 12, 200
# --8<-- [end:imports]


# --8<-- [start:stream]
def rms_normalize(x: Tensor) -> Tensor:
    """Divide real x (m, n, ...) by its root mean square over axis 1."""
    return x / x.square().mean(1, keepdim=True).sqrt()


def normed_stream(
    count: int,
    post: bool,
    width: int,
    networks: int,
    generator: torch.Generator,
) -> tuple[Tensor, Tensor]:
    """Run many transformers of MLP branches with gain 1 at step 0.

    Pre-norm is x + F(norm(x)) with a norm at the very end, post-norm is
    norm(x + F(x)). The gradient by the final output is standard normal.

    Returns:
        d_k, the second moment of the gradient by the stream, and the share
        of the input, the squared cosine of x_0 and x_k; k = 0 … count, each
        of shape (count + 1, networks).

    >>> generator = torch.Generator().manual_seed(0)
    >>> d, share = normed_stream(2, True, 64, 200, generator)
    >>> [round(s.item(), 1) for s in share.mean(1)]
    [1.0, 0.5, 0.3]
    """
    x = rms_normalize(torch.randn(networks, width, 1, generator=generator))
    stream = [x.requires_grad_()]
    for _ in range(count):
        shape = (2, networks, width, width)
        first, last = torch.randn(shape, generator=generator)
        read = stream[-1] if post else rms_normalize(stream[-1])
        branch = last @ (first @ read).relu() * (math.sqrt(2) / width)
        x = stream[-1] + branch
        stream.append(rms_normalize(x) if post else x)
    out = stream[-1] if post else rms_normalize(stream[-1])
    top = torch.randn(out.shape, generator=generator)
    d = torch.autograd.grad(out, stream, top)
    units = [t.detach() / t.detach().norm(dim=1, keepdim=True) for t in stream]
    share = [(units[0] * t).sum((1, 2)).square() for t in units]
    return torch.stack([t.square().mean((1, 2)) for t in d]), torch.stack(share)


@functools.cache
def norm_means(post: bool) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return means of d_k and the share, then their standard errors."""
    generator = torch.Generator().manual_seed(SEED)
    parts = [
        normed_stream(COUNT, post, WIDTH, NETWORKS // 4, generator)
        for _ in range(4)
    ]
    d, share = (torch.cat(t, 1) for t in zip(*parts, strict=True))
    root = math.sqrt(NETWORKS)
    return d.mean(1), share.mean(1), d.std(1) / root, share.std(1) / root


# --8<-- [end:stream]


if __name__ == "__main__":
    # --8<-- [start:demo]
    bottom, top = {}, {}
    print("           d at the input  d at the top  share of x_0 after 8")
    for name in ("pre", "post"):
        d, share, d_error, _ = norm_means(name == "post")
        bottom[name], top[name] = (d[0], d_error[0]), (d[-1], d_error[-1])
        print(f"{name:<9}{d[0]:16.1g}{d[-1]:14.1g}{share[8]:22.1g}")
    predicted_top = 1 / (COUNT + 1)  # pre-norm
    # --8<-- [end:demo]


# --8<-- [start:plot_gradients]
def plot_gradients() -> Figure:
    """Draw gradient and share of the input by branch, pre- and post-norm."""
    fig, axes = plt.subplots(
        2, figsize=(5.6, 5.2), sharex=True, layout="constrained"
    )
    k = np.arange(COUNT + 1)
    for i, post in enumerate((False, True)):
        name = "post-norm" if post else "pre-norm"
        left = 0.5**k if post else 1 / (k + 1)
        theories = (k**0 if post else left, left + (1 - left) / WIDTH)
        measured = norm_means(post)
        for j, ax in enumerate(axes):
            ax.plot(theories[j], ls="--", lw=1, color="black")
            color, end = ("C1", "C0")[i], float(measured[j][-1])
            ax.plot(k, measured[j], "os"[i], ms=5, color=color)
            ax.text(COUNT + 0.4, end, name, color=color, va="center")
            ax.set_yscale("log")
    axes[0].set_ylabel("gradient d")
    axes[1].set_ylabel("share of the input")
    axes[1].set_ylim(0.005, 1.5)
    axes[1].set_xlabel("branch k")
    return fig


if __name__ == "__main__":
    plot_gradients()
    plt.show()
# --8<-- [end:plot_gradients]
