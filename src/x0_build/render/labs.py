"""Labs: the notebook behind each page, and what a reader downloads."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any
from urllib.parse import urljoin

from x0_build.book import Book
from x0_build.project import Problem, Project
from x0_build.render.page import body, foot, front
from x0_build.render.writer import Writer, relative
from x0_build.run.lab import Lab
from x0_build.run.module import LABS
from x0_build.syntax import blocks

Cell = dict[str, Any]


def _url(uri: str) -> str:
    """Return the address of a file of the tree, below the root of the site."""
    page = re.fullmatch(r"(.*?)(?:(?<![^/])index)?\.md", uri)
    return f"{page[1].rstrip('/')}/".lstrip("/") if page else uri


class _LabWriter(Writer):
    """Writes the page of a lab: no generator adapts the links in a notebook."""

    def href(self, uri: str, anchor: str = "") -> str:
        end = "/" if uri.endswith(".md") else ""
        return f"{relative(_url(uri), _url(self.page.uri))}{end}{anchor and '#'}{anchor}"


class _PlainWriter(Writer):
    """Writes the clean notebook, in Markdown that any viewer reads."""

    site = ""

    def link(self, text: str, href: str, cls: str = "", **names: str) -> str:
        return text

    def moved(self, link: str, target: str, found: tuple[str, str] | None) -> str:
        if found is None:
            return link
        text, (uri, anchor) = link[1 : link.rindex("](")], found
        there = self.site and uri != self.page.uri
        return (
            f"[{text}]({urljoin(self.site, _url(uri))}{anchor and '#'}{anchor})" if there else text
        )


def lab_files(
    book: Book,
    lab: Lab,
    language: str,
    repository: str,
    problems: list[Problem],
    site: str = "",
) -> Iterator[tuple[str, str]]:
    """Return, by path, the notebook behind a lab's page and the downloads."""
    page = book.pages[language][f"{LABS}/{lab.name}"]
    shown = _LabWriter(book, page, repository, problems)
    clean = _PlainWriter(book, page, "", problems)
    clean.site, clean.lab = site, None  # it has no line that says how to download it
    result = book.results.get(lab.module.stem)
    printed = iter(result.outputs if result else ())
    cells: list[Cell] = []
    downloads: list[Cell] = []
    for cell in lab.cells:
        if cell.language == language:
            found = list(blocks(cell.source, cell.line))
            cells.append(_cell(_html(book.project, "\n\n".join(body(shown, found)))))
            downloads.append(_cell(_bare("\n\n".join(body(clean, found)))))
        elif not cell.language:
            cells.append(_cell(cell.source, printed=next(printed, "")))
            downloads.append(_cell(cell.source, printed=""))
    cells.append(_cell(_html(book.project, foot(shown, [lab.module.stem]))))
    meta = front(shown, "$", description=_description(downloads[0]["source"]))
    yield f"{LABS}/{lab.name}.ipynb", _notebook(cells, x0=meta.strip("-\n"))
    yield f"{LABS}/files/{lab.name}.ipynb", _notebook(downloads)
    yield f"{LABS}/files/{lab.name}.py", "\n".join(map(_percent, downloads))


def _bare(text: str) -> str:
    """Return Markdown without what only our pages understand."""
    text = re.sub(r'<span class="x0-fig__no">(.*?)</span>', r"**\1**", text)
    text = re.sub(r"(?m)^\[\]\(\)\{ #eq-.* \}\n\n|^\{ \.[^\n]*\}\n|</?span[^>]*>", "", text)
    text = re.sub(r"(?s)<figure.*?<figcaption[^>]*>(.*?)</figcaption>\n</figure>", r"\1", text)
    text = re.sub(r'(?s)</?ol[^>]*>\n?|<li id="ref-.*?</li>', lambda m: _work(m[0]), text)
    return re.sub(r"(?m)^(#+ .*?) \{#[\w-]+\}$", r"\1", text)


def _work(item: str) -> str:
    """Return a line of the references as text, with the addresses of its links."""
    item = re.sub(r'<a href="([^"]*)">\1</a>', r"\1", item)
    item = re.sub(r'<a href="([^"]*)">(.*?)</a>', r"\2 &lt;\1&gt;", item)
    text = html.unescape(re.sub(r"<[^>]+>", "", item)).split()
    return " ".join(["-", *text]) if text else ""


