"""The search of the published site: what it finds, what it fetches, how it is used."""

from __future__ import annotations

import gzip
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect
from published import URL
from visit import settle

HERE = Path(__file__).parent
QUERIES: dict[str, dict[str, list[str]]] = tomllib.loads((HERE / "queries.toml").read_text("utf-8"))
FOLDERS = {"zh": "", "en": "en/"}
LEAST_RANK = 0.9  # mean of 1/place of the first right section
MOST_BYTES = 100_000  # before the first result is shown, compressed
# Apparatus: it comes last, however often it names the word.
LAST = re.compile(r"reference/(?:figures|bibliography|claims)/|#(?:references|sources)$")
FIND = """async ([root, queries]) => {
  await new Promise((resolve, reject) => document.head.append(Object.assign(
    document.createElement("script"), { src: `${root}assets/find.js`, onload: resolve, onerror: reject })));
  const get = async (name) => (await fetch(`${root}search/${name}`)).text();
  const index = new x0Find.Index(JSON.parse(await get("head.json")), (n) => get(`part-${n}.txt`));
  const found = {};
  for (const query of queries) found[query] = (await index.find(query)).map(({ url }) => url);
  return found;
}"""


@pytest.fixture
def context(chromium: Browser) -> Iterator[BrowserContext]:
    with chromium.new_context(base_url=URL) as context:
        yield context


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


def found(page: Page, language: str, queries: list[str]) -> dict[str, list[str]]:
    """Return the addresses that the search finds in a language, best first."""
    page.goto(FOLDERS[language])
    answer: dict[str, list[str]] = page.evaluate(FIND, [URL + FOLDERS[language], queries])
    return answer


def place(addresses: list[str], right: list[str]) -> int:
    """Return the place of the first right address, from 1; 0 if there is none."""

    def fits(address: str) -> bool:
        return any(address.startswith(x[:-1]) if x.endswith("*") else address == x for x in right)

    return next((n for n, address in enumerate(addresses, 1) if fits(address)), 0)


@pytest.mark.parametrize("language", FOLDERS)
def test_what_readers_type_finds_its_section(page: Page, language: str) -> None:
    queries = QUERIES[language]
    answers = found(page, language, list(queries))
    assert [query for query, addresses in answers.items() if not addresses] == []
    places = {query: place(answers[query], right) for query, right in queries.items()}
    missed = {query: answers[query][:3] for query, n in places.items() if n != 1}
    rank = sum(1 / n for n in places.values() if n) / len(places)
    print(f"{language}: mean reciprocal rank {rank:.3f} of {len(places)}; not first: {missed}")
    assert len(queries) >= 60
    assert rank >= LEAST_RANK, missed


@pytest.mark.parametrize("language", FOLDERS)
def test_every_answer_that_is_expected_is_on_the_site(site: Path, language: str) -> None:
    wrong = []
    for right in QUERIES[language].values():
        for address in right:
            name, _, anchor = address.rstrip("*").partition("#")
            file = site / FOLDERS[language] / name / "index.html"
            if not file.is_file() or (f'id="{anchor}"' not in file.read_text("utf-8") and anchor):
                wrong.append(address)
    assert wrong == []


def test_every_name_of_a_term_and_a_typing_error_in_it_finds_the_term(page: Page) -> None:
    """No list of queries: all names of the glossary, with a letter left out of the longer ones."""
    glossary = tomllib.loads((HERE.parents[1] / "snippets/glossary.toml").read_text("utf-8"))
    for language in FOLDERS:
        names = {key: [row[language], *row.get("also", [])] for key, row in glossary.items()}
        asked = {name: key for key, found_ in names.items() for name in found_}
        answers = found(page, language, list(asked))
        lost = [name for name, addresses in answers.items() if not addresses]
        assert lost == []
        typed = {
            f"{name[:4]}{name[5:]}": name
            for name in asked
            if len(name) > 6 and name.isascii() and name.isalpha()
        }
        again = found(page, language, list(typed))
        same = [answers[name][0] in again[wrong][:3] for wrong, name in typed.items()]
        print(f"{language}: with an error {sum(same)} of {len(same)} among the first three")
        assert sum(same) >= 0.9 * len(same)


