"""Features selected before the split make noise look predictable.

accuracy = Phi(sqrt(k) s / sqrt(s + 1 / m)), s = 2 features c phi(c) / (k n)

k features are kept, those beyond c, by n samples, m of them to train on.
Hastie, Tibshirani and Friedman (2009) warn of it.
"""

# --8<-- [start:imports]
import functools
import math

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

SEED = 0
SAMPLES, TESTED, KEPT, RUNS = 100, 20, 20, 60
FEATURES = (20, 50, 200, 1000, 5000)
# --8<-- [end:imports]


# --8<-- [start:select]
def select_features(
    x: NDArray[np.float64], y: NDArray[np.float64], count: int
) -> NDArray[np.int64]:
    """Return the columns of x with the largest |mean of x * y|.

    Args:
        x: shape (samples, features), each column of mean 0 and variance 1.
        y: labels -1 and 1, shape (samples,).
        count: how many columns.

    Raises:
        ValueError: more columns asked for than there are, or the shapes are
            not as above.
    """
    if x.ndim != 2 or not len(x) or y.shape != x.shape[:1]:
        raise ValueError(f"Shapes differ. Received: {x.shape}, {y.shape}")
    if not 0 < count <= x.shape[1]:
        raise ValueError(f"Received: {count=}, features={x.shape[1]}")
    return np.argsort(-np.abs(y @ x), kind="stable")[:count]


def holdout_accuracy(features: int, leaked: bool, run: int) -> float:
    """Return the test accuracy on pure noise.

    A sample is classified by the sign of the sum of feature times weight,
    the weight being the mean of feature times label on the training part.

    Args:
        features: how many to choose KEPT from.
        leaked: whether the choice sees the test part as well.
        run: which repetition.
    """
    rng = np.random.default_rng((SEED, features, run))
    x = rng.standard_normal((SAMPLES, features))
    y = rng.choice((-1.0, 1.0), SAMPLES)
    seen = slice(None) if leaked else slice(TESTED, None)
    chosen = select_features(x[seen], y[seen], KEPT)
    weight = y[TESTED:] @ x[TESTED:, chosen]
    return float((np.sign(x[:TESTED, chosen] @ weight) == y[:TESTED]).mean())


def predicted_accuracy(features: int) -> float:
    """Return the expected accuracy with leakage; features at least 1.

    >>> round(predicted_accuracy(20), 3)
    0.5
    """
    share = KEPT / features  # P(|z| > c) of a standard normal z
    low, high = 0.0, 10.0
    for _ in range(80):
        c = (low + high) / 2
        low, high = (c, high) if math.erfc(c / 2**0.5) > share else (low, c)
    density = math.exp(-(c**2) / 2) / math.sqrt(2 * math.pi)
    excess = 2 * c * density / share / SAMPLES
    noise = excess + 1 / (SAMPLES - TESTED)
    z = math.sqrt(KEPT) * excess / math.sqrt(noise)
    return math.erfc(-z / math.sqrt(2)) / 2


@functools.cache
def leakage_study() -> NDArray[np.float64]:
    """Return accuracies, shape (2, len(FEATURES), RUNS): leaked, honest."""
    return np.array(
        [
            [
                [holdout_accuracy(p, leaked, run) for run in range(RUNS)]
                for p in FEATURES
            ]
            for leaked in (True, False)
        ]
    )


# --8<-- [end:select]


if __name__ == "__main__":
    # --8<-- [start:demo]
    leaked, honest, predicted = {}, {}, {}
    print("features  leaked  predicted  honest")
    for features, before, after in zip(FEATURES, *leakage_study(), strict=True):
        leaked[features] = before.mean(), before.std(ddof=1) / math.sqrt(RUNS)
        honest[features] = after.mean(), after.std(ddof=1) / math.sqrt(RUNS)
        predicted[features] = predicted_accuracy(features)
        print(f"{features:8d}{before.mean():8.1f}", end="")
        print(f"{predicted[features]:11.2f}{after.mean():8.1f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_accuracy]
def plot_accuracy() -> Figure:
    """Draw the accuracy on noise against the number of features."""
    fig, ax = plt.subplots(figsize=(5.2, 3.2), layout="constrained")
    fine = np.geomspace(20, 5000, 60)
    ax.plot(fine, [predicted_accuracy(int(p)) for p in fine], "k--", lw=1)
    ax.lines[0].set_label("predicted")
    for i, name in enumerate(("selected before the split", "selected after")):
        found = leakage_study()[i]
        error = found.std(1, ddof=1) / math.sqrt(RUNS)
        ax.errorbar(
            FEATURES, found.mean(1), 2 * error, fmt=f"C{i}{'os'[i]}", label=name
        )
    ax.axhline(0.5, ls=":", lw=1, color="0.5")
    ax.set(xscale="log", ylim=(0.4, 1.0))
    ax.set(xlabel="features of noise", ylabel="test accuracy")
    ax.legend(loc="upper left")
    return fig


if __name__ == "__main__":
    plot_accuracy()
    plt.show()
# --8<-- [end:plot_accuracy]
