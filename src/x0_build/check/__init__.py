"""Everything that can be wrong with the sources, with file, line and remedy.

It needs no results: what was not executed yet is read from the code of the modules.
"""

from __future__ import annotations

from x0_build.book import Book
from x0_build.check import (
    code,
    equations,
    glossary,
    ledger,
    page,
    references,
    statements,
    twins,
    whole,
)
from x0_build.check.seen import Seen
from x0_build.project import Problem

__all__ = ["check", "pending"]

_SOURCES = (whole, twins, code, equations, glossary, references, ledger, statements)


def check(book: Book) -> list[Problem]:
    """Return every problem of the sources, sorted."""
    seen = Seen(book)
    found = [problem for part in _SOURCES for problem in part.problems(seen)]
    for pages in book.pages.values():
        for one in pages.values():
            file = book.project.relative(one.path)
            found += [Problem(file, *row) for row in page.problems(seen, one)]
    book.katex.save()
    return sorted({*found, *seen.broken})


def pending(book: Book) -> list[str]:
    """Return the modules that have not been executed as they are: the rest is taken on trust."""
    return [stem for stem in book.modules if stem not in book.results]
