"""Hold the rate, and let it fall at the end: the end may be chosen late.

warm-up, stable, decay: 1 until the last part of the run, then a line to zero

Hu et al. (2024).
"""

# --8<-- [start:imports]
import math

import numpy as np
import numpy.typing as npt

RATE, START = 0.1, 3.0
# --8<-- [end:imports]


# --8<-- [start:schedule]
def warmup_stable_decay(step: int, total: int, warmup: int, fall: int) -> float:
    """Rise for `warmup` steps, stay at 1, fall on a line for `fall` steps.

    Raises:
        ValueError: the parts do not fit, or a step outside 0, ..., total.

    >>> [round(warmup_stable_decay(t, 8, 2, 4), 2) for t in range(9)]
    [0.5, 1.0, 1.0, 1.0, 1.0, 0.75, 0.5, 0.25, 0.0]
    """
    if not 0 <= step <= total or not 0 <= warmup <= total - fall < total:
        raise ValueError(
            f"Expected warmup + fall <= total. Received: {step=}, {total=}"
        )
    if step < warmup:
        return (step + 1) / warmup
    return min(1.0, (total - step) / fall)


# --8<-- [end:schedule]


# --8<-- [start:root]
def inverse_root(step: int, warmup: int) -> float:
    """Rise for `warmup` steps to 1, then fall like one over the root of t.

    Raises:
        ValueError: step < 0 or warmup < 1.

    >>> [round(inverse_root(t, 4), 2) for t in (0, 3, 15, 63)]
    [0.25, 1.0, 0.5, 0.25]
    """
    if step < 0 or warmup < 1:
        raise ValueError(f"Expected step >= 0. Received: {step=}, {warmup=}")
    share = (step + 1) / warmup
    return min(share, 1 / math.sqrt(share))


# --8<-- [end:root]


# --8<-- [start:error]
def squared_error(factors: npt.NDArray[np.float64]) -> float:
    """Return the expected squared error after a run on a noisy quadratic.

    Curvature 1, noise of variance 1, largest rate 0.1, start at 3.

    Args:
        factors: of the rate, shape (steps,).
    """
    error = START**2
    for rate in RATE * factors:
        error = (1 - rate) ** 2 * error + rate**2
    return float(error)


# --8<-- [end:error]


if __name__ == "__main__":
    # --8<-- [start:demo]
    steps = 3000
    t = np.arange(steps)
    half = math.pi * t / steps
    factors = {
        "fixed rate": np.ones(steps),
        "cosine": (1 + np.cos(half)) / 2,
        "line to zero": 1 - t / steps,
    }
    for fall in (300, 600, 1500):
        rows = [warmup_stable_decay(int(k), steps, 1, fall) for k in t]
        factors[f"stable, fall of {fall}"] = np.array(rows)
    error = {name: squared_error(f) for name, f in factors.items()}
    print("expected squared error after 3000 steps")
    for name, value in error.items():
        print(f"  {name:22}{value:.1e}")
    # --8<-- [end:demo]

    # --8<-- [start:try]
    print([round(inverse_root(k, 4), 2) for k in (0, 3, 15, 63)])
    # --8<-- [end:try]
