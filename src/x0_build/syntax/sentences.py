"""The sentences of a page, and which of them state more than they show."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise, zip_longest
from pathlib import Path

from x0_build.syntax.page import LINK, Page
from x0_build.syntax.signs import Use

# What leads to a proof: an equation, a figure, a number, a work, a test, "needs none".
REFERENCES = {"eqref", "figref", "val", "cited", "cite", "proof"}
_MARKS = r"[\"”’」』）)*_]*(?:[ ]?\[\^[a-z0-9-]+\])*"
_END = {
    "en": re.compile(
        rf"(?<!\be\.g|\bi\.e|\bFig)(?<!\bcf|\bvs|\bal|\bEq)[.!?]{_MARKS}(?=\s+[^a-z\s]|\s*\Z)"
    ),
    "zh": re.compile(rf"[。！？]{_MARKS}"),
}
_ITEM = re.compile(r"(?m)^[ \t]*(?:[-*+]|\d+\.)[ \t]+")  # no part of the sentence above it
_BOX = re.compile(r"[ \t]*(?:!!!|\?\?\?\+?|===)[^\n]*\n?")  # its title is none
_CALL = re.compile(r"`[^`]*\([^`]*`")  # in a table: advice that somebody pastes


def _net(words: str, do: str, parts: str) -> re.Pattern[str]:
    words, do, parts = ("|".join(x.split()).replace("_", " ") for x in (words, do, parts))
    return re.compile(rf"\b(?:{words})\b|" + parts.replace("DO", f"(?:{do})"), re.IGNORECASE)


_WORDS = Path(__file__).with_name("strong.toml").read_text(encoding="utf-8")
STRONG = {language: _net(**words) for language, words in tomllib.loads(_WORDS).items()}


@dataclass(frozen=True)
class Sentence:
    """One sentence of a page."""

    text: str
    line: int
    referred: bool  # leads to its proof, or stands with its equation
    strong: str  # the word that makes it a strong one, "" if there is none


def _found(page: Page) -> Iterator[Sentence]:
    """Find the sentences of the paragraphs, items, captions and boxes of a page, and table rows."""
    found = [block for block in page.blocks if block.kind != "blank"]
    task = led = False  # a task has its solution; a proved sentence leads to the table below it
    for block, after in zip_longest(found, found[1:]):
        if block.text.startswith("## "):
            task = "{#exercises}" in block.text
        if block.kind not in ("text", "fig"):
            led = False
            continue
        shown = after is not None and after.kind == "eq"
        row = block.text.lstrip().startswith("|")
        step = (shown and re.match(r"\s*\d+\. ", block.text) is not None) or (led and row)
        step |= task and not block.text.startswith(" ")
        uses = [u for u in page.uses if block.start <= u.start < block.start + len(block.text)]
        masked = _masked(block.text, block.start, uses)
        for start, end in pairwise(_cuts(page.language, block.text, masked, row)):
            text = block.text[start:end]
            if not text.strip() or _BOX.fullmatch(text):
                continue
            referred = step or (shown and not block.text[end:].strip()) or _referred(text)
            referred |= any(
                u.kind in REFERENCES and start <= u.start - block.start < end for u in uses
            )
            strong = _strong(page.language, text, masked[start:end], row)
            line = block.line + block.text.count("\n", 0, start + len(text) - len(text.lstrip()))
            led = "[^" in text
            yield Sentence(" ".join(_ITEM.sub("", text).split()), line, referred, strong)


sentences = lru_cache(512)(lambda page: tuple(_found(page)))  # checks and proof pages ask for them


def _cuts(language: str, text: str, masked: str, row: bool) -> list[int]:
    if row:  # the first two rows of a table are its head
        return [*[m.start() for m in re.finditer(r"(?m)^", masked)][2:], len(text)]
    start = title.end() if (title := _BOX.match(masked)) else 0
    items = {m.start() for m in _ITEM.finditer(masked)}
    masked = _ITEM.sub(lambda m: "X" * len(m[0]), masked)
    ends = {m.end() for m in _END[language].finditer(masked)}
    return sorted({start, len(text)} | {cut for cut in ends | items if cut > start})


def _referred(text: str) -> bool:
    linked = any(not m["target"].startswith("http") for m in LINK.finditer(text))
    # A question states nothing, nor does the name of an item in bold.
    return linked or re.search(r"[?？]\**\s*$|^\W*\*\*[^*]*\*\*\s*$", text) is not None


def _strong(language: str, text: str, masked: str, row: bool) -> str:
    for pattern in (_ITEM, LINK):  # places stay
        masked = pattern.sub(lambda m: " " * len(m[0]), masked)
    begin = len(masked) - len(masked.lstrip())
    if found := STRONG[language].search(masked[begin:]):
        return " ".join(text[begin:][slice(*found.span())].split())
    return call[0] if row and (call := _CALL.search(text)) else ""


def _masked(text: str, start: int, uses: list[Use]) -> str:
    for use in uses:
        if use.kind != "proof":
            at, end = use.start - start, use.end - start
            text = text[:at] + ("`" if use.kind == "code" else "X") * (end - at) + text[end:]
    return text
