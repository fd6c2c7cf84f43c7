"""Gradient descent from zero, stopped at step t, shrinks much like ridge.

1 - (1 - rate * eigenvalue)^t    against    eigenvalue / (eigenvalue + penalty)

Ali, Kolter and Tibshirani (2019) compare the risks.
"""

# --8<-- [start:imports]
import functools

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

SEED = 0
SAMPLES, FEATURES, NOISE, PROBLEMS = 100, 50, 1.0, 200
# --8<-- [end:imports]


# --8<-- [start:filters]
def stopped_filter(
    eigenvalues: NDArray[np.float64], rate: float, steps: int
) -> NDArray[np.float64]:
    """Return the share of each component learned after some steps.

    Raises:
        ValueError: steps < 0, or a rate that is not stable.

    >>> stopped_filter(np.array([0.1, 1.0]), 0.5, 4).round(3).tolist()
    [0.185, 0.938]
    """
    largest = eigenvalues.max(initial=0)
    if steps < 0 or not 0 < rate * largest < 2:
        raise ValueError(f"Received: {steps=}, {rate=}")
    shares: NDArray[np.float64] = 1 - (1 - rate * eigenvalues) ** steps
    return shares


def ridge_filter(
    eigenvalues: NDArray[np.float64], penalty: float
) -> NDArray[np.float64]:
    """Return the share of each component that ridge regression keeps.

    Raises:
        ValueError: a negative penalty, or an infinite eigenvalue.

    >>> ridge_filter(np.array([0.1, 1.0]), 0.5).round(3).tolist()
    [0.167, 0.667]
    """
    if penalty < 0 or np.isinf(eigenvalues).any():
        raise ValueError(f"Received: {penalty=}, {eigenvalues=}")
    shares: NDArray[np.float64] = eigenvalues / (eigenvalues + penalty)
    return shares


# --8<-- [end:filters]


# --8<-- [start:risk]
def spectral_risk(
    shares: NDArray[np.float64],
    eigenvalues: NDArray[np.float64],
    components: NDArray[np.float64],
) -> float:
    """Return the expected squared distance to the true components.

    Args:
        shares: what a filter keeps of each least-squares component.
        eigenvalues: of X'X / SAMPLES, positive.
        components: the truth in the eigenbasis.
    """
    bias = ((1 - shares) * components) ** 2
    variance = NOISE**2 / SAMPLES * shares**2 / eigenvalues
    return float((bias + variance).sum())


@functools.cache
def spiked_problem() -> tuple[NDArray[np.float64], ...]:
    """Return X, its eigenvalues and eigenvectors, and the true weights."""
    rng = np.random.default_rng(SEED)
    scales = np.geomspace(1, 0.03, FEATURES)
    x = rng.standard_normal((SAMPLES, FEATURES)) * scales
    eigenvalues, vectors = np.linalg.eigh(x.T @ x / SAMPLES)
    return x, eigenvalues, vectors, 0.5 * rng.standard_normal(FEATURES)


@functools.cache
def measured_risks(steps: int) -> tuple[NDArray[np.float64], float]:
    """Run gradient descent from zero; return the distances, and the rate.

    Returns:
        Squared distance to the truth of each problem, shape (PROBLEMS,).
        The problems differ in the noise on the targets.
    """
    x, eigenvalues, _, truth = spiked_problem()
    rng = np.random.default_rng(SEED + 1)
    noise = NOISE * rng.standard_normal((SAMPLES, PROBLEMS))
    y = (x @ truth)[:, None] + noise
    rate = 1 / float(eigenvalues[-1])
    theta = np.zeros((FEATURES, PROBLEMS))
    hessian, target = x.T @ x / SAMPLES, x.T @ y / SAMPLES
    for _ in range(steps):
        theta -= rate * (hessian @ theta - target)
    return np.square(theta - truth[:, None]).sum(0), rate


# --8<-- [end:risk]


if __name__ == "__main__":
    # --8<-- [start:demo]
    _, eigenvalues, vectors, truth = spiked_problem()
    components = vectors.T @ truth
    rate = 1 / eigenvalues[-1]
    steps = np.unique(np.geomspace(1, 20000, 120).astype(int))
    filters = [stopped_filter(eigenvalues, rate, t) for t in steps]
    risks = [spectral_risk(f, eigenvalues, components) for f in filters]
    stopped, best_step = min(risks), steps[np.argmin(risks)]
    distances = measured_risks(best_step)[0]
    measured = distances.mean(), distances.std(ddof=1) / PROBLEMS**0.5
    penalties = np.geomspace(1e-4, 10, 120)
    filters = [ridge_filter(eigenvalues, a) for a in penalties]
    risks = [spectral_risk(f, eigenvalues, components) for f in filters]
    ridge, best_penalty = min(risks), penalties[np.argmin(risks)]
    least_squares = spectral_risk(np.ones(FEATURES), eigenvalues, components)
    signal = components**2  # each direction with its own best share
    shares = signal / (signal + NOISE**2 / SAMPLES / eigenvalues)
    oracle = spectral_risk(shares, eigenvalues, components)
    print(f"risk, stopped at the best step: {stopped:.2f}")
    print(f"the same, measured:             {measured[0]:.1f}")
    print(f"risk, best ridge penalty:       {ridge:.2f}")
    print(f"risk, best share everywhere:    {oracle:.2f}")
    print(f"risk, least squares:            {least_squares:.0f}")
    # --8<-- [end:demo]


# --8<-- [start:plot_filters]
def plot_filters() -> Figure:
    """Draw the share of each component against its eigenvalue."""
    fig, ax = plt.subplots(figsize=(5.2, 3.4), layout="constrained")
    eigenvalues = np.geomspace(1e-4, 1, 30)
    for i, steps in enumerate((3, 30, 300)):
        shares = stopped_filter(eigenvalues, 1.0, steps)
        label = f"stopped, t = {steps}"
        ax.plot(eigenvalues, shares, "os^"[i], color=f"C{i}", ms=4, label=label)
        ax.plot(
            eigenvalues,
            ridge_filter(eigenvalues, 1 / steps),
            color="black",
            ls="--",
            lw=1,
            label="ridge" if i == 2 else None,
        )
    ax.set(xscale="log", xlabel="eigenvalue", ylabel="share learned")
    ax.legend(loc="upper left")
    return fig


if __name__ == "__main__":
    plot_filters()
    plt.show()
# --8<-- [end:plot_filters]
