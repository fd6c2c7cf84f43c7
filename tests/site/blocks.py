"""The code blocks of prepared pages, and running them as a reader does who pastes them."""

from __future__ import annotations

import ast
import builtins
import functools
import html
import json
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from x0_build.data.labels import Labels
from x0_build.project import Project
from x0_build.run import Module, Result, pool
from x0_build.run.job import Job
from x0_build.run.store import Store, fingerprint
from x0_build.syntax.code import defined, used

ROOT = Path(__file__).parents[2]
PYTHON, OUTPUT = "python", "output"
# Fences that are neither show a command or what it prints.
KINDS = {PYTHON, OUTPUT, "text", "console", "bash", "sh"}
FENCE = re.compile(
    r'^(?P<in> *)```(?: \{ \.(?P<code>\w+) data-copy="(?P<copy>[^"]*)" \}|(?P<kind>\S*))\n'
    r"(?P<text>.*?)^(?P=in)```$",
    re.M | re.S,
)
COPIED = re.compile(r'^<div id="x0-code" data-pieces="(.*)" hidden></div>$', re.M)
BETWEEN = "\0\n"
Step = tuple[str, tuple[str, ...]]
# Runs steps in an empty folder, without x0, those of one module in one namespace; says which fails.
READER = """
import os as _os, sys as _sys, tempfile as _tempfile, traceback as _traceback
_sys.modules["x0"] = None
_spaces = {{}}
with _tempfile.TemporaryDirectory() as _folder:
    _os.chdir(_folder)
    for _number, (_name, _codes) in enumerate({steps!r}, 1):
        _space = _spaces.setdefault(_name, {{"__name__": "__main__"}})
        try:
            for _code in _codes:
                exec(compile(_code, f"block {{_number}}", "exec", dont_inherit=True), _space)
        except BaseException as _error:
            _rows = _traceback.extract_tb(_error.__traceback__)
            _lines = [row.lineno for row in _rows if row.filename == f"block {{_number}}"]
            _place = f"block {{_number}}, line {{[0, *_lines][-1]}}"
            raise RuntimeError(f"{{_place}}: {{_error!r}}") from None
        print({between!r}, end="")
    if _files := _os.listdir():
        raise RuntimeError(f"files are left behind: {{_files}}")
    _os.chdir("/")
"""


def read(path: Path) -> list[tuple[str, str]]:
    """Return the kind and the text of every block of a page or notebook, in order."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".md":
        found = FENCE.finditer(text)
        rows = [(m["code"] or m["kind"], _outdented(m["text"], m["in"])) for m in found]
        assert {kind for kind, _ in rows} <= KINDS, path
        return rows
    found = []
    for cell in json.loads(text)["cells"]:
        if cell["cell_type"] == "code":
            printed = "".join("".join(output["text"]) for output in cell["outputs"])
            found += [(PYTHON, "".join(cell["source"])), *[(OUTPUT, printed)] * bool(printed)]
    return found


def copied(path: Path) -> list[Step]:
    """Return, for each block of code of a page, its module and the pieces its copy button gives."""
    text = path.read_text(encoding="utf-8")
    pieces = json.loads(html.unescape(m[1])) if (m := COPIED.search(text)) else {}
    found = []
    for m in FENCE.finditer(text):
        if PYTHON in (m["code"], m["kind"]):
            keys = (m["copy"] or "").split()
            own = (_outdented(m["text"], m["in"]),)
            stem = keys[0].partition(".")[0] if keys else ""
            found.append((stem, tuple(pieces[key] for key in keys) or own))
    return found


def lacking(copy: str) -> set[str]:
    """Return the names that a copy reads and does not define: alone it would not run."""
    return set(used(copy) - defined(copy) - {*dir(builtins), "__name__", "__file__"})


def acts(code: str) -> bool:
    """Say whether code does more than give names to things."""
    quiet = (ast.FunctionDef, ast.ClassDef, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)
    return any(
        not isinstance(node, quiet)
        and not (isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant))
        for node in ast.parse(code).body
    )


def ran_before(pieces: Sequence[str], sections: Sequence[str]) -> bool:
    """Say whether a run of the module has run these pieces too.

    They are sections of it, word for word. Those that do anything are all there and stand in the
    module's order, so with the names that they read (see `lacking`) they do the same again.
    """
    return set(pieces) <= set(sections) and [x for x in pieces if acts(x)] == [
        x for x in sections if acts(x)
    ]


def _outdented(text: str, indent: str) -> str:
    return "".join(line.removeprefix(indent) for line in text.splitlines(keepends=True))


def code(blocks: Sequence[tuple[str, str]]) -> tuple[str, ...]:
    """Return the code of a page as it is run."""
    return tuple(text for kind, text in blocks if kind == PYTHON)


def shown(blocks: Sequence[tuple[str, str]]) -> list[str]:
    """Return what the page says that each block of code prints."""
    found: list[str] = []
    for kind, text in blocks:
        if kind == PYTHON:
            found.append("")
        elif kind == OUTPUT:
            assert found, f"output above all code: {text}"
            assert not found[-1], f"two outputs below one block: {text}"
            assert text.strip(), "an output is empty"
            found[-1] = text
    return found


class Runs(Store):
    """What pages printed, beside what modules printed."""

    @property
    def folder(self) -> Path:
        return self.project.build / "tested" / "code"


def run(name: str, steps: tuple[Step, ...], root: Path = ROOT) -> tuple[list[str], list[str]]:
    """Run steps once for each text; return what each prints, and what is wrong."""
    project = Project(root)
    module = Module("pages", name.replace("/", "-"), root / name)
    runs, source = Runs(project), READER.format(steps=steps, between=BETWEEN)
    known = fingerprint(source, _environment(root), {})
    stored = runs.read(module)
    if not stored or stored[1] != known:
        job = Job(module, name, source, project.src, Labels({}))
        ((_, outcome),) = pool.run([job], 1)
        if outcome.problems:
            return [], [problem.message for problem in outcome.problems]
        runs.write(Result(module, outputs=tuple(outcome.outputs)), known)
        stored = runs.read(module)
        assert stored
    return stored[0].output.split(BETWEEN)[:-1], []


@functools.cache
def _environment(root: Path) -> dict[str, str]:
    return Store(Project(root)).environment(pool.capability)


def unused(codes: Sequence[str]) -> list[str]:
    """Return the functions and classes that nothing uses which runs when the blocks are pasted."""
    body = [node for text in codes for node in ast.parse(text).body]
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    defined = {node.name: node for node in body if isinstance(node, kinds)}
    reached: set[str] = set()
    waiting: list[ast.AST] = [node for node in body if not isinstance(node, kinds)]
    while waiting:
        new = set(_names(waiting.pop())) & defined.keys() - reached
        reached |= new
        waiting += [defined[name] for name in new]
    return sorted(defined.keys() - reached)


def _names(tree: ast.AST) -> Iterator[str]:
    yield from (node.id for node in ast.walk(tree) if isinstance(node, ast.Name))
