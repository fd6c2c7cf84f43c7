"""What bad input gets: the build stops, says where and what to do, and leaves the site alone.

Each test breaks one thing in a small copy of the project and builds it as a person would.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

PAGES = ("docs/en/guide/notation.md", "docs/zh/guide/notation.md")
ENGLISH, CHINESE = PAGES
MODULE = "src/x0/guide/notation.py"
Stops = Callable[..., None]


def add_to_both(copy: Any, text: str) -> list[tuple[str, int]]:
    """Add a paragraph to both pages; return where it stands."""
    places = []
    for page in PAGES:
        start = copy.replace(page, "{#limits}\n", f"{{#limits}}\n\n{text}\n")
        places.append((page, start + 2))
    return places


def test_the_unbroken_copy_builds(good_build: tuple[Any, Any]) -> None:
    copy, run = good_build
    assert run.code == 0, run.output
    assert run.problems == []
    assert "Open it with:" in run.output.splitlines()[-1]
    for page in ("guide/notation/index.html", "en/guide/notation/index.html"):
        html = copy.read(f"site/{page}")
        assert "katex" in html
        assert "<svg" in html
        assert "x0-error" not in html
        assert "x0-fill" not in html


def test_building_again_gives_the_same_site(project_copy: Any) -> None:
    before = project_copy.site_hash()
    run = project_copy.build()
    assert run.code == 0, run.output
    assert project_copy.site_hash() == before


IN_A_PAGE = {
    "broken TeX": (r"Here $\frac{1}{2$ is.", "KaTeX cannot read", "repair the formula"),
    "unknown macro": (r"Here $\fanning$ is.", r"\fanning", "snippets/macros.toml"),
    "unknown equation": ("{eq:nowhere}", "no equation nowhere", "snippets/equations/nowhere.tex"),
    "misspelt equation": ("{eq:notation-layr}", "notation-layr", "did you mean notation-layer?"),
    "unknown equation referred to": ("See (eq:nowhere).", "no equation nowhere", "nowhere.tex"),
    "unknown figure": ("{fig:nowhere} A caption.", "no figure nowhere", "plot_<name>()"),
    "unknown figure referred to": ("See (fig:nowhere).", "no figure nowhere", "plot_<name>()"),
    "unknown value": (
        "It is {val:notation.nowhere:.2f}.",
        "no value nowhere",
        "it returns: linear",
    ),
    "unknown module of a value": ("It is {val:nowhere.x:.2f}.", "no module nowhere", "<stem>"),
    "unknown module of an output": ("{out:nowhere}", "no module nowhere", "the stem of a module"),
    "unknown format of a value": (
        "It is {val:notation.linear_variance:.2q}.",
        "cannot be written with the format '.2q'",
        "such as .3f",
    ),
    "unknown citation": ("As known [@nobody1900].", "no reference nobody1900", "references.bib"),
    "unknown term": ("A {term:nowhere} is.", "no term nowhere", "glossary.toml"),
    "link to no page": ("[here](zzz.md)", "zzz.md leads to no page", "relative to this one"),
    "link to a page elsewhere": (
        "[here](../notation.md#result)",
        "../notation.md#result leads to no page",
        "did you mean notation.md?",
    ),
    "link to no section": (
        "[here](#nowhere)",
        "#nowhere leads to no section",
        "an id of guide/notation.md",
    ),
    "link to no file": ("[here](nowhere.pdf)", "nowhere.pdf leads nowhere", ".md file"),
    "typed number": ("It grows by 1.234.", "the number 1.234 is typed", "{val:…}"),
    "typed display equation": ("$$x = 1$$", "a display equation is typed", "snippets/equations"),
}


@pytest.mark.parametrize("case", IN_A_PAGE)
def test_a_mistake_in_a_paragraph(project_copy: Any, assert_stops: Stops, case: str) -> None:
    text, message, remedy = IN_A_PAGE[case]
    places = add_to_both(project_copy, text)
    assert_stops(*((file, line, message, remedy) for file, line in places))


def test_an_unknown_section_of_code(project_copy: Any, assert_stops: Stops) -> None:
    text = '```python\n--8<-- "x0/guide/notation.py:nowhere"\n```'
    places = add_to_both(project_copy, text)
    expected = (f"{MODULE} has no section nowhere", "its sections are: imports, ")
    assert_stops(*((file, line + 1, *expected) for file, line in places))


def test_an_unknown_module(project_copy: Any, assert_stops: Stops) -> None:
    places = add_to_both(project_copy, '```python\n--8<-- "x0/guide/notaton.py:imports"\n```')
    expected = ("no module x0/guide/notaton.py", "did you mean x0/guide/notation.py?")
    assert_stops(*((file, line + 1, *expected) for file, line in places))


def test_typed_python(project_copy: Any, assert_stops: Stops) -> None:
    places = add_to_both(project_copy, "```python\nprint(1)\n```")
    expected = ("Python is typed into a page", "move the code to src/x0")
    assert_stops(*((file, line + 1, *expected) for file, line in places))


@pytest.mark.parametrize(
    ("tex", "message"),
    [
        ("z_l =\n\\frac{W_l}{h_{l-1}\n", "expected '}'"),
        ("z_l =\nW_l h_{l-1} + \\bias\n", "\\bias"),
        ("z_l =\n\\Var W_l\n", "\\Var needs an argument in braces"),
        ("z_l =\n\\text{bias of the layer}\n", "holds words"),
    ],
)
def test_a_mistake_in_an_equation_file(
    project_copy: Any, assert_stops: Stops, tex: str, message: str
) -> None:
    file = "snippets/equations/notation-layer.tex"
    project_copy.write(file, tex)
    remedy = "move the words" if "text" in tex else "macros.toml"
    assert_stops((file, 2, message, remedy))


def test_a_snippet_that_raises(project_copy: Any, assert_stops: Stops) -> None:
    line = project_copy.replace(
        MODULE, "def demo(", "def broken():\n    return 1 / 0\n\n\ndef demo("
    )
    call = "    broken()\n"
    place = project_copy.read(MODULE).index("def demo(")
    end = project_copy.read(MODULE).index(
        '"""\n', project_copy.read(MODULE).index('"""', place) + 3
    )
    text = project_copy.read(MODULE)
    project_copy.write(MODULE, text[: end + 4] + call + text[end + 4 :])
    expected = ("demo() raises ZeroDivisionError: division by zero", "Run the file alone")
    assert_stops((MODULE, line + 1, *expected))


def test_a_snippet_that_cannot_be_read(project_copy: Any, assert_stops: Stops) -> None:
    line = project_copy.replace(MODULE, "def demo(", "def demo(:  # ")
    assert_stops((MODULE, line, "SyntaxError", "repair the line"))


def test_a_snippet_that_warns(project_copy: Any, assert_stops: Stops) -> None:
    line = project_copy.replace(MODULE, "SEED = ", "torch.std(torch.ones(1))\nSEED = ")
    expected = ("raises UserWarning: std(): degrees of freedom is <= 0", "so that it does not warn")
    assert_stops((MODULE, line, *expected))


def test_a_label_without_a_chinese_text(project_copy: Any, assert_stops: Stops) -> None:
    line = project_copy.replace(MODULE, 'xlabel="layer"', 'xlabel="layer of nowhere"')
    message = "notation-readings has no Chinese text for its label “layer of nowhere”"
    remedy = 'Add `"layer of nowhere" = "…"` to snippets/labels.toml'
    assert_stops((MODULE, line, message, remedy))


@pytest.mark.parametrize(("here", "there"), [("zh", "en"), ("en", "zh")])
def test_a_page_without_its_twin(
    project_copy: Any, assert_stops: Stops, here: str, there: str
) -> None:
    file = f"docs/{here}/guide/alone.md"
    project_copy.write(file, "---\ntitle: Alone\n---\n# Alone {#alone}\n\nText.\n")
    expected = (f"no twin in docs/{there}", f"write docs/{there}/guide/alone.md")
    assert_stops((file, 1, *expected))


HEADINGS = {
    "other level": ("### A4", "#### A4", "#a4 (level 4) stands where docs/zh has #a4 (level 3)"),
    "other id": ("{#a4}", "{#a44}", "#a44 (level 3) stands where docs/zh has #a4 (level 3)"),
}


@pytest.mark.parametrize("case", HEADINGS)
def test_headings_out_of_step(project_copy: Any, assert_stops: Stops, case: str) -> None:
    old, new, message = HEADINGS[case]
    line = project_copy.replace(ENGLISH, old, new)
    where = project_copy.read(CHINESE).split("{#a4}")[0].count("\n") + 1
    assert_stops((ENGLISH, line, message, f"compare with {CHINESE}:{where}"))


def test_a_section_in_one_language_only(project_copy: Any, assert_stops: Stops) -> None:
    name = CHINESE
    line = project_copy.read(name).count("\n") + 2
    project_copy.write(name, project_copy.read(name) + "\n## 又 {#more}\n")
    expected = ("#more has no counterpart in the other language", "in both languages")
    assert_stops((name, line, *expected))


def test_a_heading_without_an_id(project_copy: Any, assert_stops: Stops) -> None:
    lines = [project_copy.replace(page, " {#limits}\n", "\n") for page in PAGES]
    expected = ("has no id", "the same id in both languages")
    assert_stops(*((page, line, *expected) for page, line in zip(PAGES, lines, strict=True)))


def test_an_equation_in_one_language_only(project_copy: Any, assert_stops: Stops) -> None:
    project_copy.write("snippets/equations/notation-new.tex", "n = 1\n")
    line = project_copy.replace(ENGLISH, "{#limits}\n", "{#limits}\n\n{eq:notation-new}\n") + 2
    message = "eq notation-new stands 1 time(s) more here than in docs/zh"
    assert_stops((ENGLISH, line, message, "both languages hold the same"))


def test_a_mistake_in_the_data_files(project_copy: Any, assert_stops: Stops) -> None:
    line = project_copy.read("snippets/labels.toml").count("\n") + 1
    text = project_copy.read("snippets/labels.toml")
    project_copy.write("snippets/labels.toml", f"{text}]\n")
    assert_stops(("snippets/labels.toml", line, "not valid TOML", "Repair the line"))


def test_what_only_mkdocs_notices(project_copy: Any, assert_stops: Stops) -> None:
    """A page that the navigation names and nobody wrote: MkDocs runs, and its words are shown."""
    project_copy.replace("mkdocs.en.yml", "nav:\n", "nav:\n- guide/nowhere.md\n")
    expected = ("mkdocs build failed", "")
    assert_stops(("mkdocs.en.yml", 0, *expected), mkdocs=True)


def test_every_problem_is_reported_at_once(project_copy: Any, assert_stops: Stops) -> None:
    (english, chinese) = add_to_both(project_copy, "{eq:nowhere}\n\nSee [@nobody1900].")
    file = "snippets/equations/notation-layer.tex"
    project_copy.write(file, "\\frac{1}\n")
    assert_stops(
        *((*place, "no equation nowhere", "nowhere.tex") for place in (english, chinese)),
        *((name, line + 2, "nobody1900", "references.bib") for name, line in (english, chinese)),
        (file, 1, "KaTeX", "macros"),
    )
