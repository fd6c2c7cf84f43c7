"""Leaving out a sample moves the optimum by H^-1 g_i / m to first order.

d theta / d epsilon = -H^-1 g_i, and epsilon = -1 / m leaves sample i out

For ridge regression the exact answer is 1 / (1 - leverage); the influence
function is its first-order Taylor polynomial (Koh and Liang 2017).
"""

# --8<-- [start:imports]
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray
from sklearn.datasets import load_digits

SEED = 0
Array = NDArray[np.floating]
# --8<-- [end:imports]


# --8<-- [start:regression]
def threes_and_eights() -> tuple[Array, Array, Array, Array]:
    """Return 150 training and 207 held-out digits, 3 (0) or 8 (1).

    >>> [part.shape for part in threes_and_eights()]
    [(150, 65), (150,), (207, 65), (207,)]
    """
    digits = load_digits()
    chosen = np.isin(digits.target, (3, 8))
    x = digits.data[chosen] / 16
    x = np.column_stack([x, np.ones(len(x))])
    y = (digits.target[chosen] == 8) * 1.0
    order = np.random.default_rng(SEED).permutation(len(y))
    x, y = x[order], y[order]
    return x[:150], y[:150], x[150:], y[150:]


def fit_logistic(
    x: Array, y: Array, weights: Array, decay: float, steps: int = 20
) -> tuple[Array, Array]:
    """Fit many logistic regressions at once, by Newton's method.

    Args:
        x: Inputs, shape (m, n).
        y: Labels 0 or 1, shape (m,).
        weights: Weight of each sample in each fit, shape (fits, m).
        decay: Coefficient of half the squared length.
        steps: Newton steps.

    Returns:
        Parameters (fits, n) and Hessian matrices (fits, n, n).
    """
    theta = np.zeros((len(weights), x.shape[1]))
    for _ in range(steps):
        p = 1 / (1 + np.exp(-theta @ x.T))
        g = (weights * (p - y)) @ x / len(y) + decay * theta
        curvature = weights * p * (1 - p) / len(y)
        hessian = np.swapaxes(curvature[:, :, None] * x, 1, 2) @ x
        hessian = hessian + decay * np.eye(x.shape[1])
        theta = theta - np.linalg.solve(hessian, g[..., None])[..., 0]
    return theta, hessian


def leave_one_out(decay: float) -> tuple[Array, Array, Array]:
    """Return predicted and true changes of the held-out loss, and leverages.

    Each has shape (150,): one entry for each training sample left out.
    """
    x, y, held, labels = threes_and_eights()

    def held_out(theta: Array) -> Array:
        z = held @ theta.T
        losses: Array = np.mean(np.logaddexp(0, z) - labels[:, None] * z, 0)
        return losses

    theta, hessian = fit_logistic(x, y, np.ones((1, len(y))), decay)
    p = 1 / (1 + np.exp(-x @ theta[0]))
    solved = np.linalg.solve(hessian[0], x.T).T
    shift = (p - y)[:, None] * solved / len(y)  # H^-1 g_i / m
    slope = (1 / (1 + np.exp(-held @ theta[0])) - labels) @ held / len(held)
    retrained, _ = fit_logistic(x, y, 1 - np.eye(len(y)), decay)
    leverage = np.sum(x * solved, 1) * p * (1 - p) / len(y)
    return shift @ slope, held_out(retrained) - held_out(theta), leverage


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


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print predicted against retrained, for strong and weak decay."""
    values: dict[str, float | tuple[float, float]] = {}
    for name, decay in (("strong", 0.1), ("weak", 1e-4)):
        guess, truth, leverage = leave_one_out(decay)
        correlation = float(np.corrcoef(guess, truth)[0, 1])
        slope = float(guess @ truth / (guess @ guess))
        print(f"decay {decay}: correlation {correlation:.2f}, ", end="")
        print(f"slope {slope:.2f}, leverage up to {leverage.max():.2f}")
        values |= {f"{name}_correlation": correlation, f"{name}_slope": slope}
        values[f"{name}_leverage"] = float(leverage.max())
    leverage, ratio = ridge_ratio(0.01)
    i = int(leverage.argmax())
    values |= {"leverage": float(leverage[i]), "ratio": float(ratio[i])}
    print(f"ridge: leverage {leverage[i]:.2f}, exact {ratio[i]:.2f}, ", end="")
    print(f"first order {1 + leverage[i]:.2f}")
    return values


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]


# --8<-- [start:plot_retraining]
def plot_retraining() -> Figure:
    """Draw retrained against predicted changes, strong and weak decay."""
    figure, axes = plt.subplots(2, figsize=(5.0, 5.6), layout="constrained")
    for axis, decay in zip(axes, (0.1, 1e-4), strict=True):
        guess, truth, _ = leave_one_out(decay)
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
