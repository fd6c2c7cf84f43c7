"""Awkward tensors, arrays, numbers and losses as they occur in practice, each with its trap."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from torch import Tensor


def draw(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def real(x: Tensor) -> Tensor:
    return x if x.is_floating_point() else x.float()


def filled(x: Tensor, value: float) -> Tensor:
    """Return x with one number replaced."""
    x = x.clone()
    if x.numel():
        x.view(-1)[x.numel() // 2] = value
    return x


def constant_column(x: Tensor) -> Tensor:
    """In float32 the deviation of 0.1 is not 0 but 1e-9."""
    x = x.clone()
    if x.dim():
        x[..., 0] = 0.1
    return x


# Other types of number, of all tensors of a call.
TYPES: dict[str, Callable[[Any], Any]] = {
    "float16": lambda x: x.half(),
    "bfloat16": lambda x: x.bfloat16(),
    "float64": lambda x: x.double(),
    "float32": lambda x: x.float(),
    "complex64": lambda x: torch.complex(x.float(), -x.float()),
    "integers": lambda x: (4 * x).long(),
    "booleans": lambda x: x > 0,
    "bytes 0…255": lambda x: (64 * x).abs().clamp(0, 255).byte(),
}

# Same shape and type as a tensor that fits, other numbers and layouts.
LIKE: dict[str, Callable[[Tensor], Tensor]] = {
    "as it is": lambda x: x.clone(),
    "one NaN": lambda x: filled(real(x), math.nan),
    "one infinity": lambda x: filled(real(x), math.inf),
    "zeros": torch.zeros_like,
    "a constant column": constant_column,
    "scale 1e-13": lambda x: 1e-13 * x,
    "not contiguous": lambda x: (
        x.t().contiguous().t()
        if x.dim() == 2
        else x.repeat_interleave(2, -1)[..., ::2]
        if x.dim()
        else x.clone()
    ),
    "a leaf that requires a gradient": lambda x: real(x).clone().requires_grad_(),
    "a view of a leaf": lambda x: real(x).clone().requires_grad_()[...],
}

LIKE_INTEGERS = {k: LIKE[k] for k in ("as it is", "not contiguous")}

# Other shapes.
SHAPES: dict[str, Callable[[], Tensor]] = {
    "no rows": lambda: torch.zeros(0, 4),
    "no columns": lambda: torch.zeros(4, 0),
    "0 dimensions": lambda: torch.tensor(0.5),
    "1 dimension": lambda: draw(6),
    "one number": lambda: draw(1),
    "(m, 1)": lambda: draw(6, 1),
    "a wide matrix": lambda: draw(3, 8),
    "a kernel of even size": lambda: draw(6, 4, 2, 2),
    "a tall kernel": lambda: draw(4, 6, 3, 1),
    "5 dimensions": lambda: draw(4, 3, 2, 1, 2),
}


def _filled(x: np.ndarray, value: float) -> np.ndarray:
    x = np.array(x, dtype=float)
    if x.size:
        x.flat[x.size // 2] = value
    return x


def _constant_column(x: np.ndarray) -> np.ndarray:
    x = np.array(x, dtype=np.float32)
    if x.ndim:
        x[..., 0] = 0.1
    return x


def _read_only(x: np.ndarray) -> np.ndarray:
    x = np.array(x)
    x.setflags(write=False)
    return x


def _tenths(x: np.ndarray) -> np.ndarray:
    x = np.array(x, dtype=float)
    if x.ndim:
        x[..., 0] = 0.1
    return x


LIKE_ARRAY: dict[str, Callable[[np.ndarray], Any]] = {
    "as it is": np.array,
    "float32": lambda x: np.array(x, dtype=np.float32),
    "float16": lambda x: np.array(x, dtype=np.float16),
    "integers": lambda x: np.array(4 * x.astype(float), dtype=np.int64),
    "booleans": lambda x: np.array(x) > 0,
    "datetime64": lambda x: np.datetime64("2024-01-01") + np.arange(x.size).reshape(x.shape),
    "one NaN": lambda x: _filled(x, np.nan),
    "one infinity": lambda x: _filled(x, np.inf),
    "zeros": lambda x: np.zeros(x.shape),
    "a constant column in float32": _constant_column,
    "a constant column whose mean is rounded": _tenths,
    "scale 1e-13": lambda x: 1e-13 * x.astype(float),
    "read-only": _read_only,
    "Fortran order": lambda x: np.asfortranarray(x),
    "reversed view": lambda x: np.array(x)[::-1] if x.ndim else np.array(x),
    "negative": lambda x: -np.abs(x.astype(float)) - 1,
    "strings": lambda x: np.array(x).astype(str),
}

ARRAY_SHAPES: dict[str, Callable[[], Any]] = {
    "no rows": lambda: np.zeros((0, 4)),
    "empty": lambda: np.zeros(0),
    "0 dimensions": lambda: np.array(0.5),
    "1 dimension": lambda: np.linspace(-1, 1, 6),
    "one number": lambda: np.ones(1),
    "(m, 1)": lambda: np.linspace(-1, 1, 6)[:, None],
    "3 dimensions": lambda: np.linspace(-1, 1, 24).reshape(2, 3, 4),
}

FLOATS: dict[str, Any] = {
    "nan": math.nan,
    "inf": math.inf,
    "-inf": -math.inf,
    "0": 0.0,
    "negative": -1.5,
    "1e300": 1e300,
    "1e-300": 1e-300,
    "an int": 1,
    "a bool": True,
    "np.float32": np.float32(0.5),
    "np.float64": np.float64(0.5),
    "a string": "0.5",
    "None": None,
}

INTS: dict[str, Any] = {
    "0": 0,
    "1": 1,
    "negative": -2,
    "np.int64": np.int64(2),
    "a bool": True,
    "a float": 2.5,
    "nan": math.nan,
    "a string": "2",
    "None": None,
}

STRINGS: dict[str, Any] = {"unknown": "nonsense", "empty": "", "a number": 3, "None": None}


# Losses of a vector, with what is known about them at a point of ones.
LOSSES: dict[str, Callable[[Tensor], Tensor]] = {
    "a bowl": lambda x: (x * x * torch.arange(1, x.numel() + 1).view(x.shape)).sum() / 2,
    "±1: a saddle": lambda x: (x[0] ** 2 - x[1] ** 2) / 2,
    "10 and −9.9": lambda x: (10 * x[0] ** 2 - 9.9 * x[1] ** 2) / 2,
    "downward": lambda x: -((x - 3) ** 2).sum(),
    "negative": lambda x: (x**2).sum() - 100,
    "linear": lambda x: x.sum(),
    "constant": lambda x: torch.tensor(1.0),
    "not smooth": lambda x: x.abs().sum(),
    "NaN": lambda x: (x.sum() - 1e9).sqrt(),
    "detached": lambda x: (x.detach() ** 2).sum(),
    "of another tensor": lambda x: (torch.ones(3, requires_grad=True) ** 2).sum(),
    "a vector": lambda x: x**2,
    "shape (1,)": lambda x: (x**2).sum().view(1),
    "in place": lambda x: (x.clone().mul_(2) ** 2).sum(),
    "float16": lambda x: (x.half() ** 2).sum(),
    "fused attention": lambda x: torch.nn.functional.scaled_dot_product_attention(
        *3 * [x.flatten().view(1, 1, 1, -1)]
    ).sum(),
}

# Activation functions, elementwise.
ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {
    "tanh": torch.tanh,
    "ReLU": torch.relu,
    "in place": torch.relu_,
    "constant": torch.zeros_like,
    "infinity: exp": torch.exp,
    "step: a slope of 0, infinity over it": torch.sign,
    "a module": torch.nn.Softplus(),
    "softmax": lambda x: torch.softmax(x.flatten(), 0).view(x.shape),
    "sinc": torch.sinc,
    "of another tensor": lambda x: x.new_ones(x.shape).requires_grad_() ** 2,
    "NaN: log of a negative": lambda x: torch.log(x - 100),
}


def _ordered(x: Tensor) -> Tensor:
    return torch.arange(1.0, x.numel() + 1, dtype=torch.float64)


# Products of a symmetric matrix with a vector.
PRODUCTS: dict[str, Callable[[Tensor], Tensor]] = {
    "a diagonal": lambda v: (_ordered(v) * v.double()).to(v.dtype),
    "±1": lambda v: v * (-1.0) ** torch.arange(v.numel()),
    "the identity": lambda v: v.clone(),
    "the identity, not copied": lambda v: v,
    "rank one": lambda v: v.sum().expand(v.shape),
    "in place": lambda v: v.mul_(2),
    "of size 1e-13": lambda v: 1e-13 * _ordered(v).to(v.dtype) * v,
    "of size 1e13": lambda v: 1e13 * _ordered(v).to(v.dtype) * v,
    "in float16": lambda v: (_ordered(v).half() * v.half()).float(),
    "in float64": lambda v: _ordered(v) * v,
    "zero": torch.zeros_like,
    "with its graph": lambda v: v * torch.ones(v.shape, requires_grad=True),
}
