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
def steps_on_quadratic(name: str, rate: float, basis: Tensor) -> int:
    """Return the steps until a quadratic is at 1e-6 of its first value.

    Args:
        name: Adam or heavy ball.
        rate: learning rate of Adam; heavy ball uses its best constants.
        basis: eigenvectors of the Hessian matrix, in columns.
    """
    n = len(basis)
    curvature = torch.logspace(0, 4, n, dtype=torch.float64)
    hessian = basis @ torch.diag(curvature) @ basis.T
    theta = nn.Parameter(basis @ torch.linspace(-1, 2, n, dtype=torch.float64))
    optimizer: torch.optim.Optimizer = torch.optim.Adam([theta], lr=rate)
    if name == "heavy ball":
        eta, beta = 4 / 101**2, (99 / 101) ** 2
        optimizer = torch.optim.SGD([theta], lr=eta, momentum=beta)
    first = 0.0
    for step in range(1500):
        theta.grad = hessian @ theta.detach()
        value = float(theta.detach() @ theta.grad)
        first = first or value
        if value < 1e-6 * first:
            return step
        optimizer.step()
    return 1500


# --8<-- [end:rotate]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print where the walks end, and the effect of a rotation."""
    values: dict[str, float | tuple[float, float]] = {}
    print("best point -1, after 1500 steps:")
    for name in NAMES:
        end = float(walk_to_the_end(name)[-1])
        print(f"  {name:<24}{end:6.2f}")
        values[name.lower().replace(", default betas", "_default")] = end
    generator = torch.Generator().manual_seed(SEED)
    random = torch.randn(20, 20, generator=generator, dtype=torch.float64)
    rotated = torch.linalg.qr(random)[0]
    print("steps to 1e-6, condition number 10000:   on the axes   rotated")
    for name in ("heavy ball", "Adam"):
        rates = (0.1, 0.2, 0.4) if name == "Adam" else (0.0,)
        counts = [
            min(steps_on_quadratic(name, r, basis) for r in rates)
            for basis in (torch.eye(20, dtype=torch.float64), rotated)
        ]
        print(f"  {name:<38}{counts[0]:12d}{counts[1]:10d}")
        key = name.split()[0].lower()
        values |= {f"{key}_axes": counts[0], f"{key}_rotated": counts[1]}
    return values


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]


# --8<-- [start:plot_walk]
def plot_walk() -> Figure:
    """Draw theta by step for SGD, Adam and AMSGrad."""
    fig, ax = plt.subplots(figsize=(5.2, 3.2), layout="constrained")
    t = np.arange(0, 601, 6)
    for i, name in enumerate(NAMES):
        y = walk_to_the_end(name)[t]
        style = ("-", "--", "-.", ":")[i]
        ax.plot(t, y, style, color=f"C{i}", label=name)
    ax.axhline(-1, color="0.5", lw=1)
    ax.set_xlabel("step")
    ax.set_ylabel("θ, best at −1")
    ax.legend(loc="center right")
    return fig


if __name__ == "__main__":
    plot_walk()
    plt.show()
# --8<-- [end:plot_walk]
