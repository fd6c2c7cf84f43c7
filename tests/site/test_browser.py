"""The published site in Chromium: both languages, light and dark, wide and narrow, without script."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect, sync_playwright
from playwright.sync_api import TimeoutError as BrowserTimeoutError

from x0_build.paths import Project
from x0_build.tex import Katex, expand, load_macros

ROOT = Path(__file__).parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
SIZES = {"wide": {"width": 1280, "height": 900}, "narrow": {"width": 360, "height": 780}}
# Both languages of a page have the same parts: together they are seen in all four ways.
VIEWS = {
    "zh": (("light", "wide"), ("dark", "narrow")),
    "en": (("light", "narrow"), ("dark", "wide")),
}
MOST_SHIFT = 0.01
BASE = "base:/"  # stands for the address, whose port changes, in what is remembered

OBSERVE_SHIFTS = """
window.x0Shifts = [];
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) x0Shifts.push([entry.value,
    entry.sources.map(({ node }) => node && (node.className || node.nodeName)).join(" ")]);
}).observe({ type: "layout-shift", buffered: true });
"""
RUN_AXE = """async tags => {
  const found = await axe.run(document, {
    runOnly: { type: "tag", values: tags },
    rules: { "target-size": { enabled: true } },  // of WCAG 2.2; axe leaves it off by itself
  });
  const place = ({ target, failureSummary }) => `${target}: ${failureSummary}`;
  return {
    rules: ["violations", "passes", "incomplete", "inapplicable"].flatMap(
      kind => found[kind].map(({ id }) => id)),
    violations: found.violations.map(({ id, nodes }) => `${id}: ${nodes.map(place).join("; ")}`),
  };
}"""
# What sticks out to the right of the page and stands in no box that scrolls by itself.
FIND_WIDE = """() => {
  const scrolls = node => node && node !== document.body && node !== document.documentElement &&
    (/auto|scroll|hidden|clip/.test(getComputedStyle(node).overflowX) || scrolls(node.parentElement));
  return [...document.body.querySelectorAll("*")].filter(node => {
    const box = node.getBoundingClientRect();
    return box.width && box.right > innerWidth + 0.5 && box.left < innerWidth &&
      !scrolls(node.parentElement);
  }).map(node => `${node.nodeName}.${node.className.baseVal ?? node.className}`);
}"""


@dataclass
class Seen:
    """What one page showed when it was visited."""

    requests: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    violations: dict[str, list[str]] = field(default_factory=dict)
    rules: list[str] = field(default_factory=list)
    shifts: dict[str, list[Any]] = field(default_factory=dict)
    sideways: list[str] = field(default_factory=list)
    cookies: list[Any] = field(default_factory=list)
    colors: dict[str, str] = field(default_factory=dict)  # of the page's ground, by scheme

    def is_good(self) -> bool:
        return not (self.problems or self.sideways or any(self.violations.values()))


def listen(page: Page, seen: Seen) -> None:
    """Collect requests and everything that goes wrong."""
    page.on("request", lambda request: seen.requests.append(request.url))
    page.on("pageerror", lambda error: seen.problems.append(f"page error: {error}"))
    page.on(
        "requestfailed",
        lambda request: (
            request.failure != "net::ERR_ABORTED"  # the page was left before it had everything
            and seen.problems.append(f"{request.failure}: {request.url}")
        ),
    )
    page.on(
        "console",
        lambda message: (
            message.type in ("error", "warning")
            and seen.problems.append(f"console {message.type}: {message.text}")
        ),
    )


def settle(page: Page) -> None:
    """Wait until the page has loaded, with its fonts, and scripts have had their say."""
    page.wait_for_load_state("load")
    page.evaluate("document.fonts.ready.then(() => new Promise(r => setTimeout(r, 150)))")


def slow_down(page: Page) -> None:
    """Give the page a line on which styles and fonts arrive one after the other."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": 40,
            "downloadThroughput": 1_000_000,
            "uploadThroughput": 500_000,
        },
    )


def look(context: BrowserContext, url: str, views: tuple[tuple[str, str], ...]) -> Seen:
    """Visit one page, once for each color scheme and width, with all that is folded away."""
    seen = Seen()
    page = context.new_page()
    listen(page, seen)
    for scheme, width in views:
        page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]
        page.set_viewport_size(SIZES[width])  # type: ignore[arg-type]
        page.goto(url)
        settle(page)
        seen.shifts[width] = page.evaluate("x0Shifts")
        seen.colors[scheme] = page.evaluate("getComputedStyle(document.body).backgroundColor")
        page.evaluate("document.querySelectorAll('details').forEach(x => { x.open = true; })")
        page.evaluate("new Promise(r => requestAnimationFrame(() => setTimeout(r, 50)))")
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate(RUN_AXE, WCAG)
        seen.violations[f"{scheme}, {width}"] = found["violations"]
        seen.rules += found["rules"]
        if width == "narrow":
            wide = page.evaluate("document.documentElement.scrollWidth")
            seen.sideways = [f"{wide} px wide"] if wide > SIZES["narrow"]["width"] else []
            seen.sideways += page.evaluate(FIND_WIDE)
    seen.cookies = list(context.cookies())
    return seen


