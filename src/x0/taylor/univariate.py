"""A Taylor polynomial copies f and its first k derivatives at one point.

T_k(step) = sum of f^(n)(expansion_point) / n! * step^n over n = 0, ..., k

The derivatives come from nested automatic differentiation in float64. What
the polynomial leaves out is the remainder of Taylor's theorem (Rudin 1976).
"""

# --8<-- [start:imports]
import math
from collections.abc import Callable

import torch
from torch import Tensor

# --8<-- [end:imports]


# --8<-- [start:coefficients]
def taylor_coefficients(
    function: Callable[[Tensor], Tensor], expansion_point: float, order: int
) -> Tensor:
    """Return f^(n)(expansion_point) / n! for n = 0, ..., order.

    Args:
        function: Maps a float64 tensor of shape () to one of shape ().
        expansion_point: Where the derivatives are taken.
        order: Degree k of the polynomial.

    Returns:
        Coefficients of shape (order + 1,) in float64, lowest degree first.

    Raises:
        ValueError: If ``order`` is negative or above 170, whose factorial
            no float holds, if the output is not a float64
            scalar that depends on the input, or if a derivative is not
            finite. Each message ends in "Received: ...".

    >>> taylor_coefficients(torch.exp, 0.0, 3).tolist()
    [1.0, 1.0, 0.5, 0.16666666666666666]
    """
    if order < 0:
        raise ValueError(f"order must be >= 0. Received: order={order}")
    if order > 170:
        raise ValueError(f"order must be <= 170. Received: order={order}")
    x = torch.tensor(expansion_point, dtype=torch.float64, requires_grad=True)
    derivative = function(x.clone())  # it may work in place
    if not isinstance(derivative, Tensor):
        raise ValueError(f"Expected a tensor. Received: {derivative}")
    if derivative.shape != () or derivative.dtype != torch.float64:
        raise ValueError(
            "function must return a float64 scalar. Received: "
            f"shape={tuple(derivative.shape)}, dtype={derivative.dtype}"
        )
    first = None
    if derivative.requires_grad:
        (first,) = torch.autograd.grad(
            derivative, x, retain_graph=True, allow_unused=True
        )
    if first is None:
        raise ValueError(
            "the output must depend on the input through autograd. "
            f"Received: requires_grad={derivative.requires_grad}, {derivative}"
        )
    coefficients = []
    for n in range(order + 1):
        if not torch.isfinite(derivative):
            raise ValueError(
                f"derivative {n} at {expansion_point} must be finite. "
                f"Received: {derivative.item()}"
            )
        coefficients.append(derivative.item() / math.factorial(n))
        if n < order and derivative.requires_grad:
            (derivative,) = torch.autograd.grad(
                derivative, x, create_graph=True, materialize_grads=True
            )
        else:  # a constant derivative: all higher ones are zero
            derivative = torch.zeros_like(derivative)
    return torch.tensor(coefficients, dtype=torch.float64)


# --8<-- [end:coefficients]


# --8<-- [start:polynomial]
def taylor_polynomial(coefficients: Tensor, step: Tensor) -> Tensor:
    """Evaluate a polynomial by Horner's rule.

    Args:
        coefficients: Shape (order + 1,), lowest degree first.
        step: Distances x - expansion_point, of any shape.

    Returns:
        The values, of the shape of ``step``.

    Raises:
        ValueError: If ``coefficients`` is not a non-empty vector.
            "Received: ..." names its shape.

    >>> taylor_polynomial(torch.tensor([1.0, 2.0, 3.0]), torch.tensor(2.0))
    tensor(17.)
    """
    if coefficients.ndim != 1 or len(coefficients) == 0:
        raise ValueError(
            "coefficients must be a non-empty vector. "
            f"Received: shape={tuple(coefficients.shape)}"
        )
    value = torch.zeros_like(step)
    for coefficient in coefficients.flip(0):
        value = value * step + coefficient
    return value


def remainder_estimate(
    function: Callable[[Tensor], Tensor],
    expansion_point: float,
    order: int,
    step: float,
) -> float:
    """Estimate |R_k| by the first term left out: not a bound.

    If that term is not zero, the estimate divided by the error tends to 1
    as the step tends to 0. It may be smaller than the error.

    Args:
        function: As for ``taylor_coefficients``.
        expansion_point: As for ``taylor_coefficients``.
        order: Degree k of the polynomial, which uses k + 1 derivatives.
        step: Distance x - expansion_point.

    Raises:
        ValueError: As ``taylor_coefficients``, with "Received: ...".

    >>> round(remainder_estimate(torch.exp, 0.0, 2, 0.1), 9)
    0.000166667
    """
    if order < 0:
        raise ValueError(f"order must be >= 0. Received: order={order}")
    coefficients = taylor_coefficients(function, expansion_point, order + 1)
    power = coefficients.new_tensor(step) ** (order + 1)
    return abs((coefficients[-1] * power).item())


# --8<-- [end:polynomial]


if __name__ == "__main__":
    # --8<-- [start:demo]
    coefficients = taylor_coefficients(torch.tanh, 0.0, 5)
    print("tanh at 0:", [round(c, 4) + 0.0 for c in coefficients.tolist()])
    step = torch.tensor(0.5, dtype=torch.float64)
    error = (torch.tanh(step) - taylor_polynomial(coefficients, step)).abs()
    estimate = remainder_estimate(torch.tanh, 0.0, 6, 0.5)
    print(f"error of order 5 at step 0.5: {error:.3e}")
    print(f"first term left out:          {estimate:.3e} (an estimate)")
    try:
        taylor_coefficients(torch.log, 0.0, 2)
    except ValueError as message:
        print(message)
    # --8<-- [end:demo]
