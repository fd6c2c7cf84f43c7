"""What a fresh reader comes for is found in one search or three clicks, in each language (tasks.toml)."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect
from published import URL
from visit import settle

TASKS = tomllib.loads(Path(__file__).with_name("tasks.toml").read_text("utf-8"))["task"]
FOLDERS = {"zh": "", "en": "en/"}
MOST_CLICKS = 3


def fits(address: str, right: list[str]) -> bool:
    """Tell whether an address, below the root of its language, is one of the right ones."""
    return any(address.startswith(x[:-1]) if x.endswith("*") else address == x for x in right)


def below(page: Page) -> str:
    """Return where the browser is, below the root of either language."""
    return page.url.removeprefix(URL).removeprefix("en/")


def click(page: Page, end: str) -> None:
    """Click the first link that is seen and leads there, or what a selector names."""
    selector = end if end[0] == "." or end == "#x0-lang" else f"a[href$='{end}']"
    link = page.locator(f"{selector} >> visible=true").first
    link.scroll_into_view_if_needed()
    link.click()


def test_there_are_twenty() -> None:
    assert len(TASKS) >= 20
    assert max(len(task.get("clicks", [])) for task in TASKS) <= MOST_CLICKS


@pytest.mark.parametrize("language", FOLDERS)
@pytest.mark.parametrize("task", TASKS, ids=lambda task: task["asks"])
def test_a_fresh_reader_finds_it(page: Page, language: str, task: dict[str, Any]) -> None:
    page.goto(FOLDERS[language])
    settle(page)
    if language in task:
        page.keyboard.press("Control+k")
        page.keyboard.insert_text(task[language])
        first = page.locator(".x0-find__link").first
        expect(first).to_be_visible(timeout=30_000)
        page.wait_for_timeout(300)  # what is typed last is what is shown
        href = first.evaluate("x => x.href").removeprefix(URL).removeprefix("en/")
        assert fits(href, task["right"]), href
        return
    *before, last = task["clicks"]
    for end in before:
        click(page, end)
        page.wait_for_load_state()
    if last.endswith(".ipynb"):
        with page.expect_download() as download:
            click(page, last)
        assert fits(download.value.url.removeprefix(URL).removeprefix("en/"), task["right"])
        return
    click(page, last)
    if "shown" in task:
        shown = page.locator(task["shown"]).first
        shown.scroll_into_view_if_needed()
        expect(shown).to_be_visible()
    else:
        page.wait_for_function(
            "(ends) => ends.some((end) => location.href.endsWith(end))", arg=task["right"]
        )
        assert fits(below(page), task["right"])
