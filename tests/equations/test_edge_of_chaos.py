"""Check of snippets/equations/edge-of-chaos.tex."""

from __future__ import annotations

import math

import numpy as np

from x0_equations.check import Equation, equation
from x0_equations.values import Function

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(61)
WEIGHTS = WEIGHTS / WEIGHTS.sum()


def correlation(c: float, q: float, weight: float, bias: float) -> float:
    """Return the correlation after one more tanh layer."""
    u, t = np.sqrt(q) * NODES[:, None], np.sqrt(q) * NODES[None, :]
    v = c * u + np.sqrt(max(1 - c * c, 0)) * t
    return float((weight * (WEIGHTS @ (np.tanh(u) * np.tanh(v)) @ WEIGHTS) + bias) / q)


@equation("edge-of-chaos-scale", kind="numerical", tolerance="relative 1e-3")
def test_scale(eq: Equation) -> None:
    """The scale is measured: the layers in which the distance to the fixed point shrinks by e."""
    for weight in (0.8, 1.3, 2.5, 3.6):
        q = 1.0
        for _ in range(4000):
            q = weight * float(WEIGHTS @ np.tanh(np.sqrt(q) * NODES) ** 2) + 0.05
        path = [0.5]
        for _ in range(600):
            path.append(correlation(path[-1], q, weight, 0.05))
        star = path[-1]
        near = [abs(c - star) for c in path]
        first = next(k for k, distance in enumerate(near) if distance < 1e-4)
        last = next(k for k, distance in enumerate(near) if distance < 1e-8)
        scale = (last - first) / math.log(near[first] / near[last])
        side = min(star + 1e-4, 1.0)
        slope = (
            correlation(side, q, weight, 0.05) - correlation(side - 2e-4, q, weight, 0.05)
        ) / 2e-4
        eq.holds(
            tau_c=scale,
            c_star=star,
            cal_C=Function(lambda _, c=star: c, lambda _, s=slope: s),
        )
