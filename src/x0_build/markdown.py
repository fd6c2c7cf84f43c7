"""The Markdown extension: equations, figures, values, citations, terms, claims, code links.

It only renders. What is wrong with a page has been found by `x0_build.checks` before, with file
and line; should something slip through, it is logged as an error (which `--strict` makes fatal)
and marked in the page.
"""

from __future__ import annotations

import html
import logging
import posixpath
import re
import xml.etree.ElementTree as etree
from pathlib import Path, PurePosixPath
from typing import Any

from markdown import Markdown
from markdown.blockprocessors import BlockProcessor
from markdown.extensions import Extension
from markdown.inlinepatterns import InlineProcessor
from markdown.postprocessors import Postprocessor
from markdown.preprocessors import Preprocessor
from markdown.treeprocessors import Treeprocessor
from markdown.util import AtomicString

from x0_build import reference
from x0_build.book import Book, Test
from x0_build.labs import AREA, Lab, colab
from x0_build.paths import Project
from x0_build.reference import BIBLIOGRAPHY
from x0_build.source import FENCE, INCLUDE, INLINE, PATTERNS, Page
from x0_build.tex import TexError, expand
from x0_build.words import WORDS
from x0_equations import Mark

log = logging.getLogger("mkdocs.x0")

# A formula or figure enters the page as this empty element and is filled in when the page is
# done: the search index then never sees the hundreds of tags of a rendered formula.
FILL = re.compile(r'<x0-fill data-x0="([^"]+)"></x0-fill>')

# Names, punctuation and spaces of code look like plain text: their tags would only weigh.
_PLAIN_CODE = re.compile(r'<span class="(?:[nopw]|nn)">([^<]*)</span>')

_BLOCK = re.compile(
    r"^\{(?:(?P<kind>eq|out|index|source|listing):(?P<key>[\w/-]+)|(?P<alone>claims|refs)|"
    r"fig:(?P<figure>[\w-]+)\}[ \t]*(?P<caption>.*)|\Z)",
    re.DOTALL,
)
# How an equation was checked, in one character; guide/reading explains them.
MARKS = {"symbolic": "≡", "numerical": "✓", "statistical": "±", "definition": "≔"}

_CJK = r"[\u3000-\u303f\u4e00-\u9fff\uff00-\uffef]"
_LINE_BREAK = rf"(?<={_CJK})\n[ ]*(?={_CJK})"
_PUNCTUATION = "，。；：、！？）」』,.;:!?)"


class X0Extension(Extension):
    """Everything of x0 that a page can say beyond Markdown."""

    def __init__(self, book: Book | None = None, **kwargs: Any) -> None:
        self.book = book  # no setting: Python-Markdown would turn it into text
        self.config = {
            "language": ["zh", "language of the pages: zh or en"],
            "repository": ["", "address of the repository, for links to it"],
            "defer": [False, "leave formulas and figures as placeholders for `fill`"],
        }
        super().__init__(**kwargs)

    def extendMarkdown(self, md: Markdown) -> None:
        """Register the processors."""
        md.ESCAPED_CHARS.append("$")
        book = self.book or Book(Project.find())
        context = Context(md, book, self.getConfig("language"), self.getConfig("repository"))
        # Before snippets (32), so that include lines are still seen.
        md.preprocessors.register(_Includes(md, context), "x0-includes", 40)
        md.parser.blockprocessors.register(_Blocks(md.parser, context), "x0-blocks", 75)
        for kind in INLINE:
            # After code spans (190), before backslash escapes (180); formulas may hold values.
            priority = 186 if kind == "math" else 185
            md.inlinePatterns.register(_Inline(kind, md, context), f"x0-{kind}", priority)
        if context.language == "zh":
            md.inlinePatterns.register(_Join(_LINE_BREAK, md), "x0-join", 187)
        # Before inline parsing (20), so that definitions and claims may hold formulas.
        md.treeprocessors.register(_Frame(md, context), "x0-frame", 30)
        if not self.getConfig("defer"):
            md.postprocessors.register(_Fill(md, context), "x0-fill", 1)


