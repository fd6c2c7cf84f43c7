"""Along lines through a network's parameters the error orders show.

|f(x + s v) - T_k| ~ s^(k+1), here for the loss of a 21-parameter network

The gradient is modeled as well: g(x + s v) = g + s H v + O(s^2).
"""

# --8<-- [start:imports]
from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor

Array = NDArray[np.float64]
SEED = 18
# --8<-- [end:imports]


# --8<-- [start:network]
def sliced_network() -> tuple[Callable[[Tensor], Tensor], Tensor, Tensor]:
    """Make the loss of a 2-5-1 tanh network with 21 parameters.

    Returns:
        The loss of a parameter vector (or of a batch of them, shape
        (..., 21)), the point (Xavier) and a random direction of length 1.

    >>> loss, point, _ = sliced_network()
    >>> point.shape, loss(point).shape
    (torch.Size([21]), torch.Size([]))
    """
    generator = torch.Generator().manual_seed(SEED)

    def draw(*shape: int) -> Tensor:
        return torch.randn(shape, generator=generator, dtype=torch.float64)

    inputs = draw(64, 2)
    targets = torch.sin(2 * inputs[:, 0]) * inputs[:, 1]

    def loss(parameters: Tensor) -> Tensor:
        w1, b1, w2, b2 = torch.split(parameters, [10, 5, 5, 1], -1)
        z = inputs @ w1.view(*w1.shape[:-1], 2, 5) + b1.unsqueeze(-2)
        outputs = (torch.tanh(z) * w2.unsqueeze(-2)).sum(-1) + b2
        error: Tensor = (outputs - targets).square().mean(-1)
        return error

    variances = torch.tensor([2 / 7] * 10 + [0.0] * 5 + [1 / 3] * 5 + [0.0])
    direction = draw(21)
    point = variances.sqrt() * draw(21)
    return loss, point, direction / direction.norm()


def slice_errors(steps: Array, along_gradient: bool) -> dict[str, Array]:
    """Compare the loss along a line with its models.

    Args:
        steps: Lengths s, shape (n,).
        along_gradient: Along the gradient instead of a random direction.

    Returns:
        "loss", "first" and "second" (the models), and "gradient", the
        error of the model of the gradient; each of shape (n,).

    >>> found = slice_errors(np.array([0.0]), along_gradient=False)
    >>> bool(found["loss"] == found["second"])
    True
    """
    loss, point, direction = sliced_network()
    x = point.requires_grad_()
    (g,) = torch.autograd.grad(loss(x), x, create_graph=True)
    if along_gradient:
        direction = (g / g.norm()).detach()
    (product,) = torch.autograd.grad(g @ direction, x, retain_graph=True)
    s = torch.from_numpy(steps.copy())
    ends = (x + s[:, None] * direction).detach().requires_grad_()
    losses = loss(ends)
    (ahead,) = torch.autograd.grad(losses.sum(), ends)
    first = (loss(x) + s * (g @ direction)).detach()
    return {
        "loss": losses.detach().numpy(),
        "first": first.numpy(),
        "second": (first + s**2 / 2 * (direction @ product)).numpy(),
        "gradient": (ahead - g.detach() - s[:, None] * product)
        .norm(dim=1)
        .numpy(),
    }


# --8<-- [end:network]


if __name__ == "__main__":
    # --8<-- [start:demo]
    steps = np.geomspace(0.003, 0.1, 9)
    slopes = {}
    for name, along in (("random", False), ("gradient", True)):
        found = slice_errors(steps, along)
        first = found["loss"] - found["first"]
        second = found["loss"] - found["second"]
        errors = np.abs([first, second, found["gradient"]])
        slopes[name] = np.polyfit(np.log(steps), np.log(errors).T, 1)[0]
        print(
            f"{name} direction: first order {slopes[name][0]:.2f}, "
            f"second {slopes[name][1]:.2f}, gradient {slopes[name][2]:.2f}"
        )
    found = slice_errors(np.array([0.1, 3.0]), along_gradient=False)
    first = np.abs(found["loss"] - found["first"])
    second = np.abs(found["loss"] - found["second"])
    print(f"first order, error at 0.1 and 3: {first.round(5)}")
    print(f"second order, error at 0.1 and 3: {second.round(5)}")
    # --8<-- [end:demo]


# --8<-- [start:plot_models]
def plot_models() -> Figure:
    """Draw the loss on a line with its models, and both models' errors."""
    figure, (top, bottom) = plt.subplots(
        2, 1, figsize=(5.2, 6.4), layout="constrained"
    )
    s = np.linspace(-3, 3, 61)
    found = slice_errors(s, along_gradient=False)
    top.plot(s, found["loss"], color="0.5", lw=3, label="loss")
    top.plot(s, found["first"], "C0--", lw=1, label="order 1")
    top.plot(s, found["second"], "C1-.", lw=1, label="order 2")
    top.set_ylim(0, 1.1 * found["loss"].max())
    top.set(xlabel="s, random direction", ylabel="loss")
    top.legend()
    steps = np.geomspace(0.003, 1, 9)
    markers = {("first", False): "C0o", ("second", False): "C1s"}
    markers |= {("first", True): "C0^", ("second", True): "C1D"}
    for (model, along), marker in markers.items():
        found = slice_errors(steps, along)
        error = np.abs(found["loss"] - found[model])
        direction = "gradient" if along else "random"
        order = 1 if model == "first" else 2
        bottom.plot(steps, error, marker, label=f"{direction}, order {order}")
        line = error[0] * (steps / steps[0]) ** (order + 1)
        bottom.plot(steps, line, marker[:2] + "--", lw=1)
    bottom.set(xscale="log", yscale="log", xlabel="s", ylabel="error")
    bottom.legend()
    return figure


if __name__ == "__main__":
    plot_models()
    plt.show()
# --8<-- [end:plot_models]
