"""The shape of data files: which keys there are, of what type, and where they stand."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Any

Place = tuple[str | int, ...]  # ("claim", 3, "zh"): the key `zh` of the fourth row `[[claim]]`
Lines = dict[Place, int]
_NOUNS = {str: "a text", int: "a number", list: "a list", dict: "a table", bool: "true or false"}
_PART = r'(?:"(?:[^"\\\n]|\\.)*"|[^\s"=:\[\].#-][^\s"=:\[\].]*)'
_ROW = re.compile(rf"(?:(?P<head>\[\[?)[ ]*)?(?P<key>{_PART}(?:\.{_PART})*)[ ]*[\]=:]")


class Data(dict[str, Any]):
    """The content of a data file, which knows where its keys stand."""

    lines: Lines

    def line(self, *place: str | int) -> int:
        """Return the line of a key, else of what holds it; 0 if that is unknown."""
        while place and place not in self.lines:
            place = place[:-1]
        return self.lines[place] if place else 0


def lines_of(text: str, first: int = 1) -> Lines:
    """Find the lines of tables, rows and keys: those that begin a line, which suffices for us."""
    found: Lines = {}
    table: Place = ()
    rows = Counter[Place]()
    for number, row in enumerate(text.split("\n"), first):
        if match := _ROW.match(row):
            keys: Place = tuple(_unquoted(part) for part in re.findall(_PART, match["key"]))
            if match["head"]:
                table = (*keys, rows[keys]) if match["head"] == "[[" else keys
                rows[keys] += 1
                found.setdefault(keys, number)
            found.setdefault(table if match["head"] else (*table, *keys), number)
    return found


def _unquoted(key: str) -> str:
    try:
        return str(json.loads(key)) if key[0] == '"' else key
    except ValueError:
        return key


def named(place: Place) -> str:
    """Return a place as people read it."""
    parts = [f"number {part + 1}" if isinstance(part, int) else f"“{part}”" for part in place]
    return ", ".join(parts) or "the file"


def misfits(value: Any, shape: Any, place: Place = ()) -> Iterator[tuple[Place, str, str]]:
    """Find what has another shape: where it is, what is wrong, what to do.

    A shape is a type, `[shape]` for a list, or a dict with the shapes of its keys: `key?` may be
    missing, `*` is every other key. A text is never empty. `object` is anything.
    """
    kind: Any = shape if isinstance(shape, type) else type(shape)
    if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
        yield place, f"is not {_NOUNS[kind]}: {value!r:.40}", f"write {_NOUNS[kind]}"
    elif kind is str and not value.strip():
        yield place, "is empty", "write its text"
    elif isinstance(shape, list):
        for number, item in enumerate(value):
            yield from misfits(item, shape[0], (*place, number))
    elif isinstance(shape, dict):
        for name, inner in shape.items():
            if name[-1] not in "*?" and name not in value:
                noun = _NOUNS[inner if isinstance(inner, type) else type(inner)]
                yield place, f"has no “{name}”", f"give it {noun}: {name}"
        known = [name.rstrip("?") for name in shape]
        for name, item in value.items():
            inner = shape.get(name, shape.get(f"{name}?", shape.get("*")))
            if inner is None:
                near = get_close_matches(str(name), known, 1) or [" or ".join(known)]
                yield (*place, name), "is read by nobody", f"remove it, or did you mean {near[0]}?"
            else:
                yield from misfits(item, inner, (*place, name))
