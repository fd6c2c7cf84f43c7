"""He initialization keeps the second moment of a ReLU network constant.

Var(w) = 2 / ((1 + negative_slope^2) * fan), fan = fan_in or fan_out

He, Zhang, Ren and Sun (2015), "Delving Deep into Rectifiers", eq. (10), (14).
"""

# --8<-- [start:imports]
import math
import warnings
from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

SEED = 0
GAINS = {"relu": math.sqrt(2), "linear": 1.0, "sigmoid": 1.0}
GAINS |= {"tanh": 5 / 3, "selu": 3 / 4}  # PyTorch's constants
GAINS |= {f"conv{d}d": 1.0 for d in (1, 2, 3)}
GAINS |= {f"conv_transpose{d}d": 1.0 for d in (1, 2, 3)}
# --8<-- [end:imports]


# --8<-- [start:gain]
def gain(nonlinearity: str, negative_slope: float = 0.01) -> float:
    """Return g in std = g / sqrt(fan), as torch.nn.init.calculate_gain does.

    Args:
        nonlinearity: "relu", "leaky_relu" or a key of GAINS.
        negative_slope: slope of leaky ReLU for z < 0; others ignore it.

    Raises:
        ValueError: unknown nonlinearity, or a slope that is not a number.

    >>> round(gain("relu"), 4), round(gain("leaky_relu", 0.2), 4)
    (1.4142, 1.3868)
    """
    if nonlinearity == "leaky_relu":
        number = isinstance(negative_slope, (int, float))
        if isinstance(negative_slope, bool) or not (
            number and math.isfinite(negative_slope)
        ):
            raise ValueError(f"Expected a number. Received: {negative_slope=}")
        return math.sqrt(2 / (1 + negative_slope * negative_slope))
    if nonlinearity not in GAINS:
        raise ValueError(f"No gain is known. Received: {nonlinearity=}")
    return GAINS[nonlinearity]


# --8<-- [end:gain]


# --8<-- [start:std]
def fans(shape: Sequence[int]) -> tuple[int, int]:
    """Return (fan_in, fan_out) of a (out, in, *kernel) weight."""
    if len(shape) < 2:
        raise ValueError(
            "fan_in and fan_out need at least 2 dimensions. "
            f"Received: shape={tuple(shape)}"
        )
    receptive_field = math.prod(shape[2:])
    return shape[1] * receptive_field, shape[0] * receptive_field


def he_std(
    shape: Sequence[int],
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
) -> float:
    """Return the standard deviation gain / sqrt(fan) of a weight.

    Raises:
        ValueError: mode is neither fan_in nor fan_out, or that fan is 0; also
            see gain, fans.

    >>> round(he_std((64, 256), nonlinearity="relu"), 6)
    0.088388
    """
    if mode.lower() not in ("fan_in", "fan_out"):
        raise ValueError(f"mode must be fan_in or fan_out. Received: {mode=}")
    fan_in, fan_out = fans(shape)
    fan = fan_in if mode.lower() == "fan_in" else fan_out
    if fan < 1:
        raise ValueError(f"A weight without elements. Received: {shape=}")
    return gain(nonlinearity, a) / math.sqrt(fan)


# --8<-- [end:std]


# --8<-- [start:torch]
def he_normal_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: torch.Generator | None = None,
) -> Tensor:
    """Fill tensor in place from N(0, std^2) and return it.

    Args:
        tensor: weight of shape (out, in, *kernel).
        a: negative slope of the leaky ReLU that follows.
        mode: "fan_in" keeps the forward pass, "fan_out" the backward pass.
        nonlinearity: name of the function that follows, see gain.
        generator: source of randomness.

    Raises:
        ValueError: as he_std does, and if tensor is not real.

    Warns:
        UserWarning: tensor has no elements, as torch.nn.init does.

    >>> weight = he_normal_(torch.empty(64, 32, 3, 3))
    >>> bool(abs(weight.std() - (2 / 288) ** 0.5) < 0.002)
    True
    """
    if not tensor.is_floating_point():  # complex: is |w|^2 meant, or w^2?
        raise ValueError(f"Expected real numbers. Received: {tensor.dtype}")
    if 0 in tensor.shape:
        warnings.warn("A tensor without elements stays as it is", stacklevel=2)
        return tensor
    std = he_std(tensor.shape, a, mode, nonlinearity)
    with torch.no_grad():
        return tensor.normal_(0, std, generator=generator)


def he_uniform_(
    tensor: Tensor,
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    generator: torch.Generator | None = None,
) -> Tensor:
    """Fill tensor in place from U(-bound, bound), bound = sqrt(3) * std.

    Arguments, warnings and errors are those of he_normal_.

    >>> float(he_uniform_(torch.empty(64, 75)).abs().max()) <= 0.2829
    True
    """
    if not tensor.is_floating_point():
        raise ValueError(f"Expected real numbers. Received: {tensor.dtype}")
    if 0 in tensor.shape:
        warnings.warn("A tensor without elements stays as it is", stacklevel=2)
        return tensor
    bound = math.sqrt(3) * he_std(tensor.shape, a, mode, nonlinearity)
    with torch.no_grad():
        return tensor.uniform_(-bound, bound, generator=generator)


# --8<-- [end:torch]


# --8<-- [start:numpy]
def he_normal(
    shape: Sequence[int],
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    *,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return a weight of shape (out, in, *kernel) from N(0, std^2).

    Raises:
        ValueError: as he_std does.

    >>> rng = np.random.default_rng(0)
    >>> bool(abs(he_normal((256, 256), rng=rng).var() * 256 - 2) < 0.05)
    True
    """
    if 0 in shape:
        return np.zeros(shape)
    return rng.normal(0, he_std(shape, a, mode, nonlinearity), size=shape)


def he_uniform(
    shape: Sequence[int],
    a: float = 0,
    mode: str = "fan_in",
    nonlinearity: str = "leaky_relu",
    *,
    rng: np.random.Generator,
) -> NDArray[np.float64]:
    """Return a weight from U(-bound, bound); else as he_normal.

    >>> rng = np.random.default_rng(0)
    >>> bool(abs(he_uniform((256, 256), rng=rng).var() * 256 - 2) < 0.05)
    True
    """
    if 0 in shape:
        return np.zeros(shape)
    bound = math.sqrt(3) * he_std(shape, a, mode, nonlinearity)
    return rng.uniform(-bound, bound, size=shape)


# --8<-- [end:numpy]


if __name__ == "__main__":
    # --8<-- [start:demo]
    rng = np.random.default_rng(SEED)
    generator = torch.Generator().manual_seed(SEED)
    linear, kernel = torch.empty(256, 256), torch.empty(32, 3, 5, 5)
    he_normal_(linear, nonlinearity="relu", generator=generator)
    he_uniform_(kernel, nonlinearity="relu", generator=generator)
    std = he_std(linear.shape)
    bound = math.sqrt(3) * he_std(kernel.shape)
    default = math.sqrt(3) * he_std(kernel.shape, a=math.sqrt(5))  # of Conv2d
    n_v = {
        "normal": 256 * linear.var(),
        "uniform": 75 * kernel.var(),
        "NumPy normal": 256 * he_normal((256, 256), rng=rng).var(),
        "NumPy uniform": 256 * he_uniform((256, 256), rng=rng).var(),
    }
    print(f"std of Linear(256, 256)      {std:.5f}")
    print(f"bound of Conv2d(3, 32, 5)    {bound:.5f}")
    for name, value in n_v.items():
        print(f"fan_in * Var(w), {name:<15}{value:.1f}")
    # --8<-- [end:demo]
