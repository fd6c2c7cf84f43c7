"""What leads from page to page, and figures as files."""

from __future__ import annotations

import dataclasses
import json

import pytest

from x0_build.book import Book
from x0_build.render.gallery import drawing, gallery, size
from x0_build.render.links import after, exercises, linking
from x0_build.run import Result

NAME = "training/warm-up"
SVG = (
    '<svg viewBox="0 0 72 36" aria-labelledby="x"><text font-size="8px">{}</text>'
    '<text font-size="12.6px"/></svg>'
)


@pytest.fixture
def book(small) -> Book:
    """The small book with one figure."""
    book = small.book()
    drawn = {"warm-up-ratio": {"zh": SVG.format("图"), "en": SVG.format("figure")}}
    module = book.modules["warm_up"]
    result = Result(module, figures=("warm-up-ratio",), drawn=json.dumps(drawn))
    return dataclasses.replace(book, results={"warm_up": result})


def with_text(book: Book, name: str, text: str) -> Book:
    """Return the book with another text of a Chinese page."""
    pages = {x: dict(rows) for x, rows in book.pages.items()}
    pages["zh"][name] = dataclasses.replace(pages["zh"][name], text=text)
    return dataclasses.replace(book, pages=pages)


def test_a_page_says_what_refers_to_it_and_what_builds_on_it(book: Book) -> None:
    text = (
        "# T {#t}\n\n[a](../training/warm-up.md#result), {eq:warm-up-ratio}, [b](https://x.org)\n"
    )
    book = with_text(book, "guide/notation", text)
    assert linking(book)[NAME] == ["guide/notation"]
    page = book.pages["zh"][NAME]
    page = dataclasses.replace(page, meta={**page.meta, "prerequisites": ["guide/notation"]})
    book.pages["zh"][NAME] = page
    assert after(book, page) == {"used_by": ["guide/notation"]}
    notation = book.pages["zh"]["guide/notation"]
    assert after(book, notation) == {"next_builds": [NAME]}


def test_exercises_are_found_by_number_or_by_heading(book: Book) -> None:
    text = (
        "# T {#t}\n\n**1.** No exercise\n\n## E {#exercises}\n\n**1.** First\n\nmore\n\n"
        "### Second one {#second}\n\nText\n\nmore\n\n## F {#f}\n\n**3.** None\n"
    )
    page = with_text(book, NAME, text).pages["zh"][NAME]
    assert [(anchor, label) for anchor, label, _ in exercises(page)] == [
        ("exercise-1", "1"),
        ("second", "Second one"),
    ]


def test_a_figure_is_a_file_with_its_own_colors_and_letters_of_one_size(small, book: Book) -> None:
    assert size(book, "warm-up-ratio") == 'width="96" height="48"'
    svg = drawing(book, "warm-up-ratio", "en")
    assert 'font-size="8.25px">figure' in svg
    assert 'font-size="10.5px"' in svg
    small.write(
        "docs/theme/assets/x0.css",
        ":root { --x1: #111; --seal: #222; }\n"
        ':root[data-md-color-scheme="slate"] { --x1: #333; }\n',
    )
    ((name, text),) = gallery(book, "zh")
    assert name == "figures/warm-up-ratio.svg"
    assert "<style>:root{--x1: #111;color:" in text
    assert "(prefers-color-scheme:dark){:root{--x1: #333;}}" in text
    assert "aria-labelledby" not in text
    assert "图" in text
