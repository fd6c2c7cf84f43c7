"""The code of a page: what of it stands open, and what is copied with it."""

from __future__ import annotations

import ast
import html
import json
import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from x0_build.book import Book
from x0_build.render.writer import Writer, attributes
from x0_build.syntax import INCLUDE, Block, Page
from x0_build.syntax.code import Part, defined, parts, used

OPEN = 60  # lines of code that stand open on a page
DEMO = "demo"


@dataclass
class Candidate:
    """A part of a page's code, and whether it stands open."""

    fence: int  # the line of the fence
    part: Part
    cost: float
    shown: bool = False


def chosen(book: Book, page: Page) -> dict[int, list[Candidate]]:
    """Decide which parts of a page's code stand open; return them by the line of their fence.

    Short functions are formulas, long ones are procedures: the shortest come first. What the main
    part calls goes before helpers and before what only runs an experiment; the first code of a page
    goes before the rest. A function that stood open once does not do so again.
    """
    found, seen = list[Candidate](), set[str]()
    common = Counter(re.findall(r"(?m)^def (\w+)", "\n".join(book.sources.values())))
    for block in page.fences:
        rows = [] if block.indent else list(_candidates(book, block, common))
        for row in rows:
            row.cost *= 1 if found else 0.5
        found += [row for row in rows if row.part.name not in seen]
        seen |= {row.part.name for row in rows if row.part.name}
    left = OPEN
    for row in sorted(found, key=lambda row: row.cost):
        lines = row.part.short.count("\n") + 1
        if row.part.short and lines <= left and (row.part.name or _calls(row, found)):
            row.shown, left = True, left - lines
    return {x.line: [row for row in found if row.fence == x.line] for x in page.fences}


def _calls(row: Candidate, found: list[Candidate]) -> bool:
    """Say whether statements call what is shown above them."""
    names = {x.part.name for x in found if x.shown and x.fence == row.fence}
    return bool(names & used(row.part.short))


def _candidates(book: Book, block: Block, common: Counter[str]) -> Iterator[Candidate]:
    for include in block.includes:
        sections = book.sections.get(include.stem, {})
        if include.section not in sections or include.section == "imports":
            continue
        called = used(sections.get(DEMO, ""))
        for part in parts(sections[include.section], silent=include.section == DEMO):
            central = part.name in called and common[part.name] < 2 and _general(part)
            cost = (part.short.count("\n") + 1) * (1.0 if central else 3.0)
            yield Candidate(block.line, part, cost)


def _general(part: Part) -> bool:
    """Say whether it must be given something: else it runs one experiment."""
    (node,) = ast.parse(part.text).body
    if not isinstance(node, ast.FunctionDef):
        return True
    args = node.args
    return len(args.args) > len(args.defaults) or None in args.kw_defaults


def needed(book: Book, stem: str, wanted: list[str]) -> list[str]:
    """Return the sections of a module that run as copied and hold those that are wanted.

    They are what these use, and the imports, in the order of the module; [""], the whole of it, if
    they use what stands in no section.
    """
    sections = {name: text for name, text in book.sections[stem].items() if name}
    gives = {name: defined(text) for name, text in sections.items()}
    reads = {name: used(text) for name, text in sections.items()}
    found, waiting = set[str](), ["imports", *wanted]
    while waiting:
        name = waiting.pop()
        if name in sections and name not in found:
            found.add(name)
            lacks = reads[name] - gives[name]
            waiting += [other for other in sections if gives[other] & lacks]
    read, given = (set[str]().union(*(x[name] for name in found)) for x in (reads, gives))
    if (read & defined(book.sections[stem][""])) - given or "" in wanted:
        return [""]
    return [name for name in sections if name in found]


def _recipe(w: Writer, block: Block) -> str:
    """Return the keys of the pieces that the copy button of a fence gives."""
    keys = []
    for stem in dict.fromkeys(x.stem for x in block.includes if x.stem in w.book.sections):
        wanted = [x.section for x in block.includes if x.stem == stem]
        for name in needed(w.book, stem, wanted):
            w.copied[f"{stem}.{name}"] = w.book.sections[stem][name].strip("\n")
            keys.append(f"{stem}.{name}")
    return " ".join(keys)


