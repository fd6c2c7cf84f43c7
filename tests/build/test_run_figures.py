"""Figures: what Matplotlib writes becomes what a page can contain."""

from __future__ import annotations

import re

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import pytest
from lxml import etree
from matplotlib.backends.backend_svg import RendererSVG
from matplotlib.figure import Figure
from matplotlib.text import Text

from x0_build.run import figures

matplotlib.use("Agg")
pytestmark = pytest.mark.usefixtures("style")
CHINESE = {"title": "标题", "a": "甲", "horizontal": "水平方向", "legend": "图例", "note": "注"}


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


def texts(svg: str) -> list[str]:
    return [t.text or "" for t in etree.fromstring(svg).iter(f"{figures.SVG}text")]


@pytest.fixture(scope="module")
def drawn() -> tuple[str, str]:
    with matplotlib.rc_context():
        figures.set_style()
        fig = everything()
        return figures.draw(fig, "demo-all", str), figures.draw(fig, "demo-all", chinese)


def test_every_kind_of_text_is_translated(drawn: tuple[str, str]) -> None:
    english, translated = map(texts, drawn)
    assert sorted(map(chinese, english)) == sorted(translated)
    for word, times in {"title": 2, "a": 2, "horizontal": 2, "legend": 1, "note": 2}.items():
        assert english.count(word) == translated.count(CHINESE[word]) == times
    assert {"10⁻³", "10⁰", "10²"} <= set(english)


def test_drawing_leaves_matplotlib_and_the_figure_alone(drawn: tuple[str, str]) -> None:
    names = "get_text_width_height_descent", "draw_text"
    before = [Text.get_text, *(getattr(RendererSVG, name) for name in names)]
    fig = everything()
    assert figures.draw(fig, "demo-all", str) == drawn[0]
    with pytest.raises(ZeroDivisionError):
        figures.draw(fig, "k", lambda text: str(1 / 0))
    assert [Text.get_text, *(getattr(RendererSVG, name) for name in names)] == before


def test_ids_are_prefixed_and_all_references_resolve(drawn: tuple[str, str]) -> None:
    for svg in drawn:
        ids = re.findall(r'\bid="([^"]*)"', svg)
        assert len(ids) == len(set(ids)) > 5
        assert all(identifier.startswith("fig-demo-all-") for identifier in ids)
        references = re.findall(r'url\(#([^)]*)\)|href="#([^"]*)"', svg)
        assert {a or b for a, b in references} == set(ids)
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


def test_svg_is_ready_to_inline(drawn: tuple[str, str]) -> None:
    svg = drawn[1]
    root = etree.fromstring(svg)
    assert svg.startswith("<svg ")
    for gone in ("<?xml", "<!DOCTYPE", "<metadata", "<style", "font-family", "Matplotlib"):
        assert gone not in svg
    expected = {"role": "img", "width": None, "height": None, "viewBox": "0 0 417.6 360"}
    expected |= {"style": "max-width: 557px", "fill": "currentColor"}
    expected |= {"aria-labelledby": "fig-demo-all-caption"}
    assert {name: root.get(name) for name in expected} == expected
    for data in re.findall(r' d="([^"]*)"', svg):
        assert not re.search(r"\n|[1-9]\d*\.?\d{4}", data)  # numbers are short


@pytest.mark.parametrize(
    ("mathtext", "unicode"),
    [
        (r"$\mathdefault{-2\times10^{3}}$", "−2×10³"),
        (r"$\times\mathdefault{10^{−3}}\mathdefault{}$", "×10⁻³"),
        (r"$\mathdefault{\frac{1}{2}}$", "½"),
        (r"$\sigma^2$", r"$\sigma^2$"),
        ("5 $", "5 $"),
    ],
)
def test_mathtext_of_ticks(mathtext: str, unicode: str) -> None:
    assert figures.plain(mathtext) == unicode


def test_a_chinese_character_is_one_em_wide() -> None:
    """A long Chinese label of a category moves the axes to the right."""

    def left(text: str) -> float:
        fig, ax = plt.subplots()
        ax.barh(["a"], [1])
        svg = figures.draw(fig, "k", lambda label: text if label == "a" else label)
        assert text in texts(svg)
        return float(fig.axes[0].get_position().x0 * 5.8 * 72)

    size = plt.rcParams["ytick.labelsize"]
    assert left("很长的标签") - left("短") == pytest.approx(4 * size, abs=0.5)
