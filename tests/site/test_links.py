"""Every link and every fragment of the built site leads somewhere, below any base path."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

ORIGIN = "http://127.0.0.1"
OUTSIDE = r"https?://(?!127\.)|data:"
LYCHEE = Path(sys.executable).with_name("lychee")


def check(root: Path, files: list[Path], origin: str = ORIGIN) -> dict[str, Any]:
    """Check all links of pages below a folder that stands for the server's root."""
    done = subprocess.run(
        [
            LYCHEE,
            "--offline",  # other hosts are not asked; that is the only exclusion
            "--include-fragments=full",
            "--include-verbatim",
            f"--root-dir={root}",
            f"--remap={origin} file://{root}",  # canonical links are ours too
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


@pytest.fixture(scope="module")
def report(
    published: Path, base_url: str, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """What lychee says of the published site, mounted under its base path."""
    root = tmp_path_factory.mktemp("server")
    (root / "x0").symlink_to(published, target_is_directory=True)
    # rglob does not follow the link, so the pages are named through it.
    files = [root / "x0" / path.relative_to(published) for path in published.rglob("*.html")]
    assert files
    return check(root, files, base_url.removesuffix("/x0/"))


def test_every_link_and_fragment_resolves(report: dict[str, Any], pages: list[Any]) -> None:
    assert broken(report) == []
    assert report["successful"] > 20 * len(pages)
    assert report["unsupported"] == report["unknown"] == 0


def test_only_other_hosts_are_excluded(report: dict[str, Any]) -> None:
    excluded = {row["url"] for rows in report["excluded_map"].values() for row in rows}
    assert [url for url in excluded if not re.match(OUTSIDE, url)] == []


def test_a_broken_link_would_be_found(tmp_path: Path) -> None:
    page = (
        '<h1 id="here">x</h1><a href="#here">1</a><a href="/x0/">2</a>'
        '<a href="#gone">3</a><a href="gone/">4</a><a href="/gone/">5</a>'
        '<script src="gone.js"></script><a href="./#here">6</a><a href="./#gone">7</a>'
        f'<a href="{ORIGIN}/x0/">8</a><a href="{ORIGIN}/">9</a><a href="{ORIGIN}/gone">10</a>'
    )
    (tmp_path / "x0").mkdir()
    (tmp_path / "x0" / "index.html").write_text(page, encoding="utf-8")
    report = check(tmp_path, [tmp_path / "x0" / "index.html"])
    assert len(broken(report)) == 7
    assert report["successful"] == 4


def test_ids_are_unique_and_references_inside_a_page_resolve(site_page: Any) -> None:
    """Inlined figures refer to parts of themselves, which no link checker sees."""
    counts = Counter(site_page.html.xpath("//@id"))
    assert [name for name, count in counts.items() if count > 1] == []
    text = site_page.file.read_text(encoding="utf-8")
    used = set(re.findall(r'xlink:href="#([^"]+)"|url\(#([^)]+)\)', text))
    wanted = {a or b for a, b in used}
    for name in ("aria-labelledby", "aria-describedby", "aria-controls", "for"):
        wanted |= {x for value in site_page.html.xpath(f"//@{name}") for x in value.split()}
    assert wanted - set(counts) == set()
