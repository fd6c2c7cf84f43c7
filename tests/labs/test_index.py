"""What the page about the labs promises."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

LABS = sorted((Path(__file__).parents[2] / "src" / "x0" / "labs").glob("*.py"))


@pytest.mark.proves("index-imports", kind="fact", n="8 labs")
def test_labs_need_four_packages_and_fetch_nothing() -> None:
    """The labs need NumPy, PyTorch, Matplotlib and scikit-learn only; nothing is fetched."""
    allowed = {"numpy", "torch", "matplotlib", "sklearn"} | set(sys.stdlib_module_names)
    labs = [path for path in LABS if path.stem != "__init__"]
    assert len(labs) == 8
    for path in labs:
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for node in ast.walk(tree):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                names = [node.module or ""]
            assert {name.split(".")[0] for name in names} <= allowed
            assert not any(name.startswith(("urllib", "http", "socket")) for name in names)
        assert "fetch_" not in path.read_text(encoding="utf-8")
