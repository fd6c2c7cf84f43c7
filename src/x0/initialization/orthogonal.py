"""An orthogonal weight with fan_out >= fan_in keeps the length of each vector.

W W^T = gain^2 I if fan_out <= fan_in, else W^T W = gain^2 I

Saxe, McClelland and Ganguli (2014), "Exact solutions to the nonlinear
dynamics of learning in deep linear neural networks"; the sign fix: Mezzadri
(2007), "How to Generate Random Matrices from the Classical Compact Groups".
"""

# --8<-- [start:imports]
import math
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:torch]
def orthogonal_(
    tensor: Tensor,
    gain: float = 1,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Fill tensor in place with a uniformly random orthogonal matrix.

    Args:
        tensor: weight of shape (fan_out, ...); the trailing dimensions are
            flattened. Rows are orthonormal if there are fewer rows than
            columns, else columns are. Drawn in float32 at least.
        gain: factor of the whole matrix.
        generator: source of randomness.

    Raises:
        ValueError: the tensor has fewer than 2 dimensions, or is not real.

    >>> w = orthogonal_(torch.empty(3, 5))
    >>> bool(torch.allclose(w @ w.T, torch.eye(3), atol=1e-6))
    True
    """
    if tensor.ndim < 2 or not tensor.is_floating_point():
        raise ValueError(
            "An orthogonal matrix needs at least 2 dimensions, real numbers. "
            f"Received: shape={tuple(tensor.shape)}, {tensor.dtype}"
        )
    if tensor.numel() == 0 or tensor.is_meta:
        return tensor
    rows = tensor.shape[0]
    size = (rows, tensor.numel() // rows)
    wider = torch.promote_types(tensor.dtype, torch.float32)
    a = torch.empty(size, dtype=wider, device=tensor.device)
    with torch.no_grad():
        a.normal_(generator=generator)
        wide = a.shape[0] < a.shape[1]
        q, r = torch.linalg.qr(a.T if wide else a)
        q = q * r.diagonal().sign()  # without this, q is not uniform
        return tensor.copy_((q.T if wide else q).reshape(tensor.shape) * gain)


# --8<-- [end:torch]


# --8<-- [start:numpy]
def orthogonal(
    shape: Sequence[int], gain: float = 1, *, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return an orthogonal weight of shape (out, in, *kernel).

    Raises:
        ValueError: shape has fewer than 2 dimensions.

    >>> w = orthogonal((5, 3), rng=np.random.default_rng(0))
    >>> bool(np.allclose(w.T @ w, np.eye(3)))
    True
    """
    if len(shape) < 2:
        raise ValueError(
            "An orthogonal matrix needs at least 2 dimensions. "
            f"Received: shape={tuple(shape)}"
        )
    rows, columns = shape[0], math.prod(shape[1:])
    a = rng.normal(size=(max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(a)
    q = q * np.sign(np.diag(r))
    return gain * (q.T if rows < columns else q).reshape(shape)


# --8<-- [end:numpy]


# --8<-- [start:sign]
def first_entries(
    n: int, count: int, *, fix: bool, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return q_11 of count random n-by-n QR factors, times sqrt(n).

    Args:
        n: size of the matrices.
        count: how many.
        fix: whether columns take the sign of the diagonal of R.
        rng: source of randomness.

    >>> rng = np.random.default_rng(0)
    >>> bool(first_entries(8, 100, fix=False, rng=rng).max() < 0)
    True
    """
    q, r = np.linalg.qr(rng.normal(size=(count, n, n)))
    corner: NDArray[np.float64] = q[:, 0, 0] * math.sqrt(n)
    return corner * np.sign(r[:, 0, 0]) if fix else corner


# --8<-- [end:sign]


if __name__ == "__main__":
    # --8<-- [start:demo]
    rng = np.random.default_rng(SEED)
    generator = torch.Generator().manual_seed(SEED)
    print("shape        |W W^T - I|  |W^T W - I|  n * Var(w)")
    for rows, columns in ((256, 256), (64, 256), (256, 64)):
        w = torch.empty(rows, columns, dtype=torch.float64)
        orthogonal_(w, generator=generator)
        left, right = (
            (m - torch.eye(len(m)).double()).abs().max()
            for m in (w @ w.T, w.T @ w)
        )
        n_v = columns * w.square().mean()
        shape = f"{rows}, {columns}"
        print(f"{shape:<11}{left:11.1f}  {right:11.1f}{n_v:12.2f}")
    w = torch.from_numpy(orthogonal((64, 32, 3, 3), 2, rng=rng)).flatten(1)
    four = torch.allclose(w @ w.T, 4 * torch.eye(64).double())
    print("NumPy, a 3 × 3 kernel with gain 2: W W^T = 4 I", four)
    corners = {}
    for name, fix in (("fixed", True), ("raw", False)):
        corner = first_entries(16, 2000, fix=fix, rng=rng)
        corners[name] = corner.mean(), corner.std() / math.sqrt(len(corner))
        print(f"mean of sqrt(n) * q_11, {name:<5}{corner.mean():10.1f}")
    # --8<-- [end:demo]
