"""Labels at lines: what a legend says stands beside what it names, where there is room for it.

Modules call `legend()`, which is short and what readers copy. It stays if colors do not tell its
entries, or if one of them finds no place.
"""

from __future__ import annotations

import io
import math
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

import numpy as np
from matplotlib import rcParams
from matplotlib.backends.backend_agg import RendererAgg
from matplotlib.colors import to_hex, to_rgba_array
from matplotlib.container import Container
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.text import Text

MOST = 5  # entries of a legend
NEAR, CLEAR, FAR = (2, 6), 6, 16  # points to its own line; to all else; where nothing disturbs
PAD = 2  # points that a label keeps free on its left and right
INK = 0.15  # lighter is a shade that a text may stand on
PHONE = 1.15  # a phone's letters in terms of these (x0.css)
Named = dict[str, Any]  # what is drawn in one axes, by its label


def told(figure: Figure) -> dict[Legend, tuple[Any, Named]]:
    """Return the legends whose entries are drawn in one axes, each in a color of its own."""
    found = {}
    legends = [(legend, figure.axes) for legend in figure.legends]
    legends += [(legend, [ax]) for ax in figure.axes if (legend := ax.get_legend())]
    for legend, axes in legends:
        shown = [text.get_text() for text in legend.texts]
        for ax in axes[::-1]:
            drawn = dict(zip(*ax.get_legend_handles_labels()[::-1], strict=True))
            drawn = {label: drawn[label] for label in shown if label in drawn}
            colors = {_color(handle) for handle in drawn.values()} - {None}
            if len(colors) == len(shown) <= MOST and not legend.get_title().get_text():
                found[legend] = (ax, drawn)
    return found


@contextmanager
def labels(figure: Figure, legends: dict[Legend, tuple[Any, Named]]) -> Iterator[None]:
    """Put labels in the place of legends, where all of one find room, while a figure is drawn."""
    texts: dict[Legend, list[Text] | None] = {}

    def replace(wanted: list[Legend], renderer: Any = None) -> None:
        for text in chain(*filter(None, texts.values())):
            text.remove()
        texts.clear()
        for legend in legends:
            legend.set(visible=legend not in wanted, in_layout=legend not in wanted)
        for legend in wanted:
            texts[legend] = _place(figure, renderer, *legends[legend]) if renderer else None

    def place(event: Any) -> None:
        if None in texts.values():  # else it was the layout's event, and this is the drawing's
            replace([*texts], event.renderer)

    left = list(legends)
    while left and not (len(texts) == len(left) and all(texts.values())):
        replace(left)
        draw = figure.canvas.mpl_connect("draw_event", place)
        figure.savefig(io.BytesIO(), format="svg")
        figure.canvas.mpl_disconnect(draw)
        left = [legend for legend in left if texts[legend]]
    if not left:
        replace([])
    try:
        yield
    finally:
        replace([])


def _parts(handle: Any) -> list[Any]:
    return [*handle.get_children()] if isinstance(handle, Container) else [handle]


def _color(handle: Any) -> str | None:
    """Return the color of what is drawn, if it has one."""
    for name in ("get_color", "get_facecolor", "get_edgecolor"):
        given = to_rgba_array(getattr(_parts(handle)[0], name, list)())
        if colors := {to_hex(color) for color in given if color[3]}:
            return colors.pop() if len(colors) == 1 else None
    return None


def _dots(handle: Any) -> bool:
    """Tell points, which may lie on a line that is drawn for them, from lines."""
    part = _parts(handle)[0]
    return hasattr(part, "get_sizes") or getattr(part, "get_linestyle", str)() == "None"


def _ink(thing: Any, renderer: Any) -> Any:
    """Return where something is drawn, a pixel a point; of a text its box."""
    size = int(renderer.width), int(renderer.height)
    agg: Any = RendererAgg(*size, 72)  # type: ignore[no-untyped-call]
    pixels = np.asarray(agg.buffer_rgba())[::-1]
    if isinstance(thing, Legend | Text):
        x0, y0, x1, y1 = np.clip(thing.get_window_extent(renderer).extents, 0, None).astype(int)
        pixels[y0 : y1 + 1, x0 : x1 + 1] = (0, 0, 0, 255)
    else:
        for part in _parts(thing):
            part.draw(agg)
    return pixels[..., 3] / 255 * (1 - pixels[..., :3].mean(-1) / 255) > INK


