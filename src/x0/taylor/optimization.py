"""A gradient step minimizes the linear Taylor model plus a price of length.

-rate * g = argmin of f + g . step + |step|^2 / (2 rate)
-H^-1 g = argmin of f + g . step + step . (H step) / 2

The second has a minimum if H is positive definite. Near a minimum the
largest eigenvalue of H limits the rate: rate < 2 / lambda_max.
"""

# --8<-- [start:imports]
import math
from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor

Scalar = Callable[[Tensor], Tensor]
SEED = 0
# --8<-- [end:imports]


# --8<-- [start:curvature]
class Ends(NamedTuple):
    """Both ends of the spectrum of a symmetric matrix H."""

    smallest: float
    largest: float
    residual: float  # |H v - value v| of the worse end, |v| = 1
    vectors: Tensor  # the two v, shape (n, 2)

    @property
    def converged(self) -> bool:
        """Tell whether the residual is a millionth of the larger end."""
        size = max(abs(self.smallest), abs(self.largest))
        return self.residual <= 1e-6 * size


def lanczos(
    product: Callable[[Tensor], Tensor], start: Tensor, iterations: int = 200
) -> Ends:
    """Find both ends of a spectrum from products with a symmetric matrix.

    Each new vector is made orthogonal to all before it, twice; without
    that, rounding lets found eigenvalues come back as copies. Within the
    residual of each end there is an eigenvalue.

    Args:
        product: Maps a vector v to H v.
        start: A random vector, shape (n,): an end to which it is
            orthogonal is not found.
        iterations: Products to spend at most; it stops when both ends
            have converged.

    Raises:
        ValueError: If a product is not finite, ``iterations`` < 1, or the
            start no real vector or zero, with "Received: ...".

    >>> d = torch.tensor([-10.0, 1.0, 10.0])
    >>> ends = lanczos(lambda v: d * v, torch.ones(3))
    >>> round(ends.smallest, 3), round(ends.largest, 3), ends.converged
    (-10.0, 10.0, True)
    """
    real = start.ndim == 1 and start.is_floating_point()
    if iterations < 1 or not real or not start.norm() > 0:
        raise ValueError(
            "iterations must be >= 1, start a real vector, not zero. "
            f"Received: iterations={iterations}, start={start}"
        )
    start = start.to(torch.promote_types(start.dtype, torch.float32))
    basis = (start / start.norm())[None]
    matrix = torch.zeros(0, 0, dtype=torch.float64)  # H in this basis
    while True:
        image = product(basis[-1].clone()).to(start.dtype)
        if not bool(image.isfinite().all()):
            raise ValueError(f"H v must be finite. Received: {image}")
        matrix = torch.nn.functional.pad(matrix, (0, 1, 0, 1))
        matrix[-1] = basis @ image
        for _ in range(2):
            image = image - basis.T @ (basis @ image)
        left = image.norm()
        values, vectors = torch.linalg.eigh(matrix)  # reads the lower half
        low, high = values[0].item(), values[-1].item()
        last = vectors[:, [0, -1]].to(basis)
        residual = (left * last[-1].abs()).max().item()
        ends = Ends(low, high, residual, basis.T @ last)
        if ends.converged or len(basis) >= min(iterations, len(start)):
            return ends
        basis = torch.cat([basis, image[None] / left])


def slope_at(function: Scalar, point: Tensor) -> tuple[Tensor, Tensor]:
    """Return the point as a leaf, and the gradient there with its graph.

    Raises:
        ValueError: If the point is no vector of real numbers, or the value
            no real scalar that depends on it with a finite gradient, with
            "Received: ...".
    """
    if point.ndim != 1 or not point.is_floating_point() or not len(point):
        raise ValueError(
            "point must be a vector of real numbers. "
            f"Received: shape={tuple(point.shape)}, {point.dtype}"
        )
    x = point.detach().clone().requires_grad_()
    value = function(x)
    scalar = isinstance(value, Tensor) and value.numel() == 1
    if not scalar or not value.is_floating_point() or not value.requires_grad:
        raise ValueError(
            "function must return a scalar that depends on the point. "
            f"Received: {value}"
        )
    (gradient,) = torch.autograd.grad(
        value, x, create_graph=True, allow_unused=True
    )
    if gradient is None:
        raise ValueError(f"the value must depend on x. Received: {value}")
    if not bool(gradient.isfinite().all()):
        raise ValueError(f"gradient must be finite. Received: {gradient}")
    return x, gradient


