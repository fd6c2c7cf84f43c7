"""A loss near a point: its value, gradient times step, and a quadratic form.

f(x + step) = f(x) + g . step + step . (H step) / 2 + O(|step|^3)

H v, the Hessian matrix times a vector, takes one more backward pass and no
matrix (Pearlmutter 1994).
"""

# --8<-- [start:imports]
from collections.abc import Callable, Sequence
from functools import partial

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
        parameters: Tensors that require gradients, or their iterator.
        vectors: The parts of v, of the same shapes.

    Returns:
        The parts of H v; parts that no second derivative reaches are zero.
        The graph of the loss stays: call again, or ``loss.backward()``.

    Raises:
        ValueError: If the loss is no real scalar that depends on them, if
            the shapes of vectors and parameters differ, if a parameter is
            frozen, the graph was freed by ``backward()``, or torch has no
            second derivative (fused attention), with "Received: ...".

    >>> x = torch.tensor([1.0, 2.0], requires_grad=True)
    >>> v = torch.tensor([1.0, 0.0])
    >>> hessian_vector_product(x[0] ** 2 * x[1], [x], [v])
    [tensor([4., 2.])]
    """
    parameters, vectors = list(parameters), list(vectors)
    shapes = [tuple(tensor.shape) for tensor in parameters]
    received = [tuple(tensor.shape) for tensor in vectors]
    every = all(tensor.requires_grad for tensor in parameters)
    depends = loss.is_floating_point() and loss.requires_grad and every
    if loss.ndim or not depends or received != shapes:
        raise ValueError(
            f"loss must be a scalar and vectors of shapes {shapes}. Received: "
            f"loss of shape {tuple(loss.shape)}, {loss.dtype}, "
            f"requires_grad={loss.requires_grad}, of all parameters: "
            f"{every}, vectors {received}"
        )
    try:
        gradients = torch.autograd.grad(
            loss, parameters, create_graph=True, allow_unused=True
        )
    except RuntimeError as error:  # backward() has freed the graph
        raise ValueError(f"compute the loss anew. Received: {error}") from error
    pairs = zip(gradients, vectors, strict=True)
    parts = [(g * v).sum() for g, v in pairs if g is not None]
    if not parts:
        raise ValueError(f"no parameter reaches the loss. Received: {loss}")
    slope = torch.stack(parts).sum()
    if not slope.requires_grad:  # the loss is linear
        return [torch.zeros_like(tensor) for tensor in parameters]
    try:
        found = torch.autograd.grad(  # the loss can be used again
            slope, parameters, retain_graph=True, materialize_grads=True
        )
    except RuntimeError as error:
        raise ValueError(
            "no second derivative; attention needs "
            f"sdpa_kernel(SDPBackend.MATH). Received: {error}"
        ) from error
    return list(found)


def taylor_terms(
    function: Callable[[Tensor], Tensor], point: Tensor, step: Tensor
) -> tuple[Tensor, Tensor, Tensor]:
    """Return f, g . step and step . (H step) / 2 at a point.

    Args:
        function: Maps a tensor of some shape to a scalar.
        point: The expansion point.
        step: Of the shape of ``point``.

    Raises:
        ValueError: If the shapes differ, the numbers are not real, or the
            function returns no scalar that depends on its argument, with
            "Received: ...".

    >>> one = torch.ones(2)
    >>> taylor_terms(lambda x: (x**3).sum(), one, 0.5 * one)
    (tensor(2.), tensor(3.), tensor(1.5000))
    """
    real = point.is_floating_point() and not step.is_complex()
    if point.shape != step.shape or not real:
        raise ValueError(
            f"step must have shape {tuple(point.shape)}, both real numbers. "
            f"Received: shape={tuple(step.shape)}, {step.dtype}, {point.dtype}"
        )
    x = point.detach().clone().requires_grad_()
    value = function(x)
    if not isinstance(value, Tensor) or value.numel() != 1:
        raise ValueError(f"function must return a scalar. Received: {value}")
    value = value.reshape(())
    if not value.requires_grad:
        raise ValueError(f"the value must depend on x. Received: {value}")
    (product,) = hessian_vector_product(value, [x], [step])
    (gradient,) = torch.autograd.grad(value, x)
    first, second = (gradient * step).sum(), (product * step).sum() / 2
    return value.detach(), first, second


# --8<-- [end:product]


if __name__ == "__main__":
    # --8<-- [start:demo]
    generator = torch.Generator().manual_seed(SEED)
    draw = partial(torch.randn, generator=generator, dtype=torch.float64)
    inputs, targets, point, v = draw(64, 3), draw(64), draw(3), draw(3)

    def loss(w: Tensor) -> Tensor:
        """Return the mean squared error of tanh(inputs w)."""
        return (torch.tanh(inputs @ w) - targets).square().mean()

    t = torch.tanh(inputs @ point)
    slope = 1 - t**2
    weight = slope**2 - 2 * (t - targets) * t * slope
    matrix = 2 / 64 * inputs.T @ torch.diag(weight) @ inputs  # by hand
    x = point.clone().requires_grad_()
    (product,) = hessian_vector_product(loss(x), [x], [v])
    gap = (product - matrix @ v).abs().max().item()
    print(f"double backward = matrix by hand times v: {gap < 1e-12}")
    step = 0.1 * v / v.norm()
    value, first, second = taylor_terms(loss, point, step)
    moved, linear = loss(point + step), value + first
    quadratic = linear + second
    print(f"loss at the point      {value:.6f}")
    print(f"loss after the step    {moved:.6f}")
    print(f"first-order model      {linear:.6f}")
    print(f"second-order model     {quadratic:.6f}")
    # --8<-- [end:demo]
