"""The references: snippets/references.bib."""

from __future__ import annotations

import html
import re
from dataclasses import dataclass
from typing import Any

from x0_build.data.cache import digest, remembered
from x0_build.project import Project


@dataclass(frozen=True)
class Reference:
    """One entry."""

    key: str
    label: dict[str, str]  # "Glorot & Bengio 2010", by language
    html: str
    fields: dict[str, str]  # as in the file, and `people`


def read_references(project: Project) -> dict[str, Reference]:
    """Return the entries by key."""
    text = project.text(project.snippets / "references.bib")
    rows = remembered(project, "references", digest(text), lambda: _parse(project, text))
    return {row[0]: Reference(*row) for row in rows}


def _parse(project: Project, text: str) -> list[list[Any]]:
    from pybtex.database import parse_string
    from pybtex.plugin import find_plugin
    from pybtex.scanner import PybtexError

    path = project.snippets / "references.bib"
    try:
        entries = parse_string(text, "bibtex").entries
    except PybtexError as error:
        named = line_of(text, str(error).split()[-1])
        line = int(getattr(error, "lineno", 0) or 0) or named
        raise project.error(path, line, str(error), "repair the BibTeX entry") from None
    style = find_plugin("pybtex.style.formatting", "unsrt")()
    backend = find_plugin("pybtex.backends", "html")("utf-8")
    bare = re.compile(r'<span class="bibtex-protected">(.*?)</span>')
    found = []
    for key, entry in entries.items():
        try:
            shown = [x.text.render(backend) for x in style.format_entries([entry])]
        except Exception as error:  # whatever pybtex says of an entry, the entry is its cause
            line, message = line_of(text, key), f"{key} cannot be shown: {error}"
            raise project.error(path, line, message, "repair the BibTeX entry") from None
        label = {"zh": _label(entry, "zh"), "en": _label(entry, "en")}
        fields = {**entry.fields, "people": " and ".join(map(str, _people(entry)))}
        found.append([key, label, bare.sub(r"\1", *shown), fields])
    return found


def line_of(text: str, key: str) -> int:
    """Return the line where an entry begins; 0 if there is none."""
    match = re.search(rf"^@\w+\s*\{{\s*{re.escape(key)}\s*,", text, re.MULTILINE)
    return text.count("\n", 0, match.start()) + 1 if match else 0


def _people(entry: Any) -> list[Any]:
    return list(entry.persons.get("author") or entry.persons.get("editor") or [])


def _label(entry: Any, language: str) -> str:
    parts = ([*p.rich_prelast_names, *p.rich_last_names] for p in _people(entry))
    names = [" ".join(map(str, part)) for part in parts] or [entry.key]
    if len(names) > 2:
        who = f"{names[0]} 等" if language == "zh" else f"{names[0]} et al."
    else:
        who = " & ".join(names)
    return html.unescape(f"{who} {entry.fields.get('year', '')}".strip())