def hessian_times(gradient: Tensor, x: Tensor, v: Tensor) -> Tensor:
    """Return H v; zeros if the gradient does not depend on x.

    Raises:
        ValueError: If torch has no second derivative of the function, as of
            fused attention, with "Received: ...".
    """
    if not gradient.requires_grad:
        return torch.zeros_like(x)
    try:
        (product,) = torch.autograd.grad(
            gradient @ v.to(x.dtype),
            x,
            retain_graph=True,
            materialize_grads=True,
        )
    except RuntimeError as error:
        raise ValueError(
            "no second derivative; attention needs "
            f"sdpa_kernel(SDPBackend.MATH). Received: {error}"
        ) from error
    return product


def largest_curvature(
    function: Scalar,
    point: Tensor,
    iterations: int = 200,
    generator: torch.Generator | None = None,
) -> Ends:
    """Find the smallest and the largest Hessian eigenvalue, by Lanczos.

    Args:
        function: Maps a vector to a scalar, twice differentiable.
        point: Where, shape (n,).
        iterations: Hessian-vector products to spend at most.
        generator: Source of the random start.

    Returns:
        Both ends with their residual. At a minimum, gradient descent from
        nearby needs a rate below 2 divided by the largest.

    Raises:
        ValueError: If ``iterations`` < 1, the point is no real vector, the
            function no scalar that depends on it and has a finite second
            derivative, or that is zero, with "Received: ...".

    >>> scales = torch.tensor([1.0, 10.0])
    >>> ends = largest_curvature(lambda x: scales @ x**2 / 2, scales)
    >>> round(ends.smallest, 3), round(ends.largest, 3)
    (1.0, 10.0)
    """
    x, gradient = slope_at(function, point)
    start = torch.randn(len(x), generator=generator, dtype=x.dtype)
    start = start.to(x.device)
    ends = lanczos(lambda v: hessian_times(gradient, x, v), start, iterations)
    if ends.smallest == ends.largest == 0:
        raise ValueError("curvature must not be zero. Received: H v = 0")
    return ends


def newton_step(function: Scalar, point: Tensor) -> Tensor:
    """Return the minimizer of the second-order model, minus the point.

    Args:
        function: Maps a vector to a scalar, twice differentiable.
        point: Where, shape (n,).

    Raises:
        ValueError: If the Hessian matrix is not positive definite: then
            the model has no minimum. "Received: ..." names an eigenvalue.
            Also as ``largest_curvature`` does.

    >>> newton_step(lambda x: ((x - 3) ** 2).sum(), torch.ones(2))
    tensor([2., 2.])
    """
    x, gradient = slope_at(function, point)
    rows = [hessian_times(gradient, x, v) for v in torch.eye(len(x)).to(x)]
    matrix = torch.stack(rows).double()
    smallest = math.nan
    if bool(matrix.isfinite().all()):
        smallest = torch.linalg.eigvalsh(matrix)[0].item()
    if not smallest > 0:
        raise ValueError(
            "the Hessian matrix must be positive definite. "
            f"Received: smallest eigenvalue {smallest:.3g}"
        )
    step = torch.linalg.solve(matrix, -gradient.detach().double())
    found: Tensor = step.to(x.dtype)
    return found


# --8<-- [end:curvature]


if __name__ == "__main__":
    # --8<-- [start:demo]
    generator = torch.Generator().manual_seed(SEED)
    inputs = torch.randn(200, 5, generator=generator, dtype=torch.float64)
    labels = (inputs[:, 0] + inputs[:, 1] > 0).to(inputs.dtype)

    def loss(w: Tensor) -> Tensor:
        """Return the cross-entropy of the labels with a weight decay."""
        z = inputs @ w
        fit = torch.nn.functional.softplus(z) - labels * z
        return fit.mean() + 0.01 * w @ w

    x = torch.zeros(5, dtype=torch.float64)
    ends = largest_curvature(loss, x, generator=generator)
    curvature = ends.largest
    limit = 2 / curvature
    gradient = inputs.T @ (0.5 - labels) / 200  # by hand, at 0
    decrease = loss(x) - loss(x - gradient / curvature)
    promised = gradient @ gradient / (2 * curvature)
    print(f"curvatures from {ends.smallest:.4f} to {curvature:.4f}")
    print(f"converged: {ends.converged}, limit {limit:.3f}")
    print(f"decrease {decrease:.4f}, promised {promised:.4f}")
    for _ in range(8):
        x = x + newton_step(loss, x)
    last = newton_step(loss, x).norm().item()
    print(f"after 8 Newton steps the next one is below 1e-12: {last < 1e-12}")
    try:
        newton_step(lambda w: torch.cos(w).sum(), torch.zeros(2))
    except ValueError as message:
        print(message)
    # --8<-- [end:demo]
