"""Single elements of a page on their way to paper."""

from __future__ import annotations

import re
from copy import deepcopy
from typing import Any

import lxml.html


def shown(element: Any) -> str:
    """Return an element as HTML."""
    return str(lxml.html.tostring(element, encoding="unicode"))


def halve(table: Any) -> None:
    """Print the columns of a wide table as two tables; both begin with the first column."""
    half = (len(table.xpath("./thead/tr/th")) + 2) // 2
    other = deepcopy(table)
    table.addnext(other)
    for row in table.iter("tr"):
        del row[half:]
    for row in other.iter("tr"):
        del row[1:half]
        for found in row[0].xpath(".//*[@id]"):
            del found.attrib["id"]


def renumber(element: Any, chapter: int) -> None:
    """Put a chapter's number before the number that ends a text: (4) becomes (3.4)."""
    last = element[-1] if len(element) else None
    text = (element.text if last is None else last.tail) or ""
    text = re.sub(r"(\d+)(\)?\s*)$", rf"{chapter}.\1\2", text)
    if last is None:
        element.text = text
    else:
        last.tail = text


def prefix(heading: Any, number: str) -> None:
    """Put a number before a heading."""
    mark = lxml.html.fragment_fromstring(f'<span class="number">{number}</span>')
    mark.tail, heading.text = f" {heading.text or ''}", None
    heading.insert(0, mark)
