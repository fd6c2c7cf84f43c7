"""With a prior bias both classes pull equally hard at the start.

b = -ln((1 - r) / r): E[y (1 - p)] = E[(1 - y) p]

Lin et al. (2017), "Focal Loss for Dense Object Detection".
"""

# --8<-- [start:imports]
import math
from functools import cache

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure

SEED = 0
RATES = (0.5, 0.2, 0.1, 0.05, 0.02, 0.01, 0.005, 0.002)
# --8<-- [end:imports]


# --8<-- [start:first]
@cache
def first_pull(
    rate: float, prior: bool, q: float = 0.01
) -> tuple[float, float]:
    """Return the loss of an untrained network and the rare class's pull.

    The pull of a sample is the size of its gradient in the logit, |p - y|.

    Args:
        rate: share of the rare class, which has label 1.
        prior: whether the output bias is set to the rate, or to 0.
        q: variance of the logits that the last layer adds to the bias.

    Returns:
        Mean loss, and the rare class's share of the total pull.

    Raises:
        ValueError: the rate is not inside (0, 1).

    >>> loss, pull = first_pull(0.01, prior=True, q=0.0)
    >>> round(loss, 3), round(pull, 3)
    (0.056, 0.5)
    """
    if not 0 < rate < 1:
        raise ValueError(f"rate must be inside (0, 1). Received: rate={rate}")
    generator = torch.Generator().manual_seed(SEED)
    m = 100_000
    y = (torch.arange(m) < round(rate * m)).double()
    z = torch.randn(m, generator=generator, dtype=torch.float64) * q**0.5
    z += -math.log((1 - rate) / rate) if prior else 0.0
    z.requires_grad_()
    loss = torch.nn.functional.binary_cross_entropy_with_logits(z, y)
    (slope,) = torch.autograd.grad(loss, z)
    pull = slope.abs()
    return float(loss.detach()), float((pull * y).sum() / pull.sum())


# --8<-- [end:first]


if __name__ == "__main__":
    # --8<-- [start:demo]
    rates = (0.1, 0.01, 0.002)
    zero = {rate: first_pull(rate, prior=False) for rate in rates}
    prior = {rate: first_pull(rate, prior=True) for rate in rates}
    print("         loss            pull of the rare class")
    print("rate     b = 0  prior    b = 0  prior")
    for rate in rates:
        loss = f"{zero[rate][0]:7.3f}{prior[rate][0]:7.3f}"
        pull = f"{zero[rate][1]:7.3f}{prior[rate][1]:7.3f}"
        print(f"{rate:<8}{loss}  {pull}")
    bias = -math.log(0.99 / 0.01)
    # --8<-- [end:demo]


# --8<-- [start:plot_start]
def plot_start() -> Figure:
    """Draw the first loss and the rare class's pull against its rate."""
    size = (5.2, 4.6)
    fig, axes = plt.subplots(2, sharex=True, figsize=size, layout="constrained")
    names = ("bias 0", "prior bias")
    grid = torch.logspace(math.log10(0.002), math.log10(0.5), 40)
    entropy = -grid * grid.log() - (1 - grid) * (1 - grid).log()
    theory = ((math.log(2) + 0 * grid, entropy), (grid, 0.5 + 0 * grid))
    for row, ax in enumerate(axes):
        for i, prior in enumerate((False, True)):
            points = [first_pull(rate, prior)[row] for rate in RATES]
            ax.plot(RATES, points, "os"[i], color=f"C{i}", label=names[i])
            label = "predicted" if i else None
            line = theory[row][i]
            ax.plot(grid, line, ls="--", lw=1, color="black", label=label)
        ax.set_xscale("log")
    axes[0].set_ylabel("first loss")
    axes[0].legend()
    axes[1].set_ylabel("pull of the rare class")
    axes[1].set_xlabel("share r of the rare class")
    return fig


if __name__ == "__main__":
    plot_start()
    plt.show()
# --8<-- [end:plot_start]
