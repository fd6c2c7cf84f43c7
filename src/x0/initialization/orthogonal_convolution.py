"""A periodic convolution is orthogonal if each frequency of its kernel is.

delta-orthogonal: an orthogonal matrix at the center of the kernel, zero else

Xiao, Bahri, Sohl-Dickstein, Schoenholz and Pennington (2018), "Dynamical
Isometry and a Mean Field Theory of CNNs".
"""

# --8<-- [start:imports]
import functools
import math
from collections.abc import Callable

import torch
from torch import Tensor

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:delta]
def delta_orthogonal_(
    tensor: Tensor,
    gain: float = 1,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Fill a kernel in place so that its convolution keeps every length.

    Args:
        tensor: kernel of shape (out, in, *kernel), 3 to 5 dimensions,
            out >= in.
        gain: factor of the whole kernel.
        generator: source of randomness.

    Raises:
        ValueError: wrong number of dimensions, more inputs than outputs, or
            numbers that are not real.

    >>> w = delta_orthogonal_(torch.empty(8, 4, 3, 3))
    >>> round(float(w.square().sum()), 4), int((w[..., 0, 0] != 0).sum())
    (4.0, 0)
    """
    shape = tuple(tensor.shape)
    if len(shape) not in (3, 4, 5):
        raise ValueError(f"Expected 3 to 5 dimensions. Received: {shape=}")
    if not tensor.is_floating_point():
        raise ValueError(f"Expected real numbers. Received: {tensor.dtype}")
    if shape[1] > shape[0]:
        raise ValueError(f"More inputs than outputs. Received: {shape=}")
    wider = torch.promote_types(tensor.dtype, torch.float32)
    matrix = torch.empty(shape[:2], dtype=wider, device=tensor.device)
    torch.nn.init.orthogonal_(matrix, gain, generator)
    with torch.no_grad():
        center = tensor.zero_()
        for size in shape[2:]:
            center = center.select(2, size // 2)
        center.copy_(matrix)
    return tensor


# --8<-- [end:delta]


# --8<-- [start:operator]
def operator_singular_values(kernel: Tensor, size: int) -> Tensor:
    """Return all singular values of a convolution of periodic images.

    The Fourier transform makes the convolution a matrix per frequency.

    Args:
        kernel: finite, not empty, float32 or float64, shape (out, in, k, k).
        size: height and width of the images, at least 1; of a larger kernel
            only the first size rows and columns enter.

    Returns:
        Shape (size * size * min(out, in),), in ascending order.

    >>> kernel = torch.nn.init.dirac_(torch.empty(3, 3, 3, 3))
    >>> operator_singular_values(kernel, 4).unique().tolist()
    [1.0]
    """
    matrices = torch.fft.fft2(kernel, s=(size, size)).permute(2, 3, 0, 1)
    found: Tensor = torch.linalg.svdvals(matrices).flatten().sort().values
    return found


# --8<-- [end:operator]


if __name__ == "__main__":
    # --8<-- [start:demo]
    generator = torch.Generator().manual_seed(SEED)
    fills: dict[str, Callable[..., Tensor]] = {
        "normal": functools.partial(Tensor.normal_, std=1 / math.sqrt(288)),
        "orthogonal_": torch.nn.init.orthogonal_,
        "delta_orthogonal_": delta_orthogonal_,
    }
    low, high = {}, {}
    print("kernel             smallest  largest  mean square")
    for name, fill in fills.items():
        kernel = torch.empty(32, 32, 3, 3, dtype=torch.float64)
        fill(kernel, generator=generator)
        s = operator_singular_values(kernel, 8)
        low[name], high[name] = s[0], s[-1]
        print(f"{name:<18}{s[0]:9.1f}{s[-1]:9.1f}{s.square().mean():13.1f}")
    # --8<-- [end:demo]
