"""What readers do on the published site: switch language and colors, search, filter, lose their way."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect
from published import URL
from visit import settle


def sections(page: Any) -> list[str]:
    """Return the ids of a page's sections."""
    return [str(x) for x in page.html.xpath("//article//h2/@id")]


def twin(page: Any, section: str = "") -> str:
    """Return the address of a page in the other language."""
    other = page.name if page.language == "en" else f"en/{page.name}"
    return URL + other + (f"#{section}" if section else "")


# The first page of each folder: the script and the template have no part that depends on the page,
# and test_pages.py reads where the switch leads on every page.


def test_the_language_switch_keeps_page_and_section(page: Page, first_page: Any) -> None:
    page.goto(URL + first_page.path)
    page.locator("#x0-lang").click()
    expect(page).to_have_url(twin(first_page))
    for section in sections(first_page)[-1:]:
        page.goto(f"{URL}{first_page.path}#{section}")
        settle(page)
        page.locator("#x0-lang").click()
        expect(page).to_have_url(twin(first_page, section))
        assert page.evaluate("document.documentElement.lang")[:2] != first_page.language
        # And back again.
        page.locator("#x0-lang").click()
        expect(page).to_have_url(f"{URL}{first_page.path}#{section}")


# The rest of the frame


def test_the_404_page_speaks_both_languages(chromium: Browser, site: Path) -> None:
    context = chromium.new_context(base_url=URL)
    page = context.new_page()
    seen: list[str] = []
    page.on("request", lambda request: seen.append(request.url))
    answer = page.goto("no/such/page/")
    assert answer
    assert answer.status == 404
    assert page.locator("html").get_attribute("lang") == "zh-CN"
    expect(page.locator("h1")).to_contain_text("没有这一页")
    expect(page.locator("[lang=en]").first).to_contain_text("no such page")
    assert page.locator("script").count() == 0
    assert len(seen) == 1
    links = page.locator("a").evaluate_all("links => links.map(link => link.href)")
    assert sorted(set(links)) == [URL, f"{URL}en/"]
    for link in links:
        reached = page.goto(link)
        assert reached
        assert reached.status == 200
    context.close()


def test_light_and_dark_can_be_chosen_and_are_kept(page: Page) -> None:
    color = "getComputedStyle(document.body).backgroundColor"
    page.goto("")
    light = page.evaluate(color)
    button = page.locator("#x0-theme")
    button.click()
    expect(button).to_have_attribute("aria-pressed", "true")
    dark = page.evaluate(color)
    assert dark != light
    page.goto("en/guide/notation/")
    assert page.evaluate(color) == dark
    page.locator("#x0-theme").click()
    assert page.evaluate(color) == light


# The ledger


@pytest.mark.parametrize("language", ["", "en/"])
def test_the_ledger_is_filtered(page: Page, language: str) -> None:
    page.goto(f"{language}guide/reading/")
    settle(page)
    page.locator("article a[href$='reference/claims/']").first.click()
    rows = page.locator(".x0-ledger article")
    shown = page.locator(".x0-ledger article:visible")
    output = page.locator(".x0-filter output")
    expect(output).to_be_visible()
    settle(page)
    total = rows.count()
    assert total > 100
    expect(output).to_contain_text(f"{total}")

    # By choice, with the keyboard alone.
    verdict = page.locator(".x0-filter select[name=verdict]")
    verdict.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    chosen = verdict.input_value()
    wanted = page.locator(f".x0-ledger article[data-verdict={chosen}]").count()
    assert 0 < wanted < total
    expect(shown).to_have_count(wanted)
    expect(output).to_contain_text(f"{wanted}")

    # By words: all of them must occur, in any order; then nothing is left, and it says so.
    page.locator(".x0-filter input").fill("xavier relu")
    found = shown.count()
    assert 0 < found < wanted
    for text in shown.all_text_contents():
        assert "xavier" in text.lower()
        assert "relu" in text.lower()
    page.locator(".x0-filter input").fill("no such words anywhere")
    expect(shown).to_have_count(0)
    expect(page.locator(".x0-ledger section:visible")).to_have_count(0)
    expect(output).to_contain_text("0")

    # A link to a row that is hidden brings all of them back.
    page.evaluate("location.hash = 'A-26'")
    expect(page.locator("#A-26")).to_be_in_viewport()
    expect(shown).to_have_count(total)
    assert verdict.input_value() == ""

    # By source, topic and proof, together.
    for name in ("source", "topic", "proof"):
        select = page.locator(f".x0-filter select[name={name}]")
        value = page.locator("#A-26").get_attribute(f"data-{name}") or ""
        select.select_option(value)
    kinds = {
        name: page.locator("#A-26").get_attribute(f"data-{name}") for name in ("source", "topic")
    }
    for row in shown.all():
        assert {name: row.get_attribute(f"data-{name}") for name in kinds} == kinds
    expect(page.locator("#A-26")).to_be_visible()
    page.locator(".x0-filter button").click()
    expect(shown).to_have_count(total)


def test_the_ledger_is_a_list_without_script_and_on_paper(chromium: Browser) -> None:
    for enabled in (False, True):
        context = chromium.new_context(base_url=URL, java_script_enabled=enabled)
        page = context.new_page()
        page.goto("reference/claims/")
        if enabled:
            settle(page)
            page.emulate_media(media="print")
        expect(page.locator(".x0-filter")).to_be_hidden()
        rows = page.locator(".x0-ledger article")
        expect(page.locator(".x0-ledger article:visible")).to_have_count(rows.count())
        expect(page.locator(".x0-tally table")).to_be_visible()
        context.close()
