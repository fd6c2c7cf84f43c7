"""How a chapter reads: open code, the first figure and the size of its letters, equations that fit."""

from __future__ import annotations

import statistics
from collections.abc import Iterator

import published
import pytest
from playwright.sync_api import Browser, Page
from published import URL
from visit import settle

CHAPTERS = ("foundations", "taylor", "initialization", "training")
SCREEN = 900
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
def measured(window: Page) -> dict[str, dict[str, float]]:
    """Return by page the lines and the share of code, screens, and the screen of the first figure."""
    found = {}
    for page in chapters():
        window.goto(URL + page)
        found[page] = window.evaluate(MEASURE)
    return found


def test_code_on_a_chapter_is_what_carries_the_idea(measured: dict[str, dict[str, float]]) -> None:
    lines = {name: row["lines"] for name, row in measured.items()}
    assert {name: n for name, n in lines.items() if n > MOST_LINES} == {}
    assert statistics.median(lines.values()) <= MEDIAN_LINES
    shares = {name: round(row["code"], 3) for name, row in measured.items()}
    assert {name: share for name, share in shares.items() if share > MOST_CODE} == {}


def test_the_first_figure_stands_within_a_screen_and_a_half(
    measured: dict[str, dict[str, float]],
) -> None:
    screens = {name: round(row["figure"], 2) for name, row in measured.items() if row["figure"]}
    print(f"first figure at screen {statistics.median(screens.values())}, the median")
    assert {name: n for name, n in screens.items() if n > MOST_SCREENS} == {}
    assert len(screens) > 0.9 * len(measured)


def test_a_click_in_the_contents_marks_what_was_clicked(window: Page) -> None:
    for name in ("initialization/he", "en/training/adaptive"):
        window.goto(f"{URL}{name}/")
        settle(window)
        for link in window.locator(".x0-side--toc a").all():
            link.click()
            window.wait_for_timeout(120)
            marked = window.locator(".x0-side--toc .md-nav__link--active").last
            assert marked.get_attribute("href") == link.get_attribute("href"), name


@pytest.mark.parametrize("width", [1440, 1024, 390, 360])
def test_labels_are_as_large_as_text_and_inside_and_equations_fit(window: Page, width: int) -> None:
    window.set_viewport_size({"width": width, "height": SCREEN})
    wrong, scroll = [], list[bool]()
    for page in chapters((*CHAPTERS, "guide", "labs")):
        window.goto(URL + page)
        scroll += window.evaluate(EQUATIONS)
        low, high = LETTERS
        for key, text, size, out in window.evaluate(SIZES):
            if not low - 0.1 <= size <= high + 0.1 or out > MOST_OUT:
                wrong.append((page, key, text, round(size, 1), round(out, 1)))
    window.set_viewport_size({"width": 1440, "height": SCREEN})
    assert wrong == []
    assert sum(scroll) <= MOST_SCROLL * len(scroll)
    assert len(scroll) > 1000