class Context:
    """One page on its way through Markdown."""

    def __init__(self, md: Markdown, book: Book, language: str, repository: str) -> None:
        self.md, self.book, self.language = md, book, language
        self.repository = repository.rstrip("/")
        self.words = WORDS[language]
        self.page = Page(language, "index.md", book.project.root, "")
        self.lab: Lab | None = None  # if the page is one

    def start(self, lines: list[str]) -> None:
        """Take up the page that is being converted."""
        uri = "index.md"
        if "relpath" in self.md.treeprocessors:  # MkDocs registers it with the page's file
            uri = self.md.treeprocessors["relpath"].file.src_uri  # type: ignore[attr-defined]
        known = self.book.pages[self.language].get(uri.removesuffix(".md"))
        self.lab = next((lab for lab in self.book.labs if lab.uri == uri), None)
        self.page = known or Page(
            self.language, uri, self.book.project.docs / uri, "\n".join(lines)
        )

    def error(self, message: str) -> etree.Element:
        """Log an error and return its mark in the page."""
        log.error("%s (%s): %s", self.page.uri, self.language, message)
        mark = etree.Element("strong", {"class": "x0-error"})
        mark.text = AtomicString(message)
        return mark

    def href(self, uri: str, anchor: str = "") -> str:
        """Return a link to another source file, which MkDocs turns into an address and checks."""
        target = posixpath.relpath(uri, posixpath.dirname(self.page.uri) or ".")
        return f"{target}#{anchor}" if anchor else target

    def code_uri(self, stem: str) -> str:
        """Return the source file of the page that shows a module or a lab."""
        module = self.book.modules[stem]
        if module.area == AREA:
            return f"{AREA}/{stem.replace('_', '-')}.md"
        return f"code/{module.area}/{stem}.md"

    def link(self, href: str, text: str, cls: str = "", **attributes: str) -> etree.Element:
        """Return a link."""
        element = etree.Element(
            "a", {"href": href, **({"class": cls} if cls else {}), **attributes}
        )
        element.text = AtomicString(text)
        return element

    def to(self, name: str, anchor: str, text: str, cls: str = "") -> etree.Element:
        """Return a link to a page of the book; only its text if that page is not there."""
        if name in self.book.pages[self.language]:
            return self.link(self.href(f"{name}.md", anchor), text, cls)
        element = etree.Element("span", {"class": cls} if cls else {})
        element.text = AtomicString(text)
        return element

    def test_link(self, test: Test) -> etree.Element:
        """Return a link to the page that shows a test, else to its file in the repository."""
        path = PurePosixPath(test.file)
        stem = path.stem.removeprefix("test_")
        module = self.book.modules.get(stem)
        if module and module.area == path.parent.name:
            return self.link(self.href(self.code_uri(stem), "tests"), test.name)
        return self.link(f"{self.repository}/blob/main/{test.file}#L{test.line}", test.name)

    def fill(self, key: str) -> etree.Element:
        """Return a placeholder."""
        return etree.Element("x0-fill", {"data-x0": key})

    def math(self, tex: str, *, display: bool = False) -> etree.Element:
        """Return a placeholder for a formula, with its values put in."""
        try:
            tex = PATTERNS["val"].sub(lambda m: self.tex_value(m["key"], m["arg"] or ""), tex)
            self.book.katex.render(tex, display=display)
        except (TexError, KeyError, ValueError) as error:
            return self.error(f"formula {tex}: {error}")
        return self.fill(f"{'d' if display else 'm'}:{tex}")

    def tex_value(self, key: str, form: str) -> str:
        """Return a named value inside a formula."""
        text = self.book.value(key, form).replace("−", "-").replace("±", r"\pm")
        return re.sub(
            r" × 10([⁻⁰¹²³⁴⁵⁶⁷⁸⁹]+)",
            lambda m: (
                r" \times 10^{" + m[1].translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789")) + "}"
            ),
            text,
        )

    def reference(self, kind: str, key: str) -> etree.Element:
        """Return a link to an equation or figure, on this page or another."""
        number = self.book.number(self.page.name, kind, key)
        anchor = f"{kind}-{key}"
        if number is not None:
            return self.link(f"#{anchor}", self._numbered(kind, number), "x0-ref")
        home = self.book.home(kind, key)
        if home is None:
            return self.error(f"{kind} {key} is shown on no page")
        title = self.book.pages[self.language][home].title
        number = self.book.number(home, kind, key) or 0
        text = f"{title}\N{NO-BREAK SPACE}{self._numbered(kind, number)}"
        return self.link(self.href(f"{home}.md", anchor), text, "x0-ref x0-ref--page")

    def _numbered(self, kind: str, number: int) -> str:
        return f"({number})" if kind == "eq" else f"{self.words['figure']} {number}"

    def citation(self, key: str) -> etree.Element:
        """Return one citation, linked to the list of references of this page, else of the book."""
        reference = self.book.references.get(key)
        if reference is None:
            return self.error(f"no reference {key}")
        text, anchor = reference.label[self.language], f"ref-{key}"
        if self.page.keys("refs"):
            return self.link(f"#{anchor}", text, "x0-cite")
        return self.to(BIBLIOGRAPHY, anchor, text, "x0-cite")

    @property
    def stems(self) -> list[str]:
        """The modules whose code, figures, output or values this page shows."""
        found = [self.lab.module.stem] if self.lab else []
        found += [stem for _, stem, _, _ in self.page.includes]
        for use in self.page.uses:
            if use.kind == "val":
                found.append(use.key.partition(".")[0])
            elif use.kind == "out":
                found.append(use.key)
            elif use.kind == "fig":
                found.append(self.book.figure_modules.get(use.key, ""))
        return [stem for stem in dict.fromkeys(found) if stem in self.book.modules]


