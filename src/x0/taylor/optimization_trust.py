"""A trust region limits the step to where the second-order model is good.

min of f + g . step + step . (H step) / 2 with |step| <= radius

Conjugate gradients solve it roughly from products H v, without H.
"""

# --8<-- [start:imports]
import math
from collections.abc import Callable

import torch
from torch import Tensor

Scalar = Callable[[Tensor], Tensor]
Product = Callable[[Tensor], Tensor]
SEED = 4
UNITS = 6
# --8<-- [end:imports]


# --8<-- [start:curve]
def curve_data() -> tuple[Tensor, Tensor]:
    """Return 30 inputs between -2 and 2, shape (30, 1), and sin(2x)."""
    x = torch.linspace(-2, 2, 30, dtype=torch.float64)[:, None]
    return x, torch.sin(2 * x[:, 0])


def curve_output(theta: Tensor, x: Tensor) -> Tensor:
    """Return the outputs of a 1-6-1 tanh network, floating-point, shape (m,).

    >>> curve_output(torch.zeros(19), torch.ones(2, 1))
    tensor([0., 0.])
    """
    first, bias, second, top = torch.split(theta, [UNITS, UNITS, UNITS, 1])
    return torch.tanh(x * first + bias) @ second + top


def curve_loss(theta: Tensor) -> Tensor:
    """Return half the mean squared error on the curve, in float64."""
    x, y = curve_data()
    return (curve_output(theta, x) - y).square().mean() / 2


def curve_start(seed: int = SEED) -> Tensor:
    """Return random parameters, shape (19,).

    >>> curve_start().shape
    torch.Size([19])
    """
    generator = torch.Generator().manual_seed(seed)
    theta = torch.zeros(3 * UNITS + 1, dtype=torch.float64)
    theta[: 3 * UNITS].normal_(generator=generator)
    theta[2 * UNITS :] /= UNITS**0.5
    return theta


# --8<-- [end:curve]


# --8<-- [start:gradients]
def to_border(step: Tensor, direction: Tensor, radius: float) -> Tensor:
    """Follow a real direction from the step to the sphere of this radius.

    >>> to_border(torch.zeros(2), torch.tensor([3.0, 4.0]), 1.0)
    tensor([0.6000, 0.8000])
    """
    square, mixed = direction @ direction, step @ direction
    room = (radius * radius - step @ step).clamp(min=0)
    far = (torch.sqrt(mixed**2 + square * room) - mixed) / square
    return step + far * direction


def conjugate_gradients(
    gradient: Tensor, product: Product, radius: float
) -> Tensor:
    """Roughly minimize the second-order model in a ball, by products H v.

    Args:
        gradient: The gradient g, real, shape (n,).
        product: Maps v to H v.
        radius: No step is longer; positive, ``math.inf`` sets no limit.

    Returns:
        The step. It ends early where the residual g + H step is small
        enough, and on the sphere where the way leaves the ball or finds a
        direction without positive curvature.

    >>> d = torch.tensor([2.0, 2.0])
    >>> conjugate_gradients(-d, lambda v: d * v, 10.0)
    tensor([1., 1.])
    >>> conjugate_gradients(torch.tensor([3.0]), lambda v: -v, 2.0)
    tensor([-2.])
    """
    gradient = gradient.detach()
    step, rest = torch.zeros_like(gradient), -gradient
    direction, size = rest, gradient.norm().item()
    enough = min(0.1, size**0.5) * size
    for _ in range(2 * len(gradient)):
        if rest.norm().item() <= enough:
            break
        image = product(direction.clone()).to(direction.dtype)
        bend = direction @ image
        if not bend > 0:
            return to_border(step, direction, radius)
        longer = step + rest @ rest / bend * direction
        if longer.norm().item() >= radius:
            return to_border(step, direction, radius)
        left = rest - rest @ rest / bend * image
        direction = left + left @ left / (rest @ rest) * direction
        step, rest = longer, left
    return step


# --8<-- [end:gradients]


