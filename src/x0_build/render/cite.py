"""What others need to cite the book and to follow it: its version, and a feed of changes."""

from __future__ import annotations

from x0_build.book import Book
from x0_build.data.release import read_releases
from x0_build.render.page import templates


def feed(book: Book, language: str, repository: str) -> str:
    """Return the changes of all versions as an Atom feed.

    Args:
        book: The book.
        language: The language of the feed.
        repository: The address of the repository, to which entries lead.
    """
    words, releases = book.words.theme[language], read_releases(book.project)
    names = {"releases": releases, "language": language, "words": words, "repository": repository}
    return f"{templates().get_template('feed.xml').render(**names)}\n"
