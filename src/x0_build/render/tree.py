"""Writes the whole book as plain Markdown into build/docs, for any generator."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from x0_build.book import Book
from x0_build.data.explorers import scripts
from x0_build.data.release import read_releases
from x0_build.project import LANGUAGES, BuildError, Problem, write
from x0_build.render.cards import cards, figures, installed
from x0_build.render.code import code_files
from x0_build.render.gallery import gallery
from x0_build.render.labs import lab_files
from x0_build.render.page import page, plain, templates
from x0_build.render.writer import Writer
from x0_build.syntax import Page

Content = str | bytes


def _files(
    book: Book, language: str, repository: str, problems: list[Problem]
) -> Iterator[tuple[str, Content]]:
    """Return every file of a language by its path in the tree."""

    def make(uri: str, path: Path, title: str) -> Writer:
        meta = {"title": title, "hide": ["navigation"]}
        return Writer(book, Page(language, uri, path, "", meta), repository, problems)

    for found in book.pages[language].values():
        if found.uri in book.notebooks:
            lab = book.notebooks[found.uri]
            yield from lab_files(book, lab, language, repository, problems)
        else:
            yield found.uri, page(Writer(book, found, repository, problems))
    yield from code_files(book, make)
    yield from gallery(book, language)
    yield from book.katex.assets().items()
    yield from scripts(book.project, book.explorers).items()
    about = {"releases": read_releases(book.project), "repository": repository}
    words = {"language": language, "words": book.words.theme[language]}
    yield "feed.xml", f"{templates().get_template('feed.xml').render(**about, **words)}\n"
    if language == "zh":  # the root: both languages show the same cards
        yield from cards(book).items()


def write_tree(book: Book, repository: str) -> tuple[list[Path], bool]:
    """Write what changed, and remove what is no longer part of the book.

    Returns:
        The files that changed, and whether files came or went.
    """
    root, problems = book.project.build / "docs", list[Problem]()
    found: dict[Path, Content] = {}
    for language in LANGUAGES:
        for name, content in _files(book, language, repository, problems):
            found[root / language / name] = content
        found[root / f"{language}.json"] = json.dumps(_settings(book, language), indent=1)
    book.katex.save()
    if problems:
        raise BuildError(problems)
    before = {path for path in root.rglob("*") if path.is_file()}
    changed = [path for path, content in found.items() if write(path, content)]
    for path in before - found.keys():
        path.unlink()
    return changed, before != found.keys()


def _settings(book: Book, language: str) -> dict[str, Any]:
    """Return what a generator must know besides the files: their order, and the theme's words."""
    words, nav = book.words.theme[language], list[dict[str, Any]]()
    for part in book.nav:
        pages = [book.pages[language][name] for name in part.pages if name in book.pages[language]]
        uris = [p.uri.replace(".md", ".ipynb" if p.uri in book.notebooks else ".md") for p in pages]
        if part.title[language]:
            rows = [{plain(p.title): uri} for p, uri in zip(pages, uris, strict=True)]
            nav.append({part.title[language]: rows})
        else:
            nav += [{words["x0.home.title"]: uri} for uri in uris]
    folder = book.project.build / "docs" / language
    newest = read_releases(book.project)[0]
    release = {"version": newest.version, "date": newest.date}
    script = book.words.script[language]
    extra: dict[str, Any] = {"words": words, "script": script, "release": release}
    extra["cards"] = sorted(figures(book)) if installed(book.project) else []
    return {"docs_dir": str(folder), "nav": nav, "extra": extra}
