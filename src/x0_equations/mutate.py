r"""Changes every parsed equation in small ways and reports which changes its check notices.

    python -m x0_equations.mutate [--sample N] [key …]

The bindings of a check do not depend on the TeX, so they are made once and each mutant only
evaluates its relations again. A mutant whose sides have the same value as the original's for
random values of all symbols is not wrong; it is not counted.
"""

from __future__ import annotations

import argparse
import importlib.util
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import sympy as sp

from x0_equations.check import CHECKS, Bindings, Check, Equation, EquationError, Trial
from x0_equations.evaluate import Evaluation
from x0_equations.tree import Node, Parsed, Relation, Span
from x0_equations.values import Derivatives, Function, Indexed, Matrix

RELATIONS = {r"\le": r"\ge", r"\ge": r"\le", "<": ">", ">": "<", r"\approx": "=", r"\sim": "="}
FUNCTIONS = {r"\tanh": r"\sin", r"\relu": r"\tanh", r"\ln": r"\exp", r"\exp": r"\tanh"}
FUNCTIONS |= {r"\cos": r"\sin", r"\sin": r"\cos"}
# Symbols that are easily taken for each other, where both occur in the equation.
ALIKE = ("qpdG", "MN", "FB", "zh", "ij", "jk", "xt", "ab")


@dataclass(frozen=True)
class Mutant:
    """A changed equation."""

    tex: str
    change: str  # what was done to which part


@dataclass(frozen=True)
class Verdict:
    """What became of a mutant: killed, broken, survived, equal (in value) or unreadable."""

    key: str
    mutant: Mutant
    fate: str  # "broken" is killed as well: the mutant has no value to compare


def mutants(parsed: Parsed) -> list[Mutant]:
    """Return the changed versions of an equation, each once."""
    found: dict[str, Mutant] = {}
    names = {node.text for relation in parsed.relations for node in _nodes(relation)}

    def change(span: Span, new: str, what: str) -> None:
        tex = parsed.tex[: span[0]] + new + parsed.tex[span[1] :]
        if tex != parsed.tex:
            found.setdefault(tex, Mutant(tex, what))

    for relation in parsed.relations:
        sign = parsed.tex[slice(*relation.mark)]
        if sign in RELATIONS:
            change(relation.mark, RELATIONS[sign] + " ", f"{sign} → {RELATIONS[sign]}")
        for node in _nodes(relation):
            for span, new, what in _changes(node, parsed, names):
                change(span, new, what)
    return list(found.values())


def _nodes(relation: Relation) -> Iterator[Node]:
    yield from relation.left.walk()
    yield from relation.right.walk()


def _changes(node: Node, parsed: Parsed, names: set[str]) -> Iterator[tuple[Span, str, str]]:
    """Yield the place, the new text and the description of each change to one part."""
    text, mark = parsed.tex[slice(*node.span)], parsed.tex[slice(*node.mark)]
    match node.kind:
        case "number" if text == node.text:
            new = f"{float(text) + 1:g}" if "." in text else str(int(text) + 1)
            yield node.span, new, f"{text} → {new}"
        case "name":
            swap = {r"\fanin": r"\fanout", r"\fanout": r"\fanin"} | FUNCTIONS
            if text in swap:
                yield node.span, swap[text] + " ", f"{text} → {swap[text]}"
            for group in ALIKE:
                for other in group:
                    if text in group and other != text and other in names:
                        yield node.span, other, f"{text} → {other}"
        case "signed":
            new = {"+": "-", "-": "+"}[node.text]
            yield node.mark, new, f"sign of {text}"
        case "plus":
            for term in node.children:
                yield (
                    term.span,
                    "0 " if term is node.children[0] else "",
                    _drop("term", term, parsed),
                )
        case "times":
            for factor in node.children:
                yield factor.span, "1 ", _drop("factor", factor, parsed)
        case "fraction":
            top, bottom = (parsed.tex[slice(*child.span)] for child in node.children)
            yield node.span, rf"\frac{{{bottom}}}{{{top}}}", f"{text} upside down"
        case "power" | "transpose" | "derivative" if mark and mark != text:
            yield node.mark, "", f"exponent {mark} dropped"
        case "derivative" if text.startswith((r"\dphi", r"\ddphi")):
            new = {r"\dphi": r"\phi", r"\ddphi": r"\dphi"}[text]
            yield node.span, new + " ", f"{text} → {new}"
        case "factorial":
            yield (node.mark[0], node.span[1]), "", "factorial dropped"
        case "root" | "absolute":
            inner = parsed.tex[slice(*node.children[0].span)]
            yield node.span, f"({inner})", f"{mark} dropped"
        case "expectation" | "variance":
            new = {r"\E": r"\Var", r"\Var": r"\E"}.get(mark, mark)
            yield node.mark, new, f"{mark} → {new}"
        case "sum" | "product":
            new = {r"\sum": r"\prod", r"\prod": r"\sum"}[mark]
            yield node.mark, new, f"{mark} → {new}"
        case _:
            pass


