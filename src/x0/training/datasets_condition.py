"""Centering and scaling the inputs lower the condition number of the loss.

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
        ValueError: x is not (samples, features), or the problem is singular.

    >>> input_condition(np.array([[-1.0], [1.0]]))
    1.0
    """
    if x.ndim != 2:
        raise ValueError(f"Expected (samples, features). Received: {x.shape}")
    design = np.column_stack([x, np.ones(len(x))])
    values = np.linalg.eigvalsh(design.T @ design / len(x))
    if values[0] <= 1e-12 * values[-1]:
        raise ValueError(f"Singular. Received eigenvalues from {values[0]:.1e}")
    return float(values[-1] / values[0])


def prepared_inputs(x: NDArray[np.float64]) -> dict[str, NDArray[np.float64]]:
    """Return x raw, centered, and standardized."""
    centered = x - x.mean(0)
    return {"raw": x, "centered": centered, "standard": centered / x.std(0)}


# --8<-- [end:condition]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print the condition number of three problems, prepared in three ways."""
    line = np.random.RandomState(SEED).rand(100, 1)  # source 004's x
    rng = np.random.default_rng(SEED)
    people = rng.normal((1.7, 70.0, 40.0), (0.1, 12.0, 15.0), (1000, 3))
    images = load_digits().data / 16
    pixels = images[:, (images > 0).mean(0) > 0.02]
    values: dict[str, float | tuple[float, float]] = {}
    print("kappa               raw  centered  standard")
    for name, x in (("line", line), ("people", people), ("pixels", pixels)):
        row = f"{name:<10}"
        for kind, data in prepared_inputs(x).items():
            kappa = input_condition(data)
            values[f"{name}_{kind}"] = kappa
            row += f"{kappa:12.0f}"
        print(row)
    values["pixels"] = float(pixels.shape[1])
    return values


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]
