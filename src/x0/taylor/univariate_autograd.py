"""Automatic differentiation repeats exactly, but at a growing price.

nodes(order) grows like c^order for a nested gradient of tanh, with c > 1

So it does for log1p, but not for exp. The growth is what Taylor-mode
differentiation avoids (Bettencourt, Johnson and Duvenaud 2019).
"""

# --8<-- [start:imports]
import math
from collections.abc import Callable

import torch
from torch import Tensor

Scalar = Callable[[Tensor], Tensor]
# --8<-- [end:imports]


# --8<-- [start:nested]
def nested_gradient(function: Scalar, order: int) -> Scalar:
    """Return the derivative of some order as a function, by torch.func.

    Args:
        function: Maps a tensor of shape () to one of shape ().
        order: How often to differentiate; 0 returns ``function``.

    Returns:
        A function of the same kind.

    Raises:
        ValueError: If ``order`` is negative, with "Received: ...".

    >>> third = nested_gradient(torch.sin, 3)
    >>> third(torch.tensor(0.0)).item()
    -1.0
    """
    if order < 0:
        raise ValueError(f"order must be >= 0. Received: order={order}")
    for _ in range(order):
        function = torch.func.grad(function)
    return function


def graph_sizes(function: Scalar, order: int) -> list[int]:
    """Count autograd nodes behind the derivatives 0, ..., order.

    Args:
        function: Of a number of shape (), differentiable, not in place.
        order: Highest derivative.

    Returns:
        order + 1 numbers of nodes.

    >>> graph_sizes(torch.exp, 3)
    [2, 3, 3, 3]
    """
    x = torch.tensor(0.1, dtype=torch.float64, requires_grad=True)
    derivative = function(x)
    sizes = []
    for n in range(order + 1):
        seen, waiting = set(), [derivative.grad_fn]
        while waiting:
            node = waiting.pop()
            if node is not None and node not in seen:
                seen.add(node)
                waiting += [parent for parent, _ in node.next_functions]
        sizes.append(len(seen))
        if n < order:
            (derivative,) = torch.autograd.grad(
                derivative, x, create_graph=True
            )
    return sizes


# --8<-- [end:nested]


# --8<-- [start:cubic]
def cubic_remainder(dtype: torch.dtype) -> float:
    """Compute exp(0.01) - T_3(0.01) in one precision.

    >>> round(cubic_remainder(torch.float64) * 1e10, 2)
    4.18
    """
    step = torch.tensor(0.01, dtype=dtype)
    terms = [step**n / math.factorial(n) for n in range(4)]
    return float(torch.exp(step) - sum(terms))


# --8<-- [end:cubic]


if __name__ == "__main__":
    # --8<-- [start:demo]
    x = torch.tensor(0.5, requires_grad=True)
    (first,) = torch.autograd.grad(torch.tanh(x), x)  # no create_graph
    try:
        torch.autograd.grad(first, x)
    except RuntimeError as message:
        print(str(message).replace(" and", "\nand"))
    kink = nested_gradient(torch.relu, 1)(torch.tensor(0.0))
    print("relu'(0) by autograd, where no derivative exists:", kink.item())
    noise = abs(cubic_remainder(torch.float32))
    exact = cubic_remainder(torch.float64)
    print(f"R_3 of exp, step 0.01, float64: {exact:.2e}")
    print(f"float32, relative error > 10:   {noise > 10 * exact}")
    tanh, log = graph_sizes(torch.tanh, 8), graph_sizes(torch.log1p, 8)
    print(f"nodes for tanh,  orders 2, 4, 6, 8: {tanh[2::2]}")
    print(f"nodes for log1p, orders 2, 4, 6, 8: {log[2::2]}")
    growth = log[8] / log[7]
    # --8<-- [end:demo]
