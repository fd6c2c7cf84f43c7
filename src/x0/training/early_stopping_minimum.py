"""The least of many noisy validation losses is below the loss it stands for.

E[min of T independent normals] = mean - std * E[max of T standard normals]

The expected maximum is at most sqrt(2 ln T); their ratio tends to 1 slowly.
"""

# --8<-- [start:imports]
import functools
import math

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

SEED = 0
COUNTS = (2, 5, 10, 30, 100, 300, 1000)
# --8<-- [end:imports]


# --8<-- [start:maximum]
def expected_maximum(count: int) -> float:
    """Return E[max of `count` independent standard normal values].

    Integrates P(max > x) - [x < 0] over x. Beyond 1e12 values rounding of
    P cuts it short.

    Raises:
        ValueError: count < 1.

    >>> round(expected_maximum(2), 4) == round(1 / math.sqrt(math.pi), 4)
    True
    """
    if count < 1:
        raise ValueError(f"Expected at least one value. Received: {count}")
    x = np.linspace(-9, 9, 3601)
    below = np.array([0.5 * math.erfc(-v / math.sqrt(2)) for v in x])
    integrand = (1 - below**count) - (x < 0)
    integrand[x == 0] -= 0.5  # half of the jump
    return float(integrand.sum() * (x[1] - x[0]))


@functools.cache
def measured_optimism(
    correlation: float, repeats: int = 2000
) -> NDArray[np.float64]:
    """Return minus the minimum of T correlated values, all with mean 0.

    Neighboring checks see the same validation set and similar weights; a
    chain with this correlation between neighbors stands for them.

    Returns:
        Shape (len(COUNTS), repeats).
    """
    rng = np.random.default_rng(SEED)
    noise = rng.standard_normal((max(COUNTS), repeats))
    fresh = math.sqrt(1 - correlation**2)
    for t in range(1, len(noise)):
        noise[t] = correlation * noise[t - 1] + fresh * noise[t]
    minima = np.minimum.accumulate(noise, axis=0)
    optimism: NDArray[np.float64] = -minima[np.array(COUNTS) - 1]
    return optimism


# --8<-- [end:maximum]


if __name__ == "__main__":
    # --8<-- [start:demo]
    theory, free, chained = {}, {}, {}
    pairs = zip(measured_optimism(0.0), measured_optimism(0.99), strict=True)
    print("checks  predicted  independent  correlated  bound")
    for count, (a, b) in zip(COUNTS, pairs, strict=True):
        theory[count] = expected_maximum(count)
        free[count] = a.mean(), a.std(ddof=1) / math.sqrt(a.size)
        chained[count] = b.mean(), b.std(ddof=1) / math.sqrt(b.size)
        bound = math.sqrt(2 * math.log(count))
        print(f"{count:6d}{theory[count]:9.1f}{free[count][0]:12.1f}", end="")
        print(f"{chained[count][0]:12.1f}{bound:9.1f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_optimism]
def plot_optimism() -> Figure:
    """Draw the optimism of the minimum against the number of checks."""
    fig, ax = plt.subplots(figsize=(5.2, 3.2), layout="constrained")
    theory = [expected_maximum(count) for count in COUNTS]
    ax.plot(COUNTS, theory, "k--", lw=1, label="predicted")
    bound = [math.sqrt(2 * math.log(count)) for count in COUNTS]
    ax.plot(COUNTS, bound, ":", color="0.5", label="√(2 ln T)")
    for i, (rho, name) in enumerate(((0, "independent"), (0.99, "correlated"))):
        means = measured_optimism(float(rho)).mean(1)
        ax.plot(COUNTS, means, "os"[i], color=f"C{i}", ms=5, label=name)
    ax.set(xscale="log", xlabel="checks T", ylabel="optimism / std")
    ax.legend(loc="upper left")
    return fig


if __name__ == "__main__":
    plot_optimism()
    plt.show()
# --8<-- [end:plot_optimism]
