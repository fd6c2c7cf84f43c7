"""PyTorch's default keeps a third of q where its bound counts the terms.

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
    """Return the mean square of the output, one per construction.

    Images lose a border of 4 pixels first.

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
def attention_logits(
    networks: int, kdim: int | None = None, vdim: int | None = None
) -> Tensor:
    """Return the mean squared logit of nn.MultiheadAttention(64), per network.

    The default is one stacked (3E, E) matrix; a kdim or vdim that differs
    gives each projection its own matrix.

    Args:
        networks: number of constructions.
        kdim: size of the inputs of the keys, 64 if None.
        vdim: size of the inputs of the values, 64 if None.

    >>> round(4 * float(attention_logits(100).mean()), 1)
    1.0
    """
    size, heads, tokens = 64, 4, 16
    generator = torch.Generator().manual_seed(SEED)
    x = torch.randn(tokens, size, generator=generator)
    y = torch.randn(tokens, kdim or size, generator=generator)
    x, y = (t / t.square().mean(1, keepdim=True).sqrt() for t in (x, y))
    squares = []
    with torch.random.fork_rng(devices=[]), torch.no_grad():
        torch.set_rng_state(generator.get_state())
        for _ in range(networks):
            layer = nn.MultiheadAttention(size, heads, kdim=kdim, vdim=vdim)
            if kdim is None and vdim is None:
                query, key, _ = layer.in_proj_weight.chunk(3)
            else:
                query = layer.get_parameter("q_proj_weight")
                key = layer.get_parameter("k_proj_weight")
            q, k = x @ query.T, y @ key.T
            q, k = (t.view(tokens, heads, -1).transpose(0, 1) for t in (q, k))
            logits = q @ k.mT / math.sqrt(size / heads)
            apart = ~torch.eye(tokens, dtype=torch.bool)
            squares.append(logits[:, apart].square().mean())
    return torch.stack(squares)


# --8<-- [end:attention]


if __name__ == "__main__":
    # --8<-- [start:demo]
    generator = torch.Generator().manual_seed(SEED)
    predicted, measured = {}, {}
    for key, (_, build, shapes, theory) in LAYERS.items():
        inputs = [torch.randn(s, generator=generator) for s in shapes]
        inputs = [x / x.square().mean(1, True).sqrt() for x in inputs]
        q = forward_factor(build, inputs, 60)
        predicted[key] = theory
        measured[key] = q.mean(), q.std() / math.sqrt(len(q))
    for key, sizes, theory in (
        ("stacked", {}, 1 / 4),
        ("vdim 128", {"vdim": 128}, 1.0),
        ("kdim 128", {"kdim": 128}, 2 * 128 / (64 + 128)),
        ("kdim 16", {"kdim": 16}, 2 * 16 / (64 + 16)),
    ):
        q = attention_logits(200, **sizes)
        measured[key] = q.mean(), q.std() / math.sqrt(len(q))
        predicted[key] = theory
    # --8<-- [end:demo]
