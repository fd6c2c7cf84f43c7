"""The bibliography: whole entries, no duplicates, the numbers in them consistent."""

import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from x0_build.book import Book
from x0_build.checks import check_data
from x0_build.paths import Project

ROOT = Path(__file__).parents[2]
BIB = (ROOT / "snippets" / "references.bib").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def book() -> Book:
    return Book(Project(ROOT))


def test_an_entry_starts_on_its_own_line_and_braces_match() -> None:
    entries = re.split(r"(?m)^(?=@)", BIB)[1:]
    assert len(entries) == BIB.count("@") - BIB.count("{@")
    for entry in entries:
        assert entry.count("{") == entry.count("}"), entry
        assert re.match(r"@\w+\{[a-z][a-z0-9-]*,\n", entry), entry
        assert entry.rstrip().endswith("\n}"), entry


def test_years_pages_and_addresses_are_well_formed(book: Book) -> None:
    for row in book.references.values():
        fields = row.fields
        assert 1600 < int(fields["year"]) <= 2026, row.key
        assert re.fullmatch(r"\d+(--\d+)?|", fields.get("pages", "")), row.key
        assert re.match(r"https?://[\w.-]+/?|$", fields.get("url", "")), row.key
        assert not fields.get("doi", "").startswith("http"), row.key
        assert " " not in fields.get("url", ""), row.key


def test_numbers_of_arxiv_agree(book: Book) -> None:
    for row in book.references.values():
        number = re.search(r"arXiv:([\w./-]+)", row.fields.get("howpublished", ""))
        if number:
            assert row.fields["url"] == f"https://arxiv.org/abs/{number[1]}", row.key
        found = re.search(r"arxiv\.org/abs/(\d\d)(\d\d)\.\d{4,5}$", row.fields.get("url", ""))
        if found:  # a preprint mostly comes first, sometimes a year after the conference
            assert -1 <= int(row.fields["year"]) - 2000 - int(found[1]) <= 4, row.key
            assert 1 <= int(found[2]) <= 12, row.key


def test_isbn_have_a_right_check_digit(book: Book) -> None:
    for row in book.references.values():
        digits = [int(x) for x in re.sub(r"\D", "", row.fields.get("isbn", ""))]
        assert sum(x * (1, 3)[n % 2] for n, x in enumerate(digits)) % 10 == 0, row.key


def problems(book: Book, key: str, **fields: str) -> list[Any]:
    broken = Book(book.project)
    for name in ("pages", "katex", "results", "modules", "equations", "marks", "proofs", "ledger"):
        broken.__dict__[name] = getattr(book, name)
    row = book.references[key]
    broken.__dict__["references"] = book.references | {
        key: replace(row, fields=row.fields | fields)
    }
    return check_data(broken)


@pytest.mark.parametrize(
    ("fields", "message", "remedy"),
    [
        ({"people": ""}, "he2015 has no author", "give author"),
        ({"year": ""}, "he2015 has no year", "give year"),
        ({"booktitle": ""}, "he2015 has no venue", "journal or booktitle"),
        ({"url": ""}, "he2015 has no link", "url or doi"),
        ({"url": "https://arxiv.org/abs/1512.03385"}, "have the same url", "keep one"),
    ],
)
def test_a_mistake_in_a_reference_is_reported(
    book: Book, fields: dict[str, str], message: str, remedy: str
) -> None:
    (found,) = problems(book, "he2015", **fields)
    line = BIB.split("\n")[found.line - 1]
    assert line.startswith("@inproceedings{he201")
    assert message in found.message
    assert remedy in found.remedy
