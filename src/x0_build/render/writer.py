"""Writes the text of one page as plain Markdown: its signs become links, numbers, formulas."""

from __future__ import annotations

import posixpath
import re
from functools import cache
from typing import Any
from urllib.parse import urlsplit

from x0_build.book import Book
from x0_build.data.checked import Statement, Test
from x0_build.project import Problem
from x0_build.syntax import LINK, PATTERNS, Page, Use, scan, values

CJK = r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]"
# What Chinese does without, behind a number with its work and behind the sign of a statement.
_GAPS = {"cited": re.compile("[ ]+"), "proof": re.compile(rf"[ ]*\n?[ ]*(?={CJK})")}
_POWERS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def written(value: float | tuple[float, float], form: str, *, tex: bool = False) -> str:
    """Write a number for prose, with a true minus sign, or for a formula; a pair as mean ± error."""
    if isinstance(value, tuple | list):
        parts = [written(part, form, tex=tex) for part in value]
        if value[-1] and not re.search("[1-9]", parts[-1]):
            raise ValueError(f"the error {value[-1]:.1g} has no digit in {form}: take more digits")
        return (r" \pm " if tex else " ± ").join(parts)
    mantissa, _, exponent = format(value, form).partition("e")
    if tex:
        return mantissa + (rf" \times 10^{{{int(exponent)}}}" if exponent else "")
    power = f" × 10{str(int(exponent)).translate(_POWERS)}" if exponent else ""
    return mantissa.replace("-", "−") + power


def escape(text: str) -> str:
    """Return Markdown that shows a text as it is."""
    text = re.sub(r"[\\`*\[\]$]|(?<![^\W_])_|_(?![^\W_])", r"\\\g<0>", text)
    return text.replace("&", "&amp;").replace("<", "&lt;")


def attributes(cls: str = "", **names: str) -> str:
    """Return an attribute list: `{ .cls name="value" }`."""
    parts = [f".{cls}"] if cls else []
    for name, value in names.items():
        mark = "'" if '"' in value else '"'
        parts.append(f"{name}={mark}{value.replace(mark, '’')}{mark}" if value else name)
    return f"{{ {' '.join(parts)} }}" if parts else ""


@cache
def relative(path: str, folder: str) -> str:
    """Return how a path is reached from a folder."""
    return posixpath.relpath(path or ".", folder or ".")


