"""On few digits the validation loss has its minimum before the training loss.

With random labels the loss rises far above it; without them it hardly does.
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
RUNS, IMAGES, HIDDEN, EPOCHS, EVERY = 20, 200, 256, 200, 5
# --8<-- [end:imports]


# --8<-- [start:train]
def digit_splits(noise: float) -> tuple[tuple[Tensor, Tensor], ...]:
    """Return images and labels of training, validation and test, stacked.

    Args:
        noise: share of the training labels that is drawn at random.
    """
    images, labels = load_digits(return_X_y=True)
    x, y = torch.tensor(images / 16).float(), torch.tensor(labels)
    parts: list[list[tuple[Tensor, Tensor]]] = [[], [], []]
    for run in range(RUNS):
        generator = torch.Generator().manual_seed(SEED + run)
        rows = torch.randperm(len(x), generator=generator)
        ends = (0, IMAGES, IMAGES + 300, 1300)
        for k in range(3):
            part = rows[ends[k] : ends[k + 1]]
            target = y[part].clone()
            if k == 0:
                count = round(noise * IMAGES)
                target[:count] = torch.randint(
                    10, (count,), generator=generator
                )
            parts[k].append((x[part], target))
    stacked = [
        (torch.stack([a for a, _ in p]), torch.stack([b for _, b in p]))
        for p in parts
    ]
    return tuple(stacked)


@functools.cache
def train_on_few(noise: float) -> NDArray[np.float64]:
    """Train 64-256-10 ReLU networks; return their curves.

    Returns:
        Shape (7, RUNS, checks), every EVERY epochs of full batches: training,
        validation and test loss; validation and test accuracy; and of the
        training images with a wrong label, the share that gets this label,
        and the share that gets the true one.
    """
    parts, truth = digit_splits(noise), digit_splits(0.0)[0][1]
    wrong = parts[0][1] != truth
    generator = torch.Generator().manual_seed(SEED)
    parameters = []
    for m, n in ((64, HIDDEN), (HIDDEN, 10)):
        weight = torch.randn(RUNS, m, n, generator=generator)
        parameters += [weight * math.sqrt(2 / m), torch.zeros(RUNS, 1, n)]
    w1, b1, w2, b2 = (p.requires_grad_() for p in parameters)
    optimizer = torch.optim.SGD([w1, b1, w2, b2], lr=0.1, momentum=0.9)

    def logits(x: Tensor) -> Tensor:
        return torch.baddbmm(b2, torch.baddbmm(b1, x, w1).relu(), w2)

    def evaluate(part: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
        x, y = part
        z = logits(x)
        log_p = z.log_softmax(-1).gather(-1, y.unsqueeze(-1))
        right = (z.argmax(-1) == y).double().mean(-1)
        return -log_p.mean((1, 2)), right

    history = []
    for epoch in range(EPOCHS):
        loss = evaluate(parts[0])[0]
        if epoch % EVERY == 0:
            with torch.no_grad():
                (v, va), (t, ta) = evaluate(parts[1]), evaluate(parts[2])
                said = logits(parts[0][0]).argmax(-1)
                rows = [loss.detach(), v, t, va, ta]
                for y in (parts[0][1], truth):
                    hits = ((said == y) & wrong).sum(-1)
                    rows.append(hits / wrong.sum(-1).clamp(min=1))
            history.append(torch.stack([r.double() for r in rows]))
        optimizer.zero_grad()
        loss.sum().backward()
        optimizer.step()
    return torch.stack(history, -1).numpy()


# --8<-- [end:train]


# --8<-- [start:mean]
def mean_and_error(x: NDArray[np.float64]) -> tuple[float, float]:
    """Return the mean and its standard error.

    Raises:
        ValueError: fewer than two numbers, or not all finite.
    """
    if x.ndim != 1 or len(x) < 2 or not np.isfinite(x).all():
        raise ValueError(f"Expected two or more numbers. Received: {x}")
    return float(x.mean()), float(x.std(ddof=1) / math.sqrt(len(x)))


# --8<-- [end:mean]


if __name__ == "__main__":
    # --8<-- [start:demo]
    epoch, best, end, loss, rise, fitted = {}, {}, {}, {}, {}, {}
    print("labels  accuracy at the minimum, at the end")
    for name, noise in (("clean", 0.0), ("noisy", 0.2)):
        curves = train_on_few(noise)
        at = curves[1].argmin(-1)
        epoch[name] = mean_and_error(EVERY * at)
        best[name] = mean_and_error(100 * curves[4, np.arange(RUNS), at])
        end[name] = mean_and_error(100 * curves[4, :, -1])
        path = curves[1].mean(0)  # the curve of the figure
        loss[name] = path.min()
        rise[name] = 100 * (path[-1] / path.min() - 1)
        fitted[name] = [curves[5:, range(RUNS), k].mean(1) for k in (at, -1)]
        print(f"{name}  {best[name][0]:14.0f} %  {end[name][0]:12.0f} %")
    print("wrong labels: share that gets the wrong one, and the true one")
    for moment, shares in zip(("minimum", "end"), fitted["noisy"], strict=True):
        print(f"  at the {moment:<8}{shares[0]:.2f}  {shares[1]:.2f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_curves]
def plot_curves() -> Figure:
    """Draw the training and validation losses, and the minimum of each."""
    size = (5.2, 4.6)
    fig, axes = plt.subplots(2, sharex=True, figsize=size, layout="constrained")
    epochs = np.arange(0, EPOCHS, EVERY)
    titles = ("clean labels", "20 % random labels")
    for ax, noise, title in zip(axes, (0.0, 0.2), titles, strict=True):
        curves = train_on_few(noise).mean(1)
        for k, label in ((0, "training loss"), (1, "validation loss")):
            (line,) = ax.plot(epochs, curves[k], f"C{k}", label=label)
            line.set(marker="os"[k], ms=4, markevery=6, lw=1)
            at = int(curves[k].argmin())
            ax.plot(epochs[at], curves[k][at], "*k", ms=10)
        ax.set(yscale="log", title=title, ylabel="loss")
    axes[0].legend(loc="upper right")
    axes[1].set_xlabel("epoch")
    return fig


if __name__ == "__main__":
    plot_curves()
    plt.show()
# --8<-- [end:plot_curves]