def fill(text: str, book: Book, language: str) -> str:
    """Replace the placeholders of a rendered page by formulas and figures."""
    text = _PLAIN_CODE.sub(r"\1", text)
    text = re.sub(r"\n{4,}", "\n\n\n", text)  # where two sections of a module meet
    return FILL.sub(lambda match: _filled(html.unescape(match[1]), book, language), text)


def _filled(key: str, book: Book, language: str) -> str:
    kind, _, rest = key.partition(":")
    if kind in "md":
        return book.katex.render(rest, display=kind == "d")
    return book.figure_file(rest, language).read_text(encoding="utf-8")


def readme_figure(book: Book) -> Path:
    """Write the figure of the README: the first of the landing page, on paper of its own."""
    (key, *_) = book.pages["en"]["index"].keys("fig")
    svg = book.figure_file(key, "en").read_text(encoding="utf-8")
    path = book.project.docs / "theme" / "assets" / "figure.svg"
    # Nothing of the page reaches an image: it needs its own background, font and namespace.
    alone = svg.replace("<svg ", '<svg font-family="sans-serif" ', 1)
    alone = alone.replace('style="', 'style="background:#fbf9f4;', 1)
    path.write_text(alone, encoding="utf-8")
    return path


class _Includes(Preprocessor):
    """Adds, behind every fence that shows a module, the line that links to it."""

    def __init__(self, md: Markdown, context: Context) -> None:
        super().__init__(md)
        self.context = context

    def run(self, lines: list[str]) -> list[str]:
        self.context.start(lines)
        out: list[str] = []
        opened: re.Match[str] | None = None
        stems: list[str] = []
        for line in lines:
            out.append(line)
            match = FENCE.match(line)
            if opened is None and match:
                opened, stems = match, []
            elif opened and (include := INCLUDE.match(line)):
                stems.append(f"{include['area']}/{include['stem']}")
            elif opened and line.strip() == opened["mark"]:
                for stem in dict.fromkeys(stems):
                    out += ["", f"{opened['indent']}{{source:{stem}}}", ""]
                opened = None
        return out


