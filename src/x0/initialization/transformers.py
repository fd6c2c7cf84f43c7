"""A transformer starts from N(0, 0.02^2), residual weights divided by sqrt(2D).

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


@torch.no_grad()
def init_transformer_(
    model: nn.Module,
    depth: int,
    std: float = 0.02,
    residual: Collection[str] = RESIDUAL,
    generator: torch.Generator | None = None,
) -> None:
    """Initialize a pre-norm transformer in place, as GPT-2's paper says.

    Weights with 2 or more dimensions come from N(0, std^2), those of layers
    named in `residual` from N(0, std^2 / (2 * depth)). Biases become 0, the
    weights of norms 1.

    Args:
        model: depth blocks of attention and MLP, embeddings and head.
        depth: number of blocks; each adds to the stream twice.
        std: standard deviation; 0.02 suits widths near 1000, see the page.
        residual: names of the layers whose output is added to the stream.
        generator: source of randomness.

    Raises:
        ValueError: not exactly 2 * depth weights have such a name.
    """
    found = 0
    for name, parameter in model.named_parameters():
        layer, _, kind = name.rpartition(".")
        if parameter.dim() > 1:
            scaled = layer.rpartition(".")[2] in residual
            found += scaled
            factor = 1 / math.sqrt(2 * depth) if scaled else 1
            parameter.normal_(0, std * factor, generator=generator)
        elif kind.endswith("bias"):
            parameter.zero_()
        else:
            parameter.fill_(1)
    if found != 2 * depth:
        raise ValueError(
            f"Expected {2 * depth} residual weights, found {found}. "
            f"Received: {residual=}"
        )


# --8<-- [end:init]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print the deviations in one block of torch.nn.TransformerEncoder."""
    generator = torch.Generator().manual_seed(SEED)
    layer = nn.TransformerEncoderLayer(
        128, 4, 512, activation="gelu", batch_first=True, norm_first=True
    )
    model = nn.TransformerEncoder(layer, 12, enable_nested_tensor=False)
    init_transformer_(model, depth=12, generator=generator)
    values: dict[str, float | tuple[float, float]] = {
        "residual": 0.02 / math.sqrt(24)
    }
    for name, parameter in model.layers[0].named_parameters():
        if parameter.dim() > 1:
            measured = float(parameter.detach().std())
            values[name.replace(".", "_")] = measured
            print(f"{name:<26}{measured:.4f}")
    return values


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]
