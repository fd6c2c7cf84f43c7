"""Open data: equations, statements and claims as JSON, figures and notebooks as archives."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from x0_build.book import Book
from x0_build.project import LANGUAGES
from x0_build.render.writer import Writer
from x0_take.twin import bare

Content = str | bytes


def data(book: Book) -> dict[str, Content]:
    """Return the files of data by their path below the root of the site."""
    tree = book.project.build / "docs"
    drawn = [path for x in LANGUAGES for path in tree.glob(f"{x}/figures/*.svg")]
    return {
        "data/equations.json": _json(_equations(book)),
        "data/statements.json": _json(_statements(book)),
        "data/claims.json": _json(_claims(book)),
        "data/references.bib": book.project.text(book.project.snippets / "references.bib"),
        "figures.zip": archive(tree, drawn),
        "notebooks.zip": archive(tree, tree.glob("*/labs/files/*.ipynb")),
    }


def archive(root: Path, paths: Iterable[Path]) -> bytes:
    """Return a ZIP file of files below a folder, the same in every run."""
    return packed({path.relative_to(root).as_posix(): path.read_bytes() for path in paths})


def packed(files: dict[str, bytes]) -> bytes:
    """Return a ZIP file of files by their path in it, the same in every run."""
    target = io.BytesIO()
    with zipfile.ZipFile(target, "w") as made:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name)
            entry.external_attr = 0o644 << 16
            made.writestr(entry, content, zipfile.ZIP_DEFLATED, 9)
    return target.getvalue()


def _json(rows: list[dict[str, Any]]) -> str:
    return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"


def _equations(book: Book) -> list[dict[str, Any]]:
    pages: dict[str, dict[str, int]] = {}  # with the number that it has there, by key
    for (page, kind, key), number in book.numbers.items():
        if kind == "eq":
            pages.setdefault(key, {})[page] = number
    return [
        {
            "key": key,
            "tex": book.katex.plain(row.tex.strip()),
            "kind": (mark := book.checks[key].mark).kind,
            "tolerance": mark.tolerance,
            "evaluated": "TeX" if mark.parsed else "code",
            "test": f"{mark.file}::{mark.test}",
            "pages": pages.get(key, {}),
        }
        for key, row in sorted(book.equations.items())
        if key in book.checks
    ]


def _statements(book: Book) -> list[dict[str, Any]]:
    pages: dict[str, list[str]] = {}
    for name in book.order:
        for key in book.either[name].keys("proof"):
            pages.setdefault(key, []).append(name)
    writers = {x: Writer(book, book.pages[x]["index"]) for x in LANGUAGES}
    return [
        {
            "key": key,
            "says": row.says,
            "kind": row.kind,
            "proof": {language: w.proof(row) for language, w in writers.items()},
            "test": f"{row.file}::{row.test}",
            "pages": list(dict.fromkeys(pages.get(key, []))),
        }
        for key, row in sorted(book.statements.items())
    ]


def _claims(book: Book) -> list[dict[str, Any]]:
    def told(text: dict[str, str]) -> dict[str, str]:
        """Return a text without the links and signs of the pages."""
        writers = {x: Writer(book, book.pages[x]["index"]) for x in text}
        return {x: bare(writers[x].text(text[x], row.page, row.line)) for x in text}

    found = []
    for row in sorted(book.ledger.claims, key=lambda row: row.id):
        tests = [f"{test.file}::{test.name}" for test in book.proofs.get(row.id, [])]
        judged = {"id": row.id, "source": row.source, "where": row.where, "verdict": row.verdict}
        texts = {"claim": told(row.text), "holds": told(row.correct)}
        proof = {"editorial": told(row.editorial)} if row.editorial else {"tests": tests}
        found.append({**judged, "page": row.page, **texts, **proof})
    return found