def _drop(what: str, node: Node, parsed: Parsed) -> str:
    return f"{what} {parsed.source(node)} dropped"


# Judging -----------------------------------------------------------------------------------------


def judge(equation: Equation, mutant: Mutant) -> str:
    """Return the fate of a mutant of an equation whose trials have been made."""
    changed = replace(equation, tex=mutant.tex, trials=[], decided={})
    decided: set[int] = set()
    for trial in equation.trials:
        try:
            parsed = changed.parse(trial.functions)
        except EquationError:
            return "unreadable"
        try:
            for outcome in trial.outcomes(parsed, equation.tolerance):
                decided.add(outcome.number)
                if not outcome.holds:
                    return "killed"
        except Exception:  # an index out of range, a symbol without a value, 1/0
            return "broken"
    if {relation.number for relation in parsed.relations} - decided:
        return "killed"
    same = all(_same(equation, changed, trial) for trial in equation.trials[:12])
    return "equal" if same else "survived"


def _same(equation: Equation, changed: Equation, trial: Trial) -> bool:
    """Tell whether both equations have sides of the same values for random values of all symbols."""
    old, new = equation.parse(trial.functions), changed.parse(trial.functions)
    if [r.symbol for r in old.relations] != [r.symbol for r in new.relations]:
        return False
    compared = 0
    for seed in range(3):
        for a, b in zip(old.relations, new.relations, strict=True):
            for before, after in ((a.left, b.left), (a.right, b.right)):
                values = _random_values(before, after, trial.bindings[0], seed)
                if values is not None:
                    first, second = values
                    if not np.isfinite(first).all():
                        continue  # such as the logarithm of a negative number
                    compared += 1
                    if first.shape != second.shape or not np.allclose(first, second, rtol=1e-9):
                        return False
                elif old.source(before) != new.source(after):
                    return False
    return compared > 0


def _random_values(before: Node, after: Node, bindings: Bindings, seed: int) -> Any:
    """Return the values of both for the same random symbols, or None if there are none.

    Whole numbers are changed as well where the values allow it (they may count layers or units).
    """
    for shift in (2 + seed, 0):
        try:
            return tuple(_random_value(node, bindings, seed, shift) for node in (before, after))
        except Exception:  # an index out of range, a shape that does not fit
            continue
    return None


def _random_value(node: Node, bindings: Bindings, seed: int, shift: int) -> Any:
    chosen = {
        name: value + shift if type(value) is int else _randomize(value, f"{seed} {name}")
        for name, value in bindings.items()
    }
    with np.errstate(all="ignore"):
        evaluation = Evaluation(chosen)
        value = evaluation.value(node)
        parts = [value, *evaluation.orders]
    return np.concatenate([_numbers(part, seed) for part in parts])


def _numbers(value: Any, seed: int) -> Any:
    if isinstance(value, sp.Basic):
        symbols = sorted(value.free_symbols, key=str)
        chosen = {s: 0.3 + 2 * random.Random(f"{seed} {s}").random() for s in symbols}
        value = complex(value.subs(chosen).evalf())
    if hasattr(value, "cdf"):
        value = value.cdf(np.linspace(-3, 3, 31))
    return np.ravel(value.array if isinstance(value, Matrix) else value)


