"""What the landing page says of the whole book, and the rows of the chooser, all computed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from x0_build.book import Book
from x0_build.render.writer import Writer
from x0_build.syntax import HEADING, Page

CHOOSING = "initialization/choosing"
PARTS = ("special", "transformer", "outputs", "tuning", "practice")  # its tables, after two
_CELL = re.compile(r"(?<!\\)\|")
_ROW = re.compile(r'\{val:[\w.]+\["([^"]+)"\]')
_SPEED = {"zh": 330, "en": 210}  # characters, words a minute


@dataclass(frozen=True)
class Choice:
    """One row of the tables of the page on choosing, as Markdown."""

    key: str  # the same in both languages: of the value that the row promises
    norm: str
    skip: str
    what: str  # activation function, branch or layer
    special: bool  # a layer, whatever stands around it
    calls: str
    reason: str
    number: str
    of: str  # what the number is, as the head of its column says
    page: str


def tables(page: Page) -> dict[str, list[list[str]]]:
    """Return the cells of the first table under each heading that has an id."""
    found: dict[str, list[list[str]]] = {}
    section = ""
    for block in page.blocks:
        if block.kind == "heading" and (heading := HEADING.match(block.text)):
            section = heading["id"] or ""
        elif block.kind == "text" and block.text.startswith("|") and section not in found:
            lines = block.text.strip().split("\n")
            rows = [[x.strip() for x in _CELL.split(line.strip("|"))] for line in lines]
            found[section] = [rows[0], *rows[2:]]
    return found


def choices(w: Writer) -> list[Choice]:
    """Return the rows of the chooser, in the order of the tables."""
    found = tables(page) if (page := w.book.pages[w.language].get(CHOOSING)) else {}
    none, no = w.words["choose_none"], w.words["choose_no"]
    rows: list[Choice] = []

    def add(table: str, norm: str, skip: str, what: str, call: str, *rest: str) -> None:
        *_, reason, number, link = rest
        key = re.sub(r"[^a-z0-9]+", "-", (_ROW.findall(number) or [what])[0].lower()).strip("-")
        special, of = table in PARTS, found[table][0][-2]
        rows.append(Choice(key, norm, skip, what, special, call, reason, number, of, link))

    for what, call, *rest in found.get("plain", [])[1:]:
        add("plain", none, no, what, call, *rest)
    for norm, skip, what, first, last, *rest in found.get("blocks", [])[1:]:
        calls = f"{first}, {last}" if first and last else first or last
        add("blocks", norm, skip, what or w.words["choose_any"], calls, *rest)
    for table in PARTS:
        for what, call, *rest in found.get(table, [])[1:]:
            add(table, "", "", what, call, *rest)
    return rows


def equivalents(w: Writer) -> dict[str, list[str]]:
    """Return, by a call of PyTorch, what Keras and JAX call it, as the page on choosing says."""
    page = w.book.pages[w.language].get(CHOOSING)
    rows = tables(page).get("frameworks", [])[1:] if page else []
    return {x: [y.strip("`") for y in ys] for first, *ys in rows for x in first[1:-1].split("`, `")}


def minutes(book: Book, page: Page) -> int:
    """Return how long a page takes to read: its prose, ten seconds for an equation or a figure."""
    prose = re.sub(r"\{[^}]*\}|\[@[^]]*\]|\$[^$]*\$", " ", page.prose)
    if page.language == "zh":
        words = len(re.findall(r"[\u4e00-\u9fff]|[A-Za-z]+", prose))
    else:
        words = len(re.findall(r"[A-Za-z’'-]+", prose))
    shown = len(page.keys("eq")) + len(page.keys("fig"))
    return max(1, round(words / _SPEED[page.language] + shown / 6))


def counts(book: Book) -> dict[str, int]:
    """Return how much of each kind the book holds."""
    pages = book.either.values()
    return {
        "equations": len(book.checks),
        "statements": len(book.statements),
        "figures": len(book.figures),
        "exercises": sum(len(re.findall(r"(?m)^\?\?\? solution", p.text)) for p in pages),
        "labs": len(book.labs),
        "claims": len(book.ledger.claims),
    }


def parts(w: Writer) -> Iterator[tuple[str, list[Page]]]:
    """Return the parts of the book with their pages, without the landing page."""
    for part in w.book.nav:
        pages = [w.book.pages[w.language].get(name) for name in part.pages]
        if part.title[w.language]:
            yield part.title[w.language], [page for page in pages if page]
