"""Plain Markdown of a page: what the build has prepared, without what only our pages understand."""

from __future__ import annotations

import html
import posixpath
import re
import textwrap
from dataclasses import dataclass, field
from functools import cached_property

from x0_build.book import Book
from x0_build.render.code import check_page, mark_text
from x0_build.render.page import body, foot
from x0_build.render.snippets import output
from x0_build.render.writer import Writer
from x0_build.syntax import blocks

_NAME = r"""[.#]?[\w-]+(?:=(?:"[^"]*"|'[^']*'))?"""
_LIST = rf"\{{ ?{_NAME}(?: {_NAME})* ?\}}"  # { .x0-ref id="…" }
_FENCE = re.compile(r"(?ms)^( *)(`{3,})(?: \{ )?\.?(\w*)[^\n]*\n(.*?)^\1\2$")
_EQUATION = re.compile(
    r"(?ms)^( *)\[\]\(\)\{ #eq-(?P<key>[\w-]+) \}\n\n\1\$\$\n(?P<tex>.*?)\n\1\$\$$"
)
_FIGURE = re.compile(
    r'(?ms)^( *)<figure[^>]* id="fig-([\w-]+)".*?<figcaption[^>]*>'
    r'<span class="x0-fig__no">(.*?)</span> (.*?)</figcaption>\n *</figure>$'
)
_LINK = re.compile(
    rf"(!?)\[((?:[^\[\]\\]|\\.|\[[^\]]*\]\([^)]*\){_LIST})*)\]\(([^)\s]*)\)({_LIST})?"
)
_BOX = re.compile(r'(?m)^(?:!!!|\?\?\?\+?) (\w+)(?: "(.*)")?\n((?:(?: {4}.*)?\n)*)')
_DROPPED = re.compile(
    r'(?s)[^\n]+\n\{ \.x0-foot__links \}|<form.*?</form>|<!--.*?-->|<div id="x0-code".*?</div>|<object.*?</object>'
    r'|<a class="x0-back".*?</a>|<span lang="\w+">.*?</span>'
)
_TAGS = {"strong": "**", "b": "**", "em": "*", "i": "*", "code": "`"}
_TAG = re.compile(
    r"</?(strong|b|em|i|code|div|section|article|header|span|nav|aside|ul|ol|output|p|br)\b[^>]*>"
)
_HELD = re.compile("\ue000(\\d+)\ue001")


def address(uri: str) -> str:
    """Return the folder of a page's address, below the root: "initialization/he", "" of the home."""
    return re.sub(r"(^|/)index$", "", re.sub(r"\.(md|ipynb)$", "", uri))


