"""The signs inside a line of text: references, values, citations, terms, formulas."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

KEY = r"[a-z0-9]+(?:-[a-z0-9]+)*"
STEM = r"[a-z][a-z0-9_]*"
VALUE = rf'{STEM}\.[A-Za-z]\w*(?:\[(?:"[^"\n]*"|[^\]"\n])+\])*'

# Signs inside a line of text. `{eq:key}` that fills a paragraph and `{fig:key}` that opens one
# are blocks; elsewhere they refer to what is shown.
SIGNS = {
    "code": r"(?<!`)(?P<ticks>`+)(?!`)(?P<key>[^\n]*?)(?<!`)(?P=ticks)(?!`)",
    "comment": r"(?s:<!--(?P<key>.*?)-->)",
    "math": r"(?<![\\$])\$(?P<key>(?![\s$])(?:\\.|[^$\\\n])*?(?<!\s))\$(?![\d$])",
    "eqref": rf"\{{eq:(?P<key>{KEY})\}}",
    "figref": rf"\{{fig:(?P<key>{KEY})\}}",
    "val": rf"\{{val:(?P<key>{VALUE})(?::(?P<arg>[^}}\s]+))?\}}",
    "exact": r"\{exact:(?P<key>[^}\n]+)\}",
    "cited": rf"\{{cited:(?P<arg>[^|}}\n]+)\|(?P<key>{KEY})\}}",
    "cite": rf"\[@(?P<key>{KEY}(?:; ?@{KEY})*)(?:, ?(?P<arg>[^\]@\n]+))?\]",
    "proof": rf"\[\^(?P<key>{KEY}|-)\]",
    "term": rf"\{{term:(?P<key>{KEY})(?:\|(?P<arg>[^}}\n]+))?\}}",
    "tag": r"\{(?P<key>A\d(?: A\d)*)\}",
}
PATTERNS = {kind: re.compile(pattern) for kind, pattern in SIGNS.items()}
# Names of groups cannot repeat, so that one pattern finds a sign and its own takes it apart.
_ANY = re.compile(
    "(?=[`<${[])(?:"  # what a sign begins with: the rest is not tried elsewhere
    + "|".join(f"(?P<{k}>{re.sub('[?]P<(key|arg)>', '?:', p)})" for k, p in SIGNS.items())
    + ")"
)

# What looks like a sign of ours and is none.
STRAY = re.compile(r"\{[a-z]+:[^}\n]*\}?|\{[a-z]+\}|\((?:eq|fig):[^)\n]*\)|\[[@^][^\]\n]*\]?")


@dataclass(frozen=True)
class Use:
    """One sign in a text."""

    kind: str  # a key of SIGNS, or eq, fig, index for what stands as a block
    key: str
    arg: str
    line: int
    start: int  # offset of the sign in the text
    end: int
    at: int  # offset of its key

    @property
    def keys(self) -> list[str]:
        """The references of a citation; of any other sign its key."""
        return [part.strip().lstrip("@") for part in self.key.split(";")]

    @property
    def stem(self) -> str:
        """The module of a value."""
        return self.key.partition(".")[0]


def scan(text: str, line: int = 1, offset: int = 0) -> Iterator[Use]:
    """Find the signs of a text; those inside code and comments are part of it.

    Args:
        text: Part of a page, or a text of the data files.
        line: Where it starts.
        offset: Likewise.
    """
    for found in _ANY.finditer(text):
        kind = str(found.lastgroup if found.lastgroup != "ticks" else "code")
        match = PATTERNS[kind].match(text, found.start())
        assert match
        row = line + text.count("\n", 0, match.start())
        arg = match.groupdict().get("arg") or ""
        place = (offset + match.start(), offset + match.end(), offset + match.start("key"))
        yield Use(kind, match["key"], arg, row, *place)


def values(tex: str) -> Iterator[Use]:
    """Find the values inside a formula."""
    for m in PATTERNS["val"].finditer(tex):
        yield Use("val", m["key"], m["arg"] or "", 1, m.start(), m.end(), m.start("key"))
