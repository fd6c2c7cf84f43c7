"""The rules of the bibliography: whole entries, each cited, the numbers in them consistent."""

from __future__ import annotations

import re
from collections.abc import Iterator

from x0_build.check.seen import Seen
from x0_build.data.bibliography import Reference, line_of
from x0_build.project import Problem

FILE = "snippets/references.bib"
NEEDED = {
    "author": ("people",),
    "title": ("title",),
    "year": ("year",),
    "venue": ("journal", "booktitle", "publisher", "institution", "howpublished", "school"),
    "link": ("url", "doi"),
}
FORMS = {
    "year": r"(1[6-9]|20)\d\d",
    "pages": r"\d+(--\d+)?",
    "url": r"https?://[\w.-]+(/\S*)?",
    "doi": r"(?!http)\S+",
}


def problems(seen: Seen) -> Iterator[Problem]:
    """Find what is wrong with the references."""
    text = seen.book.project.text(seen.book.project.snippets / "references.bib")
    taken: dict[tuple[str, str], str] = {}
    for row in seen.book.references.values():
        line, rows = line_of(text, row.key), list(_entry(row))
        if row.key not in seen.book.citing:
            rows.append((f"no page cites {row.key}", f"cite it, [@{row.key}], or remove it"))
        for name in ("title", "url", "doi"):
            value = re.sub(r"[{}\\]", "", row.fields.get(name, "")).casefold()
            first = taken.setdefault((name, value), row.key) if value else row.key
            if first != row.key:
                rows.append((f"{row.key} and {first} have the same {name}", "keep one of them"))
        yield from (Problem(FILE, line, *found) for found in rows)


def _entry(row: Reference) -> Iterator[tuple[str, str]]:
    fields = {name: value for name, value in row.fields.items() if value}
    if not re.fullmatch(r"[a-z][a-z0-9-]*", row.key):
        yield f"{row.key} is no key", "write lower-case letters, digits and hyphens: he2015"
    for what, names in NEEDED.items():
        if not fields.keys() & set(names):
            wanted = "author" if what == "author" else " or ".join(names)
            yield f"the reference {row.key} has no {what}", f"give {wanted}"
    for name, form in FORMS.items():
        if name in fields and not re.fullmatch(form, fields[name]):
            yield f"{name} of {row.key} is {fields[name]!r}", f"write what fits {form}"
    number = re.search(r"arXiv:([\w./-]+)", fields.get("howpublished", ""))
    if number and fields.get("url") != f"https://arxiv.org/abs/{number[1]}":
        yield f"{row.key} has two arXiv numbers", f"write url = https://arxiv.org/abs/{number[1]}"
    # A preprint mostly comes first, sometimes a year after the conference.
    found = re.search(r"arxiv\.org/abs/(\d\d)(\d\d)\.\d{4,5}$", fields.get("url", ""))
    year = fields.get("year", "")
    if found and year.isdigit() and not -1 <= int(year) - 2000 - int(found[1]) <= 4:
        yield f"{row.key} is of {year}, its preprint of 20{found[1]}", "look both up"
    digits = [int(x) for x in re.sub(r"\D", "", fields.get("isbn", ""))]
    if sum(x * (1, 3)[n % 2] for n, x in enumerate(digits)) % 10:
        yield f"the isbn of {row.key} has a wrong check digit", "look it up"
