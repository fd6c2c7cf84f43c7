"""Splits TeX into tokens and expands the house macros that have no meaning of their own."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass, replace
from pathlib import Path

from x0_equations.tree import Span, TexError

_IGNORED = "displaystyle textstyle limits nolimits left right"
IGNORED = {",", ";", ":", "!", " ", *_IGNORED.split()}
IGNORED |= {size + side for size in ("big", "Big", "bigg", "Bigg") for side in ("", "l", "r", "m")}
TOKEN = re.compile(
    r"(?P<space>\s+|~|%[^\n]*\n?)|(?P<align>&)|(?P<number>\d+(?:\.\d+)?)|(?P<letter>[A-Za-z])"
    r"|\\(?P<command>[A-Za-z]+)|(?P<row>\\\\(?:\[[^\]]*\])?)|\\(?P<escaped>.)|(?P<symbol>:=|.)",
    re.S,
)


@dataclass(frozen=True)
class Token:
    """A lexical part.

    Attributes:
        kind: number, letter, command, symbol, align (&), row (a new line), gap (a quad) or end.
        text: What stands there; a command without its backslash.
        span: Where it stands; what comes from a macro stands where the macro stands.
    """

    kind: str
    text: str
    span: Span


def load_macros(path: Path) -> dict[str, str]:
    r"""Return the house macros without their backslash: `{"E": "\\operatorname…"}`."""
    return {
        name.lstrip("\\"): text for name, text in tomllib.loads(path.read_text("utf-8")).items()
    }


def tokenize(tex: str) -> list[Token]:
    """Split TeX into tokens, without spaces and sizes; the last one is the end."""
    tokens = []
    for match in TOKEN.finditer(tex):
        kind = str(match.lastgroup)
        text = match[kind]
        if kind == "space" or (kind in ("command", "escaped") and text in IGNORED):
            continue
        if kind == "command" and text in ("quad", "qquad"):
            kind = "gap"
        elif kind == "escaped":
            kind, text = ("symbol", "\\" + text) if text in "{}" else ("command", text)
        tokens.append(Token(kind, text, match.span()))
    return [*tokens, Token("end", "the end", (len(tex), len(tex)))]


def skip_group(tokens: list[Token], at: int) -> int:
    """Return the position after the brace group, or the single token, that begins at `at`."""
    level = 0
    while tokens[at].kind != "end":
        level += {"{": 1, "}": -1}.get(tokens[at].text, 0)
        at += 1
        if level == 0:
            return at
    raise TexError("a brace is not closed", tokens[-1].span[0])


def expand(tokens: list[Token], at: int, expansion: str) -> None:
    """Put a macro's expansion, with its arguments, in the place of the macro at `at`."""
    end, place = at + 1, tokens[at].span
    arguments: list[list[Token]] = []
    for _ in range(max((int(n) for n in re.findall(r"#(\d)", expansion)), default=0)):
        start, end = end, skip_group(tokens, end)
        braced = tokens[start].text == "{"
        arguments.append(tokens[start + braced : end - braced])
    body: list[Token] = []
    parts = tokenize(expansion)[:-1]
    while parts:
        part = parts.pop(0)
        if part.text == "#":
            body += arguments[int(parts.pop(0).text) - 1]
        else:
            body.append(replace(part, span=place))
    tokens[at:end] = body
