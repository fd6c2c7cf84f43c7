"""The index of the search: what the sections of the built pages say, cut and weighed by find.js."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import lxml.html
from lxml.html import HtmlElement

from x0_build.book import Book
from x0_build.data.cache import digest
from x0_build.project import write

FOLDER = "search"
# What stands in a section and says nothing: formulas as pictures, numbers and marks beside them, buttons, lists of links.
_SILENT = (
    ".x0-eq, svg, button, script, style, .x0-out, .x0-source, .x0-prereq, .x0-proof, .x0-tags, .x0-foot,"
    " .x0-where, .x0-terms, .x0-cite, .x0-fig__no, .headerlink, [data-search-exclude], [popover],"
    " .x0-claim__proof, .x0-claim__where, .x0-claim__id, a.x0-ref:not(.x0-ref--page), .katex-mathml, .x0-choose"
)
_ENDS = ".:;!?。：；！？，,"
_EMPTY = re.compile(r"[ ]\(\s*\)|（\s*）")  # a number or a citation stood in it
_CODE = re.compile(r"[A-Za-z_]\w*[A-Za-z_]\w*")
# What a section counts, by how its address begins or ends: apparatus comes last.
_WEIGHTS = (
    (r"^reference/(?:figures|bibliography)/|^reference/claims/|^reference/exercises/", 0.2),
    (r"#(?:references|sources)$", 0.2),
    (r"^reference/glossary/", 0.55),
    (r"^$|^#", 0.4),
    (r"#exercise", 0.6),
    (r"^labs/", 0.75),
    (r"#frameworks$|#evidence", 0.85),
)


@dataclass
class Section:
    """One section of a built page."""

    url: str
    title: str
    page: str
    id: str
    names: list[str] = field(default_factory=list)  # what else readers call it
    about: list[str] = field(default_factory=list)  # what else they call the subject of the page
    text: list[str] = field(default_factory=list)
    code: set[str] = field(default_factory=set)
    terms: set[str] = field(default_factory=set)  # keys of the glossary that are marked in it

    def shown(self) -> str:
        """Return the text as an excerpt shows it."""
        parts = [x if x[-1] in _ENDS else f"{x} ·" for x in self.text]
        text = _EMPTY.sub("", " ".join(parts)).replace("\ue020=", "≠").removesuffix(" ·")
        return re.sub(r"\s+([,.;:!?)，。；：、！？）])", r"\1", text)

    def row(self) -> dict[str, Any]:
        """Return what find.js makes an index of."""
        weight = next((w for pattern, w in _WEIGHTS if re.search(pattern, self.url)), 1.0)
        text = f"{self.shown()} {' '.join(sorted(self.code))}"
        names = "|".join(dict.fromkeys(self.names))
        rows = {"url": self.url, "title": self.title, "page": self.page, "text": text}
        return {**rows, "names": names, "about": " ".join(self.about), "weight": weight}


def write_index(book: Book, language: str, site: Path, pages: list[Path]) -> None:
    """Write the index of the built pages of one language.

    Args:
        book: The book.
        language: The language.
        site: The folder with the site of that language.
        pages: The HTML files to be found.
    """
    found: list[list[Section]] = []
    for path in sorted(pages):
        url = f"{path.parent.relative_to(site).as_posix()}/".removeprefix("./")
        if path.name == "index.html" and not url.startswith("code/"):
            every = sections(book.project.data(path).decode(), url)
            # What chapters cite stands in the bibliography once more.
            found.append([row for row in every if row.id != "references" or "bibl" in url])
    found = [rows for rows in found if rows]
    _name(book, language, {rows[0].url: rows for rows in found})
    for rows in found:  # all of a page is about what its title names
        for row in rows[1:]:
            row.about = rows[0].names
    also = [
        (other, term.name[language])
        for term in book.glossary.values()
        for other in (*term.name.values(), *term.zh_variants, *term.also)
    ]
    shown = [section for rows in found for section in rows]
    index = _make(book, [section.row() for section in shown], also)
    folder = site / FOLDER
    version = digest(_json(index), *(section.shown() for section in shown))[:12]
    write(folder / "head.json", _json({"version": version, **index["head"]}))
    for n, part in enumerate(index["parts"]):
        write(folder / f"part-{n}.txt", part)
    for n, section in enumerate(shown):
        write(folder / f"text-{n}.txt", section.shown())


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _make(book: Book, *data: Any) -> dict[str, Any]:
    """Run find.js, which readers run too, so that words are cut alike."""
    import quickjs

    context = quickjs.Context()
    script = book.project.data(book.project.docs / "theme" / "assets" / "find.js").decode()
    context.eval(
        f"{script}\nconst make = (data) => JSON.stringify(x0Find.make(...JSON.parse(data)))"
    )
    index: dict[str, Any] = json.loads(context.eval("make")(json.dumps(data)))
    return index


def sections(text: str, url: str) -> Iterator[Section]:
    """Return the sections of a built page: what stands under each heading that has an id.

    Args:
        text: The HTML of the page.
        url: Its address below the root of its language.
    """
    articles = lxml.html.document_fromstring(text).cssselect("article")
    if not articles:
        return
    article, now, page = articles[0], None, ""
    for part in article.cssselect(_SILENT):
        part.drop_tree()
    for root in article.cssselect(".sqrt"):  # the sign was a drawing
        root.text = f"√{root.text or ''}"
    for element in article.iter(
        "h1", "h2", "h3", "p", "li", "td", "th", "dt", "dd", "pre", "summary", "figcaption"
    ):
        if element.tag in ("h1", "h2", "h3", "dt") and element.get("id"):
            if now:
                yield now
            title = said(element)
            page = page or title
            here = url if element.tag == "h1" else f"{url}#{element.get('id')}"
            now = Section(here, title, page, element.get("id"))
        elif now and element.tag == "pre":
            now.code |= {x for x in _CODE.findall(element.text_content()) if len(x) < 25}
        elif now:
            now.terms |= {
                x.rpartition("term-")[2]
                for x in element.xpath(".//a[contains(@class, 'x0-term')]/@href")
            }
            if words := own(element):
                now.text.append(words)
    if now:
        yield now


def said(element: HtmlElement) -> str:
    """Return the text of an element in one line."""
    return " ".join(str(element.text_content()).split())


def own(element: HtmlElement) -> str:
    """Return the text of an element without that of blocks in it, which speak for themselves."""
    inner = element.xpath("self::li[p] | self::dd[p] | self::td[p]")
    return "" if inner else said(element)


def _name(book: Book, language: str, pages: dict[str, list[Section]]) -> None:
    """Give sections the other names of what they treat, as the glossary has them."""
    for term in book.glossary.values():
        names = [*term.name.values(), *term.zh_variants, *term.also]
        page = term.page or book.using.get(term.key, [""])[0]
        rows = pages.get(f"{page}/", [])
        anchored = [row for row in rows if row.id == term.section]
        titled = [row for row in rows if term.name[language].casefold() in row.title.casefold()]
        marked = [row for row in rows if term.key in row.terms]
        for row in (anchored or titled or marked or rows)[:1]:
            row.names += names
        for row in pages.get("reference/glossary/", []):
            if row.id == f"term-{term.key}":
                row.names += names
