"""The versions of the book: CHANGELOG.md, whose newest entry says how the book is cited."""

from __future__ import annotations

import re
from dataclasses import dataclass

from x0_build.project import Project

FILE = "CHANGELOG.md"
_HEAD = re.compile(r"(?m)^## (?P<version>\S+) · (?P<date>\d{4}-\d\d-\d\d)$")
_CHANGE = re.compile(r"(?m)^- (?P<en>.+)\n  (?P<zh>.+)$")


@dataclass(frozen=True)
class Release:
    """One version."""

    version: str
    date: str  # of the day on which it was committed
    changes: tuple[dict[str, str], ...]  # by language


def read_releases(project: Project) -> list[Release]:
    """Return the versions, the newest first.

    Raises:
        BuildError: There is none, or one without changes in both languages.
    """
    path = project.root / FILE
    text = project.text(path)
    heads = list(_HEAD.finditer(text))
    ends = [*(head.start() for head in heads[1:]), len(text)][: len(heads)]
    found = [
        Release(
            m["version"],
            m["date"],
            tuple(x.groupdict() for x in _CHANGE.finditer(text, m.end(), end)),
        )
        for m, end in zip(heads, ends, strict=True)
    ]
    if empty := [release for release in found if not release.changes] or not found:
        line = 0 if empty is True else text.count("\n", 0, heads[found.index(empty[0])].start()) + 1
        remedy = (
            "write `## 0.1.0 · 2026-11-30`, below it `- English.`, and the Chinese on the next line"
        )
        raise project.error(path, line, "has an entry without changes, or no entry", remedy)
    return found
