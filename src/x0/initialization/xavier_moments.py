"""The second moment of z = W h needs no Gaussian and no independent features.

E[z²] = fan_in Var(w) E[h²]

Glorot and Bengio (2010), section 4.2.1.
"""

# --8<-- [start:imports]
import numpy as np

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:draw]
def draw_weights(
    law: str,
    variance: float,
    shape: tuple[int, ...],
    rng: np.random.Generator,
) -> np.ndarray:
    """Return independent weights with mean 0 and the given variance.

    Args:
        law: "normal", "uniform" or "rademacher" (two values, ± one std).
        variance: Variance of a weight.
        shape: Shape of the returned array.
        rng: Source of randomness.

    Raises:
        ValueError: If law is unknown, or the variance negative.

    >>> rng = np.random.default_rng(0)
    >>> np.unique(draw_weights("rademacher", 4.0, (100,), rng)).tolist()
    [-2.0, 2.0]
    """
    if not variance >= 0:
        raise ValueError(f"Expected variance >= 0. Received: {variance=}")
    unit: np.ndarray
    if law == "normal":
        unit = rng.standard_normal(shape)
    elif law == "uniform":
        unit = rng.uniform(-np.sqrt(3), np.sqrt(3), shape)
    elif law == "rademacher":
        unit = 2.0 * rng.integers(0, 2, shape) - 1.0
    else:
        raise ValueError(
            "law must be 'normal', 'uniform' or 'rademacher'. "
            f"Received: law={law!r}"
        )
    return unit * float(np.sqrt(variance))


# --8<-- [end:draw]


# --8<-- [start:moment]
def output_moments(
    law: str, h: np.ndarray, variance: float, networks: int
) -> np.ndarray:
    """Return the mean of z² over one layer and batch, for many weight draws.

    Args:
        law: Law of the weights, see draw_weights.
        h: Inputs, finite, not empty, shape (batch, fan_in).
        variance: Variance of a weight, finite.
        networks: Number of weight matrices with fan_in outputs, at least 1.

    Returns:
        Array of shape (networks,).

    >>> moments = output_moments("uniform", np.ones((1, 100)), 0.01, 200)
    >>> round(float(moments.mean()), 1)
    1.0
    """
    rng = np.random.default_rng(SEED)
    width = h.shape[1]
    weights = draw_weights(law, variance, (networks, width, width), rng)
    result: np.ndarray = np.mean((h @ weights) ** 2, axis=(1, 2))
    return result


def correlated_inputs(batch: int, width: int) -> np.ndarray:
    """Return inputs with mean 3, variance 1 and correlation 0.5.

    >>> h = correlated_inputs(4000, 50)
    >>> round(float(np.corrcoef(h[:, 0], h[:, 1])[0, 1]), 1)
    0.5
    """
    rng = np.random.default_rng(SEED)
    shared = rng.standard_normal((batch, 1))
    own = rng.standard_normal((batch, width))
    h: np.ndarray = 3 + 0.5**0.5 * (shared + own)
    return h


def tanh_moments_by_law(
    law: str, depth: int, width: int, networks: int
) -> np.ndarray:
    """Return the mean of z² in the last layer of tanh networks.

    Args:
        law: Law of the weights, see draw_weights; their variance is 1 / width.
        depth: Number of layers.
        width: Units per layer, also the number of inputs.
        networks: Number of independent networks.

    Returns:
        Array of shape (networks,); the mean runs over 32 inputs.

    >>> tanh_moments_by_law("normal", 2, 50, 3).shape
    (3,)
    """
    rng = np.random.default_rng(SEED)
    h = rng.standard_normal((networks, 32, width))
    for _ in range(depth):
        weights = draw_weights(law, 1 / width, (networks, width, width), rng)
        z = h @ weights
        h = np.tanh(z)
    result: np.ndarray = np.mean(z**2, axis=(1, 2))
    return result


# --8<-- [end:moment]


if __name__ == "__main__":
    # --8<-- [start:demo]
    h = correlated_inputs(100, 50)
    theory = 50 * 0.01 * np.mean(h**2)
    one_layer, ten_layers = {}, {}
    print(f"one layer, formula: E[z²] = {theory:.2f}")
    for law in ("normal", "uniform", "rademacher"):
        one = output_moments(law, h, 0.01, 2000)
        ten = tanh_moments_by_law(law, 10, 256, 20)
        one_layer[law] = (one.mean(), one.std(ddof=1) / len(one) ** 0.5)
        ten_layers[law] = (ten.mean(), ten.std(ddof=1) / len(ten) ** 0.5)
        print(f"{law:10s} one layer {one.mean():.1f}, ", end="")
        print(f"ten layers of tanh {ten.mean():.3f}")
    # --8<-- [end:demo]
