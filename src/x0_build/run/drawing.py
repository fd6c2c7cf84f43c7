"""One figure in both languages, and what is wrong with it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from matplotlib.cbook import is_math_text
from matplotlib.figure import Figure

from x0_build.data.labels import Labels, MissingLabelError
from x0_build.project import Problem
from x0_build.run import figures
from x0_build.run.origin import Origin


@dataclass
class Drawing:
    """What drawing a figure gave."""

    svgs: dict[str, str] = field(default_factory=dict)  # by language
    labels: dict[str, str] = field(default_factory=dict)  # each text with letters → its Chinese
    problems: list[Problem] = field(default_factory=list)


def draw(figure: Figure, key: str, origin: Origin, labels: Labels) -> Drawing:
    """Draw a figure in both languages and check it."""
    drawing = Drawing()
    missing: set[str] = set()
    mathtext: set[str] = set()
    outside: set[str] = set()

    def chinese(text: str) -> str:
        if is_math_text(text):
            mathtext.add(text)
            return text
        try:
            out = labels.translate(text)
        except MissingLabelError:
            missing.add(text)
            return text
        if any(character.isalpha() for character in text):
            drawing.labels[text] = out
        return out

    def problem(message: str, remedy: str, text: str = "") -> None:
        drawing.problems.append(origin.problem(f"figure {key} {message}", remedy, text))

    for message, remedy in _faults(figure):
        problem(message, remedy)
    drawing.svgs["en"] = figures.draw(figure, key, str, outside)
    drawing.svgs["zh"] = figures.draw(figure, key, chinese, outside)
    for text in mathtext:
        remedy = "write it in Unicode (σ², qˡ, 10⁻¹): Chinese does not render in mathtext"
        problem(f"has mathtext in its label “{text}”", remedy, text)
    for text in missing:
        written = json.dumps(origin.find(text)[1], ensure_ascii=False)
        remedy = f'add `{written} = "…"` to snippets/labels.toml, '
        remedy += "or its name to `keep` if it is the same in Chinese"
        problem(f"has no Chinese text for its label “{text}”", remedy, text)
    for text in outside:
        english = next((e for e, c in drawing.labels.items() if c == text), text)
        remedy = "shorten it (in snippets/labels.toml if it is Chinese), or break it with \\n"
        problem(f"cuts its label “{text}” off at the edge", remedy, english)
    size = max(map(figures.gzipped, drawing.svgs.values()))
    if size > figures.MAX_BYTES:
        most = figures.MAX_BYTES // 1024
        remedy = "thin its curves, draw fields as contours with few levels on a coarse grid, "
        remedy += "or pass rasterized=True to what is dense"
        problem(f"is {size / 1024:.0f} KB gzipped; at most {most} KB may be", remedy)
    return drawing


def _faults(figure: Figure) -> Iterator[tuple[str, str]]:
    """Find what is wrong with a figure before it is drawn: message and remedy."""
    if figure.get_figwidth() > figures.MAX_INCHES + 1e-9:
        remedy = f"use at most {figures.MAX_INCHES} inches and stack the panels: "
        remedy += "wider figures cannot be read on a phone"
        yield f"is {figure.get_figwidth():g} inches wide", remedy
    if not figure.axes:
        yield "is empty", "draw something in it"
    for ax in figure.axes:
        if ax.get_label() == "<colorbar>":  # Matplotlib fills it
            continue
        if not ax.has_data() and (ax.axison or not ax.texts):
            yield "has axes without data", "plot something in them, or remove them"
        drawn = [*ax.lines, *ax.collections, *ax.images, *ax.containers]
        data = [np.asarray(data, float) for artist in drawn for data in _data(artist)]
        nothing = ax.has_data() and not np.isfinite(ax.dataLim.get_points()).any()
        if nothing or any(numbers.size and not np.isfinite(numbers).any() for numbers in data):
            yield "draws data none of which is finite", "find the overflow or the 0/0 behind it"


def _data(artist: Any) -> Iterator[Any]:
    """Return the numbers behind a line, bars, an image, points, areas."""
    if hasattr(artist, "get_xydata"):
        yield from artist.get_xydata().T
    if getattr(artist, "datavalues", None) is not None:
        yield artist.datavalues
    if hasattr(artist, "get_array") and artist.get_array() is not None:
        yield np.ma.filled(np.ma.asarray(artist.get_array(), float), np.nan)
    if hasattr(artist, "get_paths"):
        yield from np.ma.filled(artist.get_offsets().astype(float), np.nan).T
        yield np.concatenate([[[np.nan, np.nan]], *(path.vertices for path in artist.get_paths())])
