"""GPT-2 starts from N(0, 0.02^2), residual weights divided by sqrt(2D).

std = 0.02, or 0.02 / sqrt(2 * depth) for the two weights that feed the stream

Radford et al. (2019), section 2.3; the 0.02 is that of Radford et al. (2018).
"""

# --8<-- [start:imports]
import math
from collections.abc import Collection

import torch
from torch import nn

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:init]
RESIDUAL = ("c_proj", "out_proj", "o_proj", "wo", "down_proj", "linear2", "fc2")
BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
INSTANCE_NORMS = (nn.InstanceNorm1d, nn.InstanceNorm2d, nn.InstanceNorm3d)
OTHER_NORMS = (nn.LayerNorm, nn.RMSNorm, nn.GroupNorm, nn.SyncBatchNorm)
NORMS = (*OTHER_NORMS, *BATCH_NORMS, *INSTANCE_NORMS)
MADE_FROM = ("weight_g", "weight_v", "weight_orig")  # hooks make the weight


@torch.no_grad()
def init_transformer_(
    model: nn.Module,
    depth: int,
    std: float = 0.02,
    residual: Collection[str] = RESIDUAL,
    generator: torch.Generator | None = None,
) -> list[str]:
    """Initialize a pre-norm transformer in place, as GPT-2's paper says.

    Weights with 2 or more dimensions come from N(0, std^2), those of layers
    named in `residual` from N(0, std^2 / (2 * depth)); padding rows of
    embeddings stay 0. Biases become 0, the weights of torch's norms 1.

    Args:
        model: depth blocks of attention and MLP, embeddings and head.
        depth: number of blocks; each adds to the stream twice.
        std: standard deviation of the weights; see the page for widths.
        residual: names of the layers whose output is added to the stream.
        generator: source of randomness.

    Returns:
        Names of the parameters that were left alone: what has fewer than 2
        dimensions and is neither a bias nor in a norm of torch (LayerScale,
        gates, temperatures, norms that multiply by 1 + weight), what stands
        under a parametrization or is pruned, and integers.

    Raises:
        ValueError: not exactly 2 * depth weights have such a name, a
            parameter has no numbers (lazy, meta), or std is negative.
    """
    found = []
    for name, p in model.named_parameters():
        if nn.parameter.is_lazy(p) or p.is_meta:
            raise ValueError(f"{name} has no numbers. Received: {type(p)}")
        layer = name.rpartition(".")[0].rpartition(".")[2]
        if p.dim() > 1 and layer in residual:
            found.append(name)
    if depth < 1 or len(found) != 2 * depth or not 0 <= std < math.inf:
        raise ValueError(
            f"Expected {2 * depth} residual weights, found {len(found)}. "
            f"Received: {depth=}, {std=}, {residual=}"
        )
    left: list[str] = []
    seen: set[nn.Parameter] = set()  # a tied weight comes once
    for path, module in model.named_modules():
        for kind, parameter in module.named_parameters(recurse=False):
            name = f"{path}.{kind}".strip(".")
            if parameter in seen:
                continue
            seen.add(parameter)
            made = "parametrizations" in path or kind in MADE_FROM
            if made or not parameter.is_floating_point():
                left.append(name)
            elif parameter.dim() > 1:
                factor = 1 / math.sqrt(2 * depth) if name in found else 1
                parameter.normal_(0, std * factor, generator=generator)
            elif kind.endswith("bias"):
                parameter.zero_()
            elif isinstance(module, NORMS):
                parameter.fill_(1)
            else:
                left.append(name)
    for module in model.modules():
        row = getattr(module, "padding_idx", None)
        if isinstance(module, nn.Embedding) and row is not None:
            module.weight[row].zero_()
    return left


# --8<-- [end:init]


if __name__ == "__main__":
    # --8<-- [start:demo]
    generator = torch.Generator().manual_seed(SEED)
    layer = nn.TransformerEncoderLayer(
        128, 4, 512, activation="gelu", batch_first=True, norm_first=True
    )
    model = nn.TransformerEncoder(layer, 12, enable_nested_tensor=False)
    init_transformer_(model, depth=12, generator=generator)
    std = {}
    for name, parameter in model.layers[0].named_parameters():
        if parameter.dim() > 1:
            std[name] = parameter.std().item()
            print(f"{name:<26}{std[name]:.4f}")
    # --8<-- [end:demo]
