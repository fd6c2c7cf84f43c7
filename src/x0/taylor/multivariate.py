"""A loss near a point is its gradient times the step plus a quadratic form.

f(x + step) = f(x) + g . step + step . (H step) / 2 + O(|step|^3)

H v, the Hessian matrix times a vector, takes one more backward pass and no
matrix (Pearlmutter 1994).
"""

# --8<-- [start:imports]
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

SEED = 1
# --8<-- [end:imports]


# --8<-- [start:product]
def hessian_vector_product(
    loss: Tensor, parameters: Sequence[Tensor], vectors: Sequence[Tensor]
) -> list[Tensor]:
    """Return H v, in the shapes of the parameters, by double backward.

    Args:
        loss: A scalar that was computed from the parameters.
        parameters: Tensors that require gradients.
        vectors: The parts of v, of the same shapes.

    Returns:
        The parts of H v; parts that no second derivative reaches are zero.

    Raises:
        ValueError: If the loss is no scalar, or if the shapes of vectors
            and parameters differ, with "Received: ...".

    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> v = torch.tensor([1.0, 0.0])
    >>> hessian_vector_product(x[0] ** 2 * x[1], [x], [v])
    [tensor([4., 2.])]
    """
    shapes = [tuple(tensor.shape) for tensor in parameters]
    received = [tuple(tensor.shape) for tensor in vectors]
    if loss.ndim or received != shapes:
        raise ValueError(
            f"loss must be a scalar and vectors of shapes {shapes}. Received: "
            f"loss of shape {tuple(loss.shape)}, vectors {received}"
        )
    gradients = torch.autograd.grad(
        loss, parameters, create_graph=True, materialize_grads=True
    )
    pairs = zip(gradients, vectors, strict=True)
    slope = torch.stack([(g * v).sum() for g, v in pairs]).sum()
    if not slope.requires_grad:  # the loss is linear
        return [torch.zeros_like(tensor) for tensor in parameters]
    return list(torch.autograd.grad(slope, parameters, materialize_grads=True))


def taylor_terms(
    function: Callable[[Tensor], Tensor], point: Tensor, step: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return f, g . step and step . (H step) / 2 at a point.

    Args:
        function: Maps a tensor of some shape to a scalar.
        point: The expansion point.
        step: Of the shape of ``point``.

    Raises:
        ValueError: If the shapes differ, with "Received: ...".

    >>> one = torch.ones(2)
    >>> taylor_terms(lambda x: (x**3).sum(), one, 0.5 * one)
    (tensor(2.), tensor(3.), tensor(1.5000))
    """
    if point.shape != step.shape:
        raise ValueError(
            f"step must have shape {tuple(point.shape)}. Received: "
            f"shape={tuple(step.shape)}"
        )
    x = point.detach().requires_grad_()
    value = function(x)
    (gradient,) = torch.autograd.grad(value, x, retain_graph=True)
    (product,) = hessian_vector_product(value, [x], [step])
    first, second = (gradient * step).sum(), (product * step).sum() / 2
    return value.detach(), first, second


# --8<-- [end:product]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Compare H v with the matrix by hand, and both models with the loss."""
    generator = torch.Generator().manual_seed(SEED)

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    inputs, targets, point, step = draw(64, 3), draw(64), draw(3), draw(3)

    def loss(w: Tensor) -> Tensor:
        return (torch.tanh(inputs @ w) - targets).square().mean()

    t = torch.tanh(inputs @ point)
    slope = 1 - t**2
    weight = slope**2 - 2 * (t - targets) * t * slope
    matrix = 2 / 64 * inputs.T @ torch.diag(weight) @ inputs  # by hand
    x = point.clone().requires_grad_()
    (product,) = hessian_vector_product(loss(x), [x], [step])
    gap = (product - matrix @ step).abs().max().item()
    print(f"double backward = matrix by hand times v: {gap < 1e-12}")
    step = 0.1 * step / step.norm()
    value, first, second = taylor_terms(loss, point, step)
    true = loss(point + step).item()
    print(f"loss at the point      {value:.6f}")
    print(f"loss after the step    {true:.6f}")
    print(f"first-order model      {value + first:.6f}")
    print(f"second-order model     {value + first + second:.6f}")
    return {
        "gap": gap,
        "first_error": abs(true - (value + first).item()),
        "second_error": abs(true - (value + first + second).item()),
    }


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]
