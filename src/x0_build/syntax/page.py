"""A page: what stands in it and what it refers to."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from x0_build.project import Project
from x0_build.syntax.blocks import HEADING, Block, Include, blocks
from x0_build.syntax.signs import STRAY, Use, scan, values

META = {"description?": str, "prerequisites?": [str], "translation?": str, "hide?": [str]}
LINK = re.compile(r"(?<!!)\[(?:[^\[\]]|\[[^\]]*\])*\]\((?P<target>[^)\s]+)[^)]*\)")


@dataclass(frozen=True)
class Heading:
    """One heading; `id` is empty if none is written."""

    level: int
    title: str
    id: str
    line: int


@dataclass(frozen=True, eq=False)
class Page:
    """One page of one language."""

    language: str
    uri: str  # initialization/he.md
    path: Path
    text: str
    meta: dict[str, Any] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """The page's name, the same in both languages: initialization/he."""
        return self.uri.removesuffix(".md")

    @property
    def stem(self) -> str:
        """The concept: he."""
        return self.name.rpartition("/")[2]

    @cached_property
    def blocks(self) -> tuple[Block, ...]:
        """The whole text, in blocks."""
        return tuple(blocks(self.text))

    @property
    def fences(self) -> list[Block]:
        """Every fenced block."""
        return [block for block in self.blocks if block.kind == "fence"]

    @cached_property
    def includes(self) -> tuple[Include, ...]:
        """Every included section."""
        return tuple(include for fence in self.fences for include in fence.includes)

    @cached_property
    def outputs(self) -> dict[int, list[tuple[str, str]]]:
        """By the line of a fence: the sections whose output follows it, once on a page."""
        found: dict[int, list[tuple[str, str]]] = {}
        seen: set[tuple[str, str]] = set()
        for fence in self.fences:
            new = dict.fromkeys((i.stem, i.section) for i in fence.includes)
            found[fence.line] = [key for key in new if key not in seen]
            seen |= new.keys()
        return found

    @cached_property
    def uses(self) -> tuple[Use, ...]:
        """Every sign, in order; values inside formulas among them."""
        found: list[Use] = []
        for b in self.blocks:
            if b.kind in ("eq", "fig", "index"):
                at = b.start + b.text.index(":") + 1
                place = (b.start + len(b.indent), at + len(b.key) + 1, at)
                found.append(Use(b.kind, b.key, b.arg, b.line, *place))
            if b.kind in ("text", "heading", "fig"):
                shown = [u for u in scan(b.text, b.line, b.start) if u.start >= b.start]
                found += shown[1:] if b.kind == "fig" else shown
        for use in list(found):
            if use.kind == "math":
                for v in values(use.key):
                    place = (use.at + v.start, use.at + v.end, use.at + v.at)
                    found.append(Use("val", v.key, v.arg, use.line, *place))
        return tuple(sorted(found, key=lambda use: use.start))

    def keys(self, kind: str) -> list[str]:
        """The keys used of one kind, in order."""
        return [use.key for use in self.uses if use.kind == kind]

    @cached_property
    def prose(self) -> str:
        """The text with front matter, code and comments blanked; offsets stay."""
        parts = [
            _blank(b.text) if b.kind in ("front", "fence", "comment") else b.text
            for b in self.blocks
        ]
        return _without("".join(parts), (u for u in self.uses if u.kind in ("code", "comment")))

    @cached_property
    def strays(self) -> list[tuple[str, int]]:
        """What looks like a sign and is none, with its line."""
        text = _without(self.prose, self.uses)
        return [(m[0], self.line_of(m.start())) for m in STRAY.finditer(text)]

    @cached_property
    def headings(self) -> tuple[Heading, ...]:
        """Every heading."""
        rows = [(b, HEADING.match(b.text)) for b in self.blocks if b.kind == "heading"]
        return tuple(
            Heading(len(m["level"]), m["title"], m["id"] or "", b.line) for b, m in rows if m
        )

    def has(self, anchor: str) -> bool:
        """Say whether a heading has this id."""
        return any(heading.id == anchor for heading in self.headings)

    @property
    def title(self) -> str:
        """The text of the first heading, else the name."""
        return next((heading.title for heading in self.headings), self.name)

    @cached_property
    def links(self) -> tuple[tuple[str, int], ...]:
        """Return (target, line) of every Markdown link."""
        return tuple((m["target"], self.line_of(m.start())) for m in LINK.finditer(self.prose))

    def target(self, link: str) -> tuple[str, str] | None:
        """Return the file that a link means, seen from the root of the pages, and its anchor.

        An address elsewhere is None.
        """
        if re.match(r"[a-z]+:|/", link):
            return None
        _, _, path, _, anchor = urlsplit(link)  # a query sets controls
        folder = posixpath.dirname(self.uri)
        return (posixpath.normpath(posixpath.join(folder, path)) if path else self.uri), anchor

    def line_of(self, offset: int) -> int:
        """Return the 1-based line of an offset into the text."""
        return self.text.count("\n", 0, offset) + 1


def _without(text: str, uses: Iterable[Use]) -> str:
    """Return a text with some of its signs blanked; those inside another are part of it."""
    parts, at = [], 0
    for use in uses:
        if use.start >= at:
            parts += [text[at : use.start], _blank(text[use.start : use.end])]
            at = use.end
    return "".join([*parts, text[at:]])


def _blank(text: str) -> str:
    return re.sub(r"[^\n]", " ", text)


def read_page(
    project: Project, language: str, uri: str, path: Path, text: str | None = None
) -> Page:
    """Return a page; of a lab, its text is given."""
    text = project.text(path) if text is None else text
    front = next(blocks(text), None)
    settings = front.text[4:-4] if front and front.kind == "front" else ""
    meta = project.yaml(path, META, settings, first=2)
    return Page(language, uri, path, text, meta)
