"""A method has one color in all figures of the book, that of snippets/colors.toml."""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest
from lxml import etree

from x0_build.project import Project
from x0_build.run import load

ROOT = Path(__file__).parents[2]
TABLE = tomllib.loads((ROOT / "snippets" / "colors.toml").read_text("utf-8"))
FREE = set(TABLE.pop("free"))
COLORS = {label: color for part in TABLE.values() for label, color in part.items()}
SERIES = re.compile(r"var\(--x(\d)")
START = re.compile(r"m\s*(-?[\d.]+)[ ,]?(-?[\d.]+)", re.IGNORECASE)
Place = tuple[str, float, float]


def color_of(element: etree._Element) -> str:
    """Return the color of the series that an element has of its own: "C0"."""
    given = f"{element.get('style')} {element.get('stroke')} {element.get('fill')}"
    found = SERIES.search(given)
    return f"C{int(found[1]) - 1}" if found else ""


def place_of(element: etree._Element) -> tuple[float, float] | None:
    """Return where a mark or the start of a line is."""
    if element.get("x"):
        return float(element.get("x") or 0), float(element.get("y") or 0)
    found = START.match(element.get("d") or "")
    return (float(found[1]), float(found[2])) if found else None


def labels(svg: str) -> Iterator[tuple[str, str]]:
    """Yield each label with its color: its own, or that of the line or mark before it in a legend."""
    last: Place | None = None
    for element in etree.fromstring(svg).iter():
        kind = etree.QName(element).localname
        chain = [element, *element.iterancestors()]
        color = next((found for x in chain if (found := color_of(x))), "")
        if kind in ("path", "use") and not any(x.tag.endswith("defs") for x in chain):
            place = place_of(element)
            last = (color, *place) if color and place else last if kind == "use" else None
        elif kind == "text":
            text = "".join(str(x) for x in element.itertext())
            if color:
                yield text, color
            elif last and element.get("text-anchor") in (None, "start"):
                right = float(element.get("x") or 0) - last[1]
                below = abs(float(element.get("y") or 0) - last[2])
                if 0 < right < 45 and below < 14:
                    yield text, last[0]


@pytest.fixture(scope="module")
def drawn() -> dict[str, dict[str, set[str]]]:
    """Return by label and color the figures that have it."""
    found: dict[str, dict[str, set[str]]] = defaultdict(lambda: defaultdict(set))
    for result in load(Project(ROOT), stale=True).values():
        for key in result.figures:
            for text, color in labels(result.figure(key, "en")):
                found[text][color].add(key)
    return found


def test_a_method_has_the_color_of_the_table(drawn: dict[str, dict[str, set[str]]]) -> None:
    wrong = {
        label: {x: sorted(keys) for x, keys in drawn[label].items() if x != color}
        for label, color in COLORS.items()
        if drawn[label].keys() - {color}
    }
    assert wrong == {}
    assert [label for label in COLORS if not drawn[label]] == [], "no figure shows it"
    assert sum(len(drawn[label][color]) for label, color in COLORS.items()) > 60


def test_any_label_has_one_color(drawn: dict[str, dict[str, set[str]]]) -> None:
    several = {label: dict(by) for label, by in drawn.items() if len(by) > 1 and label not in FREE}
    assert several == {}


def test_methods_in_one_figure_differ(drawn: dict[str, dict[str, set[str]]]) -> None:
    seen: dict[tuple[str, str], str] = {}
    alike = []
    for label, color in COLORS.items():
        for key in drawn[label][color]:
            other = seen.setdefault((key, color), label)
            alike += [(key, color, label, other)] * (other != label)
    assert alike == []


def test_a_label_is_read_beside_its_line_and_in_a_legend() -> None:
    svg = """<svg xmlns="http://www.w3.org/2000/svg"><path d="m10 20h20" stroke="var(--x3, #0)"/>
      <text x="40" y="23">in a legend</text><text x="9" y="9" fill="var(--x1, #0)">at a line</text>
      <path d="m0 0v1" stroke="currentColor"/><text x="5" y="2">a tick</text></svg>"""
    assert dict(labels(svg)) == {"in a legend": "C2", "at a line": "C0"}