class _Blocks(BlockProcessor):
    """Blocks that stand alone: equations, figures, output, claims, references, code links."""

    def __init__(self, parser: Any, context: Context) -> None:
        super().__init__(parser)
        self.context = context

    def test(self, parent: etree.Element, block: str) -> bool:
        return block.startswith("{") and _BLOCK.match(block) is not None

    def run(self, parent: etree.Element, blocks: list[str]) -> bool:
        block = blocks.pop(0)
        match = _BLOCK.match(block)
        assert match
        if match["figure"]:
            parent.append(self.figure(match["figure"], match["caption"]))
            return True
        _, _, rest = block.partition("\n")
        if rest:
            blocks.insert(0, rest)
        kind, key = match["kind"] or match["alone"], match["key"] or ""
        element: etree.Element = getattr(self, kind)(key)
        parent.append(element)
        return True

    def eq(self, key: str) -> etree.Element:
        c = self.context
        number = c.book.number(c.page.name, "eq", key)
        path = c.book.equations.get(key)
        if path is None or number is None:
            return c.error(f"no equation {key}")
        tex = path.read_text(encoding="utf-8").strip()
        div = etree.Element("div", {"class": "x0-eq", "id": f"eq-{key}"})
        label = f"{c.words['equation']} {number}"
        scroll = {"class": "x0-eq__math", "role": "group", "aria-label": label}
        etree.SubElement(div, "div", scroll).append(c.math(tex, display=True))
        etree.SubElement(div, "span", {"class": "x0-eq__no"}).text = AtomicString(f"({number})")
        tools = etree.SubElement(div, "span", {"class": "x0-eq__tools"})
        copy = {
            "class": "x0-eq__copy",
            "type": "button",
            "title": c.words["copy_tex"],
            "data-tex": expand(tex, c.book.katex.macros),
            "aria-label": f"{c.words['copy_tex']} ({number})",
        }
        etree.SubElement(tools, "button", copy).text = AtomicString("TeX")
        if mark := c.book.marks.get(key):
            text = mark_text(mark, c.language)
            href = c.href(f"code/equations/{checks_page(mark)}.md", key)
            label = f"{c.words['check']} ({number}){c.words['colon']}{text}"
            link = c.link(
                href,
                MARKS[mark.kind],
                f"x0-eq__mark x0-eq__mark--{mark.kind}",
                **{"aria-label": label},
            )
            link.set("data-tip", text)
            tools.append(link)
        return div

    def figure(self, key: str, caption: str) -> etree.Element:
        c = self.context
        number = c.book.number(c.page.name, "fig", key)
        if key not in c.book.figure_modules or number is None:
            return c.error(f"no figure {key}")
        figure = etree.Element("figure", {"class": "x0-fig", "id": f"fig-{key}"})
        image = etree.SubElement(figure, "div", {"class": "x0-fig__img"})
        image.append(c.fill(f"f:{key}"))
        text = etree.SubElement(figure, "figcaption", {"id": f"fig-{key}-caption"})
        head = etree.SubElement(text, "span", {"class": "x0-fig__no"})
        head.text = AtomicString(f"{c.words['figure']} {number}")
        head.tail = " " + caption
        return figure

    def out(self, stem: str) -> etree.Element:
        c = self.context
        if stem not in c.book.results:
            return c.error(f"no module {stem}")
        div = etree.Element("div", {"class": "x0-out"})
        label = etree.SubElement(div, "span", {"class": "x0-out__label"})
        label.text = AtomicString(c.words["output"])
        code = etree.SubElement(etree.SubElement(div, "pre"), "code")
        code.text = AtomicString(c.book.results[stem].output)
        return div

    def source(self, key: str) -> etree.Element:
        c = self.context
        stem = key.rpartition("/")[2]
        if stem not in c.book.modules:
            return c.error(f"no module {key}")
        line = etree.Element("p", {"class": "x0-source"})
        line.append(c.link(c.href(c.code_uri(stem)), f"x0/{key}.py", title=c.words["source"]))
        line[-1].tail = " · "
        raw = c.href(f"code/{key}.py")
        line.append(c.link(raw, c.words["download"], download=""))
        if tests := c.book.tests.get(stem):
            line[-1].tail = " · "
            names = ", ".join(test.name for test in tests)
            text = f"{c.words['tests']} {len(tests)}"
            line.append(c.link(c.href(c.code_uri(stem), "tests"), text, title=names))
        return line

    def claims(self, _: str) -> etree.Element:
        c = self.context
        div = etree.Element("div", {"class": "x0-claims"})
        for claim in c.book.claims.values():
            if claim.page == c.page.name:
                div.append(reference.claim(c, claim))
        return div

    def index(self, key: str) -> etree.Element:
        """Return a part of the reference pages: ledger, glossary, bibliography, figures."""
        return reference.INDEXES[key](self.context)

    def listing(self, stem: str) -> etree.Element:
        """List the tests of a module, with the claims that they prove."""
        items = etree.Element("ul", {"class": "x0-tests"})
        for test in self.context.book.tests.get(stem, []):
            item = etree.SubElement(items, "li")
            name = etree.SubElement(item, "code")
            name.text = AtomicString(test.name)
            name.tail = AtomicString("".join(f" · {claim}" for claim in test.claims))
        return items

    def refs(self, _: str) -> etree.Element:
        c = self.context
        items = etree.Element("ol", {"class": "x0-refs"})
        rows = [c.book.references[key] for key in c.book.cited(c.page) if key in c.book.references]
        for row in sorted(rows, key=lambda row: row.label["en"].casefold()):
            item = etree.SubElement(items, "li", {"id": f"ref-{row.key}"})
            item.text = c.md.htmlStash.store(row.html)
        return items


