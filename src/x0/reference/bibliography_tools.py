"""TensorFlow Playground ignores the width of a layer when it draws weights.

    q_l = n_{l-1} / 12 · q_{l-1} + 0.01

Its weights are uniform on (-1/2, 1/2) and its biases 0.1, whatever the
width and the activation function; its interface offers no other choice.
"""

# --8<-- [start:imports]
import itertools
import math

import torch
from torch import Tensor

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:playground]
def playground(
    widths: list[int], networks: int, generator: torch.Generator
) -> list[Tensor]:
    """Return the pre-activations of linear Playground networks.

    Args:
        widths: Numbers of units, from the input to the last layer.
        networks: How many networks are drawn; all see an input of ones.
        generator: Source of randomness.

    Returns:
        One tensor of shape (networks, units) for each layer.

    >>> generator = torch.Generator().manual_seed(0)
    >>> layers = playground([2, 8, 8], 5, generator)
    >>> [tuple(z.shape) for z in layers]
    [(5, 8), (5, 8)]
    """
    h = torch.ones(networks, widths[0], dtype=torch.float64)
    layers = []
    for fan_in, fan_out in itertools.pairwise(widths):
        weight = torch.empty(networks, fan_out, fan_in, dtype=torch.float64)
        weight.uniform_(-0.5, 0.5, generator=generator)
        h = torch.einsum("mij,mj->mi", weight, h) + 0.1
        layers.append(h)
    return layers


def playground_moments(widths: list[int]) -> list[float]:
    """Return the expected second moments of the same layers.

    >>> [round(q, 3) for q in playground_moments([2, 8, 8])]
    [0.177, 0.128]
    """
    moments = [1.0]
    for fan_in in widths[:-1]:
        moments.append(fan_in / 12 * moments[-1] + 0.01)
    return moments[1:]


# --8<-- [end:playground]


# --8<-- [start:initializers]
def torch_initializers() -> list[str]:
    """Return the in-place initializers that `torch.nn.init` offers.

    >>> "xavier_uniform_" in torch_initializers()
    True
    """
    names = [name for name in dir(torch.nn.init) if name.endswith("_")]
    return [name for name in names if not name.startswith("_")]


# --8<-- [end:initializers]


if __name__ == "__main__":
    # --8<-- [start:demo]
    names = torch_initializers()
    for start in range(0, len(names), 4):
        print(*names[start : start + 4])

    generator = torch.Generator().manual_seed(SEED)
    widths = [2] + [8] * 6
    layers = playground(widths, 4000, generator)
    predicted = playground_moments(widths)
    measured = []
    print("layer  predicted  measured")
    for layer, (z, q) in enumerate(zip(layers, predicted, strict=True), 1):
        means = (z**2).mean(1)
        measured.append((means.mean(), means.std() / math.sqrt(len(means))))
        print(f"{layer:5d}  {q:9.3f}  {means.mean():8.3f}")
    limit = 0.01 / (1 - 8 / 12)
    # --8<-- [end:demo]
