"""Leaving out a sample moves the optimum by H^-1 g_i / m to first order.

d theta / d epsilon = -H^-1 g_i, and epsilon = -1 / m leaves sample i out

This is the influence function (Koh and Liang 2017). For ridge regression,
dividing it by 1 - leverage makes it exact: the residual of the sample grows by
1 / (1 - leverage), to first order by 1 + leverage. For logistic regression the
division is measured, on 20 splits of the data.
"""

# --8<-- [start:imports]
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.datasets import load_digits

SEED = 0
SPLITS = 20
Array = NDArray[np.floating]
# --8<-- [end:imports]


# --8<-- [start:regression]
def threes_and_eights(
    seed: int = SEED,
) -> tuple[Array, Array, Array, Array]:
    """Return 150 training and 207 held-out digits, 3 (0) or 8 (1).

    >>> [part.shape for part in threes_and_eights()]
    [(150, 65), (150,), (207, 65), (207,)]
    """
    digits = load_digits()
    chosen = np.isin(digits.target, (3, 8))
    x = digits.data[chosen] / 16
    x = np.column_stack([x, np.ones(len(x))])
    y = (digits.target[chosen] == 8) * 1.0
    order = np.random.default_rng(seed).permutation(len(y))
    x, y = x[order], y[order]
    return x[:150], y[:150], x[150:], y[150:]


def fit_logistic(
    x: Array,
    y: Array,
    weights: Array,
    decay: float,
    steps: int = 20,
    start: float | Array = 0.0,
) -> tuple[Array, Array]:
    """Fit many logistic regressions at once, by Newton's method.

    Args:
        x: Inputs, finite, not empty, shape (m, n).
        y: Labels 0 or 1, shape (m,).
        weights: Weight of each sample in each fit, finite, shape (fits, m).
        decay: Coefficient of half the squared length, finite.
        steps: Newton steps, at least 1.
        start: Where all fits start, a number or shape (n,).

    Returns:
        Parameters (fits, n), and Hessian matrices (fits, n, n) where the
        last step started.
    """
    if steps < 1:
        raise ValueError(f"Expected a step. Received: {steps=}")
    theta = np.zeros((len(weights), x.shape[1])) + start
    for _ in range(steps):
        p = 1 / (1 + np.exp(-theta @ x.T))
        g = (weights * (p - y)) @ x / len(y) + decay * theta
        curvature = weights * p * (1 - p) / len(y)
        hessian = np.swapaxes(curvature[:, :, None] * x, 1, 2) @ x
        hessian = hessian + decay * np.eye(x.shape[1])
        theta = theta - np.linalg.solve(hessian, g[..., None])[..., 0]
    return theta, hessian


def leave_one_out(
    decay: float, seed: int = SEED
) -> tuple[Array, Array, Array, Array]:
    """Return what leaving out each training sample does to the held-out loss.

    Returns:
        The predicted change, the true one, the part of the true one that is
        linear in the parameters, and the leverages, each of shape (150,).
    """
    x, y, held, labels = threes_and_eights(seed)

    def held_out(theta: Array) -> Array:
        z = held @ theta.T
        losses: Array = np.mean(np.logaddexp(0, z) - labels[:, None] * z, 0)
        return losses

    theta, hessian = fit_logistic(x, y, np.ones((1, len(y))), decay)
    p = 1 / (1 + np.exp(-x @ theta[0]))
    solved = np.linalg.solve(hessian[0], x.T).T
    shift = (p - y)[:, None] * solved / len(y)  # H^-1 g_i / m
    slope = (1 / (1 + np.exp(-held @ theta[0])) - labels) @ held / len(held)
    each = 1 - np.eye(len(y))
    retrained, _ = fit_logistic(x, y, each, decay, 8, theta[0])
    leverage = np.sum(x * solved, 1) * p * (1 - p) / len(y)
    change = held_out(retrained) - held_out(theta)
    return shift @ slope, change, (retrained - theta) @ slope, leverage


