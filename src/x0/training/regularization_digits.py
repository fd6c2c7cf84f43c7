"""Five regularizers and early stopping on 100 digits, clean labels or noisy.

gain of a method = its test accuracy - that of the same run without it

Its strength is chosen on validation images, by the mean over all runs.
"""

# --8<-- [start:imports]
import functools
import math
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from torch import Tensor

SEED = 0
RUNS, IMAGES, HIDDEN, EPOCHS, EVERY = 20, 100, 32, 100, 10
STRENGTHS = {
    "weight decay": (0.003, 0.01, 0.03, 0.1),
    "dropout": (0.2, 0.5, 0.7, 0.9),
    "label smoothing": (0.1, 0.5, 0.7, 0.9),
    "input noise": (0.1, 0.3, 0.6, 1.0),
    "shifted images": (0.25, 0.5, 0.75, 1.0),
}
SMOOTHED = (0.0, 0.02, 0.05, 0.1, 0.2, 0.3)
# --8<-- [end:imports]


# --8<-- [start:data]
def digit_parts(noise: float) -> list[tuple[Tensor, Tensor]]:
    """Return images and labels of training, validation and test, stacked.

    Args:
        noise: share of the training labels that is drawn at random.
    """
    images, labels = load_digits(return_X_y=True)
    x, y = torch.tensor(images / 16).float(), torch.tensor(labels)
    parts: list[list[tuple[Tensor, Tensor]]] = [[], [], []]
    for run in range(RUNS):
        generator = torch.Generator().manual_seed(SEED + run)
        order = torch.randperm(len(x), generator=generator)
        for part, rows in zip(
            parts, order[: IMAGES + 1100].split([IMAGES, 300, 800]), strict=True
        ):
            part.append((x[rows], y[rows].clone()))
        wrong = torch.randint(10, (IMAGES,), generator=generator)
        count = round(noise * IMAGES)
        parts[0][run][1][:count] = wrong[:count]
    return [
        (torch.stack([a for a, _ in p]), torch.stack([b for _, b in p]))
        for p in parts
    ]


def shifted(x: Tensor) -> Tensor:
    """Return images of shape (..., 64) moved by (i, j) pixels, i, j = -1..1.

    Returns:
        Shape (9, ..., 64); what moves in is 0, and number 4 is not moved.

    Raises:
        ValueError: the last dimension is not 64.
    """
    if x.shape[-1:] != (64,):
        raise ValueError(
            f"Shape (..., 64) is needed. Received: {tuple(x.shape)}"
        )
    framed = torch.nn.functional.pad(x.unflatten(-1, (8, 8)), (1, 1, 1, 1))
    moved = [
        framed[..., i : i + 8, j : j + 8] for i in range(3) for j in range(3)
    ]
    return torch.stack(moved).flatten(-2)


# --8<-- [end:data]


# --8<-- [start:train]
def label_loss(logits: Tensor, y: Tensor, smoothing: float) -> Tensor:
    """Return the cross-entropy with smoothed labels.

    Args:
        logits: floating-point, shape (RUNS, samples, classes).
        y: class numbers, shape (RUNS, samples).
        smoothing: share of the uniform distribution in the labels.

    Returns:
        Shape (RUNS,).

    Raises:
        ValueError: the shapes do not fit or hold nothing, logits are not
            floating-point, or y names no class.
    """
    if logits.ndim < 2 or y.shape != logits.shape[:-1] or not logits.numel():
        raise ValueError(
            "Shapes (RUNS, samples, classes) and (RUNS, samples) are needed. "
            f"Received: {tuple(logits.shape)}, {tuple(y.shape)}"
        )
    known = bool(((y >= 0) & (y < logits.shape[-1])).all())
    if not logits.is_floating_point() or y.dtype != torch.int64 or not known:
        raise ValueError(f"Logits and classes. Received: {logits}, {y}")
    log_p = logits.log_softmax(-1)
    true = log_p.gather(-1, y.unsqueeze(-1)).squeeze(-1)
    mixed = (1 - smoothing) * true + smoothing * log_p.mean(-1)
    return -mixed.mean(-1)


