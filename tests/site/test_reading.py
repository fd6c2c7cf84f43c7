"""How a chapter reads: open code, the first figure and the size of its letters, equations that fit."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from typing import Any

import published
import pytest
from playwright.sync_api import Browser, Page
from published import URL
from visit import settle

CHAPTERS = ("foundations", "taylor", "initialization", "training")
SCREEN = 900
WIDTHS = (360, 390, 1024, 1440)  # the last is that of the window
MOST_LINES, MEDIAN_LINES, MOST_CODE = 120, 60, 0.15
MOST_SCREENS = 1.5  # before the first figure
LETTERS = (11, 14)  # pixels, of the labels of figures
MOST_OUT = 1  # pixel, of a label beyond the edge of its figure
MOST_SCROLL = 0.05  # of the equations: the others fit, if need be in several lines
MEASURE = """() => {
  const open = [...document.querySelectorAll(".highlight.language-python")]
    .filter(x => x.getClientRects().length && !x.closest("details:not([open])"));
  const page = document.querySelector("article").offsetHeight;
  const figure = document.querySelector(".x0-fig");
  return {
    lines: open.reduce((n, x) => n + x.querySelector("code").textContent.trimEnd().split("\\n").length, 0),
    code: open.reduce((n, x) => n + x.offsetHeight, 0) / page,
    screens: page / innerHeight,
    figure: figure && (figure.getBoundingClientRect().top + scrollY) / innerHeight,
  };
}"""
SIZES = """() => [...document.querySelectorAll(".x0-fig__img > svg")].flatMap(svg => {
  const scale = svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
  const box = svg.getBoundingClientRect();
  return [...svg.querySelectorAll("text")].map(x => {
    const own = x.getBoundingClientRect();
    const out = [box.left - own.left, own.right - box.right, box.top - own.top, own.bottom - box.bottom];
    const size = parseFloat(getComputedStyle(x).fontSize) * scale;
    return [svg.closest(".x0-fig").id, x.textContent, size, Math.max(...out)];
  });
})"""

EQUATIONS = """() => [...document.querySelectorAll(".x0-eq__math")].filter(x => x.clientWidth)
  .map(x => x.scrollWidth > x.clientWidth)"""


def chapters(parts: tuple[str, ...] = CHAPTERS) -> list[str]:
    """Return the addresses of all chapters of some parts, below the root."""
    root = published.publish()
    folders = (root, root / "en")
    files = [x for at in folders for part in parts for x in sorted(at.glob(f"{part}/*/index.html"))]
    return [f"{x.parent.relative_to(root).as_posix()}/" for x in files]


@pytest.fixture(scope="module")
def window(chromium: Browser) -> Iterator[Page]:
    """A window of 1440 × 900."""
    with chromium.new_context(viewport={"width": 1440, "height": SCREEN}) as context:
        yield context.new_page()


@pytest.fixture(scope="module")
def measured(window: Page) -> dict[str, Any]:
    """Return by page what it measures, and its labels and equations by width: a page is loaded once."""
    found = {}
    for page in chapters((*CHAPTERS, "guide", "labs")):
        window.goto(URL + page)
        found[page] = window.evaluate(MEASURE)
        for width in WIDTHS:
            window.set_viewport_size({"width": width, "height": SCREEN})
            window.evaluate("new Promise(requestAnimationFrame)")
            found[page][width] = window.evaluate(SIZES), window.evaluate(EQUATIONS)
    return found


@pytest.fixture(scope="module")
def read(measured: dict[str, Any]) -> dict[str, Any]:
    """Return what the pages of the four parts measure."""
    return {page: measured[page] for page in chapters()}


def test_code_on_a_chapter_is_what_carries_the_idea(read: dict[str, Any]) -> None:
    lines = {name: row["lines"] for name, row in read.items()}
    assert {name: n for name, n in lines.items() if n > MOST_LINES} == {}
    assert statistics.median(lines.values()) <= MEDIAN_LINES
    shares = {name: round(row["code"], 3) for name, row in read.items()}
    assert {name: share for name, share in shares.items() if share > MOST_CODE} == {}


def test_the_first_figure_stands_within_a_screen_and_a_half(read: dict[str, Any]) -> None:
    screens = {name: round(row["figure"], 2) for name, row in read.items() if row["figure"]}
    print(f"first figure at screen {statistics.median(screens.values())}, the median")
    assert {name: n for name, n in screens.items() if n > MOST_SCREENS} == {}
    assert len(screens) > 0.9 * len(read)


def test_a_click_in_the_contents_marks_what_was_clicked(window: Page) -> None:
    for name in ("initialization/he", "en/training/adaptive"):
        window.goto(f"{URL}{name}/")
        settle(window)
        for link in window.locator(".x0-side--toc a").all():
            link.click()
            window.wait_for_timeout(120)
            marked = window.locator(".x0-side--toc .md-nav__link--active").last
            assert marked.get_attribute("href") == link.get_attribute("href"), name


@pytest.mark.parametrize("width", WIDTHS)
def test_labels_are_as_large_as_text_and_inside_and_equations_fit(
    measured: dict[str, Any], width: int
) -> None:
    wrong, scroll, (low, high) = [], list[bool](), LETTERS
    for page, row in measured.items():
        labels, scrolls = row[width]
        scroll += scrolls
        for key, text, size, out in labels:
            if not low - 0.1 <= size <= high + 0.1 or out > MOST_OUT:
                wrong.append((page, key, text, round(size, 1), round(out, 1)))
    assert wrong == []
    assert sum(scroll) <= MOST_SCROLL * len(scroll)
    assert len(scroll) > 1000
