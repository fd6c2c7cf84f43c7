"""Adam's first step moves a hidden layer in proportion to its width.

change of z = rate * sum_j |h_j|, which grows like n; rate / n keeps it

Yang et al. (2022), Tensor Programs V: the learning rate of hidden weights.
"""

# --8<-- [start:imports]
import functools
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure

SEED = 0
WIDTHS = (64, 128, 256, 512, 1024)
RATE, REPEATS = 0.001, 4
# --8<-- [end:imports]


# --8<-- [start:step]
def adam_change(width: int, rate: float, generator: torch.Generator) -> float:
    """Return by how much one Adam step moves z = W h, root mean square.

    The first step of Adam subtracts rate * sign(gradient) from each weight.
    h is a ReLU of standard normals, W has variance 1 / width.
    """
    w = torch.randn(width, width, generator=generator) / math.sqrt(width)
    h = torch.randn(width, generator=generator).relu()
    w.requires_grad_()
    z = w @ h
    loss = (z * torch.randn(width, generator=generator)).sum()
    (gradient,) = torch.autograd.grad(loss, w)
    stepped = w.detach() - rate * gradient.sign()
    return float((stepped @ h - z.detach()).square().mean().sqrt())


@functools.cache
def adam_changes(mup: bool) -> list[float]:
    """Return the mean of adam_change for each of WIDTHS."""
    generator = torch.Generator().manual_seed(SEED)
    means = []
    for width in WIDTHS:
        rate = RATE * WIDTHS[0] / width if mup else RATE
        changes = [adam_change(width, rate, generator) for _ in range(REPEATS)]
        means.append(sum(changes) / REPEATS)
    return means


# --8<-- [end:step]


if __name__ == "__main__":
    # --8<-- [start:demo]
    ratio = {}
    print("change of z    n = 64   n = 1024")
    for name, mup in (("same rate", False), ("rate / n", True)):
        first, *_, last = adam_changes(mup)
        ratio[name] = last / first
        print(f"{name:<11}{first:10.2g}{last:11.2g}")
    # --8<-- [end:demo]


# --8<-- [start:plot_width]
def plot_width() -> Figure:
    """Draw the change of z by one Adam step against the width."""
    fig, ax = plt.subplots(figsize=(5.6, 3.4), layout="constrained")
    n = np.array(WIDTHS)
    per_unit = RATE / math.sqrt(2 * math.pi)
    theory = per_unit * n, per_unit * WIDTHS[0] + 0 * n
    for i, mup in enumerate((False, True)):
        name = "rate ∝ 1/n" if mup else "same rate"
        label = "predicted" if i == 0 else None
        ax.plot(n, theory[i], ls="--", lw=1, color="black", label=label)
        ax.plot(n, adam_changes(mup), "os"[i], ms=6, color=f"C{i}", label=name)
    ax.set_xscale("log", base=2)
    ax.set_yscale("log", base=2)
    ax.set_xlabel("width n")
    ax.set_ylabel("change of z by one step")
    ax.legend()
    return fig


if __name__ == "__main__":
    plot_width()
    plt.show()
# --8<-- [end:plot_width]
