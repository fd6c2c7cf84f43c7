"""The rules of statements: a strong sentence leads to its proof, and each proof has a sentence."""

from __future__ import annotations

from collections.abc import Iterator

from x0_build.check.seen import Seen
from x0_build.project import Problem
from x0_build.syntax import Page
from x0_build.syntax.sentences import Sentence, sentences

_REMEDY = (
    "prove it and write [^key], refer to what shows it, say less; "
    "[^-] if it only defines or leads the reader on"
)


def problems(seen: Seen) -> Iterator[Problem]:
    """Find proofs without a sentence, and strong sentences without a proof."""
    book = seen.book
    used = {key for page in seen.every for key in page.keys("proof")}
    for key, statement in book.statements.items():
        if book.concept(key) is None:
            remedy = "a key begins with the name of the page that states it: he-survives"
            yield Problem(statement.file, statement.line, f"{key} belongs to no page", remedy)
        elif key not in used:
            remedy = f"end the sentence with [^{key}], in both languages, or remove the mark"
            yield Problem(statement.file, statement.line, f"no sentence uses {key}", remedy)
    for page in seen.every:
        for sentence in open_sentences(page):
            what = f"“{sentence.strong}” without a proof: {sentence.text[:90]}"
            yield Problem(book.project.relative(page.path), sentence.line, what, _REMEDY)


def open_sentences(page: Page) -> list[Sentence]:
    """Return the strong sentences of a page that lead to no proof."""
    return [s for s in sentences(page) if s.strong and not s.referred]
