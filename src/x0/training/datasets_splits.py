"""A random split can lose rare classes, and it tears groups apart.

It is right only if the samples are independent and every class is large.
"""

# --8<-- [start:imports]
import math

import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:rare]
def chance_without(samples: int, rare: int, tested: int) -> float:
    """Return the chance that a random test set has no sample of a class.

    Args:
        samples: in the data set.
        rare: of them in the class.
        tested: drawn for the test set, without replacement.

    Raises:
        ValueError: unless 0 <= rare <= samples and 0 <= tested <= samples.

    >>> chance_without(4, 1, 2)
    0.5
    """
    if not (0 <= rare <= samples and 0 <= tested <= samples):
        raise ValueError(f"Received: {samples=}, {rare=}, {tested=}")
    return math.comb(samples - rare, tested) / math.comb(samples, tested)


def rare_counts(repeats: int = 20_000) -> NDArray[np.int64]:
    """Return the number of rare samples in random test sets: 10 of 500, 100."""
    rng = np.random.default_rng(SEED)
    return rng.hypergeometric(10, 490, 100, repeats)


# --8<-- [end:rare]


# --8<-- [start:groups]
def copies_accuracy(grouped: bool, run: int) -> float:
    """Classify noisy copies of digits whose labels mean nothing.

    300 images get random labels, and each five noisy copies. The nearest
    training copy classifies. Without information the accuracy is 0.1.

    Args:
        grouped: whether the copies of an image stay together.
        run: which repetition.
    """
    rng = np.random.default_rng((SEED, run))
    images = load_digits().data / 16
    chosen = rng.choice(len(images), 300, replace=False)
    groups = np.repeat(np.arange(300), 5)
    x = images[chosen][groups] + 0.1 * rng.standard_normal((1500, 64))
    y = rng.integers(10, size=300)[groups]
    if grouped:
        test = np.isin(groups, rng.choice(300, 60, replace=False))
    else:
        test = np.zeros(1500, bool)
        test[rng.choice(1500, 300, replace=False)] = True
    square = (x[~test] ** 2).sum(1)
    nearest = (square - 2 * x[test] @ x[~test].T).argmin(1)
    return float((y[~test][nearest] == y[test]).mean())


# --8<-- [end:groups]


if __name__ == "__main__":
    # --8<-- [start:demo]
    without = chance_without(500, 10, 100)
    spread = rare_counts().std(ddof=1)
    print(f"tests without the rare class: {without:.2f}")
    accuracy = {}
    for name, grouped in (("random", False), ("grouped", True)):
        found = np.array([copies_accuracy(grouped, run) for run in range(5)])
        mean, error = found.mean(), found.std(ddof=1) / math.sqrt(len(found))
        print(f"accuracy on noise, {name} split: {mean:.1f}")
        accuracy[name] = mean, error
    # --8<-- [end:demo]
