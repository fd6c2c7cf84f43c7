"""Floating-point addition is not associative: another order, another sum.

|computed - exact| <= u * sum of |partial sums|, u = 2^-24 in float32

Threads, batch splits and channel orders all change the order.
"""

# --8<-- [start:imports]
import math

import numpy as np
import torch
from numpy.typing import NDArray

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:sum]
def chunked_sum(x: NDArray[np.float32], chunks: int) -> np.float32:
    """Add from left to right in each chunk, then the sums of the chunks.

    It stands for threads that share a sum, a chunk each.

    Raises:
        ValueError: the chunks are not of equal length, or x is no vector.

    >>> chunked_sum(np.array([1e8, 1.0, -1e8, 1.0], np.float32), 1)
    np.float32(1.0)
    >>> chunked_sum(np.array([1e8, 1.0, -1e8, 1.0], np.float32), 2)
    np.float32(0.0)
    """
    chunks = int(chunks)
    if chunks < 1 or x.ndim != 1 or not len(x) or len(x) % chunks:
        raise ValueError(f"Received: {x.size} numbers, {chunks=}, {x.shape}")
    sums = x.reshape(chunks, -1).cumsum(1, dtype=x.dtype)[:, -1]
    return np.float32(sums.cumsum(dtype=x.dtype)[-1])


def channel_difference(dtype: torch.dtype) -> float:
    """Return the relative change of a convolution with permuted channels."""
    generator = torch.Generator().manual_seed(SEED)
    x = torch.randn(4, 64, 8, 8, generator=generator, dtype=torch.float64)
    w = torch.randn(16, 64, 3, 3, generator=generator, dtype=torch.float64)
    order = torch.randperm(64, generator=generator)
    x, w = x.to(dtype), w.to(dtype)
    plain = torch.nn.functional.conv2d(x, w)
    other = torch.nn.functional.conv2d(x[:, order], w[:, order])
    return float((plain - other).norm() / plain.norm())


# --8<-- [end:sum]


if __name__ == "__main__":
    # --8<-- [start:demo]
    x = np.random.default_rng(SEED).random(2**18, dtype=np.float32)
    exact = math.fsum(x.tolist())
    error = {}
    for chunks in (1, 2, 4, 8, 512):
        error[chunks] = abs(float(chunked_sum(x, chunks)) - exact) / exact
        print(f"sum in {chunks:3d} chunks: relative error {error[chunks]:.0e}")
    ratio = error[1] / error[2]
    change = {}
    for bits, dtype in ((32, torch.float32), (64, torch.float64)):
        change[bits] = channel_difference(dtype)
        small = change[bits] < 10 * torch.finfo(dtype).eps
        side = "below" if small else "above"
        print(f"permuted channels, float{bits}: {side} 10 machine epsilons")
    # --8<-- [end:demo]
