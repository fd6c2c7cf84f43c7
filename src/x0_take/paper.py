"""The book as one HTML document for paper, made of the finished pages of the site."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import lxml.html
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from x0_build.book import Book
from x0_build.data.release import read_releases
from x0_take.twin import address

FOLDER = Path(__file__).parent
BACK = ("reference/glossary", "reference/bibliography")  # unnumbered, behind the chapters
# What leads through the site, what moves, and what stands once at the end of the book.
CUT = re.compile(
    r"\bx0-(where|after|foot|explorer|eq__tools|back|filter|terms|lab|choose|(refs|glossary)__pages)\b"
    r"|katex-mathml|md-code__nav"
)
ROOT = "https://x0.invalid/"


def slug(name: str) -> str:
    """Return the id of a page in the book."""
    return name.replace("/", "-")


@dataclass
class Chapter:
    """One page of the site on its way to paper."""

    name: str
    number: int  # 0: it stands behind the chapters
    title: str
    part: str
    article: Any
    # The id of each solution, what it is called, and a pair: the id of the exercise, the element.
    solutions: list[tuple[str, str, Any]] = field(default_factory=list)


@dataclass
class Paper:
    """The book in one language."""

    book: Book
    language: str
    site: Path  # the folder of the finished site
    home: str  # the address at which it is published
    only: frozenset[str] = frozenset()  # the chapters to print, if not all

    @property
    def root(self) -> str:
        """Return the folder of the language below the root of the site."""
        return "en/" if self.language == "en" else ""

    @cached_property
    def numbers(self) -> dict[str, int]:
        """The numbers of all chapters, by page."""
        parts = [part for part in self.book.nav if part.title[self.language]]
        names = [name for part in parts for name in part.pages if name in self.book.either]
        chapters = [name for name in names if not name.startswith("reference/")]
        return {name: number for number, name in enumerate(chapters, 1)}

    @cached_property
    def chapters(self) -> list[Chapter]:
        """The chapters, and what stands behind them."""
        names = [*self.numbers, *BACK]
        wanted = [x for x in names if x in self.book.pages[self.language]]
        found = [self._chapter(x) for x in wanted if not self.only or x in self.only]
        for chapter in found:
            self._number(chapter)
        known = {(c.name, x) for c in found for x in c.article.xpath("//*[@id]/@id")}
        for chapter in found:
            self._link(chapter, known)
        for chapter in found:
            self._part(chapter)
        return found

    def _chapter(self, name: str) -> Chapter:
        page = self.site / self.root / address(f"{name}.md") / "index.html"
        document = lxml.html.document_fromstring(self.book.project.data(page))
        (article,) = document.xpath("//article[contains(@class, 'md-content__inner')]")
        article.getparent().remove(article)
        for found in article.find_class("katex"):
            found.set("role", "img")
            found.set("aria-label", "".join(found.xpath(".//annotation/text()")))
        for found in [x for x in article.xpath(".//*[@class]") if CUT.search(x.get("class"))]:
            found.drop_tree()
        for found in article.xpath(".//*[@id='x0-code'] | .//button | .//script"):
            found.drop_tree()
        for found in article.find_class("x0-anchor"):
            found.drop_tag()
        if name not in BACK:
            self._without_references(article)
        part = next(p.title[self.language] for p in self.book.nav if name in p.pages)
        (title,) = article.xpath("./h1")
        words = title.text_content().strip()
        return Chapter(name, self.numbers.get(name, 0), words, part, article)

    @staticmethod
    def _without_references(article: Any) -> None:
        """Leave the references to the bibliography: a heading goes with them if it is bare."""
        for works in article.find_class("x0-refs"):
            heading = works.getprevious()
            works.drop_tree()
            if heading is not None and heading.get("id") == "references":
                following = heading.getnext()
                if following is None or following.tag == "h2":
                    heading.drop_tree()

    # Numbers

    def _number(self, chapter: Chapter) -> None:
        """Put the number of the chapter before those of sections, equations and figures."""
        if not chapter.number:
            return
        for cls in ("x0-eq__no", "x0-fig__no"):
            for found in chapter.article.find_class(cls):
                renumber(found, chapter.number)
        for number, found in enumerate(chapter.article.xpath("./h2"), 1):
            prefix(found, f"{chapter.number}.{number}")
        prefix(chapter.article.xpath("./h1")[0], str(chapter.number))

    # Links

    @cached_property
    def urls(self) -> dict[str, str]:
        """The pages by their address below the root."""
        names = self.book.pages[self.language]
        return {f"{self.root}{address(f'{x}.md')}/".replace("//", "/"): x for x in names}

    def _link(self, chapter: Chapter, known: set[tuple[str, str]]) -> None:
        base = f"{ROOT}{self.root}{address(f'{chapter.name}.md')}/"
        printed = {name for name, _ in known}
        for link in chapter.article.xpath(".//a[@href]"):
            url = urljoin(base, link.get("href"))
            if not url.startswith(ROOT):
                continue
            path, _, anchor = url.removeprefix(ROOT).partition("#")
            name = self.urls.get(path, "")
            kind = anchor.partition("-")[0]
            number = self.numbers.get(name, 0)
            if number and kind in ("eq", "fig") and "x0-ref" in link.get("class", ""):
                renumber(link, number)
            behind = {"ref": BACK[1], "references": BACK[1], "term": BACK[0]}.get(kind, "")
            if (name, anchor) in known:
                place = f"#{slug(name)}--{anchor}"
            elif (behind, anchor) in known:
                place = f"#{slug(behind)}--{anchor}"
            elif name in printed:
                place = f"#{slug(behind if behind in printed else name)}"
            else:
                place = self.home + url.removeprefix(ROOT)
            link.set("href", place)
            link.attrib.pop("title", None)
            link.attrib.pop("download", None)

    # Parts that stand elsewhere

    def _part(self, chapter: Chapter) -> None:
        """Name every id after its page, open what is folded, put solutions aside."""
        article = chapter.article
        for found in article.xpath(".//*[@id][not(ancestor-or-self::*[local-name() = 'svg'])]"):
            found.set("id", f"{slug(chapter.name)}--{found.get('id')}")
        article.xpath("./h1")[0].set("id", slug(chapter.name))
        for box in article.xpath(".//details"):
            (summary,) = box.xpath("./summary")
            if "solution" in box.get("class", ""):
                summary.drop_tree()
                self._solution(chapter, box, summary.text_content().strip())
            else:
                summary.tag = "p"
                summary.set("class", "folded__title")
                box.set("class", f"folded {box.get('class', '')}")
                for code in box.find_class("highlight") if box.find_class("x0-source") else ():
                    code.drop_tree()  # the address of the module stays
            box.tag = "div"
        for line in article.find_class("x0-source"):  # the address of the module, in full
            for link in line.xpath("./a[position() > 1]"):
                link.getparent().remove(link)
            for link in line.xpath("./a"):
                link.text, link.tail = re.sub(r"^https?://", "", link.get("href", "")), None
        article.tag = "section"
        article.set("class", f"chapter md-typeset page-{slug(chapter.name)}")

    def _solution(self, chapter: Chapter, box: Any, title: str) -> None:
        """Move a solution behind the chapters; a link at the exercise leads to it."""
        asked = box.getprevious()
        while not asked.get("id"):
            asked = asked.getprevious()
        label = asked.get("id").rpartition("--exercise-")[2]
        number = f"{chapter.number}.{label}" if label.isdigit() else asked.text_content().strip()
        place = f"solution-{slug(chapter.name)}-{len(chapter.solutions) + 1}"
        way = f'<p class="to-solution"><a href="#{place}">{title}</a></p>'
        box.addprevious(lxml.html.fragment_fromstring(way))
        box.getparent().remove(box)
        chapter.solutions.append((place, f"{number} · {title}", (asked.get("id"), box)))

    # The document

    def document(self, pages: dict[str, int], assets: str) -> str:
        """Return the document; its contents name the pages by the ids of what begins on them."""
        environment = Environment(
            loader=FileSystemLoader(FOLDER / "templates"),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        return environment.get_template("book.html").render(
            paper=self,
            language=self.language,
            words=self.book.words.page[self.language],
            theme=self.book.words.theme[self.language],
            release=read_releases(self.book.project)[0],
            pages=pages,
            assets=assets,
            style=(FOLDER / "templates" / "book.css").read_text(encoding="utf-8"),
            slug=slug,
            shown=shown,
        )


def shown(element: Any) -> str:
    """Return an element as HTML."""
    return str(lxml.html.tostring(element, encoding="unicode"))


def renumber(element: Any, chapter: int) -> None:
    """Put a chapter's number before the number that ends a text: (4) becomes (3.4)."""
    last = element[-1] if len(element) else None
    text = (element.text if last is None else last.tail) or ""
    text = re.sub(r"(\d+)(\)?\s*)$", rf"{chapter}.\1\2", text)
    if last is None:
        element.text = text
    else:
        last.tail = text


def prefix(heading: Any, number: str) -> None:
    """Put a number before a heading."""
    mark = lxml.html.fragment_fromstring(f'<span class="number">{number}</span>')
    mark.tail, heading.text = f" {heading.text or ''}", None
    heading.insert(0, mark)
