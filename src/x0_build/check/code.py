"""The rules of modules and labs: what a page can show and a reader can run."""

from __future__ import annotations

import ast
import re
import sys
from collections import defaultdict
from collections.abc import Iterator

from x0_build.check.seen import Found, Seen
from x0_build.project import Problem
from x0_build.run.module import LABS, Module
from x0_build.run.origin import unseeded
from x0_build.syntax import MARK

ALLOWED = {"numpy", "torch", "matplotlib", "sklearn"}
WIDTH = 80  # columns that a page shows
_SEEDS = {"torch.manual_seed", "np.random.seed", "numpy.random.seed", "random.seed"}


def problems(seen: Seen) -> Iterator[Problem]:
    """Find what is wrong with the code of the book."""
    used = _read_elsewhere(seen)
    for stem, module in seen.book.modules.items():
        file, text = seen.book.project.relative(module.path), seen.book.sources[stem]
        lab = seen.book.labs.get(stem)
        cells = [(cell.source, cell.line) for cell in lab.code] if lab else [(text, 1)]
        rows = [row for cell in cells for row in _lines(*cell)]
        if lab and not (lab.code and lab.cells[-1] is lab.code[-1] and "assert" in cells[-1][0]):
            remedy = "end with a code cell: `assert …`"
            rows.append((lab.cells[-1].line, "the lab does not assert its finding", remedy))
        if tree := seen.trees.get(stem):
            nodes = list(ast.walk(tree))
            rows += [*_imports(nodes), *_draws(tree, nodes, seen.left[stem])]
            if not lab:
                rows += [*_sections(text), *_home(seen, module), *_unread(tree, nodes, used[stem])]
        yield from (Problem(file, *row) for row in rows)
    yield from _helpers(seen)


def _lines(text: str, first: int = 1) -> Iterator[Found]:
    for number, line in enumerate(text.split("\n"), first):
        if len(line) > WIDTH:
            message = f"the line has {len(line)} characters; a page shows {WIDTH}"
            yield number, message, "break it: `make format` breaks code, not texts"


def _sections(text: str) -> Iterator[Found]:
    opened, known = "", set[str]()
    marks = [
        (m["which"], m["name"], text.count("\n", 0, m.start()) + 1) for m in MARK.finditer(text)
    ]
    for which, name, line in marks:
        if which == "start" and (opened or name in known):
            message = f"the section {opened or name} " + (
                "has no end" if opened else "begins twice"
            )
            yield line, message, f"write `# --8<-- [end:{opened}]` above" if opened else "rename it"
        if which == "end" and name != opened:
            yield line, f"the section {name} ends here, and did not begin", "write its start above"
        opened = name if which == "start" else ""
        known.add(name)
    if opened:
        yield marks[-1][2], f"the section {opened} has no end", f"write `# --8<-- [end:{opened}]`"
    if marks and marks[0][1] != "imports":
        yield marks[0][2], "the first section is not imports", "begin with `[start:imports]`"
    if "demo" not in known:
        remedy = 'write it inside `if __name__ == "__main__":`, between [start:demo] and [end:demo]'
        yield 1, "the module has no section demo: it shows nothing", remedy


def _imports(nodes: list[ast.AST]) -> Iterator[Found]:
    for node in nodes:
        if isinstance(node, ast.ImportFrom):
            names = ["." * node.level + (node.module or "")]
        elif isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        else:
            continue
        for name in names:
            if name.partition(".")[0] not in ALLOWED | set(sys.stdlib_module_names):
                remedy = f"use only the standard library and {', '.join(sorted(ALLOWED))}"
                yield node.lineno, f"imports {name}, which a reader may not have", remedy


def _draws(tree: ast.Module, nodes: list[ast.AST], left: set[str]) -> Iterator[Found]:
    for line, call in unseeded(tree):
        remedy = "draw from np.random.default_rng(SEED), or pass generator="
        yield line, f"{call}() draws from a generator that nobody seeded", remedy
    for node in nodes:
        for part in ast.walk(node) if isinstance(node, ast.FunctionDef) else ():
            if isinstance(part, ast.Call) and (call := ast.unparse(part.func)) in _SEEDS:
                message = f"a function seeds what everybody draws from: {call}()"
                yield part.lineno, message, "make a generator of its own: default_rng(SEED)"
    random = [
        node.lineno
        for node in nodes
        if isinstance(node, ast.Call)
        and getattr(node.func, "attr", getattr(node.func, "id", "")) in ("default_rng", "Generator")
    ]
    if random and not left & {"SEED", "SEEDS"}:
        yield random[0], "the module draws numbers but names no SEED", "write `SEED = 0` on top"


def _home(seen: Seen, module: Module) -> Iterator[Found]:
    """A module belongs to a page, and a test of its own mirrors it."""
    areas = [name.rpartition("/") for name in seen.book.either]
    concepts = [c.replace("-", "_") for area, _, c in areas if area in (module.area, "")]
    if not any(f"{module.stem}_".startswith(f"{concept}_") for concept in concepts):
        remedy = f"begin its name with that of a page: {', '.join(sorted(concepts)[:5])} …"
        yield 1, f"the module belongs to no page of docs/zh/{module.area}", remedy
    if not seen.book.tests_of(module.stem):
        file = f"tests/{module.area}/test_{module.stem}.py"
        yield 1, "no test mirrors the module", f"write a law that it must obey: {file}"


def _unread(tree: ast.Module, nodes: list[ast.AST], used: set[str]) -> Iterator[Found]:
    """Names of the main part that neither code, page nor test reads."""
    read = {n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)} | used
    mains = [n for n in tree.body if isinstance(n, ast.If) and "__main__" in ast.unparse(n.test)]
    for node in (node for main in mains for node in main.body):
        for name in node.targets if isinstance(node, ast.Assign) else ():
            if isinstance(name, ast.Name) and name.id not in read and name.id[0] != "_":
                remedy = "show it on a page or assert on it in a test; else remove it"
                yield name.lineno, f"nobody reads {name.id}", remedy


def _read_elsewhere(seen: Seen) -> dict[str, set[str]]:
    """Return by stem the names that pages, claims and tests read."""
    book = seen.book
    texts = [page.text for page in seen.every]
    texts += [t for c in book.ledger.claims for d in (c.text, c.correct) for t in d.values()]
    found: dict[str, set[str]] = defaultdict(set)
    for text in texts:
        for stem, name in re.findall(r"\{val:(\w+)\.(\w+)", text):
            found[stem].add(name)
    for file in book.tests:
        text = book.project.text(book.project.root / file)
        words = set(re.findall(r"[\"'](\w+)[\"']", text))
        for stem in words & book.modules.keys():
            found[stem] |= words
    return found


def _helpers(seen: Seen) -> Iterator[Problem]:
    """Helpers of one name are one piece of code, wherever they stand."""
    found: dict[str, dict[str, tuple[str, int]]] = defaultdict(dict)
    for stem, tree in seen.trees.items():
        module = seen.book.modules[stem]
        for node in tree.body if module.area != LABS else ():
            if isinstance(node, ast.FunctionDef) and not node.name.startswith("plot_"):
                place = (seen.book.project.relative(module.path), node.lineno)
                found[node.name].setdefault(ast.dump(node), place)
    for name, places in found.items():
        first, *others = places.values()
        for file, line in others:
            message = f"{name}() is another function than in {first[0]}:{first[1]}"
            yield Problem(file, line, message, "make them equal, or rename one")