def _values(text: str, book: Book) -> str:
    """Put values into text that is not parsed further."""

    def put(match: re.Match[str]) -> str:
        try:
            return book.value(match["key"], match["arg"] or "")
        except (KeyError, ValueError):  # reported where the text is rendered
            return ""

    return PATTERNS["val"].sub(put, text)


class _Inline(InlineProcessor):
    """References, values, citations, terms, tags and formulas inside a line."""

    def __init__(self, kind: str, md: Markdown, context: Context) -> None:
        # Punctuation behind a formula belongs to it: no line may break between them.
        tail = rf"(?P<tail>[{re.escape(_PUNCTUATION)}]?)" if kind == "math" else ""
        # No space stands beside a full-width parenthesis.
        head = " *" if kind == "cite" and context.language == "zh" else ""
        tail = " *" if kind == "cited" and context.language == "zh" else tail
        super().__init__(head + INLINE[kind] + tail, md)
        self.kind, self.context = kind, context

    def handleMatch(  # type: ignore[override]
        self, m: re.Match[str], data: str
    ) -> tuple[etree.Element | str, int, int]:
        return getattr(self, self.kind)(m), m.start(0), m.end(0)

    def eqref(self, m: re.Match[str]) -> etree.Element:
        return self.context.reference("eq", m["key"])

    def figref(self, m: re.Match[str]) -> etree.Element:
        return self.context.reference("fig", m["key"])

    def val(self, m: re.Match[str]) -> etree.Element:
        c = self.context
        stem, _, name = m["key"].partition(".")
        try:
            text = c.book.value(m["key"], m["arg"] or "")
        except (KeyError, ValueError) as error:
            return c.error(f"value {m['key']}: {error}")
        title = f"x0.{c.book.modules[stem].area}.{stem}: {name}"
        return c.link(c.href(c.code_uri(stem)), text, "x0-val", title=title)

    def exact(self, m: re.Match[str]) -> str:
        return m["key"]

    def cited(self, m: re.Match[str]) -> etree.Element:
        zh = self.context.language == "zh"
        span = etree.Element("span")
        span.text = AtomicString(f"{m['arg']}（" if zh else f"{m['arg']} (")
        span.append(self.context.citation(m["key"]))
        span[-1].tail = AtomicString("）" if zh else ")")
        return span

    def cite(self, m: re.Match[str]) -> etree.Element:
        zh = self.context.language == "zh"
        span = etree.Element("span", {"class": "x0-cites"})
        span.text = AtomicString("（" if zh else "(")
        keys = [part.strip().lstrip("@") for part in m["key"].split(";")]
        for number, key in enumerate(keys):
            span.append(self.context.citation(key))
            if number < len(keys) - 1:
                span[-1].tail = AtomicString("；" if zh else "; ")
        where = f", {m['arg']}" if m["arg"] else ""
        if zh:
            where = where.replace(", ", "，", 1)
        span[-1].tail = AtomicString(where + ("）" if zh else ")"))
        return span

    def term(self, m: re.Match[str]) -> etree.Element:
        c = self.context
        entry = c.book.glossary.get(m["key"])
        if entry is None:
            return c.error(f"no term {m['key']}")
        text = m["arg"] or entry.name[c.language]
        tip = re.sub(r"[$\\{}]", "", entry.definition[c.language])
        anchor = f"term-{m['key']}"
        if m["key"] in c.page.keys("term"):
            return c.link(f"#{anchor}", text, "x0-term", title=tip)
        return c.to(reference.GLOSSARY, anchor, text, "x0-term")  # in a text of another page

    def tag(self, m: re.Match[str]) -> etree.Element:
        c = self.context
        span = etree.Element("span", {"class": "x0-tags"})
        for name in m["key"].split():
            span.append(c.link(c.href("guide/notation.md", name.lower()), name, "x0-tag"))
            span[-1].tail = " "
        return span

    def math(self, m: re.Match[str]) -> etree.Element:
        formula = self.context.math(m["key"])
        outer = etree.Element("span", {"class": "x0-math"})
        outer.append(formula)
        if m["tail"]:
            tied = etree.Element("span", {"class": "x0-nowrap"})
            tied.append(outer)
            outer.tail = AtomicString(m["tail"])
            return tied
        return outer


