"""LeCun initialization gives every pre-activation the inputs' second moment.

Var(w) = 1 / fan_in

LeCun, Bottou, Orr and Müller (1998), "Efficient BackProp", section 4.6.
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


# --8<-- [start:init]
def fans(shape: Sequence[int]) -> tuple[int, int]:
    """Return (fan_in, fan_out) of a (out, in, *kernel) weight."""
    if len(shape) < 2:
        raise ValueError(
            "fan_in and fan_out need at least 2 dimensions. "
            f"Received: shape={tuple(shape)}"
        )
    receptive_field = math.prod(shape[2:])
    return shape[1] * receptive_field, shape[0] * receptive_field


def lecun_normal_(
    tensor: Tensor, gain: float = 1.0, generator: torch.Generator | None = None
) -> Tensor:
    """Fill tensor in place from N(0, gain^2 / fan_in) and return it.

    Args:
        tensor: weight of shape (out, in, *kernel).
        gain: factor of the standard deviation.
        generator: source of randomness.

    Raises:
        ValueError: tensor has fewer than 2 dimensions or is not real, or the
            gain is negative.

    >>> generator = torch.Generator().manual_seed(0)
    >>> weight = lecun_normal_(torch.empty(256, 400), generator=generator)
    >>> bool(abs(weight.std() * 20 - 1) < 0.01)
    True
    """
    if not tensor.is_floating_point() or not 0 <= gain < math.inf:
        raise ValueError(
            "Expected real numbers and a gain of 0 or more. "
            f"Received: {tensor.dtype}, {gain=}"
        )
    std = gain / math.sqrt(max(1, fans(tensor.shape)[0]))
    with torch.no_grad():
        return tensor.normal_(0, std, generator=generator)


def lecun_uniform_(
    tensor: Tensor, gain: float = 1.0, generator: torch.Generator | None = None
) -> Tensor:
    """Fill tensor in place from U(-r, r), r = gain * sqrt(3 / fan_in).

    Arguments and errors are those of lecun_normal_; r must fit the dtype.

    >>> weight = lecun_uniform_(torch.empty(64, 300))
    >>> float(weight.abs().max()) <= 0.1
    True
    """
    if not tensor.is_floating_point() or not 0 <= gain < math.inf:
        raise ValueError(
            "Expected real numbers and a gain of 0 or more. "
            f"Received: {tensor.dtype}, {gain=}"
        )
    bound = gain * math.sqrt(3 / max(1, fans(tensor.shape)[0]))
    if bound > torch.finfo(tensor.dtype).max:
        raise ValueError(f"{tensor.dtype} is too short. Received: {gain=}")
    with torch.no_grad():
        return tensor.uniform_(-bound, bound, generator=generator)


def scaled_tanh(z: Tensor) -> Tensor:
    """Return 1.7159 tanh(2 z / 3), the function that the rule was made for.

    >>> [round(float(scaled_tanh(torch.tensor(z))), 3) for z in (-1.0, 1.0)]
    [-1.0, 1.0]
    """
    return 1.7159 * torch.tanh(2 / 3 * z)


# --8<-- [end:init]


# --8<-- [start:numpy]
def lecun_normal(
    shape: Sequence[int], gain: float = 1.0, *, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return a weight of shape (out, in, *kernel) from a normal law.

    Raises:
        ValueError: shape has fewer than 2 dimensions, or a negative gain.

    >>> weight = lecun_normal((256, 400), rng=np.random.default_rng(0))
    >>> bool(abs(weight.var() * 400 - 1) < 0.02)
    True
    """
    if not 0 <= gain < math.inf:
        raise ValueError(f"The gain must be 0 or more. Received: {gain=}")
    std = gain / math.sqrt(max(1, fans(shape)[0]))
    return rng.normal(0, std, size=shape)


def lecun_uniform(
    shape: Sequence[int], gain: float = 1.0, *, rng: np.random.Generator
) -> NDArray[np.float64]:
    """Return a weight from U(-r, r), r = gain * sqrt(3 / fan_in).

    >>> weight = lecun_uniform((256, 400), rng=np.random.default_rng(0))
    >>> bool(abs(weight.var() * 400 - 1) < 0.02)
    True
    """
    if not 0 <= gain < math.inf:
        raise ValueError(f"The gain must be 0 or more. Received: {gain=}")
    bound = gain * math.sqrt(3 / max(1, fans(shape)[0]))
    return rng.uniform(-bound, bound, size=shape)


# --8<-- [end:numpy]


if __name__ == "__main__":
    # --8<-- [start:demo]
    generator = torch.Generator().manual_seed(SEED)
    rng = np.random.default_rng(SEED)
    shape = (256, 768)
    normal = lecun_normal_(torch.empty(shape), generator=generator)
    uniform = lecun_uniform_(torch.empty(shape), generator=generator)
    weights = {
        "normal": normal.double().numpy(),
        "uniform": uniform.double().numpy(),
        "NumPy normal": lecun_normal(shape, rng=rng),
        "NumPy uniform": lecun_uniform(shape, rng=rng),
    }
    std, bound = 1 / math.sqrt(768), math.sqrt(3 / 768)
    xavier_std = math.sqrt(2 / (768 + 256))
    print(f"Linear(768, 256): std {std:.4f}, bound {bound:.4f}")
    for name, weight in weights.items():
        print(f"fan_in * Var(w), {name:<14}{768 * weight.var():.2f}")

    z = torch.tensor([0.0, 1.0]).double().requires_grad_()
    h = scaled_tanh(z)
    (slope,) = torch.autograd.grad(h.sum(), z)
    print(f"scaled tanh: value at 1 {h[1]:.4f}, slope at 0 {slope[0]:.4f}")
    # --8<-- [end:demo]
