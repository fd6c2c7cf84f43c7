"""One thread per process, one seed per test, and what a module shows: its numbers and its text."""

import math
import os
import random
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

# With more, two cores spend their time waiting for each other. Before anything imports NumPy.
os.environ["OMP_NUM_THREADS"] = "1"
os.environ["MKL_NUM_THREADS"] = "1"
os.environ["OPENBLAS_NUM_THREADS"] = "1"

import numpy as np
import pytest
import torch

from x0_build.project import Project
from x0_build.run import Result, execute, load

ROOT = Path(__file__).parents[1]


@pytest.fixture(autouse=True)
def _seeded() -> None:
    """Draw the same numbers in every run and order: what fails, fails for everybody."""
    random.seed(0)
    np.random.seed(0)
    torch.manual_seed(0)


@cache
def _stored() -> dict[str, Result]:
    return load(Project(ROOT))


@cache
def _result(stem: str) -> Result:
    stored = _stored().get(stem)
    return stored or execute(Project(ROOT), progress=False, stems=[stem])[stem]


@pytest.fixture(scope="session")
def values() -> Callable[[str], Mapping[str, Any]]:
    """Return the numbers that a module leaves under its names, by the module's stem."""
    return lambda stem: _result(stem).values


@pytest.fixture(scope="session")
def printed() -> Callable[[str], str]:
    """Return what a module prints, by its stem."""
    return lambda stem: _result(stem).output


@pytest.fixture(scope="session")
def table() -> Callable[[str, str], list[list[str]]]:
    """Return the cells of the first table below a heading, of both languages, without their heads."""

    def rows(name: str, heading: str) -> list[list[str]]:
        found = []
        for language in ("zh", "en"):
            page = (ROOT / f"docs/{language}/{name}.md").read_text(encoding="utf-8")
            block = page.partition(f"{{#{heading}}}")[2].partition("\n|")[2].partition("\n\n")[0]
            found += [line.strip("| ").split(" | ") for line in block.splitlines()[2:]]
        assert found
        return found

    return rows


@pytest.fixture(scope="session")
def draws(table: Callable[[str, str], list[list[str]]]) -> Callable[[str, float], None]:
    """Assert that the PyTorch calls of a page's table draw a variance over the fan-in as they say."""

    def check(name: str, variance: float) -> None:
        rows = [row for row in table(name, "frameworks") if row[0] == "PyTorch"]
        assert len(rows) == 4
        for _, call, distribution in rows:
            w = torch.empty(1000, 400)
            eval(call.strip("`"), {"torch": torch, "w": w})
            square = w.double().square() * 400 / variance
            error = float(square.std()) / math.sqrt(w.numel())
            assert abs(float(square.mean()) - 1) < 4 * error < 0.025
            kurtosis = 1.8 if distribution in ("uniform", "均匀") else 3
            assert float(square.square().mean()) == pytest.approx(kurtosis, rel=0.03)

    return check
