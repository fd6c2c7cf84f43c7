"""The reference part: what `{index:…}` becomes, built from the book as it is."""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import lxml.html
import markdown
import pytest

from x0_build.book import Book
from x0_build.markdown import X0Extension
from x0_build.paths import LANGUAGES, Project
from x0_build.reference import INDEXES, _caption
from x0_build.source import Page

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def book() -> Book:
    return Book(Project(ROOT))


def render(book: Book, text: str, language: str, uri: str = "reference/claims.md") -> Any:
    """Return a page of the book as HTML; formulas stay placeholders."""
    page = Page(language, uri, book.project.docs / language / uri, text)
    book.pages[language][page.name] = page
    md = markdown.Markdown(
        extensions=["tables", X0Extension(book=book, language=language, defer=True)]
    )

    class Relpath:
        class file:
            src_uri = uri

        def run(self, root: object) -> None:
            """Stand where MkDocs registers its own."""

    md.treeprocessors.register(Relpath(), "relpath", 0)
    return lxml.html.fragment_fromstring(md.convert(text), create_parent="main")


@pytest.fixture(scope="module", params=LANGUAGES)
def language(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def shown(book: Book, language: str) -> dict[str, Any]:
    """Every index of this language."""
    found = {}
    for name in INDEXES:
        known = book.pages[language].pop("reference/x", None)
        assert known is None
        found[name] = render(book, f"{{index:{name}}}", language, "reference/x.md")
        del book.pages[language]["reference/x"]
    return found


def texts(elements: list[Any]) -> list[str]:
    return [" ".join(element.text_content().split()) for element in elements]


def test_nothing_is_marked_as_an_error(shown: dict[str, Any]) -> None:
    for name, html in shown.items():
        assert html.cssselect(".x0-error") == [], name


def test_the_ledger_holds_every_claim_once(book: Book, shown: dict[str, Any]) -> None:
    rows = shown["ledger"].cssselect("article")
    assert sorted(row.get("id") for row in rows) == sorted(book.claims)
    for row in rows:
        claim = book.claims[row.get("id")]
        assert row.get("data-source") == claim.source
        assert row.get("data-verdict") == claim.verdict
        assert row.get("data-topic") == claim.page
        assert row.get("data-proof") == ("editorial" if claim.editorial else "test")
        (own,) = row.cssselect("a.x0-claim__id")
        assert own.get("href") == f"#{claim.id}"
        (page,) = row.cssselect(".x0-claim__page")
        assert page.get("href").startswith(f"../{claim.page}.md".replace("../reference/", ""))
        links = row.cssselect(".x0-claim__proof a")
        assert texts(links) == [test.name for test in book.proofs.get(claim.id, [])]
        assert bool(links) != bool(claim.editorial)


def test_links_of_a_claim_lead_where_they_led_on_its_page(
    book: Book, shown: dict[str, Any]
) -> None:
    seen = 0
    for row in shown["ledger"].cssselect("article"):
        claim = book.claims[row.get("id")]
        links = [a.get("href") for a in row.cssselect(".x0-claim__fact a")]
        for anchor in re.findall(r"\]\(#([\w-]+)\)", claim.correct["zh"]):
            assert f"../{claim.page}.md#{anchor}" in links
            seen += 1
    assert seen


def test_the_form_offers_what_the_rows_have(book: Book, shown: dict[str, Any]) -> None:
    (form,) = shown["ledger"].cssselect("form")
    for name in ("source", "verdict", "topic", "proof"):
        (select,) = form.cssselect(f"select[name={name}]")
        assert select.getparent().tag == "label"
        offered = [option.get("value") for option in select.cssselect("option")]
        rows = {row.get(f"data-{name}") for row in shown["ledger"].cssselect("article")}
        assert offered[0] == ""
        assert rows <= set(offered)
        assert len(offered) == len(set(offered))
    (search,) = form.cssselect("input")
    assert search.getparent().tag == "label"
    (output,) = form.cssselect("output")
    assert output.get("aria-live") == "polite"


def test_the_tally_counts_the_rows(book: Book, shown: dict[str, Any]) -> None:
    rows = [
        [re.sub("–", "0", cell) for cell in texts(row.cssselect("td"))]
        for row in shown["tally"].cssselect("tbody tr")
    ]
    counts = [[int(cell) for cell in row] for row in rows]
    sources = Counter(claim.source for claim in book.claims.values())
    verdicts, total, proved, editorial = counts[:5], *counts[5:]
    assert total == [*(sources[s] for s in book.ledger.sources), len(book.claims)]
    assert [sum(column) for column in zip(*verdicts, strict=True)] == total
    assert [a + b for a, b in zip(proved, editorial, strict=True)] == total
    listed = texts(shown["tally"].cssselect("p a"))
    assert listed == sorted(claim.id for claim in book.claims.values() if claim.editorial)


def test_every_heading_leads_home(book: Book, shown: dict[str, Any], language: str) -> None:
    rows = shown["headings"].cssselect("tr[id]")
    assert [row.get("id") for row in rows] == [row.id for row in book.ledger.headings]
    for row, heading in zip(rows, book.ledger.headings, strict=True):
        name, home = row.cssselect("td")
        assert name.text_content() == heading.text[language]
        (link,) = home.cssselect("a")
        assert link.get("href").endswith(f"{heading.page}.md#{heading.section}") or (
            heading.page.startswith("reference/")
        )
        assert " · " in link.text_content()


def test_every_block_of_code_of_the_sources_has_its_end_and_repair(
    book: Book, shown: dict[str, Any], language: str
) -> None:
    boxes = shown["code"].cssselect("article")
    rows = {f"code-{row.id}": row for row in book.ledger.code}
    assert [box.get("id") for box in boxes] == list(rows)
    assert Counter(row.source for row in rows.values()) == {"001": 2, "004": 4}
    for box in boxes:
        row = rows[box.get("id")]
        assert "`" not in box.text_content()
        assert "$" not in box.text_content()
        facts = texts(box.cssselect("dd"))
        assert len(facts) == 4
        assert all(facts)
        links = [a.get("href") for a in box.cssselect("a")]
        assert {f"#{name}" for name in row.claims} <= set(links)
        assert len(links) == len(row.claims) + len(row.repair)


def test_a_chapter_links_each_claim_to_its_row(book: Book, language: str) -> None:
    text = book.pages[language]["initialization/he"].text.partition("---\n# ")[2]
    html = render(book, f"# {text}", language, "initialization/he.md")
    links = [a.get("href") for a in html.cssselect("a.x0-claim__id")]
    rows = [claim.id for claim in book.claims.values() if claim.page == "initialization/he"]
    assert links == [f"../reference/claims.md#{name}" for name in rows]


def test_the_glossary_holds_every_term_once(
    book: Book, shown: dict[str, Any], language: str
) -> None:
    rows = shown["glossary"].cssselect("dt")
    assert sorted(row.get("id") for row in rows) == sorted(f"term-{key}" for key in book.glossary)
    for row in rows:
        term = book.glossary[row.get("id").removeprefix("term-")]
        assert row.text_content().startswith(term.name[language])
        definition = row.getnext()
        assert definition.cssselect("a"), term.key


def test_the_bibliography_holds_every_reference_and_who_cites_it(
    book: Book, shown: dict[str, Any]
) -> None:
    rows = shown["bibliography"].cssselect("li")
    assert sorted(row.get("id") for row in rows) == sorted(f"ref-{key}" for key in book.references)
    assert set(book.citing) == set(book.references)
    for row in rows:
        key = row.get("id").removeprefix("ref-")
        links = row.cssselect(".x0-refs__pages a")
        assert len(links) == len(book.citing[key])


def test_the_index_holds_every_figure_at_home(
    book: Book, shown: dict[str, Any], language: str
) -> None:
    rows = shown["figures"].cssselect("li")
    keys = [row.get("id").removeprefix("figure-") for row in rows]
    assert sorted(keys) == sorted(book.figure_modules)
    for row, key in zip(rows, keys, strict=True):
        place, *others = row.cssselect("a")
        assert place.get("href").endswith(f"#fig-{key}")
        stem = book.figure_modules[key]
        lab = book.modules[stem].area == "labs"  # its page shows its code
        module = f"{stem.replace('_', '-') if lab else stem}.md"
        assert any(a.get("href").endswith(module) for a in others)
        assert any(a.get("href").endswith(f"{module}#tests") for a in others)
        assert row.text_content().strip()
    assert shown["figures"].cssselect("svg") == []


def test_a_caption_ends_with_its_paragraph() -> None:
    prose = "x\n\n{fig:a-b} Two lines\nof $q_l$. And {val:he.ratio:.2f}.\n\nMore text."
    assert _caption(prose, "a-b") == "Two lines\nof $q_l$. And {val:he.ratio:.2f}."
    assert _caption(prose, "a-c") == ""