# --8<-- [start:trust]
def model_at(function: Scalar, point: Tensor) -> tuple[Tensor, Tensor, Product]:
    """Return value, gradient and Hessian-vector product at a point.

    Args:
        function: Maps a vector to a scalar, twice differentiable.
        point: Where, real, shape (n,).

    Raises:
        ValueError: If the point is not as above, or the value no scalar that
            depends on it; by product, if torch has no second derivative
            (fused attention). Each message has "Received: ...".
    """
    if point.ndim != 1 or not point.is_floating_point():
        kind = f"{tuple(point.shape)}, {point.dtype}"
        raise ValueError(f"point must be a real vector. Received: {kind}")
    x = point.detach().clone().requires_grad_()
    value = function(x)
    if value.ndim or not value.requires_grad:
        raise ValueError(f"needs a scalar of the point. Received: {value}")
    (gradient,) = torch.autograd.grad(
        value, x, create_graph=True, allow_unused=True
    )
    if gradient is None:
        raise ValueError(f"needs a scalar of the point. Received: {value}")
    gradient = gradient + 0 * x  # the function may be linear

    def product(v: Tensor) -> Tensor:
        """Return H v."""
        try:
            (image,) = torch.autograd.grad(gradient, x, v, retain_graph=True)
        except RuntimeError as error:
            raise ValueError(f"no H v. Received: {error}") from error
        return image

    return value.detach(), gradient.detach(), product


def trust_region(
    function: Scalar, point: Tensor, steps: int, radius: float = 1.0
) -> Tensor:
    """Take Newton steps inside a ball that grows and shrinks with trust.

    The radius becomes a quarter of the step if the loss falls by less than a
    quarter of what the model promises, and doubles if it falls by over three
    quarters and the step was as long as it could be. A step that gains less
    than a tenth is not taken. It stops where the gradient is 1e-10 or less.

    Args:
        function: Maps a vector to a scalar, twice differentiable.
        point: Where to start, real, shape (n,).
        steps: How many models to build.
        radius: The first radius, positive and finite.

    Raises:
        ValueError: If the radius is not as above; also as ``model_at``.

    >>> far = torch.tensor([5.0], dtype=torch.float64)
    >>> lncosh = lambda x: torch.log(torch.cosh(x)).sum()
    >>> bool(trust_region(lncosh, far, 20).abs() < 1e-9)
    True
    """
    if not 0 < radius < math.inf:
        raise ValueError(f"radius must be positive. Received: {radius}")
    point = point.detach()
    for _ in range(steps):
        value, gradient, product = model_at(function, point)
        if float(gradient.norm()) <= 1e-10:
            break
        step = conjugate_gradients(gradient, product, radius)
        promised = -(gradient @ step + step @ product(step) / 2)
        trust = float((value - function(point + step)) / promised)
        if not trust >= 0.25:
            radius = 0.25 * float(step.norm())
        elif trust > 0.75 and float(step.norm()) > 0.99 * radius:
            radius *= 2
        if trust > 0.1:
            point = point + step
    return point


# --8<-- [end:trust]


if __name__ == "__main__":
    # --8<-- [start:demo]
    def lncosh(x: Tensor) -> Tensor:
        """Newton's method alone diverges on it from |x| > 1.0887."""
        return torch.log(torch.cosh(x)).sum()

    far = torch.tensor([20.0], dtype=torch.float64)
    distances = [float(trust_region(lncosh, far, k).abs()) for k in (0, 4, 12)]
    print("ln cosh from 20:", ", ".join(f"{d:.2g}" for d in distances[:2]))
    print(f"  after 12 steps below 1e-9: {distances[2] < 1e-9}")
    losses = {
        steps: max(
            float(curve_loss(trust_region(curve_loss, curve_start(s), steps)))
            for s in range(6)
        )
        for steps in (20, 60)
    }
    print(f"network, six starts, 20 steps: below 1e-3: {losses[20] < 1e-3}")
    print(f"network, six starts, 60 steps: below 1e-5: {losses[60] < 1e-5}")
    # --8<-- [end:demo]
