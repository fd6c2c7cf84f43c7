"""Under Fixup a gradient step moves networks of 4 and 64 branches equally far.

K * a^(2(m-1)) = 1: the first m - 1 of m weights are scaled by a

Zhang, Dauphin and Ma (2019), Fixup, rules 1 to 3.
"""

# --8<-- [start:imports]
import functools
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

SEED = 0
COUNTS = (4, 16, 64)
WIDTH = 32
# --8<-- [end:imports]


# --8<-- [start:scalars]
class Shift(nn.Module):
    """x + b with one number b, at first 0."""

    def __init__(self) -> None:
        """Start at 0."""
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        """Return the shifted input."""
        return x + self.bias


class Multiply(nn.Module):
    """a * x with one number a, at first 1; 0 for SkipInit and ReZero."""

    def __init__(self, start: float = 1.0) -> None:
        """Start at a given number."""
        super().__init__()
        self.factor = nn.Parameter(torch.tensor(float(start)))

    def forward(self, x: Tensor) -> Tensor:
        """Return the scaled input."""
        return self.factor * x


def fixup_branch(*layers: nn.Module) -> nn.Sequential:
    """Put a Shift before every layer and a Multiply behind the last."""
    shifted = [module for layer in layers for module in (Shift(), layer)]
    return nn.Sequential(*shifted, Multiply())


# --8<-- [end:scalars]


# --8<-- [start:step]
def step_size(
    count: int,
    weights: int,
    factor: float,
    networks: int,
    generator: torch.Generator,
) -> Tensor:
    """Return by how much a gradient step per unit rate moves the output.

    It is the sum of the squared gradients of all branch weights over the
    width, for the output Σ rᵢ xᵢ with random r. Branches have `weights`
    layers of gain 1; the last is 0, the others are multiplied by factor.

    Returns:
        Tensor of shape (networks,).

    >>> generator = torch.Generator().manual_seed(0)
    >>> step_size(4, 2, 0.5, 3, generator).shape
    torch.Size([3])
    """
    shape = (networks, WIDTH, WIDTH)
    x = torch.randn(networks, WIDTH, 1, generator=generator)
    x /= x.square().mean(1, keepdim=True).sqrt()
    parameters = []
    for _ in range(count):
        h = x
        for layer in range(weights):
            weight = torch.randn(shape, generator=generator)
            weight *= factor * math.sqrt((1 if layer == 0 else 2) / WIDTH)
            if layer == weights - 1:
                weight = torch.zeros(shape)
            parameters.append(weight.requires_grad_())
            h = weight @ (h if layer == 0 else h.relu())
        x = x + h
    read = torch.randn(x.shape, generator=generator) / math.sqrt(WIDTH)
    gradients = torch.autograd.grad((read * x).sum(), parameters)
    total = torch.stack([g.square().sum((1, 2)) for g in gradients]).sum(0)
    return total / WIDTH


@functools.cache
def step_means(weights: int, fixup: bool) -> list[tuple[float, float]]:
    """Return mean and standard error of step_size for each of COUNTS."""
    generator = torch.Generator().manual_seed(SEED)
    found = []
    for count in COUNTS:
        factor = count ** (-1 / (2 * weights - 2)) if fixup else 1.0
        size = step_size(count, weights, factor, 50, generator)
        found.append((float(size.mean()), float(size.std()) / math.sqrt(50)))
    return found


# --8<-- [end:step]


if __name__ == "__main__":
    # --8<-- [start:demo]
    print("weights  rule        K = 4     16     64")
    for weights in (2, 3):
        for name in ("zero", "fixup"):
            means = step_means(weights, name == "fixup")
            row = "".join(f"{mean:7.2g}" for mean, _ in means)
            print(f"{weights:<9}{name:<9}{row}")
    branch = fixup_branch(nn.Linear(4, 4), nn.ReLU(), nn.Linear(4, 4))
    scalars = sum(p.dim() == 0 for p in branch.parameters())
    print(f"scalars of a branch with 2 weights: {scalars}")
    # --8<-- [end:demo]


# --8<-- [start:plot_step]
def plot_step() -> Figure:
    """Draw the change of the output by one step against the branches."""
    fig, ax = plt.subplots(figsize=(5.6, 3.5), layout="constrained")
    counts = np.array(COUNTS)
    for i, (weights, fixup) in enumerate(
        ((2, False), (3, False), (2, True), (3, True))
    ):
        mean = [m for m, _ in step_means(weights, fixup)]
        name = (
            "Fixup, {} weights" if fixup else "only the last zero, {} weights"
        )
        marker = "osD^"[i]
        label = name.format(weights)
        ax.plot(
            counts,
            mean,
            marker,
            ms=9 - 3 * (weights - 2),
            color=f"C{i}",
            label=label,
        )
    ax.plot(counts, counts / 2, ls="--", lw=1, color="black", label="predicted")
    ax.axhline(0.5, ls="--", lw=1, color="black")
    ax.set_xscale("log", base=2)
    ax.set_yscale("log", base=2)
    ax.set_xlabel("branches K")
    ax.set_ylabel("change by one step")
    ax.legend(loc="upper left")
    return fig


if __name__ == "__main__":
    plot_step()
    plt.show()
# --8<-- [end:plot_step]