class _Join(InlineProcessor):
    """Joins the lines of a Chinese paragraph, where a browser would show a space."""

    def handleMatch(  # type: ignore[override]
        self, m: re.Match[str], data: str
    ) -> tuple[str, int, int]:
        return "", m.start(0), m.end(0)


class _Frame(Treeprocessor):
    """What stands above and below a page's text: prerequisites, terms, what was executed."""

    def __init__(self, md: Markdown, context: Context) -> None:
        super().__init__(md)
        self.context = context

    def run(self, root: etree.Element) -> None:
        c = self.context
        wanted = [
            name for name in c.page.meta.get("prerequisites", []) if name in c.book.pages["zh"]
        ]
        if wanted:
            line = etree.Element("p", {"class": "x0-prereq"})
            line.text = f"{c.words['prerequisites']}{c.words['colon']}"
            for name in wanted:
                title = c.book.pages[c.language][name].title
                line.append(c.link(c.href(f"{name}.md"), title))
                line[-1].tail = " · " if name != wanted[-1] else ""
            place = next((n for n, child in enumerate(root) if child.tag == "h1"), -1)
            root.insert(place + 1, line)
        self.lab(root)
        self.terms(root)
        self.foot(root)

    def lab(self, root: etree.Element) -> None:
        """Say under the title of a lab how to run it oneself."""
        c = self.context
        if c.lab is None:
            return
        line = etree.Element("p", {"class": "x0-lab", "data-search-exclude": "yes"})
        line.text = f"{c.words['run_it']}{c.words['colon']}"
        for suffix in ("ipynb", "py"):
            name = f"{c.lab.name}.{suffix}"
            line.append(c.link(c.href(f"{AREA}/{name}"), name, download=name))
            line[-1].tail = " · "
        if address := colab(c.repository, c.lab, c.language):
            line.append(c.link(address, c.words["colab"]))
        else:
            line[-1].tail = ""
        place = next((n for n, child in enumerate(root) if child.tag == "h1"), -1)
        root.insert(place + 1, line)

    def terms(self, root: etree.Element) -> None:
        c = self.context
        keys = [key for key in dict.fromkeys(c.page.keys("term")) if key in c.book.glossary]
        if not keys:
            return
        section = etree.SubElement(
            root, "section", {"class": "x0-terms", "aria-labelledby": "terms"}
        )
        etree.SubElement(section, "h2", {"id": "terms"}).text = c.words["terms"]
        items = etree.SubElement(section, "dl")
        for key in keys:
            term = c.book.glossary[key]
            other = "en" if c.language == "zh" else "zh"
            name = etree.SubElement(items, "dt", {"id": f"term-{key}"})
            name.append(c.to(reference.GLOSSARY, f"term-{key}", term.name[c.language]))
            name[-1].tail = " "
            if term.name[other] != term.name[c.language]:
                etree.SubElement(name, "span", {"lang": other}).text = term.name[other]
            etree.SubElement(items, "dd").text = term.definition[c.language]

    def foot(self, root: etree.Element) -> None:
        c, w = self.context, self.context.words
        foot = etree.SubElement(root, "aside", {"class": "x0-foot", "aria-label": w["made_from"]})
        results = [c.book.results[stem] for stem in c.stems if stem in c.book.results]
        if results:
            etree.SubElement(foot, "p", {"class": "x0-foot__title"}).text = w["made_from"]
            table = etree.SubElement(foot, "table")
            head = etree.SubElement(etree.SubElement(table, "thead"), "tr")
            for key in ("module", "seed", "time", "tests"):
                etree.SubElement(head, "th", {"scope": "col"}).text = w[key].capitalize()
            body = etree.SubElement(table, "tbody")
            for result in results:
                self._row(etree.SubElement(body, "tr"), result)
            versions = results[0].versions
            text = " · ".join(f"{name} {version}" for name, version in versions.items())
            line = etree.SubElement(foot, "p", {"class": "x0-foot__versions"})
            line.text = AtomicString(f"{w['versions']}{w['colon']}{text}")
        if c.lab and (tests := c.book.tests.get(c.lab.module.stem)):
            line = etree.SubElement(foot, "p", {"class": "x0-tests", "id": "tests"})
            names = " · ".join(test.name for test in tests)
            line.text = AtomicString(f"{w['tests'].capitalize()}{w['colon']}{names}")
        if c.repository:
            links = etree.SubElement(foot, "p", {"class": "x0-foot__links"})
            title = f"{c.page.name} ({c.language})".replace("/", "%2F").replace(" ", "%20")
            links.append(c.link(f"{c.repository}/issues/new?title={title}", w["report"]))
            links[-1].tail = " · "
            links.append(c.link(c.repository, w["repository"]))

    def _row(self, row: etree.Element, result: Any) -> None:
        c, stem = self.context, result.module.stem
        name = f"{result.module.area}/{stem}.py"
        etree.SubElement(row, "td").append(c.link(c.href(c.code_uri(stem)), name))
        seeds = ", ".join(str(seed) for seed in result.seeds.values()) or "—"
        etree.SubElement(row, "td").text = AtomicString(seeds)
        etree.SubElement(row, "td").text = AtomicString(f"{result.seconds:.1f} s")
        cell = etree.SubElement(row, "td")
        if tests := c.book.tests.get(stem):
            cell.append(c.link(c.href(c.code_uri(stem), "tests"), str(len(tests))))
        else:
            cell.text = "—"


