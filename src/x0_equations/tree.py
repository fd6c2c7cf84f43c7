"""The tree that the printed TeX is read into; every part knows its place in the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

Span = tuple[int, int]


class TexError(ValueError):
    """The TeX cannot be read without guessing."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.at = at


@dataclass(frozen=True)
class Node:
    """A part of an expression, such as a number, a sum or a power.

    Attributes:
        kind: What it is; evaluate.py has one case per kind.
        span: Where it stands in the source.
        children: Its parts.
        text: The number, the name, or the label of a subscript.
        mark: Where the sign, the exponent or the command stands that makes it what it is.
    """

    kind: str
    span: Span
    children: tuple[Node, ...] = ()
    text: str = ""
    mark: Span = (0, 0)

    def walk(self) -> Iterator[Node]:
        """Yield this node and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class Relation:
    """Two neighbours in a chain `a = b ≤ c`."""

    number: int  # from 1, over the whole equation
    symbol: str  # = ≠ < ≤ > ≥ ≈ ∼ ∝
    mark: Span
    left: Node
    right: Node


@dataclass(frozen=True)
class Chain:
    """A chain of relations; `joined` says how it follows the chain before it."""

    relations: tuple[Relation, ...]
    joined: str = ""  # "" (a statement of its own) or "iff" or "implies"


@dataclass(frozen=True)
class Parsed:
    """A whole equation."""

    tex: str
    chains: tuple[Chain, ...] = field(default=())

    @property
    def relations(self) -> tuple[Relation, ...]:
        """All relations in reading order."""
        return tuple(relation for chain in self.chains for relation in chain.relations)

    def source(self, node: Node) -> str:
        """Return the TeX of a part."""
        return self.tex[node.span[0] : node.span[1]].strip()
