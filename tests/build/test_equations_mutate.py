"""The mutation command: what it changes, what it calls killed, equal and survived."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import sympy as sp

from x0_equations.check import Equation
from x0_equations.mutate import (
    Mutant,
    judge,
    load_checks,
    main,
    mutants,
    summary,
    verdicts,
)
from x0_equations.relation import Tolerance
from x0_equations.source import Printed
from x0_equations.values import gaussian, points

ROOT = Path(__file__).parents[2]


def equation(tex: str, check: Callable[[Equation], None]) -> Equation:
    made = Equation(Printed("some-key", tex, "", 1), ROOT, Tolerance.read("relative 1e-12"))
    check(made)
    return made


def changes(tex: str) -> dict[str, str]:
    made = Equation(Printed("some-key", tex, "", 1), ROOT, Tolerance())
    return {mutant.change: mutant.tex for mutant in mutants(made.parse(frozenset()))}


@pytest.mark.parametrize(
    ("tex", "change", "mutant"),
    [
        (r"a = 2 b", "2 → 3", r"a = 3 b"),
        (r"a = b^2", "2 → 3", r"a = b^3"),
        (r"a = b^2", "exponent ^2 dropped", r"a = b"),
        (r"a = b - c", "- → +", r"a = b + c"),
        (r"a = b - c", "term - c dropped", r"a = b "),
        (r"a = b c", "factor b dropped", r"a = 1  c"),
        (r"a = \fanin v", r"\fanin → \fanout", r"a = \fanout v"),
        (r"q_l = q_{l-1}", "1 → 2", r"q_l = q_{l-2}"),
        (r"a \le b", r"\le → \ge", r"a \ge b"),
        (r"a = \E{x}", r"\E → \Var", r"a = \Var{x}"),
        (r"a = \frac{b}{c}", r"\frac{b}{c} upside down", r"a = \frac{c}{b}"),
        (r"a = \sqrt{b}", r"\sqrt dropped", r"a = (b)"),
        (r"a = \sum_{i=1}^{3} i", r"\sum → \prod", r"a = \prod_{i=1}^{3} i"),
        (r"a \approx b", r"\approx → =", r"a = b"),
        (r"a = \dphi(x)", r"\dphi → \phi", r"a = \phi(x)"),
        (r"a = 3!", "factorial dropped", r"a = 3"),
    ],
)
def test_an_equation_is_changed_in_small_ways(tex: str, change: str, mutant: str) -> None:
    assert changes(tex)[change] == mutant


def gauss(eq: Equation) -> None:
    q = points([0.4, 2.0])
    z, mean = gaussian(q)
    eq.holds(z=z, E=mean, q=q)


def test_wrong_mutants_are_killed_and_equal_ones_recognized() -> None:
    made = equation(r"\E{z^2} = q \cdot 1^3", gauss)
    fates = {m.change: judge(made, m) for m in mutants(made.parse(frozenset()))}
    assert fates["2 → 3"] == "killed"
    assert fates["factor q dropped"] == "killed"
    assert fates["1 → 2"] == "killed"
    assert fates["3 → 4"] == "equal"
    assert fates["exponent ^3 dropped"] == "equal"
    assert fates[r"\E → \Var"] == "killed"


def test_a_check_that_does_not_bite_lets_mutants_live() -> None:
    weak = equation("a = n b", lambda eq: eq.holds(a=5.0, n=1, b=5.0))
    assert judge(weak, Mutant("a = b", "n dropped")) == "survived"
    sharp = equation("a = n b", lambda eq: eq.holds(a=15.0, n=3, b=5.0))
    assert judge(sharp, Mutant("a = b", "n dropped")) == "killed"


def test_a_mutant_without_a_value_counts_as_killed_and_is_told_apart() -> None:
    made = equation("q_{l-1} = a", lambda eq: eq.holds(l=1, q={0: 2.0}, a=2.0))
    assert judge(made, Mutant("q_{l-2} = a", "1 → 2")) == "broken"
    assert summary(Counter(broken=1, equal=2))[1] == 1.0


def test_symbolic_equality_is_recognized() -> None:
    m, n = sp.symbols("m n", positive=True)
    made = equation(r"(m + n)^2 - 0 = m^2 + 2 m n + n^2", lambda eq: eq.holds(m=m, n=n))
    assert judge(made, Mutant(r"(m + n)^2 + 0 = m^2 + 2 m n + n^2", "sign")) == "equal"
    assert judge(made, Mutant(r"(m - n)^2 - 0 = m^2 + 2 m n + n^2", "sign")) == "killed"


def test_an_inequality_that_is_only_loosened_is_killed_if_it_was_tight() -> None:
    x = points(np.linspace(-2, 2, 9))
    made = equation(r"2 x \le x^2 + 1", lambda eq: eq.holds(x=x, tight=True))
    assert judge(made, Mutant(r"2 x \le x^2 + 2", "1 → 2")) == "killed"


@pytest.mark.proves(
    "reading-mutants", kind="search", n=200, range="changes of 40 formulas, drawn at random"
)
def test_a_sample_of_all_mutants_is_killed(capsys: pytest.CaptureFixture[str]) -> None:
    """Of formulas drawn at random, at least 95 in 100 changes that matter are noticed."""
    checks = random.Random(0).sample(load_checks(ROOT), 40)
    found = verdicts(checks, sample=200)
    line, share = summary(found)
    survivors = capsys.readouterr().out
    assert share >= 0.95, f"{line}\n{survivors}"


def test_the_command_names_what_it_does_not_know() -> None:
    with pytest.raises(SystemExit):
        main(["no-such-equation"])
