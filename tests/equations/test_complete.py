"""Every equation has a check and every check an equation; the marks keep their promise."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from x0_equations import marks
from x0_equations.lexer import tokenize

ROOT = Path(__file__).parents[2]
MARKS = marks(ROOT)
FILES = {path.stem: path for path in (ROOT / "snippets" / "equations").glob("*.tex")}


def test_every_equation_has_a_check() -> None:
    assert not sorted(FILES.keys() - MARKS.keys()), "equations without a check in tests/equations"


def test_every_check_has_an_equation() -> None:
    assert not sorted(MARKS.keys() - FILES.keys()), "checks without a file in snippets/equations"


def test_a_check_stands_in_the_file_of_its_concept() -> None:
    wrong = {
        key: mark.file
        for key, mark in MARKS.items()
        if not key.startswith(Path(mark.file).stem.removeprefix("test_").replace("_", "-") + "-")
    }
    assert not wrong


def test_at_most_a_fifth_are_definitions() -> None:
    definitions = [key for key, mark in MARKS.items() if mark.kind == "definition"]
    assert len(definitions) <= 0.2 * len(MARKS), definitions


def symbols(key: str) -> list[str]:
    tex = re.sub(r"\\(begin|end)\{\w+\}", "", FILES[key].read_text(encoding="utf-8"))
    tokens = [token.text for token in tokenize(tex) if token.kind in ("letter", "command")]
    return [text for text in tokens if text not in ("hat", "frac", "mathcal")]


def test_what_a_definition_introduces_is_used_elsewhere() -> None:
    for key, mark in MARKS.items():
        if mark.kind == "definition":
            defined = symbols(key)[0]
            assert any(defined in symbols(other) for other in FILES if other != key), key


def test_at_least_four_fifths_are_parsed_from_their_tex() -> None:
    in_code = [key for key, mark in MARKS.items() if not mark.parsed]
    assert len(in_code) <= 0.2 * len(MARKS), in_code


@pytest.mark.parametrize("path", FILES.values(), ids=FILES.keys())
def test_an_equation_file_is_one_bare_equation(path: Path) -> None:
    tex = path.read_text(encoding="utf-8")
    assert tex.endswith("\n")
    for forbidden in ("$", r"\tag", r"\label", r"\text", r"\boxed"):
        assert forbidden not in tex
    assert tex.strip()[-1] not in ".,;"
