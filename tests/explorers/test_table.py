"""The table of explorers: what it names is there, and its values lie in the bounds of their controls."""

from __future__ import annotations

import ast
import re
from itertools import chain
from typing import Any

import pytest
from ports import ROOT

from x0_build.book import read_book
from x0_build.project import Project

BOOK = read_book(Project(ROOT), {})
ROWS: dict[str, dict[str, Any]] = {row["name"]: row for row in BOOK.explorers.values()}
FOLDER = ROOT / "docs" / "theme" / "explorers"


def exports(path: Any) -> set[str]:
    pattern = r"(?m)^export (?:const|function|class) (\w+)"
    return set(re.findall(pattern, path.read_text(encoding="utf-8")))


def test_there_are_six() -> None:
    assert list(ROWS) == ["signal", "phase", "taylor", "descent", "gain", "schedule"]
    assert all((FOLDER / f"{name}.js").is_file() for name in ROWS)


@pytest.mark.parametrize("name", ROWS)
def test_what_is_mirrored_exists(name: str) -> None:
    for port, function in ROWS[name]["mirrors"].items():
        file, _, exported = port.partition(".")
        assert exported in exports(FOLDER / "numerics" / f"{file}.js")
        stem, _, defined = function.partition(".")
        tree = ast.parse(BOOK.sources[stem])
        names = {x.name for x in tree.body if isinstance(x, ast.FunctionDef)}
        names |= {
            x.target.id
            for x in tree.body
            if isinstance(x, ast.AnnAssign) and isinstance(x.target, ast.Name)
        }
        assert defined in names


@pytest.mark.parametrize("name", ROWS)
def test_controls(name: str) -> None:
    for x in ROWS[name]["control"]:
        if x["options"] or x["steps"]:
            assert x["value"] in (x["options"] or x["steps"])
        elif not (x["formula"] or x["button"]):
            steps = (x["value"] - x["min"]) / x["step"]
            assert x["min"] <= x["value"] <= x["max"]
            assert steps == pytest.approx(round(steps))


@pytest.mark.parametrize("name", ROWS)
def test_texts_are_those_of_the_drawing(name: str) -> None:
    """Every text that the script asks for is in the table, and the other way round."""
    script = (FOLDER / f"{name}.js").read_text(encoding="utf-8")
    literals = set(re.findall(r'"([^"\n]+)"', script))
    asked = set(re.findall(r'\bt\("([^"\n]+)"', script))
    row = ROWS[name]
    said = set(row["texts"])
    options = set(chain.from_iterable(x["options"] for x in row["control"]))
    assert asked <= said | options
    assert said <= literals


def test_every_port_is_tested() -> None:
    tests = "".join(x.read_text("utf-8") for x in (ROOT / "tests" / "explorers").glob("test_*.py"))
    for path in (FOLDER / "numerics").glob("*.js"):
        used = "".join(x.read_text("utf-8") for x in FOLDER.rglob("*.js"))
        for name in exports(path):
            assert re.search(rf"\b{name}\b", tests), f"{path.name}: no test names {name}"
            assert len(re.findall(rf"\b{name}\b", used)) > 1, f"{path.name}: nobody uses {name}"
