"""One look at a page in Chromium, in all ways at once, that finds all that is wrong with it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from playwright.sync_api import BrowserContext, Page
from playwright.sync_api import TimeoutError as BrowserTimeoutError
from published import URL

ROOT = Path(__file__).parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
RULES = {"color-contrast", "target-size", "html-has-lang"}  # some that must have been applied
SIZES: dict[str, Any] = {
    "wide": {"width": 1280, "height": 900},
    "narrow": {"width": 360, "height": 780},
}
# Both languages of a page have the same parts: together they are seen in all four ways.
VIEWS = {
    "zh": (("light", "wide"), ("dark", "narrow")),
    "en": (("dark", "wide"), ("light", "narrow")),
}
MOST_SHIFT = 0.01
# Styles and fonts arrive one after the other.
SLOW = {
    "offline": False,
    "latency": 40,
    "downloadThroughput": 1_000_000,
    "uploadThroughput": 500_000,
}
FAST = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
WITH_FORMULAS = "guide/notation/"  # here axe sees the formulas as well

OBSERVE_SHIFTS = """
window.x0Shifts = [];
new PerformanceObserver(list => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) x0Shifts.push([entry.value,
    entry.sources.map(({ node }) => node && (node.className || node.nodeName)).join(" ")]);
}).observe({ type: "layout-shift", buffered: true });
"""
UNFOLD = """async () => {
  document.querySelectorAll("details").forEach(x => { x.open = true; });
  await new Promise(r => requestAnimationFrame(() => setTimeout(r, 50)));
}"""
# axe takes seconds for thousands of equal parts. Parts of a formula that have the color of its text
# are as legible as a letter, which takes their place; of the words in code that are marked alike,
# one stays marked; of a drawing stay the words that say what it shows. Nothing changes its size.
# Returns the formulas with a color of their own.
SIMPLIFY = """() => {
  const style = node => getComputedStyle(node);
  const formulas = [...document.querySelectorAll(".katex")].map(formula => {
    const color = style(formula.parentElement).color;
    const parts = [...formula.querySelectorAll(".katex-html *")].filter(x => x.firstChild?.data);
    const odd = parts.some(part => style(part).color !== color);
    return { formula, odd, box: formula.getBoundingClientRect() };
  });
  for (const { formula, odd, box: { width, height } } of formulas) {
    if (odd) continue;
    formula.replaceChildren("x");
    formula.style = `display: inline-block; width: ${width}px; height: ${height}px`;
  }
  const seen = new Set();
  for (const code of document.querySelectorAll(".highlight code")) {
    const ground = style(code.parentElement).backgroundColor;
    for (const part of code.querySelectorAll("span")) {
      const kind = `${part.className} on ${ground}`;
      if (seen.has(kind) && !part.firstElementChild) part.replaceWith(part.textContent);
      seen.add(kind);
    }
    code.normalize();
  }
  for (const part of document.querySelectorAll("svg > :not(title, desc)")) part.remove();
  return formulas.filter(({ odd }) => odd).length;
}"""
RUN_AXE = """async tags => {
  const found = await axe.run(document, {
    runOnly: { type: "tag", values: tags },
    rules: { "target-size": { enabled: true } },  // of WCAG 2.2; axe leaves it off by itself
  });
  const place = ({ target, failureSummary }) => `${target}: ${failureSummary}`;
  return [
    ["violations", "passes", "incomplete", "inapplicable"].flatMap(
      kind => found[kind].map(({ id }) => id)),
    found.violations.map(({ id, nodes }) => `axe, ${id}: ${nodes.map(place).join("; ")}`),
  ];
}"""
# What sticks out to the right of the page and stands in no box that scrolls by itself.
FIND_WIDE = """() => {
  const scrolls = node => node && node !== document.body && node !== document.documentElement &&
    (/auto|scroll|hidden|clip/.test(getComputedStyle(node).overflowX) || scrolls(node.parentElement));
  const wide = document.documentElement.scrollWidth;
  return [...(wide > innerWidth ? [`${wide} px wide`] : []),
    ...[...document.body.querySelectorAll("*")].filter(node => {
      const box = node.getBoundingClientRect();
      return box.width && box.right > innerWidth + 0.5 && box.left < innerWidth &&
        !scrolls(node.parentElement);
    }).map(node => `${node.nodeName}.${node.className.baseVal ?? node.className}`)];
}"""
# What every copy button gives, beside what stands next to it.
COPY = """() => {
  const found = [];
  let copied = "";
  addEventListener("copy", event => { copied = event.target.value ?? String(getSelection()); }, true);
  const press = (button, wanted) => {
    copied = null;
    button.click();
    if (copied?.trim() !== wanted.trim()) found.push(`copied: ${copied}\\nshown: ${wanted}`);
  };
  const blocks = [...document.querySelectorAll(".highlight.language-python")];
  const pieces = JSON.parse(document.getElementById("x0-code")?.dataset.pieces ?? "{}");
  const whole = keys => keys.split(" ").map(key => pieces[key]).join("\\n\\n\\n");
  for (const block of blocks) {
    const button = block.querySelector("button[data-clipboard-target], .md-clipboard");
    const { copy } = block.dataset;
    if (button) press(button, copy ? whole(copy) : block.querySelector("code").textContent);
    else found.push(`no copy button: ${block.textContent.slice(0, 60)}`);
  }
  for (const button of document.querySelectorAll(".x0-eq__copy")) press(button, button.dataset.tex);
  return found;
}"""
INVISIBLE = """() => {
  document.querySelectorAll("details").forEach(x => { x.open = true; });
  const seen = node => [...node.children].some(part => {
    const { width, height } = part.getBoundingClientRect();
    return Math.round(width) && Math.round(height);
  });
  return [...document.querySelectorAll(".katex-html")].filter(node => !seen(node))
    .map(node => node.parentElement.textContent);
}"""


class Visitor:
    """A browser window that looks at pages, each as if it had seen nothing before."""

    def __init__(self, context: BrowserContext) -> None:
        self.faults: list[str] = []
        self.colors: dict[str, str] = {}
        self.site_page: Any = None
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        context.add_init_script(OBSERVE_SHIFTS)
        self.page = context.new_page()
        self.cdp = context.new_cdp_session(self.page)
        self.cdp.send("Network.enable")
        listen(self.page, self.note)

    def note(self, fault: str) -> None:
        """Keep a fault."""
        self.faults.append(fault)

    def visit(self, site_page: Any) -> list[str]:
        """Look at a page in all ways; return what is wrong with it."""
        self.page.goto("about:blank")
        self.cdp.send("Network.clearBrowserCache")
        self.cdp.send("Emulation.setScriptExecutionDisabled", {"value": False})
        self.site_page, self.faults, self.colors = site_page, [], {}
        slow = site_page.is_written and site_page.language == "en"
        for scheme, width in VIEWS[site_page.language]:
            before = len(self.faults)
            self.load(scheme, width, slow=slow and width == "wide")
            self.look(scheme, width)
            self.faults[before:] = [f"{scheme}, {width}: {x}" for x in self.faults[before:]]
        if len(set(self.colors.values())) < 2:
            self.note(f"dark is as light: {self.colors}")
        if site_page.is_written:
            self.without_script()
        self.faults += [f"cookie: {cookie}" for cookie in self.page.context.cookies()]
        self.page.context.clear_cookies()
        return self.faults

    def load(self, scheme: Any, width: str, *, slow: bool) -> None:
        self.page.emulate_media(color_scheme=scheme)
        self.page.set_viewport_size(SIZES[width])
        self.cdp.send("Network.emulateNetworkConditions", SLOW if slow else FAST)
        try:
            self.page.goto(URL + self.site_page.path)
        except BrowserTimeoutError:  # seldom, a load never ends on a slowed line: once more
            if not slow:
                raise
            self.page.goto(URL + self.site_page.path)
        settle(self.page)
        self.cdp.send("Network.emulateNetworkConditions", FAST)

    def look(self, scheme: str, width: str) -> None:
        shifts = self.page.evaluate("x0Shifts")
        if sum(value for value, _ in shifts) >= MOST_SHIFT:
            self.note(f"the layout shifts: {shifts}")
        self.colors[scheme] = self.page.evaluate("getComputedStyle(document.body).backgroundColor")
        self.page.evaluate(UNFOLD)
        if width == "wide":
            self.faults += self.page.evaluate(COPY)
        else:
            self.faults += [f"sideways: {x}" for x in self.page.evaluate(FIND_WIDE)]
        if self.site_page.name != WITH_FORMULAS and (odd := self.page.evaluate(SIMPLIFY)):
            self.note(f"{odd} formulas have not the color of their text")
        self.page.evaluate("scrollTo(0, 0)")  # else the header may cover half of a link
        self.page.evaluate(AXE.read_text(encoding="utf-8"))
        rules, violations = self.page.evaluate(RUN_AXE, WCAG)
        self.faults += violations
        if missing := RULES - set(rules):
            self.note(f"axe has not applied {missing}")

    def without_script(self) -> None:
        """Formulas are there without any script: this one is the test's."""
        self.cdp.send("Emulation.setScriptExecutionDisabled", {"value": True})
        self.page.goto(URL + self.site_page.path)
        if not self.page.evaluate("document.documentElement.classList.contains('no-js')"):
            self.note("scripts run")
        self.faults += [f"invisible without script: {x}" for x in self.page.evaluate(INVISIBLE)]
        count = len(self.site_page.html.cssselect(".katex-html"))
        if self.page.locator(".katex-html").count() != count:
            self.note(f"of {count} formulas some are missing without script")


def listen(page: Page, note: Callable[[str], None]) -> None:
    """Note everything that goes wrong, and every request that should not be made."""

    def requested(url: str) -> None:
        if not url.startswith((URL, "data:", "blob:")):
            note(f"a request leaves the site: {url}")
        if "/search/" in url:
            note(f"fetched before any search: {url}")

    def failed(request: Any) -> None:
        if request.failure != "net::ERR_ABORTED":  # the page was left before it had everything
            note(f"{request.failure}: {request.url}")

    def said(message: Any) -> None:
        if message.type in ("error", "warning"):
            note(f"console {message.type}: {message.text}")

    page.on("request", lambda request: requested(request.url))
    page.on("pageerror", lambda error: note(f"page error: {error}"))
    page.on("requestfailed", failed)
    page.on("console", said)


def settle(page: Page) -> None:
    """Wait until the page has loaded, with its fonts, and scripts have had their say."""
    page.wait_for_load_state("load")
    page.evaluate("document.fonts.ready.then(() => new Promise(r => setTimeout(r, 150)))")
