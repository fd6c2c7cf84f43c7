"""Both languages are one book: what stands on a page in one stands on it in the other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from x0_build.check.seen import Seen
from x0_build.project import LANGUAGES, Problem
from x0_build.syntax import Page

NOUNS = {
    "eq": "the equation",
    "fig": "the figure",
    "index": "the index",
    "eqref": "the reference to the equation",
    "figref": "the reference to the figure",
    "val": "the value",
    "exact": "the exact number",
    "cited": "the number cited from",
    "cite": "the citation",
    "tag": "the assumption",
    "term": "the term",
    "proof": "the proof",
}
# Of the others only how often counts: the order inside a sentence belongs to the language.
ORDERED = ("the heading", "the code", "the equation", "the figure", "the index")
FIXED = ("val", "cited")  # the format belongs to the number; the locator of a citation is words
Row = tuple[str, int]  # what stands on a page, and its line


def problems(seen: Seen) -> Iterator[Problem]:
    """Find what is on one page of a pair only."""
    pages = seen.book.pages
    for here, there in (LANGUAGES, LANGUAGES[::-1]):
        for page in pages[here].values():
            twin, file = pages[there].get(page.name), seen.book.project.relative(page.path)
            waits = page.meta.get("translation") == "pending"
            if twin is None and not waits:
                remedy = f"write docs/{there}/{page.uri}, or `translation: pending` in its settings"
                yield Problem(file, 1, f"the page has no twin in docs/{there}", remedy)
            elif twin and waits:
                message = "the page waits for a translation, which is there"
                yield Problem(file, 1, message, "remove `translation: pending`")
            elif twin and here == "en":
                mine, theirs = _held(seen, page), _held(seen, twin)
                for noun in mine.keys() & theirs.keys():
                    yield from _compare(seen, (page, twin), noun, (mine[noun], theirs[noun]))


def _held(seen: Seen, page: Page) -> dict[str, list[Row]]:
    """Return what a page holds, by noun; what has a problem of its own is left out."""
    found: dict[str, list[Row]] = {}
    if all(heading.id for heading in page.headings):
        found["the heading"] = [(f"#{h.id} (level {h.level})", h.line) for h in page.headings]
    includes, sections = page.includes, seen.book.sections
    good = [i for i in includes if i.section in sections.get(i.stem, ())]
    if len(good) == sum(fence.body.count("--8<--") for fence in page.fences):
        found["the code"] = [(f"x0/{i.area}/{i.stem}.py:{i.section}", i.line) for i in includes]
    for kind, noun in NOUNS.items():
        uses = [use for use in page.uses if use.kind == kind]
        if not page.strays and not any(map(seen.wrong, uses)):
            found[noun] = [
                (f"{u.key}:{u.arg}" if kind in FIXED and u.arg else u.key, u.line) for u in uses
            ]
    links = [row for row in page.links if ":" not in row[0]]
    if not any(seen.lost(page, link) for link, _ in links):
        found["the link"] = links
    wanted = page.meta.get("prerequisites", [])
    if all(name in seen.book.either for name in wanted):
        found["the prerequisite"] = [(name, 1) for name in wanted]
    return found


def _compare(
    seen: Seen, pages: tuple[Page, Page], noun: str, rows: tuple[list[Row], list[Row]]
) -> list[Problem]:
    """Compare what an English page and its Chinese twin hold of one kind."""
    files = [seen.book.project.relative(page.path) for page in pages]
    lab = files[0] == files[1]  # it holds both languages
    names = [f"{f} ({p.language})" if lab else f for f, p in zip(files, pages, strict=True)]
    counts = [Counter(key for key, _ in held) for held in rows]
    found = []
    for here, there in ((0, 1), (1, 0)):
        for key in counts[here] - counts[there]:
            line = [line for k, line in rows[here] if k == key][-1]
            less = f"{counts[there][key]} ×" if counts[there][key] else "not"
            what = f"{noun} {key} stands {counts[here][key]} × here and {less} in {names[there]}"
            found.append(Problem(files[here], line, what, "write it there too, or remove it here"))
    if noun == "the heading":
        return found[:1] or _order(files[0], noun, names[1], rows)  # the others follow from it
    return found or (_order(files[0], noun, names[1], rows) if noun in ORDERED else [])


def _order(file: str, noun: str, other: str, rows: tuple[list[Row], list[Row]]) -> list[Problem]:
    for (key, line), (there, row) in zip(*rows, strict=True):
        if key != there:
            what = f"{noun} {key} stands where {there} stands in {other}:{row}"
            return [Problem(file, line, what, "put them in the same order")]
    return []
