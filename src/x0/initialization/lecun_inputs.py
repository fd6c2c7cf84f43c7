"""LeCun's rule passes the scale of the inputs on: q_1 = p_0.

Large inputs saturate a first layer of tanh, so normalize them.

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
        ValueError: inputs is not a finite matrix of at least one row.

    >>> standardize(np.array([[1.0, 5.0], [3.0, 5.0]])).tolist()
    [[-1.0, 0.0], [1.0, 0.0]]
    """
    inputs = np.asanyarray(inputs)  # lists, tensors and tables, too
    if (
        inputs.dtype.kind not in "fiub"
        or inputs.ndim != 2
        or not len(inputs)
        or not np.isfinite(inputs).all()
    ):
        raise ValueError(
            "Expected finite numbers, shape (samples, features). "
            f"Received: shape={inputs.shape}, {inputs.dtype}"
        )
    inputs = inputs.astype(np.float64)
    varies = inputs.min(axis=0) < inputs.max(axis=0)  # std may be rounding
    centered = np.where(varies, inputs - inputs.mean(axis=0), 0)
    std = inputs.std(axis=0)
    result: np.ndarray = centered / np.where(std > 0, std, 1)
    return result


def first_layer(
    inputs: np.ndarray, width: int, networks: int, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return the layer means of z^2 and of the squared slope, per network.

    Weights have the variance 1 / fan_in, biases are 0, and the slope is that
    of 1.7159 tanh(2 z / 3).

    Args:
        inputs: finite, not empty, shape (samples, features).
        width: units of the layer, at least 1.
        networks: how many are drawn.
        rng: source of randomness.

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


if __name__ == "__main__":
    # --8<-- [start:demo]
    rng = np.random.default_rng(SEED)
    raw = load_digits().data
    constant = (raw.std(axis=0) == 0).sum()
    inputs = {"raw": raw, "standardized": standardize(raw)}
    p = {name: np.mean(x**2) for name, x in inputs.items()}
    measured = {}
    print("digits         p_0    q_1  E[phi'^2] of layer 1")
    for name, x in inputs.items():
        q, slope = first_layer(x, 64, 50, rng)
        measured[name] = {
            key: (y.mean(), y.std(ddof=1) / math.sqrt(len(y)))
            for key, y in (("q", q), ("slope", slope))
        }
        print(f"{name:12} {p[name]:5.2f}  {q.mean():5.1f}", end="")
        print(f"  {slope.mean():9.2f}")
    # --8<-- [end:demo]
