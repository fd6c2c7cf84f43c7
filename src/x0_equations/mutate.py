r"""Changes every parsed equation in small ways and reports which changes its check notices.

    python -m x0_equations.mutate [--sample N] [key …]

The bindings of a check do not depend on the TeX, so they are made once and each mutant only
evaluates its relations again. A mutant whose sides have the same value as the original's for
random values of all symbols is not wrong; it is not counted.
"""

from __future__ import annotations

import argparse
import importlib
import itertools
import random
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import sympy as sp

from x0_equations.check import CHECKS, Check, Equation, EquationError
from x0_equations.evaluate import Evaluation
from x0_equations.modes import Bindings, Trial
from x0_equations.tree import Node, Parsed, Span
from x0_equations.values import Derivatives, Indexed, Matrix

# What is easily taken for each other: in both directions, or only from left to right.
PAIRS = r"\le \ge, < >, + -, \fanin \fanout, \cos \sin, \E \Var, \sum \prod"
SWAPS = {a: b for pair in PAIRS.split(", ") for a, b in itertools.permutations(pair.split())}
SWAPS |= {r"\approx": "=", r"\sim": "=", r"\tanh": r"\sin", r"\relu": r"\tanh", r"\ln": r"\exp"}
SWAPS |= {r"\exp": r"\tanh", r"\dphi": r"\phi", r"\ddphi": r"\dphi"}
# Symbols that are easily taken for each other, where both occur in the equation.
ALIKE = ("qpdG", "MN", "FB", "zh", "ij", "jk", "xt", "ab")


@dataclass(frozen=True)
class Mutant:
    """A changed equation."""

    tex: str
    change: str  # what was done to which part


def mutants(parsed: Parsed) -> list[Mutant]:
    """Return the changed versions of an equation, each once."""
    found: dict[str, Mutant] = {}
    nodes = [node for side in parsed.sides for node in side.walk()]
    names = {node.text for node in nodes}
    signs = [_swap(parsed, relation.mark) for relation in parsed.relations]
    for span, new, what in [*signs, *(c for node in nodes for c in _changes(node, parsed, names))]:
        tex = parsed.tex[: span[0]] + new + parsed.tex[span[1] :]
        if tex != parsed.tex:
            found.setdefault(tex, Mutant(tex, what))
    return list(found.values())


def _swap(parsed: Parsed, span: Span) -> tuple[Span, str, str]:
    """Return the change of a command or sign to the one it is easily taken for, if there is one."""
    text = parsed.tex[slice(*span)]
    new = SWAPS.get(text, text)
    runs_on = new[-1:].isalpha() and parsed.tex[span[1] : span[1] + 1].isalpha()
    return span, new + " " * runs_on, f"{text} → {new}"


def _changes(node: Node, parsed: Parsed, names: set[str]) -> Iterator[tuple[Span, str, str]]:
    """Yield the place, the new text and the description of each change to one part."""
    text, mark = parsed.tex[slice(*node.span)], parsed.tex[slice(*node.mark)]
    yield _swap(parsed, node.span)
    yield _swap(parsed, node.mark)
    match node.kind:
        case "number" if text == node.text:
            new = f"{float(text) + 1:g}" if "." in text else str(int(text) + 1)
            yield node.span, new, f"{text} → {new}"
        case "name":
            others = {other for group in ALIKE if text in group for other in group}
            yield from ((node.span, other, f"{text} → {other}") for other in sorted(others & names))
        case "plus" | "times":
            part, rest = ("factor", "1 ") if node.kind == "times" else ("term", "")
            for child in node.children:
                new = "0 " if part == "term" and child is node.children[0] else rest
                yield child.span, new, f"{part} {parsed.source(child)} dropped"
        case "fraction":
            top, bottom = (parsed.tex[slice(*child.span)] for child in node.children)
            yield node.span, rf"\frac{{{bottom}}}{{{top}}}", f"{text} upside down"
        case "power" | "transpose" | "derivative" if mark and mark != text:
            yield node.mark, "", f"exponent {mark} dropped"
        case "factorial" | "semifactorial":
            yield (node.mark[0], node.span[1]), "", "factorial dropped"
        case "root" | "absolute":
            inner = parsed.tex[slice(*node.children[0].span)]
            yield node.span, f"({inner})", f"{mark} dropped"


