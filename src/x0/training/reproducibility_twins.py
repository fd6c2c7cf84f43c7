"""Twins that differ in the order of sums only: apart, or together.

Twins in float64 start 9 digits closer than in float32 and still drift apart
if training is unstable; at a lower rate both pairs stay together.
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
STEPS, BATCH, TRAIN = 700, 64, 1437
# --8<-- [end:imports]


# --8<-- [start:train]
def digits_in(dtype: torch.dtype) -> tuple[Tensor, Tensor]:
    """Return images in [0, 1] and labels, in an order of their own."""
    images, labels = load_digits(return_X_y=True)
    generator = torch.Generator().manual_seed(SEED)
    rows = torch.randperm(len(images), generator=generator)
    return torch.tensor(images / 16, dtype=dtype)[rows], torch.tensor(labels)[
        rows
    ]


@functools.cache
def twin_runs(
    dtype: torch.dtype, rate: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Train twins from one start; the second reads each batch backward.

    Returns:
        The relative distance of their weights before each step, and at the
        end: the share of different test predictions, both accuracies.
    """
    x, y = digits_in(dtype)
    generator = torch.Generator().manual_seed(SEED)
    parameters = []
    for m, n in ((64, 32), (32, 32), (32, 10)):
        weight = torch.randn(1, m, n, generator=generator, dtype=torch.float64)
        weight = (weight * math.sqrt(2 / m)).to(dtype).repeat(2, 1, 1)
        parameters += [weight, torch.zeros(2, 1, n, dtype=dtype)]
    for p in parameters:
        p.requires_grad_()
    optimizer = torch.optim.SGD(parameters, lr=rate, momentum=0.9, fused=True)

    def logits(rows: Tensor) -> Tensor:
        h = x[rows]
        for i in range(0, 6, 2):
            h = torch.baddbmm(parameters[i + 1], h, parameters[i])
            h = h.relu() if i < 4 else h
        return h

    distances = np.empty(STEPS)
    for step in range(STEPS):
        flat = torch.cat([p.detach().flatten(1) for p in parameters], 1)
        distances[step] = float((flat[0] - flat[1]).norm() / flat[0].norm())
        row = torch.randint(TRAIN, (BATCH,), generator=generator)
        rows = torch.stack([row, row.flip(0)])
        log_p = logits(rows).log_softmax(-1)
        loss = -log_p.gather(-1, y[rows].unsqueeze(-1)).mean((1, 2)).sum()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        rest = torch.arange(TRAIN, len(x)).expand(2, -1)
        answers = logits(rest).argmax(-1)
    right = (answers == y[TRAIN:]).double().mean(1)
    changed = (answers[0] != answers[1]).double().mean()
    return distances, np.array([changed, *right])


# --8<-- [end:train]


if __name__ == "__main__":
    # --8<-- [start:demo]
    first, last, changed = {}, {}, {}
    for bits, dtype in ((32, torch.float32), (64, torch.float64)):
        for rate in (0.03, 0.3):
            distances, (share, _, _) = twin_runs(dtype, rate)
            first[bits, rate], last[bits, rate] = distances[1], distances[-1]
            changed[bits, rate] = 100 * share
            apart = "apart" if distances[-1] > 0.01 else "together"
            print(f"float{bits}, rate {rate}: {apart}")
    # --8<-- [end:demo]


# --8<-- [start:plot_twins]
def plot_twins() -> Figure:
    """Draw the distance of twins that differ in the order of sums only."""
    fig, ax = plt.subplots(figsize=(5.2, 3.6), layout="constrained")
    steps = np.unique(np.geomspace(1, STEPS - 1, 50).astype(int))
    curves = [(b, r) for b in (32, 64) for r in (0.3, 0.03)]
    for i, (bits, rate) in enumerate(curves):
        dtype = torch.float32 if bits == 32 else torch.float64
        distances = twin_runs(dtype, rate)[0][steps]
        label = f"float{bits}, η = {rate}"
        (line,) = ax.plot(steps, distances, "os^D"[i], ls="-", label=label)
        line.set(color=f"C{i}", ms=4, lw=1, markevery=5)
    ax.set(xscale="log", yscale="log", xlabel="training step")
    ax.set_ylabel("relative distance")
    ax.legend(loc="upper left")
    return fig


if __name__ == "__main__":
    plot_twins()
    plt.show()
# --8<-- [end:plot_twins]
