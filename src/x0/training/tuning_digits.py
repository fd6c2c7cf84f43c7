"""64 trials on digits: which axis matters, who wins, and what halving costs.

successive halving: n r (1 + S (1 - 1/k)) steps    everything: n r k^S

Jamieson and Talwalkar (2016) propose halving for hyperparameters.
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
RUNS, TRIALS, IMAGES, HIDDEN = 20, 64, 100, 32
RUNGS = (4, 16, 64)  # steps after which halving looks; 64 is a full trial
SPACE = {
    "learning rate": (0.003, 3.0),
    "1 - momentum": (0.03, 1.0),
    "weight decay": (1e-5, 1e-1),
    "initial scale": (0.3, 3.0),
}
# --8<-- [end:imports]


# --8<-- [start:train]
def sobol_settings(seed: int) -> Tensor:
    """Return TRIALS settings, uniform in the logarithm, shape (TRIALS, 4)."""
    low, high = torch.tensor(list(SPACE.values())).log().T
    engine = torch.quasirandom.SobolEngine(len(SPACE), scramble=True, seed=seed)
    settings: Tensor = (low + engine.draw(TRIALS) * (high - low)).exp()
    return settings


@functools.cache
def trained_trials(run: int) -> NDArray[np.bool_]:
    """Train one ReLU network for each trial, all of them at once.

    Returns:
        Shape (rungs, TRIALS, 1000): which held-out images are classified
        correctly, after each of the RUNGS.
    """
    images, labels = load_digits(return_X_y=True)
    x, y = torch.tensor(images / 16).float(), torch.tensor(labels)
    generator = torch.Generator().manual_seed(SEED + run)
    rows = torch.randperm(len(x), generator=generator)
    new = rows[IMAGES : IMAGES + 1000]
    x, fresh = x[rows[:IMAGES]], x[new]
    rate, friction, decay, scale = sobol_settings(SEED + run).T[
        :, :, None, None
    ]
    weights = []
    for m, n in ((64, HIDDEN), (HIDDEN, 10)):
        start = torch.randn(m, n, generator=generator) * math.sqrt(2 / m)
        weights += [start * scale, torch.zeros(TRIALS, 1, n)]
    buffers = [torch.zeros_like(w) for w in weights]
    target = torch.nn.functional.one_hot(y[rows[:IMAGES]], 10).float()
    right = []
    for step in range(1, RUNGS[-1] + 1):
        w1, b1, w2, b2 = (w.requires_grad_() for w in weights)
        z = (x @ w1 + b1).relu() @ w2 + b2
        loss = -(target * z.log_softmax(-1)).sum() / IMAGES
        gradients = torch.autograd.grad(loss, weights)
        with torch.no_grad():
            for i, (w, g) in enumerate(zip(weights, gradients, strict=True)):
                slope = g + decay * w if i % 2 == 0 else g
                buffers[i] = (1 - friction) * buffers[i] + slope
                weights[i] = w - rate * buffers[i]
            if step in RUNGS:
                w1, b1, w2, b2 = weights
                z = (fresh @ w1 + b1).relu() @ w2 + b2
                right.append(z.nan_to_num().argmax(-1) == y[new])
    return torch.stack(right).numpy()


# --8<-- [end:train]


# --8<-- [start:importance]
def explained(run: int, bins: int = 4) -> NDArray[np.float64]:
    """Return the share of the variance of accuracy that each axis explains.

    Returns:
        Shape (5,): the four of SPACE, and the effective learning rate,
        which is the first divided by the second.
    """
    accuracy = trained_trials(run)[-1].mean(-1)
    settings = sobol_settings(SEED + run).numpy()
    shares = []
    for column in (*settings.T, settings[:, 0] / settings[:, 1]):
        parts = np.array_split(accuracy[np.argsort(column)], bins)
        inside = sum(((p - p.mean()) ** 2).sum() for p in parts)
        shares.append(1 - inside / accuracy.var() / TRIALS)
    return np.array(shares)


# --8<-- [end:importance]


# --8<-- [start:winner]
def winner(run: int, trials: int, validation: int, draws: int = 200) -> float:
    """Return how much better the winner looks than it is, in points.

    Args:
        run: which set of trained trials.
        trials: how many of them are compared.
        validation: images that choose; the others tell the truth.
        draws: random choices of the trials and of the validation images.
    """
    rng = np.random.default_rng((SEED, run))
    right, gap = trained_trials(run)[-1], []
    for _ in range(draws):
        chosen = rng.choice(TRIALS, trials, replace=False)
        rows = rng.permutation(right.shape[1])
        seen = right[chosen][:, rows[:validation]].mean(-1)
        best = chosen[seen.argmax()]
        gap.append(seen.max() - right[best][rows[validation:]].mean())
    return 100 * float(np.mean(gap))


# --8<-- [end:winner]


# --8<-- [start:halving]
def halving(run: int, factor: int = 4) -> tuple[int, int]:
    """Keep the best of the trials at each rung; return the last and the cost.

    Returns:
        The number of the trial that wins on 300 validation images, and the
        steps that were trained, with trials that go on where they stopped.
    """
    kept, cost, before = np.arange(TRIALS), 0, 0
    for rung, steps in enumerate(RUNGS):
        cost += len(kept) * (steps - before)
        before = steps
        accuracy = trained_trials(run)[rung][kept][:, :300].mean(-1)
        last = rung == len(RUNGS) - 1
        size = 1 if last else len(kept) // factor
        kept = kept[np.argsort(-accuracy, kind="stable")[:size]]
    return int(kept[0]), cost


def test_accuracy(run: int, trial: int) -> float:
    """Return the accuracy, in %, on the 700 images that chose nothing."""
    return 100 * float(trained_trials(run)[-1][trial, 300:].mean())


# --8<-- [end:halving]


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
    runs = range(RUNS)
    shares = 100 * np.stack([explained(run) for run in runs])
    axes = (*SPACE, "effective rate")
    share = {a: mean_and_error(s) for a, s in zip(axes, shares.T, strict=True)}
    for axis, (mean, _) in share.items():
        print(f"{axis:<14} explains {mean:3.0f} % of the variance")

    curse = {
        (n, m): mean_and_error(np.array([winner(run, n, m) for run in runs]))
        for n in (1, 4, 16, 64)
        for m in (50, 200)
    }
    print("accuracy of the best of 64 on 50 images minus the true one:")
    print(f"  {curse[64, 50][0]:.0f} points")

    halved = [halving(run) for run in runs]
    steps = {"everything": TRIALS * RUNGS[-1], "halving": halved[0][1]}
    steps["fewer trials"] = steps["halving"]
    few = steps["fewer trials"] // RUNGS[-1]
    scores = {name: np.zeros(RUNS) for name in steps}
    for run, (trial, _) in enumerate(halved):
        validated = trained_trials(run)[-1][:, :300].mean(-1)
        scores["everything"][run] = test_accuracy(run, validated.argmax())
        scores["halving"][run] = test_accuracy(run, trial)
        first = validated[:few].argmax()
        scores["fewer trials"][run] = test_accuracy(run, first)
    chosen = {name: mean_and_error(score) for name, score in scores.items()}
    lead = mean_and_error(scores["halving"] - scores["fewer trials"])
    behind = mean_and_error(scores["everything"] - scores["halving"])
    for name, (mean, _) in chosen.items():
        print(f"{name:<13}{steps[name]:5} steps, test accuracy {mean:.0f} %")
    # --8<-- [end:demo]


# --8<-- [start:plot_curse]
def plot_curse() -> Figure:
    """Draw how much the winner is overrated against the number of trials."""
    fig, ax = plt.subplots(figsize=(5.0, 3.2), layout="constrained")
    trials = (1, 2, 4, 8, 16, 32, 64)
    for images, mark in ((50, "o-"), (200, "s-")):
        gaps = [
            float(np.mean([winner(run, n, images) for run in range(RUNS)]))
            for n in trials
        ]
        ax.plot(trials, gaps, mark, ms=4)
        ax.text(72, gaps[-1], f"{images} images", va="center")
    ax.axhline(0, color="black", lw=0.8)
    ax.set(xscale="log", xlim=(0.9, 250), xlabel="trials")
    ax.set_xticks(trials, [str(n) for n in trials])
    ax.minorticks_off()
    ax.set_ylabel("validation - true accuracy, in points")
    return fig


if __name__ == "__main__":
    plot_curse()
    plt.show()
# --8<-- [end:plot_curse]
