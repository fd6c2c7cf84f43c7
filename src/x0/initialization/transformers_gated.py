"""A gated unit multiplies phi(a) by b: but for GLU it grows about like q^2.

E[(phi(a) b)^2] = E[phi(a)^2] * q for independent a, b of second moment q

Shazeer (2020) lists GLU, ReGLU, GEGLU and SwiGLU.
"""

# --8<-- [start:imports]
import functools
import math
from collections.abc import Callable

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.figure import Figure
from torch import Tensor
from torch.nn import functional

SEED = 0
GATES: dict[str, Callable[[Tensor], Tensor]] = {
    "bilinear": lambda z: z,
    "GLU": torch.sigmoid,
    "ReGLU": torch.relu,
    "GEGLU": functional.gelu,
    "SwiGLU": functional.silu,
}
# --8<-- [end:imports]


# --8<-- [start:moment]
def gated_moment(gate: str, q: float = 1.0) -> float:
    """Return E[(phi(a) b)^2] for independent a, b ~ N(0, q).

    Raises:
        ValueError: the gate is not one of GATES, or q is negative.

    >>> round(gated_moment("ReGLU", 2.0), 6)
    2.0
    """
    if gate not in GATES:
        raise ValueError(f"gate must be one of {[*GATES]}. Received: {gate=}")
    if not q >= 0:
        raise ValueError(f"q must be at least 0. Received: {q=}")
    x, w = np.polynomial.hermite_e.hermegauss(120)
    if gate == "ReGLU":  # a kink; half of E[a^2], by symmetry
        return q * q / 2
    value = GATES[gate](torch.from_numpy(math.sqrt(q) * x)).numpy()
    return q * float((w * value**2).sum() / w.sum())


@functools.cache
def gated_sample(gate: str, q: float) -> tuple[float, float]:
    """Return mean and standard error of a gated layer's second moment.

    1000 inputs of 32 units each pass two weight matrices of their own.
    """
    generator = torch.Generator().manual_seed(SEED)
    x = torch.randn(1000, 1, 32, generator=generator)
    x *= math.sqrt(q) / x.square().mean(2, keepdim=True).sqrt()
    w = torch.randn(2, 1000, 32, 32, generator=generator) / math.sqrt(32)
    a, b = (x @ w).unbind()
    moment = (GATES[gate](a) * b).square().mean((1, 2))
    return float(moment.mean()), float(moment.std()) / math.sqrt(1000)


# --8<-- [end:moment]


if __name__ == "__main__":
    # --8<-- [start:demo]
    predicted = {gate: gated_moment(gate) for gate in GATES}
    measured = {gate: gated_sample(gate, 1.0) for gate in GATES}
    n_v = {gate: 1 / moment for gate, moment in predicted.items()}
    # --8<-- [end:demo]


# --8<-- [start:plot_scale]
def plot_scale() -> Figure:
    """Draw the second moment after an ungated and two gated units by q."""
    fig, ax = plt.subplots(figsize=(5.6, 3.6), layout="constrained")
    curve, points = np.geomspace(0.01, 100, 41), np.geomspace(0.01, 100, 5)
    ax.plot(curve, curve / 2, color="0.5", lw=1, label="ReLU, no gate")
    for i, gate in enumerate(("ReGLU", "SwiGLU")):
        theory = [gated_moment(gate, q) for q in curve]
        label = "predicted" if i == 0 else None
        ax.plot(curve, theory, ls="--", lw=1, color="black", label=label)
        measured = [gated_sample(gate, float(q))[0] for q in points]
        ax.plot(points, measured, "os"[i], ms=5, color=f"C{i}", label=gate)
    ax.set_xscale("log")
    ax.set_yscale("log")
    ax.set_xlabel("second moment q before the unit")
    ax.set_ylabel("second moment after it")
    ax.legend()
    return fig


if __name__ == "__main__":
    plot_scale()
    plt.show()
# --8<-- [end:plot_scale]
