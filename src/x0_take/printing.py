"""Printing: documents go through Chromium twice, the second time with the pages of their contents."""

from __future__ import annotations

import io
import re
import runpy
import shutil
import subprocess
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from pypdf import PdfReader, PdfWriter

from x0_build.book import Book
from x0_build.data.release import read_releases
from x0_build.project import LANGUAGES, Project, write
from x0_take.paper import FOLDER, Paper

WIDTH = 627  # pixels between the margins of book.css
HEIGHT = 945
# Radicals of simplified characters, which Unicode does not count as compatible.
_SIMPLE = str.maketrans(
    "⺟⺠⻄⻅⻆⻉⻋⻓⻔⻗⻙⻚⻛⻜⻝⻢⻣⻤⻥⻦⻧⻨⻩⻬⻮⻰⻳",
    "母民西见角贝车长门雨韦页风飞食马骨鬼鱼鸟卤麦黄齐齿龙龟",
)
_RADICAL = re.compile(rb"(<[0-9A-F]+> )<(2[EF][0-9A-F]{2})>(?=\n)")
FONTS = ("Liberation Serif", "Liberation Mono", "Noto Serif CJK SC", "Noto Sans Mono CJK SC")


def check_fonts(project: Project) -> None:
    """Complain of a font of the books that is not there, where there is a way to know."""
    if listing := shutil.which("fc-list"):
        done = subprocess.run([listing, ":", "family"], capture_output=True, text=True, check=False)
        if missing := [font for font in FONTS if font not in done.stdout]:
            remedy = "run `make fonts`: the packages fonts-liberation and fonts-noto-cjk of Debian"
            sheet = FOLDER / "templates" / "book.css"
            raise project.error(sheet, 0, f"{missing[0]} is not installed", remedy)


@contextmanager
def chromium(project: Project) -> Iterator[Any]:
    """Yield a page in the browser that the tests use."""
    from playwright.sync_api import sync_playwright

    found = runpy.run_path(str(project.tests / "site" / "browser.py"))
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=found["install"](), args=list(found["ARGUMENTS"])
        )
        yield browser.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        browser.close()


def printed(page: Any, path: Path, **options: Any) -> tuple[bytes, list[str]]:
    """Print an HTML file; return the PDF, and what is wider than the paper."""
    page.emulate_media(media="print")
    page.goto(path.resolve().as_uri(), wait_until="load", timeout=300_000)
    page.evaluate("document.fonts.ready.then(() => true)")
    wide = page.evaluate((FOLDER / "templates" / "fit.js").read_text(encoding="utf-8"))
    pdf = page.pdf(prefer_css_page_size=True, print_background=True, **options)
    return pdf, wide


def destinations(pdf: bytes) -> dict[str, int]:
    """Return the pages, from 1, to which the names in a PDF lead."""
    reader = PdfReader(io.BytesIO(pdf))
    found = reader.named_destinations.items()
    return {
        name.lstrip("/"): int(reader.get_destination_page_number(x) or 0) + 1 for name, x in found
    }


def searchable(writer: PdfWriter) -> None:
    """Let Chinese characters be found: a font gives 一 and the radical ⼀ one shape, and one name."""

    def character(m: re.Match[bytes]) -> bytes:
        plain = unicodedata.normalize("NFKC", chr(int(m[2], 16))).translate(_SIMPLE)
        return m[1] + b"<%04X>" % ord(plain)

    seen = set[int]()
    for page in writer.pages:
        for font in page["/Resources"].get("/Font", {}).values():  # type: ignore[attr-defined]
            table = font.get_object().get("/ToUnicode")
            if table is not None and table.idnum not in seen:
                seen.add(table.idnum)
                stream = table.get_object()
                stream.set_data(_RADICAL.sub(character, stream.get_data()))


def bound(project: Project, pdf: bytes, title: str, language: str) -> bytes:
    """Return a PDF with its title and author, and the date of the version instead of today's."""
    writer = PdfWriter(clone_from=io.BytesIO(pdf))
    writer.pdf_header = "%PDF-1.7"
    date = read_releases(project)[0].date.replace("-", "")
    writer.metadata = {
        "/Title": title,
        "/Author": "x0 contributors",
        "/CreationDate": f"D:{date}000000Z",
        "/Producer": "x0",
    }
    searchable(writer)
    target = io.BytesIO()
    writer.write(target)
    return target.getvalue()


def print_book(paper: Paper, page: Any) -> bytes:
    """Return the book in one language as PDF.

    Raises:
        BuildError: Something is wider than the paper, or a link inside leads nowhere.
    """
    project, language = paper.book.project, paper.language
    source = project.build / "book" / f"{language}.html"
    pages: dict[str, int] = {}
    for _ in range(2):
        write(source, paper.document(pages, paper.site.resolve().as_uri()))
        pdf, wide = printed(page, source, outline=True, tagged=True)
        before, pages = pages, destinations(pdf)
    faults = [f"wider than the paper: {x}" for x in wide]
    faults += [f"{x} moved between the passes" for x in before if before[x] != pages.get(x)]
    inside = set(re.findall(r'<a\b[^>]* href="#([^"]+)"', source.read_text(encoding="utf-8")))
    faults += [f"a link leads nowhere: {x}" for x in sorted(inside - pages.keys())]
    if faults:
        remedy = "shorten it, or change src/x0_take/templates/book.css"
        raise project.error(source, 0, "\n".join(faults[:20]), remedy)
    return bound(project, pdf, paper.book.words.theme[language]["x0.book"], language)


def figures(book: Book, page: Any) -> dict[str, bytes]:
    """Return the figures of both languages as PDF, by path in their archive."""
    tree, folder = book.project.build / "docs", book.project.build / "book"
    paths = sorted(path for x in LANGUAGES for path in tree.glob(f"{x}/figures/*.svg"))
    styles, bodies = [], []
    for number, path in enumerate(paths):
        svg = path.read_text(encoding="utf-8")
        _, _, width, height = re.search(r'viewBox="([^"]+)"', svg)[1].split()  # type: ignore[index]
        styles.append(f"@page f{number}{{size:{width}pt {height}pt;margin:0}}")
        bodies.append(f'<img style="page:f{number};width:{width}pt" src="{path.as_uri()}">')
    source = folder / "figures.html"
    look = f"<style>body{{margin:0}}img{{display:block}}{''.join(styles)}</style>"
    write(source, f"<!doctype html><meta charset=utf-8>{look}{''.join(bodies)}")
    pdf, _ = printed(page, source)
    reader, found = PdfReader(io.BytesIO(pdf)), {}
    if len(reader.pages) != len(paths):
        message = f"{len(paths)} figures fill {len(reader.pages)} pages"
        raise book.project.error(source, 0, message, "each figure fills one page of its size")
    for path, sheet in zip(paths, reader.pages, strict=True):
        writer, target = PdfWriter(), io.BytesIO()
        writer.add_page(sheet)
        writer.metadata = {"/Title": path.stem, "/Author": "x0 contributors"}
        writer.write(target)
        found[path.relative_to(tree).with_suffix(".pdf").as_posix()] = target.getvalue()
    return found
