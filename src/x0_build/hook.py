"""The MkDocs hook: a bare `mkdocs build` or `mkdocs serve` prepares and finishes the pages too."""

from __future__ import annotations

import json
import logging
import os
from pathlib import Path
from typing import Any

import yaml
from markdown.extensions.toc import nest_toc_tokens
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.exceptions import PluginError
from mkdocs.structure.pages import Page
from mkdocs.structure.toc import get_toc

from x0_build import render, site
from x0_build.book import Book
from x0_build.project import BuildError, Project
from x0_build.render.labs import lab_page

log = logging.getLogger("mkdocs.x0")
_books: list[Book] = []  # the one that was prepared last


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Prepare the pages and let MkDocs read them instead of the sources."""
    project = Project(Path(config.config_file_path or "").resolve().parent)
    if not os.environ.get(site.PREPARED):
        try:
            book = site.load(project)
            site.prepare(project, book)
            _books[:] = [book]
        except BuildError as error:  # raising would hold every request of `mkdocs serve`
            for problem in error.problems:
                log.error("%s", problem)
    found = site.settings(project, str(config.theme["language"]))
    if not found or not (_books or os.environ.get(site.PREPARED)):
        raise PluginError("There is no good build to fall back on.")
    for name, value in found.items():
        config[name] = {**config[name], **value} if name == "extra" else value
    return config


def on_files(files: Any, **_: Any) -> Any:
    """Leave out the sources of the explorers: they are served as bundles."""
    for file in [x for x in files if x.src_uri.startswith("explorers/")]:
        files.remove(file)
    return files


def on_page_content(html: str, page: Page, **_: Any) -> str:
    """Reduce what mkdocs-jupyter made of a lab to what a page is made of."""
    if page.file.src_uri.endswith(".ipynb"):
        html, headings = lab_page(html)
        page.toc = get_toc(nest_toc_tokens(headings))  # type: ignore[arg-type]
        page.meta = yaml.safe_load(json.loads(page.markdown or "")["metadata"]["x0"])
    return html


def on_post_build(config: MkDocsConfig) -> None:
    """Fill in formulas and figures."""
    for book in _books:
        render.finish(book, str(config.theme["language"]), Path(config.site_dir))


def on_serve(server: Any, config: MkDocsConfig, **_: Any) -> Any:
    """Watch the sources instead of what is made of them."""
    server.unwatch(config.docs_dir)
    for path in site.sources(Project(Path(config.config_file_path or "").resolve().parent)):
        server.watch(str(path))
    return server