@dataclass
class Twin:
    """One page on its way from prepared to plain Markdown."""

    book: Book
    language: str
    uri: str  # its path in the prepared tree
    at: str  # the folder, below the root of the language, that its links start from
    held: list[str] = field(default_factory=list)  # what no rule may touch
    proofs: dict[str, str] = field(default_factory=dict)  # footnotes by the key of the statement

    @cached_property
    def writer(self) -> Writer:
        """Return what writes the words and links of the page."""
        name = self.uri.rpartition(".")[0]
        page = self.book.pages[self.language].get(name) or next(iter(self.book.either.values()))
        return Writer(self.book, page)

    def text(self, prepared: str) -> str:
        """Return the page as plain Markdown, without its footnotes."""
        text = re.sub(r"(?s)\A---\n.*?\n---\n", "", prepared)
        text = _FENCE.sub(self._fence, text)
        text = _EQUATION.sub(self._equation, text)
        text = re.sub(r"(?<!`)(`+)(?!`).*?(?<!`)\1(?!`)|(?<!\\)\$[^$\n]+\$", self._hold, text)
        text = _FIGURE.sub(self._figure, text)
        text = _DROPPED.sub("", text)
        text = re.sub(r'(?s)<table class="x0-headings".*?</table>', self._table, text)
        text = re.sub(r"(?s)<li[^>]*>(.*?)</li>\n?", _item, text)
        text = re.sub(r'<a href="([^"]*)"[^>]*>(.*?)</a>', self._anchor, text)
        text = _TAG.sub(lambda m: _TAGS.get(m[1], ""), text)
        text = _LINK.sub(self._link, text)
        text = re.sub(rf"(?m)^(#+ .*?|.*\S) *\{{ ?#[\w-]+ ?\}}$|^ *{_LIST}$", r"\1", text)
        text = re.sub(r"(?m)^(\S.*)\n+:   +(.*)$", r"- **\1**: \2", text)
        text = self._boxes(text)
        text = re.sub(r"\n{3,}", "\n\n", re.sub(r"(?m)^\s+$", "", text)).strip()
        return self._restore(text) + "\n"

    def whole(self, prepared: str) -> str:
        """Return the page as plain Markdown, its footnotes at the end."""
        return self.text(prepared) + footnotes(self.proofs)

    # Parts that stay as they are

    def _hold(self, m: re.Match[str] | str) -> str:
        self.held.append(m if isinstance(m, str) else m[0])
        return f"\ue000{len(self.held) - 1}\ue001"

    def _restore(self, text: str) -> str:
        """Put back what was held; a block takes the signs that stand before it on its line."""

        def line(m: re.Match[str]) -> str:
            rows = self.held[int(m[2])].split("\n")
            return "\n".join(f"{m[1]}{row}".rstrip() for row in rows)

        text = re.sub("(?m)^([> ]*)\ue000(\\d+)\ue001$", line, text)
        return _HELD.sub(lambda m: self.held[int(m[1])], text)

    def _fence(self, m: re.Match[str]) -> str:
        code = textwrap.dedent(m[4]).rstrip()
        name = "text" if m[3] == "output" else m[3]
        return m[1] + self._hold(f"{m[2]}{name}\n{code}\n{m[2]}")

    def _equation(self, m: re.Match[str]) -> str:
        key, tex = m["key"], textwrap.dedent(m["tex"])
        said = f"$$\n{tex}\n$$"
        if (check := self.book.checks.get(key)) and not self.uri.startswith("code/"):
            words, place = self.writer.words, f"code/equations/{check_page(check.mark)}"
            how = f"{mark_text(words, check.mark)}{words['colon']}[`{key}`]({self._to(place)})"
            number = re.findall(r"\\tag\{(\d+)\}", tex)[-1]
            said += f"\n\n*{words['equation']} {number}*{words['colon']}{how}"
        return m[1] + self._hold(said)

    # What is written otherwise

    def _figure(self, m: re.Match[str]) -> str:
        place = posixpath.relpath(f"figures/{m[2]}.svg", posixpath.dirname(self.uri) or ".")
        return f"{m[1]}![{m[3]}]({place})\n\n{m[1]}**{m[3]}** {m[4]}"

    def _table(self, m: re.Match[str]) -> str:
        rows = []
        for row in re.findall(r"(?s)<tr[^>]*>(.*?)</tr>", m[0]):
            cells = re.findall(r"(?s)<t[hd][^>]*>(.*?)</t[hd]>", row)
            rows.append(f"| {' | '.join(cells if len(cells) > 1 else [f'**{cells[0]}**', ''])} |")
        return "\n".join(["", rows[0], "|---|---|", *rows[1:], ""])

    def _anchor(self, m: re.Match[str]) -> str:
        """Return a link in HTML, which starts from the address of the page, as one of Markdown."""
        deeper = address(self.uri) != posixpath.dirname(self.uri)
        return f"[{m[2]}]({m[1].removeprefix('../') if deeper else m[1]})"

    def _to(self, place: str) -> str:
        """Return a link to the twin of a page by its address."""
        return posixpath.relpath(f"{place}/index.md".lstrip("/"), self.at or ".")

    def _link(self, m: re.Match[str]) -> str:
        sign, text, target, names = m[1], _LINK.sub(self._link, m[2]), m[3], m[4] or ""
        if "x0-back" in names or not text:
            return ""
        if "x0-proof" in names:
            return self._proof(target.partition("#st-")[2])
        if target.startswith("#"):
            return text
        if not re.match(r"\w+:", target):
            target = self._moved(re.split("[?#]", target)[0])
        return f"{sign}[{text}]({target})"

    def _moved(self, target: str) -> str:
        """Return a link of the prepared page as the twin writes it."""
        folder = posixpath.dirname(self.uri)
        path = posixpath.normpath(posixpath.join(folder, target))
        page = path.endswith(".md") or path.removesuffix(".ipynb") + ".md" in self.book.notebooks
        return self._to(address(path)) if page else posixpath.relpath(path, self.at or ".")

    def _proof(self, key: str) -> str:
        statement, words = self.book.statements[key], self.writer.words
        said = self.writer.proof(statement)
        place = f"{statement.file}::{statement.test}"
        self.proofs[key] = f"{words['proof']}{words['colon']}{said}{words['stop']}`{place}`"
        return f"[^{key}]"

    def _boxes(self, text: str) -> str:
        def box(m: re.Match[str]) -> str:
            inside = self._boxes(textwrap.dedent(m[3]).strip("\n") + "\n")
            title = f"**{m[2] or m[1].capitalize()}**\n\n"
            if m[1] == "code":
                return f"{title}{inside}\n"
            quoted = textwrap.indent(f"{title}{inside}", "> ", lambda _: True)
            return quoted.replace("> \n", ">\n") + "\n"

        return _BOX.sub(box, text + "\n")


def bare(text: str) -> str:
    """Return a sentence of prepared Markdown without links, entities and marks."""
    text = _LINK.sub(lambda m: "" if "x0-proof" in (m[4] or "") else m[2], _DROPPED.sub("", text))
    return html.unescape(re.sub(r"\\([\\`*\[\]$_])", r"\1", _TAG.sub("", text)))


def _item(m: re.Match[str]) -> str:
    """Return an item of a list in HTML as one of Markdown."""
    return f"- {' '.join(m[1].split())}\n"


def footnotes(proofs: dict[str, str]) -> str:
    """Return the footnotes of statements."""
    return "".join(f"\n[^{key}]: {said}\n" for key, said in proofs.items())


def lab(book: Book, language: str, uri: str) -> str:
    """Return the prepared Markdown of a lab, which the build has as a notebook."""
    found = book.notebooks[uri.replace(".ipynb", ".md")]
    w = Writer(book, book.pages[language][uri.removesuffix(".ipynb")])
    result = book.results.get(found.module.stem)
    printed = iter(result.outputs if result else ())
    parts = []
    for cell in found.cells:
        if not cell.language:
            parts += [f"```python\n{cell.source}\n```", output(next(printed, ""))]
        elif cell.language == language:
            parts += body(w, list(blocks(cell.source, cell.line)))
    return "\n\n".join(filter(None, [*parts, foot(w, [found.module.stem])]))