def calibration_error(p: Tensor, y: Tensor, bins: int = 10) -> Tensor:
    """Return how far confidence and accuracy are apart, bin by bin.

    Args:
        p: probabilities, not empty, shape (RUNS, samples, classes).
        y: class numbers, shape (RUNS, samples).
        bins: number of equal intervals of the confidence.

    Returns:
        The mean over the bins, weighted by their samples, shape (RUNS,).

    Raises:
        ValueError: the shapes do not fit, not all probabilities are from 0
            to 1, or bins < 1.
    """
    if p.ndim < 2 or not p.shape[-1] or y.shape != p.shape[:-1]:
        raise ValueError(
            "Shapes (RUNS, samples, classes) and (RUNS, samples) are needed. "
            f"Received: {tuple(p.shape)}, {tuple(y.shape)}"
        )
    real = p.is_floating_point() and bool(((p >= 0) & (p <= 1)).all())
    if bins < 1 or not real:
        raise ValueError(
            f"Probabilities and bins >= 1 are needed. Received: {p=}, {bins=}"
        )
    confidence, said = p.max(-1)
    excess = confidence - (said == y).double()
    place = (confidence * bins).long().clamp(max=bins - 1)
    in_bin = torch.nn.functional.one_hot(place, bins)
    sums = (excess.unsqueeze(-1) * in_bin).sum(-2)
    return sums.abs().sum(-1) / y.shape[-1]


@functools.cache
def train_with(
    noise: float, method: str, strength: float
) -> NDArray[np.float64]:
    """Train 64-32-10 ReLU networks with one of the STRENGTHS, or "none".

    Returns:
        Shape (6, RUNS): accuracy on validation and test images, mean
        confidence and calibration error on test images, the mean over the
        training images of the true label's logit above the others' mean,
        and the test accuracy of the check with the lowest validation loss,
        which is made for "none" alone.
    """
    (x, y), validation, test = digit_parts(noise)
    generator = torch.Generator().manual_seed(SEED)
    parameters = []
    for m, n in ((64, HIDDEN), (HIDDEN, 10)):
        weight = torch.randn(RUNS, m, n, generator=generator)
        parameters += [weight * math.sqrt(2 / m), torch.zeros(RUNS, 1, n)]
    w1, b1, w2, b2 = (p.requires_grad_() for p in parameters)
    decay = strength if method == "weight decay" else 0.0
    groups: list[dict[str, Any]] = [
        {"params": [w1, w2], "weight_decay": decay},
        {"params": [b1, b2]},
    ]
    optimizer = torch.optim.SGD(groups, lr=0.1, momentum=0.9)
    smoothing = strength if method == "label smoothing" else 0.0
    images = shifted(x)
    place = torch.arange(RUNS).unsqueeze(1), torch.arange(IMAGES)

    def logits(x: Tensor, drop: float = 0.0) -> Tensor:
        h = torch.baddbmm(b1, x, w1).relu()
        if drop:
            kept = torch.rand(h.shape, generator=generator) >= drop
            h = h * kept / (1 - drop)
        return torch.baddbmm(b2, h, w2)

    @torch.no_grad()
    def right(part: tuple[Tensor, Tensor]) -> Tensor:
        return (logits(part[0]).argmax(-1) == part[1]).double().mean(-1)

    lowest, stopped = torch.full((RUNS,), math.inf), torch.zeros(RUNS)
    for epoch in range(EPOCHS):
        seen, drop = x, 0.0
        if method == "input noise":
            seen = x + strength * torch.randn(x.shape, generator=generator)
        elif method == "shifted images":
            move = torch.randint(9, y.shape, generator=generator)
            stay = torch.rand(y.shape, generator=generator) >= strength
            seen = images[torch.where(stay, 4, move), *place]
        elif method == "dropout":
            drop = strength
        optimizer.zero_grad()
        label_loss(logits(seen, drop), y, smoothing).sum().backward()
        optimizer.step()
        if method == "none" and epoch % EVERY == EVERY - 1:
            with torch.no_grad():
                loss = label_loss(logits(validation[0]), validation[1], 0.0)
            better = loss < lowest
            lowest = torch.where(better, loss, lowest)
            stopped = torch.where(better, right(test), stopped)
    with torch.no_grad():
        p = logits(test[0]).double().softmax(-1)
        z = logits(x)
        own = z.gather(-1, y.unsqueeze(-1)).squeeze(-1)
        gap = (10 * own - z.sum(-1)) / 9  # minus the mean of the nine others
    found = [
        right(validation),
        right(test),
        p.max(-1)[0].mean(-1),
        calibration_error(p, test[1]),
        gap.mean(-1),
        stopped,
    ]
    return torch.stack([f.double() for f in found]).numpy()


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