@pytest.fixture(scope="module")
def visits(
    request: pytest.FixtureRequest,
    launch: Callable[[Any], Browser],
    chromium: Browser,
    published: Path,
    base_url: str,
    memory: Any,
) -> dict[str, Seen]:
    """What each page that is tested shows to a browser that has seen nothing yet.

    One browser per core, as looking takes a second for every 5000 elements; and a page that has
    not changed, in a site whose other files have not changed, is not visited again.
    """
    specs = (getattr(item, "callspec", None) for item in request.session.items)
    pages = dict.fromkeys(
        s.params["typical_page"] for s in specs if s and "typical_page" in s.params
    )
    assets = [
        path.read_bytes()
        for path in sorted(published.rglob("*.*"))
        if path.suffix in {".css", ".js", ".woff2", ".svg"}
    ]
    here = Path(__file__).read_bytes()
    known = memory("seen", (here, AXE.read_bytes(), chromium.version.encode(), *assets))
    content = {
        page: (published / page.file.relative_to(ROOT / "site")).read_text(encoding="utf-8")
        for page in pages
    }
    content = {page: f"{page}{html.replace(base_url, BASE)}" for page, html in content.items()}
    seen = {page: known.recall(content[page]) for page in pages}
    seen = {page: result and recalled(result, base_url) for page, result in seen.items()}
    waiting = [page for page, result in seen.items() if result is None]

    def work() -> None:
        with sync_playwright() as playwright, launch(playwright) as browser:
            while waiting:
                page = waiting.pop()
                with browser.new_context() as context:
                    context.add_init_script(OBSERVE_SHIFTS)
                    found = look(context, base_url + page.path, VIEWS[page.language])
                seen[page] = found
                if found.is_good():
                    text = json.dumps(dataclasses.asdict(found)).replace(base_url, BASE)
                    known.keep(content[page], json.loads(text))

    if waiting:
        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            for done in [pool.submit(work) for _ in range(os.cpu_count() or 1)]:
                done.result()
    return {page.path: result for page, result in seen.items()}


def recalled(stored: dict[str, Any], base_url: str) -> Seen:
    return Seen(**json.loads(json.dumps(stored).replace(BASE, base_url)))


@pytest.fixture
def seen(visits: dict[str, Seen], typical_page: Any) -> Seen:
    """What one page shows."""
    return visits[typical_page.path]


@pytest.fixture
def page(chromium: Browser, base_url: str) -> Iterator[Page]:
    """A page in a browser of its own; at the end nothing may have gone wrong in it."""
    context = chromium.new_context(viewport=SIZES["wide"], base_url=base_url)  # type: ignore[arg-type]
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    seen = Seen()
    listen(page, seen)
    yield page
    cookies = context.cookies()
    context.close()
    assert seen.problems == []
    assert leaving(seen.requests, base_url) == []
    assert cookies == []


def leaving(requests: list[str], base_url: str) -> list[str]:
    return [url for url in requests if not url.startswith((base_url, "data:", "blob:"))]


# Every page; of those that a template generates the shortest and longest of each folder


def test_nothing_goes_wrong_in_the_browser(seen: Seen) -> None:
    assert seen.problems == []


def test_no_request_leaves_the_site(seen: Seen, base_url: str) -> None:
    assert seen.requests
    assert leaving(seen.requests, base_url) == []


def test_the_search_index_is_not_fetched_before_a_search(seen: Seen) -> None:
    assert [url for url in seen.requests if "search_index" in url] == []


def test_no_cookie_is_set(seen: Seen) -> None:
    assert seen.cookies == []


def test_axe_finds_no_violation_in_light_and_dark(seen: Seen) -> None:
    assert {view: found for view, found in seen.violations.items() if found} == {}
    assert len(seen.violations) == 2
    assert {"color-contrast", "target-size", "html-has-lang"} <= set(seen.rules)
    assert seen.colors["dark"] != seen.colors["light"]


def test_no_page_scrolls_sideways_on_a_phone(seen: Seen) -> None:
    assert seen.sideways == []


