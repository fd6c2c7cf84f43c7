"""What readers take along and a site does not need: `python -m x0_take`, after `make site`."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable

from x0_build import site as building
from x0_build.book import Book, read_book
from x0_build.data.release import read_releases
from x0_build.project import LANGUAGES, BuildError, Project, write
from x0_build.render.files import files
from x0_take.data import packed
from x0_take.offline import offline
from x0_take.paper import Paper
from x0_take.printing import check_fonts, chromium, figures, print_book
from x0_take.site import compared, fits


def home() -> str:
    """Return the address at which the site is published: as told, else where GitHub puts it."""
    repository = os.environ.get("X0_REPOSITORY", building.REPOSITORY)
    owner, name = repository.rstrip("/").split("/")[-2:]
    address = os.environ.get("X0_SITE_URL") or f"https://{owner}.github.io/{name}/"
    return address.rstrip("/") + "/"


def make(book: Book) -> None:
    """Write the books, the figures as PDF and the copy for reading without a network."""
    check_fonts(book.project)
    folders = [book.project.build / "book"]
    if os.environ.get("X0_BOOKS"):  # the page of all files says that the site has them
        folders.append(book.project.site / "book")
    made = set[str]()

    def add(name: str, content: Callable[[], bytes]) -> None:
        start = time.perf_counter()
        data = content()
        for folder in folders:
            write(folder / name, data)
        fits(book, name, folders[0] / name)
        made.add(name)
        print(f"{name}: {len(data) / 1e6:.1f} MB, {time.perf_counter() - start:.0f} s", flush=True)

    add("x0-offline.zip", lambda: offline(book.project.site))
    with chromium(book.project) as page:
        for language in LANGUAGES:
            paper = Paper(book, language, book.project.site, home())
            add(f"x0-{language}.pdf", lambda paper=paper: print_book(paper, page))  # type: ignore[misc]
        add("figures-pdf.zip", lambda: packed(figures(book, page)))
    compared(book.project, {x["path"] for x in files(book, "") if "release" in x}, made)


def notes(project: Project, tag: str) -> None:
    """Print what has changed with a version, for its release.

    Raises:
        BuildError: The tag is not that of the newest version.
    """
    newest = read_releases(project)[0]
    if tag != f"v{newest.version}":
        message = f"the newest entry is {newest.version}; the tag is {tag}"
        remedy = "tag the commit whose CHANGELOG.md begins with this version"
        raise project.error(project.root / "CHANGELOG.md", 0, message, remedy)
    for language in reversed(LANGUAGES):
        print("\n".join(f"- {change[language]}" for change in newest.changes), end="\n\n")


def main() -> int:
    """Make everything, or print notes; return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m x0_take", description=__doc__)
    parser.add_argument("--notes", metavar="TAG", help="print the changes of the version of a tag")
    tag = parser.parse_args().notes
    try:
        project = Project.find()
        notes(project, tag) if tag is not None else make(read_book(project))
    except BuildError as error:
        print(f"\n{error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
