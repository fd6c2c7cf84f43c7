"""Cards show what a reference means: with the mouse, with the keyboard, on touch; and ways lead back."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect
from published import URL
from visit import SIZES, listen, settle

HE = "en/initialization/he/"
# What a card of each kind of reference holds.
HOLDS = {
    ".x0-ref": "(7)",
    ".x0-term": "The expectation of the square",
    ".x0-cite": "Delving deep into rectifiers",
    ".x0-tag": "Uncorrelated weights",
    ".x0-eq__mark": "checked numerically",
    ".x0-val": "he_moments: predicted",
    ".x0-proof": "code of the test",
}


def opened(chromium: Browser, **options: object) -> Iterator[Page]:
    """Open a page in a window of its own; at the end nothing may have gone wrong in it."""
    context = chromium.new_context(base_url=URL, **options)  # type: ignore[arg-type]
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    faults: list[str] = []
    listen(page, faults.append)
    page.goto(HE)
    settle(page)
    yield page
    context.close()
    assert faults == []


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A chapter in a wide window."""
    yield from opened(chromium, viewport=SIZES["wide"])


@pytest.fixture
def phone(chromium: Browser) -> Iterator[Page]:
    """The same on a phone."""
    size = {"width": 390, "height": 844}
    yield from opened(chromium, viewport=size, has_touch=True, is_mobile=True)


def test_the_mouse_opens_a_card_in_passing_and_leaving_closes_it(page: Page) -> None:
    card = page.locator("#x0-card")
    for kind, text in HOLDS.items():
        link = page.locator(f"article {kind}").first
        link.hover()
        expect(card).to_contain_text(text)
        expect(card).to_be_visible()
        expect(link).to_have_attribute("aria-describedby", "x0-card")
        box, place = card.bounding_box(), link.bounding_box()
        assert box
        assert place
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= SIZES["wide"]["width"]
        assert (
            box["y"] >= place["y"] + place["height"] or box["y"] + box["height"] <= place["y"] + 4
        )
        card.hover()  # one can go to it
        page.wait_for_timeout(400)
        expect(card).to_be_visible()
        page.mouse.move(2, 400)
        expect(card).to_be_hidden()


def test_the_keyboard_opens_a_card_and_escape_closes_it(page: Page) -> None:
    card = page.locator("#x0-card")
    page.locator("article .x0-prereq a").last.focus()
    page.keyboard.press("Tab")
    expect(card).to_contain_text(HOLDS[".x0-term"])
    page.keyboard.press("Tab")
    expect(card).to_contain_text(HOLDS[".x0-ref"])
    page.keyboard.press("Escape")
    expect(card).to_be_hidden()


def test_on_touch_the_first_tap_opens_a_card_that_holds_the_link(phone: Page) -> None:
    card = phone.locator("#x0-card")
    mark = phone.locator("article .x0-eq__mark").nth(2)
    mark.tap()
    expect(card).to_be_visible()
    assert phone.url == URL + HE
    card.locator("button").tap()
    tex = phone.locator(".x0-eq__copy").nth(2).get_attribute("data-tex")
    assert phone.evaluate("navigator.clipboard.readText()") == tex
    card.locator("a").tap()
    expect(phone).to_have_url(re.compile(r"/code/equations/he/#he-"))
    # The proof page shows the equation and leads back to it.
    phone.locator("article a[href*='/initialization/he/#eq-']").first.tap()
    expect(phone).to_have_url(re.compile(r"/initialization/he/#eq-"))


def test_a_jump_leads_back_to_where_it_began(page: Page) -> None:
    cites = page.locator("article .x0-cite[href^='#'], article .x0-cite[href*='he/#']")
    link = cites.nth(2)
    place = link.get_attribute("href").rpartition("#")[2]
    there = page.locator(f"li[id='{place}']")
    link.scroll_into_view_if_needed()
    link.click()
    expect(there).to_be_in_viewport()
    there.locator(".x0-back").click()
    expect(link).to_be_in_viewport()
    link.click()
    page.locator(".x0-return").click()
    expect(link).to_be_in_viewport()
    expect(page.locator(".x0-return")).to_be_hidden()


def test_the_phone_shows_title_and_contents_wherever_one_is(phone: Page) -> None:
    phone.evaluate("scrollTo(0, 3000)")
    title = phone.locator(".x0-where__title")
    expect(title).to_be_in_viewport()
    expect(title).to_have_text("He initialization")
    phone.locator(".x0-where__toc summary").tap()
    phone.locator(".x0-where__toc a[href$='#limits']").tap()
    expect(phone.locator("#limits")).to_be_in_viewport()
    expect(phone.locator(".x0-where__toc ul").first).to_be_hidden()
    title.tap()
    expect(phone.locator("h1")).to_be_in_viewport()


def test_a_heading_is_a_link_to_itself(page: Page) -> None:
    page.locator("#limits > a").click()
    expect(page).to_have_url(f"{URL}{HE}#limits")
    assert page.locator("article :is(h2, h3)[id]:not(:has(a))").count() == 0


def test_figures_and_exercises_can_be_looked_through(page: Page) -> None:
    page.goto("en/reference/figures/")
    pictures = page.locator(".x0-figures img")
    assert pictures.count() > 90
    pictures.last.scroll_into_view_if_needed()
    page.wait_for_function("[...document.images].at(-1).naturalWidth > 0")
    page.goto("en/reference/exercises/")
    assert page.locator(".x0-exercises li").count() > 100
    page.locator(".x0-exercises__no").nth(4).click()
    expect(page).to_have_url(re.compile(r"#exercise-\d+$"))
    settle(page)
    expect(page.locator(f"[id='{page.url.partition('#')[2]}']")).to_be_in_viewport()
