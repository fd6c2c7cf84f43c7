"""The rules of displayed equations: bare TeX, shown, and each with its check."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import PurePosixPath

from x0_build.check.seen import Found, Seen, nearest
from x0_build.data.tex import TexError
from x0_build.project import Problem
from x0_equations import Printed
from x0_equations.lexer import tokenize

MOST = 0.2  # of all equations: as many at most are definitions, or checked in code
_WORDS = re.compile(r"\\(?:text|textrm|mbox|textit|textbf)\b")
_FORBIDDEN = re.compile(r"\$|\\(?:tag|label|boxed)\b")


def problems(seen: Seen) -> Iterator[Problem]:
    """Find what is wrong with equations, and with their checks."""
    for equation in seen.book.equations.values():
        rows = [*_tex(seen, equation), *_use(seen, equation)]
        yield from (Problem(equation.file, *row) for row in rows)
    yield from _checks(seen)


def _tex(seen: Seen, equation: Printed) -> Iterator[Found]:
    tex = equation.tex

    def line(offset: int) -> int:
        return equation.line + tex.count("\n", 0, max(offset, 0))

    try:
        seen.book.katex.render(tex.strip(), display=True)
    except TexError as error:
        at = error.position + len(tex) - len(tex.lstrip())
        remedy = "repair the TeX; macros stand in snippets/macros.toml"
        yield line(at), f"KaTeX cannot read {equation.key}: {error.message}", remedy
    if match := _WORDS.search(tex):
        remedy = "both languages share it; move the words to the pages"
        yield line(match.start()), f"the equation {equation.key} holds words", remedy
    if match := _FORBIDDEN.search(tex):
        message = f"the equation {equation.key} holds {match[0]}"
        yield line(match.start()), message, "write bare TeX; the page numbers it"
    if tex.strip()[-1] in ".,;":
        message = f"the equation {equation.key} ends with punctuation"
        yield line(len(tex.strip())), message, "remove it"


def _use(seen: Seen, equation: Printed) -> Iterator[Found]:
    key, line = equation.key, equation.line - 1  # that of its name
    if ("eq", key) not in seen.shown:
        remedy = f"write `{{eq:{key}}}` alone in a paragraph of a page, or remove the equation"
        yield line, f"no page shows the equation {key}", remedy
    if key not in seen.book.checks:
        concept = PurePosixPath(equation.file).stem.replace("-", "_")
        remedy = f'write @equation("{key}", …) in tests/equations/test_{concept}.py'
        yield line, f"the equation {key} has no check", remedy
    elif seen.book.checks[key].mark.kind == "definition":
        defined = _symbols(equation)[0]
        others = (e for e in seen.book.equations.values() if e.key != key)
        if not any(defined in e.tex and defined in _symbols(e) for e in others):
            message = f"{key} defines {defined}, which no other equation uses"
            yield line, message, "say it in words, or check it as a theorem"


def _symbols(equation: Printed) -> list[str]:
    tex = re.sub(r"\\(begin|end)\{\w+\}", "", equation.tex)
    tokens = [token.text for token in tokenize(tex) if token.kind in ("letter", "command")]
    return [text for text in tokens if text not in ("hat", "frac", "mathcal")]


def _checks(seen: Seen) -> Iterator[Problem]:
    known, marks = seen.book.equations, [check.mark for check in seen.book.checks.values()]
    for mark in marks:
        concept = PurePosixPath(mark.file).stem.removeprefix("test_").replace("_", "-")
        if mark.key not in known:
            remedy = nearest(mark.key, known, f"write it in snippets/equations/{concept}.tex")
            yield Problem(mark.file, mark.line, f"there is no equation {mark.key}", remedy)
        elif not mark.key.startswith(f"{concept}-"):
            stem = PurePosixPath(known[mark.key].file).stem.replace("-", "_")
            message = f"the check of {mark.key} stands in the file of another concept"
            remedy = f"move it to tests/equations/test_{stem}.py"
            yield Problem(mark.file, mark.line, message, remedy)
    for what, found in (
        ("is a definition", [mark for mark in marks if mark.kind == "definition"]),
        ("is checked in code", [mark for mark in marks if not mark.parsed]),
    ):
        if len(found) > max(1, MOST * len(marks)):
            message = f"more than a fifth of all equations {what}: {len(found)} of {len(marks)}"
            remedy = "find something about them that can be false, and check that"
            yield Problem("tests/equations", 0, message, remedy)
