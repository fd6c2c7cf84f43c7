"""Centering, and mostly scaling, lowers the condition number of the loss.

kappa + 1 / kappa + 2 = (1 + mean^2 + variance)^2 / variance,
for one feature and a bias: least, kappa = 1, at mean 0 and variance 1.
"""

# --8<-- [start:imports]
import numpy as np
from numpy.typing import NDArray
from sklearn.datasets import load_digits

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:condition]
def input_condition(x: NDArray[np.float64]) -> float:
    """Return kappa of least squares on x with a bias.

    Raises:
        ValueError: x is not finite (samples, features), or the problem is
            singular.

    >>> input_condition(np.array([[-1.0], [1.0]]))
    1.0
    """
    if x.ndim != 2 or not len(x) or not np.isfinite(x).all():
        raise ValueError(f"Expected (samples, features). Received: {x.shape}")
    design = np.column_stack([x, np.ones(len(x))])
    values = np.linalg.eigvalsh(design.T @ design / len(x))
    if values[0] <= 1e-12 * values[-1]:
        raise ValueError(f"Singular. Received eigenvalues from {values[0]:.1e}")
    return float(values[-1] / values[0])


def prepared_inputs(x: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Return x raw, centered, and standardized.

    Raises:
        ValueError: x is no finite matrix, or a column is constant.
    """
    if x.ndim != 2 or not np.isfinite(x).all() or not len(x):
        raise ValueError(f"Expected (samples, features). Received: {x.shape}")
    if not np.ptp(x, axis=0).all():
        raise ValueError(f"A column is constant. Received: {x}")
    centered = x - x.mean(0)
    return {"raw": x, "centered": centered, "standard": centered / x.std(0)}


# --8<-- [end:condition]


if __name__ == "__main__":
    # --8<-- [start:demo]
    line = np.random.RandomState(SEED).rand(100, 1)  # source 004's x
    rng = np.random.default_rng(SEED)
    people = rng.normal((1.7, 70.0, 40.0), (0.1, 12.0, 15.0), (1000, 3))
    images = load_digits().data / 16
    pixels = images[:, (images > 0).mean(0) > 0.02]
    features = pixels.shape[1]
    kappa = {}
    print("kappa               raw  centered  standard")
    for name, x in (("line", line), ("people", people), ("pixels", pixels)):
        inputs = prepared_inputs(x)
        kappa[name] = {kind: input_condition(inputs[kind]) for kind in inputs}
        row = "".join(f"{k:12.0f}" for k in kappa[name].values())
        print(f"{name:<10}{row}")
    # --8<-- [end:demo]
