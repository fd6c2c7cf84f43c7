"""How fast a Xavier network shrinks is decided by the term after z.

For phi(z) = z + c z³ + ... with c < 0, q_l ~ 1 / (6 |c| l).

Softsign, z / (1 + |z|), has the next term z |z|: there q_l ~ pi / (8 l²).
"""

# --8<-- [start:imports]
from collections.abc import Callable

import numpy as np

# --8<-- [end:imports]


# --8<-- [start:rates]
def softsign(z: np.ndarray) -> np.ndarray:
    """Return z / (1 + |z|) for finite z, of its shape.

    >>> softsign(np.array([-1.0, 0.0, 3.0])).tolist()
    [-0.5, 0.0, 0.75]
    """
    result: np.ndarray = z / (1 + np.abs(z))
    return result


def moment_after(
    phi: Callable[[np.ndarray], np.ndarray], depth: int, q: float = 1.0
) -> float:
    """Return q_l at l = depth for n Var(w) = 1 and infinite width.

    Args:
        phi: Activation, odd or even.
        depth: Layer, at least 1.
        q: Second moment of the pre-activations of layer 1.

    Raises:
        ValueError: If depth is less than 1, or q negative or infinite.

    >>> round(moment_after(np.tanh, 2), 4)
    0.3943
    """
    if depth < 1 or not 0 <= q < np.inf:
        raise ValueError(
            "depth must be at least 1, q at least 0. "
            f"Received: depth={depth}, q={q}"
        )
    z = np.linspace(0, 10, 2001)
    weight = np.exp(-(z**2) / 2)
    weight[0] /= 2  # the end of the half line counts half
    weight /= weight.sum()
    for _ in range(depth - 1):
        q = float(weight @ phi(np.sqrt(q) * z) ** 2)
    return q


# --8<-- [end:rates]


if __name__ == "__main__":
    # --8<-- [start:demo]
    depth = 2000
    for name, phi, predicted in (
        ("tanh", np.tanh, 1 / (2 * depth)),
        ("arctan", np.arctan, 1 / (2 * depth)),
        ("sin", np.sin, 1 / depth),
        ("softsign", softsign, np.pi / (8 * depth**2)),
    ):
        q = moment_after(phi, depth)
        print(f"{name:8s} q = {q:.2e}, predicted {predicted:.2e}")
    # --8<-- [end:demo]
