"""The minimum of the training loss is not the minimum of the risk.

argmin of the mean over 20 samples != argmin of the mean over all

Gradient descent lowers the first on every step; the second turns around.
"""

# --8<-- [start:imports]
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
SEED = 0
# --8<-- [end:imports]


# --8<-- [start:descend]
def noisy_waves(count: int, rng: np.random.Generator) -> tuple[Array, Array]:
    """Draw 16 cosine features of a uniform number, and a noisy target.

    Args:
        count: Number of samples.
        rng: Source of numbers and noise.

    Returns:
        Features, shape (count, 16), and targets, shape (count,).
    """
    x = rng.uniform(0, np.pi, count)
    features = np.cos(np.outer(x, np.arange(16)))
    return features, np.cos(2 * x) + rng.normal(scale=0.5, size=count)


def train_and_test(steps: int) -> tuple[Array, Array]:
    """Descend on 20 samples; return both mean squared errors per step.

    Args:
        steps: Number of gradient steps.

    Returns:
        Training loss and loss on 5000 new samples, shape (steps + 1,).

    >>> [len(losses) for losses in train_and_test(10)]
    [11, 11]
    """
    rng = np.random.default_rng(SEED)
    (a, y), (new, target) = noisy_waves(20, rng), noisy_waves(5000, rng)
    rate = 1 / np.linalg.eigvalsh(2 * a.T @ a / len(y))[-1]
    theta = np.zeros(16)
    train, test = [], []
    for _ in range(steps + 1):
        train.append(((a @ theta - y) ** 2).mean())
        test.append(((new @ theta - target) ** 2).mean())
        theta = theta - rate * 2 * a.T @ (a @ theta - y) / len(y)
    return np.array(train), np.array(test)


# --8<-- [end:descend]


if __name__ == "__main__":
    # --8<-- [start:demo]
    train, test = train_and_test(3000)
    best = test.argmin()
    lowest, last = test[best], test[-1]
    print(f"training loss falls on every step: {(np.diff(train) < 0).all()}")
    print(f"step {best}: training {train[best]:.3f}, new {lowest:.3f}")
    print(f"step 3000: training {train[-1]:.3f}, new {last:.3f}")
    # --8<-- [end:demo]
