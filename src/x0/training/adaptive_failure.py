"""Adam can walk to the worst point, and its speed depends on the axes.

gradients C, -1, -1 in turn: the mean is positive for C > 2, yet with
beta1 = 0 and beta2 = 1 / (1 + C^2) Adam moves upward

Reddi, Kale and Kumar (2018).
"""

# --8<-- [start:imports]
import functools

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from torch import Tensor, nn

SEED = 0
LARGE, RATE, STEPS = 3.0, 0.01, 1500
NAMES = ("SGD", "Adam", "AMSGrad", "Adam, default betas")
# --8<-- [end:imports]


# --8<-- [start:walk]
@functools.cache
def walk_to_the_end(name: str) -> NDArray[np.float64]:
    """Return theta by step, kept within [-1, 1]; the best point is -1.

    Args:
        name: one of NAMES.

    Raises:
        ValueError: the name is unknown.
    """
    if name not in NAMES:
        raise ValueError(f"Expected one of {NAMES}. Received: {name=}")
    theta = nn.Parameter(torch.zeros(1, dtype=torch.float64))
    betas = (0.0, 1 / (1 + LARGE**2))
    if name == "SGD":
        optimizer: torch.optim.Optimizer = torch.optim.SGD([theta], lr=RATE)
    elif name == "Adam, default betas":
        optimizer = torch.optim.Adam([theta], lr=RATE)
    else:
        amsgrad = name == "AMSGrad"
        optimizer = torch.optim.Adam(
            [theta], lr=RATE, betas=betas, amsgrad=amsgrad
        )
    path = [0.0]
    for t in range(STEPS):
        slope = LARGE if t % 3 == 0 else -1.0
        theta.grad = torch.full_like(theta, slope)
        optimizer.step()
        with torch.no_grad():
            theta.clamp_(-1, 1)
        path.append(float(theta.detach()))
    return np.array(path)


# --8<-- [end:walk]


# --8<-- [start:rotate]
def steps_on_quadratic(name: str, rate: float, bases: Tensor) -> Tensor:
    """Return the steps until a quadratic is at 1e-6 of its first value.

    Args:
        name: Adam or heavy ball.
        rate: of Adam; heavy ball has the constants of the smallest factor.
        bases: eigenvectors of Hessian matrices, in columns, shape (B, n, n).

    Returns:
        Shape (B,); infinite where 3000 steps are not enough.
    """
    n = bases.shape[-1]
    curvature = torch.logspace(0, 4, n, dtype=torch.float64)
    hessians = bases * curvature @ bases.mT
    theta = nn.Parameter(bases @ torch.linspace(-1, 2, n, dtype=torch.float64))
    optimizer: torch.optim.Optimizer = torch.optim.Adam([theta], lr=rate)
    if name == "heavy ball":
        eta, beta = 4 / 101**2, (99 / 101) ** 2
        optimizer = torch.optim.SGD([theta], lr=eta, momentum=beta)
    steps = torch.full((len(bases),), torch.inf)
    first = torch.zeros(len(bases), dtype=torch.float64)
    for step in range(3000):
        at = theta.detach()
        theta.grad = (hessians @ at[..., None])[..., 0]
        value = (at * theta.grad).sum(-1)
        first = value if step == 0 else first
        steps[(value < 1e-6 * first) & steps.isinf()] = step
        if not steps.isinf().any():
            break
        optimizer.step()
    return steps


def axes_and_rotations(count: int = 20) -> tuple[Tensor, Tensor]:
    """Return the basis of the axes and random ones, shape (..., 20, 20)."""
    generator = torch.Generator().manual_seed(SEED)
    random = torch.randn(
        count, 20, 20, generator=generator, dtype=torch.float64
    )
    axes = torch.eye(20, dtype=torch.float64)[None]
    return axes, torch.linalg.qr(random).Q


# --8<-- [end:rotate]


if __name__ == "__main__":
    # --8<-- [start:demo]
    print("best point -1, after 1500 steps:")
    for name in NAMES:
        print(f"  {name:<24}{walk_to_the_end(name)[-1]:6.2f}")
    axes, rotations = axes_and_rotations()
    rates = (0.4, 0.8, 1.6, 3.2, 6.4)
    tried = {r: steps_on_quadratic("Adam", r, rotations) for r in rates}
    best_rate = min(rates, key=lambda r: tried[r].mean().item())
    best = tried[best_rate]
    on_axes = min(steps_on_quadratic("Adam", r, axes).item() for r in rates)
    rotated = best.mean().item(), best.std().item() / len(best) ** 0.5
    heavy = [
        steps_on_quadratic("heavy ball", 0.0, basis).mean().item()
        for basis in (axes, rotations)
    ]
    print("steps to 1e-6, condition number 10000:   on the axes   rotated")
    print(f"  {'heavy ball':<38}{heavy[0]:12.0f}{heavy[1]:10.0f}")
    print(f"  {'Adam, best of 5 rates':<38}{on_axes:12.0f}", end="")
    print(f"{rotated[0]:10.0f} ± {rotated[1]:.0f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_walk]
def plot_walk() -> Figure:
    """Draw theta by step for SGD, Adam and AMSGrad."""
    fig, ax = plt.subplots(figsize=(5.2, 3.2))
    fig.set_layout_engine("constrained", rect=(0, 0, 0.98, 1))
    t = np.arange(0, 601, 6)
    for i, name in enumerate(NAMES):
        y = walk_to_the_end(name)[t]
        style = ("-", "--", "-.", ":")[i]
        ax.plot(t, y, style, color=f"C{'0254'[i]}", label=name)
    ax.axhline(-1, color="0.5", lw=1)
    ax.set_xlabel("step")
    ax.set_ylabel("θ, best at −1")
    ax.legend(loc="center right")
    return fig


if __name__ == "__main__":
    plot_walk()
    plt.show()
# --8<-- [end:plot_walk]