def _count(ink: Any, width: int, height: int, reach: int) -> Any:
    """Count the ink in a box and within reach of it, for each place of its lower left corner."""
    total = np.pad(np.pad(ink, reach).cumsum(0).cumsum(1), ((1, 0), (1, 0)))
    w, h = width + 2 * reach, height + 2 * reach
    return total[h:, w:] - total[:-h, w:] - total[h:, :-w] + total[:-h, :-w]


def _costs(frame: Any, size: tuple[int, int], *inks: Any) -> Any:
    """Return how bad each place of a label is: good is along its line, on the right, far from all else.

    Where it cannot be, this is infinite. The inks are its own, that it may be near, the others.
    """
    width, height = size
    near, friend, far = (
        sum((_count(ink, *size, reach) == 0).astype(int) for reach in range(FAR)) for ink in inks
    )
    y, x = np.indices(far.shape)
    fits = (x >= frame.x0 + 3) & (y >= frame.y0 + 3) & (x + width <= frame.x1)
    fits &= (y + height <= frame.y1) & (near >= NEAR[0]) & (near <= NEAR[1])
    fits &= (friend >= NEAR[0]) & (far >= np.maximum(CLEAR, 2 * near))
    along = np.minimum(_count(inks[0], *size, NEAR[1]) / width, 1)
    right = (x + width / 2 - frame.x0) / frame.width
    cost = 2 * np.maximum(near - 3, 0) - far - 0.4 * friend - 6 * along - 5 * right
    return np.where(fits, cost, np.inf)


def _sides(drawn: Named, things: list[Any], inks: list[Any]) -> Iterator[tuple[Any, Any, Any]]:
    """Yield of each label the ink of what it names, of what it may be near, and of all else.

    It may be near what has the same color, and near the line on which points lie. What lies on
    something of its kind in the color of another label has nothing to be named by.
    """
    wide = [_count(ink, 1, 1, 2) > 0 for ink in inks]
    kinds = {_color(handle): _dots(handle) for handle in drawn.values()}
    for n, own in enumerate(drawn.values()):
        friends, others = np.zeros_like(inks[n]), np.zeros_like(inks[n])
        for m, thing in enumerate(things):
            alike = _color(thing) == _color(own)
            pairs = ((inks[n], wide[m]), (inks[m], wide[n]))
            if not alike and any((x & y).sum() > x.sum() / 2 for x, y in pairs):
                if kinds.get(_color(thing)) == _dots(own):
                    return
                alike = _dots(thing) != _dots(own)
            if thing is not own:
                (friends if alike else others)[inks[m]] = True
        yield inks[n], friends, others


def _place(figure: Figure, renderer: Any, ax: Any, drawn: Named) -> list[Text]:
    """Place the labels of a legend; none if one of them finds no place."""
    known = {part for handle in drawn.values() for part in _parts(handle)}
    for one in figure.axes:
        known |= {one.xaxis, one.yaxis, one.patch, *one.spines.values()}
    rest = [x for one in figure.axes for x in one.get_children() if x.get_visible()]
    things = [*drawn.values(), *(x for x in rest if x not in known)]
    sides = [*_sides(drawn, things, [_ink(thing, renderer) for thing in things])]
    rows = any(tick.get_text()[:1].isalpha() for tick in ax.get_yticklabels())
    if rows or len(sides) < len(drawn):  # in rows, each point is a thing of its own
        return []
    texts, sizes, costs = [], [], []
    for (label, handle), inks in zip(drawn.items(), sides, strict=True):
        text = ax.text(0, 0, label, transform=ax.transAxes, va="bottom", in_layout=False)
        text.set(color=_color(handle), size=rcParams["legend.fontsize"])
        box = text.get_window_extent(renderer)
        texts.append(text)
        sizes.append((math.ceil(PHONE * box.width) + 2 * PAD, math.ceil(box.height)))
        costs.append(_costs(ax.bbox, sizes[-1], *inks))
    for n in sorted(range(len(texts)), key=lambda n: np.isfinite(costs[n]).sum()):
        if not np.isfinite(costs[n]).any():
            for text in texts:
                text.remove()
            return []
        y, x = np.unravel_index(costs[n].argmin(), costs[n].shape)
        texts[n].set_position(ax.transAxes.inverted().transform((x + PAD, y)))
        for cost, (width, height) in zip(costs, sizes, strict=True):
            low, left = max(0, y - height - PAD), max(0, x - width - CLEAR)
            cost[low : y + sizes[n][1] + PAD, left : x + sizes[n][0] + CLEAR] = np.inf
    return texts
