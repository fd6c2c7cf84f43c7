"""The rules of the glossary: whole terms, explained somewhere, one Chinese word for one concept."""

from __future__ import annotations

import re
from collections.abc import Iterator

from x0_build.check.seen import Seen, nearest
from x0_build.data.glossary import Term
from x0_build.project import Problem

FILE = "snippets/glossary.toml"


def problems(seen: Seen) -> Iterator[Problem]:
    """Find what is wrong with the terms, and where a page uses another word."""
    names: dict[str, str] = {}
    for term in seen.book.glossary.values():
        yield from (Problem(FILE, term.line, *row) for row in _term(seen, term))
        first = names.setdefault(term.name["zh"], term.key)
        if first != term.key:
            message = f"{term.key} and {first} have the same Chinese word"
            yield Problem(FILE, term.line, message, "one word stands for one concept")
    yield from _variants(seen)


def _term(seen: Seen, term: Term) -> Iterator[tuple[str, str]]:
    if term.name["zh"] in term.zh_variants:
        yield f"the word of {term.key} is one of its zh_variants", "remove it there"
    if not term.page and term.key not in seen.book.using:
        remedy = f"write {{term:{term.key}}} on a page, or give it a `page`"
        yield f"no page explains the term {term.key}", remedy
    if term.page and term.page not in seen.book.either:
        remedy = nearest(term.page, seen.book.either, "name the page that explains it")
        yield f"the page {term.page!r} of {term.key} does not exist", remedy
    for language, pages in seen.book.pages.items():
        page, name = pages.get(term.page), term.name[language]
        marked = page and term.key in page.keys("term")
        if page and not marked and name.casefold() not in page.prose.casefold():
            message = f"{seen.book.project.relative(page.path)} does not speak of “{name}”"
            yield message, f"name a page that does, in both languages, for {term.key}"
            break
        if page and term.section and term.section not in {h.id for h in page.headings}:
            message = f"{seen.book.project.relative(page.path)} has no heading {term.section!r}"
            yield message, f"correct the `section` of {term.key}"
            break


def _variants(seen: Seen) -> Iterator[Problem]:
    """Find Chinese text that says a settled term in another word."""
    relative = seen.book.project.relative
    texts = [(relative(page.path), 0, page.prose) for page in seen.book.pages["zh"].values()]
    texts += [
        ("snippets/claims.toml", claim.line, f"{claim.text['zh']}\n{claim.correct['zh']}")
        for claim in seen.book.ledger.claims
    ]
    for term in seen.book.glossary.values():
        for variant in term.zh_variants:
            # A longer settled word may hold the variant; and a word in quotes is only mentioned.
            pattern = re.compile(f"{re.escape(term.name['zh'])}|“[^“”\n]*”|({re.escape(variant)})")
            for file, line, text in texts:
                for match in pattern.finditer(text) if variant in text else ():
                    if match[1]:
                        message = f"“{variant}” is not the word of this book"
                        remedy = f"write {term.name['zh']} ({FILE}: {term.key})"
                        at = line or text.count("\n", 0, match.start()) + 1
                        yield Problem(file, at, message, remedy)
