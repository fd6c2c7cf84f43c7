"""Figures: one Matplotlib figure becomes one inlinable SVG per language.

Imports Matplotlib, so only workers import this module.
"""

from __future__ import annotations

import gzip
import io
import re
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import matplotlib.style
from lxml import etree
from matplotlib import rcdefaults, rcParams
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.cbook import is_math_text
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.text import Text
from scour import scour

import x0_beside

STYLE = Path(__file__).with_name("x0.mplstyle")
MAX_INCHES = 5.8
EDGE = 1  # point that a text may reach over the edge
MAX_BYTES = 30 * 1024  # gzipped: what a reader's phone loads

SVG = "{http://www.w3.org/2000/svg}"


def set_style() -> None:
    """Apply the style file to plain Matplotlib, whatever the machine's own matplotlibrc says."""
    rcdefaults()
    matplotlib.style.use(STYLE)


def draw(
    figure: Figure, key: str, translate: Callable[[str], str], outside: set[str] | None = None
) -> str:
    """Draw a figure with its texts translated and return an SVG to inline in a page.

    Args:
        figure: Drawn as it is; its texts are not changed, so it can be drawn again.
        key: The figure's key, which prefixes all ids.
        translate: From the text in the figure to the text to draw. It sees log ticks as
            Unicode (10⁻¹) and may be called several times for one text.
        outside: Takes the texts that reach over the figure's edge.
    """
    file, legends = io.BytesIO(), x0_beside.told(figure)
    reached: set[str] = set()
    with _texts(lambda text: translate(plain(text)), reached), x0_beside.labels(figure, legends):
        reached.clear()  # what it drew to find the places is not the figure
        figure.savefig(file, format="svg", metadata={"Date": None})
    if outside is not None:
        outside |= reached
    return inlinable(file.getvalue(), key)


def gzipped(svg: str) -> int:
    """Return how many bytes a reader loads."""
    return len(gzip.compress(svg.encode(), mtime=0))


# --- texts


@contextmanager
def _texts(translate: Callable[[str], str], outside: set[str]) -> Iterator[None]:
    """Translate every text while it is drawn.

    Matplotlib reads each text with `Text.get_text` when it lays out and draws. Replacing that
    one method covers titles, axes, legends, color bars, annotations and ticks; changing the
    texts themselves does not, because ticks get theirs anew at each draw.
    """
    get_text: Any = Text.get_text
    measure: Any = RendererSVG.get_text_width_height_descent
    draw_text: Any = RendererSVG.draw_text

    def translated(self: Text) -> str:
        return translate(get_text(self))

    def measured(self: Any, s: str, prop: Any, ismath: Any) -> Any:
        """Count a CJK character as 1 em: no Chinese font is needed to lay out a figure."""
        wide = sum(unicodedata.east_asian_width(character) in "WF" for character in s)
        if not wide:
            return measure(self, s, prop, ismath)
        rest = "".join(c for c in s if unicodedata.east_asian_width(c) not in "WF")
        width = measure(self, rest, prop, False)[0] if rest else 0.0
        _, height, descent = measure(self, "lp", prop, False)
        return width + wide * prop.get_size_in_points(), height, descent

    def drawn(self: Any, *arguments: Any, mtext: Any = None, **more: Any) -> None:
        if mtext is not None:
            box = mtext.get_window_extent(self)
            if min(box.x0, box.y0, self.width - box.x1, self.height - box.y1) < -EDGE:
                outside.add(mtext.get_text())
        draw_text(self, *arguments, mtext=mtext, **more)

    with (
        patch.object(Text, "get_text", translated),
        patch.object(RendererSVG, "get_text_width_height_descent", measured),
        patch.object(RendererSVG, "draw_text", drawn),
    ):
        yield


