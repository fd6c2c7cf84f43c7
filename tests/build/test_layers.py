"""The code of the build: what may import what, and how much of it there may be."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

SRC = Path(__file__).parents[2] / "src"
# Each part imports only what stands before it. Parts in one row do not know each other.
LAYERS = [
    {"shape"},
    {"project"},
    {"syntax"},
    {"data"},
    {"run"},
    {"book"},
    {"check", "render"},
    {"site", "new"},
    {"hook", "publish", "rename", "serve"},
    {"__main__"},
]
# Lines of all files of a package: a budget that only falls (the aim is 3200 and 2200).
LINES = {"x0_beside": 192, "x0_build": 7396, "x0_equations": 2275, "x0_take": 1030}
LINES_OF_A_FILE = 300
LINES_OF_A_FUNCTION = 50

FILES = {
    package: {
        path: path.read_text(encoding="utf-8") for path in sorted((SRC / package).rglob("*.py"))
    }
    for package in LINES
}
ALL = {path: text for files in FILES.values() for path, text in files.items()}


def imports(path: Path, text: str) -> Iterator[tuple[str, str]]:
    """Yield the module and the name of everything of ours that a file imports."""
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno} imports relatively"
            yield from ((node.module or "", alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, "") for alias in node.names)


def test_a_part_imports_only_what_stands_below_it() -> None:
    level = {part: n for n, row in enumerate(LAYERS) for part in row}
    wrong = []
    for path, text in FILES["x0_build"].items():
        part = path.relative_to(SRC / "x0_build").parts[0].removesuffix(".py")
        for module, name in imports(path, text) if part != "__init__" else ():
            top, *rest = [*module.split("."), name]
            if top == "x0_build" and rest[0] != part and level[rest[0]] >= level[part]:
                wrong.append(f"{path.relative_to(SRC)} imports {module} {name}")
    assert wrong == []


def test_the_build_does_not_know_what_is_taken_along() -> None:
    modules = [m for path, text in FILES["x0_build"].items() for m, _ in imports(path, text)]
    assert [module for module in modules if module.startswith("x0_take")] == []


def test_the_reader_of_equations_is_a_package_of_its_own_without_cycles() -> None:
    graph = {path.stem: set() for path in FILES["x0_equations"]}
    for path, text in FILES["x0_equations"].items():
        for module, name in imports(path, text):
            top, *rest = [*module.split("."), name]
            assert top not in ("x0", "x0_build"), path
            if top == "x0_equations" and rest[0] in graph:
                graph[path.stem].add(rest[0])
    TopologicalSorter(graph).prepare()  # raises if there is a cycle


@pytest.mark.parametrize("package", LINES)
def test_nothing_imports_a_private_name(package: str) -> None:
    assert [
        f"{path.relative_to(SRC)} imports {module} {name}"
        for path, text in FILES[package].items()
        for module, name in imports(path, text)
        if module.partition(".")[0] in LINES
        for part in (*module.split("."), name)
        if part.startswith("_") and not part.startswith("__")
    ] == []


def test_files_and_functions_are_short() -> None:
    long = [
        f"{path.relative_to(SRC)}: {text.count(chr(10))} lines"
        for path, text in ALL.items()
        if text.count("\n") > LINES_OF_A_FILE
    ]
    for path, text in ALL.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or 0) - node.lineno + 1
                if lines > LINES_OF_A_FUNCTION:
                    long.append(f"{path.relative_to(SRC)}:{node.lineno} {node.name}: {lines} lines")
    assert long == []


@pytest.mark.parametrize("package", LINES)
def test_a_package_is_small(package: str) -> None:
    assert sum(text.count("\n") for text in FILES[package].values()) <= LINES[package]
