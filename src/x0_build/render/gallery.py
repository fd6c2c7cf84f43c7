"""Figures as files: what the page of all figures shows, and what a reader may take along."""

from __future__ import annotations

import re
from collections.abc import Iterator

from x0_build.book import Book

FOLDER = "figures"
LETTERS = (8.25, 10.5)  # points: 11 to 14 pixels where a figure is as wide as it was drawn
_COLORS = re.compile(r"--(?:x\d|xg|xgrid|paper|ink): #\w+;")
_SCHEMES = (r":root \{", r':root\[data-md-color-scheme="slate"\] \{')


def gallery(book: Book, language: str) -> Iterator[tuple[str, str]]:
    """Return, by path, the figures of a language, with the colors of the style sheet."""
    path = book.project.docs / "theme" / "assets" / "x0.css"
    css = book.project.text(path) if path.is_file() else ""
    light, dark = (
        "".join(_COLORS.findall(found[1]) if (found := re.search(rf"(?s){x}(.*?)\}}", css)) else [])
        for x in _SCHEMES
    )
    look = f":root{{{light}color:var(--ink);background:var(--paper)}}"
    look += f"@media(prefers-color-scheme:dark){{:root{{{dark}}}}}"
    for keys in book.figures_of.values():
        for key in keys:
            svg = drawing(book, key, language).replace("><", f"><style>{look}</style><", 1)
            svg = re.sub(r' aria-labelledby="[^"]*"', "", svg, count=1)
            yield f"{FOLDER}/{key}.svg", svg.replace("<svg ", '<svg font-family="sans-serif" ', 1)


def drawing(book: Book, key: str, language: str) -> str:
    """Return a figure in one language, its letters as large as those of the other figures."""

    def clamped(m: re.Match[str]) -> str:
        return f'font-size="{min(max(float(m[1]), LETTERS[0]), LETTERS[1]):g}px"'

    svg = book.results[book.figures[key]].figure(key, language)
    return re.sub(r'font-size="([\d.]+)px"', clamped, svg)


def size(book: Book, key: str) -> str:
    """Return the width and the height of a figure, as attributes."""
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', drawing(book, key, "en"))
    width, height = (float(x) * 96 / 72 for x in box.groups()) if box else (0.0, 0.0)
    return f'width="{width:.0f}" height="{height:.0f}"'