def copies(w: Writer) -> str:
    """Return the pieces that the copy buttons of a page give, for its script and for tests.

    In an attribute: search would index a text.
    """
    text = html.escape(json.dumps(w.copied, ensure_ascii=False))
    return f'<div id="x0-code" data-pieces="{text}" hidden></div>' if w.copied else ""


def fence(w: Writer, block: Block) -> Iterator[str]:
    """Return a fence with its code, what links to the modules, and what their demos print."""
    full, rows = _full(w, block), _parts(w)[block.line]
    shown = [row.part for row in rows if row.shown]
    stems = [x for x in dict.fromkeys(x.stem for x in block.includes) if x in w.book.modules]
    sources = "\n\n".join(source(w, stem) for stem in stems)
    if not block.includes:
        yield full
    elif block.indent:
        yield "\n\n".join([full, textwrap.indent(sources, block.indent)])
    elif shown:
        code = "\n\n".join(part.short for part in shown)
        short = len(shown) < len(rows) or any(part.short != part.text for part in shown)
        names = [row.part.name for row in rows if row.part.name and not row.shown]
        yield _open(block, code, _recipe(w, block))
        yield "\n\n".join(source(w, stem, short=short, names=names) for stem in stems)
    elif rows:
        inside = textwrap.indent(f"{full}\n\n{sources}", "    ")
        yield f'??? code "{_title(w, rows)}"\n\n{inside}'
    printed = [printed_by(w, *key) for key in w.page.outputs.get(block.line, [])]
    yield textwrap.indent(output("".join(printed)), block.indent)


def _parts(w: Writer) -> dict[int, list[Candidate]]:
    """Return what was decided for a page, once."""
    if not w.parts:
        w.parts.update(chosen(w.book, w.page))
    return w.parts


def _open(block: Block, code: str, recipe: str) -> str:
    return f'``` {{ .python data-copy="{recipe}" }}\n{code}\n```'


def _title(w: Writer, rows: list[Candidate]) -> str:
    """Name what a folded block holds."""
    names = [f"`{row.part.name}`" for row in rows if row.part.name]
    lines = sum(row.part.text.count("\n") + 1 for row in rows)
    return f"{w.comma.join(names) or w.words['run']} · {lines} {w.words['lines']}"


def _full(w: Writer, block: Block) -> str:
    """Return a fence with the sections that it includes."""
    lines = []
    for row in block.text.rstrip("\n").split("\n"):
        if include := INCLUDE.match(row):
            section = w.book.sections.get(include["stem"], {}).get(include["section"] or "")
            if section is None:
                w.missing(block.line, f"there is no section {row.strip()}")
            row = textwrap.indent((section or "").strip("\n"), block.indent)
        lines.append(row)
    if recipe := _recipe(w, block):
        lines[0] = f'{block.indent}``` {{ .python data-copy="{recipe}" }}'
    return tidy("\n".join(lines))


def tidy(code: str) -> str:
    """Return code with at most two blank lines where two sections meet."""
    return re.sub(r"\n{4,}", "\n\n\n", code)


def source(w: Writer, stem: str, *, short: bool = False, names: Sequence[str] = ()) -> str:
    """Return the line under a fence that links to a module, and says what is not shown."""
    if stem not in w.book.modules:
        return ""
    name = f"{w.book.modules[stem].area}/{stem}.py"
    parts = [
        w.code(stem, f"x0/{name}", title=w.words["source"]),
        w.link(w.words["download"], w.href(f"code/{name}"), download=""),
        w.tests(stem, title=", ".join(test.name for test in w.book.tests_of(stem))),
    ]
    if short:
        said = w.words["short_without"] if names else w.words["short"]
        parts.insert(0, said.replace("{}", w.comma.join(f"`{name}`" for name in names)))
    return f"{' · '.join(filter(None, parts))}\n{attributes('x0-source')}"


def printed_by(w: Writer, stem: str, section: str = "") -> str:
    """Return what a module printed, or a section of it."""
    if not (result := w.book.results.get(stem)):
        return ""
    return result.printed(section) if section else result.output


def output(printed: str) -> str:
    """Return the block of what was printed."""
    return f"```output\n{printed.rstrip()}\n```" if printed.strip() else ""
