"""The claims ledger, snippets/claims.toml: sources, their headings, their claims, their code."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from x0_build.project import LANGUAGES, Project

VERDICTS = ("correct", "imprecise", "wrong", "unsupported", "promise")
Row = dict[str, Any]
_PAIR = dict.fromkeys(LANGUAGES, str)
_ENDINGS = ("", "_alone", "_order", "_defects")
SHAPE = {
    "sources?": {"*": {"letter": str, "claims": int, "headings": int, **_PAIR}},
    "headings?": {"*": {"home": str, **_PAIR}},
    "claim?": [
        {
            **dict.fromkeys(("id", "source", "where", "verdict", "page"), str),
            **dict.fromkeys(("zh", "en", "zh_correct", "en_correct"), str),
            "editorial?": _PAIR,
            "slip?": bool,
        }
    ],
    "code?": [
        {
            **dict.fromkeys(("id", "source", "where"), str),
            **{language + ending: str for ending in _ENDINGS for language in LANGUAGES},
            "claims": [str],
            "repair": [str],
        }
    ],
}


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
    slip: bool
    line: int

    @property
    def mistaken(self) -> bool:
        """Whether a page corrects it: a mistake, but no slip that only this source makes."""
        return self.verdict not in ("correct", "promise") and not self.slip


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


def read_ledger(project: Project) -> Ledger:
    """Return the rows."""
    data = project.toml(project.snippets / "claims.toml", SHAPE)

    def rows(kind: str) -> Iterator[tuple[Row, int]]:
        found = data.get(kind, [])
        return ((row, data.line(kind, n, "id")) for n, row in enumerate(found))

    return Ledger(
        {
            key: Source(key, row["letter"], _pair(row), row["claims"], row["headings"])
            for key, row in data.get("sources", {}).items()
        },
        tuple(
            Claim(
                **_words(row, "id", "source", "where", "verdict", "page"),
                text=_pair(row),
                correct=_pair(row, "_correct"),
                editorial=row.get("editorial", {}),
                slip=row.get("slip", False),
                line=line,
            )
            for row, line in rows("claim")
        ),
        tuple(
            SourceHeading(key, _pair(row), page, section, data.line("headings", key))
            for key, row in data.get("headings", {}).items()
            for page, _, section in [row["home"].partition("#")]
        ),
        tuple(
            SourceCode(
                **_words(row, "id", "source", "where"),
                text=_pair(row),
                alone=_pair(row, "_alone"),
                in_order=_pair(row, "_order"),
                defects=_pair(row, "_defects"),
                claims=tuple(row["claims"]),
                repair=tuple(row["repair"]),
                line=line,
            )
            for row, line in rows("code")
        ),
    )


def _pair(row: Row, ending: str = "") -> dict[str, str]:
    return {language: row[language + ending] for language in LANGUAGES}


def _words(row: Row, *names: str) -> Row:
    return {name: row[name] for name in names}
