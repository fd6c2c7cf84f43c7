"""What `make check` says of broken code, equations and data: where it is, what to do."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from x0_build.book import Book, read_book
from x0_build.check import check, pending
from x0_build.check.seen import INDEXES
from x0_build.check.tools import report
from x0_build.project import BuildError, Project
from x0_build.run import Result

ROOT = Path(__file__).parents[2]
Expect = Callable[..., None]
MODULE, TEST = "src/x0/training/warm_up.py", "tests/training/test_warm_up.py"
TEX, CHECK = "snippets/equations/warm-up.tex", "tests/equations/test_warm_up.py"
TERMS, CLAIMS = "snippets/glossary.toml", "snippets/claims.toml"
BIB, NAV = "snippets/references.bib", "mkdocs.yml"
EN, ZH = "docs/en/training/warm-up.md", "docs/zh/training/warm-up.md"
LINE = "# " + 79 * "x" + "\n"
DEMO = "    # --8<-- [start:demo]\n"

# One edit: file, old text, new text; then the lines below it at which problems stand (None: the
# first line, ... : no line), a message, a remedy.

EDITS = {
    # modules
    "foreign import": (
        MODULE,
        "import numpy",
        "import pandas\nimport numpy",
        0,
        "imports pandas",
        "use only",
    ),
    "own import": (
        MODULE,
        "import numpy",
        "from x0 import y\nimport numpy",
        0,
        "imports x0",
        "use only",
    ),
    "relative": (
        MODULE,
        "import numpy",
        "from . import y\nimport numpy",
        0,
        "imports .",
        "use only",
    ),
    "wide": (MODULE, "SEED", f"{LINE}SEED", 0, "has 81 characters", "make format"),
    "last section": (
        MODULE,
        "# --8<-- [end:plot_ratio]",
        "",
        -17,
        "plot_ratio has no end",
        "plot_r",
    ),
    "first section": (
        MODULE,
        "start:imports]",
        "start:x]\n# --8<-- [end:x]\n# --8<-- [start:imports]",
        0,
        "first section is not imports",
        "[start:imports]",
    ),
    "open section": (
        MODULE,
        "# --8<-- [end:ratio]\n",
        "",
        3,
        "the section ratio has no end",
        "[end:ratio]",
    ),
    "closed twice": (
        MODULE,
        "[end:ratio]\n",
        "[end:ratio]\n# --8<-- [end:x]\n",
        1,
        "x ends here",
        "start",
    ),
    "not read": (MODULE, DEMO, f"{DEMO}    other = 3\n", 1, "nobody reads other", "assert on it"),
    "unseeded": (
        MODULE,
        DEMO,
        f"{DEMO}    print(torch.rand(3))\n",
        1,
        "torch.rand() draws",
        "generator=",
    ),
    "unseeded NumPy": (
        MODULE,
        "1 / float",
        "np.random.rand() / float",
        0,
        "np.random.rand() draws",
        "rng",
    ),
    "seeded for all": (
        MODULE,
        "    rng =",
        "    np.random.seed(1)\n    rng =",
        0,
        "np.random.seed()",
        "its own",
    ),
    "no seed": (MODULE, "SEED = 0", "OTHER = 0", 11, "names no SEED", "SEED = 0"),
    "figure": (
        MODULE,
        "def plot_ratio",
        "def plot_other() -> Figure:\n    ...\n\n\ndef plot_ratio",
        0,
        "no page shows the figure warm-up-other",
        "{fig:warm-up-other} Caption.",
    ),
    # tests
    "unknown claim": (
        TEST,
        '@pytest.mark.claim("A-01")',
        '@pytest.mark.claim("A-01", "A-02")',
        2,
        "no claim A-02",
        "did you mean A-01?",
    ),
    "skipped": (
        TEST,
        "    measured = ",
        "    pytest.skip('slow')\n    measured = ",
        -1,
        "the proof of A-01 may be skipped",
        "run everywhere",
    ),
    # equations
    "TeX": (
        TEX,
        "\\frac",
        "\\fraq",
        0,
        "KaTeX cannot read warm-up-ratio: Undefined control",
        "macros.toml",
    ),
    "brace": (TEX, "{n}", "{n", 0, "KaTeX cannot read warm-up-ratio", "repair the TeX"),
    "macro": (TEX, "\\E", "\\bias", 0, "Undefined control sequence: \\bias", "macros.toml"),
    "words": (TEX, "= v", "= \\text{variance}", 0, "holds words", "to the pages"),
    "tag": (TEX, "= v", "= v \\tag{1}", 0, "holds \\tag", "bare TeX"),
    "end": (TEX, "= v", "= v.", 0, "ends with punctuation", "remove it"),
    "no name": (TEX, "%% ratio\n", "", 0, "an equation has no name", "%% name"),
    "empty": (
        TEX,
        "\\frac{n}{n - 1} \\E{s} = v\n",
        "\n",
        -1,
        "warm-up-ratio is empty",
        "write its TeX",
    ),
    "kind": (
        CHECK,
        '"numerical"',
        '"numeric"',
        0,
        "kind must be one of symbolic",
        "repair the decorator",
    ),
    # data
    "TOML": (TERMS, "[variance]", "[variance", 0, "is no TOML", "repair the line"),
    "half a term": (TERMS, 'en = "variance"\n', "", -2, "“variance” has no “en”", "give it a text"),
    "term explained": (
        TERMS,
        "zh_variants",
        'page = "guide/notatio"\nzh_variants',
        -5,
        "does not exist",
        "did you",
    ),
    "other page of a term": (
        TERMS,
        "zh_variants",
        'page = "training/warm-up"\nzh_variants',
        -5,
        "docs/zh/training/warm-up.md does not speak of “方差”",
        "in both languages",
    ),
    "own variant": (TERMS, '["变异数"]', '["方差"]', -5, "one of its zh_variants", "remove"),
    "no year": (
        BIB,
        "  year = {1838},\n",
        "",
        -4,
        "bessel1838 cannot be shown: missing year",
        "BibTeX entry",
    ),
    "no link": (
        BIB,
        "  url = {https://example.org/bessel},\n",
        "",
        -5,
        "has no link",
        "url or doi",
    ),
    "isbn": (
        BIB,
        "  year",
        "  isbn = {9780262035612},\n  year",
        -4,
        "isbn of bessel1838",
        "look it",
    ),
    "arXiv": (
        BIB,
        "publisher = {B",
        "howpublished = {arXiv:1},\n  publisher = {B",
        -3,
        "two arXiv",
        "abs/1",
    ),
    "preprint": (
        BIB,
        "example.org/bessel",
        "arxiv.org/abs/1502.01852",
        -5,
        "its preprint of 2015",
        "both",
    ),
    "year": (BIB, "1838},", "838},", -4, "year of bessel1838 is '838'", "fits"),
    "address": (BIB, "https://example.org/bessel", "example.org", -5, "url of bessel1838", "fits"),
    "verdict": (CLAIMS, '"wrong"', '"false"', -3, "the verdict 'false' is unknown", "imprecise"),
    "source": (
        CLAIMS,
        'source = "001"',
        'source = "002"',
        -1,
        "the source '002' is unknown",
        "001",
    ),
    "half a claim": (CLAIMS, 'where = "1"', 'where = ""', 0, "“where” is empty", "write its text"),
    "value": (
        CLAIMS,
        "warm_up.ratio[2]",
        "warm_up.ratios[2]",
        -7,
        "A-01: warm_up leaves no name ratios",
        "ratio?",
    ),
    "language": (
        CLAIMS,
        "Wrong. See",
        "错 See",
        -8,
        "A-01: the text in en is in another",
        "translate",
    ),
    "missing row": (
        CLAIMS,
        "claims = 1",
        "claims = 2",
        ...,
        "A-02 of the source 001 has no row",
        "lower the count",
    ),
    "page of a heading": (CLAIMS, "warm-up#result", "warm#result", 0, "A-H01: the page", "did you"),
    "half a heading": (CLAIMS, 'en = "Variance"', 'en = ""', 0, "“en” is empty", "its text"),
    "half a code": (
        CLAIMS,
        'en_order = "It runs."',
        "",
        -9,
        "“code”, number 1 has no “en_order”",
        "give it a text",
    ),
    "claim of a code": (CLAIMS, '["A-01"]', '["A-02"]', -11, "no claim A-02", "did you mean A-01?"),
    "repair": (
        CLAIMS,
        '"warm_up"',
        '"warmup"',
        -12,
        "there is no repair warmup",
        "stem of a module",
    ),
    "text of a code": (CLAIMS, "能运行", "能run", -5, "001-1: “能r” has no space", "能 r"),
    "home": (
        CLAIMS,
        '#result"',
        '#results"',
        0,
        "has no section 'results'",
        "did you mean result?",
    ),
    "mention": (
        CLAIMS,
        '#result"',
        '#limits"',
        0,
        "#limits of training/warm-up.md holds no executed",
        "mention",
    ),
    # navigation
    "nav without page": (
        NAV,
        "warm-up.md\n",
        "warm-up.md\n      - training/warm.md\n",
        1,
        "nav names training/warm.md, which is no page",
        "did you mean training/warm-up?",
    ),
    "nav twice": (
        NAV,
        "warm-up.md\n",
        "warm-up.md\n      - guide/notation.md\n",
        1,
        "nav names guide/notation.md twice",
        "remove",
    ),
    "part": (NAV, "训练", "训", 0, "the part “训” has no English title", "[parts]"),
    "title in nav": (
        NAV,
        "- training/warm-up.md",
        "- 预热: training/warm-up.md",
        -1,
        "holds no paths",
        "paths only",
    ),
    "TODO": (MODULE, "Measure how", "TODO: Measure how", 0, "TODO: Measure how much n", "write it"),
}


@pytest.mark.parametrize("case", EDITS)
def test_a_mistake_is_named_once(small: Any, expect: Expect, case: str) -> None:
    file, old, new, offset, message, remedy = EDITS[case]
    line = small.replace(file, old, new)
    place = {None: 1, ...: 0}.get(offset) if offset in (None, ...) else line + offset
    expect((file, place, message, remedy))


# Several edits, and all that is said of them

ROW = """[[claim]]
id = "A-02"
source = "001"
where = "2"
verdict = "correct"
page = "training/warm-up"
zh = "对的说法。"
en = "A right claim."
zh_correct = "对。"
en_correct = "Right."
"""
MORE = {
    "the key of a term": (
        [(TERMS, "[variance]", "[spread]")],
        [
            ("docs/en/guide/notation.md", 8, "there is no term variance", "glossary.toml"),
            ("docs/zh/guide/notation.md", 8, "there is no term variance", "glossary.toml"),
            (TERMS, 1, "no page explains the term spread", "give it a `page`"),
        ],
    ),
    "a test that is gone": (
        [(TEST, '@pytest.mark.claim("A-01")\n', "")],
        [(CLAIMS, 12, "no test proves the claim A-01", '@pytest.mark.claim("A-01")')],
    ),
    "a module without a test": (
        [(TEST, "def test_the", "def the"), (TEST, "def test_the", "def the")],
        [
            (CLAIMS, 12, "no test proves the claim A-01", "say in `editorial`"),
            (MODULE, 1, "no test mirrors the module", TEST),
        ],
    ),
    "a reason and a test": (
        [
            (
                CLAIMS,
                "zh_correct",
                'editorial = { zh = "这是一种看法。", en = "A view." }\nzh_correct',
            )
        ],
        [
            (CLAIMS, 0, "1 of 1 claims have no test but a reason", "prove some"),
            (CLAIMS, 12, f"A-01 is editorial, yet {TEST}:10 proves it", "remove `editorial`"),
        ],
    ),
    "a claim without a page": (
        [
            (CLAIMS, 'page = "training/warm-up"', 'page = "training/warm-u"'),
            *((page, "{#sources}", "{#x}") for page in (EN, ZH)),
        ],
        [(CLAIMS, 12, "the page 'training/warm-u' of A-01 does not exist", "training/warm-up?")],
    ),
    "no claim": (
        [(CLAIMS, 'page = "training/warm-up"', 'page = "guide/notation"')],
        [
            (CLAIMS, 12, "A-01: the link #result leads to no section", "guide/notation.md"),
            ("docs/en/guide/notation.md", 1, "it has no section #sources", "below it"),
            ("docs/zh/guide/notation.md", 1, "it has no section #sources", "below it"),
            (EN, 51, "the section is empty: no source", "remove the heading"),
            (ZH, 51, "the section is empty: no source", "remove the heading"),
        ],
    ),
    "a claim that stands twice": (
        [
            (CLAIMS, "claims = 1", "claims = 2"),
            (CLAIMS, "[[code]]", ROW.replace('"A-02"', '"A-01"') + "\n[[code]]"),
        ],
        [
            (CLAIMS, 0, "A-02 of the source 001 has no row", "lower the count"),
            (CLAIMS, 23, "the claim A-01 stands twice", "remove one"),
        ],
    ),
    "a word for two concepts": (
        [
            (
                TERMS,
                "[variance]",
                '[spread]\nzh = "方差"\nen = "variance"\npage = "guide/notation"\nzh_def = "x"\nen_def = "x"\n\n[variance]',
            )
        ],
        [
            (TERMS, 1, "docs/zh/guide/notation.md does not speak of “方差”", "name a page"),
            (TERMS, 8, "variance and spread have the same Chinese word", "one concept"),
        ],
    ),
    "two references with one address": (
        [
            (
                BIB,
                "@book",
                "@book{Gauss,\n author = {G}, title = {T}, publisher = {P}, year = {1809},\n url = {https://example.org/bessel}\n}\n\n@book",
            ),
            (
                EN.replace("training/warm-up", "guide/notation"),
                "[@bessel1838]",
                "[@bessel1838; @Gauss]",
            ),
            (
                ZH.replace("training/warm-up", "guide/notation"),
                "[@bessel1838]",
                "[@bessel1838; @Gauss]",
            ),
        ],
        [
            ("docs/en/guide/notation.md", 8, "[@bessel1838; @Gauss] cannot be read", "[@he2015]"),
            ("docs/zh/guide/notation.md", 8, "[@bessel1838; @Gauss] cannot be read", "[@he2015]"),
            (BIB, 1, "Gauss is no key", "lower-case"),
            (BIB, 1, "no page cites Gauss", "cite it"),
            (BIB, 6, "bessel1838 and Gauss have the same url", "keep one"),
            (BIB, 6, "no page cites bessel1838", "cite it"),
        ],
    ),
    "an equation that is only referred to": (
        [(page, "{eq:warm-up-ratio}", "See {eq:warm-up-ratio}.") for page in (EN, ZH)],
        [
            (EN, 13, "warm-up-ratio is referred to but shown on no page", "alone in a paragraph"),
            (ZH, 13, "warm-up-ratio is referred to but shown on no page", "alone in a paragraph"),
            (TEX, 1, "no page shows the equation warm-up-ratio", "{eq:warm-up-ratio}"),
        ],
    ),
    "an equation without use and check": (
        [(TEX, "%% ratio", "%% other\nv = 1\n\n%% ratio")],
        [
            (TEX, 1, "no page shows the equation warm-up-other", "{eq:warm-up-other}"),
            (TEX, 1, "the equation warm-up-other has no check", f'"warm-up-other", …) in {CHECK}'),
        ],
    ),
    "the key of a check": (
        [(CHECK, '"warm-up-ratio"', '"warm-up-rato"')],
        [
            (TEX, 1, "the equation warm-up-ratio has no check", CHECK),
            (CHECK, 13, "no equation warm-up-rato", "did you mean warm-up-ratio?"),
        ],
    ),
    "a definition that nothing uses": (
        [
            (CHECK, "numerical", "definition"),
            (TEX, "\\frac{n}{n - 1} \\E{s} = v", "b = n \\E{s} v"),
        ],
        [(TEX, 1, "warm-up-ratio defines b, which no other equation uses", "in words")],
    ),
    "a reference that nobody cites": (
        [(f"docs/{x}/guide/notation.md", " [@bessel1838]", "") for x in ("zh", "en")],
        [(BIB, 1, "no page cites bessel1838", "cite it")],
    ),
    "a page that nav forgets": (
        [(NAV, "  - 导读:\n      - guide/notation.md\n", "")],
        [("docs/zh/guide/notation.md", 1, "in no part of the navigation", "`- guide/notation.md`")],
    ),
}


@pytest.mark.parametrize("case", MORE)
def test_a_mistake_with_two_sides_is_named_at_both(small: Any, expect: Expect, case: str) -> None:
    edits, rows = MORE[case]
    for edit in edits:
        small.replace(*edit)
    expect(*rows)


def test_a_check_stands_in_the_file_of_its_concept(small: Any, expect: Expect) -> None:
    small.write("tests/equations/test_other.py", small.read(CHECK))
    (small.root / CHECK).unlink()
    message = "the check of warm-up-ratio stands in the file of another concept"
    expect(("tests/equations/test_other.py", 13, message, f"move it to {CHECK}"))


@pytest.mark.parametrize(
    ("change", "words"),
    [({"kind": "definition"}, "is a definition"), ({"parsed": False}, "is checked in code")],
)
def test_most_equations_can_be_false(small: Any, change: dict[str, Any], words: str) -> None:
    book = small.book()
    (check_,) = book.checks.values()
    many = {f"warm-up-{n}": replace(check_, mark=replace(check_.mark, **change)) for n in range(2)}
    found = [p for p in check(replace(book, checks=many)) if p.file == "tests/equations"]
    assert [p.message for p in found] == [f"more than a fifth of all equations {words}: 2 of 2"]


def test_helpers_of_one_name_are_one_function(small: Any, expect: Expect) -> None:
    other = (
        small.read(MODULE).replace("warm_up_ratio", "warm_up_other").replace("plot_ratio", "plot")
    )
    small.write(
        "src/x0/training/warm_up_twice.py", other.replace("def warm_up_other", "def warm_up_ratio")
    )
    tests = (
        small.read(TEST)
        .replace("warm_up", "warm_up_twice")
        .replace('@pytest.mark.claim("A-01")', "")
    )
    small.write("tests/training/test_warm_up_twice.py", tests)
    message = f"warm_up_ratio() is another function than in {MODULE}:18"
    expect(("src/x0/training/warm_up_twice.py", 18, message, "make them equal, or rename one"))


def test_a_module_belongs_to_a_page(small: Any, expect: Expect) -> None:
    for name, new in (
        (MODULE, "src/x0/training/momentum.py"),
        (TEST, "tests/training/test_momentum.py"),
    ):
        text = small.read(name).replace("warm_up", "momentum").replace("plot_ratio", "plot")
        small.write(new, text.replace('@pytest.mark.claim("A-01")\n', ""))
    message = "the module belongs to no page of docs/zh/training"
    expect(("src/x0/training/momentum.py", 1, message, "warm_up"))


LAB = """\
# %% [markdown] lang="zh"
# # 波 {#wave}
#
# {fig:wave-draws} 图。

