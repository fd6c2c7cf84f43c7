"""The site can be found and cited."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any

import lxml.etree
import pytest
import yaml
from published import URL
from pybtex.database import parse_string

from x0_build.data.release import read_releases
from x0_build.project import BuildError, Project

ROOT = Path(__file__).parents[2]


def test_a_page_says_what_it_is(site_page: Any) -> None:
    page = site_page.html
    (title,) = page.xpath("//title/text()")
    assert title.strip() not in ("", "x0", "x0 - x0")
    (canonical,) = page.xpath("//link[@rel='canonical']/@href")
    assert canonical == URL + site_page.path
    assert len(page.xpath("//meta[@name='description']/@content")) == 1
    kinds = {x.get("property"): x.get("content") for x in page.xpath("//meta[@property]")}
    assert kinds["og:url"] == canonical
    assert kinds["og:title"] == title
    assert page.xpath("//*[@class='x0-footer__line']//a[@rel='license']")


def test_a_page_can_be_cited(first_page: Any) -> None:
    """BibTeX reads what is offered, and it names the version that is being built."""
    page, newest = first_page.html, read_releases(Project(ROOT))[0]
    (text,) = page.xpath("//details[@id='cite']//code/text()")
    (button,) = page.xpath("//details[@id='cite']//button/@data-clipboard-text")
    assert button == text
    ((key, entry),) = parse_string(text, "bibtex").entries.items()
    assert key.startswith("x0-")
    assert str(entry.persons["author"][0]) == "{x0 contributors}"
    assert entry.fields["url"] == URL + first_page.path
    assert entry.fields["date"] == newest.date
    assert entry.fields["version"] == newest.version


def test_a_page_has_a_card(first_page: Any, site: Path) -> None:
    """A picture of the size that is announced, at an address on this site."""
    kinds = {
        x.get("property"): x.get("content") for x in first_page.html.xpath("//meta[@property]")
    }
    assert kinds["og:image"].startswith(f"{URL}assets/cards/")
    data = (site / kinds["og:image"].removeprefix(URL)).read_bytes()
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    assert struct.unpack(">II", data[16:24]) == (1200, 630)
    assert 5_000 < len(data) < 200_000


@pytest.mark.parametrize("folder", ["", "en"])
def test_the_sitemap_names_both_languages(site: Path, folder: str) -> None:
    tree = lxml.etree.parse(site / folder / "sitemap.xml")
    urls = tree.findall("{*}url")
    assert len(urls) > 40
    for url in urls:
        links = {x.get("hreflang"): x.get("href") for x in url.findall("{*}link")}
        here = url.findtext("{*}loc")
        assert here == links["en" if folder else "zh-CN"]
        assert links["en"] == links["zh-CN"].replace(URL, f"{URL}en/")


@pytest.mark.parametrize("folder", ["", "en"])
def test_the_feed_has_every_version(site: Path, folder: str) -> None:
    tree = lxml.etree.parse(site / folder / "feed.xml")
    releases = read_releases(Project(ROOT))
    assert len(tree.findall("{*}entry")) == len(releases)
    assert (tree.findtext("{*}updated") or "").startswith(releases[0].date)
    assert releases[0].changes[0]["en" if folder else "zh"] in tree.findtext("{*}entry/{*}content")


def test_the_changelog_and_the_citation_file_name_one_version() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text("utf-8"))
    newest = read_releases(Project(ROOT))[0]
    assert (citation["version"], str(citation["date-released"])) == (newest.version, newest.date)


@pytest.mark.parametrize("text", ["# Nothing\n", "## 1.0 · 2026-01-01\n\nNo change.\n"])
def test_a_changelog_without_changes_is_an_error(tmp_path: Path, text: str) -> None:
    (tmp_path / "CHANGELOG.md").write_text(text, encoding="utf-8")
    with pytest.raises(BuildError, match="without changes"):
        read_releases(Project(tmp_path))
