"""An epoch visits every row once, in batches of random rows: that is SGD.

theta_t = theta_{t-1} - eta * (mean gradient of B rows)

Robbins and Monro (1951).
"""

# --8<-- [start:imports]
import functools
import math
from collections.abc import Iterator

import numpy as np
import torch
from sklearn.datasets import load_digits
from torch import Tensor, nn

SEED, RUNS, RATE = 0, 20, 0.02
# --8<-- [end:imports]


# --8<-- [start:batches]
def epoch_batches(
    rows: int, batch: int, generator: torch.Generator
) -> Iterator[Tensor]:
    """Yield the row numbers of one epoch: each row once, in random order.

    Args:
        rows: number of rows N.
        batch: rows in a batch B; the last batch holds what is left.
        generator: source of randomness.

    Raises:
        ValueError: batch is not in 1 … rows.

    >>> generator = torch.Generator().manual_seed(0)
    >>> [len(rows) for rows in epoch_batches(10, 4, generator)]
    [4, 4, 2]
    """
    if not 1 <= batch <= rows:
        raise ValueError(f"Expected 1 <= batch <= {rows}. Received: {batch=}")
    order = torch.randperm(rows, generator=generator)
    for start in range(0, rows, batch):
        yield order[start : start + batch]


# --8<-- [end:batches]


# --8<-- [start:sgd]
def sgd_epoch(
    model: nn.Module,
    x: Tensor,
    y: Tensor,
    rate: float,
    batch: int,
    generator: torch.Generator,
) -> int:
    """Train a classifier for one epoch of SGD and return the steps taken.

    Args:
        model: maps inputs of shape (rows, features) to logits.
        x: inputs, shape (N, features).
        y: classes, shape (N,).
        rate: learning rate.
        batch: rows in a batch.
        generator: source of randomness.

    Raises:
        ValueError: every parameter is frozen, or there is none.
    """
    parameters = [p for p in model.parameters() if p.requires_grad]
    if not parameters:
        raise ValueError(f"Nothing to train. Received: {type(model)}")
    steps = 0
    for rows in epoch_batches(len(x), batch, generator):
        loss = nn.functional.cross_entropy(model(x[rows]), y[rows])
        gradients = torch.autograd.grad(
            loss, parameters, materialize_grads=True
        )
        with torch.no_grad():
            for p, g in zip(parameters, gradients, strict=True):
                p.sub_(rate * g)
        steps += 1
    return steps


# --8<-- [end:sgd]


# --8<-- [start:digits]
@functools.cache
def digits() -> tuple[Tensor, Tensor]:
    """Return images in [0, 1], shape (1797, 64), and their classes."""
    images, labels = load_digits(return_X_y=True)
    return torch.tensor(images, dtype=torch.float32) / 16, torch.tensor(labels)


@functools.cache
def train_digits(
    batch: int, rate: float, epochs: int, seed: int = SEED
) -> tuple[int, float]:
    """Return the steps of an epoch and the final loss on the digits."""
    generator = torch.Generator().manual_seed(seed)
    x, y = digits()
    layers = nn.Linear(64, 32), nn.Linear(32, 10)
    for layer in layers:
        nn.init.kaiming_normal_(layer.weight, generator=generator)
        nn.init.zeros_(layer.bias)
    model = nn.Sequential(layers[0], nn.ReLU(), layers[1])
    steps = 0
    for _ in range(epochs):
        steps = sgd_epoch(model, x, y, rate, batch, generator)
    return steps, float(nn.functional.cross_entropy(model(x), y).detach())


# --8<-- [end:digits]


if __name__ == "__main__":
    # --8<-- [start:demo]
    steps = {}
    constant: dict[int, tuple[float, float]] = {}
    scaled: dict[int, tuple[float, float]] = {}
    for batch in (16, 64, 256):
        for found, rate in ((constant, RATE), (scaled, RATE * batch / 16)):
            seeds = range(SEED, SEED + RUNS)
            runs = [train_digits(batch, rate, 5, seed) for seed in seeds]
            steps[batch] = runs[0][0]
            losses = np.array([loss for _, loss in runs])
            error = losses.std(ddof=1) / math.sqrt(RUNS)
            found[batch] = float(losses.mean()), float(error)
    # --8<-- [end:demo]
