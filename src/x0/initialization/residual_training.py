"""Without normalization 32 branches learn in 150 steps if they start small.

s = 1/sqrt(K), Fixup and a gate of 0 learn; s = 1 does not

Real digits, residual ReLU networks, all of them trained in one product.
"""

# --8<-- [start:imports]
import functools
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from torch import Tensor

SEED = 0
SEEDS, COUNT, WIDTH, BATCH, STEPS = 3, 32, 32, 32, 150
RATE, MOMENTUM = 0.01, 0.9
NAMES = ("as they are", "1/√K", "Fixup", "gate 0")
# --8<-- [end:imports]


# --8<-- [start:networks]
def residual_networks(generator: torch.Generator) -> list[Tensor]:
    """Return first and last weights of the branches, gates, stem and head.

    Branch weights have shape (COUNT, 4 rules * SEEDS, WIDTH, WIDTH), gates
    (COUNT, 4 * SEEDS, 1, 1); the rules share one draw.
    """
    shape = (COUNT, SEEDS, WIDTH, WIDTH)
    first = torch.randn(shape, generator=generator) / math.sqrt(WIDTH)
    last = torch.randn(shape, generator=generator) * math.sqrt(2 / WIDTH)
    small = COUNT**-0.5
    stem = torch.randn(SEEDS, 64, WIDTH, generator=generator) / 8
    head = torch.randn(SEEDS, WIDTH, 10, generator=generator)
    gates = torch.ones(COUNT, len(NAMES), SEEDS, 1, 1)
    gates[:, 3] = 0
    parameters = [
        torch.cat([first, first, small * first, first], 1),
        torch.cat([last, small * last, 0 * last, last], 1),
        gates.flatten(1, 2),
        stem.repeat(len(NAMES), 1, 1),
        torch.cat([g * head / math.sqrt(WIDTH) for g in (1, 1, 0, 1)]),
    ]
    return [p.requires_grad_() for p in parameters]


# --8<-- [end:networks]


# --8<-- [start:train]
@functools.cache
def train_residual(steps: int = STEPS) -> NDArray[np.float64]:
    """Train all networks at once and return their losses.

    The gradient of each network is clipped to norm 1, so that none becomes
    infinite. The gates learn in the last rule only.

    Returns:
        Cross-entropy of each batch, shape (4 rules, SEEDS, steps).
    """
    generator = torch.Generator().manual_seed(SEED)
    images, labels = load_digits(return_X_y=True)
    data = torch.tensor(images, dtype=torch.float32)
    data = (data - data.mean(0)) / data.std(0).clamp(min=1e-6)
    target = torch.tensor(labels)
    parameters = residual_networks(generator)
    first, last, gates, stem, head = parameters
    velocity = [torch.zeros_like(p) for p in parameters]
    history = []
    for _ in range(steps):
        rows = torch.randint(len(data), (SEEDS, BATCH), generator=generator)
        rows = rows.repeat(len(NAMES), 1)
        x = data[rows] @ stem
        for a, b, gate in zip(first, last, gates, strict=True):
            x = x + gate * ((x @ a).relu() @ b)
        log_p = (x @ head).log_softmax(-1)
        loss = -log_p.gather(-1, target[rows].unsqueeze(-1)).mean((1, 2))
        gradients = torch.autograd.grad(loss.sum(), parameters)
        with torch.no_grad():
            gradients[2].view(COUNT, len(NAMES), -1)[:, :3] = 0
            squares = [
                g.square().sum((0, 2, 3) if g.dim() == 4 else (1, 2))
                for g in gradients
            ]
            norm = torch.stack(squares).sum(0).sqrt()
            clip = norm.clamp(min=1)[:, None, None]
            for p, v, g in zip(parameters, velocity, gradients, strict=True):
                v.mul_(MOMENTUM).add_(g / clip)
                p.sub_(RATE * v)
        history.append(loss.detach())
    losses = torch.stack(history, 1).double().numpy()
    return losses.reshape(len(NAMES), SEEDS, steps)


# --8<-- [end:train]


if __name__ == "__main__":
    # --8<-- [start:demo]
    chance = math.log(10)
    final = {}
    print("rule         first step  last 20 steps")
    for name, loss in zip(NAMES, train_residual(), strict=True):
        end = loss[:, -20:].mean(1)
        final[name] = end.mean(), end.std(ddof=1) / math.sqrt(SEEDS)
        print(f"{name:<13}{loss[:, 0].mean():10.1g}{end.mean():15.1g}")
    # --8<-- [end:demo]


# --8<-- [start:plot_loss]
def plot_loss() -> Figure:
    """Draw the training loss of each rule, mean of three seeds."""
    fig, ax = plt.subplots(figsize=(5.6, 3.6), layout="constrained")
    steps = np.arange(0, STEPS, 10)
    loss = train_residual().mean(1).reshape(len(NAMES), -1, 10).mean(-1)
    for i, name in enumerate(NAMES):
        ax.plot(steps, loss[i], "os^D"[i] + "-", ms=4, lw=1, label=name)
    ax.axhline(math.log(10), ls="--", lw=1, color="black", label="ln 10")
    ax.set_yscale("log")
    ax.set_xlabel("step")
    ax.set_ylabel("training loss")
    ax.legend()
    return fig


if __name__ == "__main__":
    plot_loss()
    plt.show()
# --8<-- [end:plot_loss]
