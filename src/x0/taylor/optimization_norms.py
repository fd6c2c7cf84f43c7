"""Measure the step in another norm, and the same argument gives a method.

step = argmin of g . step + |step|^2 / (2 rate) = -rate |g|_dual * direction

Euclidean: gradient descent; largest entry: the sign; largest singular
value: the orthogonal factor of the gradient (Bernstein and Newhouse 2024).
"""

# --8<-- [start:imports]
import torch
from torch import Tensor

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:steps]
def steepest_step(gradient: Tensor, rate: float, norm: str) -> Tensor:
    """Minimize the linear model plus the squared norm over 2 rate.

    Args:
        gradient: Shape (rows, columns).
        rate: Learning rate.
        norm: "euclidean" (all entries as one vector), "entry" (largest
            absolute entry) or "spectral" (largest singular value).

    Returns:
        The step, of the shape of the gradient.

    Raises:
        ValueError: If ``norm`` is another word, with "Received: ...".

    >>> steepest_step(torch.tensor([[3.0, -1.0]]), 0.5, "entry")
    tensor([[-2.,  2.]])
    """
    if norm == "euclidean":
        return -rate * gradient
    if norm == "entry":
        return -rate * gradient.abs().sum() * gradient.sign()
    if norm == "spectral":
        u, s, v = torch.linalg.svd(gradient, full_matrices=False)
        step: Tensor = -rate * s.sum() * (u @ v)
        return step
    raise ValueError(
        f"norm must be euclidean, entry or spectral. Received: norm={norm}"
    )


def newton_schulz(matrix: Tensor, steps: int = 30) -> Tensor:
    """Approximate U V^T of U S V^T with products only, without an SVD.

    X becomes (3 X - X X^T X) / 2: each singular value s in (0, 1] becomes
    (3 s - s^3) / 2, which tends to 1.

    Args:
        matrix: Shape (rows, columns), not zero.
        steps: Number of rounds; small singular values need more.

    >>> newton_schulz(torch.diag(torch.tensor([3.0, 4.0]))).round(decimals=4)
    tensor([[1., 0.],
            [0., 1.]])
    """
    x: Tensor = matrix / matrix.norm()  # no singular value is above 1
    for _ in range(steps):
        x = 1.5 * x - 0.5 * x @ x.T @ x
    return x


# --8<-- [end:steps]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Compare the model's minimum with 20000 random steps in each norm."""
    generator = torch.Generator().manual_seed(SEED)

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    gradient, rate = draw(3, 2), 0.1

    def model(a: Tensor, norm: str) -> Tensor:
        if norm == "euclidean":
            size: Tensor = a.flatten(-2).norm(dim=-1)
        elif norm == "entry":
            size = a.abs().flatten(-2).amax(-1)
        else:
            size = torch.linalg.svdvals(a)[..., 0]
        return (gradient * a).sum((-1, -2)) + size**2 / (2 * rate)

    values: dict[str, float | tuple[float, float]] = {}
    for norm in ("euclidean", "entry", "spectral"):
        step = steepest_step(gradient, rate, norm)
        near = step + 0.2 * step.norm() * draw(20000, 3, 2)
        lowest, value = model(near, norm).min().item(), model(step, norm).item()
        values[norm], values[f"{norm}_gap"] = value, lowest - value
        print(f"{norm:9}  {value:.4f}, a random step lower: {lowest < value}")
    u, _, v = torch.linalg.svd(gradient, full_matrices=False)
    error = (newton_schulz(gradient) - u @ v).norm().item()
    print(f"Newton-Schulz error below 1e-10: {error < 1e-10}")
    return values | {"schulz": error}


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]
