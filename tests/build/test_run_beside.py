"""Labels at lines: they replace a legend where all of them find room, and stand free of everything."""

from __future__ import annotations

import re

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from lxml import etree
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.textpath import TextPath

import x0_beside
from x0_build.run import figures

matplotlib.use("Agg")
pytestmark = pytest.mark.usefixtures("style")
CHINESE = {"falls": "下降", "rises": "上升", "stays the same": "保持不变"}
SLOPES = {"falls": -1.0, "rises": 1.0, "stays the same": 0.0}
FONT = FontProperties(family="DejaVu Sans", size=10)


def lines(colors: tuple[str, ...] = ("C0", "C1", "C2")) -> Figure:
    """Draw three lines, the first two of which cross."""
    fig, ax = plt.subplots()
    x = np.linspace(0, 1, 20)
    for (label, slope), color in zip(SLOPES.items(), colors, strict=True):
        ax.plot(x, slope * (x - 0.5) + (slope == 0), "o-", color=color, label=label)
    ax.axhline(-0.25, color="black", linestyle="--")
    ax.legend()
    return fig


def tangled() -> Figure:
    """Draw two noises over each other: beside a line there is always the other one."""
    fig, ax = plt.subplots()
    for label, noise in zip(SLOPES, np.random.default_rng(0).normal(size=(2, 2000)), strict=False):
        ax.plot(noise, label=label)
    ax.legend()
    return fig


def drawn(fig: Figure, translate: dict[str, str] | None = None) -> etree._Element:
    words = translate or {}
    return etree.fromstring(figures.draw(fig, "k", lambda text: words.get(text, text)))


def labels(root: etree._Element) -> dict[str, tuple[str, list[float]]]:
    """Return the color and the box (left, top, right, bottom) of each text in a series color."""
    found = {}
    for text in root.iter(f"{figures.SVG}text"):
        if color := re.search(r"var\(--x(\d)", text.get("fill", "")):
            x, y, word = float(text.get("x", "0")), float(text.get("y", "0")), text.text or ""
            box = TextPath((0, 0), word, prop=FONT).get_extents()
            wide = 1.15 * (10 * len(word) if word in CHINESE.values() else box.width)  # on a phone
            found[word] = (f"C{int(color[1]) - 1}", [x, y - 8, x + wide, y + 2])
    return found


def points(fig: Figure, svg: etree._Element) -> dict[str, np.ndarray]:
    """Return the points of each line of the first axes, in the units of the drawing, by color."""
    height = float((svg.get("viewBox") or "").split()[3])
    found: dict[str, np.ndarray] = {}
    with plt.rc_context():
        fig.dpi = 72
        for line in fig.axes[0].lines:
            path = line.get_transform().transform_path(line.get_path()).interpolated(60).vertices
            found[str(line.get_color())] = path * [1, -1] + [0, height]
        fig.dpi = 96
    return found


def distance(box: list[float], cloud: np.ndarray) -> float:
    low, high = np.array(box[:2]), np.array(box[2:])
    return float(np.hypot(*np.maximum(0, np.maximum(low - cloud, cloud - high)).T).min())


@pytest.mark.parametrize("words", [{}, CHINESE])
def test_a_label_is_near_its_line_and_far_from_all_else(words: dict[str, str]) -> None:
    fig = lines()
    svg = drawn(fig, words)
    found = labels(svg)
    assert {label: color for label, (color, _) in found.items()} == {
        words.get(label, label): f"C{n}" for n, label in enumerate(SLOPES)
    }
    clouds = points(fig, svg)
    for color, box in found.values():
        own = distance(box, clouds[color])
        assert 1 < own < 12
        assert all(distance(box, x) > max(4, own) for c, x in clouds.items() if c != color)
        for _, other in found.values():
            apart = other[0] > box[2] or box[0] > other[2] or other[1] > box[3] or box[1] > other[3]
            assert apart or other is box
    left, bottom = fig.axes[0].get_position().p0 * fig.get_size_inches() * 72
    assert all(box[0] > left for _, box in found.values())
    assert all(box[3] < 3.4 * 72 - bottom for _, box in found.values())


def test_the_figure_is_left_as_it_was_and_drawn_the_same_again() -> None:
    fig = lines()
    limits, children = fig.axes[0].axis(), fig.axes[0].get_children()
    first = figures.draw(fig, "k", str)
    legend = fig.axes[0].get_legend()
    assert legend is not None
    assert legend.get_visible()
    assert legend.get_in_layout()
    assert (fig.axes[0].axis(), fig.axes[0].get_children()) == (limits, children)
    assert figures.draw(fig, "k", str) == first == figures.draw(lines(), "k", str)


@pytest.mark.parametrize("colors", [("C0", "C1", "C1"), ("C2", "C2", "C2")])
def test_two_lines_of_one_color_keep_the_legend(colors: tuple[str, ...]) -> None:
    assert labels(drawn(lines(colors))) == {}
    assert labels(drawn(lines())).keys() == SLOPES.keys()


def test_where_lines_cross_everywhere_the_legend_stays_whole() -> None:
    fig = tangled()
    svg = drawn(fig)
    assert labels(svg) == {}
    assert [x.text for x in svg.iter(f"{figures.SVG}text") if x.text in SLOPES] == [*SLOPES][:2]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(x0_beside, "told", lambda figure: {})
        assert figures.draw(fig, "k", str) == figures.draw(tangled(), "k", str)
        assert etree.tostring(svg, encoding="unicode") == figures.draw(fig, "k", str)


@pytest.mark.parametrize("what", ["six", "title", "proxy", "rows", "hidden"])
def test_other_legends_stay(what: str) -> None:
    fig = lines()
    ax = fig.axes[0]
    if what == "six":
        for n in range(3, 6):
            ax.plot([0, 1], [n, n], f"C{n}", label=f"{n}")
        ax.legend()
    elif what == "title":
        ax.legend(title="kind")
    elif what == "proxy":
        ax.legend([*ax.lines[:2], plt.Line2D([], [], color="C5")], ["a", "b", "c"])
    elif what == "rows":
        ax.set_yticks([0, 1], ["Adam", "SGD"])
    else:
        ax.plot(ax.lines[0].get_xdata(), ax.lines[0].get_ydata(), "o-", color="C3", label="twin")
        ax.legend()
    assert labels(drawn(fig)) == {}


def test_one_legend_of_two_stays_and_the_other_goes() -> None:
    fig, (top, bottom) = plt.subplots(2, figsize=(5.8, 6))
    for n, noise in enumerate(np.random.default_rng(0).normal(size=(2, 2000))):
        top.plot(noise, label=f"noise {n}")
    bottom.plot([0, 1], [0, 1], label="alone")
    top.legend()
    bottom.legend()
    root = drawn(fig)
    texts = [x.text for x in root.iter(f"{figures.SVG}text")]
    assert labels(root).keys() == {"alone"}
    assert [texts.count(x) for x in ("noise 0", "noise 1", "alone")] == [1, 1, 1]
