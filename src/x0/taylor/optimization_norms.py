"""Measure the step in another norm, and the same argument gives a method.

step = argmin of g . step + |step|^2 / (2 rate) = -rate |g|_dual * direction

Euclidean: gradient descent; largest entry: the sign; largest singular
value: the orthogonal factor of the gradient (Bernstein and Newhouse 2024).
"""

# --8<-- [start:imports]
from functools import partial

import torch
from torch import Tensor

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:steps]
def steepest_step(gradient: Tensor, rate: float, norm: str) -> Tensor:
    """Minimize the linear model plus the squared norm over 2 rate.

    Args:
        gradient: Shape (rows, columns), real and finite.
        rate: Learning rate.
        norm: "euclidean" (all entries as one vector), "entry" (largest
            absolute entry) or "spectral" (largest singular value).

    Returns:
        The step, of the shape of the gradient.

    Raises:
        ValueError: If ``norm`` is another word, or the gradient is not as
            above, with "Received: ...".

    >>> steepest_step(torch.tensor([[3.0, -1.0]]), 0.5, "entry")
    tensor([[-2.,  2.]])
    """
    real = gradient.ndim == 2 and gradient.is_floating_point()
    if not real or not bool(gradient.isfinite().all()):
        raise ValueError(
            "gradient must be a finite real matrix. Received: "
            f"shape={tuple(gradient.shape)}, {gradient.dtype}"
        )
    if norm == "euclidean":
        return -rate * gradient
    if norm == "entry":
        return -rate * gradient.abs().sum() * gradient.sign()
    if norm == "spectral":
        wide = torch.promote_types(gradient.dtype, torch.float32)
        u, s, v = torch.linalg.svd(gradient.to(wide), full_matrices=False)
        step: Tensor = -rate * s.sum() * (u @ v)
        return step.to(gradient.dtype)
    raise ValueError(
        f"norm must be euclidean, entry or spectral. Received: norm={norm}"
    )


def newton_schulz(matrix: Tensor, steps: int = 30) -> Tensor:
    """Approximate U V^T of U S V^T with products only, without an SVD.

    X becomes (3 X - X X^T X) / 2: each singular value s in (0, 1] becomes
    (3 s - s^3) / 2, which tends to 1.

    Args:
        matrix: Real, not zero, shape (rows, columns).
        steps: Number of rounds; small singular values need more.

    Raises:
        ValueError: If it is no real matrix or zero, with "Received: ...".

    >>> newton_schulz(torch.diag(torch.tensor([3.0, 4.0]))).round(decimals=4)
    tensor([[1., 0.],
            [0., 1.]])
    """
    real = matrix.is_floating_point()
    if not real or matrix.ndim != 2 or not matrix.any():
        raise ValueError(f"needs a matrix, not 0. Received: {matrix}")
    x: Tensor = matrix / matrix.abs().max()  # its squares are numbers
    x = x / x.norm()  # no singular value is above 1
    for _ in range(steps):
        x = 1.5 * x - 0.5 * x @ x.T @ x
    return x


# --8<-- [end:steps]


if __name__ == "__main__":
    # --8<-- [start:demo]
    generator = torch.Generator().manual_seed(SEED)
    draw = partial(torch.randn, generator=generator, dtype=torch.float64)
    gradient, rate = draw(3, 2), 0.1

    def model(a: Tensor, norm: str) -> Tensor:
        """Return the linear term plus the squared norm over 2 rate."""
        if norm == "euclidean":
            size: Tensor = a.flatten(-2).norm(dim=-1)
        elif norm == "entry":
            size = a.abs().flatten(-2).amax(-1)
        else:
            size = torch.linalg.svdvals(a)[..., 0]
        return (gradient * a).sum((-1, -2)) + size**2 / (2 * rate)

    minima = {}
    lowest = {}
    for norm in ("euclidean", "entry", "spectral"):
        step = steepest_step(gradient, rate, norm)
        near = step + 0.2 * step.norm() * draw(20000, 3, 2)
        value = minima[norm] = model(step, norm).item()
        least = lowest[norm] = model(near, norm).min().item()
        print(f"{norm:9}  {value:.4f}, a random step lower: {least < value}")
    u, _, v = torch.linalg.svd(gradient, full_matrices=False)
    error = (newton_schulz(gradient) - u @ v).norm().item()
    print(f"Newton-Schulz error below 1e-10: {error < 1e-10}")
    # --8<-- [end:demo]
