"""What leads from page to page: who refers to a page, what builds on it, its exercises."""

from __future__ import annotations

from collections.abc import Iterator

from x0_build.book import Book, grouped
from x0_build.run.module import LABS
from x0_build.syntax import EXERCISE, HEADING, Block, Page

MOST = 12  # pages in one row
_SHOWS = {"eqref": "eq", "figref": "fig"}


def targets(book: Book, page: Page) -> Iterator[str]:
    """Return the pages that a page refers to: by a link, an equation, a figure, as a requirement."""
    yield from page.meta.get("prerequisites", [])
    for link, _ in page.links:
        if found := page.target(link):
            yield found[0].removesuffix(".md")
    for use in page.uses:
        if use.kind in _SHOWS:
            yield book.homes.get((_SHOWS[use.kind], use.key), page.name)


def linking(book: Book) -> dict[str, list[str]]:
    """Return the pages that refer to a page, in the order of the book."""
    pairs = [(to, name) for name in book.order for to in targets(book, book.either[name])]
    return grouped(dict.fromkeys((to, name) for to, name in pairs if to != name))


def after(book: Book, page: Page) -> dict[str, list[str]]:
    """Return where to go from a page, by what one wants: words of the interface to pages."""
    name = page.name
    rows = [row for row in linking(book).get(name, []) if row.partition("/")[2] != "index"]
    builds = [row for row in rows if name in book.either[row].meta.get("prerequisites", [])]
    own = [to for to in dict.fromkeys(targets(book, page)) if to in book.either]
    labs = [row for row in dict.fromkeys([*own, *rows]) if row.startswith(f"{LABS}/")]
    said = {"next_builds": builds, "next_try": [row for row in labs if row != f"{LABS}/index"]}
    shown = {row for found in said.values() for row in found}
    others = [row for row in rows if row not in shown and row.partition("/")[0] != "reference"]
    return {x: found[:MOST] for x, found in {**said, "used_by": others}.items() if found}


def exercises(page: Page) -> Iterator[tuple[str, str, Block]]:
    """Return the anchor of each exercise of a page, what it is called, and its first paragraph."""
    heading, inside = None, False
    for block in page.blocks:
        if block.kind == "heading" and (found := HEADING.match(block.text)):
            inside = inside if len(found["level"]) > 2 else found["id"] == "exercises"
            heading = found if inside and len(found["level"]) > 2 else None
        elif block.kind == "text" and inside:
            if number := EXERCISE.match(block.text):
                yield f"exercise-{number[1]}", number[1], block
            elif heading:
                yield heading["id"], heading["title"], block
                heading = None
