"""The activation fixes fan_in * Var(w); branches, heads and gates come after.

fan_in * Var(w) = 1 (linear, tanh, SELU), 2 / (1 + slope^2) (ReLU family)

Glorot and Bengio (2010); He et al. (2015); Klambauer et al. (2017).
"""

# --8<-- [start:imports]
import math
from collections.abc import Sequence

import torch
from torch import nn

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:init]
def hidden_scale(activation: str, slope: float = 0.0) -> float:
    """Return fan_in * Var(w) for a hidden layer.

    Args:
        activation: linear, tanh, selu, relu, leaky_relu; normalized for any
            activation between two norms.
        slope: negative slope of leaky_relu.

    Raises:
        ValueError: no variance holds the signal of this activation.

    >>> hidden_scale("leaky_relu", 1.0)
    1.0
    """
    if activation in ("linear", "tanh", "selu"):
        return 1.0
    if activation in ("relu", "leaky_relu", "normalized"):
        return 2 / (1 + slope**2)
    raise ValueError(
        "Put a norm before this activation, or use another one. "
        f"Received: {activation=}"
    )


CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
TRANSPOSED = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)


@torch.no_grad()
def initialize_(
    model: nn.Module,
    activation: str,
    slope: float = 0.0,
    branches: Sequence[nn.Module] = (),
    head: nn.Linear | None = None,
    generator: torch.Generator | None = None,
) -> None:
    """Initialize a model in place; norms keep what they have.

    Args:
        model: any module; layers of other types are left alone.
        activation: of the hidden layers, see hidden_scale.
        slope: negative slope of leaky_relu.
        branches: residual branches; of each, the weight registered last
            feeds the addition and is divided by the root of their number.
        head: the output layer; its weight becomes 0.
        generator: source of randomness.

    Raises:
        ValueError: no variance holds the signal of this activation.
    """
    scale = hidden_scale(activation, slope)
    for module in model.modules():
        if isinstance(module, (nn.Linear, *CONVOLUTIONS, *TRANSPOSED)):
            reads: float = module.weight[0].numel()  # (out, in, *kernel)
            if isinstance(module, TRANSPOSED):  # (in, out, *kernel), strided
                reads = module.weight[:, 0].numel() / module.groups
                reads /= math.prod(module.stride)
            std = math.sqrt(scale / reads)
            module.weight.normal_(0, std, generator=generator)
            if module.bias is not None:
                module.bias.zero_()
        elif isinstance(module, nn.Embedding):
            module.weight.normal_(0, 0.02, generator=generator)
        elif isinstance(module, nn.RNNBase):
            recurrent_(module, generator)
        elif isinstance(module, nn.MultiheadAttention):
            for name, p in module.named_parameters(recurse=False):
                # q, k and v may be stacked in one parameter
                if p.dim() < 2 or name.startswith("bias"):
                    continue
                for part in torch.split(p, module.embed_dim):
                    nn.init.xavier_normal_(part, generator=generator)
    for branch in branches:
        weights = [p for p in branch.parameters() if p.dim() > 1]
        weights[-1].div_(math.sqrt(len(branches)))
    if head is not None:
        head.weight.zero_()


@torch.no_grad()
def recurrent_(
    module: nn.RNNBase, generator: torch.Generator | None = None
) -> None:
    """Fill each gate: orthogonal recurrence, Xavier input, bias 0.

    The forget gate of an LSTM gets the bias 1, once: its two biases add up.
    """
    for name, parameter in module.named_parameters():
        if name.startswith("bias"):
            parameter.zero_()
            if module.mode == "LSTM" and name.startswith("bias_hh"):
                parameter.chunk(4)[1].fill_(1)
            continue
        for gate in torch.split(parameter, module.hidden_size):
            if name.startswith("weight_hh"):
                nn.init.orthogonal_(gate, generator=generator)
            else:
                nn.init.xavier_normal_(gate, generator=generator)


# --8<-- [end:init]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Initialize one ReLU model with every kind of layer and look at it."""
    generator = torch.Generator().manual_seed(SEED)
    lstm = nn.LSTM(64, 128)
    branches = [nn.Sequential(nn.Linear(128, 256), nn.ReLU()) for _ in "1234"]
    for branch in branches:
        branch.append(nn.Linear(256, 128))
    head = nn.Linear(128, 10)
    model = nn.Sequential(nn.Embedding(500, 64), lstm, *branches, head)
    initialize_(
        model, "relu", branches=branches, head=head, generator=generator
    )
    first, *_, last = (p for p in branches[0].parameters() if p.dim() > 1)
    biases = dict(lstm.named_parameters())
    forget = (biases["bias_ih_l0"] + biases["bias_hh_l0"])[128:256]
    logits = head(torch.randn(32, 128, generator=generator))
    loss = nn.functional.cross_entropy(logits, torch.arange(32) % 10)
    values: dict[str, float | tuple[float, float]] = {
        "first": 128 * first.var().item(),
        "last": 256 * last.var().item(),
        "forget": forget.mean().item(),
        "loss": loss.item(),
    }
    print(f"branch, first weight: fan_in * Var(w) {values['first']:.1f}")
    print(f"branch, last weight:  fan_in * Var(w) {values['last']:.1f}")
    print(f"forget gate, sum of both biases {values['forget']:.0f}")
    print(f"cross-entropy at step 0 {values['loss']:.4f}")
    return values


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]
