"""What `make check` says of a broken page: one line for one problem, where it is, what to do."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

Expect = Callable[..., None]
EN, ZH = "docs/en/training/warm-up.md", "docs/zh/training/warm-up.md"
NOTATION = ("docs/en/guide/notation.md", "docs/zh/guide/notation.md")
PAGES = (EN, ZH)
MODULE = "x0/training/warm_up.py"
BAD = "x0/training/warmup.py"
IMPORTS = f'--8<-- "{MODULE}:imports"'


def test_a_valid_book_has_no_problem(expect: Expect) -> None:
    expect()


# A paragraph of both pages: what stands there, the message, the remedy

PARAGRAPHS = {
    "TeX": ("$\\tua$", "KaTeX cannot read $\\tua$", "macros.toml"),
    "equation": ("{eq:warm-up-rato}", "no equation warm-up-rato", "did you mean warm-up-ratio?"),
    "new equation": ("See {eq:he-x}.", "no equation he-x", "snippets/equations/<concept>.tex"),
    "figure": ("{fig:warm-up-rato} Text.", "no figure warm-up-rato", "did you mean warm-up-ratio?"),
    "new figure": ("See {fig:b}.", "no figure b", "plot_<name>()"),
    "figure twice": ("{fig:warm-up-ratio} Text.", "shown twice", "{fig:warm-up-ratio} inside"),
    "value": ("{val:warm_up.ratios:.2f}", "leaves no name ratios", "did you mean ratio?"),
    "module of a value": ("{val:warmup.ratio:.2f}", "no module warmup", "did you mean warm_up?"),
    "format": ("{val:warm_up.SEED:.3z}", "the format '.3z'", "such as .3f"),
    "blank in a value": ("{val: warm_up.SEED}", "{val: warm_up.SEED} cannot be read", "without sp"),
    "reference": ("[@bessel1839]", "no reference bessel1839", "did you mean bessel1838?"),
    "reference of a number": ("{cited:3|bessel}", "no reference bessel", "bessel1838?"),
    "term": ("A {term:varance}.", "no term varance", "did you mean variance?"),
    "assumption": ("{A9} See below.", "no assumption A9", "guide/notation"),
    "index": ("{index:bibliografy}", "no index bibliografy", "did you mean bibliography?"),
    "page": ("[x](../guide/notaton.md)", "notaton.md leads to no page", "guide/notation?"),
    "anchor": ("[x](../guide/notation.md#a)", "leads to no section", "a1"),
    "own anchor": ("[x](#limit)", "#limit leads to no section", "did you mean limits?"),
    "file": ("[x](nowhere.pdf)", "nowhere.pdf leads nowhere", ".md file"),
    "code": ("[x](../code/training/warmup.md)", "leads to no page", "code/training/warm_up?"),
    "unknown sign": ("{eqn:warm-up-ratio}", "{eqn:warm-up-ratio} is no sign", "did you mean eq?"),
    "unknown word": ("{claim}", "{claim} is no sign", "did you mean claims?"),
    "removed sign": ("{out:warm_up}", "{out:warm_up} cannot be read", "follows its section demo"),
    "a place between works": ("See [@a, §2; @b].", "[@a, §2; @b] cannot be read", "[@he2015"),
    "old reference": ("See (eq:warm-up-ratio).", "(eq:warm-up-ratio) cannot be read", "{eq:"),
    "two digits": ("0.43 {exact:0.43}", "the number 0.43 is typed", "write {val:…}"),
    "three digits": ("0.435", "the number 0.435 is typed", "{exact:…}"),
    "integer": ("1797 of 1000, 256 and 30", "the number 1797 is typed", "{cited:…|key}"),
    "display formula": ("$$x = 1$$", "a display equation is typed", "snippets/equations"),
    "kind of box": ('!!! results "X"\n\n    Y', "no box “results”", "did you mean result?"),
    "title of a box": ("!!! result X\n\n    Y", "title of the box cannot be read", '!!! result "T'),
    "shown twice": ("{eq:warm-up-ratio}", "warm-up-ratio is shown twice", "inside a sentence"),
    "TODO": ("TODO: prove it.", "TODO: prove it", "write it"),
    "heading without id": ("## More", "“More” has no id", "{#some-id}"),
    "formula in a heading": ("## $x$ {#x}", "a heading holds a formula", "in words"),
    "id twice": ("## More {#result}", "the id result is used twice", "another id"),
    "second title": ("# More {#more}", "", ""),
}
AT_TOP = {"second title": "exactly one heading of level 1"}


@pytest.mark.parametrize("case", PARAGRAPHS)
def test_a_mistake_in_both_languages(small: Any, expect: Expect, case: str) -> None:
    text, message, remedy = PARAGRAPHS[case]
    lines = {page: small.replace(page, "{#limits}\n", f"{{#limits}}\n\n{text}\n") for page in PAGES}
    top = AT_TOP.get(case)
    expect(*((page, 1 if top else lines[page] + 2, top or message, remedy) for page in PAGES))


# One edit, of one page or of both. Offset: where the problem stands below it; None: at line 1.

LIMITS = "{#limits}\n\n"
EDITS = {
    "section of code": (EN, ":demo", ":dem", 0, f"{MODULE} has no section dem", "imports, ratio"),
    "module": (EN, "warm_up.py:demo", "warmup.py:demo", 0, f"no module {BAD}", f"mean {MODULE}"),
    "include": (EN, '.py:demo"', ".py:demo", 0, "cannot be read", "--8<--"),
    "imports": (PAGES, IMPORTS, "", 3, f"section ratio of {MODULE} stands before", "imports"),
    "Python": (PAGES, "```python\n", "```python\nx = 1\n", 1, "Python is typed", "move the code"),
    "body of a box": (PAGES, "\n    {eq:warm", "\n{eq:warm", 1, "is not indented", "four spaces"),
    "caption": (
        PAGES,
        "ratio} ",
        "ratio}\n\n",
        0,
        "warm-up-ratio has no caption",
        "after the sign",
    ),
    "heading": (EN, "{#derivation}", "{#derive}", 0, "#derive (level 2) stands", "too, or remove"),
    "level": (EN, "## Limits", "### Limits", 0, "#limits (level 3) stands", "or remove it here"),
    "value": (EN, "Eight", "{val:warm_up.SEED} Eight", 0, f"1 × here and not in {ZH}", "there too"),
    "sign": (EN, "{eq:warm", "{eqn:warm", 0, "{eqn:warm-up-ratio} is no sign", "mean eq?"),
    "key": (
        EN,
        "{eq:warm-up-ratio}",
        "{eq:warm-up}",
        0,
        "no equation warm-up",
        "mean warm-up-ratio",
    ),
    "link": (ZH, LIMITS, f"{LIMITS}[x](#result)\n", 2, f"here and not in {EN}", "there too"),
    "comma": (ZH, LIMITS, f"{LIMITS}对, 错\n", 2, "“对,” has half-width", "对，"),
    "space": (ZH, LIMITS, f"{LIMITS}用A 了\n", 2, "“用A” has no space", "用 A"),
    "British": (
        EN,
        LIMITS,
        f"{LIMITS}Normalised, “grey”\n",
        2,
        "“Normalised” is British",
        "normaliz",
    ),
    "variant": (
        ZH,
        LIMITS,
        f"{LIMITS}“变异数”是变异数\n",
        2,
        "is not the word of this book",
        "方差",
    ),
    "description": (
        PAGES,
        "description: ",
        "translation: ",
        None,
        "has no description",
        "description: one",
    ),
    "setting": (
        EN,
        "description: ",
        "title: x\ndescription: ",
        0,
        "“title” is read by nobody",
        "remove it",
    ),
    "YAML": (EN, 'description: "', "description: a: ", 0, "is no YAML", "in quotes"),
    "prerequisite": (
        PAGES,
        "[guide/notation",
        "[guide/nota",
        0,
        "guide/nota is no page",
        "did you",
    ),
    "translated": (EN, "prereq", "translation: pending\nprereq", None, "which is there", "remove"),
    "chapter": (PAGES, "{#derivation}", "{#why}", None, "has a section #derivation", "in both"),
    "sources": (PAGES, "{#sources}", "{#others}", None, "it has no section #sources", "{#sources}"),
    "TODO": (EN, "one sentence", "TODO: one sentence", 0, "TODO: one sentence", "remove the mark"),
}


@pytest.mark.parametrize("case", EDITS)
def test_a_mistake_is_named_once(small: Any, expect: Expect, case: str) -> None:
    where, old, new, offset, message, remedy = EDITS[case]
    pages = (where,) if isinstance(where, str) else where
    lines = {page: small.replace(page, old, new) for page in pages}
    expect(
        *((page, 1 if offset is None else lines[page] + offset, message, remedy) for page in pages)
    )


def test_a_fence_that_is_not_closed(small: Any, expect: Expect) -> None:
    text = small.read(EN)
    line = text[: text.rindex("```python")].count("\n")
    small.write(
        EN, text[: text.rindex("```python")] + text[text.rindex("```python") :].replace("```\n", "")
    )
    found = small.problems()
    assert ("the fence is not closed", line + 1) in [(p.message, p.line) for p in found]


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_page_in_one_language_waits_for_its_translation(
    small: Any, expect: Expect, language: str
) -> None:
    """What stands on the page that is missing counts as shown: that it is missing is said once."""
    here, there = (ZH, EN) if language == "zh" else (EN, ZH)
    (small.root / there).unlink()
    expect(
        (here, 1, f"no twin in docs/{'en' if language == 'zh' else 'zh'}", "translation: pending")
    )
    small.replace(here, "prerequisites", "translation: pending\nprerequisites")
    expect()


def test_what_is_shown_in_another_order(small: Any, expect: Expect) -> None:
    fence = '```python\n--8<-- "x0/training/warm_up.py:{}"\n```\n'
    for page, names in ((EN, ("ratio", "demo")), (ZH, ("demo", "ratio"))):
        line = small.replace(page, LIMITS, LIMITS + "\n".join(map(fence.format, names)) + "\n")
    message = f"the code {MODULE}:ratio stands where {MODULE}:demo stands in {ZH}:{line + 3}"
    expect((EN, line + 3, message, "same order"))


def test_what_is_missing_is_named_where_it_stands(small: Any, expect: Expect) -> None:
    small.replace(EN, "[guide/notation]", "[]")
    expect((ZH, 1, f"prerequisite guide/notation stands 1 × here and not in {EN}", "there too"))
