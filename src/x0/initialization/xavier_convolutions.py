"""PyTorch reads fans off the raw shape; stride, groups, transposition differ.

A convolution has fan_in = C_in K / groups, fan_out = C_out K / (groups S).

K counts the kernel's positions, S is the product of the strides.
"""

# --8<-- [start:imports]
import math

import torch
from torch import Tensor, nn

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:connections]
def connections(
    layer: nn.Conv2d | nn.ConvTranspose2d,
) -> tuple[float, float]:
    """Return the mean number of terms per output and per input value.

    Counted away from the border, with dilation 1 or more.

    Args:
        layer: A convolution or a transposed one.

    Raises:
        TypeError: If layer is neither. Received: its type.

    >>> connections(nn.Conv2d(64, 64, 3, groups=64))
    (9.0, 9.0)
    >>> connections(nn.ConvTranspose2d(64, 16, 4, stride=2))
    (256.0, 256.0)
    """
    if not isinstance(layer, (nn.Conv2d, nn.ConvTranspose2d)):
        raise TypeError(
            "layer must be Conv2d or ConvTranspose2d. "
            f"Received: {type(layer).__name__}"
        )
    kernel, stride = math.prod(layer.kernel_size), math.prod(layer.stride)
    fan_in = layer.in_channels / layer.groups * kernel
    fan_out = layer.out_channels / layer.groups * kernel
    if isinstance(layer, nn.ConvTranspose2d):
        return fan_in / stride, fan_out
    return fan_in, fan_out / stride


def connected_xavier_(
    layer: nn.Conv2d | nn.ConvTranspose2d, generator: torch.Generator
) -> None:
    """Fill the weight with a variance of 2 over the sum of its connections.

    >>> layer = nn.Conv2d(64, 64, 3, groups=64)
    >>> connected_xavier_(layer, torch.Generator().manual_seed(0))
    >>> round(float(layer.weight.detach().var()) * 9, 1)
    1.0
    """
    std = math.sqrt(2 / sum(connections(layer)))
    nn.init.normal_(layer.weight, 0.0, std, generator=generator)


def convolution_gains(
    layer: nn.Conv2d | nn.ConvTranspose2d, draws: int, repair: bool = False
) -> Tensor:
    """Return the factors of second moments, forward and backward.

    Args:
        layer: A layer without bias; its weight is overwritten.
        draws: Number of weight draws, each with its own input.
        repair: Draw by connected_xavier_, not by torch's xavier_normal_.

    Returns:
        Tensor of shape (draws, 2), measured away from the border.

    >>> gains = convolution_gains(nn.Conv2d(16, 16, 3, bias=False), 20)
    >>> round(float(gains.mean()))
    1
    """
    generator = torch.Generator().manual_seed(SEED)
    rows = []
    for _ in range(draws):
        if repair:
            connected_xavier_(layer, generator)
        else:
            nn.init.xavier_normal_(layer.weight, generator=generator)
        x = torch.randn(
            1, layer.in_channels, 24, 24, generator=generator
        ).requires_grad_()
        z = layer(x)
        delta = torch.randn(z.shape, generator=generator)
        (back,) = torch.autograd.grad(z, x, delta)
        squares = [t.detach()[..., 4:-4, 4:-4].square() for t in (z, back)]
        rows.append(torch.stack([square.mean() for square in squares]))
    return torch.stack(rows)


# --8<-- [end:connections]


if __name__ == "__main__":
    # --8<-- [start:demo]
    layers: dict[str, nn.Conv2d | nn.ConvTranspose2d] = {
        "convolution": nn.Conv2d(64, 16, 3, bias=False),
        "transposed": nn.ConvTranspose2d(64, 16, 3, bias=False),
        "stride_2": nn.ConvTranspose2d(64, 16, 4, stride=2, bias=False),
        "depthwise": nn.Conv2d(64, 64, 3, groups=64, bias=False),
    }
    read, right, predicted, measured = {}, {}, {}, {}
    for name, layer in layers.items():
        shape, (fan_in, fan_out) = layer.weight.shape, connections(layer)
        kernel = math.prod(shape[2:])
        read[name] = [shape[1] * kernel, shape[0] * kernel]  # by torch
        right[name] = [fan_in, fan_out]
        variance = 2 / sum(read[name])
        predicted[name] = (fan_in * variance, fan_out * variance)
        gains = convolution_gains(layer, 40)
        mean, error = gains.mean(0), gains.std(0) / math.sqrt(len(gains))
        measured[name] = (mean, error)
    again = convolution_gains(layers["depthwise"], 40, repair=True)[:, 0]
    repaired = again.mean(), again.std() / math.sqrt(len(again))
    # --8<-- [end:demo]
