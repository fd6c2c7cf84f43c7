r"""Reads the TeX of one equation into a tree, strictly: what could be read in two ways is refused.

A letter is a symbol, a neighbour is a factor, `q_{l-1}` is an index. expression.py has the grammar
of sums and factors; here are the commands with their arguments, and the chains of relations.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from functools import partial

from x0_equations.expression import Expressions
from x0_equations.lexer import Token, tokenize
from x0_equations.tree import Chain, Node, Parsed, Relation, TexError
from x0_equations.vocabulary import BRACKETS, CONNECTIVES, FONTS, MEANINGS, NOT_A_FACTOR, SYMBOLS


def parse(tex: str, macros: Mapping[str, str], functions: Collection[str] = ()) -> Parsed:
    """Read an equation: statements, each a chain of relations.

    `functions` are the symbols that are functions: then `f(x)` is a value of f, not a product. A
    TexError says what cannot be read without guessing.
    """
    expanded = {name: text for name, text in macros.items() if name not in MEANINGS}
    read = Expressions(tokenize(tex, expanded), functions, partial(_command, macros=macros))
    chains: list[Chain] = []
    joined, count = "", 0
    while True:
        read.skip_breaks()
        chains.append(Chain(_relations(read, count), joined))
        count += len(chains[-1].relations)
        broken = read.skip_breaks()
        end = read.next
        joined = end.text if end.text in CONNECTIVES else ""
        if joined or end.text in (",", ";"):
            read.at += 1
        elif end.kind == "end":
            return Parsed(tex, tuple(chains))
        elif not broken:
            read.fail("cannot read on")


def _relations(read: Expressions, count: int) -> tuple[Relation, ...]:
    """Read `a = b ≤ c`, numbering its relations after the `count` before it."""
    relations: list[Relation] = []
    left = read.expression()
    while (found := read.relation()) is not None:
        right = read.expression()
        relations.append(Relation(count + len(relations) + 1, *found, left, right))
        left = right
    if not relations:
        read.fail("expected a relation")
    return tuple(relations)


def _command(read: Expressions, token: Token, macros: Collection[str] = ()) -> Node:
    """Read what follows a command, which is a symbol or takes arguments.

    An unknown one may have been meant to be one of the house macros.
    """
    name, start = token.text, token.span[0]
    if token.kind == "environment":
        return _table(read, token)
    if name in SYMBOLS:
        return Node("name", token.span, text=name)
    if name in FONTS:
        inner = read.group()
        if inner.kind != "name":
            raise TexError(f"\\{name} takes one letter", start)
        return read.node("name", start, text=FONTS[name] + inner.text)
    if name in COMMANDS:
        return COMMANDS[name](read, token)
    if name in ARGUMENTS:
        kind, count, argument = ARGUMENTS[name]
        arguments = [read.group(lambda: argument(read)) for _ in range(count)]
        if name in ("E", "Var", "Prob"):  # what \\E means is bound as E
            arguments.insert(0, Node("name", token.span, text="E"))
        return read.node(kind, start, *arguments, mark=token.span)
    near = get_close_matches(name, [*KNOWN, *macros], 1)
    hint = f": did you mean \\{near[0]}?" if near else ""
    raise TexError(f"unknown command \\{name}{hint}", start)


def _given(read: Expressions) -> Node:
    r"""Read `x` or `x \mid y`, what is random and what is held fixed."""
    start = read.next.span[0]
    value = read.expression()
    return read.node("given", start, value, read.expression()) if read.take("mid") else value


def _condition(read: Expressions) -> Node:
    """Read relations that are true or false, as in a probability."""
    start = read.next.span[0]
    parts, symbols = [read.expression()], []
    while (found := read.relation()) is not None:
        symbols.append(found[0])
        parts.append(read.expression())
    if not symbols:
        read.fail("expected a condition")
    return read.node("condition", start, *parts, text=" ".join(symbols))


def _fraction(read: Expressions, token: Token) -> Node:
    r"""Read `\frac{a}{b}`, or a derivative `\frac{\partial f}{\partial x}` or `\frac{\dd}{\dd x} f`."""
    start = token.span[0]
    brace, sign = (token.text for token in read.tokens[read.at : read.at + 2])
    if brace != "{" or sign not in ("partial", "dd"):
        return read.node("fraction", start, read.group(), read.group(), mark=token.span)
    read.open()
    read.need(sign)
    order = _order(read, start)
    target = None if read.next.text == "}" else read.factor()
    read.need("}")
    read.open()
    read.need(sign)
    variable = read.factor()
    if variable.kind == "power":  # \partial x^2
        variable = variable.children[0]
    read.need("}")
    if target is not None:
        return read.node("partial", start, target, variable, order)
    return read.node("differentiate", start, read.factor(), variable, order)


def _gradient(read: Expressions, token: Token) -> Node:
    r"""Read `\nabla f` or `\nabla^2 f`, the gradient or the Hessian matrix of a function."""
    start = token.span[0]
    order = _order(read, start)
    mark = read.node("", start).span
    function = read.atom()
    if read.symbol(function) not in read.functions:
        raise TexError("\\nabla takes a function", start)
    return read.node("derivative", start, function, order, mark=mark)


def _order(read: Expressions, start: int) -> Node:
    """Read the order of a derivative; it is 1 if nothing is said."""
    return read.group() if read.take("^") else Node("number", (start, start), text="1")


def _root(read: Expressions, token: Token) -> Node:
    r"""Read `\sqrt{a}` or `\sqrt[3]{a}`."""
    degree: list[Node] = []
    if read.take("["):
        degree.append(read.expression())
        read.need("]")
    return read.node("root", token.span[0], read.group(), *degree, mark=token.span)


def _sum(read: Expressions, token: Token) -> Node:
    """Read a sum or product with its body: the rest of the term.

    The body of a product ends before the next operator, and its last factor must hold the
    index: a reader could take another one for a factor outside.
    """
    read.need("_")
    read.open()
    variable = read.atom()
    if variable.kind != "name":
        read.fail("expected an index")
    bounds = [read.expression()] if read.take("=") else []
    read.need("}")
    if bounds:
        read.need("^")
        bounds.append(read.group())
    kind = {"sum": "sum", "prod": "product"}[token.text]
    body = read.term(("sum", "prod", "int") if kind == "product" else ())
    last = body.children[-1] if body.kind == "times" else body
    if kind == "product" and all(node.text != variable.text for node in last.walk()):
        raise TexError("move the factor without the index before \\prod", last.span[0])
    return read.node(kind, token.span[0], body, *bounds, text=variable.text, mark=token.span)


def _integral(read: Expressions, token: Token) -> Node:
    r"""Read `\int_{a}^{b} body \dd t`."""
    read.need("_")
    low = read.group()
    read.need("^")
    high, body = read.group(), read.term()
    read.need("dd")
    name, start = read.atom().text, token.span[0]
    return read.node("integral", start, body, low, high, text=name, mark=token.span)


def _table(read: Expressions, token: Token) -> Node:
    """Read cases or a matrix, whose text is the number of its rows."""
    kind = TABLES.get(token.text)
    if kind is None:
        raise TexError(f"unknown environment {token.text}", token.span[0])
    cells: list[Node] = []
    rows = 1
    while read.next.kind != "environment":
        as_condition = kind == "cases" and len(cells) % 2 == 1
        cells.append(_condition(read) if as_condition else read.expression())
        read.take(",")
        rows += read.next.kind == "row"
        read.at += read.next.kind in ("row", "align")
    read.need(token.text.replace("begin", "end"))
    return read.node(kind, token.span[0], *cells, text=str(rows))


TABLES = {r"\begin{cases}": "cases", r"\begin{pmatrix}": "matrix", r"\begin{bmatrix}": "matrix"}
# What a command makes of how many arguments, and how these are read.
ARGUMENTS: dict[str, tuple[str, int, Callable[[Expressions], Node]]] = {
    "E": ("expectation", 1, _given),
    "Var": ("variance", 1, _given),
    "Prob": ("probability", 1, _condition),
    "order": ("order", 1, Expressions.expression),
    "Normal": ("normal", 2, Expressions.expression),
    "Uniform": ("uniform", 2, Expressions.expression),
    "binom": ("binomial", 2, Expressions.expression),
}
COMMANDS: dict[str, Callable[[Expressions, Token], Node]] = {
    "frac": _fraction,
    "sum": _sum,
    "prod": _sum,
    "sqrt": _root,
    "int": _integral,
    "nabla": _gradient,
}
KNOWN = SYMBOLS | ARGUMENTS.keys() | FONTS.keys() | COMMANDS.keys() | NOT_A_FACTOR | BRACKETS.keys()
