"""Runs the numerics of the explorers in QuickJS, beside the Python functions that they mirror."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

import numpy as np
import quickjs

ROOT = Path(__file__).parents[2]
FOLDER = Path(os.environ.get("X0_PORTS") or ROOT / "docs" / "theme" / "explorers" / "numerics")
INPUTS = int(os.environ.get("X0_INPUTS", 2000))  # random ones, for each port; fewer for mutants
IMPORT = re.compile(r'^import \{[^}]*\} from "\./([\w-]+)\.js";$', re.MULTILINE)
# JSON has no infinities and no nan.
CALL = """
const plain = (x) => JSON.stringify(x, (_, v) =>
  typeof v === "number" && !Number.isFinite(v) ? {number: String(v)} : v);
const given = (text) => JSON.parse(text, (_, v) => (v && v.number ? Number(v.number) : v));
const call = (body, rows) => plain(given(rows).map(Function("row", "i", `return ${body}`)));
"""


class Port:
    """The functions of some files of numerics."""

    def __init__(self, *names: str) -> None:
        """Load them, and what they import; a limit of time ends what a mutant may never end."""
        self.context = quickjs.Context()
        self.context.set_time_limit(30)
        sources: dict[str, str] = {}
        for name in names:
            self._collect(name, sources)
        script = "\n".join(reversed(list(sources.values())))
        self.context.eval(f"{script}\n{CALL}\n")

    def _collect(self, name: str, sources: dict[str, str]) -> None:
        text = (FOLDER / f"{name}.js").read_text(encoding="utf-8")
        sources.pop(name, None)  # what two files import stands above both
        sources[name] = re.sub(r"(?m)^export ", "", IMPORT.sub("", text))
        for other in IMPORT.findall(text):
            self._collect(other, sources)

    def __call__(self, body: str, rows: Any) -> list[Any]:
        """Evaluate an expression in `row` (and its index `i`) for each row."""
        given = json.dumps(np.asarray(rows).tolist())
        found = self.context.eval(f"call({json.dumps(body)}, {json.dumps(given)})")
        result: list[Any] = json.loads(found, object_hook=_number)
        return result


def _number(value: dict[str, Any]) -> Any:
    return float(value["number"].replace("Infinity", "inf")) if "number" in value else value


def agree(found: Any, wanted: Any, relative: float = 1e-9, scale: Any = 0.0) -> float:
    """Assert that numbers are equal to 1e-9, relative; return the largest difference.

    Args:
        found: Of the port.
        wanted: Of the Python function.
        relative: How far they may lie apart.
        scale: Against which size a value is small, where digits cancel.
    """
    found, wanted = np.asarray(found, dtype=float), np.asarray(wanted, dtype=float)
    assert found.shape == wanted.shape
    assert (np.isfinite(found) == np.isfinite(wanted)).all()
    same = (found == wanted) | (np.isnan(found) & np.isnan(wanted))
    with np.errstate(invalid="ignore"):
        size = np.maximum(np.abs(wanted), scale)
        apart = np.where(same, 0.0, np.abs(found - wanted) / np.where(size == 0, 1, size))
    worst = float(apart.max(initial=0.0))
    if relative < 1e-6:  # else it is statistical
        _note(worst)
    assert worst <= relative, f"{worst:.1e} apart, number {int(apart.argmax())}"
    return worst


def _note(worst: float) -> None:
    """Add a line to the file that `make bench` reads, if it asks for one: the test and its number."""
    if path := os.environ.get("X0_AGREEMENT"):
        test = os.environ.get("PYTEST_CURRENT_TEST", "").partition(" ")[0]
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"{test}\t{worst}\n")


def random_rows(low: list[float], high: list[float], count: int = INPUTS) -> np.ndarray:
    """Return random inputs between bounds, below every corner of them."""
    corners = np.array(np.meshgrid(*zip(low, high, strict=True))).reshape(len(low), -1).T
    rng = np.random.default_rng(len(low))
    return np.vstack([corners, rng.uniform(low, high, (count, len(low)))])
