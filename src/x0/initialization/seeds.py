"""The seed of the weights and the seed of the data order both move the result.

Var(accuracy) = Var(init) + Var(order) + Var(their interaction)

Bouthillier et al. (2021) compare these sources of variance on larger tasks.
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
SEEDS, BATCH, EPOCHS, TRAIN = 30, 32, 8, 1437
RATE, MOMENTUM = 0.05, 0.9
NAMES = ("init only", "order only", "both")
# --8<-- [end:imports]


# --8<-- [start:report]
def report(results: NDArray[np.float64]) -> dict[str, tuple[float, float]]:
    """Return mean and standard deviation over seeds, each with its error.

    Args:
        results: one number for each seed, shape (seeds,).

    Returns:
        The keys mean and std, each a pair (value, standard error). The error
        of the standard deviation is that of normally distributed results.

    Raises:
        ValueError: fewer than 2 seeds, or not one finite number for each.

    >>> report(np.array([1.0, 2.0, 3.0]))["std"]
    (1.0, 0.5)
    """
    count = np.size(results)
    if count < 2 or results.ndim != 1 or not np.isfinite(results).all():
        raise ValueError(f"Expected at least 2 seeds. Received: {results}")
    std = float(results.std(ddof=1))
    mean = (float(results.mean()), std / math.sqrt(count))
    return {"mean": mean, "std": (std, std / math.sqrt(2 * (count - 1)))}


def paired(
    a: NDArray[np.float64], b: NDArray[np.float64]
) -> tuple[float, float]:
    """Return the mean of a - b over common seeds, and its standard error.

    Raises:
        ValueError: a and b do not have one finite result for each seed.

    >>> paired(np.array([5.0, 7.0]), np.array([4.0, 6.0]))
    (1.0, 0.0)
    """
    if a.shape != b.shape:
        raise ValueError(f"Seeds differ. Received: {a.shape}, {b.shape}")
    if not np.isfinite([a, b]).all():
        raise ValueError(f"Expected finite results. Received: {a}, {b}")
    return report(a - b)["mean"]


# --8<-- [end:report]


# --8<-- [start:networks]
def stacked_networks(seeds: list[int], xavier: int) -> list[Tensor]:
    """Return weights and biases of 64-32-10 networks, one for each seed.

    The last `xavier` networks have Xavier's variance, the others He's.
    Weights have shape (networks, fan_in, fan_out), biases are zero.
    """
    generators = [torch.Generator().manual_seed(seed) for seed in seeds]
    parameters = []
    for m, n in ((64, 32), (32, 10)):
        draws = [torch.randn(m, n, generator=g) for g in generators]
        std = torch.full((len(seeds), 1, 1), math.sqrt(2 / m))
        std[len(seeds) - xavier :] = math.sqrt(2 / (m + n))
        parameters += [torch.stack(draws) * std, torch.zeros(len(seeds), 1, n)]
    return [p.requires_grad_() for p in parameters]


# --8<-- [end:networks]


# --8<-- [start:train]
def train_together(
    init: list[int], order: list[int], xavier: int = 0
) -> NDArray[np.float64]:
    """Train all networks at once; return their test accuracies in percent.

    Args:
        init: seed of the weights of each network.
        order: seed of the data order of each network.
        xavier: how many networks, the last ones, have Xavier's variance.

    Raises:
        ValueError: init and order differ in length.
    """
    if len(init) != len(order):
        raise ValueError(f"Received: {len(init)} init, {len(order)} order")
    x, y = (torch.tensor(a) for a in load_digits(return_X_y=True))
    split = torch.Generator().manual_seed(SEED)
    rows = torch.randperm(len(x), generator=split)
    x, y = x[rows].float() / 16, y[rows]
    generators = {s: torch.Generator().manual_seed(s) for s in set(order)}
    parameters = stacked_networks(init, xavier)
    optimizer = torch.optim.SGD(parameters, RATE, MOMENTUM, fused=True)
    w1, b1, w2, b2 = parameters
    for _ in range(EPOCHS):
        perms = {
            s: torch.randperm(TRAIN, generator=g) for s, g in generators.items()
        }
        shuffled = torch.stack([perms[s] for s in order])
        for start in range(0, TRAIN - BATCH + 1, BATCH):
            batch = shuffled[:, start : start + BATCH]
            h = torch.baddbmm(b1, x[batch], w1).relu()
            log_p = torch.baddbmm(b2, h, w2).log_softmax(-1)
            loss = -log_p.gather(-1, y[batch].unsqueeze(-1)).mean((1, 2))
            optimizer.zero_grad()
            loss.sum().backward()
            optimizer.step()
    with torch.no_grad():
        h = (x[TRAIN:] @ w1 + b1).relu()
        right = (h @ w2 + b2).argmax(-1) == y[TRAIN:]
    percent: NDArray[np.float64] = 100 * right.double().mean(1).numpy()
    return percent


@functools.cache
def study() -> NDArray[np.float64]:
    """Return the accuracies, shape (4, SEEDS): NAMES with He, then Xavier.

    Seed 0 is the one held fixed; the last two rows have the same seeds.
    """
    a, b, c = (
        list(range(1 + k * SEEDS, 1 + (k + 1) * SEEDS)) for k in (0, 1, 2)
    )
    fixed = [0] * SEEDS
    accuracy = train_together(
        a + fixed + c + c, fixed + b + c + c, xavier=SEEDS
    )
    return accuracy.reshape(4, SEEDS)


# --8<-- [end:train]


if __name__ == "__main__":
    # --8<-- [start:demo]
    accuracy = study()
    reports = {n: report(a) for n, a in zip(NAMES, accuracy, strict=False)}
    print("varies       mean %   std %")
    for name, r in reports.items():
        print(f"{name:<12}{r['mean'][0]:7.0f}{r['std'][0]:8.1f}")

    variance = accuracy.var(axis=1, ddof=1)
    errors = variance * math.sqrt(2 / (SEEDS - 1))
    root_of_sum = math.sqrt(variance[0] + variance[1])
    interaction = (
        variance[0] + variance[1] - variance[2],
        np.linalg.norm(errors[:3]),
    )

    he, xavier = accuracy[2:]
    error = math.sqrt((variance[2] + variance[3]) / SEEDS)
    groups, pairs = (he.mean() - xavier.mean(), error), paired(he, xavier)
    print(f"He - Xavier, unpaired: error {groups[1]:.2f} points")
    print(f"He - Xavier, paired:   error {pairs[1]:.2f} points")
    correlation = np.corrcoef(he, xavier)[0, 1]
    saved = (groups[1] / pairs[1]) ** 2

    best = he.max() - he.mean()
    p = he.mean() / 100
    test_set = 100 * math.sqrt(p * (1 - p) / (1797 - TRAIN))
    k = 2.8  # standard errors: found in 4 of 5 studies, at a threshold of 2
    needed = 2 * k**2 * variance[2] / 0.2**2
    needed_pairs = k**2 * (he - xavier).var(ddof=1) / 0.2**2
    # --8<-- [end:demo]


# --8<-- [start:plot_spread]
def plot_spread() -> Figure:
    """Draw the accuracy of each seed, with mean and standard deviation."""
    fig, ax = plt.subplots(figsize=(5.6, 2.8))
    fig.set_layout_engine("constrained", rect=(0.02, 0, 0.98, 1))
    shift = np.random.default_rng(SEED).uniform(-0.25, 0.1, SEEDS)
    for i, results in enumerate(study()[:3]):
        y = i + shift
        ax.plot(results, y, "o^s"[i], color=f"C{i}", ms=4, alpha=0.6)
        mean, std = results.mean(), results.std(ddof=1)
        ax.errorbar(mean, i + 0.28, xerr=std, fmt="D", color="black", ms=4)
    ax.set_yticks(range(3), NAMES)
    ax.invert_yaxis()
    ax.set_xlabel("test accuracy, %")
    return fig


if __name__ == "__main__":
    plot_spread()
    plt.show()
# --8<-- [end:plot_spread]


# --8<-- [start:plot_pairs]
def plot_pairs() -> Figure:
    """Draw Xavier's accuracy against He's, one point for each seed."""
    fig, ax = plt.subplots(figsize=(4.2, 3.6), layout="constrained")
    he, xavier = study()[2:]
    shift = np.random.default_rng(SEED).uniform(-0.05, 0.05, (2, SEEDS))
    ax.plot(he + shift[0], xavier + shift[1], "o", color="C0", ms=4)
    ends = (
        float(min(he.min(), xavier.min())),
        float(max(he.max(), xavier.max())),
    )
    ax.plot(ends, ends, ls="--", lw=1, color="black", label="equal")
    ax.set_xlabel("He: test accuracy, %")
    ax.set_ylabel("Xavier: test accuracy, %")
    ax.legend(loc="upper left")
    return fig


if __name__ == "__main__":
    plot_pairs()
    plt.show()
# --8<-- [end:plot_pairs]
