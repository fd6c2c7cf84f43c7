"""Decides whether a relation between two values holds, within a stated tolerance."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy as sp

from x0_equations.evaluate import COMPARE
from x0_equations.values import REPLICATES, Array, Matrix, jackknife


@dataclass(frozen=True)
class Tolerance:
    """What a check allows, read from the text that the reader is shown."""

    relative: float = 1e-9  # for values that are not estimates
    errors: float = 0.0  # standard errors between an estimate and the theory
    precision: float = 0.0  # the largest standard error, as a part of the theory
    slope: float = 0.0  # between the measured and the stated order of an approximation

    @classmethod
    def read(cls, text: str) -> Tolerance:
        """Read "exact", "relative 1e-12", "4 SE, SE ≤ 5 %", "slope ± 0.05" or "last digit".

        Raises:
            ValueError: A part of the text says nothing that is known.
        """
        found: dict[str, float] = {}
        for part in text.split("; "):
            if match := re.fullmatch(r"relative (\S+)", part):
                found["relative"] = float(match[1])
            elif match := re.fullmatch(r"(\d+) SE, SE ≤ (\d+) %", part):
                found |= {"errors": float(match[1]), "precision": float(match[2]) / 100}
            elif match := re.fullmatch(r"slope ± (\S+)", part):
                found["slope"] = float(match[1])
            elif part not in ("exact", "last digit"):
                raise ValueError(f"cannot read the tolerance. Received: {part}")
        return cls(**found)


@dataclass(frozen=True)
class Outcome:
    """What came of one relation."""

    number: int
    holds: bool
    left: str = ""
    right: str = ""
    detail: str = ""
    how: str = "numerical"  # or symbolic or statistical


def compare(
    number: int,
    symbol: str,
    left: Any,
    right: Any,
    tolerance: Tolerance,
    *,
    scale: float = 0.0,
    tight: bool = False,
    digits: float = 0.0,
) -> Outcome:
    """Decide one relation.

    Args:
        number: The relation's number.
        symbol: The relation.
        left: The value on the left.
        right: The value on the right.
        tolerance: What is allowed.
        scale: The size against which a difference from 0 is small.
        tight: Whether an inequality must come close to equality somewhere.
        digits: For ≈ with a decimal number: half a unit of its last digit.
    """
    if isinstance(left, sp.Basic) or isinstance(right, sp.Basic):
        holds, detail = _symbolic(symbol, sp.sympify(left), sp.sympify(right))
        return Outcome(number, holds, str(left), str(right), detail, "symbolic")
    if hasattr(right, "cdf"):
        holds, detail = _distributed(np.ravel(left), right)
        holds = holds and symbol == "∼"
        return Outcome(number, holds, "samples", "distribution", detail, "statistical")
    matrices = isinstance(left, Matrix) or isinstance(right, Matrix)
    if np.iscomplexobj(left) != np.iscomplexobj(right):
        left, right = left + 0j, right + 0j
    left, right = (_array(value) for value in (left, right))
    shown = _show(left, tolerance), _show(right, tolerance)
    if not (np.isfinite(left).all() and np.isfinite(right).all()):
        return Outcome(number, False, *shown, "a value is not finite")
    if matrices and left.shape != right.shape and np.any(right):  # W = 0 needs no shape
        return Outcome(number, False, *shown, f"shapes {left.shape} and {right.shape}")
    if digits:
        gap = float(np.abs(left - right).max())
        return Outcome(number, gap <= digits * 1.000001, *shown, f"allowed {digits:.1g}")
    estimated = {left.shape[:1], right.shape[:1]} & {(REPLICATES,)}
    if tolerance.errors and estimated:
        found = _statistical(symbol, left, right, tolerance, scale, shown)
        return Outcome(number, *found, how="statistical")
    holds, detail = _numerical(symbol, left, right, tolerance.relative, scale, tight)
    return Outcome(number, holds, *shown, detail)


def _array(value: Any) -> Array:
    """Return real values; complex ones as pairs in a new last axis."""
    array = np.asarray(value.array if isinstance(value, Matrix) else value)
    if np.iscomplexobj(array):
        return np.stack([array.real, array.imag], -1)
    return array.astype(float)


def _show(values: Array, tolerance: Tolerance) -> str:
    if tolerance.errors and values.shape[:1] == (REPLICATES,):
        mean, error = jackknife(values)
        return f"{mean:.6g} ± {error:.2g}"
    if values.size <= 4:
        return ", ".join(f"{value:.15g}" for value in values.ravel())
    return f"{values.size} values from {values.min():.6g} to {values.max():.6g}"


def _numerical(
    symbol: str, left: Array, right: Array, relative: float, scale: float, tight: bool
) -> tuple[bool, str]:
    size = np.maximum(np.abs(left), np.abs(right))
    size = np.maximum(size, max(scale, 1e-3 * float(size.max(initial=0.0))))
    size = np.where(size == 0.0, 1.0, size)
    gap = (left - right) / size
    largest = float(np.abs(gap).max())
    detail = f"relative difference {largest:.2g}, allowed {relative:.2g}"
    if symbol == "=":
        return largest <= relative, detail
    if symbol in ("≠", "<", ">"):
        return bool(COMPARE[symbol](left, right).all()), detail
    if symbol in ("≤", "≥"):
        excess = gap if symbol == "≤" else -gap
        if float(excess.max()) > relative:
            return False, f"violated by {float(excess.max()):.2g}, allowed {relative:.2g}"
        closest = float(-excess.max())
        return not tight or closest <= 1e-6, f"closest to equality: {closest:.2g}"
    return False, f"{symbol} cannot be decided from values"


def _statistical(
    symbol: str, left: Array, right: Array, allowed: Tolerance, scale: float, shown: tuple[str, str]
) -> tuple[bool, str, str, str]:
    mean, error = jackknife(np.broadcast_to(left - right, (REPLICATES, 1)))
    size = scale or float(np.abs(right.ravel()[0])) or float(np.abs(left.ravel()[0]))
    rounding = allowed.relative * size
    detail = f"difference {mean:.3g}, standard error {error:.2g} ({error / size:.1%} of theory)"
    if error > allowed.precision * size:
        return False, *shown, f"{detail}: too imprecise to tell"
    excess = {"=": abs(mean), "≤": mean, "<": mean, "≥": -mean, ">": -mean}.get(symbol, np.inf)
    return bool(excess <= allowed.errors * error + rounding), *shown, detail


def _distributed(samples: Array, distribution: Any) -> tuple[bool, str]:
    """Compare samples with a distribution; 6e-5 is what 4 standard errors are to a normal mean."""
    from scipy import stats

    p = float(stats.kstest(samples, distribution.cdf).pvalue)
    return p >= 6e-5, f"Kolmogorov-Smirnov p = {p:.2g}, at least 6e-5"


def _symbolic(symbol: str, left: Any, right: Any) -> tuple[bool, str]:
    gap = left - right
    if symbol == "=":
        # A wrong equation differs already in numbers, which is fast to see; a right one is proved.
        symbols = sorted(left.free_symbols | right.free_symbols, key=str)
        for seed in range(2):
            rng = np.random.default_rng(seed)
            chosen = {s: sp.Rational(int(rng.integers(2, 97)), 7) for s in symbols}
            value = complex(gap.subs(chosen).evalf(30))
            if abs(value) > 1e-12 * max(1.0, abs(complex(left.subs(chosen).evalf(30)))):
                return False, f"differ by {value.real:.3g} at {chosen}"
        return bool(sp.simplify(gap) == 0), "simplified difference: 0 is expected"
    sign = {
        "≤": "is_nonpositive",
        "≥": "is_nonnegative",
        "<": "is_negative",
        ">": "is_positive",
        "≠": "is_nonzero",
    }.get(symbol)
    factored = sp.factor(gap)
    return sign is not None and bool(getattr(factored, sign)), f"difference {factored}"