def _description(cell: list[str]) -> str:
    """Return the first paragraph of a lab, for search engines."""
    rows = [row.strip() for row in cell if row.strip() and not row.startswith("#")]
    return re.sub(r"[`*$\\]", "", rows[0]) if rows else ""


@cache
def _converter(project: Project) -> Any:
    """Return Python-Markdown as mkdocs.yml sets it up for all pages."""
    from markdown import Markdown

    path = project.root / "mkdocs.yml"
    data = project.yaml(path, {"markdown_extensions": list, "*": object})
    rows = [row if isinstance(row, dict) else {row: {}} for row in data["markdown_extensions"]]
    options = {name: setting for row in rows for name, setting in row.items()}
    try:
        return Markdown(extensions=list(options), extension_configs=options)
    except Exception as error:  # whatever an extension says of its settings
        line, message = data.line("markdown_extensions"), f"Markdown cannot be set up: {error}"
        raise project.error(path, line, message, "repair what stands below") from None


def _html(project: Project, text: str) -> str:
    """Return Markdown as HTML that a notebook's own Markdown lets pass: without blank lines."""
    found = str(_converter(project).reset().convert(text))
    found = re.sub(r"(?s)<pre>.*?</pre>", lambda m: m[0].replace("\n", "&#10;"), found)
    return re.sub(r"\n{2,}", "\n", found)


def _cell(source: str, *, printed: str | None = None) -> Cell:
    """Return a cell of a notebook: of code, if it is said what it printed."""
    lines = source.splitlines(keepends=True)
    if printed is None:
        return {"cell_type": "markdown", "metadata": {}, "source": lines}
    stream = {"name": "stdout", "output_type": "stream", "text": printed.splitlines(keepends=True)}
    outputs = [stream] if printed else []
    more = {"execution_count": None, "outputs": outputs}
    return {"cell_type": "code", "metadata": {}, "source": lines, **more}


def _notebook(cells: list[Cell], **metadata: str) -> str:
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    found = {
        "cells": [{**cell, "id": f"cell-{number}"} for number, cell in enumerate(cells)],
        "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}, **metadata},
        "nbformat": 4,
        "nbformat_minor": 5,
    }
    return json.dumps(found, ensure_ascii=False, indent=1) + "\n"


def _percent(cell: Cell) -> str:
    text = "".join(cell["source"])
    if cell["cell_type"] == "code":
        return f"# %%\n{text}\n"
    lines = [f"# {line}".rstrip() for line in text.split("\n")]
    return "\n".join(["# %% [markdown]", *lines, ""])


def lab_page(content: str) -> tuple[str, list[dict[str, Any]]]:
    """Return the HTML of a page, and its headings, of what mkdocs-jupyter made of a notebook.

    Its styles (590 KB), prompts and second copies of the code stay behind; code and output take
    the form that they have on every page.
    """
    import lxml.html

    def inner(element: Any) -> str:
        children = [lxml.html.tostring(child, encoding="unicode") for child in element]
        return "".join([html.escape(element.text or "", quote=False), *children])

    block = '<div class="language-{} highlight"><pre><span></span><code>{}</code></pre></div>'
    parts = []
    for cell in lxml.html.document_fromstring(content).xpath("//div[starts-with(@id, 'cell-id=')]"):
        for shown in cell.find_class("jp-RenderedMarkdown"):
            parts.append(inner(shown).strip())
        for code in cell.find_class("highlight-ipynb"):
            parts.append(
                block.format("python", inner(code.find("pre")).removeprefix("<span></span>"))
            )
        printed = cell.xpath(".//div[contains(@class, 'jp-OutputArea-output')]//pre")
        if text := "".join(pre.text_content() for pre in printed).strip("\n"):
            parts.append(block.format("output", f"{html.escape(text, quote=False)}\n"))
    page = "\n".join(parts)
    found = re.findall(r'<h([1-3])[^>]*? id="([^"]+)"[^>]*>(.*?)</h\1>', page, re.DOTALL)
    return page, [
        {"level": int(level), "id": anchor, "name": re.sub("<[^>]+>", "", name)}
        for level, anchor, name in found
    ]
