"""Decides whether a relation between two values holds, within a stated tolerance."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp
from scipy import stats

from x0_equations.evaluate import COMPARE
from x0_equations.values import REPLICATES, Array, Matrix, jackknife


@dataclass(frozen=True)
class Tolerance:
    """What a check allows: first what is read from the text that the reader is shown."""

    relative: float = 1e-9  # for values that are not estimates
    errors: float = 0.0  # standard errors between an estimate and the theory
    precision: float = 0.0  # the largest standard error, as a part of the theory
    slope: float = 0.0  # between the measured and the stated order of an approximation
    scale: float = 0.0  # the size against which a difference from 0 is small
    tight: bool = False  # whether an inequality must come close to equality somewhere
    digits: float = 0.0  # half a unit of the last digit of an ≈

    @classmethod
    def read(cls, text: str) -> Tolerance:
        """Read "exact", "relative 1e-12", "4 SE, SE ≤ 5 %", "slope ± 0.05" or "last digit"."""
        found: dict[str, Any] = {}
        for part in text.split("; "):
            if match := re.fullmatch(r"(?:relative|slope ±) (\S+)", part):
                found[part.split()[0]] = float(match[1])
            elif match := re.fullmatch(r"(\d+) SE, SE ≤ (\d+) %", part):
                found |= {"errors": float(match[1]), "precision": float(match[2]) / 100}
            elif part not in ("exact", "last digit"):
                raise ValueError(f"cannot read the tolerance. Received: {part}")
        return cls(**found)


@dataclass(frozen=True)
class Outcome:
    """What came of one relation."""

    holds: bool
    left: str = ""  # the values, as they are shown
    right: str = ""
    detail: str = ""  # how close it was, or why it does not hold
    how: str = "numerical"  # or symbolic or statistical
    identical: bool | None = None  # to the last bit; None if nothing was rounded


def compare(symbol: str, left: Any, right: Any, allowed: Tolerance) -> Outcome:
    """Decide one relation."""
    if isinstance(left, sp.Basic) or isinstance(right, sp.Basic):
        holds, detail = _symbolic(symbol, sp.sympify(left), sp.sympify(right))
        return Outcome(holds, str(left), str(right), detail, "symbolic")
    if hasattr(right, "cdf"):  # 6e-5 is what 4 standard errors are to a normal mean
        p = float(stats.kstest(np.ravel(left), right.cdf).pvalue)
        detail = f"Kolmogorov-Smirnov p = {p:.2g}, at least 6e-5"
        holds = symbol == "∼" and p >= 6e-5
        return Outcome(holds, "samples", "distribution", detail, "statistical")
    matrices = isinstance(left, Matrix) or isinstance(right, Matrix)
    left, right = (np.asarray(value) for value in (left, right))
    if np.iscomplexobj(left) or np.iscomplexobj(right):
        left, right = (np.stack([value.real, value.imag], -1) for value in (left, right))
    left, right = left.astype(float), right.astype(float)
    shown = _show(left, allowed), _show(right, allowed)
    if not (np.isfinite(left).all() and np.isfinite(right).all()):
        return Outcome(False, *shown, "a value is not finite")
    if matrices and left.shape != right.shape and np.any(right):  # W = 0 needs no shape
        return Outcome(False, *shown, f"shapes {left.shape} and {right.shape}")
    if allowed.digits:
        holds = float(np.abs(left - right).max()) <= allowed.digits * 1.000001
        return Outcome(holds, *shown, f"allowed {allowed.digits:.1g}")
    if allowed.errors and (REPLICATES,) in (left.shape[:1], right.shape[:1]):
        holds, detail = _statistical(symbol, left, right, allowed)
        return Outcome(holds, *shown, detail, "statistical")
    rounded = np.any(left.astype(np.float32) != left)
    identical = bool(np.all(left == right)) if rounded else None
    holds, detail = _numerical(symbol, left, right, allowed)
    return Outcome(holds, *shown, detail, identical=identical)


def _show(values: Array, allowed: Tolerance) -> str:
    if allowed.errors and values.shape[:1] == (REPLICATES,):
        mean, error = jackknife(values)
        return f"{mean:.6g} ± {error:.2g}"
    if values.size <= 4:
        return ", ".join(f"{value:.15g}" for value in values.ravel())
    return f"{values.size} values from {values.min():.6g} to {values.max():.6g}"


def _numerical(symbol: str, left: Array, right: Array, allowed: Tolerance) -> tuple[bool, str]:
    size = np.maximum(np.abs(left), np.abs(right))
    size = np.maximum(size, max(allowed.scale, 1e-3 * float(size.max(initial=0.0))))
    gap = (left - right) / np.where(size == 0.0, 1.0, size)
    if symbol in ("≤", "≥"):
        excess = float((gap if symbol == "≤" else -gap).max())
        if excess > allowed.relative:
            return False, f"violated by {excess:.2g}, allowed {allowed.relative:.2g}"
        return not allowed.tight or excess >= -1e-6, f"closest to equality: {-excess:.2g}"
    if symbol not in COMPARE:
        return False, f"{symbol} cannot be decided from values"
    largest = float(np.abs(gap).max())
    holds = (
        largest <= allowed.relative if symbol == "=" else bool(COMPARE[symbol](left, right).all())
    )
    return holds, f"relative difference {largest:.2g}, allowed {allowed.relative:.2g}"


def _statistical(symbol: str, left: Array, right: Array, allowed: Tolerance) -> tuple[bool, str]:
    mean, error = jackknife(np.broadcast_to(left - right, (REPLICATES, 1)))
    size = allowed.scale or float(np.abs(right.ravel()[0])) or float(np.abs(left.ravel()[0]))
    detail = f"difference {mean:.3g}, standard error {error:.2g} ({error / size:.1%} of theory)"
    if error > allowed.precision * size:
        return False, f"{detail}: too imprecise to tell"
    excess = {"=": abs(mean), "≤": mean, "<": mean, "≥": -mean, ">": -mean}.get(symbol, np.inf)
    return bool(excess <= allowed.errors * error + allowed.relative * size), detail


SIGNS = {"≤": "nonpositive", "≥": "nonnegative", "<": "negative", ">": "positive", "≠": "nonzero"}


def _symbolic(symbol: str, left: Any, right: Any) -> tuple[bool, str]:
    gap = left - right
    if symbol == "=":  # equals() tries numbers first: a wrong equation is seen fast
        zero = gap.equals(0)
        return bool(sp.simplify(gap) == 0 if zero is None else zero), f"difference {gap}"
    factored = sp.factor(gap)
    holds = symbol in SIGNS and bool(getattr(factored, f"is_{SIGNS[symbol]}"))
    return holds, f"difference {factored}"
