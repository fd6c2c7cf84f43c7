r"""The checks of equations, as their authors write them.

    @equation("xavier-forward", kind="statistical")
    def test_forward(eq: Equation) -> None:
        net = network((5, 8, 3), "tanh")
        for l in (1, 2):
            eq.holds(l=l, q=net.q, n=net.n, v=net.v, p=net.p)

A binding comes from a definition (samples, quadrature, automatic differentiation), never from a
closed form of the same equation. Symbols are bound by name: `n_l` by `n` (or by `n_l`), `\fanin`
by `fanin`, `\hat{q}` by `hat_q`, the meaning of `\E{…}` by `E`. `python -m x0_equations.explain`
prints the names that an equation needs.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from dataclasses import KW_ONLY, dataclass, field
from functools import cache, partial, wraps
from pathlib import Path
from typing import Any

import numpy as np

from x0_equations import modes
from x0_equations.evaluate import NoValue, Unbound
from x0_equations.lexer import load_macros
from x0_equations.marks import KINDS, TOLERANCES
from x0_equations.reader import parse
from x0_equations.relation import Outcome, Tolerance
from x0_equations.source import FOLDER, Printed, equations
from x0_equations.tree import Parsed, Relation, TexError

CHECKS: dict[str, Check] = {}  # by key, as the test modules are imported
_macros = cache(lambda root: load_macros(root / "snippets" / "macros.toml"))
_printed = cache(equations)


class EquationError(AssertionError):
    """An equation is wrong, or its check does not check it."""


@dataclass
class Equation:
    """One equation under check, and what came of it."""

    printed: Printed  # the TeX (or what a mutant says) and where it stands
    root: Path  # the project
    tolerance: Tolerance
    check: str = ""  # where the check stands
    trials: list[modes.Trial] = field(default_factory=list)
    decided: dict[int, list[Outcome]] = field(default_factory=dict)  # by relation
    stated: bool = False  # whether a check in code has pinned the TeX

    def parse(self, functions: frozenset[str]) -> Parsed:
        """Read the TeX."""
        __tracebackhide__ = True
        tex = self.printed.tex
        try:
            return parse(tex, _macros(self.root), functions)
        except TexError as error:
            column = error.at - tex.rfind("\n", 0, error.at)
            raise EquationError(f"{self.place(error.at)}:{column}: {error}\n{tex}") from None

    def place(self, offset: int = 0) -> str:
        """Return the file and the line of a place in the TeX."""
        lines = self.printed.tex.count("\n", 0, offset)
        return f"{self.printed.file}:{self.printed.line + lines}"

    def holds(
        self, *, only: Sequence[int] = (), scale: float = 0.0, tight: bool = False, **bindings: Any
    ) -> None:
        r"""Check every relation that claims to be exact, by the values of its sides.

        Args:
            only: The numbers of the relations to check, from 1; all by default.
            scale: The size against which a difference from 0 is small, such as a variance.
            tight: Whether an inequality must come within 1e-6 of equality at some point.
            **bindings: The values of the symbols. `E` maps values to their expectation.

        A relation `≈` with a decimal number on the right must hold to its last digit; one with
        another right side, or with an `\order{…}`, is left to `approximates`.
        """
        __tracebackhide__ = True
        self._try((bindings,), partial(modes.holds, only=only, scale=scale, tight=tight))

    def approximates(
        self,
        along: Sequence[float],
        bind: Callable[[float], modes.Bindings],
        *,
        order: float | Callable[[float], float] | None = None,
        only: Sequence[int] = (),
    ) -> None:
        r"""Check the order of every `≈` and of every `\order{…}` by the slope of the error.

        Args:
            along: The small (or large) quantity, over at least a factor of ten.
            bind: Returns the bindings for one value of it.
            order: How the error of an `≈` goes: a power of the quantity, or a function of it.
            only: The numbers of the relations to check; all by default.
        """
        __tracebackhide__ = True
        bindings = tuple(bind(value) for value in along)
        self._try(bindings, partial(modes.approximates, only=only, along=along, order=order))

    def equivalent(
        self, unknown: str, within: tuple[float, float], *, scale: float = 0.0, **bindings: Any
    ) -> None:
        """Check `A ⟺ B` (or `A ⟹ B`): both are true for the same values of one unknown.

        Tries the values where a relation changes from false to true, and many others.
        """
        __tracebackhide__ = True
        self._try(
            (bindings,), partial(modes.equivalent, unknown=unknown, within=within, scale=scale)
        )

    def states(self, tex: str) -> None:
        """Pin the TeX that a check in code checks: who changes it must look at the check again."""
        __tracebackhide__ = True
        self.stated = True
        file, check = (" ".join(text.split()) for text in (self.printed.tex, tex))
        if file != check:
            message = f"{self.place()}: says something else than {self.check} checks\n"
            raise EquationError(f"{message}    the file   {file}\n    the check  {check}")

    def _try(self, steps: tuple[modes.Bindings, ...], mode: Callable[..., modes.Outcomes]) -> None:
        __tracebackhide__ = True
        trial, bindings = modes.Trial(steps, mode), steps[0]
        parsed = self.parse(trial.functions)
        try:
            for relation, outcome in trial.outcomes(parsed, self.tolerance):
                self.decided.setdefault(relation.number, []).append(outcome)
                if not outcome.holds:
                    raise EquationError(self._does_not_hold(parsed, relation, outcome, bindings))
        except Unbound as error:
            message = f"{self.place()}: {self.check} does not bind {error}"
            raise EquationError(message) from None
        except NoValue as error:
            raise EquationError(self._has_no_value(parsed, error, bindings)) from None
        if unused := trial.unused(parsed):
            message = f"{self.place()}: {self.check} binds {unused}, which does not occur"
            raise EquationError(message)
        self.trials.append(trial)

    def _does_not_hold(
        self, parsed: Parsed, relation: Relation, outcome: Outcome, bindings: modes.Bindings
    ) -> str:
        numbers = {k: v for k, v in bindings.items() if type(v) in (int, float, np.float64)}
        where = ", ".join(f"{name} = {value:.6g}" for name, value in numbers.items())
        left, right = parsed.source(relation.left), parsed.source(relation.right)
        return (
            f"{self.place(relation.mark[0])}: relation {relation.number} does not hold\n"
            f"    {left} {relation.symbol} {right}\n"
            f"    left   {outcome.left}\n"
            f"    right  {outcome.right}\n"
            f"    {outcome.detail}\n"
            f"    {f'with {where}; ' if where else ''}check: {self.check}"
        )

    def _has_no_value(self, parsed: Parsed, error: NoValue, bindings: modes.Bindings) -> str:
        names = {part.text for part in error.node.walk()}
        arrays = [k for k, v in bindings.items() if k in names and isinstance(v, np.ndarray)]
        hint = "".join(
            f"    {name} is a plain array, numbers side by side; a vector is {name}=Matrix(...)\n"
            for name in arrays
        )
        return (
            f"{self.place(error.node.span[0])}: {parsed.source(error.node)} has no value\n"
            f"    {error}\n{hint}    check: {self.check}"
        )


@dataclass
class Check:
    """Makes a test the check of an equation, as `@equation(…)`; all arguments are literals."""

    key: str  # the concept and the name in its file: `he-variance`
    _: KW_ONLY
    kind: str  # symbolic, numerical, statistical or definition
    tolerance: str = ""  # allowed and shown (see relation.Tolerance); by default as in marks.py
    # Whether the TeX itself is evaluated. If not, the test is the check, and it calls `eq.states`
    # with the TeX that it checks.
    parsed: bool = True
    survivors: str = ""  # why mutants survive, if some must: `make mutate` lists them with it
    # Why both sides agree to the last bit, although neither was computed by the other: an
    # independent program that does the same operations, for instance.
    identical: str = ""

    def __call__(self, function: Callable[..., None]) -> Callable[..., None]:
        """Register the check; return the test that pytest runs."""
        if self.kind not in KINDS:
            raise ValueError(f"kind must be one of {', '.join(KINDS)}. Received: {self.kind}")
        self.function, path = function, Path(function.__code__.co_filename)
        self.root = next((p for p in path.parents if (p / FOLDER).is_dir()), path.parent)
        line = function.__code__.co_firstlineno
        self.place = f"{path.relative_to(self.root).as_posix()}:{line}"
        CHECKS[self.key] = self

        @wraps(function)
        def test(**fixtures: Any) -> None:
            __tracebackhide__ = True
            self.run(**fixtures)

        _, *fixtures = inspect.signature(function).parameters.values()
        test.__signature__ = inspect.Signature(fixtures)  # type: ignore[attr-defined]
        return test

    def run(self, **fixtures: Any) -> Equation:
        """Run the check; an EquationError names what does not hold or was not looked at."""
        __tracebackhide__ = True
        found = _printed(self.root).get(self.key)
        if found is None:
            raise EquationError(f"{self.place}: no file of {FOLDER} holds {self.key}")
        allowed = Tolerance.read(self.tolerance or TOLERANCES[self.kind])
        equation = Equation(found, self.root, allowed, self.place)
        self.function(equation, **fixtures)
        if complaint := self._left_undone(equation):
            raise EquationError(complaint)
        return equation

    def _left_undone(self, equation: Equation) -> str:
        """Return how the check falls short of what its decorator promises."""
        if not self.parsed:
            return "" if equation.stated else f"{self.place}: a check in code calls eq.states(tex)"
        if not equation.trials:
            return f"{self.place}: evaluates no relation; is it parsed=False?"
        decided = equation.decided
        relations = equation.parse(equation.trials[0].functions).relations
        if missed := {r.number for r in relations} - decided.keys():
            return f"{equation.place()}: {self.place} leaves relation {missed} out"
        ways = [{outcome.how for outcome in outcomes} for outcomes in decided.values()]
        statistical = any("statistical" in way for way in ways)
        done = "statistical" if statistical else "numerical"
        done = "symbolic" if all("symbolic" in way for way in ways) else done
        if self.kind not in (done, "definition"):
            return f"{self.place}: is marked {self.kind}, but the check is {done}"
        bound = equation.trials[0].bindings[0].keys()
        fed = [r.number for r in relations if modes.feeds_itself(r, decided[r.number], bound)]
        if not fed or self.identical or self.kind == "definition":
            return ""
        return (
            f"{equation.place()}: both sides of relation {fed[0]} agree to the last bit in every "
            f"trial of {self.place}: is one of them bound to what the other says?\n"
            "    → bind it by its definition (samples, quadrature, automatic differentiation), "
            'or say why the bits agree: @equation(…, identical="why")'
        )


equation = Check
