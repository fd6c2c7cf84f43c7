"""What checks the book: tests of modules and of claims, proofs of sentences, checks of equations."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from typing import Any

from x0_build.data.cache import digest, remembered
from x0_build.project import BuildError, Problem, Project
from x0_equations import Mark, Printed, SourceError, equations, marks

# What each kind of proof must tell its reader.
KINDS = {
    "cause": ("effect",),
    "search": ("range",),
    "best": ("range",),
    "ratio": (),  # seeds, or power
    "call": (),
    "caption": (),
    "fact": (),
}
FIELDS = ("n", "seeds", "range", "tolerance", "effect", "power")
REMEDY = 'write @pytest.mark.proves("concept-name", kind="fact", …), see CONTRIBUTING.md'
SEEDS = 20  # that a ratio of noisy things needs, if no power says otherwise


@dataclass(frozen=True)
class Statement:
    """A sentence that a test proves."""

    key: str
    kind: str
    says: str  # the first line of the test's docstring
    fields: dict[str, str]  # of FIELDS, in their order; may hold {val:…}
    test: str
    file: str
    line: int
    source: str


@dataclass(frozen=True)
class Test:
    """One test function."""

    name: str
    file: str  # relative to the root
    line: int
    claims: tuple[str, ...]


@dataclass(frozen=True)
class Check:
    """The check of an equation: its mark, and the source of the function that makes it."""

    mark: Mark
    source: str


@dataclass(frozen=True)
class Checked:
    """What the tests check."""

    tests: dict[str, list[Test]]  # by file, relative to the root
    statements: dict[str, Statement]  # sentences that tests prove, by key
    equations: dict[str, Check]  # by key


def read_equations(project: Project) -> dict[str, Printed]:
    """Return the displayed equations by key."""
    return dict(_named(equations, project))


def _named(read: Callable[..., Any], project: Project) -> Any:
    try:
        return read(project.root)
    except SourceError as error:
        problem = Problem(error.file, error.line, error.message, error.remedy)
        raise BuildError([problem]) from None


def read_checked(project: Project) -> Checked:
    """Return what the tests check."""
    paths = sorted(project.tests.rglob("test_*.py"))
    texts = {project.relative(path): project.text(path) for path in paths}
    known = digest(*texts, *texts.values())
    tests, statements, checks = remembered(project, "tests", known, lambda: _all(project, texts))
    return Checked(
        {
            file: [Test(name, file, line, tuple(claims)) for name, line, claims in rows]
            for file, rows in tests.items()
        },
        {key: Statement(**row) for key, row in statements.items()},
        {key: Check(Mark(**mark), source) for key, (mark, source) in checks.items()},
    )


def _all(project: Project, texts: dict[str, str]) -> list[dict[str, Any]]:
    tests: dict[str, list[Any]] = {}
    statements: dict[str, dict[str, Any]] = {}
    functions: dict[tuple[str, int], str] = {}
    problems = []
    for file, text in texts.items():
        rows = tests.setdefault(file, [])
        for node in ast.walk(project.python(project.root / file)):
            if not isinstance(node, ast.FunctionDef):
                continue
            first = min((d.lineno for d in node.decorator_list), default=node.lineno)
            source = "\n".join(text.split("\n")[first - 1 : node.end_lineno])
            functions[file, node.lineno] = source
            if node.name.startswith("test_"):
                claims = [a for mark in _marks(node, "claim") for a in mark.args]
                names = [str(a.value) for a in claims if isinstance(a, ast.Constant)]
                rows.append([node.name, node.lineno, names])
            for mark in _marks(node, "proves"):
                row, wrong = _statement(file, node, mark, source)
                if other := statements.get(row["key"]):
                    wrong = f"{row['key']} is proved in {other['file']}:{other['line']} too"
                if wrong:
                    problems.append(Problem(file, mark.lineno, wrong, REMEDY))
                statements[row["key"]] = row
    if problems:
        raise BuildError(problems)
    checks = {
        key: [asdict(mark), functions[mark.file, mark.line]]
        for key, mark in _named(marks, project).items()
    }
    return [tests, statements, checks]


def _marks(node: ast.FunctionDef, name: str) -> Iterator[ast.Call]:
    for mark in node.decorator_list:
        if isinstance(mark, ast.Call) and ast.unparse(mark.func) == f"pytest.mark.{name}":
            yield mark


def _statement(
    file: str, node: ast.FunctionDef, mark: ast.Call, source: str
) -> tuple[dict[str, Any], str]:
    """Return a statement as a row, and what is wrong with it."""
    try:
        key, *rest = [str(ast.literal_eval(argument)) for argument in mark.args]
        given = {str(word.arg): ast.literal_eval(word.value) for word in mark.keywords}
    except (ValueError, TypeError):
        key, rest, given = ast.unparse(mark), ["?"], {}
    kind, seeds = str(given.pop("kind", "")), given.get("seeds")
    says = (ast.get_docstring(node) or "").split("\n\n")[0]
    wrong = ""
    if rest:
        wrong = "the mark takes one key and literals"
    elif kind not in KINDS:
        wrong = f"{key}: the kind is one of {', '.join(KINDS)}. Received: {kind or 'none'}"
    elif missing := [name for name in KINDS[kind] if not given.get(name)]:
        wrong = f"{key}: a proof of kind {kind} tells its {missing[0]}"
    elif kind == "ratio" and not (given.get("power") or (type(seeds) is int and seeds >= SEEDS)):
        wrong = f"{key}: a ratio needs {SEEDS} seeds, or tells its power"
    elif strange := given.keys() - set(FIELDS):
        wrong = f"{key}: nobody reads {', '.join(sorted(strange))}; there are {', '.join(FIELDS)}"
    elif not says:
        wrong = f"{key}: the first line of the docstring restates the sentence"
    row = {
        "key": key,
        "kind": kind,
        "says": " ".join(says.split()),
        "fields": {name: str(given[name]) for name in FIELDS if given.get(name)},
        "test": node.name,
        "file": file,
        "line": node.lineno,
        "source": source,
    }
    return row, wrong
