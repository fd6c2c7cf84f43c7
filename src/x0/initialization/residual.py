"""With K residual branches, each is scaled by 1/sqrt(K) or starts at zero.

E[x_K^2] = (1 + s^2)^K * E[x_0^2]; s = 1/sqrt(K) keeps the factor below e

Zhang, Dauphin and Ma (2019), Fixup; Radford et al. (2019), section 2.3.
"""

# --8<-- [start:imports]
import math
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrize import is_parametrized

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:branches]
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
INSTANCE_NORMS = (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)
OTHER_NORMS = (nn.LayerNorm, nn.RMSNorm, nn.GroupNorm, nn.SyncBatchNorm)
NORMS = (*OTHER_NORMS, *BATCH_NORMS, *INSTANCE_NORMS)


@torch.no_grad()
def follows(module: Any) -> bool:
    """Tell whether the weight takes on what is assigned to it.

    With parametrizations.weight_norm it does, with spectral_norm it is
    divided, and the weight_norm of torch.nn.utils writes over it.
    """
    if not is_parametrized(module, "weight"):
        return isinstance(module.weight, nn.Parameter)
    state = {key: x.clone() for key, x in module.state_dict().items()}
    wanted = 1 + 2 * module.weight
    try:
        module.weight = wanted
        return torch.allclose(module.weight, wanted, rtol=1e-2)
    except (RuntimeError, ValueError):
        return False
    finally:
        module.load_state_dict(state)


@torch.no_grad()
def write_(module: Any, weight: Tensor) -> None:
    """Set the weight of a layer, through weight_norm if that is there."""
    if not is_parametrized(module, "weight"):
        module.weight.copy_(weight)
    elif weight.any():
        module.weight = weight
    else:  # zeros have no direction: set the length to 0
        next(iter(module.parametrizations.weight.parameters())).zero_()


def branch_layers(branch: nn.Module, norms: bool = False) -> list[Any]:
    """Return the layers of a branch, in the order of their registration.

    A layer has a weight with at least 2 dimensions. Convention: the last
    one feeds the addition. A branch without the skip is a module of its own.

    Args:
        branch: a module that is used as the branch.
        norms: return norms, too.

    Raises:
        ValueError: the branch has no such layer, or a weight that cannot be
            assigned: without numbers (lazy, meta), integers, spectral_norm,
            the weight_norm of torch.nn.utils.

    >>> branch = nn.Sequential(nn.Linear(4, 8), nn.ReLU(), nn.Linear(8, 4))
    >>> [tuple(layer.weight.shape) for layer in branch_layers(branch)]
    [(8, 4), (4, 8)]
    """
    layers: list[Any] = []
    for name, module in branch.named_modules():
        if is_parametrized(module, "weight") and not follows(module):
            raise ValueError(f"Cannot set a weight. Received: {module}")
        weight = getattr(module, "weight", None)
        if not isinstance(weight, Tensor) or "parametrizations." in name:
            continue
        empty = nn.parameter.is_lazy(weight) or weight.is_meta
        norm = isinstance(module, NORMS)
        number = weight.is_floating_point() or weight.is_complex()
        if empty or not (
            norm or weight.dim() < 2 or (number and follows(module))
        ):
            raise ValueError(f"Cannot set a weight. Received: {module}")
        if norms if norm else weight.dim() > 1:
            layers.append(module)
    if not layers:
        raise ValueError(f"The branch has no weight. Received: {branch}")
    return layers


# --8<-- [end:branches]


# --8<-- [start:scale]
def scale_branches_(branches: Sequence[nn.Module]) -> None:
    """Divide the last weight of each of K branches by sqrt(K).

    Call it once, after the usual initialization of all layers.

    Raises:
        ValueError: as branch_layers does; then nothing has changed.
    """
    lasts = [branch_layers(branch)[-1] for branch in branches]
    weights = [layer.weight / math.sqrt(len(branches)) for layer in lasts]
    for layer, weight in zip(lasts, weights, strict=True):  # may be shared
        write_(layer, weight)


@torch.no_grad()
def zero_branches_(branches: Sequence[nn.Module]) -> None:
    """Let every branch start at zero, so that each block is the identity.

    A norm that is registered last gets the weight 0 (zero-γ); else the last
    weight of the branch is 0. A bias of that layer becomes 0 as well. If a
    ReLU follows it, the branch cannot learn: the slope of ReLU at 0 is 0.

    Raises:
        ValueError: as branch_layers does; then nothing has changed.
    """
    for layer in [branch_layers(branch, True)[-1] for branch in branches]:
        write_(layer, torch.zeros_like(layer.weight))
        if getattr(layer, "bias", None) is not None:
            layer.bias.zero_()


# --8<-- [end:scale]


# --8<-- [start:fixup]
@torch.no_grad()
def fixup_(
    branches: Sequence[nn.Module], head: nn.Module | None = None
) -> None:
    """Apply the weight rules of Fixup to a model without normalization.

    In a branch with m weights the last becomes 0, the others are multiplied
    by K^(-1/(2m-2)) for K branches. The last layer of the head becomes 0; so
    do its bias and those of the last layers of the branches.
    Call it after He initialization; m may differ between branches. No ReLU
    may follow the last layer: its slope at 0 is 0.

    Raises:
        ValueError: as branch_layers does; then nothing has changed.

    >>> mlp = [nn.Sequential(nn.Linear(9, 9), nn.Linear(9, 9)) for _ in "1234"]
    >>> before = mlp[0][0].weight.std().item()
    >>> fixup_(mlp)
    >>> round(mlp[0][0].weight.std().item() / before, 4)
    0.5
    """
    ends = [] if head is None else branch_layers(head)[-1:]
    scaled: list[tuple[Any, Tensor]] = []  # branches may share weights
    for *others, last in [branch_layers(branch) for branch in branches]:
        ends.append(last)
        for layer in others:
            factor = len(branches) ** (-1 / (2 * len(others)))
            scaled.append((layer, layer.weight * factor))
    for layer, weight in scaled:
        write_(layer, weight)
    for layer in ends:
        write_(layer, torch.zeros_like(layer.weight))
        if getattr(layer, "bias", None) is not None:
            layer.bias.zero_()


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


if __name__ == "__main__":
    # --8<-- [start:demo]
    generator = torch.Generator().manual_seed(SEED)
    x = torch.randn(8, 128, generator=generator)
    after = {}
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
        after[name] = y.square().mean() / x.square().mean()
        print(f"{name:<25}{after[name]:13.2g}")
    predicted = (1 + 1 / 24) ** 24  # scaled
    # --8<-- [end:demo]
