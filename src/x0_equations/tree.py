"""The tree that the printed TeX is read into; every part knows its place in the file."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

Span = tuple[int, int]


class TexError(ValueError):
    """The TeX cannot be read without guessing."""

    def __init__(self, message: str, at: int) -> None:
        super().__init__(message)
        self.at = at


@dataclass(frozen=True)
class Node:
    """A part of an expression, such as a number, a sum or a power."""

    kind: str  # what it is: evaluate.py and operations.py say what each kind means
    span: Span  # where it stands in the source
    children: tuple[Node, ...] = ()
    text: str = ""  # the number, the name, or the label of a subscript
    mark: Span = (0, 0)  # of the sign, exponent or command that makes it what it is

    @property
    def name(self) -> str:
        """What a symbol can be bound by: `x`, or `x_0` for one with a subscript as a whole."""
        return f"{self.children[0].text}_{self.text}" if self.kind == "index" else self.text

    def walk(self) -> Iterator[Node]:
        """Yield this node and all below it."""
        yield self
        for child in self.children:
            yield from child.walk()


@dataclass(frozen=True)
class Relation:
    """Two neighbours in a chain `a = b ≤ c`."""

    number: int  # from 1, over the whole equation
    symbol: str  # = ≠ < ≤ > ≥ ≈ ∼
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
    chains: tuple[Chain, ...]

    @property
    def relations(self) -> tuple[Relation, ...]:
        """All relations in reading order."""
        return tuple(relation for chain in self.chains for relation in chain.relations)

    @property
    def sides(self) -> tuple[Node, ...]:
        """Both sides of all relations."""
        return tuple(side for r in self.relations for side in (r.left, r.right))

    def source(self, node: Node) -> str:
        """Return the TeX of a part."""
        return self.tex[node.span[0] : node.span[1]].strip()
