"""A correct training loop can drive the loss of one batch near zero.

softmax before the loss: it stays above ln(1 + (C - 1) / e)
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
from torch import nn

SEED = 0
RUNS, IMAGES, STEPS = 20, 32, 200
BUGS = ("none", "softmax twice", "labels reordered", "another model")
# --8<-- [end:imports]


# --8<-- [start:overfit]
@functools.cache
def batch_losses(bug: str) -> NDArray[np.float64]:
    """Train 64-64-10 ReLU networks on one batch, with a planted bug.

    Args:
        bug: "none"; "softmax twice": the model ends in a softmax; "labels
            reordered": in each step anew, and the images are not; "another
            model": the optimizer was given the parameters of a copy.

    Returns:
        The loss of each step, shape (RUNS, STEPS).
    """
    images, labels = load_digits(return_X_y=True)
    x, y = torch.tensor(images / 16).float(), torch.tensor(labels)
    losses = np.zeros((RUNS, STEPS))
    for run in range(RUNS):
        generator = torch.Generator().manual_seed(SEED + run)
        rows = torch.randperm(len(x), generator=generator)[:IMAGES]
        models = []
        for _ in range(2):
            model = nn.Sequential(
                nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 10)
            )
            for p in model.parameters():
                bound = 1 / 8  # PyTorch's own, for 64 inputs
                nn.init.uniform_(p, -bound, bound, generator=generator)
            models.append(model)
        trained = models[bug == "another model"]
        optimizer = torch.optim.Adam(trained.parameters(), lr=0.01)
        for step in range(STEPS):
            target = y[rows]
            if bug == "labels reordered":
                order = torch.randperm(IMAGES, generator=generator)
                target = target[order]
            output = models[0](x[rows])
            if bug == "softmax twice":
                output = output.softmax(-1)
            loss = nn.functional.cross_entropy(output, target)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses[run, step] = loss.item()
    return losses


# --8<-- [end:overfit]


if __name__ == "__main__":
    # --8<-- [start:demo]
    first = {bug: float(batch_losses(bug)[:, 0].mean()) for bug in BUGS}
    last = {bug: float(batch_losses(bug)[:, -1].mean()) for bug in BUGS}
    twice = math.log(1 + 9 / math.e)
    print(f"softmax twice: at least {twice:.2f}")
    for bug in BUGS:
        print(f"{bug:<17}{first[bug]:.2f} -> {last[bug]:.3f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_bugs]
def plot_bugs() -> Figure:
    """Draw the loss of one batch, without a bug and with each of three."""
    fig, ax = plt.subplots(figsize=(5.6, 3.3))
    fig.set_layout_engine("constrained", rect=(0, 0, 0.99, 1))
    styles = ("-", "--", "-.", ":")
    for i, bug in enumerate(BUGS):
        mean = batch_losses(bug).mean(0)
        ax.plot(mean, styles[i], color=f"C{i}")
        ax.text(
            STEPS + 4,
            mean[-1],
            "no bug" if bug == "none" else bug,
            color=f"C{i}",
            va="bottom" if i in (0, 3) else "top",
        )
    ax.set(xlim=(0, 1.4 * STEPS), xlabel="step", ylabel="loss of the batch")
    ax.set_xticks(range(0, STEPS + 1, 50))
    return fig


if __name__ == "__main__":
    plot_bugs()
    plt.show()
# --8<-- [end:plot_bugs]
