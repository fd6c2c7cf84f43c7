"""What you copy runs: each block of every page has all that it needs and prints what is shown."""

from __future__ import annotations

import functools
import json
from collections import defaultdict
from pathlib import Path

import blocks
import published
import pytest

from x0_build.project import Project
from x0_build.run import load, modules
from x0_build.run.lab import read as read_labs
from x0_build.syntax import sections

ROOT = Path(__file__).parents[2]
PROJECT = Project(ROOT)
LABS = read_labs(PROJECT)
MODULES = [module for module in modules(PROJECT).values() if module.stem not in LABS]
PAGES = sorted(
    path.relative_to(ROOT / "docs" / "zh").with_suffix("").as_posix()
    for path in (ROOT / "docs" / "zh").rglob("*.md")
)


@pytest.fixture(scope="module")
def tree() -> Path:
    """The pages as plain Markdown: test_pages.py compares them with the HTML."""
    return published.prepare()


@functools.cache
def results() -> dict:
    return load(PROJECT)


def both(tree: Path, name: str) -> list[tuple[str, str]]:
    """Return the blocks of a page, which are the same in both languages."""
    chinese, english = (blocks.read(tree / language / name) for language in ("zh", "en"))
    assert chinese == english
    return chinese


def ran_before(stem: str, pieces: list[str]) -> bool:
    """Say whether the build's run of the module has run what a page lets copy."""
    if stem not in results():
        return False
    found = sections(PROJECT.text(results()[stem].module.path))
    return blocks.ran_before(pieces, [x.strip("\n") for name, x in found.items() if name])


@pytest.mark.proves("reading-code", kind="call", range="every page, in both languages")
@pytest.mark.parametrize("name", PAGES)
def test_what_a_page_lets_copy_runs_and_prints_what_the_page_shows(tree: Path, name: str) -> None:
    """No copy lacks a name; the pieces of a module, each run once, print what the page shows."""
    found = both(tree, f"{name}.md")
    copies = blocks.copied(tree / "zh" / f"{name}.md")
    assert copies == blocks.copied(tree / "en" / f"{name}.md")
    assert copies or not (tree / "zh" / f"{name}.md").read_text("utf-8").count("{#derivation}")
    assert [lacks for _, pieces in copies if (lacks := blocks.lacking("\n".join(pieces)))] == []
    done: set[tuple[str, str]] = set()
    steps, shows = [], defaultdict(str)
    for (stem, pieces), wanted in zip(copies, blocks.shown(found), strict=True):
        steps.append((stem, tuple(x for x in pieces if (stem, x) not in done)))
        done |= {(stem, piece) for piece in pieces}
        shows[stem] += wanted
    prints = defaultdict(str)
    for stem in shows:
        if ran_before(stem, [x for name, pieces in steps if name == stem for x in pieces]):
            prints[stem] = results()[stem].output
    again = tuple(step for step in steps if step[0] not in prints)
    printed, problems = blocks.run(name, again) if again else ([], [])
    assert problems == []
    for (stem, _), text in zip(again, printed, strict=True):
        prints[stem] += text
    assert {k: x.rstrip("\n") for k, x in prints.items()} == {
        k: x.rstrip("\n") for k, x in shows.items()
    }
    assert blocks.unused([piece for _, pieces in steps for piece in pieces]) == []


def test_a_page_of_a_module_shows_what_was_run(tree: Path) -> None:
    """Its code, what it printed and its tests; what is downloaded is the module without marks."""
    for module in MODULES:
        text = sections(PROJECT.text(module.path))[""]
        tests = PROJECT.text(ROOT / "tests" / module.area / f"test_{module.stem}.py")
        output = results()[module.stem].output.rstrip()
        *code, shown = both(tree, f"code/{module.area}/{module.stem}.md")
        assert code[0][0] == shown[0] == "python"
        # On the page there are at most two blank lines where sections meet.
        assert code[0][1].split() == text.split()
        assert [text.rstrip() for _, text in code[1:]] == [output] * bool(output)
        assert shown[1].strip() == tests.strip()
        for language in ("zh", "en"):
            path = tree / language / "code" / module.area / f"{module.stem}.py"
            assert path.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("lab", LABS.values(), ids=LABS)
