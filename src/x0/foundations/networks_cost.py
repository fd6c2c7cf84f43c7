"""Reverse mode costs less than three forward passes, whatever the size.

(forward + backward) / forward = 3 - n_1 n_0 / sum(n_l n_{l-1})

Counted in multiplications of matrix products. Griewank and Walther (2008).
"""

# --8<-- [start:imports]
import itertools
from collections.abc import Callable
from typing import Any

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.multiprocessing.reductions import StorageWeakRef
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.checkpoint import checkpoint
from torch.utils.flop_counter import FlopCounterMode

SEED = 0
WIDTHS = (2, 4, 8, 16, 32, 64, 128)
# --8<-- [end:imports]


# --8<-- [start:count]
def tanh_loss(weights: list[Tensor], x: Tensor, every: int = 0) -> Tensor:
    """Return the loss of a tanh network without biases.

    Args:
        weights: one tensor per layer, shape (n_out, n_in).
        x: inputs, floating-point, shape (m, n_0).
        every: keep only the input of each group of so many layers, and
            compute the rest again in the backward pass; 0 keeps all.
    """

    def run(group: list[Tensor], h: Tensor) -> Tensor:
        for weight in group:
            h = torch.tanh(h @ weight.T)
        return h

    h = x
    for i in range(0, len(weights), every or len(weights)):
        group = weights[i : i + every] if every else weights
        if every:
            h = checkpoint(run, group, h, use_reentrant=False)
        else:
            h = run(group, h)
    return h.square().mean()


def draw_network(
    widths: tuple[int, ...], m: int = 8
) -> tuple[list[Tensor], Tensor]:
    """Draw the weights of a network and m inputs."""
    generator = torch.Generator().manual_seed(SEED)
    weights = [
        torch.randn(b, a, generator=generator) / a**0.5
        for a, b in itertools.pairwise(widths)
    ]
    return weights, torch.randn(m, widths[0], generator=generator)


def gradient_cost(weights: list[Tensor], x: Tensor) -> dict[str, float]:
    """Count the cost of a full gradient, in forward passes, three ways.

    Forward mode and differences need one run per parameter; one run of
    either is counted and multiplied. The inputs x, not empty, are real.

    >>> found = gradient_cost(*draw_network((4, 4, 4)))
    >>> found["reverse"], found["differences"]
    (2.5, 33.0)
    """

    def cost(call: Callable[[], object]) -> int:
        with FlopCounterMode(display=False) as counter:
            call()
        return int(counter.get_total_flops())

    def reverse() -> None:
        leaves = [w.detach().requires_grad_() for w in weights]
        torch.autograd.grad(tanh_loss(leaves, x), leaves)

    def tangent() -> None:
        h, moved = x, torch.zeros_like(x)
        for i, weight in enumerate(weights):
            step = torch.ones_like(weight)  # a direction in weight space
            moved = h @ step.T + (moved @ weight.T if i else 0)
            h = torch.tanh(h @ weight.T)
            moved = moved * (1 - h**2)

    parameters = sum(w.numel() for w in weights)
    once = cost(lambda: tanh_loss(weights, x))
    return {
        "parameters": parameters,
        "reverse": cost(reverse) / once,
        "forward": parameters * cost(tangent) / once,
        "differences": parameters + 1.0,
    }


class CountLive(TorchDispatchMode):
    """Counts the results of a given size that are alive at the same time."""

    def __init__(self, numel: int) -> None:
        super().__init__()
        self.numel, self.most = numel, 0
        self.alive: dict[int, StorageWeakRef] = {}

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        out = func(*args, **(kwargs or {}))
        if isinstance(out, Tensor) and out.numel() == self.numel:
            storage = out.untyped_storage()
            self.alive[storage._cdata] = StorageWeakRef(storage)
        self.alive = {k: r for k, r in self.alive.items() if not r.expired()}
        self.most = max(self.most, len(self.alive))
        return out


def live_numbers(weights: list[Tensor], x: Tensor, every: int = 0) -> int:
    """Return how many numbers a forward and a backward pass hold at most.

    For layers as wide as the input, per input: activations and gradients of
    activations; what a group that is computed again holds is counted too.
    """
    leaves = [w.detach().requires_grad_() for w in weights]
    with CountLive(x.numel()) as count:
        tanh_loss(leaves, x, every).backward()
    return int(count.most) * int(x.shape[1])


# --8<-- [end:count]


if __name__ == "__main__":
    # --8<-- [start:demo]
    costs = {n: gradient_cost(*draw_network((n,) * 5)) for n in (2, 16, 128)}
    print("width  parameters  reverse  forward  differences")
    for n, cost in costs.items():
        print(
            f"{n:5d}{cost['parameters']:12d}{cost['reverse']:9.2f}"
            f"{cost['forward']:9.0f}{cost['differences']:13.0f}"
        )
    pyramid = gradient_cost(*draw_network((784, 256, 128, 10)))
    print(f"784-256-128-10, reverse: {pyramid['reverse']:.3f}")

    live, with_checkpoints = {}, {}
    print("depth  held per input  with checkpoints")
    for depth in (16, 64):
        weights, x = draw_network((32,) * (depth + 1))
        root = round(depth**0.5)
        live[depth] = live_numbers(weights, x)
        with_checkpoints[depth] = live_numbers(weights, x, root)
        print(f"{depth:5d}{live[depth]:16d}{with_checkpoints[depth]:18d}")
    # --8<-- [end:demo]


# --8<-- [start:plot_ways]
def plot_ways() -> Figure:
    """Draw the cost of a gradient against the number of parameters."""
    fig, ax = plt.subplots(figsize=(5.2, 3.4), layout="constrained")
    found = [gradient_cost(*draw_network((n,) * 5)) for n in WIDTHS]
    size = [row["parameters"] for row in found]
    names = ("differences", "forward", "reverse")
    labels = ("finite differences", "forward mode", "reverse mode")
    for i, (name, label) in enumerate(zip(names, labels, strict=True)):
        cost = [row[name] for row in found]
        ax.plot(size, cost, "^so"[i], label=label, color=f"C{i}")
    law = [[n + 1 for n in size], [2.75 * n for n in size], [2.75] * len(size)]
    for i, line in enumerate(law):
        ax.plot(size, line, ls="--", lw=1, color=f"C{i}")
    ax.set(xscale="log", yscale="log", xlabel="parameters")
    ax.set_ylabel("cost / forward pass")
    ax.legend()
    return fig


if __name__ == "__main__":
    plot_ways()
    plt.show()
# --8<-- [end:plot_ways]
