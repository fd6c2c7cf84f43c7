"""What a reader is told about each equation's check, read from the tests without running them."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

KINDS = ("symbolic", "numerical", "statistical", "definition")

# The tolerance of a check that states none. The text itself sets what the check allows.
TOLERANCES = {
    "symbolic": "exact",
    "numerical": "relative 1e-12",
    "statistical": "4 SE, SE ≤ 5 %",
    "definition": "relative 1e-12",
}


@dataclass(frozen=True)
class Mark:
    """One equation's check, as the page shows it."""

    key: str
    kind: str  # symbolic · numerical · statistical · definition
    parsed: bool  # the printed TeX itself was evaluated; else the check is written in code
    tolerance: str  # language-neutral, such as "exact", "relative 1e-12", "4 SE, SE ≤ 5 %"
    file: str  # of the check, relative to the project
    line: int  # of the check's function
    test: str  # the name of that function


def marks(project_root: Path) -> dict[str, Mark]:
    """Return the mark of every checked equation, by key.

    Reads the decorators `@equation("key", kind=…, tolerance=…, parsed=…)` in tests/equations.

    Raises:
        ValueError: A decorator is not made of literals, names an unknown kind or a taken key.
    """
    found: dict[str, Mark] = {}
    for path in sorted((project_root / "tests" / "equations").glob("test_*.py")):
        file = path.relative_to(project_root).as_posix()
        for node in ast.parse(path.read_text(encoding="utf-8"), str(path)).body:
            if not isinstance(node, ast.FunctionDef):
                continue
            for decorator in node.decorator_list:
                if not (isinstance(decorator, ast.Call) and _name(decorator.func) == "equation"):
                    continue
                mark = _read(decorator, file, node)
                if mark.key in found:
                    raise ValueError(
                        f"{file}:{mark.line}: {mark.key} is checked twice; "
                        f"the other check stands in {found[mark.key].file}:{found[mark.key].line}"
                    )
                found[mark.key] = mark
    return found


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _read(call: ast.Call, file: str, function: ast.FunctionDef) -> Mark:
    place = f"{file}:{call.lineno}"
    try:
        (key,) = [ast.literal_eval(argument) for argument in call.args]
        options = {str(k.arg): ast.literal_eval(k.value) for k in call.keywords}
    except ValueError as error:
        raise ValueError(f"{place}: @equation takes one key and literal options") from error
    kind = options.get("kind")
    if kind not in KINDS:
        raise ValueError(f"{place}: kind must be one of {', '.join(KINDS)}. Received: {kind}")
    return Mark(
        key=key,
        kind=kind,
        parsed=options.get("parsed", True),
        tolerance=options.get("tolerance", TOLERANCES[kind]),
        file=file,
        line=function.lineno,
        test=function.name,
    )
