"""Where in a module something comes from: a figure's text, a draw without a seed."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

from x0_build.project import Problem

# What does not draw from NumPy's or Python's global generator.
LOCAL = {"default_rng", "Generator", "RandomState", "SeedSequence", "PCG64", "Philox", "Random"}
LOCAL |= {"seed", "get_state", "set_state", "getstate", "setstate"}
TORCH = {"rand", "randn", "randint", "randperm", "normal", "bernoulli", "multinomial", "poisson"}
TORCH |= {"rand_like", "randn_like", "randint_like"}
IN_PLACE = {"normal_", "uniform_", "bernoulli_", "exponential_", "random_"}  # methods of tensors


@dataclass(frozen=True)
class Origin:
    """What a problem with a figure is about: a function of a module, or a cell of a lab."""

    file: str
    tree: ast.Module
    line: int
    function: ast.FunctionDef | None = None

    def find(self, text: str) -> tuple[int, str]:
        """Return the line of the string or f-string that gives a text, and its template."""
        found = literal(self.function, text) or literal(self.tree, text)
        return found or (self.line, text)

    def problem(self, message: str, remedy: str, text: str = "") -> Problem:
        """Return a problem, at the line of a text if it is about one."""
        line = self.find(text)[0] if text else self.line
        return Problem(self.file, line, message, remedy)


def literal(tree: ast.AST | None, text: str) -> tuple[int, str] | None:
    """Return the line of the string or f-string that gives a text, and its template.

    >>> literal(ast.parse("f'layer {n}'"), "layer 3")
    (1, 'layer {}')
    """
    nodes = list(ast.walk(tree)) if tree else []
    inside = {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in nodes:
        if isinstance(node, ast.Constant) and node.value == text and id(node) not in inside:
            return node.lineno, text
        if isinstance(node, ast.JoinedStr):
            fixed = [str(p.value) if isinstance(p, ast.Constant) else None for p in node.values]
            pattern = "".join(".+" if part is None else re.escape(part) for part in fixed)
            if any(fixed) and re.fullmatch(pattern, text, re.DOTALL):
                return node.lineno, "".join("{}" if part is None else part for part in fixed)
    return None


def unseeded(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Find draws from a global generator that the module does not seed: line and call."""
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    names = [(node, ast.unparse(node.func)) for node in calls]
    seeded = {name.rpartition(".")[0] for _, name in names if re.search(r"\b(manual_)?seed$", name)}
    for node, name in names:
        owner, _, last = name.rpartition(".")
        free = all(keyword.arg not in ("generator", None) for keyword in node.keywords)
        if owner in ("np.random", "numpy.random", "random"):
            found = last not in LOCAL
        elif owner == "torch":
            found = free and last in TORCH
        else:  # nn.init is left alone: that is how layers are initialized everywhere
            found = free and last in IN_PLACE and not owner.endswith("init")
            owner = "torch"
        if found and owner not in seeded:
            yield node.lineno, name
