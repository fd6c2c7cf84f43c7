"""Xavier initialization makes the mean of the two gains of a layer exactly 1.

Var(w) = 2 / (fan_in + fan_out)

Glorot and Bengio (2010), equations (12) and (16).
"""

# --8<-- [start:imports]
import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:fans]
def fans(shape: Sequence[int]) -> tuple[int, int]:
    """Return (fan_in, fan_out) of a (out, in, *kernel) weight."""
    if len(shape) < 2:
        raise ValueError(
            "fan_in and fan_out need at least 2 dimensions. "
            f"Received: shape={tuple(shape)}"
        )
    receptive_field = math.prod(shape[2:])
    return shape[1] * receptive_field, shape[0] * receptive_field


# --8<-- [end:fans]


# --8<-- [start:init]
def xavier_uniform_(
    tensor: Tensor,
    gain: float = 1.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Fill tensor in place from U(-a, a), a = gain sqrt(6 / (in + out)).

    Args:
        tensor: Weight of shape (out, in, *kernel).
        gain: Factor on the standard deviation.
        generator: Source of randomness; None is PyTorch's default generator.

    Returns:
        The same tensor.

    Raises:
        ValueError: If tensor has fewer than two dimensions or is not real,
            or the gain is negative.

    >>> rng = torch.Generator().manual_seed(0)
    >>> weight = xavier_uniform_(torch.empty(256, 768), generator=rng)
    >>> round(float(weight.abs().max()), 4)
    0.0765
    """
    if not tensor.is_floating_point() or not 0 <= gain < math.inf:
        raise ValueError(
            "Expected real numbers and a gain of 0 or more. "
            f"Received: {tensor.dtype}, {gain=}"
        )
    fan_in, fan_out = fans(tensor.shape)
    std = gain * math.sqrt(2.0 / float(fan_in + fan_out))
    bound = math.sqrt(3.0) * std
    if bound > torch.finfo(tensor.dtype).max:
        raise ValueError(f"{tensor.dtype} is too short. Received: {gain=}")
    with torch.no_grad():
        return tensor.uniform_(-bound, bound, generator=generator)


def xavier_normal_(
    tensor: Tensor,
    gain: float = 1.0,
    generator: torch.Generator | None = None,
) -> Tensor:
    """Fill tensor in place from N(0, std²), std = gain sqrt(2 / (in + out)).

    Args:
        tensor: Weight of shape (out, in, *kernel).
        gain: Factor on the standard deviation.
        generator: Source of randomness; None is PyTorch's default generator.

    Returns:
        The same tensor.

    Raises:
        ValueError: If tensor has fewer than two dimensions or is not real,
            or the gain is negative.

    >>> rng = torch.Generator().manual_seed(0)
    >>> weight = xavier_normal_(torch.empty(256, 768), generator=rng)
    >>> round(float(weight.std()), 3)
    0.044
    """
    if not tensor.is_floating_point() or not 0 <= gain < math.inf:
        raise ValueError(
            "Expected real numbers and a gain of 0 or more. "
            f"Received: {tensor.dtype}, {gain=}"
        )
    fan_in, fan_out = fans(tensor.shape)
    std = gain * math.sqrt(2.0 / float(fan_in + fan_out))
    with torch.no_grad():
        return tensor.normal_(0.0, std, generator=generator)


# --8<-- [end:init]


# --8<-- [start:numpy]
def xavier_uniform(
    shape: Sequence[int], rng: np.random.Generator, gain: float = 1.0
) -> np.ndarray:
    """Return a float64 weight of the given shape drawn from U(-a, a).

    Args:
        shape: (out, in, *kernel).
        rng: Source of randomness.
        gain: Factor on the standard deviation.

    Raises:
        ValueError: If shape has fewer than two dimensions, or the gain is
            negative.

    >>> weight = xavier_uniform((256, 768), np.random.default_rng(0))
    >>> round(float(np.abs(weight).max()), 4)
    0.0765
    """
    if not 0 <= gain < math.inf:
        raise ValueError(f"The gain must be 0 or more. Received: {gain=}")
    bound = gain * math.sqrt(6.0 / sum(fans(shape)))
    return rng.uniform(-bound, bound, tuple(shape))


def xavier_normal(
    shape: Sequence[int], rng: np.random.Generator, gain: float = 1.0
) -> np.ndarray:
    """Return a float64 weight of the given shape drawn from N(0, std²).

    Args:
        shape: (out, in, *kernel).
        rng: Source of randomness.
        gain: Factor on the standard deviation.

    Raises:
        ValueError: If shape has fewer than two dimensions, or the gain is
            negative.

    >>> weight = xavier_normal((256, 768), np.random.default_rng(0))
    >>> round(float(weight.std()), 3)
    0.044
    """
    if not 0 <= gain < math.inf:
        raise ValueError(f"The gain must be 0 or more. Received: {gain=}")
    std = gain * math.sqrt(2.0 / sum(fans(shape)))
    return rng.normal(0.0, std, tuple(shape))


# --8<-- [end:numpy]


if __name__ == "__main__":
    # --8<-- [start:demo]
    generator = torch.Generator().manual_seed(SEED)
    rng = np.random.default_rng(SEED)
    shape = (256, 768)  # the weight of torch.nn.Linear(768, 256)
    fan_in, fan_out = fans(shape)
    std = math.sqrt(2 / (fan_in + fan_out))
    bound = math.sqrt(6 / (fan_in + fan_out))
    fan_in_std = math.sqrt(1 / fan_in)
    weights = {
        "xavier_uniform_": xavier_uniform_(
            torch.empty(shape), generator=generator
        ).numpy(),
        "xavier_normal_": xavier_normal_(
            torch.empty(shape), generator=generator
        ).numpy(),
        "xavier_uniform": xavier_uniform(shape, rng),
        "xavier_normal": xavier_normal(shape, rng),
    }
    measured = {name: weight.std() for name, weight in weights.items()}
    print(f"fan_in {fan_in}, fan_out {fan_out}")
    print(f"formula          std {std:.4f}, bound {bound:.4f}")
    for name, weight in weights.items():
        largest = np.abs(weight).max()
        print(f"{name:15s}  std {measured[name]:.4f}, max |w| {largest:.4f}")
    # --8<-- [end:demo]
