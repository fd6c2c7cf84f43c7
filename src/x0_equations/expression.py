"""Reads an expression: sums, products, factors with what hangs on them, numbers and symbols."""

from __future__ import annotations

from collections.abc import Callable, Collection

from x0_equations.lexer import Cursor, Token, skip_group
from x0_equations.tree import Node, Span, TexError
from x0_equations.vocabulary import BRACKETS, FUNCTIONS, NOT_A_FACTOR, RELATIONS

BARE = FUNCTIONS - {"min", "max"}  # functions that need no brackets
Command = Callable[["Expressions", Token], Node]


class Expressions(Cursor):
    """A recursive-descent reader: expression > term > factor > atom."""

    def __init__(self, tokens: list[Token], functions: Collection[str], command: Command) -> None:
        super().__init__(tokens)
        self.functions = FUNCTIONS | set(functions)  # f(x) is a value of f, n(x) a product
        self.command = command  # reads a command with its arguments (reader.py)

    def relation(self) -> tuple[str, Span] | None:
        """Read a relation sign, which may begin a new line."""
        at = self.at
        self.skip_breaks()
        token = self.take(*RELATIONS)
        if token is None:
            self.at = at
        return (RELATIONS[token.text], token.span) if token else None

    def expression(self) -> Node:
        """Read a sum of terms."""
        start = self.next.span[0]
        terms: list[Node] = []
        while True:
            at = self.at
            if terms:
                self.skip_breaks()
            sign = self.take("+", "-")
            if sign is None and terms:
                self.at = at
                return terms[0] if len(terms) == 1 else self.node("plus", start, *terms)
            term = self.term()
            if sign:
                kind = "positive" if sign.text == "+" else "negative"
                term = self.node(kind, sign.span[0], term, mark=sign.span)
            terms.append(term)

    def term(self, stop: Collection[str] = ()) -> Node:
        """Read neighbouring factors, up to an operator in `stop`; the elementwise product is last."""
        start = self.next.span[0]
        factors: list[Node] = []
        while True:
            dot = self.take("cdot", "times")
            if self.starts_factor() and self.next.text not in stop:
                factors.append(self.factor())
                continue
            if dot or not factors:
                self.fail("expected a factor")
            left = factors[0] if len(factors) == 1 else self.node("times", start, *factors)
            if self.take("odot"):
                return self.node("hadamard", start, left, self.term(stop))
            if not self.take("/"):
                return left
            factors = [self.node("fraction", start, left, self.factor())]
            if self.starts_factor():
                self.fail("what stands under the slash is unclear: use \\frac or brackets")

    def starts_factor(self) -> bool:
        """Tell whether a factor comes next."""
        token = self.next
        if token.kind == "command":
            return token.text not in NOT_A_FACTOR
        opens = token.text in ("(", "[", "\\{", "{") or token.text.startswith("\\begin")
        return opens or token.kind in ("number", "letter")

    def factor(self) -> Node:
        """Read an atom with its subscript, exponent, primes, arguments and factorial."""
        start = self.next.span[0]
        node = self.atom()
        while True:
            sign = self.next
            if self.take("_"):
                node = self.subscript(node, start)
            elif sign.text == "'":
                order = self.primes("'")
                node = self.node("derivative", start, node, order, mark=order.span)
            elif self.take("^"):
                node = self.superscript(node, start, sign.span[0])
            elif self.take("!"):
                kind = "semifactorial" if self.take("!") else "factorial"
                node = self.node(kind, start, node, mark=sign.span)
            elif (called := self.called(node, start)) is not node:
                node = called
            else:
                return node

    def called(self, node: Node, start: int) -> Node:
        r"""Return a function with its arguments, `f(x, y)` or `\ln 2`; other nodes as they are."""
        symbol = self.symbol(node)
        if symbol in self.functions and self.take("("):
            arguments = [self.expression()]
            while self.take(","):
                arguments.append(self.expression())
            self.need(")")
            return self.node("call", start, node, *arguments)
        if symbol not in BARE:
            return node
        if not self.starts_factor():
            self.fail("a function needs an argument")
        argument = self.factor()
        if self.starts_factor():
            self.fail("where the argument ends is unclear: use brackets")
        return self.node("call", start, node, argument)

    def symbol(self, node: Node) -> str:
        """Return the name of a symbol without its indices and primes, or nothing."""
        while node.kind in ("derivative", "index"):
            node = node.children[0]
        return node.text if node.kind == "name" else ""

    def primes(self, prime: str) -> Node:
        r"""Read `''`, or the `\prime\prime` of an exponent, as their number."""
        start, count = self.next.span[0], 0
        while self.take(prime):
            count += 1
        return self.node("number", start, text=str(count))

    def subscript(self, base: Node, start: int) -> Node:
        r"""Read `_l`, `_{l-1}`, `_{l,ij}` or a label such as `_{\mathrm{w}}`."""
        self.open()
        end = skip_group(self.tokens, self.at - 1)
        texts = [token.text for token in self.tokens[self.at : end - 1]]
        if base.kind == "group" and "=" in texts:  # [F]_{t=a}^{b}: F at b minus F at a
            name = self.atom().text
            self.need("=")
            low = self.expression()
            self.need("}")
            self.need("^")
            return self.node("between", start, base.children[0], low, self.group(), text=name)
        label = "".join(text for text in texts if text not in ("{", "}", "mathrm"))
        indices: list[Node] = []
        try:
            while not self.take("}"):
                index = self.expression()
                letters = all(part.kind == "name" for part in index.children)
                indices += index.children if index.kind == "times" and letters else [index]
                if self.next.text != "}":
                    self.need(",")
        except TexError:  # a label, not an index
            self.at, indices = end, []
        return self.node("index", start, base, *indices, text=label.replace("*", "star"))

    def superscript(self, base: Node, start: int, caret: int) -> Node:
        r"""Read `^2`, `^{-1}`, `^\top`, `^*` or the order of a derivative."""
        self.open()
        top, star = self.take("top"), self.take("*", "star", "ast")
        primed = self.next.text == "prime"
        exponent = self.primes("prime") if top or star or primed else self.expression()
        self.need("}")
        mark = self.node("", caret).span
        if top:
            return self.node("transpose", start, base, mark=mark)
        if star:
            return self.node("index", start, base, text="star")
        function = self.symbol(base) in self.functions
        if primed or (function and exponent.kind == "group"):
            order = exponent if primed else exponent.children[0]
            return self.node("derivative", start, base, order, mark=mark)
        base = self.called(base, start) if function else base  # \tanh^2(z)
        return self.node("power", start, base, exponent, mark=mark)

    def atom(self) -> Node:
        """Read a number, a symbol, a bracket or a command with its arguments."""
        token = self.next
        if token.text == "{":
            self.fail("braces do not show: write brackets or leave them out")
        if token.text in BRACKETS:
            self.at += 1
            inner = self.expression()
            closing, kind = BRACKETS[token.text]
            self.need(closing)
            return self.node(kind, token.span[0], inner, mark=token.span)
        if token.kind not in ("number", "letter", "command", "environment"):
            self.fail("cannot read this")
        self.at += 1
        if token.kind in ("command", "environment"):
            return self.command(self, token)
        return Node("name" if token.kind == "letter" else "number", token.span, text=token.text)

    def group(self, read: Callable[[], Node] | None = None) -> Node:
        """Read the argument of a command."""
        self.open()
        inner = (read or self.expression)()
        self.need("}")
        return inner
