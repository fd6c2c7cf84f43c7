"""With K residual branches, each is scaled by 1/sqrt(K) or starts at zero.

E[x_K^2] = (1 + s^2)^K * E[x_0^2]; s = 1/sqrt(K) keeps it below e

Zhang, Dauphin and Ma (2019), Fixup; Radford et al. (2019), section 2.3.
"""

# --8<-- [start:imports]
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:branches]
def branch_weights(branch: nn.Module) -> list[Tensor]:
    """Return the weights of a branch, in the order of their registration.

    A weight is a parameter with at least 2 dimensions. Convention: the last
    one feeds the addition. A branch without the skip is a module of its own.

    Raises:
        ValueError: the branch has no weight.

    >>> branch = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4))
    >>> [tuple(w.shape) for w in branch_weights(branch)]
    [(8, 4), (4, 8)]
    """
    weights: list[Tensor] = [p for p in branch.parameters() if p.dim() > 1]
    if not weights:
        raise ValueError(f"The branch has no weight. Received: {branch}")
    return weights


# --8<-- [end:branches]


# --8<-- [start:scale]
@torch.no_grad()
def scale_branches_(branches: Sequence[nn.Module]) -> None:
    """Divide the last weight of each of K branches by sqrt(K).

    Call it once, after the usual initialization of all layers.
    """
    for branch in branches:
        branch_weights(branch)[-1].div_(math.sqrt(len(branches)))


@torch.no_grad()
def zero_branches_(branches: Sequence[nn.Module]) -> None:
    """Let every branch start at zero, so that each block is the identity.

    A norm that ends the branch gets the weight 0 (zero-γ); else the last
    weight of the branch is 0. A bias of that layer becomes 0 as well.
    """
    for branch in branches:
        last = [m for m in branch.modules() if hasattr(m, "weight")][-1]
        for parameter in last.parameters(recurse=False):
            parameter.zero_()


# --8<-- [end:scale]


# --8<-- [start:fixup]
@torch.no_grad()
def fixup_(
    branches: Sequence[nn.Module], head: nn.Module | None = None
) -> None:
    """Apply the weight rules of Fixup to a model without normalization.

    In a branch with m weights the last becomes 0, the others are multiplied
    by K^(-1/(2m-2)) for K branches. The head's weight and bias become 0.
    Call it after He initialization; m may differ between branches.

    >>> mlp = [nn.Sequential(nn.Linear(9, 9), nn.Linear(9, 9)) for _ in "1234"]
    >>> before = mlp[0][0].weight.std().item()
    >>> fixup_(mlp)
    >>> round(mlp[0][0].weight.std().item() / before, 4)
    0.5
    """
    for branch in branches:
        *others, last = branch_weights(branch)
        last.zero_()
        for weight in others:
            weight.mul_(len(branches) ** (-1 / (2 * len(others))))
    if head is not None:
        for parameter in head.parameters():
            parameter.zero_()


# --8<-- [end:fixup]


# --8<-- [start:model]
class Residual(nn.Module):
    """x + branch(x)."""

    def __init__(self, branch: nn.Module) -> None:
        """Keep the branch."""
        super().__init__()
        self.branch = branch

    def forward(self, x: Tensor) -> Tensor:
        """Return the sum of the input and the branch."""
        out: Tensor = x + self.branch(x)
        return out


def residual_blocks(
    count: int, width: int, generator: torch.Generator
) -> list[Residual]:
    """Return blocks x + W₂ relu(W₁ x), each branch with gain 1."""
    blocks = []
    for _ in range(count):
        first, last = (nn.Linear(width, width, bias=False) for _ in range(2))
        for layer, gain in ((first, 1), (last, math.sqrt(2))):
            std = gain / math.sqrt(width)
            nn.init.normal_(layer.weight, std=std, generator=generator)
        blocks.append(Residual(nn.Sequential(first, nn.ReLU(), last)))
    return blocks


# --8<-- [end:model]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print the second moment after 24 branches under four rules."""
    generator = torch.Generator().manual_seed(SEED)
    x = torch.randn(8, 128, generator=generator)
    values: dict[str, float | tuple[float, float]] = {"bound": math.e}
    print("after 24 branches        second moment")
    for name in ("as they are", "scaled", "zero", "Fixup"):
        blocks = residual_blocks(24, 128, generator)
        branches = [block.branch for block in blocks]
        if name == "scaled":
            scale_branches_(branches)
        elif name == "zero":
            zero_branches_(branches)
        elif name == "Fixup":
            fixup_(branches)
        with torch.no_grad():
            y = nn.Sequential(*blocks)(x)
            after = (y.square().mean() / x.square().mean()).item()
        values[name.split()[0].lower()] = after
        print(f"{name:<25}{after:13.2g}")
    return values


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]
