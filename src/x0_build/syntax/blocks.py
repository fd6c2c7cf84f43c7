"""The blocks of a page: fences, headings, shown equations and figures, paragraphs."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

from x0_build.syntax.signs import KEY, STEM

FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<mark>`{3,}|~{3,})[ \t]*(?P<info>[^\n`]*)$")
HEADING = re.compile(
    r"^(?P<level>#{1,6})[ \t]+(?P<title>.*?)(?:[ \t]+\{#(?P<id>[\w-]+)[^}]*\})?[ \t]*$"
)
INCLUDE = re.compile(
    rf'^[ \t]*--8<-- "x0/(?P<area>\w+)/(?P<stem>{STEM})\.py(?::(?P<section>[\w-]+))?"$'
)
MARK = re.compile(r"^[ \t]*# --8<-- \[(?P<which>start|end):(?P<name>[\w-]+)\][ \t]*\n?", re.M)
EXERCISE = re.compile(r"\*\*(\d+)\.\*\*")  # begins the paragraph that sets one
_SHOWN = re.compile(rf"^(?P<indent>[ \t]*)\{{(?P<kind>eq|index):(?P<key>{KEY})\}}[ \t]*\n?$")
_FIGURE = re.compile(rf"^(?P<indent>[ \t]*)\{{fig:(?P<key>{KEY})\}}[ \t]*(?P<arg>(?s:.*))$")


@dataclass(frozen=True)
class Include:
    """One line of a fence that brings a section of a module; section "" is the whole file."""

    area: str
    stem: str
    section: str
    line: int


@dataclass(frozen=True)
class Block:
    """A stretch of a page: the texts of all blocks are the page."""

    kind: str  # front · fence · comment · heading · eq · fig · index · text · blank
    line: int
    start: int
    text: str
    indent: str = ""
    key: str = ""
    arg: str = ""  # the caption of a figure, the info of a fence

    @property
    def body(self) -> str:
        """The lines of a fence."""
        lines = self.text.rstrip("\n").split("\n")
        closed = len(lines) > 1 and not lines[-1].strip().strip(self.key[0]) and lines[-1].strip()
        return "\n".join(lines[1:-1] if closed else lines[1:])

    @property
    def includes(self) -> list[Include]:
        """The sections that a fence brings."""
        rows = [(INCLUDE.match(row), n) for n, row in enumerate(self.body.split("\n"), 1)]
        return [
            Include(m["area"], m["stem"], m["section"] or "", self.line + n) for m, n in rows if m
        ]


def blocks(text: str, line: int = 1) -> Iterator[Block]:
    """Cut a text into blocks."""
    rows = text.splitlines(keepends=True)
    number, offset = 0, 0
    while number < len(rows):
        kind, size = _extent(rows, number)
        part = "".join(rows[number : number + size])
        yield _block(kind, line + number, offset, part)
        number, offset = number + size, offset + len(part)


def _extent(rows: list[str], n: int) -> tuple[str, int]:
    """Return the kind of the block that begins at a row, and its rows."""
    row = rows[n].rstrip("\n")
    if not row.strip():
        return "blank", 1
    if n == 0 and row == "---" and "---\n" in rows[1:]:
        return "front", rows.index("---\n", 1) + 1
    if fence := FENCE.match(row):
        mark = fence["mark"]
        for end in range(n + 1, len(rows)):
            bare = rows[end].strip()
            if bare.startswith(mark) and not bare.strip(mark[0]):
                return "fence", end - n + 1
        return "fence", len(rows) - n
    if row.lstrip().startswith("<!--"):
        for end in range(n, len(rows)):
            if "-->" in rows[end]:
                return "comment", end - n + 1
    if HEADING.match(row):
        return "heading", 1
    end = n + 1
    while end < len(rows) and rows[end].strip() and not HEADING.match(rows[end].rstrip("\n")):
        if FENCE.match(rows[end].rstrip("\n")):
            break
        end += 1
    return "text", end - n


def _block(kind: str, line: int, start: int, text: str) -> Block:
    if kind == "fence":
        match = FENCE.match(text.split("\n", 1)[0])
        assert match
        return Block(kind, line, start, text, match["indent"], match["mark"], match["info"].strip())
    if kind == "text" and (match := _SHOWN.match(text)):
        return Block(match["kind"], line, start, text, match["indent"], match["key"])
    if kind == "text" and (match := _FIGURE.match(text)):
        caption = match["arg"].strip()
        return Block("fig", line, start, text, match["indent"], match["key"], caption)
    return Block(kind, line, start, text)


def sections(text: str) -> dict[str, str]:
    """Return the sections of a module by name, without marks and indentation; "" is all of it."""
    found = {"": MARK.sub("", text)}
    for start in MARK.finditer(text):
        if start["which"] == "start":
            ends = (m for m in MARK.finditer(text, start.end()) if m["name"] == start["name"])
            end = next(ends, None)
            part = MARK.sub("", text[start.end() : end.start() if end else len(text)])
            found.setdefault(start["name"], textwrap.dedent(part))
    return found
