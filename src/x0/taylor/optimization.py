"""A gradient step minimizes the linear Taylor model plus a price of length.

-rate * g = argmin of f + g . step + |step|^2 / (2 rate)
-H^-1 g = argmin of f + g . step + step . (H step) / 2

The largest eigenvalue of H limits the rate: rate < 2 / lambda_max.
"""

# --8<-- [start:imports]
from collections.abc import Callable

import torch
from torch import Tensor

Scalar = Callable[[Tensor], Tensor]
SEED = 0
# --8<-- [end:imports]


# --8<-- [start:curvature]
def largest_curvature(
    function: Scalar,
    point: Tensor,
    iterations: int = 50,
    generator: torch.Generator | None = None,
) -> float:
    """Find the Hessian eigenvalue of largest size, by power iteration.

    Args:
        function: Maps a vector to a scalar, twice differentiable.
        point: Where, shape (n,).
        iterations: Hessian-vector products to spend.
        generator: Source of the random start.

    Returns:
        The Rayleigh quotient after the last iteration. If it is positive,
        gradient descent near the point needs a rate below 2 divided by it.

    Raises:
        ValueError: If ``iterations`` < 1 or the Hessian matrix is zero
            along the way, with "Received: ...".

    >>> scales = torch.tensor([1.0, 10.0])
    >>> round(largest_curvature(lambda x: scales @ x**2 / 2, scales), 3)
    10.0
    """
    if iterations < 1:
        raise ValueError(
            f"iterations must be >= 1. Received: iterations={iterations}"
        )
    x = point.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(function(x), x, create_graph=True)
    v = torch.randn(len(x), generator=generator, dtype=x.dtype)
    quotient = 0.0
    for _ in range(iterations):
        v = v / v.norm()
        (product,) = torch.autograd.grad(gradient @ v, x, retain_graph=True)
        quotient = (v @ product).item()
        if product.norm() == 0:
            raise ValueError("curvature must not be zero. Received: H v = 0")
        v = product
    return quotient


def newton_step(function: Scalar, point: Tensor) -> Tensor:
    """Return the minimizer of the second-order model, minus the point.

    Args:
        function: Maps a vector to a scalar, twice differentiable.
        point: Where, shape (n,).

    Raises:
        ValueError: If the Hessian matrix is not positive definite: then
            the model has no minimum. "Received: ..." names an eigenvalue.

    >>> newton_step(lambda x: ((x - 3) ** 2).sum(), torch.ones(2))
    tensor([2., 2.])
    """
    x = point.detach().requires_grad_()
    (gradient,) = torch.autograd.grad(function(x), x, create_graph=True)
    rows = [
        torch.autograd.grad(entry, x, retain_graph=True)[0]
        for entry in gradient
    ]
    matrix = torch.stack(rows)
    smallest = torch.linalg.eigvalsh(matrix)[0].item()
    if smallest <= 0:
        raise ValueError(
            "the Hessian matrix must be positive definite. "
            f"Received: smallest eigenvalue {smallest:.3g}"
        )
    step: Tensor = torch.linalg.solve(matrix, -gradient.detach())
    return step


# --8<-- [end:curvature]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print the largest rate, a decrease with its bound, and Newton."""
    generator = torch.Generator().manual_seed(SEED)
    inputs = torch.randn(200, 5, generator=generator, dtype=torch.float64)
    labels = (inputs[:, 0] + inputs[:, 1] > 0).to(inputs.dtype)

    def loss(w: Tensor) -> Tensor:
        z = inputs @ w
        fit = torch.nn.functional.softplus(z) - labels * z
        return fit.mean() + 0.01 * w @ w

    x = torch.zeros(5, dtype=torch.float64)
    curvature = largest_curvature(loss, x, generator=generator)
    gradient = inputs.T @ (0.5 - labels) / 200  # by hand, at 0
    decrease = (loss(x) - loss(x - gradient / curvature)).item()
    promised = (gradient @ gradient).item() / (2 * curvature)
    print(f"largest curvature {curvature:.4f}, limit {2 / curvature:.3f}")
    print(f"decrease {decrease:.4f}, promised {promised:.4f}")
    for _ in range(8):
        x = x + newton_step(loss, x)
    last = newton_step(loss, x).norm().item()
    print(f"after 8 Newton steps the next one is below 1e-12: {last < 1e-12}")
    try:
        newton_step(lambda w: torch.cos(w).sum(), torch.zeros(2))
    except ValueError as message:
        print(message)
    return {
        "curvature": curvature,
        "limit": 2 / curvature,
        "decrease": decrease,
        "promised": promised,
        "last": last,
    }


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]