SUPERSCRIPT = str.maketrans("0123456789+-−.", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻·")


def plain(text: str) -> str:
    r"""Write what Matplotlib's formatters set as mathtext in Unicode.

    >>> plain(r"$\mathdefault{-2\times10^{-1}}$")
    '−2×10⁻¹'

    Other mathtext is returned as it is.
    """
    if not is_math_text(text):
        return text
    out = text.replace("$", "").replace(r"\times", "×").replace(r"\frac{1}{2}", "½")
    out = re.sub(r"\^\{([^{}]*)\}", lambda match: match[1].translate(SUPERSCRIPT), out)
    while r"\mathdefault" in out:
        out, changed = re.subn(r"\\mathdefault\{([^{}]*)\}", r"\1", out)
        if not changed:
            break
    return text if re.search(r"[\\{}^_]", out) else out.replace("-", "−")


# --- SVG


def inlinable(svg: bytes, key: str) -> str:
    """Turn Matplotlib's SVG into one that a page can contain and a theme can color.

    Series colors become `var(--x1, …)` to `var(--x8, …)`, black `currentColor`, greys
    `var(--xg, …)` and, from 0.7 upwards (grids, shades), `var(--xgrid, …)`, white behind things
    `var(--xp, none)`. Text that is white stays: it stands on something colored.
    """
    parser = etree.XMLParser(remove_comments=True, remove_blank_text=True, huge_tree=True)
    root = etree.fromstring(svg, parser)
    for element in root.findall(f"{SVG}metadata"):
        root.remove(element)
    for style in root.findall(f"{SVG}defs/{SVG}style"):
        style.getparent().getparent().remove(style.getparent())

    colors = _color_map()
    for element in root.iter(f"{SVG}*"):
        for name in ("x", "y"):
            if value := element.get(name):
                element.set(name, f"{round(float(value), 1):.6g}")  # in pt; scour leaves these
        if element.get("transform", "").startswith("rotate(-0 "):
            del element.attrib["transform"]
        for name in ("fill", "stroke"):
            if value := element.get(name):
                element.set(name, _themed(f"{name}: {value}", element, colors).split(": ")[1])
        if style := element.get("style"):
            style = re.sub(r"font-family:[^;]*(;\s*|$)", "", style)  # the page's font
            element.set("style", _themed(style, element, colors).strip("; "))

    root = etree.fromstring(_small(etree.tostring(root, encoding="unicode"), f"fig-{key}-"))
    _, _, width, _ = root.get("viewBox").split()
    for name in ("width", "height", "version"):
        root.attrib.pop(name, None)
    root.set("style", f"max-width: {float(width) * 96 / 72:.0f}px")
    root.set("role", "img")
    root.set("aria-labelledby", f"fig-{key}-caption")  # the page puts the caption there
    root.set("fill", "currentColor")  # Matplotlib writes no fill where it means black
    root.set("stroke-linejoin", "round")  # what the removed global style said
    return str(etree.tostring(root, encoding="unicode"))


def _small(svg: str, prefix: str) -> str:
    """Remove what an SVG does not need, half of its bytes; ids become prefix and letters."""
    options = scour.sanitizeOptions()
    options.digits = options.cdigits = 4  # 0.1 pt where a figure is 400 pt wide
    options.strip_ids = options.shorten_ids = True
    options.shorten_ids_prefix = prefix
    options.strip_xml_prolog = options.quiet = True
    options.indent_type, options.newlines = "none", False
    return str(scour.scourString(svg, options))


def _color_map() -> dict[str, str]:
    """Return the CSS value of each color that a theme may change."""
    cycle = [to_hex(color) for color in rcParams["axes.prop_cycle"].by_key()["color"]]
    colors = {"#000000": "currentColor"}
    colors |= {color: f"var(--x{n}, {color})" for n, color in enumerate(cycle, 1)}
    for level in range(1, 255):
        grey = f"#{level:02x}" + 2 * f"{level:02x}"
        # Without a theme's value a grid must suit dark pages too.
        light = f"var(--xgrid, rgba(128, 128, 128, {(255 - level) / 128:.2f}))"
        colors[grey] = f"var(--xg, {grey})" if level < 178 else light
    return colors


def _themed(style: str, element: Any, colors: dict[str, str]) -> str:
    def color(match: re.Match[str]) -> str:
        name, value = match.groups()
        if value == "#ffffff" and element.tag != f"{SVG}text":
            return f"{name}: var(--xp, none)"
        return f"{name}: {colors.get(value, value)}"

    return re.sub(r"\b(fill|stroke): (#[0-9a-f]{6})\b", color, style)
