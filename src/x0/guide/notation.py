"""N(μ, σ²) carries the variance; NumPy's and PyTorch's normal ask for the std.

    std = sqrt(variance)

He et al. (2015) name the standard deviation in words; a second argument that
is a square root leaves the reader to guess.
"""

# --8<-- [start:imports]
import math
from collections.abc import Callable

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch import Tensor

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:gaussian]
def gaussian_(
    tensor: Tensor,
    mean: float = 0.0,
    variance: float = 1.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Fill a tensor in place with draws from N(mean, variance).

    Args:
        tensor: The weight to fill, of any shape.
        mean: Mean of each entry.
        variance: Variance of each entry, the square of its std.
        generator: Source of randomness.

    Returns:
        The same tensor.

    Raises:
        ValueError: The variance is negative, or the tensor holds integers.

    >>> generator = torch.Generator().manual_seed(0)
    >>> weight = gaussian_(torch.empty(256, 256), 0.0, 1 / 256, generator)
    >>> round(256 * weight.var().item(), 1)
    1.0
    """
    whole = not tensor.is_floating_point() and not tensor.is_complex()
    if whole or not variance >= 0:
        raise ValueError(
            "variance must be at least 0. "
            f"Received: variance={variance}, {tensor.dtype}"
        )
    std = math.sqrt(variance)
    return torch.nn.init.normal_(tensor, mean, std, generator)


# --8<-- [end:gaussian]


# --8<-- [start:readings]
def layer_means(
    variance: float,
    activation: Callable[[Tensor], Tensor] = torch.clone,
    width: int = 256,
    depth: int = 10,
    networks: int = 20,
    seed: int = SEED,
) -> Tensor:
    """Return the mean of z² in each layer of random networks.

    Args:
        variance: Variance of every weight.
        activation: φ; the default leaves the network linear.
        width: Units in each layer, and inputs of each network, at least 1.
        depth: Number of layers.
        networks: Number of independent networks, at least 1.
        seed: Seed of the inputs and the weights.

    Returns:
        Tensor of shape (networks, depth + 1); column 0 is the input's.

    >>> layer_means(1 / 16, width=16, depth=3, networks=2).shape
    torch.Size([2, 4])
    """
    generator = torch.Generator().manual_seed(int(seed))
    z = torch.randn(networks, width, 64, generator=generator)
    h, means = z, [z.double().square().mean((1, 2))]
    for _ in range(depth):
        weight = torch.empty(networks, width, width)
        z = gaussian_(weight, 0.0, variance, generator) @ h
        h = activation(z)
        means.append(z.double().square().mean((1, 2)))
    return torch.stack(means, dim=1)


# --8<-- [end:readings]


# --8<-- [start:growth]
def growth(means: Tensor) -> tuple[float, float]:
    """Return the factor per layer from layer 1 on, and its standard error.

    Args:
        means: Of at least 2 networks, shape (networks, depth + 1).

    Raises:
        ValueError: The means are not real, not positive in layer 1, or have
            another shape.

    >>> growth(torch.tensor([[1.0, 1.0, 16.0], [1.0, 1.0, 16.0]]))
    (16.0, 0.0)
    """
    enough = means.ndim == 2 and len(means) > 1 and means.shape[1] > 2
    real = enough and means.is_floating_point()
    if not real or not means[:, 1].mean() > 0:
        kind = f"{tuple(means.shape)}, {means.dtype}"
        raise ValueError(f"Expected (networks, depth + 1). Received: {kind}")
    ratio = means[:, -1] / means[:, 1].mean()
    products = means.shape[1] - 2
    factor = ratio.mean() ** (1 / products)
    error = ratio.std() / math.sqrt(len(ratio))
    return factor.item(), (factor * error / ratio.mean() / products).item()


# --8<-- [end:growth]


if __name__ == "__main__":
    # --8<-- [start:demo]
    n = 256
    as_variance, as_std = {}, {}
    print("factor per layer, n = 256    as variance    as std")
    for name, root, activation in (
        ("linear", math.sqrt(1 / n), torch.clone),
        ("relu", math.sqrt(2 / n), torch.relu),
    ):
        wide = as_variance[name] = growth(layer_means(root, activation))
        right = as_std[name] = growth(layer_means(root**2, activation))
        print(f"{name:<29}{wide[0]:11.1f}{right[0]:10.2f}")
    nine_factors = as_variance["linear"][0] ** 9
    nine_factors_theory = math.sqrt(n) ** 9
    relu_theory = math.sqrt(n / 2)
    # --8<-- [end:demo]


# --8<-- [start:plot_readings]
def plot_readings() -> Figure:
    """Draw the second moment in both readings of N(0, √(1/n))."""
    n = 256
    root = math.sqrt(1 / n)
    figure, axes = plt.subplots(figsize=(5.8, 3.4))
    for variance, color, marker, label in (
        (root, "C0", "o", "read as a variance"),
        (root**2, "C1", "s", "read as a standard deviation"),
    ):
        means = layer_means(variance).mean(0)
        layers = range(len(means))
        theory = [(n * variance) ** layer for layer in layers]
        axes.plot(layers, theory, ls="--", lw=1, color=color)
        axes.plot(layers, means, marker, color=color, label=label)
    axes.set(
        yscale="log", xlabel="layer", ylabel="second moment", ylim=(0.1, None)
    )
    axes.legend(title="N(0, √(1/n)), n = 256", loc="upper left")
    return figure


if __name__ == "__main__":
    plot_readings()
    plt.show()
# --8<-- [end:plot_readings]
