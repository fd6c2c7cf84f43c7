"""Adam's first step has one size for every gradient far above its epsilon.

dw = -eta g / (|g| + epsilon): the scale of the gradient cancels down to
epsilon = 1e-8, while SGD moves in proportion to it.

Kingma and Ba (2015).
"""

# --8<-- [start:imports]
from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor, nn

RATE, EPSILON = 0.1, 1e-8
# --8<-- [end:imports]


# --8<-- [start:step]
def optimizer_step(
    optimizer: Callable[[list[nn.Parameter]], torch.optim.Optimizer],
    gradient: Tensor,
) -> Tensor:
    """Return the change of weights that start at 0 in one step.

    Args:
        optimizer: makes an optimizer of torch.optim that needs no closure.
        gradient: the gradient of the weights, any shape.

    Raises:
        ValueError: the gradient is not real and finite.

    >>> g = torch.tensor([-3.0, 0.5], dtype=torch.float64)
    >>> step = optimizer_step(lambda p: torch.optim.Adam(p, lr=0.1), g)
    >>> [round(float(x), 4) for x in step]
    [0.1, -0.1]
    """
    real = gradient.is_floating_point() and not gradient.is_meta
    if not real or not bool(gradient.isfinite().all()):
        raise ValueError(f"Expected finite numbers. Received: {gradient=}")
    weight = nn.Parameter(torch.zeros_like(gradient))
    weight.grad = gradient.clone()
    optimizer([weight]).step()
    return weight.detach()


# --8<-- [end:step]


if __name__ == "__main__":
    # --8<-- [start:demo]
    g = torch.tensor([1.0, 1e-4, 1e-8, 1e-12], dtype=torch.float64)
    makers = {
        "SGD": lambda p: torch.optim.SGD(p, lr=RATE),
        "momentum": lambda p: torch.optim.SGD(p, lr=RATE, momentum=0.9),
        "Adam": lambda p: torch.optim.Adam(p, lr=RATE),
    }
    steps = {name: optimizer_step(maker, g) for name, maker in makers.items()}
    print("gradient ", *(f"{x:9.0e}" for x in g))
    for name, step in steps.items():
        print(f"{name:<9}", *(f"{x:9.0e}" for x in step))
    # --8<-- [end:demo]


# --8<-- [start:plot_epsilon]
def plot_epsilon() -> Figure:
    """Draw the size of the first step against that of the gradient."""
    fig, ax = plt.subplots(figsize=(5.6, 3.2), layout="constrained")
    g = np.logspace(-14, 1, 31)
    tensor = torch.from_numpy(g)
    sgd = optimizer_step(lambda p: torch.optim.SGD(p, lr=RATE), tensor)
    adam = optimizer_step(lambda p: torch.optim.Adam(p, lr=RATE), tensor)
    ax.plot(g, RATE * g, "k--", lw=1)
    ax.plot(g, RATE * g / (g + EPSILON), "k--", lw=1)
    ax.plot(g, -sgd.numpy(), "o", ms=4, color="C0")
    ax.text(1e-7, 1e-10, "SGD", color="C0")
    ax.plot(g, -adam.numpy(), "s", ms=4, color="C2")
    ax.text(1e-14, 1e-4, "Adam", color="C2")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("size of the gradient")
    ax.set_ylabel("size of the first step")
    return fig


if __name__ == "__main__":
    plot_epsilon()
    plt.show()
# --8<-- [end:plot_epsilon]
