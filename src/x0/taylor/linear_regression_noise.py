"""Noise with mean 1/2 moves the mean intercept by 1/2, not the slope.

E[y | x] = 3 x + 2 + 1/2

Least squares estimates the conditional mean, not the line that was typed.
"""

# --8<-- [start:imports]
import numpy as np
from numpy.typing import NDArray

SEED = 0
Array = NDArray[np.float64]
# --8<-- [end:imports]


# --8<-- [start:fits]
def fit_many(center: float, sets: int, count: int = 100) -> Array:
    """Fit y = 3x + 2 + noise on many independent data sets.

    Args:
        center: Mean of the noise, uniform on center - 1/2 to center + 1/2.
        sets: Number of data sets.
        count: Points in each.

    Returns:
        Slopes and intercepts, shape (sets, 2).

    >>> fit_many(0.5, 400).mean(0).round(1).tolist()
    [3.0, 2.5]
    """
    rng = np.random.default_rng(SEED)
    x = rng.random((sets, count))
    noise = center - 0.5 + rng.random((sets, count))
    y = 3 * x + 2 + noise
    x_mean, y_mean = x.mean(1, keepdims=True), y.mean(1, keepdims=True)
    covariance = ((x - x_mean) * (y - y_mean)).mean(1)
    slope_of = covariance / x.var(1)
    intercept = y_mean[:, 0] - slope_of * x_mean[:, 0]
    return np.column_stack([slope_of, intercept])


# --8<-- [end:fits]


if __name__ == "__main__":
    # --8<-- [start:demo]
    w = {}
    b = {}
    for name, center in (("uniform", 0.5), ("centered", 0.0)):
        fits = fit_many(center, 2000)
        mean, spread = fits.mean(0), fits.std(0)
        error = spread / np.sqrt(len(fits))
        w[name], b[name] = zip(mean, error, strict=True)
        print(f"{name + ':':9} w {mean[0]:.2f}, b {mean[1]:.2f}")
    print(f"one data set: w +- {spread[0]:.2f}, b +- {spread[1]:.3f}")
    # --8<-- [end:demo]
