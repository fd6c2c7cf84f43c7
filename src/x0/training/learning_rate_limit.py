"""A fixed rate on a quadratic is stable below 2 / (largest eigenvalue).

e_t = (1 - rate * eigenvalue)^t * e_0    in each eigendirection

The best fixed rate is 2 / (smallest + largest eigenvalue) (Polyak 1964).
"""

# --8<-- [start:imports]
import functools

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

SEED = 0
STEPS = 200
# --8<-- [end:imports]


# --8<-- [start:problem]
@functools.cache
def line_fit_problem() -> tuple[NDArray[np.float64], ...]:
    """Return x, y and the start (w, b) of source 004's linear regression.

    Its data: y = 3x + 2 plus uniform noise, 100 points, NumPy's legacy
    generator with seed 0, of which the start is drawn as well.
    """
    rng = np.random.RandomState(SEED)
    x = rng.rand(100)
    y = 3 * x + 2 + rng.rand(100)
    return x, y, rng.randn(2)


def mse_hessian() -> NDArray[np.float64]:
    """Return the Hessian of the mean squared error in (w, b), shape (2, 2).

    >>> np.linalg.eigvalsh(mse_hessian()).round(3).tolist()
    [0.134, 2.479]
    """
    x = line_fit_problem()[0]
    design = np.stack([x, np.ones_like(x)], 1)
    hessian: NDArray[np.float64] = 2 * design.T @ design / len(x)
    return hessian


# --8<-- [end:problem]


# --8<-- [start:descend]
def distance_after(rate: float, steps: int = STEPS) -> float:
    """Return the distance to the least-squares solution after some steps.

    Raises:
        ValueError: the rate or the number of steps is negative or infinite.

    >>> distance_after(0.8067) < distance_after(0.0) < distance_after(0.82)
    True
    """
    if not 0 <= rate < np.inf or steps < 0:
        raise ValueError(f"Received: {rate=}, {steps=}")
    x, y, start = line_fit_problem()
    design = np.stack([x, np.ones_like(x)], 1)
    solution = np.linalg.lstsq(design, y, rcond=None)[0]
    theta = start.copy()
    for _ in range(steps):
        theta -= rate * 2 * design.T @ (design @ theta - y) / len(x)
    return float(np.linalg.norm(theta - solution))


def predicted_distance(rate: float, steps: int = STEPS) -> float:
    """Return the same distance from the eigenvalues alone.

    >>> round(predicted_distance(0.81), 1)
    20.6
    """
    x, y, start = line_fit_problem()
    design = np.stack([x, np.ones_like(x)], 1)
    values, vectors = np.linalg.eigh(mse_hessian())
    solution = np.linalg.lstsq(design, y, rcond=None)[0]
    modes = vectors.T @ (start - solution)
    return float(np.linalg.norm((1 - rate * values) ** steps * modes))


# --8<-- [end:descend]


if __name__ == "__main__":
    # --8<-- [start:demo]
    low, high = np.linalg.eigvalsh(mse_hessian())
    kappa = high / low
    limit, best = 2 / high, 2 / (low + high)
    factor = (high - low) / (high + low)
    print(f"limit 2 / largest eigenvalue: {limit:.4f}")
    print(f"best rate:                    {best:.4f}")
    rates = [0.01, best, 0.8, 0.81]
    errors = [distance_after(rate) for rate in rates]
    for rate, error in zip(rates, errors, strict=True):
        print(f"rate {rate:.4f}: error {error:.2g}")
    edge = abs(1 - 0.8 * high)  # factor of a step at 0.8
    edge_200 = edge**STEPS
    kept = (1 - 0.01 * low) ** 1000  # of the slow mode, at 0.01
    # --8<-- [end:demo]


# --8<-- [start:plot_sweep]
def plot_sweep() -> Figure:
    """Draw the error after 200 steps against the rate."""
    fig, ax = plt.subplots(figsize=(5.2, 3.2), layout="constrained")
    limit = 2 / float(np.linalg.eigvalsh(mse_hessian())[1])
    fine = np.concatenate(
        [np.geomspace(0.004, 0.7, 80), np.arange(0.7, 0.86, 0.002)]
    )
    ax.plot(
        fine,
        [predicted_distance(r) for r in fine],
        "k--",
        lw=1,
        label="predicted",
    )
    rates = np.append(np.geomspace(0.005, 0.6, 14), np.arange(0.66, 0.86, 0.02))
    ax.plot(
        rates, [distance_after(r) for r in rates], "oC0", ms=4, label="measured"
    )
    ax.axvline(limit, color="C1", lw=1, ls=":", label="2 / λₘₐₓ")
    ax.set(xscale="log", yscale="log", ylim=(1e-12, 1e4))
    ax.set(xlabel="learning rate", ylabel="error after 200 steps")
    ax.legend(loc="lower left")
    return fig


if __name__ == "__main__":
    plot_sweep()
    plt.show()
# --8<-- [end:plot_sweep]
