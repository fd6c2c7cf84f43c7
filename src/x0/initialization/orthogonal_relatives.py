"""Identity, Dirac and sparse weights, as torch.nn.init fills them.

W x = x (eye_), convolution with W leaves x (dirac_), few non-zeros (sparse_)

Sparse weights: Martens (2010), "Deep learning via Hessian-free optimization".
"""

# --8<-- [start:imports]
import math

import torch
from torch import Tensor

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:identity]
def eye_(tensor: Tensor) -> Tensor:
    """Fill a matrix in place with the identity, as far as it goes.

    Raises:
        ValueError: the tensor does not have 2 dimensions.

    >>> eye_(torch.empty(2, 3)).tolist()
    [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    """
    if tensor.ndim != 2:
        shape = tuple(tensor.shape)
        raise ValueError(f"eye_ needs 2 dimensions. Received: {shape=}")
    with torch.no_grad():
        tensor.zero_()
        tensor.diagonal().fill_(1)
    return tensor


def dirac_(tensor: Tensor, groups: int = 1) -> Tensor:
    """Fill a kernel in place so that each group passes its channels on.

    Args:
        tensor: kernel of shape (out, in / groups, *kernel), 3 to 5 dimensions.
        groups: number of groups of the convolution.

    Raises:
        ValueError: wrong number of dimensions, or out is no multiple of groups.

    >>> dirac_(torch.empty(2, 1, 3), groups=2).tolist()
    [[[0.0, 1.0, 0.0]], [[0.0, 1.0, 0.0]]]
    """
    shape = tuple(tensor.shape)
    if len(shape) not in (3, 4, 5):
        raise ValueError(f"dirac_ needs 3 to 5 dimensions. Received: {shape=}")
    if groups < 1 or shape[0] % groups:
        raise ValueError(
            "The output channels must be divisible by groups. "
            f"Received: {shape=}, {groups=}"
        )
    with torch.no_grad():
        tensor.zero_()
        center = tensor
        for size in shape[2:]:
            center = center.select(2, size // 2)
        for part in center.chunk(int(groups)):
            part.diagonal().fill_(1)
    return tensor


# --8<-- [end:identity]


# --8<-- [start:sparse]
def sparse_(
    tensor: Tensor,
    sparsity: float,
    std: float = 0.01,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Fill a matrix in place from N(0, std^2), then zero part of each column.

    Args:
        tensor: weight of shape (fan_out, fan_in).
        sparsity: part of each column that is set to zero, rounded up.
        std: standard deviation of the others.
        generator: source of randomness, of the zeros too.

    Raises:
        ValueError: the tensor does not have 2 dimensions or is not real,
            sparsity is not in [0, 1], or std is negative.

    >>> w = sparse_(torch.empty(10, 4), 0.75)
    >>> (w == 0).sum(0).tolist()
    [8, 8, 8, 8]
    """
    if tensor.ndim != 2:
        shape = tuple(tensor.shape)
        raise ValueError(f"sparse_ needs 2 dimensions. Received: {shape=}")
    real = tensor.is_floating_point()
    if not (real and 0 <= sparsity <= 1 and 0 <= std < math.inf):
        raise ValueError(
            "Expected real numbers, sparsity from 0 to 1, std from 0 on. "
            f"Received: {tensor.dtype}, {sparsity=}, {std=}"
        )
    rows, columns = tensor.shape
    zeros = math.ceil(sparsity * rows)
    with torch.no_grad():
        tensor.normal_(0, std, generator=generator)
        for column in range(columns):
            order = torch.randperm(
                rows, generator=generator, device=tensor.device
            )
            tensor[order[:zeros], column] = 0
    return tensor


# --8<-- [end:sparse]


if __name__ == "__main__":
    # --8<-- [start:demo]
    generator = torch.Generator().manual_seed(SEED)
    x = torch.randn(1, 6, 8, 8, generator=generator)
    kernel = dirac_(torch.empty(6, 3, 3, 3), groups=2)
    y = torch.nn.functional.conv2d(x, kernel, padding=1, groups=2)
    print("convolution with dirac_ leaves x:", torch.equal(x, y))
    print("eye_ leaves x:", torch.equal(x @ eye_(torch.empty(8, 8)), x))
    w = sparse_(torch.empty(200, 50), 0.9, generator=generator)
    print("non-zeros per column:", set((w != 0).sum(0).tolist()))
    with torch.random.fork_rng():
        draws = []
        for _ in range(2):
            generator.manual_seed(SEED)
            w = torch.empty(9, 9)
            draws.append(torch.nn.init.sparse_(w, 0.5, generator=generator))
    same = torch.equal(*draws)
    print("torch's sparse_ repeats with a seeded generator:", same)
    # --8<-- [end:demo]
