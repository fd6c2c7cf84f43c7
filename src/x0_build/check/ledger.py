"""The rules of the ledger: every row complete, proved or explained, at home on a page."""

from __future__ import annotations

import re
from collections.abc import Iterator

from x0_build.check.prose import language_problems
from x0_build.check.seen import Seen, nearest
from x0_build.data.ledger import VERDICTS, Claim, SourceCode, SourceHeading
from x0_build.project import Problem
from x0_build.syntax import Page

FILE = "snippets/claims.toml"
_HAN = r"[\u4e00-\u9fff]"
MOST = 0.25  # of all claims: as many at most have no test but a reason


def problems(seen: Seen) -> Iterator[Problem]:
    """Find what is wrong with claims, headings and code of the sources, and with their proofs."""
    ledger = seen.book.ledger
    taken: set[str] = set()
    for claim in ledger.claims:
        yield from (Problem(FILE, claim.line, *row) for row in _claim(seen, claim))
        if claim.id in taken:
            yield Problem(FILE, claim.line, f"the claim {claim.id} stands twice", "remove one")
        taken.add(claim.id)
    for heading in ledger.headings:
        yield from (Problem(FILE, heading.line, *row) for row in _heading(seen, heading))
    for code in ledger.code:
        yield from (Problem(FILE, code.line, *row) for row in _code(seen, code))
    for source in ledger.sources.values():
        missing = source.missing("claim", taken)
        missing += source.missing("heading", {row.id for row in ledger.headings})
        for name in missing:
            message = f"{name} of the source {source.id} has no row"
            yield Problem(FILE, 0, message, "add it, or lower the count of the source")
    editorial = [claim for claim in ledger.claims if claim.editorial]
    if len(editorial) > MOST * len(ledger.claims):
        message = f"{len(editorial)} of {len(ledger.claims)} claims have no test but a reason"
        yield Problem(FILE, 0, message, "prove some: a quarter at most may go without")
    yield from _proofs(seen)


def _claim(seen: Seen, claim: Claim) -> Iterator[tuple[str, str]]:
    known, proofs = seen.book.ledger.sources, seen.book.proofs.get(claim.id)
    if claim.source not in known:
        yield f"the source {claim.source!r} is unknown", f"one of {', '.join(known)}"
    if claim.verdict not in VERDICTS:
        yield f"the verdict {claim.verdict!r} is unknown", f"one of {', '.join(VERDICTS)}"
    if claim.page not in seen.book.either:
        remedy = nearest(claim.page, seen.book.either, "name the page that treats it")
        yield f"the page {claim.page!r} of {claim.id} does not exist", remedy
    if claim.editorial and proofs:
        message = f"{claim.id} is editorial, yet {proofs[0].file}:{proofs[0].line} proves it"
        yield message, "remove `editorial`, or the mark of the test"
    if not claim.editorial and not proofs:
        remedy = f'mark a test with @pytest.mark.claim("{claim.id}"), or say in `editorial` why none applies'
        yield f"no test proves the claim {claim.id}", remedy
    for text in (claim.text, claim.correct, claim.editorial):
        yield from _texts(seen, claim.id, claim.page, text)


def _texts(seen: Seen, name: str, home: str, texts: dict[str, str]) -> Iterator[tuple[str, str]]:
    """Find what is wrong with a text in both languages; its links are those of a page."""
    for language, text in texts.items():
        page = Page(language, f"{home}.md", seen.book.project.root, text)
        found = [wrong for use in page.uses if (wrong := seen.wrong(use))]
        if home in seen.book.either:
            found += [wrong for link, _ in page.links if (wrong := seen.lost(page, link))]
        found += [(f"{sign} cannot be read", "see CONTRIBUTING.md") for sign, _ in page.strays]
        bare = re.sub(r"\$[^$]*\$|`[^`]*`|\{[^}]*\}|\[@[^\]]*\]|\]\([^)]*\)", " ", text)
        found += [row[1:] for row in language_problems(language, bare)]
        own = re.sub(r"`[^`]*`|\[[^\]]*\]\([^)]*\)", "", text)  # a link may name a page
        if re.search(r"\w", own) and bool(re.search(_HAN, own)) != (language == "zh"):
            found.append((f"the text in {language} is in another language", "translate it"))
        yield from ((f"{name}: {message}", remedy) for message, remedy in found)


def _heading(seen: Seen, row: SourceHeading) -> Iterator[tuple[str, str]]:
    letters = {source.letter for source in seen.book.ledger.sources.values()}
    if row.id.partition("-")[0] not in letters:
        yield f"the heading {row.id} is of no source", "write an id such as A-H01"
    page = seen.book.either.get(row.page)
    ids = [heading.id for heading in page.headings] if page else []
    if page is None:
        remedy = nearest(row.page, seen.book.either, 'write home = "<page>#<section>"')
        yield f"{row.id}: the page {row.page!r} does not exist", remedy
    elif row.section not in ids:
        remedy = nearest(row.section, ids, f"its sections are: {', '.join(ids)}")
        yield f"{row.id}: {page.uri} has no section {row.section!r}", remedy
    elif not _holds_something_checked(seen, page, row.section):
        message = f"{row.id}: #{row.section} of {page.uri} holds no executed block and no checked equation"
        yield message, "name a section that does: a heading's home is not a mention"


def _holds_something_checked(seen: Seen, page: Page, section: str) -> bool:
    """Whether a section, with those below it, shows code, a figure or a checked equation."""
    start = next(heading for heading in page.headings if heading.id == section)
    after = [h.line for h in page.headings if h.line > start.line and h.level <= start.level]
    end = min(after, default=page.text.count("\n") + 2)
    lines = [include.line for include in page.includes]
    lines += [use.line for use in page.uses if use.kind == "fig"]
    lines += [use.line for use in page.uses if use.kind == "eq" and use.key in seen.book.checks]
    return any(start.line < line < end for line in lines)


def _code(seen: Seen, row: SourceCode) -> Iterator[tuple[str, str]]:
    texts = (row.text, row.alone, row.in_order, row.defects)
    if not row.repair:
        yield f"the code {row.id} has no repair", "name modules, or sections of pages"
    for name in row.claims:
        if name not in seen.book.claims:
            yield (
                f"{row.id}: there is no claim {name}",
                nearest(name, seen.book.claims, "name rows of this file"),
            )
    for name in row.repair:
        place, _, anchor = name.partition("#")
        page = seen.book.either.get(place)
        if name not in seen.book.modules and not (page and anchor in {"", *seen.anchors(page)}):
            remedy = "name the stem of a module, or a page and its section"
            yield f"{row.id}: there is no repair {name}", remedy
    for text in texts:
        yield from _texts(seen, row.id, "reference/claims", text)


def _proofs(seen: Seen) -> Iterator[Problem]:
    """The mark of a test names a claim, and the test is not skipped."""
    for name, tests in seen.book.proofs.items():
        for test in tests:
            if name not in seen.book.claims:
                remedy = nearest(name, seen.book.claims, "add the row to snippets/claims.toml")
                yield Problem(test.file, test.line, f"there is no claim {name}", remedy)
            rows = seen.book.project.text(seen.book.project.root / test.file).split("\n")
            body = re.split(r"\n(?=\S)", "\n".join(rows[test.line - 1 :]), maxsplit=1)[0]
            if re.search(
                r"\b(skip|xfail)", body + "".join(rows[max(0, test.line - 4) : test.line - 1])
            ):
                message = f"the proof of {name} may be skipped"
                yield Problem(test.file, test.line, message, "let it run everywhere")
