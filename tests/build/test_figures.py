"""Figures: what Matplotlib writes becomes what a page can contain."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from typing import Any

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from lxml import etree
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.figure import Figure
from matplotlib.text import Text

from x0_build import figures

matplotlib.use("Agg")
CHINESE = {"title": "标题", "a": "甲", "horizontal": "水平方向", "legend": "图例", "note": "注"}


@pytest.fixture(autouse=True)
def style() -> Iterator[None]:
    with matplotlib.rc_context():
        figures.set_style()
        yield
    plt.close("all")


def everything() -> Figure:
    """Draw one of each thing that carries text, a color or an id."""
    fig, (top, bottom) = plt.subplots(2, figsize=(5.8, 5))
    for n in range(8):
        top.plot([1, 10, 100], [n, n + 1, 10.0**-n], marker="o", color=f"C{n}")
    top.plot([1, 2], [3, 3], color="black", label="a")
    top.plot([1, 2], [4, 4], color="0.5")
    top.plot([1, 2], [5, 5], color="C0", marker="s", markerfacecolor="white")
    top.axvspan(1, 2, color="0.9")
    top.set(xscale="log", yscale="log", title="title", xlabel="horizontal")
    top.legend(title="legend")
    top.annotate("note", (1, 1))
    mesh = bottom.pcolormesh(np.arange(12.0).reshape(3, 4), rasterized=True)
    bottom.bar(["title", "a"], [1, 2], hatch="//", edgecolor="C1")
    bottom.text(1, 1, "note", color="white")
    fig.colorbar(mesh).set_label("horizontal")
    return fig


def chinese(text: str) -> str:
    return CHINESE.get(text, text)


@pytest.fixture(scope="module")
def drawn() -> tuple[str, str]:
    with matplotlib.rc_context():
        figures.set_style()
        fig = everything()
        return figures.draw(fig, "demo-all", str), figures.draw(fig, "demo-all", chinese)


def texts(svg: str) -> list[str]:
    return [t.text or "" for t in etree.fromstring(svg).iter(f"{figures.SVG}text")]


def test_every_kind_of_text_is_translated(drawn: tuple[str, str]) -> None:
    english, translated = map(texts, drawn)
    assert sorted(map(chinese, english)) == sorted(translated)
    for word, times in {"title": 2, "a": 2, "horizontal": 2, "legend": 1, "note": 2}.items():
        assert english.count(word) == translated.count(CHINESE[word]) == times


def test_drawing_leaves_matplotlib_and_the_figure_alone() -> None:
    before = Text.get_text, RendererSVG.get_text_width_height_descent
    fig = everything()
    fig.set_layout_engine("none")  # constrained layout moves by 0.04 pt at the second draw
    first = figures.draw(fig, "k", str)
    figures.draw(fig, "k", chinese)
    with pytest.raises(ZeroDivisionError):
        figures.draw(fig, "k", lambda text: str(1 / 0))
    assert (Text.get_text, RendererSVG.get_text_width_height_descent) == before
    assert figures.draw(fig, "k", str) == first


def test_same_figure_gives_same_bytes(drawn: tuple[str, str]) -> None:
    assert figures.draw(everything(), "demo-all", str) == drawn[0]


def test_ids_are_prefixed_unique_and_all_references_resolve(drawn: tuple[str, str]) -> None:
    for svg in drawn:
        ids = re.findall(r'\bid="([^"]*)"', svg)
        assert len(ids) == len(set(ids))
        assert all(identifier.startswith("fig-demo-all-") for identifier in ids)
        references = re.findall(r'url\(#([^)]*)\)|href="#([^"]*)"', svg)
        assert {a or b for a, b in references} == set(ids)
    assert len(ids) > 5


def test_links_are_xlink_only(drawn: tuple[str, str]) -> None:
    assert 'xlink:href="data:image/png;base64,' in drawn[0]
    assert not re.search(r"(?<!xlink:)href=", drawn[0])


def test_colors_follow_the_theme(drawn: tuple[str, str]) -> None:
    svg = drawn[0]
    for n, color in enumerate(matplotlib.rcParams["axes.prop_cycle"].by_key()["color"], 1):
        assert f'stroke="var(--x{n}, #{color.strip("#")})"' in svg
    assert 'stroke="currentColor"' in svg
    assert 'stroke="var(--xg, #808080)"' in svg
    assert 'fill="var(--xgrid, rgba(128, 128, 128, 0.20))"' in svg
    assert 'fill="var(--xp, none)"' in svg  # the hollow marker
    colors = set(re.findall(r"#[0-9a-f]{6}\b(?!\))", re.sub(r'href="data:[^"]*"', "", svg)))
    assert colors == {"#ffffff"}  # only the white text over the colored mesh
    root = etree.fromstring(svg)
    assert root.get("fill") == "currentColor"


def test_style_has_eight_colors_that_are_seen_on_paper() -> None:
    def luminance(color: str) -> float:
        rgb = np.array(matplotlib.colors.to_rgb(color))
        linear = np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    cycle = matplotlib.rcParams["axes.prop_cycle"].by_key()["color"]
    assert len(set(cycle)) == 8
    for color in cycle:
        assert (luminance("#faf8f4") + 0.05) / (luminance(color) + 0.05) >= 3


def test_svg_is_ready_to_inline(drawn: tuple[str, str]) -> None:
    svg = drawn[1]
    root = etree.fromstring(svg)
    assert svg.startswith("<svg ")
    for gone in ("<?xml", "<!DOCTYPE", "<metadata", "<style", "font-family", "Matplotlib"):
        assert gone not in svg
    assert root.get("role") == "img"
    assert root.get("width") is None
    assert root.get("height") is None
    assert root.get("viewBox") == "0 0 417.6 360"
    assert root.get("style") == "max-width: 557px"
    assert root.get("aria-labelledby") == "fig-demo-all-caption"


def test_numbers_are_short(drawn: tuple[str, str]) -> None:
    for data in re.findall(r' d="([^"]*)"', drawn[0]):
        assert "\n" not in data
        assert not re.search(r"[1-9]\d*\.?\d{4}", data)


def test_log_ticks_are_unicode(drawn: tuple[str, str]) -> None:
    assert {"10⁻³", "10⁰", "10²"} <= set(texts(drawn[0]))


@pytest.mark.parametrize(
    ("mathtext", "unicode"),
    [
        (r"$\mathdefault{10^{-12}}$", "10⁻¹²"),
        (r"$\mathdefault{-2\times10^{3}}$", "−2×10³"),
        (r"$\mathdefault{0}$", "0"),
        (r"$\times\mathdefault{10^{−3}}\mathdefault{}$", "×10⁻³"),
        (r"$\mathdefault{1-10^{-2}}$", "1−10⁻²"),
        (r"$\mathdefault{\frac{1}{2}}$", "½"),
        (r"$\sigma^2$", r"$\sigma^2$"),
        ("−1.5", "−1.5"),
        ("5 $", "5 $"),
    ],
)
def test_mathtext_of_ticks(mathtext: str, unicode: str) -> None:
    assert figures.plain(mathtext) == unicode


def test_a_chinese_character_is_one_em_wide() -> None:
    """A centered y label of n characters spans n font sizes; no glyph warning is raised."""
    widths: dict[str, float] = {}
    new: Any = RendererSVG
    original = new.get_text_width_height_descent
    renderer = new(100, 100, io.StringIO())
    prop = Text(fontsize=10).get_fontproperties()
    with figures._texts(str):
        for text in ("中文，", "ab", "中ab文"):
            widths[text] = renderer.get_text_width_height_descent(text, prop, False)[0]
    assert widths["中文，"] == 30
    assert widths["ab"] == original(renderer, "ab", prop, False)[0]
    assert widths["中ab文"] == pytest.approx(widths["ab"] + 20)


def test_layout_makes_room_for_chinese() -> None:
    """A long Chinese label of a category moves the axes to the right."""

    def left(text: str) -> float:
        fig, ax = plt.subplots()
        ax.barh(["a"], [1])
        svg = figures.draw(fig, "k", lambda label: text if label == "a" else label)
        assert text in texts(svg)
        return float(fig.axes[0].get_position().x0 * 5.8 * 72)

    with plt.style.context(figures.STYLE):
        ticks = plt.rcParams["ytick.labelsize"]
    assert left("很长的标签") - left("短") == pytest.approx(4 * ticks, abs=0.5)


def test_size_counts_gzipped_bytes() -> None:
    assert figures.gzipped("a" * 100_000) < 200
