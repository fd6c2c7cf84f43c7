"""ReLU halves the second moment of any symmetric pre-activation.

E[relu(z)^2] = E[z^2] / 2; Var(relu(z)) = (1/2 - 1/(2 pi)) E[z^2] for normal z

He et al. (2015), section 2.2: what propagates is E[h^2], not Var(h).
"""

# --8<-- [start:imports]
import itertools
import math

import numpy as np
from numpy.typing import NDArray

SEED = 0
# --8<-- [end:imports]


# --8<-- [start:share]
def relu_share(rows: NDArray[np.float64], h: NDArray[np.float64]) -> float:
    """Return E[relu(z)^2] / E[z^2] for z = w . h, exactly.

    Args:
        rows: every value of the weight row w, equally likely: (rows, n).
        h: activations of the layer below, shape (n,).

    Raises:
        ValueError: the shapes do not fit, z is always 0, or not finite.

    >>> relu_share(np.array([[2.0], [-1.0], [-1.0]]), np.ones(1))
    0.6666666666666666
    """
    if rows.ndim != 2 or h.shape != rows.shape[1:]:
        shapes = f"rows={rows.shape}, h={h.shape}"
        raise ValueError(f"Shapes do not fit. Received: {shapes}")
    if not np.isfinite(rows).all() or not np.isfinite(h).all():
        raise ValueError(f"Expected finite numbers. Received: {rows=}, {h=}")
    z = rows @ h
    if not z.any():
        raise ValueError(f"z is always 0. Received: {h=}")
    return float((np.maximum(z, 0) ** 2).mean() / (z**2).mean())


def sign_rows(n: int) -> NDArray[np.float64]:
    """Return all rows of n signs, n not negative, shape (2**n, n)."""
    return np.array(list(itertools.product([1.0, -1.0], repeat=n)))


def tied_rows() -> NDArray[np.float64]:
    """Return rows (s, t, s * t) of signs: uncorrelated, yet not symmetric."""
    signs = sign_rows(2)
    return np.column_stack([signs, signs.prod(axis=1)])


# --8<-- [end:share]


# --8<-- [start:growth]
def relu_growth(
    n_v: float, width: int, depth: int, networks: int, rng: np.random.Generator
) -> tuple[float, float]:
    """Return mean and standard error of q_depth / q_0 over ReLU networks.

    Given q, a layer's pre-activations are n draws from N(0, q), so that
    no weight matrix is needed. n_v is fan_in times the weights' variance.

    Raises:
        ValueError: n_v is not positive.

    >>> relu_growth(2.0, 4096, 1, 64, np.random.default_rng(0))[0].__round__(1)
    1.0
    """
    if n_v <= 0:
        raise ValueError(f"Expected a positive n_v. Received: {n_v=}")
    q = np.ones(networks)
    for _ in range(depth):
        z = rng.standard_normal((networks, width)) * np.sqrt(q)[:, None]
        q = n_v * (np.maximum(z, 0) ** 2).mean(axis=1)
    return float(q.mean()), float(q.std() / math.sqrt(networks))


# --8<-- [end:growth]


if __name__ == "__main__":
    # --8<-- [start:demo]
    rng = np.random.default_rng(SEED)
    h = np.ones(3)
    tuned = 2 * math.pi / (math.pi - 1)
    wrong = relu_growth(tuned, 512, 10, 2000, rng)
    right = relu_growth(2.0, 512, 10, 2000, rng)
    predicted = (math.pi / (math.pi - 1)) ** 10
    print(f"share, independent signs     {relu_share(sign_rows(3), h):.2f}")
    print(f"share, tied signs            {relu_share(tied_rows(), h):.2f}")
    print(f"10 layers, n v = 2           {right[0]:.1f}")
    print(f"10 layers, Var(h) tuned      {wrong[0]:.0f}")
    print(f"(pi / (pi - 1)) ** 10        {predicted:.0f}")
    # --8<-- [end:demo]
