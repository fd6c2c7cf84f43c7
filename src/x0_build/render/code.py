"""The pages behind the code of the book: whole modules with their tests, checks of equations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

from x0_build.book import Book, grouped
from x0_build.data.checked import Check, Statement
from x0_build.render.page import displayed, foot, front, show
from x0_build.render.snippets import output, printed_by, source, tidy
from x0_build.render.writer import Writer
from x0_build.run.module import LABS
from x0_build.syntax.sentences import sentences
from x0_equations import Mark

# How an equation was checked, in one character; guide/reading explains them.
MARKS = {"symbolic": "≡", "numerical": "✓", "statistical": "±", "definition": "≔"}


def code_files(book: Book, make: Callable[[str, Path, str], Writer]) -> Iterator[tuple[str, str]]:
    """Return by path: the page and the download of each module, the pages of equation checks.

    Args:
        book: The book.
        make: Takes a path in the tree, the source behind it and a title; gives the writer.
    """
    pages = [(name, book.either[name]) for name in book.order]
    shown = grouped(dict.fromkeys((i.stem, name) for name, page in pages for i in page.includes))
    for stem, module in book.modules.items():
        if module.area == LABS:
            continue  # its page shows all of it
        uri, text = f"code/{module.area}/{stem}", book.sections[stem][""]
        mirror = book.project.tests / module.area / f"test_{stem}.py"
        tests = book.project.text(mirror).strip("\n") if mirror.is_file() else ""
        w = make(f"{uri}.md", module.path, f"{stem}.py")
        names = {
            "stem": stem,
            "name": f"{module.area}/{stem}",
            "source": tidy(text.strip("\n")),
            "line": source(w, stem),
            "output": output(printed_by(w, stem)),
            "tests": tests,
            "pages": shown.get(stem, []),
            "foot": foot(w, [stem]),
        }
        yield f"{uri}.py", text
        yield f"{uri}.md", f"{front(w, '')}{show(w, 'module.md', **names)}\n"
    yield from _proof_pages(book, make)


def _proof_pages(book: Book, make: Callable[[str, Path, str], Writer]) -> Iterator[tuple[str, str]]:
    """Return the pages that show, for a concept, its statements and the checks of its equations."""
    rows = [
        ((book.concept(x.key) or x.key).rpartition("/")[2], x) for x in book.statements.values()
    ]
    proofs: dict[str, list[Statement]] = grouped(rows)
    checks: dict[str, list[Check]] = grouped((check_page(x.mark), x) for x in book.checks.values())
    for name in sorted(checks.keys() | proofs.keys()):
        files = dict.fromkeys([row.mark.file for row in checks.get(name, [])])
        files |= dict.fromkeys([row.file for row in proofs.get(name, [])])
        w = make(f"code/equations/{name}.md", book.project.root / next(iter(files)), "")
        w.page.meta["title"] = f"{w.words['checks']} · {name}"
        shown = [_check(w, row) for row in checks.get(name, [])]
        stated = [
            (row, _stated(w, row.key), w.proof(row), row.source) for row in proofs.get(name, [])
        ]
        text = show(w, "checks.md", name=name, rows=shown, stated=stated, foot=foot(w, []))
        math = bool(shown) or any("$" in text for row in stated for text in row[1])
        yield w.page.uri, f"{front(w, '$' * math)}{text}\n"


def _check(w: Writer, row: Check) -> dict[str, str]:
    """Return what is said of the check of an equation."""
    key, home = row.mark.key, w.book.homes.get(("eq", row.mark.key), "")
    number = w.book.numbers.get((home, "eq", key), 0)
    return {
        "key": key,
        "home": home,
        "name": f"{w.title(home)} {w.numbered('eq', number)}" if home else key,
        "equation": displayed(w, key, number) if home else "",
        "text": mark_text(w.words, row.mark),
        "file": row.mark.file,
        "source": row.source,
    }


def _stated(w: Writer, key: str) -> list[str]:
    """Return the sentences that end with a mark, each with a link to its place."""
    return [
        w.text(said.removeprefix("| ").removesuffix(" |").replace(" | ", " · "), page.name)
        + ("（{}）" if w.zh else " ({})").format(w.to(page.name, f"said-{key}", w.title(page.name)))
        for page in w.book.pages[w.language].values()
        if key in page.keys("proof")
        for sentence in sentences(page)
        if (said := sentence.text.replace(f"[^{key}]", "")) != sentence.text
    ]


def mark_text(words: dict[str, str], mark: Mark) -> str:
    """Say how an equation was checked: kind, tolerance, and what was evaluated."""
    tolerance = words["exact"] if mark.tolerance == "exact" else mark.tolerance
    how = words["by_tex" if mark.parsed else "by_code"]
    return words["semicolon"].join((words[mark.kind], tolerance, how))


def check_page(mark: Mark) -> str:
    """Return the name of the page that shows a check: one per file of checks."""
    return PurePosixPath(mark.file).stem.removeprefix("test_").replace("_", "-")
