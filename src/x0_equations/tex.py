r"""Reads the TeX of one equation into a tree, strictly: what could be read in two ways is refused.

The commands of MEANINGS keep their meaning; every other house macro is expanded from
snippets/macros.toml. A letter is a symbol, a neighbour is a factor, `q_{l-1}` is an index.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import NoReturn

from x0_equations.lexer import Token, expand, skip_group, tokenize
from x0_equations.tree import Chain, Node, Parsed, Relation, Span, TexError

# House macros that are read as they stand. tests/build pins what each of them shows.
NAMES = frozenset({"fanin", "fanout", "gain", "loss", "depth"})
WRAPPERS = {
    "E": "expectation",
    "Var": "variance",
    "Prob": "probability",
    "norm": "norm",
    "abs": "absolute",
    "order": "order",
}
DISTRIBUTIONS = {"Normal": "normal", "Uniform": "uniform"}
PRIMED = {"dphi": ("phi", 1), "ddphi": ("phi", 2)}
MACRO_FUNCTIONS = frozenset({"relu", "lrelu", "sign", "diag", "tr"})
MEANINGS = NAMES | WRAPPERS.keys() | DISTRIBUTIONS.keys() | PRIMED.keys() | MACRO_FUNCTIONS | {"dd"}

_FUNCTIONS = "sin cos tan sinh cosh tanh arctan arcsin arccos ln log exp min max"
FUNCTIONS = MACRO_FUNCTIONS | set(_FUNCTIONS.split())
_GREEK = (
    "alpha beta gamma delta epsilon varepsilon zeta eta theta iota kappa lambda mu nu xi pi rho "
    "sigma tau upsilon phi varphi chi psi omega Gamma Delta Theta Lambda Xi Pi Sigma Upsilon Phi "
    "Psi Omega ell infty"
)
GREEK = frozenset(_GREEK.split())
RELATIONS = {"=": "=", ":=": "=", "coloneqq": "=", "equiv": "=", "<": "<", "lt": "<", ">": ">"}
RELATIONS |= {"gt": ">", "le": "≤", "leq": "≤", "leqslant": "≤", "ge": "≥", "geq": "≥"}
RELATIONS |= {"geqslant": "≥", "ne": "≠", "neq": "≠", "approx": "≈", "sim": "∼"}
CONNECTIVES = {"iff": "iff", "Leftrightarrow": "iff", "Longleftrightarrow": "iff"}
CONNECTIVES |= {"implies": "implies", "Rightarrow": "implies", "Longrightarrow": "implies"}
OPERATORS = {"sum": "sum", "prod": "product", "int": "integral"}
# Fonts and accents make names: \hat{q} is hat_q, \mathcal{V} is cal_V, \mathbf{W} is W.
FONTS = {"hat": "hat_", "bar": "bar_", "tilde": "tilde_", "overline": "bar_", "mathcal": "cal_"}
FONTS |= {"mathbf": "", "boldsymbol": "", "mathrm": ""}
BRACKETS = {"(": ")", "[": "]", "\\{": "\\}"}
STARS = ("*", "star", "ast")
NOT_A_FACTOR = RELATIONS.keys() | CONNECTIVES.keys()
NOT_A_FACTOR |= {"cdot", "times", "odot", "end", "dd", "top", "mid"}
CALLABLE = ("name", "index", "derivative")
Power = tuple[Node, Span]  # an exponent and its place


def parse(tex: str, macros: dict[str, str], functions: Collection[str] = ()) -> Parsed:
    """Read an equation.

    Args:
        tex: The source.
        macros: The house macros (`lexer.load_macros`).
        functions: The symbols that are functions: `f(x)` is a value of f, `n(x)` is a product.

    Raises:
        TexError: Something cannot be read without guessing; `at` is its place.
    """
    return Parsed(tex, _Reader(tex, macros, functions).equation())


class _Reader:
    """A recursive-descent reader: equation > chain > expression > term > factor > atom."""

    def __init__(self, tex: str, macros: dict[str, str], functions: Collection[str]) -> None:
        self.tokens = tokenize(tex)
        self.macros = {name: text for name, text in macros.items() if name not in MEANINGS}
        self.functions = FUNCTIONS | set(functions)
        self.at = 0
        self.count = 0  # relations so far
        self.inside = 0  # open brackets and groups
        self.table_depth = 0  # open tables, where & and rows separate cells

    # Tokens ------------------------------------------------------------------------------------

    @property
    def next(self) -> Token:
        """The token to be read: macros are expanded, rows inside brackets skipped."""
        while True:
            token = self.tokens[self.at]
            separates = self.table_depth if token.kind == "align" else not self.inside
            if token.kind in ("align", "row", "gap") and not separates:
                self.at += 1
            elif token.kind == "command" and token.text in self.macros:
                expand(self.tokens, self.at, self.macros[token.text])
            else:
                return token

    def take(self, *texts: str) -> Token | None:
        """Read the next token if it is one of these."""
        token = self.next
        if token.text not in texts or token.kind in ("end", "number"):
            return None
        self.at += 1
        return token

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
            place = token.span[1], token.span[1]
            self.tokens.insert(self.at + 1, Token("symbol", "}", place))
            self.tokens.insert(self.at, Token("symbol", "{", (token.span[0], token.span[0])))
        self.at += 1
        self.inside += 1

    def close(self, bracket: str = "}") -> None:
        """Leave a group or bracket."""
        self.need(bracket)
        self.inside -= 1

    def node(
        self, kind: str, start: int, *children: Node, text: str = "", mark: Span = (0, 0)
    ) -> Node:
        """Return a node that reaches from `start` to the last token read."""
        return Node(kind, (start, self.tokens[self.at - 1].span[1]), children, text, mark)

    def since(self, start: int) -> Span:
        """Return the place from `start` to the last token read."""
        return start, self.tokens[self.at - 1].span[1]

    # Equation and chain ------------------------------------------------------------------------

    def equation(self) -> tuple[Chain, ...]:
        """Read statements to the end."""
        chains: list[Chain] = []
        opening = "".join(token.text for token in self.tokens[:11])
        aligned = opening.startswith(("begin{aligned}", "begin{gathered}"))
        if aligned:
            self.at += 1
            self.environment()
        joined = ""
        while True:
            self.skip_breaks()
            chains.append(Chain(self.chain(), joined))
            broken = self.skip_breaks()
            if aligned and self.take("end"):
                self.environment()
                broken = self.skip_breaks()
            joined = CONNECTIVES.get(self.next.text, "")
            if joined or self.next.text in (",", ";"):
                self.at += 1
            elif self.next.kind == "end":
                return tuple(chains)
            elif not broken:
                self.fail("cannot read on")

    def environment(self) -> str:
        """Read `{name}`."""
        self.need("{")
        name = ""
        while not self.take("}"):
            name += self.next.text
            self.at += 1
        return name

    def chain(self) -> tuple[Relation, ...]:
        """Read `a = b ≤ c`."""
        relations: list[Relation] = []
        left = self.expression()
        while (found := self.relation()) is not None:
            right = self.expression()
            self.count += 1
            relations.append(Relation(self.count, *found, left, right))
            left = right
        if not relations:
            self.fail("expected a relation")
        return tuple(relations)

    def relation(self) -> tuple[str, Span] | None:
        """Read a relation sign, which may begin a new line."""
        at = self.at
        self.skip_breaks()
        token = self.next
        if token.kind not in ("command", "symbol") or token.text not in RELATIONS:
            self.at = at
            return None
        self.at += 1
        return RELATIONS[token.text], token.span

    # Expression, term, factor ------------------------------------------------------------------

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
                place = sign.span
                term = self.node("signed", place[0], term, text=sign.text, mark=place)
            terms.append(term)

    def term(self, stop: Collection[str] = ()) -> Node:
        """Read a product; the elementwise product binds looser than a neighbour."""
        start = self.next.span[0]
        left = self.product(stop)
        while self.take("odot"):
            left = self.node("hadamard", start, left, self.product(stop))
        return left

    def product(self, stop: Collection[str]) -> Node:
        """Read neighbouring factors, up to an operator in `stop`."""
        start = self.next.span[0]
        factors: list[Node] = []
        while True:
            dot = self.take("cdot", "times")
            if factors and not dot and self.take("/"):
                left = self.times(start, factors)
                factors = [self.node("over", start, left, self.factor())]
                if self.starts_factor():
                    self.fail("what stands under the slash is unclear: use \\frac or brackets")
            elif self.starts_factor() and self.next.text not in stop:
                factors.append(self.factor())
            elif dot or not factors:
                self.fail("expected a factor")
            else:
                return self.times(start, factors)

    def times(self, start: int, factors: list[Node]) -> Node:
        """Return the product of factors."""
        return factors[0] if len(factors) == 1 else self.node("times", start, *factors)

    def starts_factor(self) -> bool:
        """Tell whether a factor comes next."""
        token = self.next
        if token.kind == "command":
            return token.text not in NOT_A_FACTOR
        return token.kind in ("number", "letter") or token.text in ("(", "[", "\\{", "{")

    def factor(self) -> Node:
        """Read an atom with its subscript, exponent, primes, arguments and factorial."""
        start = self.next.span[0]
        node = self.atom()
        bare = node.kind == "name" and node.text in FUNCTIONS - {"min", "max"}
        power: Power | None = None  # in \tanh^2(z) it waits for the argument
        while True:
            if power and node.kind not in CALLABLE:
                node = self.node("power", start, node, power[0], mark=power[1])
                power = None
            caret = self.next
            if self.take("_"):
                node = self.subscript(node, start)
            elif caret.text == "'" or (caret.text == "^" and self.primes_follow()):
                order = self.primes()
                node = self.node("derivative", start, node, order, mark=order.span)
            elif self.take("^"):
                node, power = self.superscript(node, start, caret.span[0])
            elif caret.text == "(" and node.kind in CALLABLE and self.is_function(node):
                node = self.node("call", start, node, *self.arguments())
            elif self.take("!"):
                double = "double" if self.take("!") else ""
                node = self.node("factorial", start, node, text=double, mark=caret.span)
            elif bare and node.kind in CALLABLE:
                node = self.node("call", start, node, self.bare_argument(node))
            elif power:
                return self.node("power", start, node, power[0], mark=power[1])
            else:
                return node

    def is_function(self, node: Node) -> bool:
        """Tell whether a symbol, with its indices and primes, is a function."""
        while node.kind in ("derivative", "index"):
            node = node.children[0]
        return node.kind == "name" and node.text in self.functions

    def bare_argument(self, function: Node) -> Node:
        r"""Read the argument of `\ln 2`."""
        if not self.starts_factor():
            self.fail("a function needs an argument")
        argument = self.factor()
        if self.starts_factor():
            self.fail("where the argument ends is unclear: use brackets")
        return argument

    def arguments(self) -> list[Node]:
        """Read `(x, y)`."""
        self.need("(")
        self.inside += 1
        found = [self.expression()]
        while self.take(","):
            found.append(self.expression())
        self.close(")")
        return found

    def primes_follow(self) -> bool:
        """Tell whether the exponent that comes next is made of primes."""
        rest = [token.text for token in self.tokens[self.at + 1 : self.at + 3]]
        return rest[:1] == ["prime"] or rest == ["{", "prime"]

    def primes(self) -> Node:
        r"""Read `''` or `^{\prime\prime}` as the number of primes."""
        start, count = self.next.span[0], 0
        if self.take("^"):
            self.open()
            while self.take("prime"):
                count += 1
            self.close()
        while self.take("'"):
            count += 1
        return self.node("number", start, text=str(count))

    def subscript(self, base: Node, start: int) -> Node:
        r"""Read `_l`, `_{l-1}`, `_{l,ij}` or a label such as `_{\mathrm{w}}`."""
        self.open()
        opening, inside = self.at - 1, self.inside
        group = [token.text for token in self.tokens[opening : skip_group(self.tokens, opening)]]
        if base.kind == "group" and "=" in group:
            return self.between(base, start)
        label = "".join(text for text in group if text not in ("{", "}", "mathrm"))
        label = label.replace("*", "star")
        indices: list[Node] = []
        try:
            while not self.take("}"):
                letters = self.letters()
                indices += [self.atom() for _ in letters] or [self.expression()]
                if self.next.text != "}":
                    self.need(",")
            self.inside = inside - 1
        except TexError:  # a label, not an index
            self.at, self.inside = skip_group(self.tokens, opening), inside - 1
            indices = []
        return self.node("index", start, base, *indices, text=label)

    def letters(self) -> list[Token]:
        """Return what stands before the comma if it is letters, as in `ij`, or one number."""
        found: list[Token] = []
        for token in self.tokens[self.at :]:
            if token.text in (",", "}"):
                break
            found.append(token)
        number = len(found) == 1 and found[0].kind == "number"
        return found if number or all(token.kind == "letter" for token in found) else []

    def superscript(
        self, base: Node, start: int, caret: int
    ) -> tuple[Node, tuple[Node, Span] | None]:
        r"""Read `^2`, `^{-1}`, `^\top`, `^*` or the order of a derivative."""
        self.open()
        if self.take("top"):
            self.close()
            return self.node("transpose", start, base, mark=self.since(caret)), None
        if self.take(*STARS):
            self.close()
            return self.node("index", start, base, text="star"), None
        exponent = self.expression()
        self.close()
        mark = self.since(caret)
        function = base.kind in CALLABLE and self.is_function(base)
        if function and exponent.kind == "group":
            return self.node("derivative", start, base, exponent.children[0], mark=mark), None
        if function:
            return base, (exponent, mark)
        return self.node("power", start, base, exponent, mark=mark), None

    # Atoms -------------------------------------------------------------------------------------

    def atom(self) -> Node:
        """Read a number, a symbol, a bracket or a command with its arguments."""
        token = self.next
        if token.text == "{":
            self.fail("braces do not show: write brackets or leave them out")
        self.at += 1
        if token.kind == "number":
            return Node("number", token.span, text=token.text)
        if token.kind == "letter":
            return Node("name", token.span, text=token.text)
        if token.text in BRACKETS:
            self.inside += 1
            inner = self.expression()
            self.close(BRACKETS[token.text])
            return self.node("group", token.span[0], inner, mark=token.span)
        if token.kind == "command":
            return self.command(token)
        self.at -= 1
        self.fail("cannot read this")

    def command(self, token: Token) -> Node:
        """Read a command with its arguments."""
        name, start = token.text, token.span[0]
        if name in GREEK | NAMES | FUNCTIONS:
            return Node("name", token.span, text=name)
        if name in PRIMED:
            function = Node("name", token.span, text=PRIMED[name][0])
            order = Node("number", token.span, text=str(PRIMED[name][1]))
            return Node("derivative", token.span, (function, order), mark=token.span)
        if name in WRAPPERS:
            readers = {"Prob": self.condition, "E": self.given, "Var": self.given}
            inner = self.group(readers.get(name, self.expression))
            return self.node(WRAPPERS[name], start, inner, mark=token.span)
        if name in DISTRIBUTIONS:
            parameters = self.group(), self.group()
            return self.node(DISTRIBUTIONS[name], start, *parameters, mark=token.span)
        if name in FONTS:
            inner = self.group()
            if inner.kind != "name":
                raise TexError(f"\\{name} takes one letter", start)
            return self.node("name", start, text=FONTS[name] + inner.text)
        if name in ("sum", "prod"):
            return self.sum(token)
        commands: dict[str, Callable[[Token], Node]] = {
            "frac": self.fraction,
            "dfrac": self.fraction,
            "tfrac": self.fraction,
            "binom": self.binomial,
            "sqrt": self.root,
            "int": self.integral,
            "nabla": self.gradient,
            "begin": self.table,
        }
        if name not in commands:
            raise TexError(f"unknown command \\{name}", start)
        return commands[name](token)

    def group(self, read: Callable[[], Node] | None = None) -> Node:
        """Read the argument of a command."""
        self.open()
        inner = (read or self.expression)()
        self.close()
        return inner

    def given(self) -> Node:
        r"""Read `x` or `x \mid y`, what is random and what is held fixed."""
        start = self.next.span[0]
        value = self.expression()
        return self.node("given", start, value, self.expression()) if self.take("mid") else value

    def condition(self) -> Node:
        """Read relations that are true or false, as in a probability."""
        start = self.next.span[0]
        parts, symbols = [self.expression()], []
        while (found := self.relation()) is not None:
            symbols.append(found[0])
            parts.append(self.expression())
        if not symbols:
            self.fail("expected a condition")
        return self.node("condition", start, *parts, text=" ".join(symbols))

    def fraction(self, token: Token) -> Node:
        r"""Read `\frac{a}{b}` or a derivative `\frac{\partial f}{\partial x}`."""
        start = token.span[0]
        texts = [t.text for t in self.tokens[self.at : self.at + 2]]
        if texts[0] == "{" and texts[1] in ("partial", "dd"):
            return self.derivative(start, texts[1])
        return self.node("fraction", start, self.group(), self.group(), mark=token.span)

    def derivative(self, start: int, sign: str) -> Node:
        """Read the derivative of a symbol, or of the factor that follows."""
        self.open()
        self.need(sign)
        order = self.group() if self.take("^") else Node("number", (start, start), text="1")
        target = None if self.next.text == "}" else self.factor()
        self.close()
        self.open()
        self.need(sign)
        variable = self.factor()
        if variable.kind == "power":  # \partial x^2
            variable = variable.children[0]
        self.close()
        if target is not None:
            return self.node("partial", start, target, variable, order)
        return self.node("differentiate", start, self.factor(), variable, order)

    def gradient(self, token: Token) -> Node:
        r"""Read `\nabla f` or `\nabla^2 f`, the gradient or the Hessian matrix of a function."""
        order = self.group() if self.take("^") else Node("number", token.span, text="1")
        mark = self.since(token.span[0])
        function = self.atom()
        if not self.is_function(function):
            raise TexError("\\nabla takes a function", token.span[0])
        return self.node("derivative", token.span[0], function, order, mark=mark)

    def binomial(self, token: Token) -> Node:
        r"""Read `\binom{n}{k}`."""
        return self.node("binomial", token.span[0], self.group(), self.group(), mark=token.span)

    def root(self, token: Token) -> Node:
        r"""Read `\sqrt{a}` or `\sqrt[3]{a}`."""
        degree: list[Node] = []
        if self.take("["):
            self.inside += 1
            degree.append(self.expression())
            self.close("]")
        return self.node("root", token.span[0], self.group(), *degree, mark=token.span)

    def sum(self, token: Token) -> Node:
        """Read a sum or product with its body: the rest of the term.

        The body of a product ends before the next operator, and its last factor must hold the
        index: a reader could take another one for a factor outside.
        """
        start = token.span[0]
        self.need("_")
        self.open()
        variable = self.atom()
        if variable.kind != "name":
            self.fail("expected an index")
        bounds: list[Node] = []
        if self.take("="):
            bounds.append(self.expression())
        self.close()
        if bounds:
            self.need("^")
            bounds.append(self.group())
        product = token.text == "prod"
        body = self.term(OPERATORS if product else ())
        last = body.children[-1] if body.kind == "times" else body
        if product and all(node.text != variable.text for node in last.walk()):
            raise TexError("move the factor without the index before \\prod", last.span[0])
        kind = OPERATORS[token.text]
        return self.node(kind, start, body, *bounds, text=variable.text, mark=token.span)

    def integral(self, token: Token) -> Node:
        r"""Read `\int_{a}^{b} body \dd t`."""
        self.need("_")
        low = self.group()
        self.need("^")
        high = self.group()
        body = self.term()
        self.need("dd")
        variable = self.atom()
        start = token.span[0]
        return self.node("integral", start, body, low, high, text=variable.text, mark=token.span)

    def between(self, group: Node, start: int) -> Node:
        """Read `[F]_{t=a}^{b}`: F at b minus F at a."""
        variable = self.atom()
        self.need("=")
        low = self.expression()
        self.close()
        self.need("^")
        high = self.group()
        return self.node("between", start, group.children[0], low, high, text=variable.text)

    def table(self, token: Token) -> Node:
        """Read cases or a matrix."""
        name = self.environment()
        if name not in ("cases", "pmatrix", "bmatrix"):
            raise TexError(f"unknown environment {name}", token.span[0])
        cells: list[Node] = []
        rows, start, inside = 1, token.span[0], self.inside
        self.inside, self.table_depth = 0, self.table_depth + 1
        while not self.take("end"):
            as_condition = name == "cases" and len(cells) % 2 == 1
            cells.append(self.condition() if as_condition else self.expression())
            self.take(",")
            if self.next.kind == "row":
                rows += 1
            if self.next.kind in ("row", "align"):
                self.at += 1
        self.environment()
        self.inside, self.table_depth = inside, self.table_depth - 1
        text = "" if name == "cases" else str(rows)
        return self.node("cases" if name == "cases" else "matrix", start, *cells, text=text)
