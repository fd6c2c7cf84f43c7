"""The prepared pages are plain Markdown: another generator makes the same pages of them.

Labs apart: Zensical has no notebooks.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from importlib import metadata
from pathlib import Path
from typing import Any

import lxml.html
import published
import pytest
import yaml

from x0_build import render
from x0_build.book import read_book
from x0_build.data.cache import digest_of
from x0_build.project import LANGUAGES, Project

ROOT = Path(__file__).parents[2]
APART = ("plugins", "validation", "not_in_nav")  # what is MkDocs' alone
SEEN = "h1, h2, h3, h4, h5, h6, [id]:not(#__skip), .x0-eq, .x0-fig svg, table, pre"

# It must be there where everything is checked.
if not importlib.util.find_spec("zensical") and not os.environ.get("CI"):
    pytest.skip("Zensical is not installed (`make setup` does it)", allow_module_level=True)


def outline(file: Path) -> list[tuple[str, ...]]:
    """Return what is compared of a page: headings, ids, equations, figures, tables, code."""
    (article,) = lxml.html.document_fromstring(file.read_bytes()).cssselect(
        "article.md-content__inner"
    )
    rows: list[tuple[str, ...]] = []
    for element in article.cssselect(SEEN):
        texts = [" ".join(element.text_content().split())] if element.tag != "svg" else []
        rows.append((element.tag, element.get("id") or "", *texts))
        rows += [("tex", button.get("data-tex")) for button in element.cssselect(".x0-eq__copy")]
    return rows


@pytest.mark.parametrize("language", LANGUAGES)
def test_zensical_makes_the_same_pages(
    site: Path, memory: Any, tmp_path: Path, language: str
) -> None:
    tree = published.prepare() / language
    known = memory(Path(__file__).read_bytes(), metadata.version("zensical").encode())
    root = site / "en" if language == "en" else site
    of = digest_of([tree, root, ROOT / "docs" / "theme", ROOT / "mkdocs.yml"]).encode()
    assert known.once("zensical", of, lambda: differences(language, tree, root, tmp_path)) == []


def differences(language: str, tree: Path, root: Path, folder: Path) -> list[Any]:
    """Return the first difference of each page."""
    shutil.copytree(tree, folder / "docs", ignore=shutil.ignore_patterns("*.ipynb"))
    shutil.copytree(ROOT / "docs" / "theme", folder / "theme")
    config = {key: value for key, value in published.settings(language).items() if key not in APART}
    config |= {"docs_dir": "docs", "site_dir": "site"}
    config["theme"]["custom_dir"] = "theme"
    text = yaml.safe_dump(config, allow_unicode=True, sort_keys=False)
    (folder / "mkdocs.yml").write_text(text, encoding="utf-8")
    command = [sys.executable, "-m", "zensical", "build", "-f", "mkdocs.yml"]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    other = folder / "site"
    render.finish(read_book(Project(ROOT)), language, other)
    pages = [path.relative_to(tree) for path in tree.rglob("*.md")]
    assert len(pages) > 100
    found = []
    for page in pages:
        name = page.with_suffix("") if page.stem != "index" else page.parent
        ours, theirs = (outline(at / name / "index.html") for at in (root, other))
        if ours != theirs:
            rows = zip([*ours, ("end",)], [*theirs, ("end",)], strict=False)
            found.append((page, *next(pair for pair in rows if pair[0] != pair[1])))
    return found
