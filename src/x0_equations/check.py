r"""The checks of equations, as their authors write them.

    @equation("xavier-forward", kind="statistical")
    def test_forward(eq: Equation) -> None:
        net = network((5, 8, 3), "tanh")
        for l in (1, 2):
            eq.holds(l=l, q=net.q, n=net.n, v=net.v, p=net.p)

A binding comes from a definition (samples, quadrature, automatic differentiation), never from a
closed form of the same equation. Symbols are bound by name: `n_l` by `n` (or by `n_l`), `\fanin`
by `fanin`, `\hat{q}` by `hat_q`, the meaning of `\E{…}` by `E`.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from x0_equations.evaluate import Evaluation, Unbound, index_name
from x0_equations.lexer import load_macros
from x0_equations.marks import KINDS, TOLERANCES
from x0_equations.relation import Outcome, Tolerance, compare
from x0_equations.tex import parse
from x0_equations.tree import Chain, Node, Parsed, Relation, TexError
from x0_equations.values import Indexed

Bindings = Mapping[str, Any]
CHECKS: dict[str, Check] = {}  # by key, as the test modules are imported


class EquationError(AssertionError):
    """An equation is wrong, or its check does not check it."""


@dataclass(frozen=True)
class Trial:
    """One evaluation of an equation; it does not depend on the TeX, so mutants can repeat it."""

    mode: str  # holds, approximates or equivalent
    bindings: tuple[Bindings, ...]  # one, or one per step of an approximation
    options: Bindings

    @property
    def functions(self) -> frozenset[str]:
        """The symbols that are bound to functions."""
        found = self.bindings[0].items()
        return frozenset(
            name
            for name, value in found
            if name != "E" and (callable(value) or (isinstance(value, Indexed) and value.function))
        )

    def outcomes(self, parsed: Parsed, tolerance: Tolerance) -> Iterator[Outcome]:
        """Evaluate the relations that this trial decides."""
        with np.errstate(divide="raise", over="raise", invalid="raise", under="ignore"):
            if self.mode == "equivalent":
                yield from _equivalent(parsed, self.bindings[0], self.options, tolerance)
                return
            for relation in parsed.relations:
                if self.options["only"] and relation.number not in self.options["only"]:
                    continue
                if self.mode == "holds":
                    outcome = _holds(relation, self.bindings[0], self.options, tolerance)
                else:
                    outcome = _approximates(relation, self.bindings, self.options, tolerance)
                if outcome is not None:
                    yield outcome

    def unused(self, parsed: Parsed) -> set[str]:
        """Return the bindings that do not occur in the equation."""
        used = {"E", self.options.get("unknown")}
        for relation in parsed.relations:
            for side in (relation.left, relation.right):
                used |= {node.text for node in side.walk()}
                used |= {index_name(node) for node in side.walk() if node.kind == "index"}
        return self.bindings[0].keys() - used


def _sides(relation: Relation, bindings: Bindings) -> tuple[Any, Any, list[Any]]:
    """Return both values and those of the terms of higher order."""
    left, right = Evaluation(bindings), Evaluation(bindings)
    return left.value(relation.left), right.value(relation.right), left.orders + right.orders


def _holds(
    relation: Relation, bindings: Bindings, options: Bindings, tolerance: Tolerance
) -> Outcome | None:
    left, right, orders = _sides(relation, bindings)
    digits = 0.0
    if relation.symbol == "≈":
        digits = _half_digit(relation.right)
        if not digits:
            return None  # approximates() decides
    elif orders:
        return None
    extra = {name: options[name] for name in ("scale", "tight")}
    return compare(relation.number, relation.symbol, left, right, tolerance, digits=digits, **extra)


def _half_digit(node: Node) -> float:
    """Return half a unit of the last digit of a decimal number, else 0."""
    while node.kind == "signed":
        node = node.children[0]
    decimals = node.text.partition(".")[2]
    return 0.5 * 10.0 ** -len(decimals) if node.kind == "number" and decimals else 0.0


def _approximates(
    relation: Relation, steps: Sequence[Bindings], options: Bindings, tolerance: Tolerance
) -> Outcome | None:
    results = [_sides(relation, bindings) for bindings in steps]
    lefts = np.array([_number(left) for left, _, _ in results])
    rights = np.array([_number(right) for _, right, _ in results])
    if relation.symbol == "=" and not results[0][2]:
        return compare(relation.number, "=", lefts, rights, tolerance)
    if relation.symbol not in ("=", "≈") or not tolerance.slope:
        return None
    errors = np.abs(lefts - rights)
    if errors.min() == 0.0:
        return Outcome(relation.number, False, detail="the approximation is exact")
    x = np.log(np.asarray(options["along"], dtype=float))
    measured = float(np.polyfit(x, np.log(errors), 1)[0])
    if results[0][2]:
        stated = [sum(abs(_number(order)) for order in orders) for *_, orders in results]
        expected = float(np.polyfit(x, np.log(stated), 1)[0])
    elif options["order"] is None:
        return Outcome(relation.number, False, detail="the order of ≈ is not stated")
    elif callable(options["order"]):
        stated = [options["order"](value) for value in options["along"]]
        expected = float(np.polyfit(x, np.log(stated), 1)[0])
    else:
        expected = float(options["order"])
    return Outcome(
        relation.number,
        abs(measured - expected) <= tolerance.slope,
        f"{lefts[-1]:.6g}",
        f"{rights[-1]:.6g}",
        f"slope of the error {measured:.3f}, stated {expected:.3f} ± {tolerance.slope}",
    )


def _equivalent(
    parsed: Parsed, bindings: Bindings, options: Bindings, tolerance: Tolerance
) -> Iterator[Outcome]:
    """Compare the truth of the chains, where it changes and elsewhere, along one unknown."""
    low, high = options["within"]
    name = options["unknown"]

    def gap(relation: Relation, x: float) -> float:
        left, right, _ = _sides(relation, {**bindings, name: x})
        return _number(left) - _number(right)

    grid = np.linspace(low, high, 241)
    places = list(grid[:-1] + 0.37 * np.diff(grid))
    for relation in parsed.relations:
        gaps = [gap(relation, x) for x in grid]
        for i in range(len(grid) - 1):
            if gaps[i] * gaps[i + 1] <= 0.0:
                root = _root(lambda x, r=relation: gap(r, x), grid[i], grid[i + 1])  # type: ignore[misc]
                nudge = 1e-6 * (high - low)
                places += [root, root - nudge, root + nudge]

    def true(chain: Chain, x: float) -> bool:
        return all(
            compare(
                r.number,
                r.symbol,
                *_sides(r, {**bindings, name: x})[:2],
                tolerance,
                scale=options["scale"],
            ).holds
            for r in chain.relations
        )

    truth = [[true(chain, x) for x in places] for chain in parsed.chains]
    for before, chain, values in zip(truth, parsed.chains[1:], truth[1:], strict=False):
        pairs = list(zip(before, values, strict=True))
        wrong = [a and not b if chain.joined == "implies" else a != b for a, b in pairs]
        where = [f"{x:.6g}" for x, bad in zip(places, wrong, strict=True) if bad]
        vacuous = not any(values) or all(before)
        detail = f"{name} = {where[0]}" if where else "never true" if vacuous else ""
        for relation in parsed.relations:
            yield Outcome(relation.number, not where and not vacuous, detail=detail)


def _number(value: Any) -> float:
    """Return the number in an array of one."""
    return float(np.asarray(value, dtype=float).item())


def _root(function: Callable[[float], float], low: float, high: float) -> float:
    from scipy.optimize import brentq

    if function(low) == 0.0:
        return low
    return high if function(high) == 0.0 else float(brentq(function, low, high, xtol=1e-15))


@dataclass
class Equation:
    """One equation under check: its TeX, and the trials that were made of it.

    Attributes:
        key: The name of its file.
        tex: What the file says (or what a mutant says).
        root: The project.
        tolerance: What the check allows.
    """

    key: str
    tex: str
    root: Path
    tolerance: Tolerance
    check: str = ""  # where the check stands
    trials: list[Trial] = field(default_factory=list)
    decided: dict[int, set[str]] = field(default_factory=dict)  # relation: how
    stated: bool = False

    def parse(self, functions: frozenset[str]) -> Parsed:
        """Read the TeX."""
        try:
            return parse(self.tex, _macros(self.root), functions)
        except TexError as error:
            line = self.tex.count("\n", 0, error.at) + 1
            column = error.at - (self.tex.rfind("\n", 0, error.at) + 1) + 1
            raise EquationError(f"{self.file}:{line}:{column}: {error}\n{self.tex}") from error

    @property
    def file(self) -> str:
        """The file's name as it is shown."""
        return f"snippets/equations/{self.key}.tex"

    def holds(
        self,
        *,
        only: Sequence[int] = (),
        scale: float = 0.0,
        tight: bool = False,
        **bindings: Any,
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
        options = {"only": tuple(only), "scale": scale, "tight": tight}
        self._try(Trial("holds", (bindings,), options))

    def approximates(
        self,
        along: Sequence[float],
        bind: Callable[[float], Bindings],
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
        options = {"along": tuple(along), "order": order, "only": tuple(only)}
        self._try(Trial("approximates", tuple(bind(value) for value in along), options))

    def equivalent(
        self, unknown: str, within: tuple[float, float], *, scale: float = 0.0, **bindings: Any
    ) -> None:
        """Check `A ⟺ B` (or `A ⟹ B`): both are true for the same values of one unknown.

        Tries the values where a relation changes from false to true, and many others.
        """
        options = {"unknown": unknown, "within": within, "scale": scale}
        self._try(Trial("equivalent", (bindings,), options))

    def states(self, tex: str) -> None:
        """Pin the TeX that a check in code checks: who changes it must look at the check again."""
        self.stated = True
        if self.tex.split() != tex.split():
            raise EquationError(
                f"{self.file}:1: says something else than {self.check} checks\n"
                f"    the file   {' '.join(self.tex.split())}\n"
                f"    the check  {' '.join(tex.split())}"
            )

    def _try(self, trial: Trial) -> None:
        parsed = self.parse(trial.functions)
        try:
            for outcome in trial.outcomes(parsed, self.tolerance):
                self.decided.setdefault(outcome.number, set()).add(outcome.how)
                if not outcome.holds:
                    raise EquationError(self._complaint(parsed, trial, outcome))
        except Unbound as error:
            raise EquationError(f"{self.file}:1: {self.check} does not bind {error}") from error
        if unused := trial.unused(parsed):
            raise EquationError(f"{self.file}:1: {self.check} binds {unused}, which does not occur")
        self.trials.append(trial)

    def _complaint(self, parsed: Parsed, trial: Trial, outcome: Outcome) -> str:
        relation = parsed.relations[outcome.number - 1]
        line = self.tex.count("\n", 0, relation.mark[0]) + 1
        numbers = {
            name: value
            for name, value in trial.bindings[0].items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        }
        where = ", ".join(f"{name} = {value:.6g}" for name, value in numbers.items())
        left, right = parsed.source(relation.left), parsed.source(relation.right)
        return (
            f"{self.file}:{line}: relation {outcome.number} does not hold\n"
            f"    {left} {relation.symbol} {right}\n"
            f"    left   {outcome.left}\n"
            f"    right  {outcome.right}\n"
            f"    {outcome.detail}\n"
            f"    {f'with {where}; ' if where else ''}check: {self.check}"
        )


@dataclass(frozen=True)
class Check:
    """A registered check."""

    key: str
    kind: str
    tolerance: Tolerance
    parsed: bool
    function: Callable[..., None]
    place: str
    root: Path
    survivors: str = ""

    def equation(self) -> Equation:
        """Return the equation as its file says it."""
        path = self.root / "snippets" / "equations" / f"{self.key}.tex"
        if not path.is_file():
            raise EquationError(f"{self.place}: there is no snippets/equations/{self.key}.tex")
        tex = path.read_text(encoding="utf-8")
        return Equation(self.key, tex, self.root, self.tolerance, self.place)

    def run(self, **fixtures: Any) -> Equation:
        """Run the check.

        Raises:
            EquationError: A relation does not hold, or was not looked at.
        """
        equation = self.equation()
        self.function(equation, **fixtures)
        if not self.parsed:
            if not equation.stated:
                raise EquationError(f"{self.place}: a check in code calls eq.states(tex)")
            return equation
        if not equation.trials:
            raise EquationError(f"{self.place}: evaluates no relation; is it parsed=False?")
        numbers = {r.number for r in equation.parse(equation.trials[0].functions).relations}
        if missed := numbers - equation.decided.keys():
            raise EquationError(f"{equation.file}:1: {self.place} leaves relation {missed} out")
        self._as_marked(list(equation.decided.values()))
        return equation

    def _as_marked(self, ways: list[set[str]]) -> None:
        """Refuse a mark that tells the reader something else than what was done."""
        right = {
            "symbolic": all("symbolic" in way for way in ways),
            "statistical": any("statistical" in way for way in ways),
            "numerical": not any("statistical" in way for way in ways)
            and not all(way == {"symbolic"} for way in ways),
        }
        if not right.get(self.kind, True):
            done = ", ".join(sorted(set().union(*ways)))
            raise EquationError(f"{self.place}: is marked {self.kind}, but the check is {done}")


def equation(
    key: str, *, kind: str, tolerance: str = "", parsed: bool = True, survivors: str = ""
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Make a test the check of an equation; all arguments are literals (see marks.py).

    Args:
        key: The name of the file in snippets/equations, without its ending.
        kind: symbolic, numerical, statistical or definition.
        tolerance: What the check allows and the reader is shown (see relation.Tolerance);
            by default what marks.TOLERANCES says for the kind.
        parsed: Whether the TeX itself is evaluated. If not, the test is the check, and it calls
            `eq.states` with the TeX that it checks.
        survivors: Why mutants survive, if some must: `make mutate` lists them with this reason.
    """
    if kind not in KINDS:
        raise ValueError(f"kind must be one of {', '.join(KINDS)}. Received: {kind}")
    allowed = Tolerance.read(tolerance or TOLERANCES[kind])

    def register(function: Callable[..., None]) -> Callable[..., None]:
        path, line = Path(function.__code__.co_filename), function.__code__.co_firstlineno
        root = next(
            (p for p in path.parents if (p / "snippets" / "equations").is_dir()), path.parent
        )
        shown = path.relative_to(root).as_posix()
        check = Check(key, kind, allowed, parsed, function, f"{shown}:{line}", root, survivors)
        CHECKS[key] = check

        def test(**fixtures: Any) -> None:
            check.run(**fixtures)

        signature = inspect.signature(function)
        fixtures = list(signature.parameters.values())[1:]
        test.__signature__ = signature.replace(parameters=fixtures)  # type: ignore[attr-defined]
        test.__name__, test.__doc__ = function.__name__, function.__doc__
        test.__module__, test.__qualname__ = function.__module__, function.__qualname__
        return test

    return register


_MACROS: dict[Path, dict[str, str]] = {}


def _macros(root: Path) -> dict[str, str]:
    if root not in _MACROS:
        _MACROS[root] = load_macros(root / "snippets" / "macros.toml")
    return _MACROS[root]