def _randomize(value: Any, seed: str) -> Any:
    """Return something of the same shape with random values; functions stay what they are.

    The values are positive at first, of both signs in the last of three rounds.
    """
    rng = np.random.default_rng(list(seed.encode()))
    low = -2.3 if seed.startswith("2") else 0.3
    if isinstance(value, bool | int | range | Function) or value is None:
        return value
    if isinstance(value, float | np.floating):
        return rng.uniform(low, 2.3)
    if isinstance(value, np.ndarray):
        return rng.uniform(low, 2.3, value.shape)
    if isinstance(value, Matrix):
        return Matrix(rng.uniform(low, 2.3, value.array.shape))
    if isinstance(value, Indexed):
        inner = value

        def at(*index: int) -> Any:
            return _randomize(inner[index if len(index) > 1 else index[0]], f"{seed} {index}")

        return Indexed(at, function=inner.function)
    if isinstance(value, Derivatives):
        partial = value.partial
        return Derivatives(lambda *at: _randomize(partial(*at), f"{seed} {at}"), value.value)
    return value


# The command -------------------------------------------------------------------------------------


def load_checks(root: Path) -> list[Check]:
    """Import the test modules of tests/equations and return their checks, parsed ones only."""
    for path in sorted((root / "tests" / "equations").glob("test_*.py")):
        spec = importlib.util.spec_from_file_location(f"equation_checks.{path.stem}", path)
        assert spec is not None
        assert spec.loader is not None
        spec.loader.exec_module(importlib.util.module_from_spec(spec))
    return [CHECKS[key] for key in sorted(CHECKS) if CHECKS[key].parsed]


def verdicts(
    checks: Sequence[Check], sample: int | None = None, notice: Callable[[str], None] = print
) -> list[Verdict]:
    """Judge all mutants of some checks, or a random sample of them (the same in every run)."""
    jobs: list[tuple[Equation, Mutant]] = []
    for check in checks:
        equation = check.run()
        functions = frozenset().union(*(trial.functions for trial in equation.trials))
        jobs += [(equation, mutant) for mutant in mutants(equation.parse(functions))]
    if sample is not None and sample < len(jobs):
        jobs = random.Random(0).sample(jobs, sample)
    found = []
    for equation, mutant in jobs:
        verdict = Verdict(equation.key, mutant, judge(equation, mutant))
        if verdict.fate == "survived":
            reason = CHECKS[equation.key].survivors or "no reason given"
            tex = " ".join(mutant.tex.split())
            notice(f"survived  {equation.key}: {mutant.change} ({reason})\n          {tex}")
        found.append(verdict)
    return found


def summary(found: Sequence[Verdict]) -> tuple[str, float]:
    """Return one line and the share that was killed of those that count."""
    fates = Counter(verdict.fate for verdict in found)
    killed = fates["killed"] + fates["broken"]
    counted = killed + fates["survived"]
    share = killed / counted if counted else 1.0
    return (
        f"{killed} of {counted} mutants killed ({share:.1%}), {fates['broken']} of them because "
        f"they have no value; not counted: "
        f"{fates['equal']} equal in value, {fates['unreadable']} unreadable",
        share,
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 1 if less than 95 % of the mutants are killed."""
    parser = argparse.ArgumentParser(prog="python -m x0_equations.mutate", description=__doc__)
    parser.add_argument("keys", nargs="*", help="equations; all by default")
    parser.add_argument("--sample", type=int, help="judge this many mutants, chosen at random")
    options = parser.parse_args(arguments)
    start = time.perf_counter()
    checks = load_checks(Path.cwd())
    if unknown := set(options.keys) - {check.key for check in checks}:
        parser.error(f"no parsed check for {', '.join(sorted(unknown))}")
    chosen = [check for check in checks if not options.keys or check.key in options.keys]
    try:
        found = verdicts(chosen, options.sample)
    except EquationError as error:
        parser.exit(1, f"a check fails before anything is changed\n{error}\n")
    line, share = summary(found)
    print(f"{line}; {len(chosen)} equations, {time.perf_counter() - start:.1f} s")
    return int(share < 0.95)


if __name__ == "__main__":
    sys.exit(main())
