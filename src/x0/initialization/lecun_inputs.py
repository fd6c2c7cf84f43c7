"""LeCun's rule passes the scale of the inputs on: q_1 = p_0.

The inputs must be normalized first, or the first layer saturates.

LeCun et al. (1998), section 4.3, on normalizing the inputs.
"""

# --8<-- [start:imports]
import math

import numpy as np
from sklearn.datasets import load_digits

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:inputs]
def standardize(inputs: np.ndarray) -> np.ndarray:
    """Return inputs with mean 0 and variance 1 in each feature.

    Args:
        inputs: shape (samples, features); constant features become 0.

    Raises:
        ValueError: inputs is not a matrix.

    >>> standardize(np.array([[1.0, 5.0], [3.0, 5.0]])).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """
    if inputs.ndim != 2:
        raise ValueError(
            f"Expected (samples, features). Received: shape={inputs.shape}"
        )
    centered = inputs - inputs.mean(axis=0)
    std = inputs.std(axis=0)
    result: np.ndarray = centered / np.where(std > 0, std, 1)
    return result


def first_layer(
    inputs: np.ndarray, width: int, networks: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return the layer means of z^2 and of the squared slope, per network.

    Weights have the variance 1 / fan_in, biases are 0, and the slope is that
    of 1.7159 tanh(2 z / 3).

    >>> rng = np.random.default_rng(0)
    >>> [x.shape for x in first_layer(np.ones((2, 4)), 3, 5, rng)]
    [(5,), (5,)]
    """
    fan_in = inputs.shape[1]
    std = 1 / math.sqrt(fan_in)
    q, slope = [], []
    for _ in range(networks):
        z = inputs @ rng.normal(0, std, size=(fan_in, width))
        q.append(np.mean(z**2))
        bend = 1.7159 * 2 / 3 * (1 - np.tanh(2 / 3 * z) ** 2)
        slope.append(np.mean(bend**2))
    return np.array(q), np.array(slope)


# --8<-- [end:inputs]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print q_1 and the gradient factor for raw and standardized digits."""
    rng = np.random.default_rng(SEED)
    raw = load_digits().data
    values: dict[str, float | tuple[float, float]] = {
        "constant": float((raw.std(axis=0) == 0).sum()),
    }
    print("digits         p_0    q_1  E[phi'^2] of layer 1")
    for name, inputs in (("raw", raw), ("standardized", standardize(raw))):
        q, slope = first_layer(inputs, 64, 50, rng)
        p = float(np.mean(inputs**2))
        values[f"{name}_p"] = p
        for key, x in (("q", q), ("chi", slope)):
            error = float(x.std(ddof=1)) / math.sqrt(len(x))
            values[f"{name}_{key}"] = (float(x.mean()), error)
        print(f"{name:12} {p:5.2f}  {q.mean():5.1f}  {slope.mean():9.2f}")
    return values


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]
