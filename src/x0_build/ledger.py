"""The rows of snippets/claims.toml: sources, their headings, their claims, their code."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from x0_build.paths import LANGUAGES

VERDICTS = ("correct", "imprecise", "wrong", "unsupported", "promise")


@dataclass(frozen=True)
class Source:
    """One of the documents that the ledger judges, and how much it holds."""

    id: str
    letter: str
    name: dict[str, str]
    claims: int
    headings: int

    def missing(self, kind: str, known: set[str]) -> list[str]:
        """Return the ids of claims or headings of this source that are not known."""
        if kind == "heading":
            ids = [f"{self.letter}-H{n:02}" for n in range(1, self.headings + 1)]
        else:
            ids = [f"{self.letter}-{n:02}" for n in range(1, self.claims + 1)]
        return [name for name in ids if name not in known]


@dataclass(frozen=True)
class Claim:
    """One claim of a source, judged."""

    id: str
    source: str
    where: str
    verdict: str
    page: str
    text: dict[str, str]
    correct: dict[str, str]
    editorial: dict[str, str]
    line: int


@dataclass(frozen=True)
class SourceHeading:
    """One heading of a source and the section that keeps what it announces."""

    id: str
    text: dict[str, str]
    page: str
    section: str
    line: int


@dataclass(frozen=True)
class SourceCode:
    """One block of code of a source: what happens when it runs, and its repair."""

    id: str
    source: str
    where: str
    text: dict[str, str]
    alone: dict[str, str]
    in_order: dict[str, str]
    defects: dict[str, str]
    claims: tuple[str, ...]
    repair: tuple[str, ...]  # stems of modules, or pages
    line: int


@dataclass(frozen=True)
class Ledger:
    """All rows, in the order of the file."""

    sources: dict[str, Source]
    claims: tuple[Claim, ...]
    headings: tuple[SourceHeading, ...]
    code: tuple[SourceCode, ...]


def _pair(row: dict[str, Any], ending: str = "") -> dict[str, str]:
    return {language: str(row.get(language + ending, "")) for language in LANGUAGES}


def read(data: dict[str, Any], text: str) -> Ledger:
    """Return the rows of a parsed file; its text tells their lines."""

    def line(pattern: str, number: int = 0) -> int:
        places = [m.start() for m in re.finditer(pattern, text, re.MULTILINE)]
        return text.count("\n", 0, places[number]) + 1 if number < len(places) else 0

    def line_of(kind: str, number: int) -> int:
        return line(rf"^\[\[{kind}\]\]", number) + 1  # the id stands under the mark

    sources = {
        key: Source(key, row["letter"], _pair(row), int(row["claims"]), int(row["headings"]))
        for key, row in data.get("sources", {}).items()
    }
    claims = tuple(
        Claim(
            id=row.get("id", ""),
            source=row.get("source", ""),
            where=row.get("where", ""),
            verdict=row.get("verdict", ""),
            page=row.get("page", ""),
            text=_pair(row),
            correct=_pair(row, "_correct"),
            editorial=row.get("editorial", {}),
            line=line_of("claim", number),
        )
        for number, row in enumerate(data.get("claim", []))
    )
    headings = tuple(
        SourceHeading(
            id=key,
            text=_pair(row),
            page=row.get("home", "").partition("#")[0],
            section=row.get("home", "").partition("#")[2],
            line=line(rf'^"?{re.escape(key)}"? = '),
        )
        for key, row in data.get("headings", {}).items()
    )
    code = tuple(
        SourceCode(
            id=row.get("id", ""),
            source=row.get("source", ""),
            where=row.get("where", ""),
            text=_pair(row),
            alone=_pair(row, "_alone"),
            in_order=_pair(row, "_order"),
            defects=_pair(row, "_defects"),
            claims=tuple(row.get("claims", [])),
            repair=tuple(row.get("repair", [])),
            line=line_of("code", number),
        )
        for number, row in enumerate(data.get("code", []))
    )
    return Ledger(sources, claims, headings, code)
