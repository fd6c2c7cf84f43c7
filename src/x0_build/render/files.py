"""The files that readers take along: snippets/files.toml lists them for the page and its maker."""

from __future__ import annotations

import os
from typing import Any

from x0_build.book import Book
from x0_build.data.ledger import Row
from x0_build.project import LANGUAGES

SHAPE: dict[str, Any] = {
    "file": [
        {
            **dict.fromkeys(("path", "license", "below", *LANGUAGES), str),
            "release?": bool,  # made by `make book`, not part of the site
        }
    ]
}


def files(book: Book, repository: str) -> list[Row]:
    """Return the files in their order, each with its address: below the root, or of a release."""
    path = book.project.snippets / "files.toml"
    rows: list[Row] = book.project.toml(path, SHAPE)["file"] if path.is_file() else []
    released = os.environ.get("X0_BOOKS") or f"{repository}/releases/latest/download/"
    return [{**x, "url": released + x["path"] if "release" in x else x["path"]} for x in rows]
