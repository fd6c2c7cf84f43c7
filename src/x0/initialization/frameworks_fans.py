"""PyTorch's default keeps a third of q only where fan_in is what it seems.

q_out / p_in = (terms per output) / (3 * the number in the bound)
"""

# --8<-- [start:imports]
import math
from collections.abc import Callable

import torch
from torch import Tensor, nn

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:factor]
def forward_factor(
    build: Callable[[], nn.Module], inputs: list[Tensor], networks: int
) -> Tensor:
    """Return the mean of (output - bias)^2, one per construction.

    Args:
        build: constructs a layer that has no bias.
        inputs: what the layer is called with, of second moment 1.
        networks: number of constructions.

    Raises:
        ValueError: networks is not positive.

    >>> x = torch.ones(4, 64)
    >>> factor = forward_factor(lambda: nn.Linear(64, 64, False), [x], 50)
    >>> round(3 * float(factor.mean()), 1)
    1.0
    """
    if networks < 1:
        raise ValueError(f"Expected at least 1 network. Received: {networks=}")
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        generator = torch.Generator().manual_seed(SEED)
        torch.set_rng_state(generator.get_state())
        outputs: list[Tensor] = [build()(*inputs) for _ in range(networks)]
    if outputs[0].dim() == 4:  # stay away from the border of an image
        outputs = [z[..., 4:-4, 4:-4] for z in outputs]
    return torch.stack([z.square().mean() for z in outputs])


def depthwise_he() -> nn.Module:
    """Return a depthwise convolution under He's rule with fan_out."""
    layer = nn.Conv2d(64, 64, 3, groups=64, bias=False)
    nn.init.kaiming_normal_(layer.weight, mode="fan_out", nonlinearity="relu")
    return layer


def rnn_input() -> nn.Module:
    """Return the product with the input matrix of an RNN."""
    layer = nn.Linear(256, 64, False)
    layer.weight = nn.RNN(256, 64).get_parameter("weight_ih_l0")
    return layer


# name, constructor, shapes of the inputs, predicted factor
IMAGE: list[tuple[int, ...]] = [(1, 64, 24, 24)]
Row = tuple[str, Callable[[], nn.Module], list[tuple[int, ...]], float]
LAYERS: dict[str, Row] = {
    "linear": (
        "Linear(64, 64)",
        lambda: nn.Linear(64, 64, False),
        [(64, 64)],
        1 / 3,
    ),
    "transposed": (
        "ConvTranspose2d(64, 16, 3)",
        lambda: nn.ConvTranspose2d(64, 16, 3, bias=False),
        IMAGE,
        64 / (3 * 16),
    ),
    "stride_2": (
        "ConvTranspose2d(64, 16, 4, stride=2)",
        lambda: nn.ConvTranspose2d(64, 16, 4, 2, bias=False),
        IMAGE,
        64 / (3 * 16 * 4),
    ),
    "depthwise": (
        "depthwise Conv2d, kaiming fan_out",
        depthwise_he,
        IMAGE,
        2 / 64,
    ),
    "rnn": ("RNN(256, 64), input", rnn_input, [(64, 256)], 256 / (3 * 64)),
    "bilinear": (
        "Bilinear(64, 16, 32)",
        lambda: nn.Bilinear(64, 16, 32, False),
        [(64, 64), (64, 16)],
        16 / 3,
    ),
}
# --8<-- [end:factor]


# --8<-- [start:attention]
def attention_logits(joint: bool, networks: int) -> Tensor:
    """Return the mean squared logit of nn.MultiheadAttention, per network.

    Args:
        joint: one stacked (3E, E) matrix, as by default; False passes a
            vdim that differs and so gives each projection its own matrix.
        networks: number of constructions.

    >>> round(4 * float(attention_logits(True, 100).mean()), 1)
    1.0
    """
    size, heads, tokens = 64, 4, 16
    generator = torch.Generator().manual_seed(SEED)
    x = torch.randn(tokens, size, generator=generator)
    x = x / x.square().mean(1, keepdim=True).sqrt()
    squares = []
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.set_rng_state(generator.get_state())
        for _ in range(networks):
            layer = nn.MultiheadAttention(size, heads)
            query, key, _ = layer.in_proj_weight.chunk(3)
            if not joint:
                layer = nn.MultiheadAttention(size, heads, vdim=size + 1)
                query = layer.get_parameter("q_proj_weight")
                key = layer.get_parameter("k_proj_weight")
            q, k = (x @ w.T for w in (query, key))
            q, k = (t.view(tokens, heads, -1).transpose(0, 1) for t in (q, k))
            logits = q @ k.mT / math.sqrt(size / heads)
            apart = ~torch.eye(tokens, dtype=torch.bool)
            squares.append(logits[:, apart].square().mean())
    return torch.stack(squares)


# --8<-- [end:attention]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print q_out / p_in by layer, and the attention logits."""
    generator = torch.Generator().manual_seed(SEED)
    values: dict[str, float | tuple[float, float]] = {}
    print(f"{'layer, without bias':<38}{'predicted':>10}{'measured':>10}")
    for key, (name, build, shapes, theory) in LAYERS.items():
        inputs = [torch.randn(s, generator=generator) for s in shapes]
        inputs = [x / x.square().mean(1, True).sqrt() for x in inputs]
        factor = forward_factor(build, inputs, 60)
        error = float(factor.std()) / math.sqrt(len(factor))
        values[key] = float(factor.mean()), error
        values[f"{key}_theory"] = theory
        print(f"{name:<38}{theory:10.3f}{factor.mean():10.2f}")
    for joint, key, theory in ((True, "joint", 0.25), (False, "apart", 1.0)):
        squares = attention_logits(joint, 200)
        error = float(squares.std()) / math.sqrt(len(squares))
        values[key] = float(squares.mean()), error
        name = f"squared logits, projections {key}"
        print(f"{name:<38}{theory:10.3f}{squares.mean():10.2f}")
    return values


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]
