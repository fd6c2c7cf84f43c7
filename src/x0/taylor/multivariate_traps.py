"""Autograd differentiates the recorded program, not the function you mean.

A kink adds nothing to the second derivative, detach makes a factor a constant
in every derivative, and without create_graph there is no second one.
"""

# --8<-- [start:imports]
import torch
from torch import Tensor

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:higher]
def derivatives(x: float, order: int) -> list[float]:
    """Return the derivatives 1, ..., order of x**3 exp(x) by autograd.

    >>> derivatives(0.0, 3)
    [0.0, 0.0, 6.0]
    """
    point = torch.tensor(x, dtype=torch.float64, requires_grad=True)
    value = point**3 * torch.exp(point)
    found = []
    for _ in range(order):
        (value,) = torch.autograd.grad(value, point, create_graph=True)
        found.append(value.item())
    return found


# --8<-- [end:higher]


# --8<-- [start:kinks]
def bent(x: Tensor) -> Tensor:
    """Return the mean of 1000 ReLUs of real x, kinks spread over (-1, 1).

    From -1 to 1 it is within 1e-6 of (x + 1)**2 / 4, whose second derivative
    is 1/2.

    >>> round(bent(torch.tensor(0.0, dtype=torch.float64)).item(), 6)
    0.25
    """
    kinks = (torch.arange(1000, dtype=torch.float64) + 0.5) / 500 - 1
    return torch.relu(x.unsqueeze(-1) - kinks).mean(-1)


def central_product(point: Tensor, vector: Tensor, step: float) -> Tensor:
    """Return H v of sum(exp(x)), real, by central differences of gradients.

    >>> one = torch.ones(1, dtype=torch.float64)
    >>> round(central_product(0 * one, one, 1e-4).item(), 6)
    1.0
    """
    ends = torch.stack([point + step * vector, point - step * vector])
    ends.requires_grad_()
    (gradient,) = torch.autograd.grad(torch.exp(ends).sum(), ends)
    difference: Tensor = gradient[0] - gradient[1]
    return difference / (2 * step)


# --8<-- [end:kinks]


if __name__ == "__main__":
    # --8<-- [start:demo]
    _, second, third = derivatives(2.0, 3)
    print(f"x^3 e^x at 2: second {second:.4f}, third {third:.4f}")
    x = torch.tensor(2.0, dtype=torch.float64, requires_grad=True)
    (first,) = torch.autograd.grad(torch.exp(x), x)
    try:
        torch.autograd.grad(first, x)
    except RuntimeError as message:
        print("no create_graph:", str(message).split(" and")[0])
    h = torch.tanh(x)
    h += 1  # the derivative of tanh needs its output
    try:
        torch.autograd.grad(h, x)
    except RuntimeError as message:
        print("in place:", str(message).split(": ")[0])
    (cut,) = torch.autograd.grad(x.detach() ** 2 * x, x)
    print(f"detach: derivative of x^3 at 2 is {cut:.0f}, not 12")
    zero = torch.zeros((), dtype=torch.float64, requires_grad=True)
    (slope,) = torch.autograd.grad(bent(zero), zero, create_graph=True)
    (curvature,) = torch.autograd.grad(slope, zero)
    ends = bent(torch.tensor([-0.1, 0.0, 0.1], dtype=torch.float64))
    measured = (ends[0] - 2 * ends[1] + ends[2]) / 0.1**2
    print(f"1000 kinks: autograd {curvature:.1f}, measured {measured:.1f}")
    sample = torch.randn(50, generator=torch.Generator().manual_seed(SEED))
    least = {}
    for name, dtype in (("float32", torch.float32), ("float64", torch.float64)):
        point = sample.to(dtype)
        vector, exact = torch.ones_like(point), torch.exp(point)
        errors = [
            (central_product(point, vector, 10.0**-k) - exact).norm().item()
            for k in range(1, 9)
        ]
        least[name] = min(errors) / exact.norm().item()
    print(f"differences, float32: above 1e-5: {least['float32'] > 1e-5}")
    print(f"differences, float64: above 1e-12: {least['float64'] > 1e-12}")
    # --8<-- [end:demo]
