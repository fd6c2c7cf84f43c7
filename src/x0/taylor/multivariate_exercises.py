"""Random signs give the trace of a Hessian matrix without the matrix.

E[v . (H v)] = trace(H), for independent v_i = +1 or -1

The variance is twice the sum of the squared entries off the diagonal
(Hutchinson 1990).
"""

# --8<-- [start:imports]
import math
from collections.abc import Callable

import torch
from torch import Tensor

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:trace]
def quadratic_forms(
    function: Callable[[Tensor], Tensor], point: Tensor, vectors: Tensor
) -> Tensor:
    """Return v . (H v) for each row v of the vectors.

    Args:
        function: Maps a vector to a scalar, twice differentiable.
        point: Where, real, shape (n,).
        vectors: Not empty, shape (m, n).

    >>> square = torch.tensor([[3.0, 4.0]])
    >>> quadratic_forms(lambda x: x @ x, torch.ones(2), square)
    tensor([50.])
    """
    x = point.detach().clone().requires_grad_()
    (gradient,) = torch.autograd.grad(function(x), x, create_graph=True)
    gradient = gradient + 0 * x  # the function may be linear
    products = [
        torch.autograd.grad(gradient @ v, x, retain_graph=True)[0]
        for v in vectors
    ]
    return (vectors * torch.stack(products)).sum(1)


def trace_estimate(
    function: Callable[[Tensor], Tensor],
    point: Tensor,
    probes: int,
    generator: torch.Generator,
) -> tuple[float, float]:
    """Estimate the trace of the Hessian matrix by products with signs.

    Args:
        function: Maps a vector to a scalar.
        point: Where, shape (n,).
        probes: Number of random vectors, at least 2.
        generator: Source of the signs.

    Returns:
        The mean and its standard error.

    Raises:
        ValueError: If ``probes`` < 2, the point is no vector of real
            numbers, the function returns no scalar that depends on it, or
            torch has no second derivative, with "Received: ...".
    """
    vector = point.ndim == 1 and len(point) > 0 and point.is_floating_point()
    if probes < 2 or not vector:
        raise ValueError(
            "probes must be >= 2, point a real vector. Received: "
            f"probes={probes}, {point.dtype}, shape={tuple(point.shape)}"
        )
    value = function(point.detach().clone().requires_grad_())
    scalar = isinstance(value, Tensor) and value.numel() == 1
    if not scalar or not value.requires_grad:
        raise ValueError(f"function must return a scalar. Received: {value}")
    coins = torch.randint(2, (probes, len(point)), generator=generator)
    signs = (2 * coins - 1).to(point.dtype)
    try:
        samples = quadratic_forms(function, point, signs)
    except RuntimeError as reason:
        raise ValueError(
            f"no second derivative. Received: {reason}"
        ) from reason
    error = samples.std().item() / math.sqrt(probes)
    return samples.mean().item(), error


# --8<-- [end:trace]


if __name__ == "__main__":
    # --8<-- [start:demo]
    generator = torch.Generator().manual_seed(SEED)
    inputs = torch.randn(400, 100, generator=generator, dtype=torch.float64)
    point = torch.randn(100, generator=generator, dtype=torch.float64) / 10

    def loss(w: Tensor) -> Tensor:
        """Return the mean of ln cosh(inputs w)."""
        return torch.log(torch.cosh(inputs @ w)).mean()

    units = torch.eye(100, dtype=torch.float64)
    exact = quadratic_forms(loss, point, units).sum()
    estimate = trace_estimate(loss, point, 200, generator)
    mean, error = estimate
    print(f"trace {exact:.2f}, 200 probes {mean:.2f}, error {error:.2f}")
    # --8<-- [end:demo]
