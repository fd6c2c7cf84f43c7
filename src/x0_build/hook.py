"""The MkDocs hook: a few lines, so that a bare `mkdocs build` or `mkdocs serve` works too.

The logic lives in the other modules of x0_build; a builder without hooks needs only to run
`python -m x0_build prepare` first and to leave `defer` of the Markdown extension off.
"""

from __future__ import annotations

import logging
import os
from pathlib import Path

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

from x0_build import notebooks
from x0_build.book import Book
from x0_build.labs import AREA
from x0_build.markdown import checks_pages, clean_source, code_page, fill
from x0_build.paths import Project
from x0_build.site import prepare
from x0_build.tex import katex_assets

log = logging.getLogger("mkdocs.x0")
_books: dict[str, Book] = {}


def _language(config: MkDocsConfig) -> str:
    return str(config.theme["language"])


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Execute and check (unless `make site` has just done so), then load the book."""
    assert config.config_file_path
    project = Project(Path(config.config_file_path).resolve().parent)
    if not os.environ.get("X0_PREPARED"):
        for problem in prepare(project):
            log.error("%s", problem)
    book = Book(project)
    _books[_language(config)] = book
    options = config.mdx_configs.setdefault("x0_build.markdown", {})
    options.update(
        book=book, language=_language(config), repository=config.extra.get("repository", "")
    )
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages and files of the modules, and KaTeX's style and fonts."""
    book = _books[_language(config)]
    for stem, module in book.modules.items():
        if module.area == AREA:
            continue  # its page shows all of it
        name = f"code/{module.area}/{stem}"
        page = code_page(book, stem, _language(config))
        files.append(File.generated(config, f"{name}.md", content=page))
        text = clean_source(module.path.read_text(encoding="utf-8"))
        files.append(File.generated(config, f"{name}.py", content=text))
    for name, page in checks_pages(book, _language(config)).items():
        files.append(File.generated(config, f"code/equations/{name}.md", content=page))
    for file in notebooks.files(book, _language(config), config):
        files.append(file)
    for uri, data in katex_assets(book.project).items():
        files.append(File.generated(config, uri, content=data))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Give the page of a lab its Markdown: MkDocs sees a notebook there."""
    language = _language(config)
    for lab in _books[language].labs:
        if page.file.src_uri == lab.uri:
            page.meta = {
                "title": lab.pages[language].title,
                "description": notebooks.description(lab, language),
            }
            return notebooks.markdown(lab, language)
    return markdown


def on_page_content(html: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Join what mkdocs-jupyter made of a lab's code with what we make of its Markdown."""
    if all(page.file.src_uri != lab.uri for lab in _books[_language(config)].labs):
        return html
    Page.render(page, config, files)  # mkdocs-jupyter has replaced the page's own
    return notebooks.weave(page.content or "", html, _language(config))


def on_post_page(output: str, page: Page, config: MkDocsConfig) -> str:
    """Fill in formulas and figures, now that the search index has been fed."""
    return fill(output, _books[_language(config)], _language(config))
