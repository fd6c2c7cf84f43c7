r"""Prints how an equation is read, and the names that its check binds.

python -m x0_equations.explain he-variance
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from string import ascii_letters

from x0_equations.check import Equation, EquationError
from x0_equations.evaluate import KNOWN
from x0_equations.relation import Tolerance
from x0_equations.source import equations
from x0_equations.tree import Node
from x0_equations.vocabulary import FONTS, SYMBOLS

INFIX = {"plus": " + ", "times": " · ", "fraction": " / ", "power": "^"}


def spell(node: Node) -> str:
    """Return an expression with all its brackets and names."""
    parts = [spell(child) for child in node.children]
    if node.kind in INFIX:
        return f"({INFIX[node.kind].join(parts)})".replace("+ -", "- ")
    if node.kind in ("name", "number", "group", "positive", "negative"):
        return "-" * (node.kind == "negative") + (node.text or parts[0])
    if node.kind == "index":
        return f"{parts[0]}[{', '.join(parts[1:])}]" if parts[1:] else node.name
    return f"{parts.pop(0) if node.kind == 'call' else node.kind}({', '.join(parts)})"


def names(node: Node, note: str = "", local: frozenset[str] = frozenset()) -> Iterator[list[str]]:
    """Yield every name that must be bound, each time with what is to be known about it."""
    parts, own = node.children, {"call": "function", "derivative": "function"}.get(node.kind, note)
    if node.kind == "name" and node.text not in local | KNOWN.keys():
        yield [node.text, "the expectation" if node.text == "E" else note]
    elif node.kind == "index" and len(parts) == 1:
        yield [node.name, note]
        parts = ()
    elif node.kind == "partial":
        yield [parts[0].text, "Derivatives"]
        parts = parts[1].children[1:]
    elif node.kind == "index":
        whole = f"indexed, or {node.name} as a whole" if node.name.isidentifier() else "indexed"
        own = f"{note}, {whole}".strip(", ")
    elif node.kind in ("sum", "product", "integral", "between"):
        local |= {node.text}
        if len(parts) == 1:
            yield [node.text, "range"]
    elif node.kind in ("expectation", "variance", "probability"):
        note = "random"
    for part in parts:
        yield from names(part, own if part is parts[0] else note, local)


def explain(key: str, root: Path) -> str:
    """Return the TeX, its relations as they are read, and the names that are to be bound."""
    printed = equations(root).get(key)
    if printed is None:
        raise EquationError(f"there is no equation {key} in snippets/equations")
    # Any symbol before a bracket is read as a function.
    symbols = {font + letter for font in FONTS.values() for letter in ascii_letters} | SYMBOLS
    parsed = Equation(printed, root, Tolerance()).parse(frozenset(symbols))
    lines = [f"{printed.file}:{printed.line}", printed.tex]
    for relation in parsed.relations:
        lines.append(f"{relation.number}  {spell(relation.left)}")
        lines.append(f"   {relation.symbol} {spell(relation.right)}")
    notes: dict[str, set[str]] = {}
    for name, note in (found for side in parsed.sides for found in names(side)):
        notes.setdefault(name, set()).add(note)
    bound = (f"  {name:12} {', '.join(sorted(found - {''}))}" for name, found in notes.items())
    return "\n".join([*lines, "", "to bind:", *(line.rstrip() for line in bound), ""])


if __name__ == "__main__":
    try:
        print("\n".join(explain(key, Path.cwd()) for key in sys.argv[1:]))
    except EquationError as error:
        sys.exit(str(error))
