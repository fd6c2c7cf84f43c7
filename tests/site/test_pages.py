"""The HTML of every page: what it shows is what was prepared, and everything in it leads somewhere."""

from __future__ import annotations

import gzip
import html
import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import blocks
import published
from lxml.html import HtmlElement

from x0_build.book import read_book
from x0_build.data.checked import read_equations
from x0_build.data.tex import Katex
from x0_build.project import Project

ROOT = Path(__file__).parents[2]
LYCHEE = Path(sys.executable).with_name("lychee")
OUTSIDE = r"https?://(?!127\.|x0\.localhost)|data:"
REFERS = ("aria-labelledby", "aria-describedby", "aria-controls", "for")


def test_a_page_is_what_was_prepared(site_page: Any) -> None:
    """Its code and outputs; ids are unique; parts of it refer to what is there; its other language."""
    page = site_page.html
    assert shown(page) == [(kind, text.strip()) for kind, text in blocks.read(site_page.prepared)]
    counts = Counter(page.xpath("//@id"))
    assert [name for name, count in counts.items() if count > 1] == []
    # Inlined figures refer to parts of themselves, which no link checker sees.
    text = site_page.file.read_text(encoding="utf-8")
    wanted = {a or b for a, b in re.findall(r'xlink:href="#([^"]+)"|url\(#([^)]+)\)', text)}
    for name in REFERS:
        wanted |= {x for value in page.xpath(f"//@{name}") for x in value.split()}
    assert wanted - set(counts) == set()
    (switch,) = page.xpath("//*[@id='x0-lang']")
    page.make_links_absolute(published.URL + site_page.path)
    other = site_page.name if site_page.language == "en" else f"en/{site_page.name}"
    assert switch.get("href") == published.URL + other
    if page.cssselect(".x0-lab"):  # mkdocs-jupyter brings 590 KB of styles, prompts, second copies
        assert len(gzip.compress(text.encode())) < 60_000
        assert not re.search(r"jp-|In \[|clipboard-copy|mathjax|requirejs", text)


def shown(page: HtmlElement) -> list[tuple[str, str]]:
    """Return the kind and the text of every block of a page."""
    return list(_shown(page))


def _shown(page: HtmlElement) -> Iterator[tuple[str, str]]:
    for element in page.iter("div"):
        classes = (element.get("class") or "").split()
        if "x0-out" in classes or "highlight" in classes:
            (code,) = element.iter("code")
            kinds = [x.removeprefix("language-") for x in classes if x.startswith("language-")]
            yield (kinds or [blocks.OUTPUT])[0], code.text_content().strip()


def test_tex_is_offered_as_it_was_checked_and_without_house_macros(site: Path) -> None:
    project = Project(ROOT)
    sources, plain = read_equations(project), Katex(project, {})
    katex = Katex(project, read_book(project).macros)
    found = set()
    for path in sorted(site.rglob("*.html")):
        text = path.read_text(encoding="utf-8")
        for key, tex in re.findall(r'id="eq-([\w-]+)">.*?data-tex="([^"]*)"', text, re.DOTALL):
            assert html.unescape(tex) == katex.plain(sources[key].tex.strip())
            plain.render(html.unescape(tex), display=True)  # raises if it needs a macro of ours
            found.add(key)
    assert found == sources.keys()


def lychee(root: Path, files: list[Path]) -> dict[str, Any]:
    """Check all links of pages below a folder that stands for the server's root."""
    done = subprocess.run(
        [
            LYCHEE,
            "--offline",  # other hosts are not asked; that is the only exclusion
            "--include-fragments=full",
            "--include-verbatim",
            f"--root-dir={root}",
            f"--remap=http://{published.HOST} file://{root}",  # canonical links are ours too
            "--index-files=index.html",
            "--format=json",
            "--no-progress",
            "--files-from=-",
        ],
        input="\n".join(map(str, files)),
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
    )
    assert done.returncode in (0, 2), done.stderr  # 2: broken links
    report: dict[str, Any] = json.loads(done.stdout)
    return report


def broken(report: dict[str, Any]) -> list[str]:
    return [
        f"{page}:{row['span']['line']}: {row['url']}: {row['status']['text']}"
        for page, rows in report["error_map"].items()
        for row in rows
    ]


def test_every_link_and_fragment_leads_somewhere(site: Path, tmp_path: Path) -> None:
    (tmp_path / "x0").symlink_to(site, target_is_directory=True)
    # rglob does not follow the link, so the pages are named through it.
    files = [tmp_path / "x0" / path.relative_to(site) for path in site.rglob("*.html")]
    report = lychee(tmp_path, files)
    assert broken(report) == []
    assert report["successful"] > 20 * len(files)
    assert report["unsupported"] == report["unknown"] == 0
    excluded = {row["url"] for rows in report["excluded_map"].values() for row in rows}
    assert [url for url in excluded if not re.match(OUTSIDE, url)] == []


def test_a_broken_link_would_be_found(tmp_path: Path) -> None:
    origin = f"http://{published.HOST}"
    page = (
        '<h1 id="here">x</h1><a href="#here">1</a><a href="/x0/">2</a>'
        '<a href="#gone">3</a><a href="gone/">4</a><a href="/gone/">5</a>'
        '<script src="gone.js"></script><a href="./#here">6</a><a href="./#gone">7</a>'
        f'<a href="{origin}/x0/">8</a><a href="{origin}/">9</a><a href="{origin}/gone">10</a>'
    )
    (tmp_path / "x0").mkdir()
    (tmp_path / "x0" / "index.html").write_text(page, encoding="utf-8")
    report = lychee(tmp_path, [tmp_path / "x0" / "index.html"])
    assert len(broken(report)) == 7
    assert report["successful"] == 4


def test_addresses_carry_the_base_path(site: Path) -> None:
    for folder, root in ((site, ""), (site / "en", "en/")):
        found = re.findall(r"<loc>([^<]+)</loc>", (folder / "sitemap.xml").read_text("utf-8"))
        assert f"{published.URL}{root}" in found
    assert list(site.rglob("404.html")) == [site / "404.html"]