class Writer:
    """One page on its way to plain Markdown."""

    def __init__(
        self, book: Book, page: Page, repository: str = "", problems: list[Problem] | None = None
    ) -> None:
        self.book, self.page, self.repository = book, page, repository
        self.problems = [] if problems is None else problems
        self.language, self.zh = page.language, page.language == "zh"
        self.other = "en" if self.zh else "zh"
        self.comma = "、" if self.zh else ", "
        self.words = book.words.page[self.language]
        self.lab = book.notebooks.get(page.uri)
        self.copied: dict[str, str] = {}  # what the copy buttons of the page give, in pieces
        self.marked: set[str] = set()  # ids of first mentions, to which lists lead back
        self.parts: dict[int, Any] = {}  # what of its code stands open, by the line of the fence

    def missing(self, line: int, message: str) -> None:
        """Note that something which the page asks for is not there."""
        file = self.book.project.relative(self.page.path)
        self.problems.append(Problem(file, line, message, "`make check` says what there is"))

    # Links

    def href(self, uri: str, anchor: str = "") -> str:
        """Return a link to another file of the tree; the generator checks it."""
        if uri in self.book.notebooks:
            uri = uri.removesuffix("md") + "ipynb"
        target = relative(uri, posixpath.dirname(self.page.uri))
        return f"{target}#{anchor}" if anchor else target

    def link(self, text: str, href: str, cls: str = "", **names: str) -> str:
        """Return a link."""
        return f"[{escape(text)}]({href}){attributes(cls, **names)}"

    def first(self, anchor: str) -> dict[str, str]:
        """Return the id of a mention if it is the first of its kind on the page."""
        new = anchor not in self.marked
        self.marked.add(anchor)
        return {"id": anchor} if new else {}

    def to(self, name: str, anchor: str = "", text: str = "", cls: str = "", **names: str) -> str:
        """Return a link to a page of the book, by its title; only text if it is not there."""
        text = text or self.title(name)
        if name == self.page.name and anchor:
            return self.link(text, f"#{anchor}", cls, **names)
        if name in self.book.pages[self.language]:
            return self.link(text, self.href(f"{name}.md", anchor), cls, **names)
        return f'<span class="{cls}">{escape(text)}</span>' if cls else escape(text)

    def title(self, name: str) -> str:
        """Return the title of a page."""
        page = self.book.pages[self.language].get(name)
        return page.title if page else name

    def code(self, stem: str, text: str, anchor: str = "", cls: str = "", **names: str) -> str:
        """Return a link to the page that shows a module or a lab."""
        return self.link(text, self.href(self.book.shown_on(stem), anchor), cls, **names)

    def tests(self, stem: str, **names: str) -> str:
        """Return a link to the tests of a module, which says how many there are; "" if none."""
        count = len(self.book.tests_of(stem))
        text = f"{self.words['tests']} {count}"
        return self.code(stem, text, "tests", **names) if count else ""

    def test(self, test: Test) -> str:
        """Return a link to the page that shows a test, else to its file in the repository."""
        stem = posixpath.basename(test.file).removeprefix("test_").removesuffix(".py")
        if stem in self.book.modules and test in self.book.tests_of(stem):
            return self.code(stem, test.name, "tests")
        return self.link(test.name, f"{self.repository}/blob/main/{test.file}#L{test.line}")

    # Text

    def text(self, text: str, home: str = "", line: int = 1) -> str:
        """Return a text with its signs written out.

        Args:
            text: Markdown of the book.
            home: The page for which it was written, if that is another one.
            line: Where it starts, for problems.
        """
        out, at = [], 0
        for use in scan(text, line):
            before = text[at : use.start]
            if self.zh and use.kind == "cite":  # no space beside a full-width parenthesis
                before = before.rstrip(" ")
            out += [self._plain(before, home), self._sign(use, text[use.start : use.end])]
            at = use.end
            if gap := self.zh and use.kind in _GAPS and _GAPS[use.kind].match(text, at):
                at = gap.end()
        return "".join([*out, self._plain(text[at:], home)])

    def _plain(self, text: str, home: str) -> str:
        """Return what stands between signs: links fit this page, Chinese lines are joined."""
        if self.zh:
            text = re.sub(rf"(?<={CJK})\n[ ]*(?={CJK})", "", text)
        page = self.book.pages[self.language].get(home, self.page)
        return LINK.sub(lambda m: self.moved(m[0], m["target"], page.target(m["target"])), text)

    def moved(self, link: str, target: str, found: tuple[str, str] | None) -> str:
        """Return a link of the author so that it fits this page."""
        if found is None:
            return link
        here, query = found[0] == self.page.uri and found[1], urlsplit(target).query
        place = f"#{found[1]}" if here else self.href(*found)
        place = place.replace("#", f"?{query}#", 1) if query else place
        return link.replace(f"]({target}", f"]({place}")

    def _sign(self, use: Use, text: str) -> str:
        try:
            return text if use.kind in ("code", "comment") else getattr(self, f"_{use.kind}")(use)
        except (KeyError, ValueError) as error:
            self.missing(use.line, f"{text}: {error.args[0] if error.args else error}")
            return text

    def _math(self, use: Use) -> str:
        tex = use.key
        for value in reversed(list(values(tex))):
            number = written(self.book.value(value.key), value.arg, tex=True)
            tex = tex[: value.start] + number + tex[value.end :]
        tex = PATTERNS["exact"].sub(r"\g<key>", tex)
        self.book.katex.render(tex)
        return f"${self.book.katex.plain(tex)}$"

    def _val(self, use: Use) -> str:
        text = written(self.book.value(use.key), use.arg)
        title = f"x0.{self.book.modules[use.stem].area}.{use.key.replace('.', ': ', 1)}"
        return self.code(use.stem, text, cls="x0-val", title=title)

    def _exact(self, use: Use) -> str:
        return use.key

    def _eqref(self, use: Use) -> str:
        return self._reference("eq", use.key)

    def _figref(self, use: Use) -> str:
        return self._reference("fig", use.key)

    def _reference(self, kind: str, key: str) -> str:
        here = (self.page.name, kind, key) in self.book.numbers
        home = self.page.name if here else self.book.homes[kind, key]
        text = self.numbered(kind, self.book.numbers[home, kind, key])
        if here:
            return self.link(text, f"#{kind}-{key}", "x0-ref")
        text = f"{self.title(home)}\N{NO-BREAK SPACE}{text}"
        return self.to(home, f"{kind}-{key}", text, "x0-ref .x0-ref--page")

    def numbered(self, kind: str, number: int) -> str:
        """Return how an equation or figure is called."""
        return f"({number})" if kind == "eq" else f"{self.words['figure']} {number}"

    def _citation(self, key: str) -> str:
        """Return one citation, linked to the references of this page, else of the book."""
        home = self.page.name if self.page.has("references") else "reference/bibliography"
        label = self.book.references[key].label[self.language]
        names = self.first(f"cite-{key}") if home == self.page.name else {}
        return self.to(home, f"ref-{key}", label, "x0-cite", **names)

    def _cited(self, use: Use) -> str:
        work = self._citation(use.key)
        return f"{use.arg}（{work}）" if self.zh else f"{use.arg} ({work})"

    def _cite(self, use: Use) -> str:
        works = ("；" if self.zh else "; ").join(map(self._citation, use.keys))
        if self.zh:
            return f"（{works}{use.arg and '，'}{use.arg}）"
        return f"({works}{use.arg and ', '}{use.arg})"

    def _term(self, use: Use) -> str:
        entry = self.book.glossary[use.key]
        text, anchor = use.arg or entry.name[self.language], f"term-{use.key}"
        if use.key not in self.page.keys("term"):  # in a text of another page
            return self.to("reference/glossary", anchor, text, "x0-term")
        return self.link(text, f"#{anchor}", "x0-term", **self.first(f"use-{use.key}"))

    def _proof(self, use: Use) -> str:
        """Return the sign of a statement: it says what was run, and leads to the test."""
        if use.key == "-":
            return ""
        statement = self.book.statements[use.key]
        concept = (self.book.concept(use.key) or self.page.name).rpartition("/")[2]
        said = self.proof(statement)
        label = f"{self.words['proof']}{self.words['colon']}{said}"
        names = {**self.first(f"said-{use.key}"), "data-tip": said, "aria-label": label}
        href = self.href(f"code/equations/{concept}.md", f"st-{use.key}")
        return f"[⊢]({href}){attributes('x0-proof', **names)}"

    def proof(self, statement: Statement) -> str:
        """Say in the page's language what was run for a statement."""
        words, parts = self.book.words.proof[self.language], [self.words[f"kind_{statement.kind}"]]
        pattern = rf"(?<![\w.])(?:{'|'.join(map(re.escape, words))})(?![\w.(])"
        for name, text in statement.fields.items():
            said = PATTERNS["val"].sub(
                lambda m: written(self.book.value(m["key"]), m["arg"] or ""), text
            )
            said = re.sub(pattern, lambda m: words[m[0]], said)
            parts.append(f"{self.words[f'field_{name}']} {said}")
        return self.words["semicolon"].join(parts)

    def _tag(self, use: Use) -> str:
        links = [self.to("guide/notation", n.lower(), n, "x0-tag") for n in use.key.split()]
        return f'<span class="x0-tags">{" ".join(links)}</span>'
