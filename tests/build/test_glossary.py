"""The glossary: enough terms, each explained somewhere, one Chinese word for one concept."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from x0_build.book import Book, Term
from x0_build.checks import check_data
from x0_build.paths import Project
from x0_build.source import Page

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def book() -> Book:
    return Book(Project(ROOT))


def test_the_key_terms_are_there(book: Book) -> None:
    assert len(book.glossary) >= 60
    names = [term.name["zh"] for term in book.glossary.values()]
    assert len(set(names)) == len(names), "one Chinese word for two concepts"
    for term in book.glossary.values():
        assert book.using[term.key], term.key
        assert term.name["zh"] not in term.variants


def problems(book: Book, term: Term, zh: str = "") -> list[Any]:
    """Return what is wrong with one term, on a book whose page on He says something more."""
    broken = Book(book.project)
    for name in ("katex", "results", "modules", "equations", "marks", "proofs", "ledger"):
        broken.__dict__[name] = getattr(book, name)
    pages = {language: dict(pages) for language, pages in book.pages.items()}
    he = pages["zh"]["initialization/he"]
    pages["zh"][he.name] = Page("zh", he.uri, he.path, f"{he.text}\n{zh}\n")
    broken.__dict__["pages"] = pages
    broken.__dict__["glossary"] = book.glossary | {term.key: term}
    return check_data(broken)


def test_a_variant_of_a_settled_term_is_found(book: Book) -> None:
    term = book.glossary["activation-function"]
    assert "激励函数" in term.variants
    assert problems(book, term) == []
    (found,) = problems(book, term, "这里的激励函数是 ReLU。")
    page = book.pages["zh"]["initialization/he"]
    assert (found.file, found.line) == ("docs/zh/initialization/he.md", page.text.count("\n") + 2)
    assert found.message == "“激励函数” is not the word of this book"
    assert found.remedy == "write 激活函数 (snippets/glossary.toml: activation-function)"


def test_a_variant_in_quotes_or_inside_the_settled_word_is_none(book: Book) -> None:
    term = book.glossary["activation-function"]
    assert problems(book, term, "又叫“激励函数”。") == []
    longer = replace(term, variants=("激活",))
    others = [p for p in problems(book, longer) if "he.md" in p.file and "激活函数" in p.message]
    assert others == []


@pytest.mark.parametrize(
    ("change", "message", "remedy"),
    [
        ({"page": "initialization/hee"}, "does not exist", "initialization/he"),
        ({"page": "taylor/univariate"}, "does not speak of", "name a page that does"),
        ({"definition": {"zh": "一", "en": ""}}, "is not complete", "en_def"),
    ],
)
def test_a_mistake_in_a_term_is_reported(
    book: Book, change: dict[str, Any], message: str, remedy: str
) -> None:
    term = book.glossary["he-initialization"]
    found = problems(book, replace(term, **change))
    lines = (ROOT / "snippets" / "glossary.toml").read_text(encoding="utf-8").split("\n")
    assert found
    for problem in found:
        assert lines[problem.line - 1] == "[he-initialization]"
        assert message in problem.message
        assert remedy in problem.remedy


def test_a_term_that_no_page_explains_is_reported(book: Book) -> None:
    lost = replace(book.glossary["bias"], key="lost", page="")
    (found,) = problems(book, lost)
    assert found.message == "no page explains the term lost"
