"""On a quadratic loss each eigenvector shrinks by its own factor.

e_(t+1) = (I - rate H) e_t, stable if rate < 2 / lambda_max

The loss is the mean squared error of a line; Newton's step ends the descent.
"""

# --8<-- [start:imports]
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

SEED = 0
Array = NDArray[np.floating]
# --8<-- [end:imports]


# --8<-- [start:problem]
def line_data(seed: int = SEED, count: int = 100) -> tuple[Array, Array, Array]:
    """Draw x from U(0, 1), y = 3x + 2 + U(0, 1), and a start (w, b).

    The legacy generator, kept local, draws the numbers that the same calls
    draw after ``np.random.seed(seed)``.

    >>> x, y, start = line_data()
    >>> start.round(3).tolist()
    [1.127, -1.08]
    """
    rng = np.random.RandomState(seed)
    x = rng.rand(count)
    return x, 3 * x + 2 + rng.rand(count), rng.randn(2)


def quadratic_problem() -> tuple[Array, Array]:
    """Return the Hessian matrix and the minimizer of the line's loss.

    >>> hessian, best = quadratic_problem()
    >>> np.linalg.eigvalsh(hessian).round(4).tolist()
    [0.1341, 2.4792]
    """
    x, y, _ = line_data()
    features = np.stack([x, np.ones_like(x)], 1)
    hessian = 2 * features.T @ features / len(x)
    best = np.linalg.solve(hessian, 2 * features.T @ y / len(x))
    return hessian, best


def descent_path(
    rate: float, steps: int, start: tuple[float, float] = (-1.0, 3.0)
) -> Array:
    """Run gradient descent on the line's loss.

    Args:
        rate: Learning rate.
        steps: Number of steps.
        start: The first (w, b).

    Returns:
        The points (w, b), shape (steps + 1, 2).

    Raises:
        ValueError: If the rate is not positive, with "Received: ...".
    """
    if not 0 < rate < np.inf:
        raise ValueError(f"rate must be > 0. Received: rate={rate}")
    hessian, best = quadratic_problem()
    theta = np.array(start)
    path = [theta]
    for _ in range(steps):
        theta = theta - rate * hessian @ (theta - best)
        path.append(theta)
    return np.array(path)


# --8<-- [end:problem]


if __name__ == "__main__":
    # --8<-- [start:demo]
    hessian, best = quadratic_problem()
    start = line_data()[2]
    low, high = np.linalg.eigvalsh(hessian)
    kappa, limit, optimal = high / low, 2 / high, 2 / (low + high)
    print(f"eigenvalues {low:.4f}, {high:.4f}; condition {kappa:.2f}")
    print(f"limit {limit:.4f}, best rate {optimal:.4f}")
    kept = 100 * (1 - 0.01 * low) ** 1000
    print(f"rate 0.01 keeps {kept:.0f}% of the slow mode")
    w, b = descent_path(0.01, 1000, tuple(start))[-1]
    print(f"after 1000 steps: w = {w:.5f}, b = {b:.5f}")
    distances = np.linalg.norm(descent_path(optimal, 100) - best, axis=1)
    measured = (distances[100] / distances[50]) ** (1 / 50)
    predicted = (kappa - 1) / (kappa + 1)
    print(f"best rate: factor {measured:.4f} per step")
    newton = start - np.linalg.solve(hessian, hessian @ (start - best))
    error = np.linalg.norm(newton - best)
    print(f"one Newton step: error below 1e-12: {error < 1e-12}")
    # --8<-- [end:demo]


# --8<-- [start:plot_contours]
def plot_contours() -> Figure:
    """Draw contours of the loss with the paths of three rates and Newton."""
    hessian, best = quadratic_problem()
    w, b = np.linspace(-1.6, 5.6, 40), np.linspace(-0.4, 5.4, 40)
    offset = np.stack(np.meshgrid(w, b), -1) - best
    excess = ((offset @ hessian) * offset).sum(-1) / 2
    figure, axes = plt.subplots(
        2, 1, figsize=(5.2, 6.6), layout="constrained", sharex=True
    )
    levels = [0.1, 0.5, 1.5, 3, 6, 10]
    runs = [("C1s-", 0.5, 20, 1), ("C0o-", 0.01, 1000, 100)]
    runs += [("C2^-", 0.7653, 20, 1), ("C3D-", 0.81, 20, 1)]
    for axis, half in zip(axes, (runs[:2], runs[2:]), strict=True):
        axis.contour(w, b, excess, levels, colors="0.7", linewidths=0.8)
        for style, rate, steps, every in half:
            path = descent_path(rate, steps)[::every]
            axis.plot(*path.T, style, lw=1, ms=4, label=f"η = {rate}")
        axis.plot(
            *np.stack([descent_path(1, 0)[0], best]).T,
            "k--",
            lw=1,
            label="Newton",
        )
        axis.plot(*best, "k*", ms=10)
        axis.set(ylabel="b")
        axis.legend(loc="upper right")
    axes[1].set(xlabel="w")
    return figure


if __name__ == "__main__":
    plot_contours()
    plt.show()
# --8<-- [end:plot_contours]
