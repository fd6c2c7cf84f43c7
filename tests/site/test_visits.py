"""Every page in Chromium: light and dark, wide and narrow, on a slow line and without script.

A page is visited once; all that is wrong with it is reported together. Of the pages that a
template makes, the shortest and the longest of each folder stand for all. A page that was found
good is not visited again until it, the site's other files or the visit itself change.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import visit
from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def known(site: Path, memory: Any, chromium: Browser) -> Any:
    """What was seen with the same browser, and the same files beside the pages."""
    kinds = {".css", ".js", ".woff2", ".svg"}
    assets = [path.read_bytes() for path in sorted(site.rglob("*.*")) if path.suffix in kinds]
    code = [Path(visit.__file__).read_bytes(), visit.AXE.read_bytes()]
    return memory(*code, chromium.version.encode(), *assets)


@pytest.fixture(scope="module")
def visitor(chromium: Browser) -> Iterator[visit.Visitor]:
    """One window for all pages: another for each would take a second more."""
    with chromium.new_context() as context:
        yield visit.Visitor(context)


def test_a_page_has_no_fault(visitor: visit.Visitor, known: Any, typical_page: Any) -> None:
    def look() -> list[str]:
        # A machine without time to spare may show a page late: what is wrong is wrong twice.
        return visitor.visit(typical_page) and visitor.visit(typical_page)

    content = f"{typical_page}\n".encode() + typical_page.file.read_bytes()
    assert known.once("seen", content, look) == []


def test_faults_are_noticed(chromium: Browser, site: Path) -> None:
    """The shortest page, spoiled in every way at once."""
    del site
    spoil = """
    document.addEventListener("DOMContentLoaded", () => {
      console.error("spoiled");
      document.cookie = "spoiled=1";
      fetch("https://example.org/spoiled").catch(() => {});
      fetch("search/head.json");
      document.body.insertAdjacentHTML("afterbegin", `<p style="color: #999; background: #aaa">pale</p>
        <div style="width: 9999px">wide</div><button style="width: 1px; padding: 0"></button>
        <div class="highlight language-python"><code>x</code></div>
        <span class="katex"><span class="katex-html"><i style="color: red">x</i></span></span>`);
      setTimeout(() => { document.body.style.paddingTop = "300px"; }, 60);
    });
    """
    page = type("Spoiled", (), {})()
    page.path, page.name, page.language, page.is_written = "", "", "zh", False
    with chromium.new_context() as context:
        context.add_init_script(spoil)
        context.route("**example.org/**", lambda route: route.abort())
        faults = "\n".join(visit.Visitor(context).visit(page))
    for words in (
        "console error: spoiled",
        "cookie: ",
        "a request leaves the site: https://example.org/spoiled",
        "fetched before any search",
        "axe, color-contrast",
        "axe, button-name",
        "sideways: DIV.",
        "no copy button",
        "1 formulas have not the color",
        "the layout shifts",
    ):
        assert words in faults
