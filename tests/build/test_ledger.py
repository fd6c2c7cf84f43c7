"""The ledger as it is: every row proved or explained, every heading at home, nothing missing."""

import ast
import re
import tomllib
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from x0_build.book import Book
from x0_build.checks import check_data
from x0_build.ledger import Ledger, read
from x0_build.paths import Project

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def book() -> Book:
    return Book(Project(ROOT))


def claims(book: Book) -> list[Any]:
    return list(book.ledger.claims)


def test_every_claim_is_proved_by_a_test_or_says_why_none_applies(book: Book) -> None:
    assert claims(book)
    for claim in claims(book):
        proofs = book.proofs.get(claim.id, [])
        if claim.editorial:
            assert all(len(reason) > 5 for reason in claim.editorial.values()), claim.id
            assert proofs == [], claim.id
        else:
            assert proofs, f"no test is marked @pytest.mark.claim({claim.id!r})"


def test_no_claim_and_no_heading_of_a_source_is_missing(book: Book) -> None:
    headings = {row.id for row in book.ledger.headings}
    for source in book.ledger.sources.values():
        assert source.missing("claim", set(book.claims)) == []
        assert source.missing("heading", headings) == []
    assert len(book.claims) == sum(s.claims for s in book.ledger.sources.values()) == 161
    assert len(headings) == sum(s.headings for s in book.ledger.sources.values()) == 70


def test_every_mark_of_a_test_names_a_claim(book: Book) -> None:
    unknown = [
        f"{test.file}:{test.line} marks {name}"
        for name, tests in book.proofs.items()
        if name not in book.claims
        for test in tests
    ]
    assert unknown == [], "add the row to snippets/claims.toml, or correct the mark"


def test_no_proof_is_skipped(book: Book) -> None:
    for test in (test for tests in book.proofs.values() for test in tests):
        tree = ast.parse((ROOT / test.file).read_text(encoding="utf-8"))
        (node,) = (
            n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.lineno == test.line
        )
        text = ast.unparse(node)
        assert "skip" not in text, f"{test.file}:{test.line}"
        assert "xfail" not in text, f"{test.file}:{test.line}"


def test_at_most_a_quarter_is_editorial(book: Book) -> None:
    rows = claims(book)
    assert 4 * sum(bool(claim.editorial) for claim in rows) <= len(rows)


def test_both_languages_say_something_of_their_own(book: Book) -> None:
    for claim in claims(book):
        for texts in (claim.text, claim.correct, *([claim.editorial] if claim.editorial else [])):
            assert re.search(r"[\u4e00-\u9fff]", texts["zh"]), claim.id
            bare = re.sub(r"\[[^\]]*\]\([^)]*\)", "", texts["en"])
            assert not re.search(r"[\u4e00-\u9fff]", bare), claim.id


# What the reader of the file makes of it

ROW = """
[sources.007]
letter = "Z"
claims = 3
headings = 2
zh = "文"
en = "text"

[headings]
"Z-H02" = { zh = "题", en = "title", home = "area/he#limits" }

[[claim]]
id = "Z-01"
source = "007"
where = "1"
verdict = "wrong"
page = "area/he"
zh = "甲"
en = "a"
zh_correct = "乙"
en_correct = "b"

[[claim]]
id = "Z-03"

[[code]]
id = "Z-K1"
repair = ["he"]
"""


def parsed(text: str) -> Ledger:
    return read(tomllib.loads(text), text)


def test_rows_know_their_lines() -> None:
    ledger = parsed(ROW)
    lines = ROW.split("\n")
    for claim in ledger.claims:
        assert lines[claim.line - 1] == f'id = "{claim.id}"'
    assert lines[ledger.headings[0].line - 1].startswith('"Z-H02"')
    assert lines[ledger.code[0].line - 1] == 'id = "Z-K1"'


