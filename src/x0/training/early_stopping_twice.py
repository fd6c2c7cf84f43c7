"""Fast and slow features: the test error can fall, rise and fall again.

rate, eigenvalue, noise s2, N samples: after t steps each direction adds

eigenvalue ((1 - share) truth)^2 + share^2 s2 / N,
share = 1 - (1 - rate eigenvalue)^t.

Heckel and Yilmaz (2021); Pezeshki et al. (2022).
"""

# --8<-- [start:imports]
import functools

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

SEED = 0
SAMPLES, FAST, SLOW, DRAWS = 100, 50, 10, 40
RATE, STEPS = 0.1, 4000
FAST_SIGNAL, SLOW_SIGNAL = (
    0.5,
    1.0,
)  # mean squares of the two parts of the target
# --8<-- [end:imports]


# --8<-- [start:predict]
def two_groups(gap: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the variances of the features, and the true weights.

    Args:
        gap: variance of a fast feature over that of a slow one.

    Raises:
        ValueError: the gap is less than 1, or infinite.

    >>> [part.shape for part in two_groups(100)]
    [(60,), (60,)]
    """
    if not 1 <= gap < np.inf:
        raise ValueError(
            f"Expected a finite gap of at least 1. Received: {gap}"
        )
    variances = np.repeat([1, 1 / gap], [FAST, SLOW])
    signals = np.repeat([FAST_SIGNAL / FAST, SLOW_SIGNAL / SLOW], [FAST, SLOW])
    return variances, np.sqrt(signals / variances)


def predicted_parts(gap: float, noise: float) -> NDArray[np.float64]:
    """Return what each feature adds to the expected error on new samples.

    Args:
        gap: see two_groups.
        noise: variance of the noise on the targets, finite.

    Returns:
        Bias and variance after 0 to STEPS steps from weights of zero, shape
        (2, STEPS + 1, features).
    """
    eigenvalues, truth = two_groups(gap)
    left = (1 - RATE * eigenvalues) ** np.arange(STEPS + 1)[:, None]
    bias = eigenvalues * (left * truth) ** 2
    return np.stack([bias, (1 - left) ** 2 * noise / SAMPLES])


def expected_curve(gap: float, noise: float) -> NDArray[np.float64]:
    """Return the error on new samples by step, for a finite noise variance."""
    error: NDArray[np.float64] = noise + predicted_parts(gap, noise).sum((0, 2))
    return error


def falls(error: NDArray[np.float64]) -> int:
    """Return how many times a curve falls.

    Args:
        error: the curve, shape (steps,).

    >>> falls(np.array([3.0, 2.0, 2.5, 1.5, 1.0, 1.2]))
    2
    """
    change = np.diff(error)
    falling = change[abs(change) > 1e-12] < 0  # what is less is rounding
    return int(falling[:1].sum() + (falling[1:] > falling[:-1]).sum())


# --8<-- [end:predict]


# --8<-- [start:measure]
@functools.cache
def measured_errors(
    gap: float = 100.0,
    noise: float = 1.0,
    normal: bool = False,
    seed: int = SEED,
) -> NDArray[np.float64]:
    """Run gradient descent from zero for each of DRAWS draws of the noise.

    Args:
        gap: see two_groups.
        noise: variance of the noise on the targets, finite and not negative.
        normal: take normal inputs as they are drawn; else they are made
            uncorrelated within the training set.
        seed: of the generator.

    Returns:
        Error on new samples, noise included, shape (DRAWS, STEPS + 1).
    """
    rng = np.random.default_rng(seed)
    variances, truth = two_groups(gap)
    x = rng.standard_normal((SAMPLES, len(truth)))
    if not normal:
        x = np.linalg.qr(x)[0] * SAMPLES**0.5  # X'X / SAMPLES is now I
    x *= np.sqrt(variances)
    y = (x @ truth)[:, None] + rng.normal(0, noise**0.5, (SAMPLES, DRAWS))
    theta = np.zeros((len(truth), DRAWS))
    errors = np.empty((STEPS + 1, DRAWS))
    for t in range(STEPS + 1):
        errors[t] = noise + variances @ (theta - truth[:, None]) ** 2
        theta -= RATE * x.T @ (x @ theta - y) / SAMPLES
    return errors.T


def stopping_step(errors: NDArray[np.float64], patience: int) -> int:
    """Return the step whose weights early stopping restores.

    Args:
        errors: one for each step, shape (steps,).
        patience: steps without a new minimum after which it stops.

    >>> stopping_step(np.array([3.0, 2.0, 2.5, 2.2, 1.0]), 2)
    1
    """
    best = 0
    for step, error in enumerate(errors):
        if error < errors[best]:
            best = step
        elif step - best >= patience:
            break
    return best


# --8<-- [end:measure]


if __name__ == "__main__":
    # --8<-- [start:demo]
    curve, errors = expected_curve(100, 1), measured_errors()
    turns = np.flatnonzero(np.diff(np.sign(np.diff(curve)))) + 1
    names = ["first minimum", "maximum", "second minimum"]
    at, predicted, measured = {}, {}, {}
    for name, t in zip(names, turns, strict=True):
        at[name], predicted[name] = t, curve[t]
        error = errors[:, t].std(ddof=1) / DRAWS**0.5
        measured[name] = errors[:, t].mean(), error
        print(f"{name:15}step {t:4}  error {curve[t]:.2f}")
    restored = {}
    for patience in (50, 500):
        stops = [stopping_step(draw, patience) for draw in errors]
        found = errors[range(DRAWS), stops]
        restored[patience] = found.mean(), found.std(ddof=1) / DRAWS**0.5
        print(f"patience {patience}: error {found.mean():.1f}")
    together = expected_curve(1, 1).min()
    print(f"all at one speed: error {together:.2f}")
    falls_of = {
        (gap, noise): falls(expected_curve(gap, noise))
        for gap, noise in ((100, 1), (1, 1), (100, 0))
    }
    least_gap = next(
        gap for gap in range(1, 101) if falls(expected_curve(gap, 1)) > 1
    )
    noises = [k / 10 for k in range(1, 41)]
    curves = {noise: expected_curve(100, noise) for noise in noises}
    least_noise = next(n for n, curve in curves.items() if falls(curve) > 1)
    early_noise = next(  # from here on the first minimum is the lower one
        n for n, curve in curves.items() if curve[:50].min() < curve[50:].min()
    )
    # --8<-- [end:demo]


# --8<-- [start:plot_curve]
def plot_curve() -> Figure:
    """Draw the error on new samples, and the parts of the two groups."""
    fig, ax = plt.subplots(figsize=(5.4, 3.5), layout="constrained")
    steps, errors = np.arange(STEPS + 1), measured_errors()
    parts = predicted_parts(100, 1).sum(0)
    shown = np.unique(np.geomspace(1, STEPS, 28).astype(int))
    means = errors.mean(0)[shown]
    bars = errors.std(0, ddof=1)[shown] / DRAWS**0.5
    ax.errorbar(shown, means, bars, fmt="oC0", ms=4, label="measured")
    curves = {
        "predicted": (expected_curve(100, 1), "k--"),
        "part of the fast features": (parts[:, :FAST].sum(1), "C1-"),
        "part of the slow features": (parts[:, FAST:].sum(1), "C2-"),
        "all features fast": (expected_curve(1, 1), "C7:"),
    }
    for name, (curve, style) in curves.items():
        ax.plot(steps[1:], curve[1:], style, lw=1.3, label=name)
    ax.set(xscale="log", ylim=(0, 3.6), xlabel="step", ylabel="squared error")
    ax.legend(loc="upper right", ncols=2)
    return fig


if __name__ == "__main__":
    plot_curve()
    plt.show()
# --8<-- [end:plot_curve]
