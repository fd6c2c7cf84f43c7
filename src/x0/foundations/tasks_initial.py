"""Untrained logits of variance q cost about q / 2 more than guessing.

E[loss] = ln C + q / 2 - (e^q - 1) / 2C for many classes C

The mean of the logarithm of a sum of e^z is exact by one integral.
"""

# --8<-- [start:imports]
import math
from functools import cache

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.datasets import load_digits

SEED = 0
NETWORKS = 200
VARIANCES = (0.0, 0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 3.5, 4.0)
# --8<-- [end:imports]


# --8<-- [start:expected]
@cache
def expected_cross_entropy(q: float, classes: int) -> float:
    """Return E[ln sum e^z] of independent logits z ~ N(0, q), exactly.

    ln S is the integral of (e^-t - e^-tS) / t, and the mean of e^-tS is a
    power of the mean for one class.

    Raises:
        ValueError: q is negative or above 25, where the range of the
            integral ends, or there is no class.

    >>> round(expected_cross_entropy(0.0, 10), 4)
    2.3026
    >>> round(expected_cross_entropy(1.0, 10), 4)
    2.7289
    """
    if not 0 <= q <= 25 or classes < 1:
        raise ValueError(f"q must be in [0, 25]. Received: {q=}, {classes=}")
    u = np.linspace(-45, 30, 1501)[:, None]  # t = e^u
    x = np.linspace(-10, 10, 401)
    weight = np.exp(-(x**2) / 2)
    weight /= weight.sum()
    one = np.exp(-np.exp(u + math.sqrt(q) * x)) @ weight
    gap = np.exp(-np.exp(u[:, 0])) - one**classes
    return float(gap.sum() * 0.05)


# --8<-- [end:expected]


# --8<-- [start:measured]
@cache
def measured_cross_entropy(classes: int) -> NDArray[np.float64]:
    """Return first losses of networks 64-256-C on digits, by VARIANCES.

    Scaling the last layer scales the logits, so one draw serves for all
    variances. Each network comes with the one whose last layer has the
    other sign: it has the same law, and half of the noise cancels.

    Returns:
        Array of shape (networks, variances).
    """
    generator = torch.Generator().manual_seed(SEED + classes)
    data = load_digits()
    x = torch.tensor(data.data[:10], dtype=torch.float32)
    x = x / x.square().mean(1, keepdim=True).sqrt()
    y = torch.tensor(data.target[:10])
    found = []
    for _ in range(NETWORKS):
        hidden = torch.randn(64, 256, generator=generator) * (2 / 64) ** 0.5
        last = torch.randn(256, classes, generator=generator)
        h = torch.relu(x @ hidden)
        logits = h @ last * 256**-0.5  # q is 1
        row = []
        for q in VARIANCES:
            both = torch.cat([q**0.5 * logits, -(q**0.5) * logits])
            loss = torch.nn.functional.cross_entropy(both, torch.cat([y, y]))
            row.append(loss.item())
        found.append(row)
    return np.array(found)


# --8<-- [end:measured]


if __name__ == "__main__":
    # --8<-- [start:demo]
    law, exact, measured = {}, {}, {}
    print("   C    q  ln C + q/2  exact  measured")
    for classes in (10, 1000):
        losses = measured_cross_entropy(classes)
        for q in (1, 4):
            case = classes, q
            law[case] = math.log(classes) + q / 2
            exact[case] = expected_cross_entropy(q, classes)
            row = losses[:, VARIANCES.index(q)]
            mean, error = row.mean(), row.std(ddof=1) / math.sqrt(NETWORKS)
            measured[case] = (mean, error)
            print(
                f"{classes:4d}{q:5d}{law[case]:12.2f}{exact[case]:7.2f}"
                f"{mean:10.1f}"
            )
    default = expected_cross_entropy(1 / 3, 10)  # nn.Linear as it is
    vocabulary = math.log(50257)
    # --8<-- [end:demo]


# --8<-- [start:plot_loss]
def plot_loss() -> Figure:
    """Draw the excess of the first loss over ln C against q."""
    fig, ax = plt.subplots(figsize=(5.2, 3.4), layout="constrained")
    grid = np.linspace(0, 4, 41)
    ax.plot(grid, grid / 2, ls=":", lw=1.5, color="0.5", label="q / 2")
    for i, classes in enumerate((10, 1000)):
        floor = math.log(classes)
        exact = [expected_cross_entropy(q, classes) - floor for q in grid]
        label = "predicted" if i == 0 else None
        ax.plot(grid, exact, ls="--", lw=1, color="black", label=label)
        mean = measured_cross_entropy(classes).mean(0) - floor
        label = f"{classes} classes"
        ax.plot(VARIANCES, mean, "os"[i], color=f"C{i}", label=label)
    ax.set_xlabel("variance q of the logits")
    ax.set_ylabel("first loss − ln C")
    ax.legend()
    return fig


if __name__ == "__main__":
    plot_loss()
    plt.show()
# --8<-- [end:plot_loss]
