"""Convex units can make a network convex in its input, not in its weights.

g convex, phi convex and nondecreasing: phi(g) is convex

Amos, Xu and Kolter (2017), "Input Convex Neural Networks".
"""

# --8<-- [start:imports]
import functools

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from sklearn.datasets import load_digits
from torch import Tensor
from torch.nn import functional

SEED = 0
PATH = torch.linspace(0, 1, 21)
# --8<-- [end:imports]


# --8<-- [start:input]
def midpoint_violations(signed: bool, seed: int = SEED) -> float:
    """Return how often f((x + y) / 2) exceeds the mean of f(x) and f(y).

    f is a ReLU network 4-32-32-1 with random weights.

    Args:
        signed: whether the weights behind the first layer keep their signs;
            otherwise their absolute values make f convex.
        seed: seed of weights and points.

    Returns:
        Share of 2000 random pairs of points.

    >>> midpoint_violations(signed=False)
    0.0
    """
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape: int) -> Tensor:
        return torch.randn(*shape, generator=generator, dtype=torch.float64)

    first, *rest = draw(4, 32), draw(32, 32), draw(32, 1)
    if not signed:
        rest = [w.abs() for w in rest]

    def f(x: Tensor) -> Tensor:
        h = torch.relu(x @ first + 1)
        return torch.relu(h @ rest[0]) @ rest[1]

    x, y = draw(2000, 4), draw(2000, 4)
    chord = (f(x) + f(y)) / 2
    above = f((x + y) / 2) > chord + 1e-9 * chord.abs()
    return float(above.double().mean())


# --8<-- [end:input]


# --8<-- [start:weights]
@functools.cache
def trained_pair() -> tuple[Tensor, ...]:
    """Train 64-16-10 on digits; return x, y, w, u and a permuted copy's."""
    data = load_digits()
    x = torch.from_numpy(data.data[:600]) / 16
    y = torch.from_numpy(data.target[:600])
    generator = torch.Generator().manual_seed(SEED)
    w = torch.randn(64, 16, generator=generator, dtype=x.dtype) * 0.2
    u = torch.randn(16, 10, generator=generator, dtype=x.dtype) * 0.3
    parameters = [w.requires_grad_(), u.requires_grad_()]
    optimizer = torch.optim.SGD(parameters, lr=0.3, momentum=0.9)
    for _ in range(120):
        loss = functional.cross_entropy(torch.relu(x @ w) @ u, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    w, u = w.detach(), u.detach()
    shift = torch.arange(16).roll(1)
    return x, y, w, u, w[:, shift], u[shift]


def losses_on_path(last_layer_only: bool) -> list[float]:
    """Return the loss on the straight line to the permuted copy.

    Args:
        last_layer_only: keep the hidden layer, and move the last one.
    """
    x, y, w, u, other_w, other_u = trained_pair()
    end = w if last_layer_only else other_w
    found = []
    for t in PATH.tolist():
        h = torch.relu(x @ torch.lerp(w, end, t))
        z = h @ torch.lerp(u, other_u, t)
        found.append(float(functional.cross_entropy(z, y)))
    return found


# --8<-- [end:weights]


if __name__ == "__main__":
    # --8<-- [start:demo]
    shares = {
        "positive": midpoint_violations(signed=False),
        "signed": midpoint_violations(signed=True),
    }
    for name, share in shares.items():
        print(f"{name:9} weights: above the chord {share:.1f}")
    paths = {
        "whole": losses_on_path(last_layer_only=False),
        "last": losses_on_path(last_layer_only=True),
    }
    for name, path in paths.items():
        chord = (path[0] + path[-1]) / 2
        print(f"{name:6} middle above the chord: {path[10] > chord}")
    # --8<-- [end:demo]


# --8<-- [start:plot_barrier]
def plot_barrier() -> Figure:
    """Draw the loss between a network and its permuted copy."""
    size = (5.2, 4.6)
    fig, axes = plt.subplots(2, sharex=True, figsize=size, layout="constrained")
    titles = ("both layers move", "the last layer moves")
    for i, ax in enumerate(axes):
        path = losses_on_path(last_layer_only=bool(i))
        ax.plot(PATH, path, "o-", lw=1, color=f"C{i}", label="loss")
        ends = (path[0], path[-1])
        ax.plot((0, 1), ends, ls="--", lw=1, color="black", label="chord")
        ax.set_title(titles[i])
        ax.set_ylabel("loss")
        ax.legend()
    axes[1].set_xlabel("share of the copy")
    return fig


if __name__ == "__main__":
    plot_barrier()
    plt.show()
# --8<-- [end:plot_barrier]
