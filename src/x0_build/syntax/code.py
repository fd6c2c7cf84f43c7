"""The code of a section: its parts, shortened to what carries the idea, and the names it needs."""

from __future__ import annotations

import ast
import re
import symtable
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import groupby

WIDTH = 80
_DEFINITIONS = (ast.FunctionDef, ast.ClassDef)
_BLOCKS = (ast.If, ast.For, ast.With)
_BODIES = ("body", "orelse", "finalbody")


@dataclass(frozen=True)
class Part:
    """A function, a class, or the statements between two of them."""

    name: str  # "" if it is neither function nor class
    text: str
    short: str


@cache
def parts(text: str, *, silent: bool = False) -> list[Part]:
    """Cut a section into its parts.

    Args:
        text: The section.
        silent: In the short form of statements, nothing is printed.
    """
    groups = groupby(ast.parse(text).body, lambda x: x if isinstance(x, _DEFINITIONS) else None)
    return [
        Part(getattr(node, "name", ""), _text(text, rows), _shortened(text, rows, silent))
        for node, group in groups
        for rows in [ast.Module([*group], [])]
    ]


def _text(text: str, rows: ast.Module) -> str:
    """Return the lines of statements."""
    start = min([rows.body[0].lineno, *(d.lineno for d in _decorators(rows.body[0]))])
    return _tidy(text.split("\n")[start - 1 : rows.body[-1].end_lineno])


def _tidy(lines: list[str]) -> str:
    return re.sub(r"\n{3,}", "\n\n", "\n".join(lines)).strip("\n")


def _decorators(node: ast.stmt) -> list[ast.expr]:
    return getattr(node, "decorator_list", [])


def _shortened(text: str, rows: ast.Module, silent: bool) -> str:
    """Leave out checks of arguments, what is printed, and docstrings behind their first line.

    A signature of several lines goes without its types.
    """
    lines, gone = dict(enumerate(text.split("\n"), 1)), set[int]()
    if _idle(rows.body[0], left_out := _left_out(rows, silent)):
        return ""
    for node in left_out:
        gone |= _lines(node)
    for owner in ast.walk(rows):
        if not isinstance(owner, _DEFINITIONS):
            continue
        said = owner.body[0]
        if isinstance(owner, ast.FunctionDef) and said.lineno > owner.lineno + 1:
            lines[owner.lineno] = _signature(text, owner)
            gone |= set(range(owner.lineno + 1, said.lineno))
        if ast.get_docstring(owner) and len(_lines(said)) > 1:
            lines[said.lineno] = f'{lines[said.lineno].rstrip()}"""'
            gone |= _lines(said) - {said.lineno}
    start = min([rows.body[0].lineno, *(d.lineno for d in _decorators(rows.body[0]))])
    kept = [lines[n] for n in range(start, (rows.body[-1].end_lineno or 0) + 1) if n not in gone]
    return _tidy(kept)


def _idle(node: ast.stmt, gone: set[ast.stmt]) -> bool:
    """Say whether nothing is left of a function but what it says of itself."""
    said = ast.get_docstring(node) if isinstance(node, ast.FunctionDef) else None
    return bool(said) and {*node.body[1:]} <= gone  # type: ignore[attr-defined]


def _signature(text: str, node: ast.FunctionDef) -> str:
    """Return the head of a function without types, in one line if it fits."""
    args, indent = node.args, " " * node.col_offset
    plain = [*args.posonlyargs, *args.args]
    values = [None] * (len(plain) - len(args.defaults)) + [*args.defaults]
    star = [f"*{args.vararg.arg}"] if args.vararg else ["*"] if args.kwonlyargs else []
    named = [(x.arg, value) for x, value in zip(args.kwonlyargs, args.kw_defaults, strict=True)]
    parts = [(x.arg, value) for x, value in zip(plain, values, strict=True)]
    said = [
        f"{name}={ast.get_source_segment(text, value)}" if value else name
        for name, value in [*parts, *((x, None) for x in star), *named]
    ] + ([f"**{args.kwarg.arg}"] if args.kwarg else [])
    line = f"{indent}def {node.name}({', '.join(said)}):"
    if len(line) <= WIDTH:
        return line
    inner = textwrap.indent(textwrap.fill(", ".join(said), WIDTH - 8), f"{indent}    ")
    return f"{indent}def {node.name}(\n{inner}\n{indent}):"


def _lines(node: ast.stmt) -> set[int]:
    return set(range(node.lineno, (node.end_lineno or node.lineno) + 1))


def _left_out(rows: ast.Module, silent: bool) -> set[ast.stmt]:
    """Return the statements that a short form goes without, and what only they use."""
    gone, emptied = set[ast.stmt](), set[ast.AST]()
    while True:
        left = list(_walk(rows, gone))
        names = [n for n in left if isinstance(n, ast.Name)]
        unread = _names(gone) - {n.id for n in names if isinstance(n.ctx, ast.Load)}
        before = len(gone) + len(emptied)
        for owner in left:
            for body in (getattr(owner, field, None) for field in _BODIES):
                rest = [n for n in body if n not in gone] if isinstance(body, list) else []
                drop = {n for n in rest if n in emptied or _dispensable(n, unread, silent)}
                if len(drop) < len(rest) or isinstance(owner, ast.Module | ast.FunctionDef):
                    gone |= drop
                elif drop and isinstance(owner, _BLOCKS) and not getattr(owner, "orelse", None):
                    emptied.add(owner)  # it goes with its body, unless it is all that is left
        if len(gone) + len(emptied) == before:
            return gone


def _dispensable(node: ast.stmt, unread: set[str], silent: bool) -> bool:
    if isinstance(node, ast.Assign):
        names = _names(node.targets)
        return bool(names) and names <= unread
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        called = ast.unparse(node.value.func)
        return called.startswith(("_check", "check")) or (silent and called == "print")
    return _check(node)


def _check(node: ast.stmt) -> bool:
    """Say whether a statement does nothing but refuse or warn."""
    if not isinstance(node, ast.If) or not all(map(_check, node.orelse)):
        return False
    first, last = node.body[0], node.body[-1]
    if isinstance(last, ast.Raise):
        return all(isinstance(n, ast.Raise | ast.Assign) for n in node.body)
    return isinstance(first, ast.Expr) and ast.unparse(first).startswith("warnings.warn(")


def _walk(node: ast.AST, gone: set[ast.stmt]) -> Iterator[ast.AST]:
    yield node
    for child in ast.iter_child_nodes(node):
        if child not in gone:
            yield from _walk(child, gone)


def _names(nodes: object) -> set[str]:
    return {x.id for node in nodes for x in ast.walk(node) if isinstance(x, ast.Name)}  # type: ignore[attr-defined]


@cache
def defined(text: str) -> frozenset[str]:
    """Return the names that a text gives to the module."""
    table = symtable.symtable(text, "section", "exec")
    symbols = table.get_symbols()
    return frozenset(x.get_name() for x in symbols if x.is_assigned() or x.is_imported())


@cache
def used(text: str) -> frozenset[str]:
    """Return the names of the module that a text reads, inside its functions too."""
    waiting, found = [symtable.symtable(text, "section", "exec")], set[str]()
    while waiting:
        table = waiting.pop()
        top = table.get_type() == "module"
        read = (x for x in table.get_symbols() if x.is_referenced() and (top or x.is_global()))
        found |= {x.get_name() for x in read}
        waiting += table.get_children()
    return frozenset(found)
