"""What of a module stands open on a page, and what is copied with it."""

from __future__ import annotations

import ast
import textwrap

import pytest

from x0_build.render.snippets import OPEN, chosen, needed
from x0_build.syntax.code import defined, parts, used

LONG = '''
@cache
def scaled(
    x: float, factor: float = 2.0, *rest: float, names: str = "a, b", **more: int
) -> float:
    """Return x times factor.

    Raises:
        ValueError: x is negative.

    >>> scaled(1.0)
    2.0
    """
    bad = x < 0
    if bad:
        message = f"x is {x}"
        raise ValueError(message)
    if x == 0:
        if factor < 0:
            raise ValueError(factor)
        return 0.0
    if not rest:
        warnings.warn("nothing else", stacklevel=2)
        return x
    _check(rest)
    return x * factor
'''
SHORT = '''
@cache
def scaled(x, factor=2.0, *rest, names="a, b", **more):
    """Return x times factor."""
    if x == 0:
        return 0.0
    return x * factor
'''


def test_a_function_is_shortened_to_what_it_does() -> None:
    (part,) = parts(LONG)
    assert part.name == "scaled"
    assert part.text == LONG.strip()
    assert part.short == SHORT.strip()


def test_a_main_part_keeps_its_calls_and_prints_nothing() -> None:
    text = """
    rows = {n: law(n) for n in (2, 4)}
    for n, row in rows.items():
        label = str(n)
        print(label, row)
    if rows:
        print("done")
    else:
        rows = {}
    with quiet():
        for _ in range(3):
            print()
    """
    (part,) = parts(textwrap.dedent(text), silent=True)
    assert part.short == (
        "rows = {n: law(n) for n in (2, 4)}\nif rows:\n"
        '    print("done")\nelse:\n    rows = {}'
    )  # fmt: skip


def test_what_only_refuses_is_not_shown() -> None:
    checks = 'def check(x):\n    """Refuse."""\n    if x < 0:\n        raise ValueError\n'
    (part,) = parts(checks)
    assert part.short == ""
    (kept,) = parts(
        "def f(x):\n    if x:\n        if x < 0:\n            raise ValueError\n    else:\n        g(x)\n"
    )
    ast.parse(kept.short)


def test_names_that_a_section_gives_and_reads() -> None:
    text = "import a.b\nfrom c import d as e\nX, *y = 1, 2\ndef f(p, q=z):\n    r = p\n    return [X for p in g(r)]\n"
    assert defined(text) == {"a", "e", "X", "y", "f"}
    assert used(text) == {"z", "X", "g"}


@pytest.mark.parametrize("wanted", [["demo"], ["ratio"], [""]])
def test_a_copy_holds_what_it_needs(small, wanted: list[str]) -> None:
    found = needed(small.book(), "warm_up", wanted)
    expected = {"demo": ["imports", "ratio", "demo"], "ratio": ["imports", "ratio"], "": [""]}
    assert found == expected[wanted[0]]


def test_a_copy_of_what_stands_in_no_section_is_the_whole_module(small) -> None:
    path = "src/x0/training/warm_up.py"
    small.replace(path, "\n\n# --8<-- [start:ratio]", "\nHIDDEN = 3\n\n\n# --8<-- [start:ratio]")
    small.replace(path, "# --8<-- [end:ratio]", "again = HIDDEN\n# --8<-- [end:ratio]")
    assert needed(small.book(), "warm_up", ["ratio"]) == [""]


def test_each_part_stands_open_once_and_all_of_them_within_the_limit(small) -> None:
    book = small.book()
    page = book.pages["zh"]["training/warm-up"]
    rows = [row for found in chosen(book, page).values() for row in found]
    names = [row.part.name for row in rows if row.part.name]
    assert len(names) == len(set(names))
    assert 0 < sum(row.part.short.count("\n") + 1 for row in rows if row.shown) <= OPEN