def test_a_source_names_what_has_no_row() -> None:
    ledger = parsed(ROW)
    source = ledger.sources["007"]
    assert source.missing("claim", {c.id for c in ledger.claims}) == ["Z-02"]
    assert source.missing("heading", {h.id for h in ledger.headings}) == ["Z-H01"]


# What wrong data gets: the file, the line, what to do


def problems(book: Book, **rows: Any) -> list[Any]:
    """Return what is newly wrong if these rows replace those of the ledger."""
    broken = Book(book.project)
    for name in ("pages", "katex", "results", "modules", "equations", "marks", "proofs"):
        broken.__dict__[name] = getattr(book, name)
    broken.__dict__["ledger"] = replace(book.ledger, **rows)
    return [problem for problem in check_data(broken) if problem.file.endswith("claims.toml")]


CLAIM = {
    "no test": ({"id": "A-99"}, "no test proves the claim A-99", '@pytest.mark.claim("A-99")'),
    "an unknown verdict": ({"verdict": "true"}, "the verdict 'true' is unknown", "imprecise"),
    "an unknown source": ({"source": "002"}, "the source '002' is unknown", "001, 003, 004"),
    "an unknown page": ({"page": "initialization/hee"}, "does not exist", "initialization/he"),
    "a missing text": ({"correct": {"zh": "对。", "en": ""}}, "is not complete", "en_correct"),
    "a missing place": ({"where": ""}, "is not complete", "give where"),
    "half a reason": ({"editorial": {"zh": "看法。"}}, "is not complete", "give zh and en"),
    "a reason and a test": (
        {"editorial": {"zh": "看法。", "en": "An opinion."}},
        "is editorial, yet tests/",
        "remove `editorial`",
    ),
    "an unknown value": (
        {"text": {"zh": "值 {val:he.nowhere:.2f}", "en": "x"}},
        "no value nowhere",
        "it returns",
    ),
    "a broken formula": ({"text": {"zh": "式 $\\frac{1$", "en": "x"}}, "KaTeX", "macros.toml"),
    "a link to nothing": (
        {"text": {"zh": "[这里](#nowhere)", "en": "x"}},
        "#nowhere leads to no section",
        "write an id",
    ),
}


@pytest.mark.parametrize("case", CLAIM)
def test_a_mistake_in_a_claim_is_reported(book: Book, case: str) -> None:
    change, message, remedy = CLAIM[case]
    (row,) = (claim for claim in book.ledger.claims if claim.id == "A-31")
    found = problems(book, claims=(replace(row, **change),), headings=(), code=())
    assert found, case
    assert {problem.line for problem in found} == {row.line}
    assert any(message in p.message and remedy in p.remedy for p in found), found


def test_a_claim_that_stands_twice_is_reported(book: Book) -> None:
    row = book.ledger.claims[0]
    again = replace(row, line=row.line + 7)
    (found,) = problems(book, claims=(row, again), headings=(), code=())
    assert (found.line, found.message) == (row.line + 7, f"the claim {row.id} stands twice")


HEADING = {
    "an unknown page": ({"page": "nowhere"}, "the page 'nowhere' does not exist", "home = "),
    "an unknown section": ({"section": "nowhere"}, "has no section 'nowhere'", "result"),
    "a mention": ({"section": "references"}, "holds no executed block", "not a mention"),
    "an unknown source": ({"id": "X-H01"}, "X-H01 is not complete", "A-H01"),
    "one language": ({"text": {"zh": "题", "en": ""}}, "is not complete", "zh, en, home"),
}


@pytest.mark.parametrize("case", HEADING)
def test_a_heading_without_a_home_is_reported(book: Book, case: str) -> None:
    change, message, remedy = HEADING[case]
    (row,) = (row for row in book.ledger.headings if row.page == "initialization/he")
    (found,) = problems(book, claims=(), headings=(replace(row, **change),), code=())
    assert found.line == row.line
    assert message in found.message
    assert remedy in found.remedy