def test_the_layout_does_not_shift(seen: Seen) -> None:
    assert set(seen.shifts) == set(SIZES)
    for width, found in seen.shifts.items():
        assert sum(value for value, _ in found) < MOST_SHIFT, (width, found)


# Every page that is written


def test_the_layout_does_not_shift_on_a_slow_line(
    chromium: Browser, base_url: str, english_page: Any
) -> None:
    for last in (False, True):
        context = chromium.new_context(viewport=SIZES["wide"])  # type: ignore[arg-type]
        context.add_init_script(OBSERVE_SHIFTS)
        page = context.new_page()
        slow_down(page)
        try:
            page.goto(base_url + english_page.path)
            settle(page)
            found = page.evaluate("x0Shifts")
        except BrowserTimeoutError:  # seldom, a load never ends on a slowed line: once more
            if last:
                raise
            continue
        finally:
            context.close()
        break
    assert sum(value for value, _ in found) < MOST_SHIFT, found


def test_formulas_are_rendered_without_script(
    chromium: Browser, base_url: str, book_page: Any
) -> None:
    context = chromium.new_context(viewport=SIZES["wide"], java_script_enabled=False)  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(base_url + book_page.path)
    # Unfold everything: this is the test's script, the page's are off.
    page.locator("details").evaluate_all("all => all.forEach(x => { x.open = true; })")
    assert page.evaluate("document.documentElement.classList.contains('no-js')")
    formulas = page.locator(".katex-html")
    written = book_page.html.cssselect(".katex-html")
    assert formulas.count() == len(written)
    boxes = formulas.evaluate_all(
        "nodes => nodes.map(node => [...node.children].map(x => x.getBoundingClientRect()))"
    )
    sizes = [[(round(x["width"]), round(x["height"])) for x in box] for box in boxes]
    context.close()
    if book_page.html.cssselect("#derivation"):
        assert len(sizes) > 20
    assert [n for n, found in enumerate(sizes) if not any(w and h for w, h in found)] == []


def sections(page: Any) -> list[str]:
    """Return the ids of a page's sections."""
    return [str(x) for x in page.html.xpath("//article//h2/@id")]


def twin_url(base_url: str, page: Any, section: str = "") -> str:
    other = page.name if page.language == "en" else f"en/{page.name}"
    return base_url + other + (f"#{section}" if section else "")


def test_the_language_switch_keeps_page_and_section(
    page: Page, base_url: str, chinese_page: Any
) -> None:
    page.goto(base_url + chinese_page.path)
    switch = page.locator("#x0-lang")
    switch.click()
    expect(page).to_have_url(twin_url(base_url, chinese_page))
    for section in sections(chinese_page)[-1:]:
        page.goto(f"{base_url}{chinese_page.path}#{section}")
        settle(page)
        page.locator("#x0-lang").click()
        expect(page).to_have_url(twin_url(base_url, chinese_page, section))
        assert page.evaluate("document.documentElement.lang")[:2] != chinese_page.language
        # And back again.
        page.locator("#x0-lang").click()
        expect(page).to_have_url(f"{base_url}{chinese_page.path}#{section}")


def test_the_language_switch_works_after_instant_navigation(
    page: Page, base_url: str, first_page: Any
) -> None:
    root = "en/" if first_page.language == "en" else ""
    start = "guide/reading/" if first_page.name == "guide/notation/" else "guide/notation/"
    page.goto(base_url + root + start)
    settle(page)
    page.evaluate("window.x0SamePage = true")
    page.evaluate("document.querySelectorAll('#x0-nav details').forEach(x => { x.open = true; })")
    link = page.locator("#x0-nav a:visible, a.x0-logo")
    target = base_url + first_page.path
    number = link.evaluate_all("(links, to) => links.findIndex(x => x.href === to)", target)
    assert number >= 0, f"no link to {target} in the navigation"
    link.nth(number).click()
    expect(page).to_have_url(target)
    page.wait_for_function("document.title.length > 0")
    settle(page)
    assert page.evaluate("window.x0SamePage === true"), "the navigation was not instant"
    for section in sections(first_page)[-1:]:
        page.evaluate("id => { location.hash = id; }", section)
        expect(page).to_have_url(f"{target}#{section}")
        settle(page)
        page.locator("#x0-lang").click()
        expect(page).to_have_url(twin_url(base_url, first_page, section))
    if not sections(first_page):
        page.locator("#x0-lang").click()
        expect(page).to_have_url(twin_url(base_url, first_page))


