"""A lookup has one term, a border has fewer, a generator has its own fans.

Embedding: E[h^2] = Var(w).  DCGAN: q_l = C_in K Var(w) / (2 S) q_{l-1}.

Radford, Metz and Chintala (2016) draw all weights with std 0.02.
"""

# --8<-- [start:imports]
import itertools

import torch
from torch import Tensor, nn

SEED = 0
CHANNELS = (100, 512, 256, 128, 64, 3)
# --8<-- [end:imports]


# --8<-- [start:layers]
def lookup(vocabulary: int, size: int, initialize: str) -> float:
    """Return the mean square of an embedding after an initializer.

    Args:
        vocabulary: number of rows.
        size: width of a row.
        initialize: random function of torch.nn.init without other arguments.

    Raises:
        ValueError: torch.nn.init has no such function.

    >>> round(lookup(1000, 64, "normal_"), 1)
    1.0
    """
    if not callable(getattr(nn.init, initialize, None)):
        raise ValueError(f"Unknown initializer. Received: {initialize=}")
    generator = torch.Generator().manual_seed(SEED)
    weight = torch.empty(vocabulary, size)
    getattr(nn.init, initialize)(weight, generator=generator)
    return float(weight.square().mean())


def border_share(side: int) -> float:
    """Return q of a padded 3×3 convolution over q without a border.

    Args:
        side: of the square image, at least 1.

    >>> round(border_share(8), 4)
    0.8403
    """
    layer = nn.Conv2d(1, 1, 3, padding=1, bias=False)
    nn.init.ones_(layer.weight)
    with torch.no_grad():
        terms: Tensor = layer(torch.ones(1, 1, side, side))
    return float(terms.mean()) / 9


def generator_moments(
    std: float, batch: int = 4
) -> tuple[list[float], list[float]]:
    """Return q by layer of a DCGAN generator without BatchNorm.

    Channels, kernels and strides are those of PyTorch's DCGAN example.

    Args:
        std: of all weights.
        batch: number of latent vectors, of second moment 1.

    Returns:
        Predicted and measured q of the five transposed convolutions.
    """
    generator = torch.Generator().manual_seed(SEED)
    h = torch.randn(batch, CHANNELS[0], 1, 1, generator=generator)
    predicted, measured, p = [], [], 1.0
    for i, (c_in, c_out) in enumerate(itertools.pairwise(CHANNELS)):
        stride, padding = (1, 0) if i == 0 else (2, 1)
        w = torch.empty(c_in, c_out, 4, 4)
        nn.init.normal_(w, 0, std, generator=generator)
        z = nn.functional.conv_transpose2d(h, w, None, stride, padding)
        terms = c_in if i == 0 else c_in * 16 / stride**2
        predicted.append(terms * std**2 * p)
        inside = z if i == 0 else z[..., 2:-2, 2:-2]
        measured.append(float(inside.square().mean()))
        h, p = z.relu(), predicted[-1] / 2
    return predicted, measured


# --8<-- [end:layers]


if __name__ == "__main__":
    # --8<-- [start:demo]
    names = ("normal_", "xavier_normal_")
    square = {name: lookup(5000, 64, name) for name in names}
    print("mean square of Embedding(5000, 64):")
    for name, mean in square.items():
        print(f"  {name:<18}{mean:.2g}")

    border = {side: border_share(side) for side in (4, 8, 32)}
    print("share that zero padding leaves, 3×3 kernel:")
    for side, share in border.items():
        print(f"  {side:2d} × {side:<13d}{share:.3f}")

    predicted, measured = generator_moments(0.02)
    print("DCGAN generator without BatchNorm, std 0.02: q by layer")
    print("  predicted ", " ".join(f"{q:.1e}" for q in predicted))
    print("  measured  ", " ".join(f"{q:.0e}" for q in measured))
    # --8<-- [end:demo]