def judge(equation: Equation, mutant: Mutant) -> str:
    """Return the fate of a mutant of an equation whose trials have been made.

    It is killed, broken (killed as well: it has no value to compare), survived, equal (in value)
    or unreadable.
    """
    printed = replace(equation.printed, tex=mutant.tex)
    changed = replace(equation, printed=printed, trials=[], decided={})
    decided: set[int] = set()
    for trial in equation.trials:
        try:
            parsed = changed.parse(trial.functions)
            for relation, outcome in trial.outcomes(parsed, equation.tolerance):
                decided.add(relation.number)
                if not outcome.holds:
                    return "killed"
        except EquationError:
            return "unreadable"
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
    pairs = zip(old.sides, new.sides, strict=True)
    changes = [(a, b) for a, b in pairs if old.source(a) != new.source(b)]
    compared = 0
    for seed, shifted in itertools.product(range(3), (True, False)):
        bindings = {
            name: _randomize(value, f"{seed} {name}", shifted * (2 + seed))
            for name, value in trial.bindings[0].items()
        }
        for pair in changes:
            first, second = (_random_value(node, bindings) for node in pair)
            if first is not None and second is not None and np.isfinite(first).all():
                compared += 1
                if first.shape != second.shape or not np.allclose(first, second, rtol=1e-9):
                    return False
    return compared > 0


def _random_value(node: Node, bindings: Bindings) -> Any:
    """Return the numbers in a value and in its terms of higher order, or None if there is none."""
    evaluation = Evaluation(bindings)
    try:
        with np.errstate(all="ignore"):
            value = evaluation.value(node)
        return np.concatenate([_numbers(part) for part in (value, *evaluation.orders)])
    except Exception:  # an index out of range, a shape that does not fit
        return None


def _numbers(value: Any) -> Any:
    if isinstance(value, sp.Basic):
        chosen = {s: 0.3 + 2 * random.Random(str(s)).random() for s in value.free_symbols}
        value = complex(value.subs(chosen).evalf())
    return np.ravel(value.cdf(np.linspace(-3, 3, 31)) if hasattr(value, "cdf") else value)


def _randomize(value: Any, seed: str, shift: int = 0) -> Any:
    """Return something of the same shape with random values; functions stay what they are.

    The values are positive at first, of both signs in the last of three rounds. Whole numbers are
    shifted where the equation allows it: they may count layers or units.
    """
    rng = np.random.default_rng(list(seed.encode()))
    low = -2.3 if seed.startswith("2") else 0.3
    match value:
        case int() if not isinstance(value, bool):
            return value + shift
        case float() | np.floating() | np.ndarray():
            return rng.uniform(low, 2.3, np.shape(value))
        case Matrix():
            return Matrix(rng.uniform(low, 2.3, np.shape(value)))
        case Indexed():
            get, function = value.value, value.function
            return Indexed(lambda *at: _randomize(get(*at), f"{seed} {at}"), function=function)
        case Derivatives():
            get = value.partial
            return Derivatives(lambda *at: _randomize(get(*at), f"{seed} {at}"), value.value)
    return value


def load_checks(root: Path) -> list[Check]:
    """Import the test modules of tests/equations and return their checks, parsed ones only."""
    sys.path.insert(0, str(root / "tests"))
    for path in sorted((root / "tests" / "equations").glob("test_*.py")):
        importlib.import_module(f"equations.{path.stem}")
    return [CHECKS[key] for key in sorted(CHECKS) if CHECKS[key].parsed]


def verdicts(checks: Sequence[Check], sample: int | None = None) -> Counter[str]:
    """Count the fates of all mutants, or of a random sample of them (the same in every run)."""
    jobs: list[tuple[Check, Equation, Mutant]] = []
    for check in checks:
        equation = check.run()
        functions = frozenset().union(*(trial.functions for trial in equation.trials))
        jobs += [(check, equation, mutant) for mutant in mutants(equation.parse(functions))]
    if sample is not None and sample < len(jobs):
        jobs = random.Random(0).sample(jobs, sample)
    fates: Counter[str] = Counter()
    for check, equation, mutant in jobs:
        fate = judge(equation, mutant)
        fates[fate] += 1
        if fate == "survived":
            reason = check.survivors or "no reason given"
            tex = " ".join(mutant.tex.split())
            print(f"survived  {check.key}: {mutant.change} ({reason})\n          {tex}")
    return fates


def summary(fates: Counter[str]) -> tuple[str, float]:
    """Return one line and the share that was killed of those that count."""
    killed = fates["killed"] + fates["broken"]
    counted = killed + fates["survived"]
    share = killed / counted if counted else 1.0
    line = f"{killed} of {counted} mutants killed ({share:.1%}), {fates['broken']} of them because "
    line += "they have no value; not counted: {equal} equal in value, {unreadable} unreadable"
    return line.format_map(fates), share


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
