"""How each language is written: full-width punctuation and spaces, American spelling."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from x0_build.check.seen import Found

_HAN = r"[\u4e00-\u9fff]"
_PAIR = re.compile(rf"{_HAN}[A-Za-z0-9]|[A-Za-z0-9]{_HAN}|{_HAN}[,;:!?](?=\s|{_HAN}|$)")
_FULL = dict(zip(",;:!?", "，；：！？", strict=True))
_QUOTED = re.compile(r"“[^”\n]*”|\"[^\"\n]*\"")


def language_problems(language: str, text: str) -> Iterator[Found]:
    """Find what is not written as the language is written in this book."""
    found = _chinese(text) if language == "zh" else _english(text)
    for start, message, remedy in found:
        yield text.count("\n", 0, start) + 1, message, remedy


def _chinese(text: str) -> Iterator[Found]:
    text = re.sub(r"\{[^}\n]*\}|\]\([^)\n]*\)", lambda m: " " * len(m[0]), text)
    for match in _PAIR.finditer(text):
        first, second = match[0][0], match[0][1]
        if second in _FULL:
            remedy = f"write {first}{_FULL[second]}"
            yield match.start(), f"“{match[0]}” has half-width punctuation", remedy
        else:
            remedy = f"write {first} {second}"
            yield match.start(), f"“{match[0]}” has no space between Chinese and Latin", remedy


@cache
def _british() -> tuple[re.Pattern[str], dict[str, str]]:
    rows = Path(__file__).with_name("british.txt").read_text(encoding="utf-8").split("\n")
    pairs = dict(row.split() for row in rows if row and not row.startswith("#"))
    stems = [f"{stem}(?=[ea]|ing)" if stem.endswith("is") else stem for stem in pairs]
    return re.compile(rf"\b({'|'.join(sorted(stems, reverse=True))})\w*", re.IGNORECASE), pairs


def _english(text: str) -> Iterator[Found]:
    pattern, pairs = _british()
    for match in pattern.finditer(_QUOTED.sub(lambda m: " " * len(m[0]), text)):
        stem = match[1]
        american = pairs[stem.lower()] + match[0][len(stem) :]
        yield match.start(), f"“{match[0]}” is British spelling", f"write {american.lower()}"
