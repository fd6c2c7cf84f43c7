"""Splits TeX into tokens, expands house macros without a meaning, and moves through the tokens."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import NoReturn

from x0_equations.tree import Node, Span, TexError
from x0_equations.vocabulary import BRACKETS

_IGNORED = "displaystyle textstyle limits nolimits left right"
IGNORED = {",", ";", ":", "!", " ", *_IGNORED.split()}
IGNORED |= {size + side for size in ("big", "Big", "bigg", "Bigg") for side in ("", "l", "r", "m")}
TOKEN = re.compile(
    r"(?P<space>\s+|~|%[^\n]*\n?|\\(?:begin|end)\{(?:aligned|gathered)\})|(?P<align>&)"
    r"|(?P<number>\d+(?:\.\d+)?)|(?P<letter>[A-Za-z])|(?P<gap>\\q?quad(?![A-Za-z]))"
    r"|(?P<environment>\\(?:begin|end)\{\w*\})|(?P<row>\\\\(?:\[[^\]]*\])?)"
    r"|\\(?P<command>[A-Za-z]+|[^{}])|(?P<symbol>:=|\\?.)",
    re.S,
)


@dataclass(frozen=True)
class Token:
    """A lexical part."""

    kind: str  # the name of a group in TOKEN, or end
    text: str  # what stands there; a command without its backslash
    span: Span  # where; what comes from a macro stands where the macro and its arguments stand


def load_macros(path: Path) -> dict[str, str]:
    r"""Return the house macros without their backslash: `{"E": "\\operatorname…"}`."""
    macros = tomllib.loads(path.read_text("utf-8")).items()
    return {name.lstrip("\\"): text for name, text in macros}


def tokenize(tex: str, macros: Mapping[str, str] | None = None) -> list[Token]:
    """Split TeX into tokens, without spaces and sizes, macros expanded; the last one is the end."""
    tokens = []
    for match in TOKEN.finditer(tex):
        kind = str(match.lastgroup)
        if kind != "space" and not (kind == "command" and match[kind] in IGNORED):
            tokens.append(Token(kind, match[kind], match.span()))
    tokens.append(Token("end", "the end", (len(tex), len(tex))))
    at = 0
    while macros and at < len(tokens):
        if tokens[at].kind == "command" and tokens[at].text in macros:
            _expand(tokens, at, macros[tokens[at].text])
        else:
            at += 1
    return list(_separating(tokens))


def _separating(tokens: list[Token]) -> Iterator[Token]:
    """Leave out what separates nothing: & outside of tables, new lines and gaps inside of groups."""
    within = [""]
    for token in tokens:
        skipped = {"": ("align",), "table": ("gap",), "group": ("align", "row", "gap")}
        if token.kind not in skipped[within[-1]]:
            yield token
        if token.text in BRACKETS or token.text == "{":
            within.append("group")
        elif token.text.startswith(r"\begin"):
            within.append("table")
        elif token.text.startswith((r"\end", "}", *(closing for closing, _ in BRACKETS.values()))):
            del within[max(1, len(within) - 1) :]


def _expand(
    tokens: list[Token],
    at: int,
    expansion: str,
    split: Callable[[str], list[Token]] = tokenize,
) -> None:
    """Put a macro's expansion, with its arguments, in the place of the macro at `at`."""
    end = at + 1
    arguments: list[list[Token]] = []
    for _ in range(max((int(n) for n in re.findall(r"#(\d)", expansion)), default=0)):
        while tokens[end].kind == "space":
            end += 1
        start, end = end, skip_group(tokens, end)
        braced = tokens[start].text == "{"
        arguments.append(tokens[start + braced : end - braced])
    place = tokens[at].span[0], tokens[end - 1].span[1]
    body: list[Token] = []
    parts = iter(split(expansion)[:-1])
    for part in parts:
        argument = part.text == "#"
        body += arguments[int(next(parts).text) - 1] if argument else [replace(part, span=place)]
    tokens[at:end] = body


def skip_group(tokens: list[Token], at: int) -> int:
    """Return the position after the brace group, or the single token, that begins at `at`."""
    level = 0
    while tokens[at].kind != "end":
        level += {"{": 1, "}": -1}.get(tokens[at].text, 0)
        at += 1
        if level == 0:
            return at
    raise TexError("a brace is not closed", tokens[-1].span[0])


class Cursor:
    """A place among the tokens of an equation."""

    def __init__(self, tokens: list[Token]) -> None:
        self.tokens = tokens
        self.at = 0

    @property
    def next(self) -> Token:
        """The token to be read."""
        return self.tokens[self.at]

    def take(self, *texts: str) -> Token | None:
        """Read the next token if it is one of these."""
        token = self.next
        self.at += token.text in texts
        return token if token.text in texts else None

    def need(self, text: str) -> Token:
        """Read the next token, which must be this one."""
        return self.take(text) or self.fail(f"expected {text}")

    def fail(self, message: str) -> NoReturn:
        """Refuse the TeX at the next token."""
        raise TexError(f"{message}, found {self.next.text}", self.next.span[0])

    def skip_breaks(self) -> bool:
        """Skip new lines and gaps; tell whether there were any."""
        at = self.at
        while self.next.kind in ("row", "gap"):
            self.at += 1
        return self.at > at

    def open(self) -> None:
        """Enter the group, or the single token, that an argument, exponent or subscript is."""
        token = self.next
        if token.text != "{":
            if token.kind == "number" and len(token.text) > 1:
                self.fail("brace an argument of more than one digit")
            before, after = ((place, place) for place in token.span)
            braced = [Token("symbol", "{", before), token, Token("symbol", "}", after)]
            self.tokens[self.at : self.at + 1] = braced
        self.at += 1

    def node(
        self, kind: str, start: int, *children: Node, text: str = "", mark: Span = (0, 0)
    ) -> Node:
        """Return a node that reaches from `start` to the last token read."""
        return Node(kind, (start, self.tokens[self.at - 1].span[1]), children, text, mark)


def _verbatim(tex: str) -> list[Token]:
    """Split TeX into tokens that joined are the TeX."""
    tokens = [Token(str(m.lastgroup), m[0], m.span()) for m in TOKEN.finditer(tex)]
    return [*tokens, Token("end", "", (len(tex), len(tex)))]


def expand_all(tex: str, macros: dict[str, str]) -> str:
    r"""Return TeX without house macros, so that it compiles anywhere.

    >>> expand_all(r"\Var{w} = \frac{2}{\fanin}", {"\Var": r"V[#1]", "\fanin": "n"})
    'V[w] = \frac{2}{n}'

    Raises:
        TexError: A macro lacks its argument, or expands to itself.
    """
    if macros.keys().isdisjoint(re.findall(r"\\[A-Za-z]+", tex)):
        return tex
    tokens, at, left = _verbatim(tex), 0, 1000
    while tokens[at].kind != "end":
        if tokens[at].kind == "command" and tokens[at].text in macros:
            if not left:
                raise TexError(f"{tokens[at].text} expands to itself", tokens[at].span[0])
            left -= 1
            _expand(tokens, at, macros[tokens[at].text], _verbatim)
        else:
            at += 1
    out = []
    for token, following in pairwise(tokens):
        apart = token.kind == "command" and following.kind == "letter"  # \gain x, not \gx
        out.append(token.text + " " * apart)
    return "".join(out)