def test_code_is_copied_as_it_is_tested(page: Page, chinese_page: Any) -> None:
    """test_code_blocks.py reads the HTML; this is what the button gives."""
    blocks = [
        element
        for element in chinese_page.html.cssselect(".highlight")
        if "language-python" in element.get("class").split()
    ]
    if not blocks:
        return
    page.goto(chinese_page.path)
    settle(page)
    page.evaluate("document.querySelectorAll('details').forEach(x => { x.open = true; })")
    shown = page.locator(".highlight.language-python")
    assert shown.count() == len(blocks)
    for number, block in enumerate(blocks):
        shown.nth(number).hover()
        shown.nth(number).locator("button[data-clipboard-target], .md-clipboard").first.click()
        (code,) = block.iter("code")
        copied = page.evaluate("navigator.clipboard.readText()")
        assert copied.strip() == code.text_content().strip()


def test_tex_is_copied_without_house_macros(page: Page, english_page: Any) -> None:
    page.goto(english_page.path)
    settle(page)
    page.evaluate("document.querySelectorAll('details').forEach(x => { x.open = true; })")
    equations = page.locator(".x0-eq")
    assert equations.count() == len(english_page.html.cssselect(".x0-eq"))
    katex = Katex(Project(ROOT))
    macros = load_macros(Project(ROOT))
    for equation in equations.all():
        key = (equation.get_attribute("id") or "").removeprefix("eq-")
        page.evaluate("navigator.clipboard.writeText('')")
        equation.hover()
        equation.locator(".x0-eq__copy").click()
        page.wait_for_function("navigator.clipboard.readText().then(text => text !== '')")
        copied = page.evaluate("navigator.clipboard.readText()")
        source = (ROOT / "snippets" / "equations" / f"{key}.tex").read_text(encoding="utf-8")
        assert copied == expand(source.strip(), macros)
        assert not {name for name in re.findall(r"\\[A-Za-z]+", copied) if name in macros}
        assert "error" not in katex._ask(copied, True, {}), "does not compile without our macros"


# Search


@pytest.mark.parametrize(
    ("words", "address"),
    [
        ("初始化", "initialization/"),
        ("梯度消失", "initialization/"),
        ("泰勒展开", "taylor/univariate/"),
        ("Xavier 初始化", "initialization/xavier/"),
        ("initialization", "en/initialization/"),
        ("vanishing gradient", "en/initialization/"),
        ("Taylor expansion", "en/taylor/univariate/"),
        ("Xavier initialization", "en/initialization/xavier/"),
    ],
)
def test_search_finds(page: Page, base_url: str, words: str, address: str) -> None:
    language = "en/" if address.startswith("en/") else ""
    fetched: list[str] = []
    page.on("request", lambda request: fetched.append(request.url))
    page.goto(language)
    settle(page)
    assert not [url for url in fetched if "search_index" in url]
    page.keyboard.press("Control+k")
    page.keyboard.type(words, delay=10)  # the box listens to keys: filling it in finds nothing
    found = page.locator(".md-search-result__item")
    expect(found.first).to_be_visible()
    index = [url for url in fetched if "search_index" in url]
    assert index == [f"{base_url}{language}search/search_index.json"]
    wanted = re.compile(re.escape(words), re.IGNORECASE)
    right = found.filter(has=page.locator(f"a[href^='{base_url}{address}']"))
    expect(right.filter(has_text=wanted).first).to_be_visible()
    right.filter(has_text=wanted).first.locator("a").first.click()
    expect(page).to_have_url(re.compile(f"^{re.escape(base_url + address)}"))
    expect(page.locator("article.md-content__inner")).to_contain_text(wanted)


# The rest of the frame


def test_the_404_page_speaks_both_languages(
    chromium: Browser, base_url: str, published: Path
) -> None:
    context = chromium.new_context(base_url=base_url)
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
    assert sorted(set(links)) == [base_url, base_url + "en/"]
    for link in links:
        reached = page.goto(link)
        assert reached
        assert reached.status == 200
    context.close()
    assert list(published.rglob("404.html")) == [published / "404.html"]


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


def test_addresses_carry_the_base_path(published: Path, base_url: str) -> None:
    for folder, root in ((published, ""), (published / "en", "en/")):
        sitemap = (folder / "sitemap.xml").read_text(encoding="utf-8")
        found = re.findall(r"<loc>([^<]+)</loc>", sitemap)
        assert f"{base_url}{root}" in found


# The ledger


@pytest.mark.parametrize("language", ["", "en/"])
def test_the_ledger_is_filtered(page: Page, language: str) -> None:
    page.goto(f"{language}guide/reading/")
    settle(page)
    page.locator("article a[href$='reference/claims/']").first.click()  # instant navigation
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


def test_the_ledger_is_a_list_without_script_and_on_paper(chromium: Browser, base_url: str) -> None:
    for enabled in (False, True):
        context = chromium.new_context(base_url=base_url, java_script_enabled=enabled)
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
