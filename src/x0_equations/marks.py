"""What a reader is told about each equation's check, read from the tests without running them."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from pathlib import Path

from x0_equations.source import SourceError, text_of

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
        SourceError: A decorator is not made of literals, names an unknown kind or a taken key.
    """
    found: dict[str, Mark] = {}
    for path in sorted((project_root / "tests" / "equations").glob("test_*.py")):
        file = path.relative_to(project_root).as_posix()
        for node in ast.parse(text_of(file, path), str(path)).body:
            if not isinstance(node, ast.FunctionDef):
                continue
            for decorator in node.decorator_list:
                if not (isinstance(decorator, ast.Call) and _name(decorator.func) == "equation"):
                    continue
                mark = _read(decorator, file, node)
                if mark.key in found:
                    other = f"{found[mark.key].file}:{found[mark.key].line}"
                    raise _wrong(file, mark.line, f"{mark.key} is checked in {other} too")
                found[mark.key] = mark
    return found


def _wrong(file: str, line: int, message: str) -> SourceError:
    return SourceError(file, line, message, "repair the decorator")


def _name(node: ast.expr) -> str:
    return node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", "")


def _read(call: ast.Call, file: str, function: ast.FunctionDef) -> Mark:
    try:
        (key,) = [str(ast.literal_eval(argument)) for argument in call.args]
        options = {str(k.arg): ast.literal_eval(k.value) for k in call.keywords}
    except (ValueError, TypeError):
        raise _wrong(file, call.lineno, "@equation takes one key and literal options") from None
    kind = str(options.get("kind"))
    if kind not in KINDS:
        message = f"kind must be one of {', '.join(KINDS)}. Received: {kind}"
        raise _wrong(file, call.lineno, message)
    return Mark(
        key=key,
        kind=kind,
        parsed=bool(options.get("parsed", True)),
        tolerance=str(options.get("tolerance", TOLERANCES[kind])),
        file=file,
        line=function.lineno,
        test=function.name,
    )
