"""The checks bite: each kind passes a right equation and fails a wrong one, and says where."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy as sp

from x0_equations.check import Check, Equation, EquationError
from x0_equations.explain import explain
from x0_equations.marks import Mark, marks
from x0_equations.relation import Tolerance
from x0_equations.source import Printed
from x0_equations.values import (
    GROUPS,
    Matrix,
    Smooth,
    discrete,
    gaussian,
    jackknife,
    points,
    sample_mean,
    uniform,
)

ROOT = Path(__file__).parents[2]
M, N, V = sp.symbols("M N v", positive=True)


def attempt(tex: str, tolerance: str, check: Callable[[Equation], None]) -> Equation:
    printed = Printed("some-key", tex, "equations/some.tex", 7)
    equation = Equation(printed, ROOT, Tolerance.read(tolerance), "tests/here.py:1")
    check(equation)
    return equation


@cache
def samples() -> Any:
    rng = np.random.default_rng(3)
    return rng.standard_normal((1, 500 * GROUPS)) * 2.0 + 1.0


def statistical(eq: Equation) -> None:
    eq.holds(x=samples(), E=sample_mean, mu=1.0, sigma=2.0)


def quadrature(eq: Equation) -> None:
    q = points([0.3, 1.0, 4.0])
    z, mean = gaussian(q)
    eq.holds(q=q, z=z, E=mean)


def random_points(eq: Equation) -> None:
    rng = np.random.default_rng(0)
    eq.holds(x=points(np.append(rng.normal(size=50), 1.0)), tight=True)


def slope(eq: Equation) -> None:
    sin = Smooth(sp.sin)
    eq.approximates(np.geomspace(1e-2, 1e-1, 7), lambda h: {"f": sin, "x": 0.7, "h": h})


def stated_slope(eq: Equation) -> None:
    eq.approximates(np.geomspace(1e-2, 1e-1, 7), lambda x: {"x": x}, order=3)


def same_truth(eq: Equation) -> None:
    eq.equivalent("v", (0.01, 3.0), M=2.0, N=3.0)


CASES = [
    # kind, a right equation, wrong ones, tolerance, check
    (
        "symbolic",
        r"\frac{4 M N}{(M + N)^2} = 1 - \left(\frac{M - N}{M + N}\right)^2 \le 1",
        [
            r"\frac{4 M N}{(M + N)^2} = 1 + \left(\frac{M - N}{M + N}\right)^2 \le 1",
            r"\frac{4 M N}{(M + N)^2} = 1 - \left(\frac{M - N}{M + N}\right)^2 \ge 1",
            r"\frac{4 M N}{(M + N)^2} = 1 - \left(\frac{M - N}{M + N}\right)^3 \le 1",
            r"\frac{4 M}{(M + N)^2} = 1 - \left(\frac{M - N}{M + N}\right)^2 \le 1",
        ],
        "exact",
        lambda eq: eq.holds(M=M, N=N),
    ),
    (
        "quadrature",
        r"\E{\relu(z)^2} = \frac{1}{2} q, \qquad \Var{\relu(z)} = \frac{\pi - 1}{2 \pi} q",
        [
            r"\E{\relu(z)^2} = \frac{1}{2} q, \qquad \E{\relu(z)} = \frac{\pi - 1}{2 \pi} q",
            r"\E{\relu(z)^2} = \frac{1}{2} q^2, \qquad \Var{\relu(z)} = \frac{\pi - 1}{2 \pi} q",
            r"\E{\relu(z)^3} = \frac{1}{2} q, \qquad \Var{\relu(z)} = \frac{\pi - 1}{2 \pi} q",
        ],
        "relative 1e-12",
        quadrature,
    ),
    (
        "statistical",
        r"\E{x} = \mu, \qquad \Var{x} = \sigma^2, \qquad \E{x^2} = \sigma^2 + \E{x}^2",
        [
            r"\E{x} = 2 \mu, \qquad \Var{x} = \sigma^2, \qquad \E{x^2} = \sigma^2 + \E{x}^2",
            r"\E{x} = \mu, \qquad \Var{x} = \sigma, \qquad \E{x^2} = \sigma^2 + \E{x}^2",
            r"\E{x} = \mu, \qquad \Var{x} = 1.1 \sigma^2",
        ],
        "4 SE, SE ≤ 5 %",
        statistical,
    ),
    (
        "distribution",
        r"x \sim \Normal{\mu}{\sigma^2}, \qquad \E{x} = \mu",
        [
            r"x \sim \Normal{\mu}{\sigma}, \qquad \E{x} = \mu",
            r"x \sim \Uniform{\mu}{\sigma^2}, \qquad \E{x} = \mu",
        ],
        "4 SE, SE ≤ 5 %",
        statistical,
    ),
    (
        "inequality",
        r"2 x \le 1 + x^2",
        [r"2 x \ge 1 + x^2", r"3 x \le 1 + x^2", r"2 x \le 2 + x^2", r"2 x < 1 + x^2"],
        "relative 1e-12",
        random_points,
    ),
    (
        "order term",
        r"f(x + h) = f(x) + f'(x) h + \order{h^2}",
        [
            r"f(x + h) = f(x) + f'(x) h + \order{h^3}",
            r"f(x + h) = f(x) + f'(x) h + \order{h}",
            r"f(x + h) = f(x) - f'(x) h + \order{h^2}",
            r"f(x + h) = f(x) + f'(x) h",
        ],
        "slope ± 0.05",
        slope,
    ),
    (
        "approximation",
        r"\sin(x) \approx x",
        [r"\sin(x) \approx 2 x", r"\sin(x) = x", r"\cos(x) \approx x"],
        "slope ± 0.05",
        stated_slope,
    ),
    (
        "equivalence",
        r"\frac{1}{2} (M v + N v) = 1 \iff v = \frac{2}{M + N}",
        [
            r"\frac{1}{2} (M v + N v) = 1 \iff v = \frac{1}{M + N}",
            r"\frac{1}{2} (M v + N v) = 1 \iff v \ge \frac{2}{M + N}",
        ],
        "relative 1e-9",
        same_truth,
    ),
    (
        "equivalent inequalities",
        r"0 < M v < 2 N \iff v < 3",
        [r"0 < M v < 2 N \iff v < 2", r"0 < M v < 2 N \iff v > 3"],
        "relative 1e-9",
        lambda eq: eq.equivalent("v", (0.1, 5.0), M=2.0, N=3.0),
    ),
    (
        "matrices",
        r"z^{\top} = h^{\top} W^{\top}",
        [r"z^{\top} = h^{\top} W", r"z = h^{\top} W^{\top}"],
        "relative 1e-12",
        lambda eq: eq.holds(
            W=Matrix([[1.0, 2.0], [3.0, 4.0]]), h=Matrix([1.0, -1.0]), z=Matrix([-1.0, -1.0])
        ),
    ),
    (
        "digits",
        r"x \approx 3.142",
        [r"x \approx 3.143", r"x \approx 3.1417"],
        "last digit",
        lambda eq: eq.holds(x=np.pi),
    ),
]


@pytest.mark.proves(
    "reading-tex", kind="search", range="every kind of relation, wrong in one or more ways"
)
@pytest.mark.parametrize(("name", "right", "wrong", "tolerance", "check"), CASES)
def test_the_right_equation_passes_and_the_wrong_ones_fail(
    name: str, right: str, wrong: list[str], tolerance: str, check: Callable[[Equation], None]
) -> None:
    """A check reads the TeX: the right formula passes, the formula made wrong fails."""
    attempt(right, tolerance, check)
    for tex in wrong:
        equation = Equation(Printed("some-key", tex, "", 1), ROOT, Tolerance.read(tolerance))
        try:
            check(equation)
        except EquationError:
            continue
        numbers = {relation.number for relation in equation.parse(frozenset("f")).relations}
        assert numbers != equation.decided.keys(), f"{name}: not noticed: {tex}"


def test_a_failure_names_equation_relation_values_file_and_line() -> None:
    tex = "\\begin{aligned}\na &= b \\\\\nb &= 2 a\n\\end{aligned}"
    with pytest.raises(EquationError) as caught:
        attempt(tex, "relative 1e-12", lambda eq: eq.holds(a=1.0, b=1.0))
    message = str(caught.value)
    assert message.startswith("equations/some.tex:9: relation 2 does not hold")
    assert "b = 2 a" in message
    assert "left   1\n" in message
    assert "right  2\n" in message
    assert "tests/here.py:1" in message


@pytest.mark.proves("reading-statistical", kind="fact", tolerance="4 SE, SE ≤ 5 %")
def test_a_statistical_check_must_be_precise_enough_to_tell() -> None:
    """Too few samples for a standard error of 5% of the theory are an error of the check."""
    few = samples()[:, : 4 * GROUPS]
    with pytest.raises(EquationError, match="too imprecise"):
        attempt(r"\E{x} = \mu", "4 SE, SE ≤ 5 %", lambda eq: eq.holds(x=few, E=sample_mean, mu=1.0))


def test_unbound_and_unused_symbols_are_errors() -> None:
    with pytest.raises(EquationError, match=r"does not bind b"):
        attempt("a = b", "exact", lambda eq: eq.holds(a=1))
    with pytest.raises(EquationError, match=r"binds \{'c'\}"):
        attempt("a = b", "exact", lambda eq: eq.holds(a=1, b=1, c=1))


def run(
    tmp_path: Path,
    tex: str,
    function: Callable[..., None],
    *,
    parsed: bool = True,
    kind: str = "numerical",
    identical: str = "",
) -> None:
    (tmp_path / "snippets" / "equations").mkdir(parents=True)
    (tmp_path / "snippets" / "macros.toml").write_text("")
    (tmp_path / "snippets" / "equations" / "k.tex").write_text(f"%% law\n{tex}")
    check = Check(
        "k-law", kind=kind, tolerance="4 SE, SE ≤ 5 %", parsed=parsed, identical=identical
    )
    check(function)
    check.root = tmp_path
    check.run()


def test_a_relation_that_no_trial_looks_at_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EquationError, match=r"leaves relation \{2\} out"):
        run(tmp_path, "a = b = c", lambda eq: eq.holds(only=[1], a=1, b=1, c=2))


def test_a_check_that_evaluates_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(EquationError, match="evaluates no relation"):
        run(tmp_path, "a = b", lambda eq: None)


def test_a_check_in_code_pins_what_it_checks(tmp_path: Path) -> None:
    run(tmp_path / "1", "a  =\nb", lambda eq: eq.states("a = b"), parsed=False)
    with pytest.raises(EquationError, match="says something else"):
        run(tmp_path / "2", "a = c", lambda eq: eq.states("a = b"), parsed=False)
    with pytest.raises(EquationError, match=r"calls eq\.states"):
        run(tmp_path / "3", "a = b", lambda eq: None, parsed=False)


@pytest.mark.proves("reading-kinds", kind="fact")
def test_the_mark_tells_what_was_done(tmp_path: Path) -> None:
    """A check whose mark names another kind, or reading where code decides, is an error."""

    def sampled(eq: Equation) -> None:
        eq.holds(x=samples(), E=sample_mean)

    run(tmp_path / "1", r"\E{x} = 1", sampled, kind="statistical")
    with pytest.raises(EquationError, match="is marked numerical, but the check is statistical"):
        run(tmp_path / "2", r"\E{x} = 1", sampled)
    with pytest.raises(EquationError, match="is marked symbolic, but the check is numerical"):
        run(tmp_path / "3", "a = b", lambda eq: eq.holds(a=1, b=1), kind="symbolic")
    with pytest.raises(EquationError, match="is marked numerical, but the check is symbolic"):
        run(tmp_path / "4", "m = n", lambda eq: eq.holds(m=M, n=M))


@pytest.mark.proves("reading-own-side", kind="fact")
def test_a_check_that_feeds_its_own_right_side_is_an_error(tmp_path: Path) -> None:
    """A check whose rounded sides agree to the last bit is rejected unless it says why."""

    def fed(eq: Equation) -> None:
        for a, b in ((0.3, 0.7), (1.1, 0.9)):
            eq.holds(q={2: 3 * a + b**2}, l=2, a=a, b=b)

    with pytest.raises(EquationError, match=r"(?s)agree to the last bit .* identical="):
        run(tmp_path / "1", "q_l = 3 a + b^2", fed)
    run(tmp_path / "2", "q_l = 3 a + b^2", fed, identical="written out twice on purpose")
    run(tmp_path / "3", "q_l = 3 a + b^2", fed, kind="definition")
    run(tmp_path / "4", "a = 3 b", lambda eq: eq.holds(a=3 * 0.7, b=0.7))  # one operation
    exact = {"a": 1.75, "b": 0.5, "c": 1.5}
    run(tmp_path / "5", "a = b^2 + c", lambda eq: eq.holds(**exact))  # nothing is rounded


def test_a_part_without_a_value_is_named_and_plain_arrays_are_explained() -> None:
    def check(eq: Equation) -> None:
        eq.holds(z=np.ones(2), W=np.ones((2, 2)), h=np.ones(2))

    with pytest.raises(EquationError) as caught:
        attempt("z = 3 W h", "exact", check)
    message = str(caught.value)
    assert message.startswith("equations/some.tex:7: 3 W h has no value\n")
    assert "W is a plain array, numbers side by side; a vector is W=Matrix(...)" in message
    assert message.endswith("check: tests/here.py:1")
    with pytest.raises(EquationError, match=r"(?s)\\norm\{x\} has no value\n.*x=Matrix"):
        attempt(r"1 = \norm{x}", "exact", lambda eq: eq.holds(x=points([1.0, 2.0])))
    with pytest.raises(EquationError, match="ZeroDivisionError"):
        attempt(r"a = \frac{1}{b}", "exact", lambda eq: eq.holds(a=1, b=0))


def test_plain_arrays_are_vectors_where_a_vector_is_meant() -> None:
    g = np.array([3.0, -4.0])
    clipped = lambda eq: eq.holds(g=g, tau=2.0, tilde_g=np.array([1.2, -1.6]))  # noqa: E731
    attempt(r"\tilde{g} = \min\left(1, \frac{\tau}{\norm{g}}\right) g", "relative 1e-12", clipped)


def test_a_failure_shows_a_few_good_lines(tmp_path: Path) -> None:
    (tmp_path / "snippets" / "equations").mkdir(parents=True)
    (tmp_path / "snippets" / "macros.toml").write_text("")
    (tmp_path / "snippets" / "equations" / "k.tex").write_text("%% a\na = b\n\n%% b\na = c\n")
    test = tmp_path / "test_k.py"
    test.write_text(
        textwrap.dedent(
            """
            from x0_equations.check import equation
            @equation("k-a", kind="numerical")
            def test_a(eq):
                eq.holds(a=1, b=2)
            @equation("k-b", kind="numerical")
            def test_b(eq):
                eq.holds(a=1, b=2)
            """
        )
    )
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "snippets/equations/k.tex:2: relation 1 does not hold" in run.stdout
    assert "test_k.py:6 does not bind c" in run.stdout
    assert "During handling" not in run.stdout
    assert "x0_equations/" not in run.stdout
    assert len(run.stdout.splitlines()) < 40


def test_explain_tells_how_an_equation_is_read_and_what_it_needs() -> None:
    text = explain("he-variance", ROOT)
    assert "v\n   = (2 / ((1 + (a^2)) · fanin))" in text
    names = [line.split()[0] for line in text.partition("to bind:\n")[2].splitlines() if line]
    assert names == ["v", "a", "fanin"]
    text = explain("mean-field-chi", ROOT)
    assert re.search(r"^  phi +function$", text, re.MULTILINE)
    assert re.search(r"^  z +random$", text, re.MULTILINE)
    assert re.search(r"^  chi +indexed, or chi_1 as a whole$", text, re.MULTILINE)
    with pytest.raises(EquationError, match="no equation he-no"):
        explain("he-no", ROOT)


def test_unreadable_tex_names_file_line_and_column() -> None:
    with pytest.raises(EquationError, match=r"equations/some\.tex:8:4: unknown command \\barr"):
        attempt("a =\nb +\\barr", "exact", lambda eq: eq.holds(a=1, b=1))


# Bindings ----------------------------------------------------------------------------------------


def test_the_jackknife_has_the_textbook_standard_error() -> None:
    x = samples()
    mean, error = jackknife(sample_mean(x))
    assert mean == pytest.approx(float(x.mean()), rel=1e-12)
    groups = x.reshape(GROUPS, -1).mean(1)
    assert error == pytest.approx(float(groups.std(ddof=1)) / GROUPS**0.5, rel=1e-9)


def test_the_jackknife_removes_the_bias_of_a_nonlinear_estimate() -> None:
    rng = np.random.default_rng(0)
    estimates = [
        jackknife(sample_mean(x**2) - sample_mean(x) ** 2)[0]
        for x in rng.standard_normal((400, 1, 2 * GROUPS))
    ]
    # The plug-in variance of 80 numbers is low by 1/80 on average.
    assert np.mean(estimates) == pytest.approx(1.0, abs=4 * np.std(estimates) / 20)


@pytest.mark.parametrize(("variable", "power", "expected"), [
    (gaussian(2.0), 4, 12.0),
    (gaussian(2.0), 6, 120.0),
    (uniform(3.0), 2, 3.0),
    (discrete([1.0, 2.0], [0.25, 0.75]), 1, 1.75),
])  # fmt: skip
def test_quadrature_gives_known_moments(variable: Any, power: int, expected: float) -> None:
    z, mean = variable
    assert mean(z**power).item() == pytest.approx(expected, rel=1e-13)
    assert mean(np.ones_like(z)).item() == pytest.approx(1.0, rel=1e-13)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("exact", Tolerance()),
        ("relative 1e-6", Tolerance(relative=1e-6)),
        ("4 SE, SE ≤ 5 %", Tolerance(errors=4, precision=0.05)),
        ("relative 1e-10; slope ± 0.1", Tolerance(relative=1e-10, slope=0.1)),
    ],
)
def test_the_shown_tolerance_is_the_applied_one(text: str, expected: Tolerance) -> None:
    assert Tolerance.read(text) == expected


def test_an_unknown_tolerance_is_an_error() -> None:
    with pytest.raises(ValueError, match="Received: about right"):
        Tolerance.read("about right")


# Marks -------------------------------------------------------------------------------------------


def project(tmp_path: Path, source: str) -> Path:
    folder = tmp_path / "tests" / "equations"
    folder.mkdir(parents=True)
    (folder / "test_a.py").write_text(textwrap.dedent(source), encoding="utf-8")
    return tmp_path


def test_marks_are_read_without_running_anything(tmp_path: Path) -> None:
    root = project(
        tmp_path,
        """
        raise SystemExit("never run")
        @equation("a-one", kind="symbolic")
        def test_one(eq): ...
        @equation("a-two", kind="statistical", tolerance="5 SE, SE ≤ 2 %", parsed=False)
        def test_two(eq): ...
        """,
    )
    file = "tests/equations/test_a.py"
    assert marks(root) == {
        "a-one": Mark("a-one", "symbolic", True, "exact", file, 4, "test_one"),
        "a-two": Mark("a-two", "statistical", False, "5 SE, SE ≤ 2 %", file, 6, "test_two"),
    }


@pytest.mark.parametrize(
    ("decorator", "complaint"),
    [
        ('@equation("k", kind="guess")', "kind must be one of"),
        ('@equation(KEY, kind="symbolic")', "literal"),
        ('@equation("k", kind="symbolic")\ndef test_a(eq): ...\n@equation("k", kind="symbolic")',
         "checked in"),
    ],
)  # fmt: skip
def test_a_mark_that_cannot_be_read_is_an_error(
    tmp_path: Path, decorator: str, complaint: str
) -> None:
    with pytest.raises(ValueError, match=complaint):
        marks(project(tmp_path, f"{decorator}\ndef test_b(eq): ..."))


def test_reading_marks_needs_no_heavy_import() -> None:
    code = "import sys, x0_equations; print([m for m in ('numpy', 'sympy', 'torch') if m in sys.modules])"
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT / "src"
    )
    assert result.stdout.strip() == "[]"
