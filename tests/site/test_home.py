"""The landing page and the chooser: what they say is what the book holds."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import lxml.html
import pytest
from playwright.sync_api import Browser, Page, expect
from published import URL
from visit import settle

from x0_build.book import read_book
from x0_build.project import Project
from x0_build.render.home import CHOOSING, PARTS, counts, equivalents, tables
from x0_build.render.writer import Writer
from x0_build.run import load

ROOT = Path(__file__).parents[2]
FOLDERS = {"zh": "", "en": "en/"}
WIDTHS = (1440, 1024, 390, 360)


@pytest.fixture(scope="module")
def book() -> Any:
    project = Project(ROOT)
    return read_book(project, load(project))


def html(site: Path, name: str) -> lxml.html.HtmlElement:
    return lxml.html.document_fromstring((site / name / "index.html").read_bytes())


@pytest.mark.parametrize("language", FOLDERS)
def test_every_chapter_and_every_count_stands_on_the_landing_page(
    site: Path, book: Any, language: str
) -> None:
    home = html(site, FOLDERS[language])
    links = {x.rstrip("/") for x in home.xpath("//*[@class='x0-contents']//li/a/@href")}
    pages = {name.removesuffix("/index") for name in book.pages[language] if name != "index"}
    assert links == pages
    shown = [int(x) for x in home.xpath("//*[@class='x0-counts']//strong/text()")]
    assert shown == list(counts(book).values())
    minutes = [
        int(re.sub(r"\D", "", x)) for x in home.xpath("//*[@class='x0-contents__minutes']/text()")
    ]
    assert len(minutes) == len(pages)
    assert max(minutes) < 120
    assert home.xpath("//h1")
    assert len(home.xpath("//*[@class='x0-home__ask']//li")) >= 10


@pytest.mark.parametrize("width", WIDTHS)
def test_the_landing_page_leads_on_at_every_width(page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    page.goto("en/")
    settle(page)
    assert page.locator(".x0-choose__form").is_visible()
    seen = page.locator(".x0-parts a, #x0-menu").evaluate_all(
        "nodes => nodes.filter(node => node.checkVisibility()).length"
    )
    assert seen >= 1
    # No code longer than a line before the reader scrolls.
    long = page.locator("pre").evaluate_all(
        "nodes => nodes.filter(node => node.checkVisibility() && node.getBoundingClientRect().top < 800"
        " && node.textContent.trim().includes('\\n')).length"
    )
    assert long == 0


@pytest.mark.parametrize("language", FOLDERS)
@pytest.mark.parametrize("place", ["", f"{CHOOSING}/"])
def test_every_row_of_the_tables_can_be_chosen(
    page: Page, book: Any, language: str, place: str
) -> None:
    """What the form says of a row is what the cells of the page on choosing say."""
    page.goto(FOLDERS[language] + place)
    form = page.locator(".x0-choose__form")
    expect(form).to_be_visible()
    found = page.evaluate(
        """() => {
          const form = document.querySelector(".x0-choose__form"), found = {};
          const input = (node) => node.dispatchEvent(new Event("input", { bubbles: true }));
          for (const norm of form.norm.options) for (const skip of form.skip.options) {
            form.norm.value = norm.value; input(form.norm);
            if (skip.disabled) continue;
            form.skip.value = skip.value; input(form.skip);
            for (const { value } of [...form.what.options]) {
              form.what.value = value; input(form.what);
              found[value] = form.querySelector("code").textContent;
            }
          }
          return found;
        }"""
    )
    source = tables(book.pages[language][CHOOSING])
    cells = [row for name in ("plain", "blocks", *PARTS) for row in source[name][1:]]
    assert len(found) == len(cells)
    calls = {
        call for row in cells for cell in row for call in re.findall(r"`([^`]+_\([^`]*)`", cell)
    }
    said = {line for code in found.values() for line in code.split("\n")}
    assert {x for x in said if not x.startswith("#")} <= {
        call for row in cells for cell in row for call in re.findall(r"`([^`]+)`", cell)
    }
    assert len(calls & said) > 12
    assert "kaiming_normal_(w)" in said


@pytest.mark.parametrize("language", FOLDERS)
@pytest.mark.parametrize("place", ["", f"{CHOOSING}/"])
def test_no_answer_is_wider_than_a_phone(page: Page, language: str, place: str) -> None:
    page.set_viewport_size({"width": 360, "height": 800})
    page.goto(FOLDERS[language] + place)
    expect(page.locator(".x0-choose__form")).to_be_visible()
    seen, wide = page.evaluate(
        """() => {
          const form = document.querySelector(".x0-choose__form"), code = form.querySelector("code"), wide = [];
          let seen = 0;
          for (const framework of form.framework.options) for (const { value } of [...form.what.options]) {
            form.framework.value = framework.value;
            form.what.value = value;
            form.what.dispatchEvent(new Event("input", { bubbles: true }));
            seen++;
            const out = code.scrollWidth > code.clientWidth || document.documentElement.scrollWidth > innerWidth;
            if (out) wide.push([value, framework.value]);
          }
          return [seen, wide];
        }"""
    )
    assert seen > 30
    assert wide == []


def test_the_address_keeps_what_is_chosen(page: Page, book: Any) -> None:
    keras, jax = equivalents(Writer(book, book.pages["en"]["index"]))["kaiming_normal_(w)"]
    page.goto("en/?row=relu&framework=jax")
    form = page.locator(".x0-choose__form")
    expect(form.locator("code")).to_have_text(jax)
    form.locator("select[name=framework]").focus()
    page.keyboard.press("ArrowUp")
    expect(form.locator("code")).to_have_text(keras)
    form.locator("select[name=what]").select_option("tanh")
    expect(page).to_have_url(f"{URL}en/?row=tanh&framework=keras")
    page.reload()
    expect(form.locator("select[name=what]")).to_have_value("tanh")
    form.locator(".x0-choose__copy").click()
    assert page.evaluate("navigator.clipboard.readText()") == form.locator("code").inner_text()


def test_without_a_script_the_table_stands_there(chromium: Browser) -> None:
    with chromium.new_context(base_url=URL, java_script_enabled=False) as context:
        page = context.new_page()
        page.goto("en/")
        expect(page.locator(".x0-choose table")).to_be_visible()
        page.goto(f"en/{CHOOSING}/")
        expect(page.locator(".x0-choose table")).to_be_visible()
