"""What a lab defines, without running it."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

ROOT = Path(__file__).parents[2]
DEFINITIONS = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)


@pytest.fixture(scope="session")
def define() -> Callable[[str], SimpleNamespace]:
    """Return a function that gives the imports, constants, functions and classes of a lab."""

    def defined(stem: str) -> SimpleNamespace:
        path = ROOT / "src" / "x0" / "labs" / f"{stem}.py"
        tree = ast.parse(path.read_text(encoding="utf-8"))
        tree.body = [
            node
            for node in tree.body
            if isinstance(node, DEFINITIONS)
            or (
                isinstance(node, ast.Assign)
                and ast.unparse(node.targets[0]).lstrip("(")[0].isupper()
            )
        ]
        names: dict[str, object] = {"__name__": stem}
        exec(compile(tree, str(path), "exec", dont_inherit=True), names)
        return SimpleNamespace(**names)

    return defined
