"""Eigenvalues of the Hessian classify stationary points, and repair Newton.

all positive: minimum; all negative: maximum; both signs: saddle
step = -sum of (u . g) / |eigenvalue| * u goes downhill, whatever the signs

A line search then shortens the step until the loss falls enough.
"""

# --8<-- [start:imports]
from collections.abc import Callable

import torch
from torch import Tensor

Scalar = Callable[[Tensor], Tensor]
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


# --8<-- [start:classify]
def second_order(function: Scalar, point: Tensor) -> tuple[Tensor, Tensor]:
    """Return the gradient, shape (n,), and the Hessian matrix.

    Raises:
        ValueError: If the point is no real vector, the function no scalar
            that depends on it and has a second derivative, or one of the
            two is not finite, with "Received: ...".

    >>> second_order(lambda x: x @ x, torch.ones(1))
    (tensor([2.]), tensor([[2.]]))
    """
    if point.ndim != 1 or not point.is_floating_point() or not len(point):
        raise ValueError(f"Expected a real vector. Received: {point}")
    x = point.detach().clone().requires_grad_()
    value = function(x)
    if value.ndim or not value.requires_grad:
        raise ValueError(f"function must depend on x. Received: {value}")
    matrix = torch.zeros(len(point), len(point), dtype=point.dtype)
    try:
        (gradient,) = torch.autograd.grad(value, x, create_graph=True)
        for i, g in enumerate(gradient):
            if g.requires_grad:  # else the function is linear
                (matrix[i],) = torch.autograd.grad(g, x, retain_graph=True)
    except RuntimeError as error:
        raise ValueError(f"no derivative. Received: {error}") from error
    if not bool(gradient.isfinite().all() and matrix.isfinite().all()):
        raise ValueError(f"derivatives must be finite. Received: {gradient}")
    return gradient.detach(), matrix


def classify(matrix: Tensor, tolerance: float = 1e-9) -> str:
    """Classify a stationary point by the eigenvalues of its Hessian matrix.

    Args:
        matrix: The Hessian matrix where the gradient is zero, finite, not
            empty, float32 or float64, shape (n, n).
        tolerance: What counts as zero, relative to the largest size.

    Returns:
        "minimum", "maximum", "saddle" or, if an eigenvalue is zero and the
        others have one sign, "undecided".

    >>> [classify(torch.diag(torch.tensor(d))) for d in ([1., 2.], [1., 0.])]
    ['minimum', 'undecided']
    >>> classify(torch.diag(torch.tensor([1.0, 0.0, -1.0])))
    'saddle'
    """
    values = torch.linalg.eigvalsh(matrix.detach())
    zero = tolerance * float(values.abs().max())
    up, down = bool(values[-1] > zero), bool(values[0] < -zero)
    if up and down:
        return "saddle"
    if bool((values.abs() <= zero).any()):
        return "undecided"
    return "minimum" if up else "maximum"


# --8<-- [end:classify]


# --8<-- [start:search]
def saddle_free_step(gradient: Tensor, matrix: Tensor) -> Tensor:
    """Divide the gradient by the sizes of the eigenvalues, and go downhill.

    Sizes below a millionth of the largest, or of the gradient, are raised
    to it: a flat direction would otherwise get a step without limit.

    Args:
        gradient: Shape (n,), not empty.
        matrix: Finite, float32 or float64, shape (n, n).

    >>> g, h = torch.tensor([1.0, 1.0]), torch.diag(torch.tensor([2.0, -4.0]))
    >>> saddle_free_step(g, h)
    tensor([-0.5000, -0.2500])
    """
    values, vectors = torch.linalg.eigh(matrix)
    sizes = values.abs()
    largest = torch.maximum(sizes.max(), gradient.norm())
    least = 1e-6 * float(largest.detach()) or 1.0  # if all is zero
    step: Tensor = -vectors @ (vectors.T @ gradient / sizes.clamp(min=least))
    return step


def line_search(
    function: Scalar, point: Tensor, step: Tensor, slope: float
) -> Tensor:
    """Halve the step until the loss falls by 1e-4 of what the slope says.

    Args:
        function: Maps a vector to a scalar.
        point: Where to start, real, shape (n,).
        step: A direction downhill, shape (n,).
        slope: The gradient times the step, negative.

    Raises:
        ValueError: If the slope is not negative, the function no scalar, the
            shapes differ, the numbers are complex, or 60 halvings are not
            enough, with "Received: ...".

    >>> x, step = torch.ones(1), torch.tensor([-4.0])
    >>> line_search(lambda x: x @ x, x, step, -8.0)
    tensor([0.])
    """
    if point.shape != step.shape or point.is_complex():
        shapes = f"{tuple(point.shape)}, {tuple(step.shape)}, {point.dtype}"
        raise ValueError(f"point and step must fit. Received: {shapes}")
    value, part = function(point), 1.0
    if value.ndim:
        raise ValueError(f"function must be a scalar. Received: {value}")
    for _ in range(60):
        moved = point + part * step
        if slope < 0 and bool(function(moved) <= value + 1e-4 * part * slope):
            return moved
        part /= 2
    raise ValueError(f"step must lead downhill. Received: slope={slope}")


def saddle_free_newton(function: Scalar, point: Tensor, steps: int) -> Tensor:
    """Take saddle-free Newton steps, each shortened by a line search.

    It stops where the gradient is 1e-10 or less. Halves are too short for
    the eigenvalues: it takes float32 or float64.

    >>> far = torch.tensor([5.0], dtype=torch.float64)
    >>> lncosh = lambda x: torch.log(torch.cosh(x)).sum()
    >>> bool(saddle_free_newton(lncosh, far, 10).abs() < 1e-9)
    True
    """
    for _ in range(steps):
        gradient, matrix = second_order(function, point)
        if float(gradient.norm()) <= 1e-10:
            break
        step = saddle_free_step(gradient, matrix)
        point = line_search(function, point, step, float(gradient @ step))
    return point


# --8<-- [end:search]


if __name__ == "__main__":
    # --8<-- [start:demo]
    def wells(p: Tensor) -> Tensor:
        """Two minima at (-1, 0) and (1, 0), a saddle between them."""
        return (p[0] ** 2 - 1) ** 2 / 4 + p[1] ** 2 / 2

    near = torch.tensor([0.1, 0.5], dtype=torch.float64)
    newton = near
    for _ in range(6):
        gradient, matrix = second_order(wells, newton)
        newton = newton - torch.linalg.solve(matrix, gradient)
    reached = saddle_free_newton(wells, near, 30)
    for name, end in (("Newton", newton), ("saddle-free", reached)):
        gradient, matrix = second_order(wells, end)
        print(f"{name:12}x = {abs(end[0]):.1f}, {classify(matrix)}")
    ends = [
        saddle_free_newton(curve_loss, curve_start(seed), 60)
        for seed in range(6)
    ]
    worst = max(curve_loss(end) for end in ends)
    print(f"network, six starts, 60 steps: below 1e-4: {worst < 1e-4}")
    # --8<-- [end:demo]
