r"""The three ways to try an equation: by values, by the order of an error, by an equivalence.

A trial does not depend on the TeX: mutate.py repeats it on a changed equation.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import brentq

from x0_equations.evaluate import Evaluation
from x0_equations.relation import Outcome, Tolerance, compare
from x0_equations.tree import Chain, Node, Parsed, Relation
from x0_equations.values import Indexed

Bindings = Mapping[str, Any]
Outcomes = Iterator[tuple[Relation, Outcome]]


@dataclass(frozen=True)
class Trial:
    """One evaluation of an equation."""

    bindings: tuple[Bindings, ...]  # several where a quantity runs through values
    mode: Callable[[Parsed, Tolerance, tuple[Bindings, ...]], Outcomes]

    @property
    def functions(self) -> frozenset[str]:
        """The symbols that are bound to functions."""
        return frozenset(
            name
            for name, value in self.bindings[0].items()
            if name != "E" and (callable(value) or (isinstance(value, Indexed) and value.function))
        )

    def outcomes(self, parsed: Parsed, tolerance: Tolerance) -> Outcomes:
        """Evaluate the relations that this trial decides."""
        with np.errstate(divide="raise", over="raise", invalid="raise", under="ignore"):
            yield from self.mode(parsed, tolerance, self.bindings)

    def unused(self, parsed: Parsed) -> set[str]:
        """Return the bindings that do not occur in the equation."""
        nodes = [node for side in parsed.sides for node in side.walk()]
        return self.bindings[0].keys() - {"E"} - {n.text for n in nodes} - {n.name for n in nodes}


def _sides(relation: Relation, bindings: Bindings) -> tuple[Any, Any, list[Any]]:
    """Return both values and those of the terms of higher order."""
    left, right = Evaluation(bindings), Evaluation(bindings)
    return left.value(relation.left), right.value(relation.right), left.orders + right.orders


def _number(value: Any) -> float:
    """Return the number in an array of one."""
    return float(np.asarray(value, dtype=float).item())


def holds(
    parsed: Parsed, tolerance: Tolerance, bindings: Sequence[Bindings],
    *, only: Sequence[int], scale: float, tight: bool,
) -> Outcomes:  # fmt: skip
    """Compare both sides of the relations that are not of some order only: Equation.holds."""
    for relation in parsed.relations:
        if only and relation.number not in only:
            continue
        left, right, orders = _sides(relation, bindings[0])
        decimal = re.fullmatch(r"[+-]?\s*\d+\.(\d+)", parsed.source(relation.right))
        digits = 0.5 * 10.0 ** -len(decimal[1]) if decimal and relation.symbol == "≈" else 0.0
        if digits or (relation.symbol != "≈" and not orders):
            allowed = replace(tolerance, scale=scale, tight=tight, digits=digits)
            yield relation, compare(relation.symbol, left, right, allowed)


def approximates(
    parsed: Parsed, tolerance: Tolerance, bindings: Sequence[Bindings],
    *, only: Sequence[int], along: Sequence[float], order: float | Callable[[float], float] | None,
) -> Outcomes:  # fmt: skip
    """Compare the slope of the error with the stated one: Equation.approximates."""
    for relation in parsed.relations:
        if only and relation.number not in only:
            continue
        results = [_sides(relation, step) for step in bindings]
        lefts, rights = (np.array([_number(sides[i]) for sides in results]) for i in (0, 1))
        if relation.symbol == "=" and not results[0][2]:
            yield relation, compare("=", lefts, rights, tolerance)
        elif relation.symbol in ("=", "≈") and tolerance.slope:
            stated = [sum(abs(_number(term)) for term in terms) for *_, terms in results]
            if not results[0][2] and order is not None:
                stated = [order(x) if callable(order) else x**order for x in along]
            errors = np.abs(lefts - rights)
            outcome = Outcome(False, detail="the approximation is exact")
            if not any(stated):
                outcome = Outcome(False, detail="the order of ≈ is not stated")
            elif errors.min() > 0.0:
                fits = [np.polyfit(np.log(along), np.log(y), 1)[0] for y in (errors, stated)]
                close, allowed = abs(fits[0] - fits[1]) <= tolerance.slope, f"± {tolerance.slope}"
                detail = f"slope of the error {fits[0]:.3f}, stated {fits[1]:.3f} {allowed}"
                outcome = Outcome(close, f"{lefts[-1]:.6g}", f"{rights[-1]:.6g}", detail)
            yield relation, outcome


def equivalent(
    parsed: Parsed, tolerance: Tolerance, bindings: Sequence[Bindings],
    *, unknown: str, within: tuple[float, float], scale: float,
) -> Outcomes:  # fmt: skip
    """Compare the truth of the chains, where it changes and elsewhere: Equation.equivalent."""

    def sides(relation: Relation, x: float) -> tuple[Any, Any]:
        return _sides(relation, {**bindings[0], unknown: x})[:2]

    def true(chain: Chain, x: float) -> bool:
        return all(compare(r.symbol, *sides(r, x), allowed).holds for r in chain.relations)

    allowed = replace(tolerance, scale=scale)
    grid = np.linspace(*within, 241)
    places = list(grid[:-1] + 0.37 * np.diff(grid))
    for relation in parsed.relations:

        def gap(x: float, relation: Relation = relation) -> float:
            left, right = sides(relation, x)
            return _number(left) - _number(right)

        gaps = np.array([gap(x) for x in grid])
        for i in np.flatnonzero(gaps[:-1] * gaps[1:] <= 0.0):
            root, nudge = brentq(gap, grid[i], grid[i + 1], xtol=1e-15), 1e-6 * np.ptp(grid)
            places += [root, root - nudge, root + nudge]
    truth = [[true(chain, x) for x in places] for chain in parsed.chains]
    for before, values, chain in zip(truth, truth[1:], parsed.chains[1:], strict=False):
        pairs = zip(places, before, values, strict=True)
        one_way = chain.joined == "implies"
        wrong = [f"{unknown} = {x:.6g}" for x, a, b in pairs if (a > b if one_way else a != b)]
        vacuous = not any(values) or all(before)
        detail = [*wrong, "never true" if vacuous else ""][0]
        outcome = Outcome(not wrong and not vacuous, detail=detail)
        yield from ((relation, outcome) for relation in parsed.relations)


_EXACT = ("name", "number", "index", "group", "positive", "negative", "absolute", "transpose")
EXACT = (*_EXACT, "derivative")  # they round nothing


def feeds_itself(relation: Relation, outcomes: Iterable[Outcome], bound: Collection[str]) -> bool:
    """Tell whether a check seems to bind a symbol to the other side of the equation itself.

    Such a check always passes. What gives it away: a mere symbol on one side, arithmetic with what
    is bound on the other, and values that agree to the last bit in every trial, although rounded.
    """
    if relation.symbol != "=" or {outcome.identical for outcome in outcomes} - {None} != {True}:
        return False
    sides = relation.left, relation.right
    return any(_defines(one, other, bound) for one, other in (sides, sides[::-1]))


def _defines(symbol: Node, formula: Node, bound: Collection[str]) -> bool:
    """Tell whether a symbol stands for a formula of two or more operations on other symbols."""
    names = {part.name for part in formula.walk()}
    foreign = symbol.kind in ("name", "index") and symbol.name not in names
    return foreign and _operations(formula) >= 2 and not names.isdisjoint(bound)


def _operations(node: Node) -> int:
    """Count the operations that round, which those of an index do not."""
    inner = () if node.kind == "index" else node.children
    return (node.kind not in EXACT) + sum(map(_operations, inner))
