"""With the width muP changes output weights and rates, not hidden weights.

Hidden weights have the variance 1 / fan_in under SGD and under Adam; their
learning rate is 1 for SGD, 1 / fan_in for Adam; the output has 1 / fan_in^2.

Yang et al. (2022), Tensor Programs V.
"""

# --8<-- [start:imports]
import math

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch import Tensor

SEED = 0
WIDTHS = (32, 64, 128, 256, 512)
NETWORKS, SIZE = 20, 16
# optimizer: learning rates at the first width
RATES = {"SGD": 0.1, "Adam": 0.01}
# --8<-- [end:imports]


# --8<-- [start:change]
def first_change(
    optimizer: str, width: int, mup: bool, generator: torch.Generator
) -> Tensor:
    """Return how far one step moves the hidden pre-activations of one input.

    The network is x -> tanh(U x) -> tanh(W h) -> a h', with weights of
    variance 1 / fan_in; the output has 1 / fan_in^2 under muP. Only the
    hidden matrix W is trained.

    Args:
        optimizer: a key of RATES.
        width: number of units in both hidden layers.
        mup: scale output and learning rate as muP does, relative to
            WIDTHS[0].
        generator: source of randomness.

    Returns:
        Root mean square of the change of z = W h, shape (NETWORKS,).

    Raises:
        ValueError: the optimizer is unknown.

    >>> generator = torch.Generator().manual_seed(0)
    >>> first_change("Adam", 64, False, generator).shape
    torch.Size([20])
    """
    if optimizer not in RATES:
        raise ValueError(f"Choose one of {list(RATES)}. Received: {optimizer=}")

    def normal(*shape: int, variance: float) -> Tensor:
        return torch.randn(shape, generator=generator) * math.sqrt(variance)

    ratio = WIDTHS[0] / width
    rate = RATES[optimizer]
    if mup and optimizer == "Adam":
        rate *= ratio
    output = ratio / width if mup else 1 / width
    x = normal(NETWORKS, SIZE, 1, variance=1)
    h = (normal(NETWORKS, width, SIZE, variance=1 / SIZE) @ x).tanh()
    w = normal(NETWORKS, width, width, variance=1 / width).requires_grad_()
    z = w @ h
    y = normal(NETWORKS, 1, width, variance=output) @ z.tanh()
    (gradient,) = torch.autograd.grad(-y.sum(), w)  # the output should grow
    if optimizer == "Adam":
        gradient = gradient / (gradient.abs() + 1e-8)
    change = rate * (gradient @ h)
    return change.square().mean((1, 2)).sqrt()


def slopes() -> dict[tuple[str, bool], tuple[list[Tensor], float]]:
    """Return the changes by width and their slope in log-log coordinates."""
    found = {}
    for optimizer in RATES:
        for mup in (False, True):
            generator = torch.Generator().manual_seed(SEED)
            changes = [
                first_change(optimizer, width, mup, generator)
                for width in WIDTHS
            ]
            means = torch.stack(changes).log().mean(1)
            span = math.log(WIDTHS[-1] / WIDTHS[0])
            slope = float(means[-1] - means[0]) / span
            found[optimizer, mup] = changes, slope
    return found


# --8<-- [end:change]


if __name__ == "__main__":
    # --8<-- [start:demo]
    predicted = {("SGD", False): 0.5, ("Adam", False): 1.0}
    print("change of z ~ width^slope    predicted  measured")
    for (optimizer, mup), (_, slope) in slopes().items():
        name = f"{optimizer}, {'muP' if mup else 'constant rate'}"
        theory = predicted.get((optimizer, mup), 0.0)
        print(f"{name:<28}{theory:10.1f}{round(slope, 1) + 0:10.1f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_change]
def plot_change() -> Figure:
    """Draw the change of z against the width."""
    fig, ax = plt.subplots(figsize=(5.6, 3.6), layout="constrained")
    powers = {("SGD", False): 0.5, ("Adam", False): 1.0}
    for i, ((optimizer, mup), (changes, _)) in enumerate(slopes().items()):
        means = torch.stack(changes).log().mean(1).exp()
        power = powers.get((optimizer, mup), 0.0)
        line = [float(means[0]) * (n / WIDTHS[0]) ** power for n in WIDTHS]
        label = "predicted slope" if i == 0 else None
        ax.plot(WIDTHS, line, ls="--", lw=1, color="black", label=label)
        name = f"{optimizer}, μP" if mup else f"{optimizer}, constant rate"
        ax.plot(WIDTHS, means, "os^D"[i], ms=5, color=f"C{i}", label=name)
    ax.set_xscale("log", base=2)
    ax.set_yscale("log")
    ax.set_xlabel("width")
    ax.set_ylabel("change of z in one step", labelpad=8)
    ax.legend()
    return fig


if __name__ == "__main__":
    plot_change()
    plt.show()
# --8<-- [end:plot_change]
