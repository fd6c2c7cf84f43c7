"""A layer sees the second moment of its input, not its variance.

    E[h²] = Var(h) + E[h]²

He et al. (2015) build their derivation on this difference. The second moments
q, p and d of this book are expectations over the weights, not means over the
units of one network.
"""

# --8<-- [start:imports]
import math

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch import Tensor

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:next_layer]
def next_layer(h: Tensor, units: int, seed: int = SEED) -> Tensor:
    """Return z = Wh with independent weights from N(0, 1/fan_in).

    Args:
        h: One activation vector, not empty, shape (fan_in,).
        units: Number of units of the next layer, at least 1.
        seed: Seed of the weights.

    Returns:
        Pre-activations of shape (units,).

    >>> next_layer(torch.ones(3), units=5).shape
    torch.Size([5])
    """
    generator = torch.Generator().manual_seed(int(seed))
    std = math.sqrt(1 / len(h))
    weight = torch.randn(units, len(h), generator=generator) * std
    return weight.to(h.dtype) @ h


# --8<-- [end:next_layer]


# --8<-- [start:chain]
def linear_chain(
    width: int = 64, depth: int = 20, networks: int = 4000, seed: int = SEED
) -> Tensor:
    """Return the layer mean of z² in independent linear networks.

    The weights come from N(0, 1/width), so that the expectation is 1 in every
    layer. Given h, the units of Wh are independent draws from N(0, mean(h²)):
    drawing those needs no weight matrix and changes no probability.

    Args:
        width: Units in each layer.
        depth: Number of layers.
        networks: Number of independent networks.
        seed: Seed of the draws.

    Returns:
        Tensor of shape (networks, depth + 1); column 0 is the input's, 1.

    >>> linear_chain(width=8, depth=2, networks=3).shape
    torch.Size([3, 3])
    """
    generator = torch.Generator().manual_seed(int(seed))
    means = [torch.ones(networks, dtype=torch.float64)]
    for _ in range(depth):
        z = torch.randn(networks, width, generator=generator).double()
        means.append(means[-1] * z.square().mean(1))
    return torch.stack(means, dim=1)


# --8<-- [end:chain]


# --8<-- [start:asymmetric]
def asymmetric_row() -> tuple[Tensor, Tensor]:
    """Return a law of (w₁, w₂) that violates A4 only: values, probabilities.

    Both weights have mean 0, variance 3/4 and a symmetric law, and they are
    uncorrelated. Their joint law is not symmetric.

    >>> values, probability = asymmetric_row()
    >>> (probability @ values).tolist()
    [0.0, 0.0]
    """
    values = [[1, 0], [0, 1], [-1, -1], [1, -1], [-1, 1]]
    probability = [1 / 4, 1 / 4, 1 / 4, 1 / 8, 1 / 8]
    return torch.tensor(values).double(), torch.tensor(probability).double()


# --8<-- [end:asymmetric]


if __name__ == "__main__":
    # --8<-- [start:demo]
    generator = torch.Generator().manual_seed(SEED)
    h = torch.relu(torch.randn(256, generator=generator).double())
    z2 = next_layer(h, units=20_000).square()
    second_moment, variance = h.square().mean(), h.var(correction=0)
    q_next = (z2.mean(), z2.std() / math.sqrt(len(z2)))
    print(f"E[h²]  {second_moment:.2f}    next layer's E[z²]  {q_next[0]:.2f}")
    print(f"Var(h) {variance:.2f}")

    last = linear_chain()[:, -1]
    std_last, std_theory = last.std(), math.sqrt((1 + 2 / 64) ** 20 - 1)
    print(f"layer 20, mean of 4000 networks {last.mean():.1f}")
    print(f"layer 20, std over the networks {std_last:.1f}")

    values, probability = asymmetric_row()
    z = values.sum(1)
    factor = probability @ torch.relu(z) ** 2 / (probability @ z**2)
    print(f"without A4: E[relu(z)²] / E[z²] = {factor:.3f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_networks]
def plot_networks() -> Figure:
    """Draw layer means of single networks and their mean over networks."""
    means = linear_chain()
    layers = range(means.shape[1])
    figure, axes = plt.subplots(figsize=(5.8, 3.4))
    for index, network in enumerate(means[:12]):
        label = "one network" if index == 0 else None
        axes.plot(layers, network, lw=0.8, color="0.5", label=label)
    axes.axhline(1, ls="--", lw=1, color="black", label="expectation")
    mean = means.mean(0)
    axes.plot(layers, mean, "o", color="C0", label="mean of 4000 networks")
    axes.set(xlabel="layer", ylabel="layer mean of z²", ylim=(0, 4.2))
    axes.set_xticks(range(0, 21, 5))
    axes.legend(loc="upper left")
    return figure


if __name__ == "__main__":
    plot_networks()
    plt.show()
# --8<-- [end:plot_networks]
