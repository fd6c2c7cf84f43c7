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
from x0_take.elements import halve, prefix, renumber, shown
from x0_take.twin import address

FOLDER = Path(__file__).parent
BACK = ("reference/glossary", "reference/bibliography")  # unnumbered, behind the chapters
# What leads through the site, what moves, and what stands once at the end of the book.
CUT = re.compile(
    r"\bx0-(where|after|foot|explorer|eq__tools|back|filter|terms|choose)\b"
    r"|katex-mathml|md-code__nav"
)
# What explains a screen: sections of the first chapter, paragraphs; and what stands there instead.
SCREEN = re.compile("a link to the check|copy button|Point at it|点开就是|复制键|鼠标")
PAPER = {
    "en": "<p>Programs check the formulas, the numbers and the sentences of this book. The sign ⊢ at the "
    "end of a sentence is a link to the test that proves it. How formulas and numbers were checked "
    'stands on the site: <a href="{0}">{0}</a>.</p>',
    "zh": '<p>书里的公式、数字和句子由程序核对。句末的 ⊢ 链接到证明这句话的测试；公式和数字怎样核对，写在网站上：<a href="{0}">{0}</a>。</p>',
}
CHAPTER = {"en": "ch.\N{NO-BREAK SPACE}{}", "zh": "第\N{NO-BREAK SPACE}{}\N{NO-BREAK SPACE}章"}
# A figure to which no word leads: it stands in parentheses.
ALONE = re.compile(
    r"(?i)(?<!\b(?:see|and))(?<!\b(?:in|of|as|by|to|on))(?<!\b(?:from|with))(?<!\b(?:below|under))(?<![见看像与和]) $"
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
        chapters = [
            name
            for name in names
            if not name.startswith("reference/") and name != "guide/explorers"
        ]
        return {name: number for number, name in enumerate(chapters, 1)}

    @cached_property
    def chapters(self) -> list[Chapter]:
        """The chapters, and what stands behind them."""
        names = [*self.numbers, *BACK]
        wanted = [x for x in names if x in self.book.pages[self.language]]
        found = [self._chapter(x) for x in wanted if not self.only or x in self.only]
        for chapter in found:
            self._number(chapter)
        known = {
            (c.name, x): f"#{slug(c.name)}--{x}" for c in found for x in c.article.xpath(".//@id")
        }
        for chapter in found:  # its title is named after the page
            known[chapter.name, ""] = f"#{slug(chapter.name)}"
            known[chapter.name, chapter.article.xpath("string(./h1/@id)")] = known[chapter.name, ""]
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
        for found in article.find_class("x0-proof"):
            found.text = "\N{WORD JOINER}⊢"  # not alone at the beginning of a line
        self._without_screen(name, article)
        if name not in BACK:
            self._without_references(article)
        for table in article.xpath(".//table[count(thead/tr/th) > 9]"):
            halve(table)
        part = next(p.title[self.language] for p in self.book.nav if name in p.pages)
        (title,) = article.xpath("./h1")
        words = title.text_content().strip()
        return Chapter(name, self.numbers.get(name, 0), words, part, article)

    def _without_screen(self, name: str, article: Any) -> None:
        """Leave what explains a screen to the site."""
        for found in [x for x in article.xpath("./p") if SCREEN.search(x.text_content())]:
            found.drop_tree()
        if name == "guide/reading":
            section = (
                "./*[(self::h2 | preceding-sibling::h2[1])[last()][@id='marks' or @id='signs']]"
            )
            for found in article.xpath(section):
                found.drop_tree()
            note = PAPER[self.language].format(f"{self.home}{self.root}{name}/")
            article.xpath("./h1")[0].addnext(lxml.html.fragment_fromstring(note))

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

    def _link(self, chapter: Chapter, known: dict[tuple[str, str], str]) -> None:
        base = f"{ROOT}{self.root}{address(f'{chapter.name}.md')}/"
        for link in chapter.article.xpath(".//a[@href]"):
            url = urljoin(base, link.get("href"))
            if not url.startswith(ROOT):
                continue
            path, _, anchor = url.removeprefix(ROOT).partition("#")
            name = self.urls.get(path, "")
            kind = anchor.partition("-")[0]
            number = self.numbers.get(name, 0)
            if number and kind in ("eq", "fig") and "x0-ref" in link.get("class", ""):
                link.text = (link.text or "").rpartition("\N{NO-BREAK SPACE}")[2]  # no title
                renumber(link, number)
                before = link.xpath("string(preceding-sibling::node()[1][self::text()])")
                if (
                    kind == "fig"
                    and ALONE.search(before)
                    and re.match("[.,;。，；]", link.tail or "")
                ):
                    link.text = f"({link.text})"
            elif number and number != chapter.number and (name, "") in known:
                told, parent = CHAPTER[self.language].format(number), link.getparent()
                if "__pages" in parent.get("class", ""):
                    link.text, cited = told, anchor.replace("ref-", "cite-", 1)
                    anchor = cited if (name, cited) in known else ""
                elif not link.get("class") and parent.tag in ("p", "li"):
                    link.set("data-at", f"（{told}）" if self.language == "zh" else f" ({told})")
            behind = {"ref": BACK[1], "references": BACK[1], "term": BACK[0]}.get(kind, "")
            place = known.get((name, anchor)) or known.get((behind, anchor))
            link.set("href", place or self.home + url.removeprefix(ROOT))
            link.attrib.pop("title", None)
            link.attrib.pop("download", None)

    # Parts that stand elsewhere

    def _part(self, chapter: Chapter) -> None:
        """Name every id after its page, open what is folded, put solutions aside."""
        article = chapter.article
        for found in article.xpath(".//*[@id][not(ancestor-or-self::*[local-name() = 'svg'])]"):
            found.set("id", f"{slug(chapter.name)}--{found.get('id')}")
        article.xpath("./h1")[0].set("id", slug(chapter.name))
        for line in article.find_class("x0-source"):  # the address of the module, in full
            for link in line.xpath("./a[position() > 1]"):
                link.getparent().remove(link)
            for link in line.xpath("./a"):
                link.text, link.tail = re.sub(r"^https?://", "", link.get("href", "")), None
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