# %% [markdown] lang="en"
# # Wave {#wave}
#
# {fig:wave-draws} A figure.

# %%
import pandas

print("@")
"""


def test_a_lab_stands_alone_and_asserts_its_finding(small: Any, expect: Expect) -> None:
    """Its figures belong to the code above them: there is none."""
    file = "src/x0/labs/wave.py"
    small.write(file, LAB.replace("@", 80 * "x"))
    small.replace(NAV, "  - 训练", "  - 实验:\n      - labs/wave.md\n  - 训练")
    expect(
        (file, 4, "there is no figure wave-draws", "plot_<name>()"),
        (file, 9, "there is no figure wave-draws", "plot_<name>()"),
        (file, 12, "imports pandas", "use only"),
        (file, 12, "the lab does not assert its finding", "assert"),
        (file, 14, "has 89 characters", "break it"),
    )


# What only results know


def executed(small: Any, **values: Any) -> Book:
    """Return the book as if its module had left these values, and drawn its labels."""
    book = small.book()
    labels = {"predicted": "预测", "measured": "实测"}
    found = Result(
        book.modules["warm_up"], values=values, figures=("warm-up-ratio",), labels=labels
    )
    return replace(book, results={"warm_up": found})


@pytest.mark.parametrize(
    ("values", "message", "remedy"),
    [
        ({"ratios": 1.0}, "warm_up: there is no “ratio”; there are ratios", "did you mean ratios?"),
        ({"ratio": {2: 1.0}}, "ratio has no [8]; it has 2", "{val:stem.name[0.9]:.2f}"),
        ({"ratio": {2: 1.0, 8: math.nan}}, "ratio[8] is nan, which is not finite", "{val:stem"),
        ({"ratio": {2: 1.0, 8: [1.0, 2.0, 3.0]}}, "ratio[8] is no number", "{val:stem"),
    ],
)
def test_values_are_those_of_the_results(
    small: Any, values: dict[str, Any], message: str, remedy: str
) -> None:
    found = [p for p in check(executed(small, **values)) if p.file == EN]
    assert [p.line for p in found] == [27]
    assert message in found[0].message
    assert remedy in found[0].remedy


def test_labels_that_no_figure_holds_are_known_when_all_are_drawn(small: Any) -> None:
    assert pending(small.book()) == ["warm_up"]
    book = executed(small, ratio={2: 2.0, 8: 1.1})
    assert pending(book) == []
    (found,) = check(book)
    assert (found.file, found.line) == ("snippets/labels.toml", 3)
    assert found.message == "no figure holds “draws of warm up”"


def test_every_index_has_a_template() -> None:
    folder = ROOT / "src" / "x0_build" / "templates" / "page"
    assert all((folder / f"{name}.md").is_file() for name in INDEXES)


def test_ruff_and_mypy_are_listed_with_the_rest(small: Any) -> None:
    small.write("pyproject.toml", "[tool.mypy]\nfiles = ['src']\nstrict = true\n")
    small.write("src/x0/training/warm_up.py", "import os\nx: int = ''\ny= 1\n")
    with pytest.raises(BuildError) as caught:
        report(small.project, tools=True)
    text = str(caught.value)
    assert "src/x0/training/warm_up.py:1: F401" in text
    assert "src/x0/training/warm_up.py:2: Incompatible types in assignment" in text
    assert "src/x0/training/warm_up.py:2: unformatted" in text
    assert "has no section demo" in text


def test_the_sources_have_no_problem() -> None:
    assert [str(problem) for problem in check(read_book(Project(ROOT)))] == []
