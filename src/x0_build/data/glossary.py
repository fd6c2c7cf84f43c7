"""The terms of the book: snippets/glossary.toml."""

from __future__ import annotations

import re
from dataclasses import dataclass

from x0_build.project import LANGUAGES, Project

SHAPE = {
    "*": {
        **dict.fromkeys(("zh", "en", "zh_def", "en_def", "page?", "section?"), str),
        "zh_variants?": [str],
        "also?": [str],
    }
}


@dataclass(frozen=True)
class Term:
    """One entry, by language."""

    key: str
    name: dict[str, str]
    definition: dict[str, str]
    page: str  # where it is explained, if no page marks it with {term:…}
    section: str  # the id of the heading under which that page explains it, if it is not plain
    zh_variants: tuple[str, ...]  # other Chinese words for it, which the book does not use
    also: tuple[str, ...]  # names in either language by which readers look for it, calls among them
    line: int

    def others(self, language: str) -> list[str]:
        """Return the other names that a page of a language prints."""
        found = [*self.zh_variants, *self.also]
        return [
            x
            for x in found
            if language == "zh" or x.isascii() or not re.search(r"[\u4e00-\u9fff]", x)
        ]


def read_glossary(project: Project) -> dict[str, Term]:
    """Return the terms by key."""
    data = project.toml(project.snippets / "glossary.toml", SHAPE)
    return {
        key: Term(
            key,
            {language: row[language] for language in LANGUAGES},
            {language: row[f"{language}_def"] for language in LANGUAGES},
            row.get("page", ""),
            row.get("section", ""),
            tuple(row.get("zh_variants", [])),
            tuple(row.get("also", [])),
            data.line(key),
        )
        for key, row in data.items()
    }
