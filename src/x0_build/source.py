"""Reading a page's Markdown: what it uses, and on which line.

The same patterns serve the check pass, the Markdown extension and the tests, so that nothing
is rendered which was not checked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from x0_build.paths import LANGUAGES, Project

KEY = r"[a-z0-9]+(?:-[a-z0-9]+)*"
STEM = r"[a-z][a-z0-9_]*"

# Blocks stand alone in a paragraph; the rest stands in a line of text.
BLOCKS = {
    "eq": rf"^[ \t]*\{{eq:(?P<key>{KEY})\}}(?=[ \t]*$)",
    "fig": rf"^[ \t]*\{{fig:(?P<key>{KEY})\}}",
    "out": rf"^[ \t]*\{{out:(?P<key>{STEM})\}}(?=[ \t]*$)",
    "index": rf"^[ \t]*\{{index:(?P<key>{KEY})\}}(?=[ \t]*$)",
    "claims": r"^[ \t]*\{(?P<key>claims)\}(?=[ \t]*$)",
    "refs": r"^[ \t]*\{(?P<key>refs)\}(?=[ \t]*$)",
}
INLINE = {
    "eqref": rf"\(eq:(?P<key>{KEY})\)",
    "figref": rf"\(fig:(?P<key>{KEY})\)",
    "val": rf"\{{val:(?P<key>{STEM}\.\w+)(?::(?P<arg>[^}}\s]+))?\}}",
    "exact": r"\{exact:(?P<key>[^}\n]+)\}",
    "cited": rf"\{{cited:(?P<arg>[^|}}\n]+)\|(?P<key>{KEY})\}}",
    "cite": rf"\[@(?P<key>{KEY}(?:; ?@{KEY})*)(?:, ?(?P<arg>[^\]\n]+))?\]",
    "term": rf"\{{term:(?P<key>{KEY})(?:\|(?P<arg>[^}}\n]+))?\}}",
    "tag": r"\{(?P<key>A\d(?: A\d)*)\}",
    "math": r"(?<![\\$])\$(?P<key>(?![\s$])(?:\\.|[^$\\\n])*?(?<!\s))\$(?![\d$])",
}
PATTERNS = {kind: re.compile(pattern, re.MULTILINE) for kind, pattern in (BLOCKS | INLINE).items()}

FENCE = re.compile(r"^(?P<indent>[ \t]*)(?P<mark>`{3,}|~{3,})[ \t]*(?P<info>[^\n`]*)$")
INCLUDE = re.compile(
    rf'^[ \t]*--8<-- "x0/(?P<area>\w+)/(?P<stem>{STEM})\.py(?::(?P<section>[\w-]+))?"$'
)
HEADING = re.compile(
    r"^(?P<level>#{1,6})[ \t]+(?P<title>.*?)(?:[ \t]+\{#(?P<id>[\w-]+)[^}]*\})?[ \t]*$"
)
LINK = re.compile(r"(?<!!)\[(?:[^\[\]]|\[[^\]]*\])*\]\((?P<target>[^)\s]+)[^)]*\)")
# Something in our own syntax that no pattern above took.
STRAY = re.compile(
    r"\{(?:eq|fig|out|index|val|exact|cited|term|claims?|refs?|cite|tag)\b[^}\n]*\}?|\((?:eq|fig):[^)\n]*\)"
)


@dataclass(frozen=True)
class Use:
    """One reference from a page to something else."""

    kind: str
    key: str
    arg: str
    line: int
    start: int  # offset of the key in the page's text


@dataclass(frozen=True)
class Fence:
    """One fenced block."""

    line: int
    info: str
    body: str


@dataclass(frozen=True)
class Heading:
    """One heading; `id` is empty if none is written."""

    level: int
    title: str
    id: str
    line: int


@dataclass(frozen=True)
class Page:
    """One Markdown file of one language."""

    language: str
    uri: str  # initialization/he.md
    path: Path
    text: str

    @property
    def name(self) -> str:
        """Return the page's name, the same in both languages: initialization/he."""
        return self.uri.removesuffix(".md")

    @property
    def stem(self) -> str:
        """Return the concept: he."""
        return self.name.rpartition("/")[2]

    @cached_property
    def meta(self) -> dict[str, Any]:
        """The front matter."""
        match = re.match(r"---\n(.*?\n)---\n", self.text, re.DOTALL)
        return (yaml.safe_load(match.group(1)) or {}) if match else {}

    @cached_property
    def fences(self) -> tuple[Fence, ...]:
        """Every fenced block."""
        return self._split[0]

    @cached_property
    def prose(self) -> str:
        """The text with front matter, code and comments blanked; offsets stay."""
        return self._split[1]

    @cached_property
    def _split(self) -> tuple[tuple[Fence, ...], str]:
        fences: list[Fence] = []
        lines = self.text.split("\n")
        kept = list(lines)
        opened: tuple[int, str, str] | None = None
        for number, line in enumerate(lines):
            match = FENCE.match(line)
            if opened is None and match:
                opened = (number, match["mark"], match["info"].strip())
            elif (
                opened
                and line.strip().startswith(opened[1])
                and not line.strip().strip(opened[1][0])
            ):
                body = "\n".join(lines[opened[0] + 1 : number])
                fences.append(Fence(opened[0] + 1, opened[2], body))
                kept[opened[0] : number + 1] = [" " * len(x) for x in lines[opened[0] : number + 1]]
                opened = None
        if opened:  # never closed: everything to the end is code
            fences.append(Fence(opened[0] + 1, opened[2], "\n".join(lines[opened[0] + 1 :])))
            kept[opened[0] :] = [" " * len(x) for x in lines[opened[0] :]]
        prose = "\n".join(kept)
        for pattern in (
            r"\A---\n.*?\n---\n",
            r"<!--.*?-->",
            r"(?<!`)(`+)(?!`)[^\n]*?(?<!`)\1(?!`)",
        ):
            prose = re.sub(pattern, _blank, prose, flags=re.DOTALL)
        return tuple(fences), prose

    def line_of(self, offset: int) -> int:
        """Return the 1-based line of an offset into the text."""
        return self.text.count("\n", 0, offset) + 1

    @cached_property
    def uses(self) -> tuple[Use, ...]:
        """Everything that the page refers to, in order."""
        found = []
        for kind, pattern in PATTERNS.items():
            for match in pattern.finditer(self.prose):
                start = match.start("key")
                arg = match.groupdict().get("arg") or ""
                found.append(Use(kind, match["key"], arg, self.line_of(start), start))
        return tuple(sorted(found, key=lambda use: use.start))

    def keys(self, kind: str) -> list[str]:
        """Return the keys used of one kind, in order."""
        return [use.key for use in self.uses if use.kind == kind]

    @cached_property
    def includes(self) -> tuple[tuple[str, str, str, int], ...]:
        """Return (area, stem, section, line) of every included code section."""
        found = []
        for fence in self.fences:
            for offset, line in enumerate(fence.body.split("\n"), 1):
                if match := INCLUDE.match(line):
                    found.append(
                        (match["area"], match["stem"], match["section"] or "", fence.line + offset)
                    )
        return tuple(found)

    @cached_property
    def headings(self) -> tuple[Heading, ...]:
        """Every heading."""
        found = []
        for number, line in enumerate(self.prose.split("\n"), 1):
            if match := HEADING.match(line):
                found.append(
                    Heading(len(match["level"]), match["title"], match["id"] or "", number)
                )
        return tuple(found)

    @property
    def title(self) -> str:
        """Return the text of the first heading, else the name."""
        return next((heading.title for heading in self.headings), self.name)

    @cached_property
    def links(self) -> tuple[tuple[str, int], ...]:
        """Return (target, line) of every Markdown link."""
        return tuple((m["target"], self.line_of(m.start())) for m in LINK.finditer(self.prose))


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match.group())


def load_pages(project: Project) -> dict[str, dict[str, Page]]:
    """Return the pages by language and name."""
    pages: dict[str, dict[str, Page]] = {}
    for language in LANGUAGES:
        folder = project.docs / language
        pages[language] = {}
        for path in sorted(folder.rglob("*.md")):
            uri = path.relative_to(folder).as_posix()
            page = Page(language, uri, path, path.read_text(encoding="utf-8"))
            pages[language][page.name] = page
    return pages