@pytest.mark.parametrize("language", FOLDERS)
def test_apparatus_comes_last(page: Page, language: str) -> None:
    answers = found(page, language, list(QUERIES[language]))
    first = {query: x[:5] for query, x in answers.items() if any(LAST.search(y) for y in x[:5])}
    assert {q: x for q, x in first.items() if not re.search("ref|source|文献|来源", q)} == {}


@pytest.mark.parametrize(
    ("language", "query"),
    [("en", "why not zero"), ("zh", "残差网络最后一层置零"), ("zh", "梯度消失 怎么办")],
)
def test_little_is_fetched_before_the_first_result(page: Page, language: str, query: str) -> None:
    page.goto(FOLDERS[language])
    settle(page)
    page.wait_for_load_state("networkidle")  # an explorer in view is fetched late
    answers: list[Any] = []
    page.on("response", lambda answer: answers.append(answer))
    page.keyboard.press("Control+k")
    page.keyboard.type(query, delay=15)
    expect(page.locator(".x0-find__text").first).not_to_be_empty(timeout=30_000)
    fetched = {answer.url: len(gzip.compress(answer.body(), 6)) for answer in answers}
    print(f"{query}: {sum(fetched.values()):,} bytes in {len(fetched)} files")
    assert all(url.startswith(f"{URL}{FOLDERS[language]}") for url in fetched)
    assert sum(fetched.values()) <= MOST_BYTES


@pytest.mark.parametrize(("key", "language"), [("Control+k", "en"), ("/", "zh")])
def test_keys(page: Page, key: str, language: str) -> None:
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(f"{FOLDERS[language]}initialization/xavier/")
    settle(page)
    assert not [url for url in fetched if "/search/" in url or "find.js" in url]
    box, field = page.locator("#x0-find"), page.locator(".x0-find__input")
    page.keyboard.press(key)
    expect(field).to_be_focused()
    page.keyboard.type("leaky relu")
    links = page.locator(".x0-find__link")
    expect(links.first).to_be_visible(timeout=30_000)
    expect(links.first.locator("mark").first).to_have_text(re.compile("leaky", re.I))
    page.keyboard.press("ArrowDown")
    expect(links.nth(0)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(links.nth(1)).to_be_focused()
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    expect(field).to_be_focused()
    page.keyboard.press("Escape")
    expect(box).to_be_hidden()
    page.keyboard.press(key)
    page.keyboard.type("leaky relu")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{URL}{FOLDERS[language]}initialization/he/#leaky")
    settle(page)
    expect(box).to_be_hidden()
    page.keyboard.press(key)
    page.keyboard.type("SELU")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{URL}{FOLDERS[language]}initialization/lecun/#selu")


def test_what_is_asked_for_is_marked_whole(page: Page) -> None:
    """Also where another name of the same thing, which is looked for too, has a part of it."""
    page.goto("")
    page.keyboard.press("Control+k")
    page.keyboard.type("泰勒展开")
    title = page.locator(".x0-find__title").first
    expect(title).to_contain_text("泰勒展开", timeout=30_000)
    expect(title.locator("mark").first).to_have_text("泰勒展开")


def test_excerpts_are_clean(site: Path) -> None:
    for folder in FOLDERS.values():
        texts = "\n".join(x.read_text("utf-8") for x in (site / folder / "search").glob("text-*"))
        assert len(texts) > 100_000
        assert not re.search(r"\(\d+\)TeX| \(\)|（）|\\frac|�|\ue020", texts)


def test_nothing_found_and_no_script(chromium: Browser, page: Page) -> None:
    page.goto("en/")
    page.locator("#x0-find-open").click()
    page.keyboard.type("qqqqqq")
    expect(page.locator(".x0-find__status")).to_contain_text("Nothing found")
    with chromium.new_context(base_url=URL, java_script_enabled=False) as context:
        plain = context.new_page()
        plain.goto("en/initialization/he/")
        expect(plain.locator("#x0-find-open")).to_be_hidden()
        plain.locator(".x0-find-terms").click()
        expect(plain).to_have_url(f"{URL}en/reference/glossary/")