class _Fill(Postprocessor):
    """Fills placeholders at once, for builders without an event at the end of a page."""

    def __init__(self, md: Markdown, context: Context) -> None:
        super().__init__(md)
        self.context = context

    def run(self, text: str) -> str:
        return fill(text, self.context.book, self.context.language)


def code_page(book: Book, stem: str, language: str) -> str:
    """Return the Markdown of the page that shows a whole module and its tests."""
    module, w = book.modules[stem], WORDS[language]
    name = f"{module.area}/{stem}.py"
    lines = [
        "---",
        f"title: {stem}.py",
        "search:",
        "  exclude: true",
        "hide: [navigation]",
        "---",
        f"# `{name}` {{#{stem.replace('_', '-')}}}",
        "",
        w["module_about"],
        "",
        "```python",
        f'--8<-- "x0/{name}"',
        "```",
        "",
        f"{{out:{stem}}}",
        "",
        f"## {w['tests'].capitalize()} {{#tests}}",
        "",
        w["test_note"],
        "",
        f"{{listing:{stem}}}",
        "",
    ]
    if book.tests.get(stem):
        lines += [
            f'??? x0-testsource "{w["test_file"]}"',
            "",
            "    ```python",
            f'    --8<-- "tests/{module.area}/test_{stem}.py"',
            "    ```",
            "",
        ]
    return "\n".join(lines)


def mark_text(mark: Mark, language: str) -> str:
    """Say how an equation was checked: kind, tolerance, and what was evaluated."""
    w = WORDS[language]
    tolerance = w["exact"] if mark.tolerance == "exact" else mark.tolerance
    how = w["by_tex"] if mark.parsed else w["by_code"]
    return ("；" if language == "zh" else "; ").join((w[mark.kind], tolerance, how))


def checks_page(mark: Mark) -> str:
    """Return the name of the page that shows a check: one per file of checks."""
    return PurePosixPath(mark.file).stem.removeprefix("test_").replace("_", "-")


def checks_pages(book: Book, language: str) -> dict[str, str]:
    """Return the Markdown of the pages that show the checks of equations, by name."""
    w = WORDS[language]
    pages: dict[str, list[str]] = {}
    for key, mark in book.marks.items():
        name = checks_page(mark)
        if name not in pages:
            title = f"{w['checks']} · {name}"
            front = ["---", f"title: {title}", "search:", "  exclude: true", "---"]
            pages[name] = [*front, f"# {title} {{#{name}}}", "", w["checks_about"], ""]
        source = book.check_source(mark).replace("\n", "\n    ")
        pages[name] += [
            f"## `{key}` {{#{key}}}",
            "",
            f"{mark_text(mark, language)}{w['stop'].strip()}",
            "",
            f'??? x0-testsource "{mark.file}"',
            "",
            "    ```python",
            f"    {source}",
            "    ```",
            "",
        ]
    return {name: "\n".join(lines) for name, lines in pages.items()}


def clean_source(text: str) -> str:
    """Return a module as it is downloaded: without section markers."""
    return re.sub(r"^[ \t]*# --8<-- \[(?:start|end):[\w-]+\]\n", "", text, flags=re.MULTILINE)


def makeExtension(**kwargs: Any) -> X0Extension:
    """Return the extension, for Python-Markdown."""
    return X0Extension(**kwargs)