def compare(decay: float, split: int) -> list[float]:
    """Return how well the predictions of one split fit.

    Returns:
        Slope of the true against the predicted change, the same after the
        division by 1 - leverage, the share of the root mean square error
        that the division leaves, of the change and of its linear part, and
        the correlation before the division.
    """
    guess, truth, linear, leverage = leave_one_out(decay, split)
    better = guess / (1 - leverage)
    fits = [a @ truth / (a @ a) for a in (guess, better)]
    left = [
        np.linalg.norm(better - change) / np.linalg.norm(guess - change)
        for change in (truth, linear)
    ]
    return [*fits, *left, np.corrcoef(guess, truth)[0, 1]]


def ridge_ratio(decay: float) -> tuple[Array, Array]:
    """Return leverages, and left-out residual over fitted residual.

    >>> leverage, ratio = ridge_ratio(0.1)
    >>> bool(np.allclose(ratio, 1 / (1 - leverage)))
    True
    """
    x, y, _, _ = threes_and_eights()
    identity = decay * np.eye(x.shape[1])
    hessian = x.T @ x / len(y) + identity
    residual = x @ np.linalg.solve(hessian, x.T @ y / len(y)) - y
    keep = 1 - np.eye(len(y))
    without = np.swapaxes(keep[:, :, None] * x, 1, 2) @ x / len(y) + identity
    theta = np.linalg.solve(without, (keep * y @ x / len(y))[..., None])[..., 0]
    leverage = np.sum(x * np.linalg.solve(hessian, x.T).T, 1) / len(y)
    return leverage, (np.sum(x * theta, 1) - y) / residual


# --8<-- [end:regression]


if __name__ == "__main__":
    # --8<-- [start:demo]
    slopes, divided, left, linear = {}, {}, {}, {}
    correlations = {}
    for decay in (0.1, 1e-4):
        rows = [compare(decay, split) for split in range(SPLITS)]
        mean = np.mean(rows, 0)
        error = np.std(rows, 0, ddof=1) / SPLITS**0.5
        pairs = list(zip(mean.tolist(), error.tolist(), strict=True))
        slopes[decay], divided[decay], left[decay], linear[decay] = pairs[:4]
        correlations[decay] = pairs[4]
        print(f"weight decay {decay}, mean of {SPLITS} splits:")
        print(f"  slope                {mean[0]:.3f} ± {error[0]:.3f}")
        print(f"  over 1 - leverage    {mean[1]:.3f} ± {error[1]:.3f}")
        print(f"  error left           {mean[2]:.3f} ± {error[2]:.3f}")
        print(f"  of the linear part   {mean[3]:.3f} ± {error[3]:.3f}")
    leverages = {decay: leave_one_out(decay)[3].max() for decay in (0.1, 1e-4)}
    leverage, ratio = ridge_ratio(0.01)
    i = leverage.argmax()
    highest, exact = leverage[i], ratio[i]
    print(
        f"ridge: leverage {highest:.2f}, exact {exact:.2f}, "
        f"first order {1 + highest:.2f}"
    )
    # --8<-- [end:demo]


# --8<-- [start:plot_retraining]
def plot_retraining() -> Figure:
    """Draw retrained against predicted changes, strong and weak decay."""
    figure, axes = plt.subplots(2, figsize=(5.0, 5.6), layout="constrained")
    for axis, decay in zip(axes, (0.1, 1e-4), strict=True):
        guess, truth, *_ = leave_one_out(decay)
        ends = [float(guess.min()), float(guess.max())]
        axis.plot(ends, ends, "k--", lw=1)
        axis.plot(guess[::2], truth[::2], "C0o", ms=3)
        axis.set(ylabel="retrained", title=f"weight decay {decay}")
        axis.ticklabel_format(scilimits=(0, 0))
    axes[1].set(xlabel="predicted")
    return figure


if __name__ == "__main__":
    plot_retraining()
    plt.show()
# --8<-- [end:plot_retraining]
