"""The reader of printed TeX: it reads what a person would read, and refuses what is unclear."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from latex2sympy2_extended import latex2sympy

from x0_equations.evaluate import Evaluation, Unbound
from x0_equations.lexer import load_macros
from x0_equations.reader import parse
from x0_equations.tree import TexError
from x0_equations.values import (
    Derivatives,
    Field,
    Fixed,
    Function,
    Indexed,
    Matrix,
    Smooth,
    discrete,
)
from x0_equations.vocabulary import MEANINGS

ROOT = Path(__file__).parents[2]
MACROS = load_macros(ROOT / "snippets" / "macros.toml")
SQUARE = Function(lambda x: x**2, lambda x: 2 * x, lambda x: 2)
# A fair coin in {1, 3}, and two of them that are equal.
COIN, MEAN = discrete([1.0, 3.0], [0.5, 0.5])


def value(tex: str, **bindings: Any) -> Any:
    functions = {name for name, bound in bindings.items() if callable(bound) and name != "E"}
    functions |= {name for name, bound in bindings.items() if getattr(bound, "function", False)}
    (relation,) = parse(f"{tex} = 0", MACROS, functions).relations
    result = Evaluation(bindings).value(relation.left)
    return np.asarray(result.array if isinstance(result, Matrix) else result).squeeze()


@pytest.mark.parametrize(
    ("tex", "bindings", "expected"),
    [
        (r"2 n - 3", {"n": 4}, 5),
        (r"-x^2", {"x": 3}, -9),
        (r"2 x^2 y", {"x": 3, "y": 5}, 90),
        (r"a / b", {"a": 3, "b": 4}, 0.75),
        (r"\frac{a}{b} c", {"a": 3, "b": 4, "c": 2}, 1.5),
        (r"\sqrt{\frac{6}{\fanin + \fanout}}", {"fanin": 1, "fanout": 2}, math.sqrt(2)),
        (r"\sqrt[3]{8}", {}, 2),
        (r"n_{l-1} v_l", {"n": {1: 5, 2: 7}, "v": {2: 3}, "l": 2}, 15),
        (r"w_{l,ij}", {"w": {(1, 2, 3): 9}, "l": 1, "i": 2, "j": 3}, 9),
        (r"w_{ij}", {"w": {(2, 3): 9}, "i": 2, "j": 3}, 9),
        (r"p_{2 k}", {"p": {6: 9}, "k": 3}, 9),
        (r"\sigma_w^2 + x_0", {"sigma_w": 3, "x_0": 1}, 10),
        (r"C_{\mathrm{in}} K", {"C_in": 3, "K": 2}, 6),
        (r"q^*", {"q_star": 4}, 4),
        (r"q_{\depth}", {"q": {3: 8}, "depth": 3}, 8),
        (r"\hat{q}_l + q_l", {"hat_q": {1: 2}, "q": {1: 40}, "l": 1}, 42),
        (r"\mathcal{V}(q)", {"cal_V": SQUARE, "q": 3}, 9),
        (r"n(q - 1)^2", {"n": 3, "q": 3}, 12),
        (r"\phi(z)^2 z", {"phi": SQUARE, "z": 2}, 32),
        (r"\dphi(z) + \ddphi(0)", {"phi": SQUARE, "z": 2}, 6),
        (r"f'(x) + f''(x) + f^{(2)}(x) + f^{\prime}(x)", {"f": SQUARE, "x": 2}, 12),
        (r"f^{(n)}(x)", {"f": Smooth(lambda x: x**5), "n": 3, "x": 2.0}, 240),
        (r"T_k(x)", {"T": Indexed(lambda k: lambda x: k * x, function=True), "k": 2, "x": 5}, 10),
        (r"\tanh^2(x) + \tanh(x)^2", {"x": 0.5}, 2 * math.tanh(0.5) ** 2),
        (r"2 \ln l", {"l": 3}, 2 * math.log(3)),
        (r"\relu(-2) + \relu(3)", {}, 3),
        (r"\sum_{i=1}^{n} a_i b", {"a": {1: 1, 2: 2, 3: 3}, "b": 10, "n": 3}, 60),
        (r"\sum_{i=1}^{2} i + 5", {}, 8),
        (r"\sum_{i=1}^{2} \sum_{j=1}^{2} i j", {}, 9),
        (r"\prod_{k=1}^{3} k \prod_{j=1}^{2} (2 j)", {}, 48),
        (r"\prod_{k=3}^{2} k", {}, 1),
        (r"\sum_i i", {"i": range(1, 4)}, 6),
        (r"\sum_{n=0}^{\infty} \frac{x^n}{n!}", {"x": 1.5}, math.exp(1.5)),
        (r"5! + 6!!", {}, 168),
        (r"\binom{5}{2}", {}, 10),
        (r"\int_{0}^{2} t^2 \dd t", {}, 8 / 3),
        (r"\int_{-\infty}^{\infty} e^{-t^2} \dd t", {}, math.sqrt(math.pi)),
        (r"\left[ t^2 + x \right]_{t=1}^{3}", {"x": 5}, 8),
        (r"\frac{\dd}{\dd x} (x^3)", {"x": 2.0}, 12),
        (r"\frac{\partial \loss}{\partial w_{ij}}", {"i": 1, "j": 2, "loss": ...}, 3),
        (r"\E{x}^2", {"x": COIN, "E": MEAN}, 4),
        (r"\E{x^2}", {"x": COIN, "E": MEAN}, 5),
        (r"\Var{x}", {"x": COIN, "E": MEAN}, 1),
        (r"\E{\left(x - \E{x}\right)^2}", {"x": COIN, "E": MEAN}, 1),
        (r"\Prob{x > 2}", {"x": COIN, "E": MEAN}, 0.5),
        (r"\Prob{0 \le x \le 2}", {"x": COIN, "E": MEAN}, 0.5),
        (r"\abs{-3}", {}, 3),
        (r"\norm{x}", {"x": Matrix([3, 4])}, 5),
        (r"\lVert x \rVert + \left\lvert y - 1 \right\rvert", {"x": Matrix([3, 4]), "y": -1}, 7),
        (r"\norm{x} + x^\top A x", {"x": np.array([3.0, 4.0]), "A": np.eye(2)}, 30),
        (r"\min(a, 2, 3) + \max(a, 2)", {"a": 1}, 3),
        (r"\log_2(8)", {"log_2": np.log2}, 3),
        (r"x^\top A x", {"x": Matrix([1, 2]), "A": Matrix([[2, 1], [0, 3]])}, 16),
        (r"\begin{cases} 2 x & x > 0 \\ 0 & x \le 0 \end{cases}", {"x": 3}, 6),
        (r"\begin{pmatrix} 1 & 2 \end{pmatrix} x", {"x": Matrix([5, 7])}, 19),
        (r"(a \odot b)^\top a", {"a": Matrix([1, 2]), "b": Matrix([3, 4])}, 19),
        (r"\pi + e", {}, math.pi + math.e),
        (r"\E{x^2 \mid y}", {"x": COIN, "y": Fixed([[2.0, 2.0]]), "E": MEAN}, 5),
        (r"\abs{3 i - 4}", {"i": 1j}, 5),
        (r"\begin{cases} 1 / x & x \ne 0 \\ 7 & x = 0 \end{cases}", {"x": 0}, 7),
    ],
)
def test_a_formula_has_the_value_that_a_person_reads(
    tex: str, bindings: dict[str, Any], expected: float
) -> None:
    if "loss" in bindings:
        bindings = {**bindings, "loss": Derivatives(lambda name, i, j: i + j)}
    assert value(tex, **bindings) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize(
    ("tex", "complaint"),
    [
        (r"a / b c", "slash"),
        (r"a / 2 b", "slash"),
        (r"\ln a b", "argument ends"),
        (r"2 {a + b}", "braces do not show"),
        (r"x^12", "more than one digit"),
        (r"\frac12", "more than one digit"),
        (r"\prod_{l=1}^{3} v_l q_1", "without the index"),
        (r"|x|", "expected a factor"),
        (r"\lim_{n \to \infty} a", "unknown command"),
        (r"a + ", "expected a factor"),
        (r"a \cdot + b", "expected a factor"),
        (r"(a + b", "expected )"),
        (r"\foo{a}", "unknown command"),
        (r"\nrom{a}", r"did you mean \\norm"),
        (r"\lamda", r"did you mean \\lambda"),
        (r"\nabla x", "takes a function"),
        (r"\begin{array} a \end{array}", "unknown environment"),
    ],
)
def test_what_could_be_misread_is_refused(tex: str, complaint: str) -> None:
    with pytest.raises(TexError, match=complaint.replace(")", r"\)")):
        parse(f"y = {tex}", MACROS)


@pytest.mark.parametrize(
    ("tex", "expected"),
    [
        (r"f(x)", 4.0 + 27.0),
        (r"\nabla f(x)^\top y", 2 * (2 * 5 + 9 * 7)),
        (r"y^\top \nabla^2 f(x) y", 2 * (25 + 3 * 49)),
        (r"\norm{\nabla f(x)}^2", 4**2 + 18**2),
        (r"\int_{0}^{1} \nabla f(x + s y)^\top y \dd s", 7**2 + 3 * 10**2 - 4 - 27),
    ],
)
def test_a_function_of_a_vector_has_a_gradient_and_a_hessian(tex: str, expected: float) -> None:
    """The function x₁² + 3 x₂², at (2, 3), in the direction (5, 7)."""
    weights = np.diag([1.0, 3.0])
    f = Field(
        lambda x: x.T * Matrix(weights) * x,
        lambda x: Matrix(2 * weights) * x,
        lambda x: Matrix(2 * weights),
    )
    at = {"f": f, "x": Matrix([2.0, 3.0]), "y": Matrix([5.0, 7.0])}
    np.testing.assert_allclose(value(tex, **at), expected, rtol=1e-12)


def test_the_integral_of_a_vector_is_a_vector() -> None:
    f = Field(lambda x: 0.0, lambda x: 2 * x)
    found = value(r"\int_{0}^{1} \nabla f(x + s x) \dd s", f=f, x=Matrix([2.0, 3.0]))
    np.testing.assert_allclose(found, [6.0, 9.0], rtol=1e-12)


def test_what_a_conditional_expectation_holds_fixed_must_be_fixed() -> None:
    with pytest.raises(ValueError, match="differ in what is given"):
        Fixed([[1.0, 2.0]])
    with pytest.raises(Unbound, match="condition"):
        value(r"\E{x \mid y}", x=COIN, y=COIN, E=MEAN)


def test_relations_are_numbered_through_chains_statements_and_lines() -> None:
    tex = r"""\begin{aligned}
    a &= b \\
      &\le c, \qquad d < e \\
    f &= g
      + h
    \end{aligned}"""
    parsed = parse(tex, MACROS)
    assert [r.symbol for r in parsed.relations] == ["=", "≤", "<", "="]
    assert [r.number for r in parsed.relations] == [1, 2, 3, 4]
    assert [len(chain.relations) for chain in parsed.chains] == [2, 1, 1]
    assert parsed.source(parsed.relations[3].right).split() == ["g", "+", "h"]


def test_equivalence_joins_chains() -> None:
    parsed = parse(r"a = 1 \iff b = 2 \implies c > 3", MACROS)
    assert [chain.joined for chain in parsed.chains] == ["", "iff", "implies"]


def test_a_macro_without_a_meaning_of_its_own_is_expanded() -> None:
    macros = {**MACROS, "half": r"\frac{#1}{2}"}
    (relation,) = parse(r"y = 3 \half{a + b}", macros).relations
    assert Evaluation({"a": 1, "b": 3}).value(relation.right) == 6


def test_macros_show_what_the_reader_takes_them_for() -> None:
    r"""Macros in MEANINGS are not expanded, so what they print is pinned here.

    Who changes one in macros.toml decides here whether it still means the same.
    """
    shown = {
        "E": r"\operatorname{\mathbb{E}}\left[#1\right]",
        "Var": r"\operatorname{Var}\left[#1\right]",
        "Prob": r"\operatorname{\mathbb{P}}\left[#1\right]",
        "Normal": r"\mathcal{N}\left(#1,\,#2\right)",
        "Uniform": r"\mathcal{U}\left(#1,\,#2\right)",
        "fanin": r"n_{\mathrm{in}}",
        "fanout": r"n_{\mathrm{out}}",
        "gain": "g",
        "loss": r"\mathcal{L}",
        "depth": "D",
        "relu": r"\operatorname{relu}",
        "lrelu": r"\operatorname{lrelu}",
        "dd": r"\mathrm{d}",
        "sign": r"\operatorname{sign}",
        "diag": r"\operatorname{diag}",
        "tr": r"\operatorname{tr}",
        "order": r"\mathcal{O}\left(#1\right)",
    }
    assert shown.keys() == MEANINGS
    assert {name: MACROS[name] for name in MEANINGS} == shown


@pytest.mark.parametrize(
    "tex",
    [
        r"\sqrt{\frac{6}{m + k}}",
        r"\frac{4 m k}{\left(m + k\right)^2}",
        r"1 - \left(\frac{m - k}{m + k}\right)^2",
        r"\frac{2}{\frac{1}{m} + \frac{1}{k}} - 2 m^3 k",
        r"\frac{1}{2} - \frac{m}{2 \pi} \sqrt{k}",
        r"-m^2 + k^{-1} m \cdot k",
        r"\ln(m) - \tanh(k) + \exp(-m k)",
    ],
)
def test_an_independent_parser_reads_closed_forms_alike(tex: str) -> None:
    bindings = {"m": 1.7, "k": 0.6}
    other = latex2sympy(tex).subs(bindings)
    assert value(tex, **bindings) == pytest.approx(float(other), rel=1e-12)
