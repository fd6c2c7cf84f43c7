"""SGD with a constant rate stops at a noise level set by eta / B.

Var(theta) = eta Sigma / (B lambda (2 - eta lambda)) on a quadratic.

Mandt, Hoffman and Blei (2017) give the limit of small steps.
"""

# --8<-- [start:imports]
import functools
import math

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor

SEED = 0
ROWS, CHAINS = 256, 2000
RATES, BATCHES = (0.05, 0.2, 0.6, 1.2, 1.8), (4, 16, 64)
# --8<-- [end:imports]


# --8<-- [start:chains]
def sgd_chains(
    targets: Tensor,
    rate: float,
    batch: int,
    epochs: int,
    replace: bool,
    generator: torch.Generator,
) -> Tensor:
    """Run SGD on the mean of (theta - target)^2 / 2 from its minimum.

    Args:
        targets: one number for each row, mean 0, shape (rows,).
        rate: learning rate.
        batch: rows in a batch; it divides the number of rows.
        epochs: number of epochs.
        replace: draw each batch anew, instead of shuffling each epoch.
        generator: source of randomness.

    Returns:
        theta at the end, shape (CHAINS,).

    Raises:
        ValueError: batch does not divide the number of rows, or targets are
            no vector of real numbers.
    """
    real = targets.ndim == 1 and targets.is_floating_point()
    if not real or not len(targets):
        raise ValueError(f"Expected a vector. Received: {targets}")
    rows = len(targets)
    if batch < 1 or rows % batch:
        raise ValueError(f"Expected a divisor of {rows}. Received: {batch=}")
    theta = torch.zeros(CHAINS)
    for _ in range(epochs):
        if replace:
            order = torch.randint(rows, (CHAINS, rows), generator=generator)
        else:
            order = torch.rand(CHAINS, rows, generator=generator).argsort(1)
        for mean in targets[order].view(CHAINS, -1, batch).mean(2).T:
            theta = theta - rate * (theta - mean)
    return theta


# --8<-- [end:chains]


# --8<-- [start:excess]
@functools.cache
def excess(rate: float, batch: int, replace: bool) -> tuple[float, float]:
    """Return the mean loss above the minimum and its standard error."""
    generator = torch.Generator().manual_seed(SEED)
    targets = torch.randn(ROWS, generator=generator)
    targets = (targets - targets.mean()) / targets.std(correction=0)
    memory = 3.5 / (1 - abs(1 - rate))  # steps until the start is forgotten
    epochs = math.ceil(memory * batch / ROWS)
    theta = sgd_chains(targets, rate, batch, epochs, replace, generator)
    loss = theta**2 / 2
    return float(loss.mean()), float(loss.std()) / math.sqrt(CHAINS)


# --8<-- [end:excess]


if __name__ == "__main__":
    # --8<-- [start:demo]
    measured, predicted, at_end = {}, {}, {}
    print("rate  batch   rate/B   excess loss   predicted")
    for rate, batch in ((0.05, 4), (0.2, 16), (0.6, 16), (1.8, 16)):
        measured[rate, batch] = excess(rate, batch, True)
        predicted[rate, batch] = rate / batch / (2 - rate) / 2
        print(f"{rate:4g}{batch:6d}{rate / batch:10.4f}", end="")
        print(f"{measured[rate, batch][0]:12.4f}", end="")
        print(f"{predicted[rate, batch]:13.4f}")
    for name, replace in (("again", True), ("shuffled", False)):
        mean, error = excess(0.05, 16, replace)
        print(f"rate 0.05, batch 16, epoch end, {name}: {mean:.5f}")
        at_end[name] = 1e4 * mean, 1e4 * error  # in units of 0.0001
    # --8<-- [end:demo]


# --8<-- [start:plot_level]
def plot_level() -> Figure:
    """Draw the excess loss against the ratio of rate and batch size."""
    fig, ax = plt.subplots(figsize=(5.2, 3.4), layout="constrained")
    for i, batch in enumerate(BATCHES):
        x = np.array(RATES) / batch
        y = [excess(rate, batch, True)[0] for rate in RATES]
        label = f"B = {batch}"
        ax.plot(x, y, "os^"[i], color=f"C{i}", label=label)
        fine = np.geomspace(0.05, 1.8, 40)
        line = fine / batch / (2 - fine) / 2
        name = "predicted" if i == 0 else None
        ax.plot(fine / batch, line, "--", lw=1, color="black", label=name)
    ends = np.array([0.05 / 64, 1.8 / 4])
    ax.plot(ends, ends / 4, ":", lw=1, color="0.5", label="η / 4B")
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("η / B")
    ax.set_ylabel("loss above the minimum")
    ax.legend()
    return fig


if __name__ == "__main__":
    plot_level()
    plt.show()
# --8<-- [end:plot_level]
