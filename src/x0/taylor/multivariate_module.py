"""The loss of an nn.Module is a function of one vector, its parameters.

f(x + step) = f(x) + g . step + step . (H step) / 2 + O(|step|^3)

The same two models as for a function of a vector: nothing else changes.
"""

# --8<-- [start:imports]
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.func import functional_call

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:flat]
def flat_loss(
    model: nn.Module, inputs: Tensor, criterion: Callable[[Tensor], Tensor]
) -> tuple[Callable[[Tensor], Tensor], Tensor]:
    """Return a model's loss as a function of one vector, and the vector.

    Args:
        model: A module whose forward pass takes the inputs; its parameters
            are not changed. Batch normalization must be in eval mode.
        inputs: What the model is applied to.
        criterion: Maps the model's output to a scalar.

    Returns:
        The function of n parameters, and their values now, shape (n,).

    Raises:
        ValueError: If the model has no parameters, or a lazy one without a
            shape, with "Received: ...".

    >>> f, point = flat_loss(nn.Linear(2, 1), torch.ones(3, 2), torch.sum)
    >>> point.shape, f(torch.zeros(3)).item()
    (torch.Size([3]), 0.0)
    """
    named = dict(model.named_parameters())
    if not named or any(nn.parameter.is_lazy(p) for p in named.values()):
        raise ValueError(f"the model has no numbers. Received: {model}")
    sizes = [p.numel() for p in named.values()]

    def function(vector: Tensor) -> Tensor:
        parts = zip(named.items(), vector.split(sizes), strict=True)
        values = {name: part.view_as(p) for (name, p), part in parts}
        return criterion(functional_call(model, values, (inputs,)))

    return function, torch.cat([p.detach().reshape(-1) for p in named.values()])


# --8<-- [end:flat]


if __name__ == "__main__":
    # --8<-- [start:demo]
    generator = torch.Generator().manual_seed(SEED)
    model = nn.Sequential(nn.Linear(3, 8), nn.Tanh(), nn.Linear(8, 1))
    for p in model.parameters():
        nn.init.normal_(p, std=0.5, generator=generator)
    inputs = torch.randn(64, 3, generator=generator)
    wanted = torch.sin(inputs.sum(1, keepdim=True))

    def criterion(output: Tensor) -> Tensor:
        """Return the mean squared error."""
        return (output - wanted.to(output.dtype)).square().mean()

    f, point = flat_loss(model.double(), inputs.double(), criterion)
    direction = torch.randn(len(point), generator=generator).double()
    direction = direction / direction.norm()
    gradient = torch.func.grad(f)
    g, back, *_ = torch.func.vjp(gradient, point)
    (product,) = back(direction)  # H times the direction
    print(f"{len(point)} parameters")
    errors = {}
    for s in (0.1, 0.05):
        first = f(point) + s * (g @ direction)
        second = first + s**2 / 2 * (direction @ product)
        truth = f(point + s * direction)
        errors[s] = (truth - first).abs(), (truth - second).abs()
        print(f"step {s}: errors {errors[s][0]:.1e} and {errors[s][1]:.1e}")
    falls = [a / b for a, b in zip(errors[0.1], errors[0.05], strict=True)]
    print(f"half the step divides them by {falls[0]:.1f} and {falls[1]:.1f}")
    # --8<-- [end:demo]
