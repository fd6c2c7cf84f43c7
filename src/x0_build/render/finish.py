"""Fills the formulas, equations and figures into the pages that a generator has built."""

from __future__ import annotations

import html
import os
import pkgutil
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from x0_build.book import Book
from x0_build.data.explorers import FOLDER
from x0_build.project import write
from x0_build.render.code import MARKS, check_page, mark_text
from x0_build.render.gallery import drawing
from x0_build.render.page import templates
from x0_build.render.search import write_index
from x0_build.render.writer import relative

_EQUATION = re.compile(
    r'<p><a href="[^"]*" id="eq-(?P<key>[\w-]+)"></a></p>\s*<div class="arithmatex">\s*'
    r'<script type="math/tex; mode=display">\s*(?P<tex>.*?) \\tag\{(?P<number>\d+)\}\s*</script>'
    r"\s*</div>",
    re.DOTALL,
)
# Punctuation behind a formula belongs to it: no line may break between them.
_MATH = re.compile(
    r'<span class="arithmatex"><script type="math/tex">(?P<tex>.*?)</script></span>'
    r"(?P<tail>[，。；：、！？）」』,.;:!?)]?)",
    re.DOTALL,
)
_FIGURE = re.compile(r'<object data-figure="(?P<key>[\w-]+)"></object>')
_OUTPUT = re.compile(
    r'<div class="language-output highlight"><pre><span></span><code>(?P<text>.*?)</code></pre>'
    r"</div>",
    re.DOTALL,
)
_HEADING = re.compile(
    r'<h(?P<level>[2-4]) id="(?P<id>[\w-]+)">(?P<text>(?:(?!<a |</h).)*)</h\d>', re.S
)
# Names, punctuation and spaces of code look like plain text: their tags would only weigh.
_PLAIN = re.compile(r'<span class="(?:[nopw]|nn|go)">([^<]*)</span>')


def finish(book: Book, language: str, site: Path, pages: list[Path] | None = None) -> None:
    """Finish the built pages of one language, and let `extra.finish` of mkdocs.yml add files.

    Args:
        book: The book.
        language: The language.
        site: The folder with the site of that language.
        pages: Only these files; all by default.
    """
    found = list(_pages(site, language)) if pages is None else pages
    for path in found:
        url = path.parent.relative_to(site).as_posix().removeprefix(".")
        write(path, finished(book, language, book.project.data(path).decode(), url))
    if pages is None:
        write_index(book, language, site, found)
        path = book.project.root / "mkdocs.yml"
        extra = book.project.yaml(path, {"extra?": {"finish?": [str], "*": object}, "*": object})
        for name in extra.get("extra", {}).get("finish", []):
            pkgutil.resolve_name(name)(book, language, site)


def _pages(site: Path, language: str) -> Iterator[Path]:
    for folder, folders, files in os.walk(site):
        if language == "zh" and Path(folder) == site:
            folders[:] = [name for name in folders if name != "en"]
        yield from (Path(folder) / name for name in files if name.endswith(".html"))


def finished(book: Book, language: str, text: str, url: str) -> str:
    """Return a built page with everything filled in.

    Args:
        book: The book.
        language: The language of the page.
        text: Its HTML.
        url: Its address below the root of this language's site: "initialization/he".
    """
    words, katex = book.words.page[language], book.katex
    label = f'<span class="x0-out__label">{words["output"]}</span>'

    def equation(m: re.Match[str]) -> str:
        tex = html.unescape(m["tex"])
        names: dict[str, Any] = {
            "tex": tex,
            "html": katex.render(tex, display=True),
            "words": words,
            "mark": None,
        }
        if check := book.checks.get(m["key"]):
            page = relative(f"code/equations/{check_page(check.mark)}", url)
            names |= {"mark": check.mark, "sign": MARKS[check.mark.kind], "page": page}
            names["text"] = mark_text(words, check.mark)
        template = templates().get_template("equation.html")
        return template.render(key=m["key"], number=m["number"], **names)

    def math(m: re.Match[str]) -> str:
        formula = f'<span class="x0-math">{katex.render(html.unescape(m["tex"]))}</span>'
        return f'<span class="x0-nowrap">{formula}{m["tail"]}</span>' if m["tail"] else formula

    def figure(m: re.Match[str]) -> str:
        svg = drawing(book, m["key"], language)
        svg = re.sub(r'style="max-width: (\d+px)', r'style="--w: \1; max-width: \1', svg, count=1)
        row = book.explorers.get(m["key"])
        return svg + _explorer(row, language, words, relative(FOLDER, url)) if row else svg

    text = _PLAIN.sub(r"\1", text)
    link = r'<h\g<level> id="\g<id>"><a class="x0-anchor" href="#\g<id>">\g<text></a></h\g<level>>'
    text = _HEADING.sub(link, text)
    text = _OUTPUT.sub(rf'<div class="x0-out">{label}<pre><code>\g<text></code></pre></div>', text)
    return _FIGURE.sub(figure, _MATH.sub(math, _EQUATION.sub(equation, text)))


def _explorer(row: dict[str, Any], language: str, words: dict[str, str], source: str) -> str:
    """Return the controls of an explorer: without a script they are hidden, and the figure stays."""
    texts = row["zh"] if language == "zh" else {}
    names = {"row": row, "texts": texts, "text": lambda x: texts.get(x, x), "source": source}
    names["longest"] = row["longest"][language]
    return templates().get_template("explorer.html").render(words=words, **names)