@functools.cache
def gains(noise: float) -> dict[str, dict[float, NDArray[np.float64]]]:
    """Return the gain in test accuracy, in points, by method and strength.

    Returns:
        Shape (2, RUNS) for each: on the validation and on the test images.
        "early stopping" has one entry, at strength 0.
    """
    plain = train_with(noise, "none", 0.0)
    found = {
        method: {
            s: 100 * (train_with(noise, method, s) - plain)[:2] for s in tried
        }
        for method, tried in STRENGTHS.items()
    }
    stopped = 100 * np.stack([plain[5] - plain[1]] * 2)
    return found | {"early stopping": {0.0: stopped}}


# --8<-- [end:mean]


if __name__ == "__main__":
    # --8<-- [start:demo]
    plain, best, gain, edge, smoothed = {}, {}, {}, {}, {}
    print("gain in test accuracy, in points: clean labels, a fifth random")
    for labels, noise in (("clean", 0.0), ("noisy", 0.2)):
        plain[labels] = mean_and_error(100 * train_with(noise, "none", 0.0)[1])
        for method, tried in gains(noise).items():
            strength = max(tried, key=lambda s: tried[s][0].mean())
            best[labels, method] = strength
            gain[labels, method] = mean_and_error(tried[strength][1])
            edge[labels, method] = mean_and_error(tried[max(tried)][1])
        for e in SMOOTHED:
            run = train_with(noise, "label smoothing", e)
            smoothed[labels, e] = {
                "excess": mean_and_error(100 * (run[2] - run[1])),
                "ece": mean_and_error(100 * run[3]),
                "gap": run[4].mean(),
            }
    for method in (*STRENGTHS, "early stopping"):
        clean, noisy = gain["clean", method], gain["noisy", method]
        print(f"{method:<16}{clean[0]:5.1f}{noisy[0]:7.1f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_gain]
def plot_gain() -> Figure:
    """Draw the gain of each method, at its best strength, for both labels."""
    fig, ax = plt.subplots(figsize=(5.6, 3.2))
    fig.set_layout_engine("constrained", rect=(0.02, 0, 0.98, 1))
    series = (("clean labels", 0.0, "o"), ("a fifth random", 0.2, "s"))
    for i, (label, noise, mark) in enumerate(series):
        rows = []
        for tried in gains(noise).values():
            strength = max(tried, key=lambda s: tried[s][0].mean())
            rows.append(mean_and_error(tried[strength][1]))
        means, errors = np.array(rows).T
        places = np.arange(len(rows)) + 0.12 - 0.24 * i
        ax.errorbar(means, places, xerr=2 * errors, fmt=mark, label=label)
    ax.set_yticks(range(len(rows)), list(gains(0.0)))
    ax.axvline(0, color="black", lw=0.8)
    ax.set(xlabel="gain in test accuracy, in points", ylim=(-0.5, 6.5))
    ax.legend(loc="upper right")
    return fig


if __name__ == "__main__":
    plot_gain()
    plt.show()
# --8<-- [end:plot_gain]


# --8<-- [start:plot_confidence]
def plot_confidence() -> Figure:
    """Draw confidence minus accuracy against the smoothing of the labels."""
    fig, ax = plt.subplots(figsize=(5.0, 3.2), layout="constrained")
    series = (("clean labels", 0.0, "o-"), ("a fifth random", 0.2, "s-"))
    for label, noise, mark in series:
        runs = [train_with(noise, "label smoothing", e) for e in SMOOTHED]
        excess = [100 * (run[2] - run[1]).mean() for run in runs]
        ax.plot(SMOOTHED, excess, mark, ms=4, label=label)
    ax.axhline(0, color="black", lw=0.8)
    ax.set(
        xlabel="label smoothing",
        ylabel="confidence - accuracy, in points",
    )
    ax.legend(loc="upper right")
    return fig


if __name__ == "__main__":
    plot_confidence()
    plt.show()
# --8<-- [end:plot_confidence]
