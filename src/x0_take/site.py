"""What is added to a finished site: Markdown twins, lists of them, open data."""

from __future__ import annotations

import posixpath
import re
from collections.abc import Iterator
from pathlib import Path

from x0_build.book import Book
from x0_build.project import Project, write
from x0_build.render.files import files
from x0_take.data import Content, data
from x0_take.twin import Twin, address, footnotes, lab

UNITS = {"KB": 1_000, "MB": 1_000_000}


def add(book: Book, language: str, site: Path) -> None:
    """Write the twins of a language; beside the Chinese ones, at the root, the data.

    Raises:
        BuildError: A file is not listed in snippets/files.toml, is listed and not made, or is too
            large.
    """
    for uri, text in sources(book, language):
        write(site / address(uri) / "index.md", Twin(book, language, uri, address(uri)).whole(text))
    made: dict[str, Content] = {"llms-full.txt": full(book, language)}
    if language == "zh":
        made |= {"llms.txt": listed(book), **data(book)}
    root = "" if language == "zh" else "en/"
    for name, content in made.items():
        write(site / name, content)
        fits(book, root + name, site / name)
    paths = {row["path"] for row in files(book, "") if "release" not in row}
    here = {path for path in paths if path.startswith("en/") == bool(root)}
    compared(book.project, here, {root + name for name in made})


def compared(project: Project, listing: set[str], made: set[str]) -> None:
    """Complain of files that are listed or made, but not both."""
    path = project.snippets / "files.toml"
    if path.is_file() and (odd := sorted(listing ^ made)):
        remedy = "list what is made, and make what is listed"
        raise project.error(path, 0, f"does not tell what is made: {', '.join(odd)}", remedy)


def fits(book: Book, name: str, path: Path) -> None:
    """Complain of a file that is larger than its row says."""
    for row in files(book, ""):
        number, unit = row["below"].split()
        if row["path"] == name and path.stat().st_size >= float(number) * UNITS[unit]:
            message = f"{name} has {path.stat().st_size} bytes, not less than {row['below']}"
            remedy = "make it smaller, or tell its size in `below`"
            raise book.project.error(book.project.snippets / "files.toml", 0, message, remedy)


def sources(book: Book, language: str) -> Iterator[tuple[str, str]]:
    """Yield the path and the prepared Markdown of each page."""
    tree = book.project.build / "docs" / language
    for path in sorted([*tree.rglob("*.md"), *tree.glob("labs/*.ipynb")]):
        uri = path.relative_to(tree).as_posix()
        yield uri, book.project.text(path) if path.suffix == ".md" else lab(book, language, uri)


def written(book: Book, language: str) -> Iterator[tuple[str, str]]:
    """Yield the path and the title of each written page, in the order of the book."""
    for name in book.order:
        if page := book.pages[language].get(name):
            yield page.uri, re.sub(r"[`*$]", "", page.title)


def full(book: Book, language: str) -> str:
    """Return the written pages of a language as one Markdown file."""
    found = {address(uri): (uri, text) for uri, text in sources(book, language)}
    texts, proofs = list[str](), dict[str, str]()
    for page, _ in written(book, language):
        uri, text = found[address(page)]
        twin = Twin(book, language, uri, "", proofs=proofs)
        texts.append(twin.text(text))
    return "\n".join(texts) + footnotes(proofs)


def listed(book: Book) -> str:
    """Return the list of the twins of both languages, as llmstxt.org lays it out."""
    parts = [f"# {book.words.theme['en']['x0.book']}\n"]
    for language, root in (("en", "en/"), ("zh", "")):
        home = book.pages[language].get("index")
        parts.append(f"> {home.meta.get('description', '')}\n" if home and root else "")
        parts.append(f"## {'English' if language == 'en' else '中文'}\n")
        rows = [f"- [{book.words.theme[language]['x0.book']}]({root}llms-full.txt)"]
        for uri, title in written(book, language):
            said = book.pages[language][uri.removesuffix(".md")].meta.get("description", "")
            place = posixpath.join(root, address(uri), "index.md")
            rows.append(f"- [{title}]({place}){f': {said}' if said else ''}")
        parts.append("\n".join(rows) + "\n")
    return "\n".join(filter(None, parts))
