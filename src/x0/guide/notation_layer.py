"""A layer is z = Wh + b with W of shape (fan_out, fan_in): samples are columns.

    z = Wh + b

PyTorch stores samples as rows and computes hWᵀ + b: the same weight, the same
numbers, transposed.
"""

# --8<-- [start:imports]
import math
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

# --8<-- [end:imports]


# --8<-- [start:conventions]
def columns(weight: Tensor, bias: Tensor, h: Tensor) -> Tensor:
    """Return z = Wh + b; samples are the columns of h, (fan_in, batch).

    >>> columns(torch.ones(2, 3), torch.zeros(2), torch.ones(3, 5)).shape
    torch.Size([2, 5])
    """
    return weight @ h + bias[:, None]


def rows(weight: Tensor, bias: Tensor, h: Tensor) -> Tensor:
    """Return z = hWᵀ + b; samples are the rows of h, (batch, fan_in).

    >>> rows(torch.ones(2, 3), torch.zeros(2), torch.ones(5, 3)).shape
    torch.Size([5, 2])
    """
    return h @ weight.T + bias


# --8<-- [end:conventions]


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


# --8<-- [start:derivative]
def derivative_at(
    activation: Callable[[Tensor], Tensor], point: float
) -> float:
    """Return φ′(point): differentiate first, insert the point afterwards.

    >>> derivative_at(torch.tanh, 0.0)
    1.0
    """
    z = torch.tensor(point, dtype=torch.float64, requires_grad=True)
    h = activation(z.clone())  # it may work in place
    if not h.requires_grad:
        return 0.0  # a constant
    (derivative,) = torch.autograd.grad(h, z, materialize_grads=True)
    return derivative.item()


# --8<-- [end:derivative]


if __name__ == "__main__":
    # --8<-- [start:demo]
    linear, h = torch.nn.Linear(3, 2), torch.ones(5, 3)
    weight, bias = linear.weight.detach(), linear.bias.detach()
    by_row, by_column = rows(weight, bias, h), columns(weight, bias, h.T)
    print("rows", tuple(by_row.shape), "columns", tuple(by_column.shape))
    print("same numbers:", torch.allclose(by_row, by_column.T))

    weights = {
        "Linear(768, 256)": torch.nn.Linear(768, 256).weight,
        "Conv2d(3, 32, 5)": torch.nn.Conv2d(3, 32, 5).weight,
        "ConvTranspose2d(3, 32, 5)": torch.nn.ConvTranspose2d(3, 32, 5).weight,
    }
    for name, weight in weights.items():
        print(f"{name:<27}fans {fans(weight.shape)}")
    slope = derivative_at(torch.tanh, 1.0)
    print(f"slope of tanh at 1: {slope:.3f}")
    # --8<-- [end:demo]