def test_a_lab_shows_what_was_run_and_offers_it(tree: Path, lab) -> None:
    code = [cell.source.strip() for cell in lab.code]
    found = both(tree, f"labs/{lab.name}.ipynb")
    assert [text.strip() for text in blocks.code(found)] == code
    assert [text.rstrip("\n") for text in blocks.shown(found)] == [
        text.rstrip("\n") for text in results()[lab.module.stem].outputs
    ]
    for language in ("zh", "en"):
        files = tree / language / "labs" / "files"
        cells = json.loads((files / f"{lab.name}.ipynb").read_text(encoding="utf-8"))["cells"]
        cells = [cell for cell in cells if cell["cell_type"] == "code"]
        assert ["".join(cell["source"]).strip() for cell in cells] == code
        assert all(not cell["outputs"] and not cell["execution_count"] for cell in cells)
        script = (files / f"{lab.name}.py").read_text(encoding="utf-8")
        assert all(source in script for source in code)


# The machinery must notice what it is there to notice.


@pytest.mark.parametrize(
    ("codes", "problem"),
    [
        (("import x0",), "import of x0 halted"),
        (("import warnings\nwarnings.warn('old', stacklevel=1)",), "UserWarning('old')"),
        (("x = 1", "def f():\n    return x / 0\nf()"), "block 2, line 2: ZeroDivisionError"),
        (("raise SystemExit",), "SystemExit"),
        (("def f(:",), "SyntaxError"),
        (("open('left', 'w').close()",), "files are left behind: ['left']"),
        (("import os\nos._exit(3)",), "exit code 3"),
    ],
)
def test_what_fails_when_pasted_is_noticed(
    tmp_path: Path, codes: tuple[str, ...], problem: str
) -> None:
    assert problem in blocks.run("page", tuple(("", (x,)) for x in codes), tmp_path)[1][0]


def test_the_blocks_of_a_module_share_names_and_are_run_once(tmp_path: Path) -> None:
    point = "from dataclasses import dataclass\n@dataclass\nclass Point:\n    x: float"
    steps = (
        ("a", ("import os, torch", "print(__name__, os.listdir())")),
        ("b", (point,)),
        ("b", ("print(Point(2.0).x, 'torch' in globals())",)),
        ("a", ("import matplotlib.pyplot as plt\nplt.figure(); plt.show()",)),
    )
    expected = ["__main__ []\n", "", "2.0 False\n", ""]
    assert blocks.run("page", steps, tmp_path) == (expected, [])
    (kept,) = (tmp_path / "build" / "tested" / "code").rglob("*.txt")
    when = kept.stat().st_mtime_ns
    assert blocks.run("page", steps, tmp_path) == (expected, [])
    assert kept.stat().st_mtime_ns == when
    blocks.run("page", steps[:1], tmp_path)
    assert kept.stat().st_mtime_ns > when


def test_a_copy_that_lacks_a_name_is_found() -> None:
    assert blocks.lacking("import math\ndef f(x):\n    return math.exp(x) + y + len(z)\n") == {
        "y",
        "z",
    }


@pytest.mark.parametrize(
    ("pieces", "same"),
    [
        (["import math", "def f():\n    return 1", "print(f())"], True),
        (["import math", "print(f())"], True),  # what it lacks, `lacking` finds
        (["import math", "def f():\n    return 2", "print(f())"], False),
        (["import math", "def f():\n    return 1"], False),
        (["print(f())", "import math", "plot()", "print(f())"], False),
        (["import math", "plot()", "print(f())"], False),
    ],
)
def test_what_the_module_ran_in_another_form_is_run_again(pieces: list[str], *, same: bool) -> None:
    sections = ["import math", "def f():\n    return 1", "print(f())"]
    assert blocks.ran_before(pieces, sections) is same


def test_what_is_defined_for_nothing_is_found() -> None:
    codes = ("def a(): b()\ndef b(): pass\ndef c(): d()\ndef d(): c()", "class E: pass\na()")
    assert blocks.unused(codes) == ["E", "c", "d"]
