"""With few seeds, mean ± 2 standard errors covers less than it says.

P(|mean - truth| <= x standard errors) = (2 / pi) arctan(x) for 2 seeds,
x / sqrt(2 + x^2) for 3: Student's t (1908)
"""

# --8<-- [start:imports]
import math

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

SEED = 0
# How many standard errors hold with 95 % confidence, for 2, 3, ... seeds.
T95 = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262)
# --8<-- [end:imports]


# --8<-- [start:interval]
def seed_interval(results: NDArray[np.float64]) -> tuple[float, float]:
    """Return the mean over seeds and its 95 % half width.

    Up to 10 seeds the factor is Student's; for more it is rounded up to
    that of 10, 2.262.

    Raises:
        ValueError: fewer than 2 results, or one that is not finite.

    >>> mean, half = seed_interval(np.array([96.0, 97.0, 98.0]))
    >>> round(mean, 1), round(half, 2)
    (97.0, 2.48)
    """
    count = np.size(results)
    if count < 2 or not np.isfinite(results).all():
        raise ValueError(f"Expected 2 finite results. Received: {results}")
    factor = T95[min(count, 10) - 2]
    error = float(results.std(ddof=1)) / math.sqrt(count)
    return float(results.mean()), factor * error


def covered(
    seeds: int, factor: float, repeats: int = 20_000
) -> tuple[float, float]:
    """Return how often mean ± factor standard errors holds, with its error.

    The results are normally distributed.
    """
    rng = np.random.default_rng((SEED, seeds))
    results = rng.standard_normal((repeats, seeds))
    error = results.std(1, ddof=1) / math.sqrt(seeds)
    share = float((np.abs(results.mean(1)) <= factor * error).mean())
    return share, math.sqrt(share * (1 - share) / repeats)


# --8<-- [end:interval]


if __name__ == "__main__":
    # --8<-- [start:demo]
    counts = (2, 3, 5, 10)
    usual = {n: covered(n, 2.0) for n in counts}
    student = {n: covered(n, T95[n - 2]) for n in counts}
    theory = {2: 2 / math.pi * math.atan(2), 3: 2 / math.sqrt(2 + 2**2)}
    print("seeds  mean ± 2 SE  Student")
    for n in counts:
        print(f"{n:5d}{usual[n][0]:13.2f}{student[n][0]:9.2f}")
    mean, half = seed_interval(np.array([97.1, 96.4, 97.5, 96.9, 97.2]))
    print(f"five seeds: {mean:.1f} ± {half:.1f} %")
    factors = {2: T95[0], 3: T95[1], 5: T95[3], 10: T95[8], 20: 2.093}
    width = {n: t / math.sqrt(n) for n, t in factors.items()}  # for equal s
    pairs = ((2, 3), (5, 10), (10, 20))
    shorter = {(a, b): width[b] / width[a] for a, b in pairs}
    # --8<-- [end:demo]


# --8<-- [start:plot_coverage]
def plot_coverage() -> Figure:
    """Draw how often both intervals hold, against the number of seeds."""
    fig, ax = plt.subplots(figsize=(5.2, 3.0), layout="constrained")
    seeds = np.arange(2, 11)
    usual = [covered(int(r), 2.0)[0] for r in seeds]
    better = [covered(int(r), T95[r - 2])[0] for r in seeds]
    ax.plot(seeds, usual, "oC0", label="mean ± 2 SE")
    ax.plot(seeds, better, "sC1", label="Student")
    exact = [2 / math.pi * math.atan(2), 2 / math.sqrt(2 + 2**2)]
    ax.plot([2, 3], exact, "k--", lw=1, label="predicted")
    ax.axhline(0.95, ls=":", lw=1, color="0.5")
    ax.set(xlabel="seeds", ylabel="share that holds", ylim=(0.65, 1))
    ax.legend(loc="lower right")
    return fig


if __name__ == "__main__":
    plot_coverage()
    plt.show()
# --8<-- [end:plot_coverage]
