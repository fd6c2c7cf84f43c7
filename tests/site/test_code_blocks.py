"""What you copy runs: the code of every page, taken from its HTML, run, and its output compared."""

from __future__ import annotations

import ast
import gzip
import json
import os
import platform
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
from lxml.html import HtmlElement

from x0_build.labs import read as read_labs
from x0_build.paths import Project

ROOT = Path(__file__).parents[2]
RUNNER = Path(__file__).with_name("run_blocks.py")
ALLOWED = {"numpy", "torch", "matplotlib", "sklearn"} | sys.stdlib_module_names
# Fences that are not Python show a command or what it prints.
NOT_PYTHON = {"language-text", "language-console", "language-bash", "language-sh"}
Blocks = tuple[tuple[str, str], ...]


@dataclass
class Block:
    """A code block and the output that the page shows directly below it."""

    code: str
    output: str | None = None


def has_class(element: HtmlElement, name: str) -> bool:
    return name in (element.get("class") or "").split()


def read_blocks(page: HtmlElement) -> tuple[list[Block], list[str]]:
    """Return the Python blocks of a page in order, and what is wrong with its outputs."""
    blocks: list[Block] = []
    at: dict[HtmlElement, Block] = {}
    wrong = []
    for element in page.iter("div"):
        if has_class(element, "highlight") and not in_class(element, "x0-testsource"):
            languages = {x for x in element.get("class").split() if x.startswith("language-")}
            if "language-python" in languages:
                (code,) = element.iter("code")
                at[element] = Block(code.text_content())
                blocks.append(at[element])
            elif not languages <= NOT_PYTHON or not languages:
                wrong.append(f"a block of an unknown language: {element.get('class')}")
        elif has_class(element, "x0-out"):
            (code,) = element.iter("code")
            above = element.getprevious()
            while above is not None and has_class(above, "x0-source"):
                above = above.getprevious()
            if above is None or above not in at or at[above].output is not None:
                wrong.append(f"output that follows no code block: {code.text_content()[:60]!r}")
            else:
                at[above].output = code.text_content()
    return blocks, wrong


def in_class(element: HtmlElement, name: str) -> bool:
    return any(has_class(parent, name) for parent in element.iterancestors())


def sequence(page: HtmlElement) -> Blocks:
    """Return the code of a page as it is run; equal for two pages with equal code."""
    return tuple((f"block {n}", x.code) for n, x in enumerate(read_blocks(page)[0], 1))


@pytest.fixture(scope="module")
def results(request: pytest.FixtureRequest, memory: Any) -> dict[Blocks, dict[str, Any]]:
    """Every sequence of blocks of the pages that are tested, run once for both languages."""
    specs = (getattr(item, "callspec", None) for item in request.session.items)
    pages = dict.fromkeys(s.params["site_page"] for s in specs if s and "site_page" in s.params)
    sequences = dict.fromkeys(blocks for page in pages if (blocks := sequence(page.html)))
    known = memory("code", (RUNNER.read_bytes(), json.dumps(environment()).encode()))
    results = {blocks: known.recall(json.dumps(blocks)) for blocks in sequences}
    new = [blocks for blocks, result in results.items() if result is None]
    for blocks, result in zip(new, run(new) if new else [], strict=True):
        results[blocks] = result
        if "error" not in result:
            known.keep(json.dumps(blocks), result)
    return results


def environment() -> list[str]:
    """Return what the result of running code depends on."""
    machine = ROOT / "build" / "run" / "machine.json"
    return [
        sys.version,
        *(f"{name} {version(name)}" for name in ("numpy", "torch", "matplotlib", "scikit-learn")),
        machine.read_text(encoding="utf-8") if machine.is_file() else platform.processor(),
    ]


def run(sequences: list[Blocks]) -> list[dict[str, Any]]:
    """Run sequences of blocks in fresh interpreters."""
    done = subprocess.run(
        [sys.executable, "-I", RUNNER],
        input=json.dumps(sequences),
        capture_output=True,
        text=True,
        check=False,
        env={
            **os.environ,
            "MPLBACKEND": "template",  # its show() shows nothing
            "OMP_NUM_THREADS": "1",
            "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES",
        },
    )
    assert done.returncode == 0, done.stderr
    answer: list[dict[str, Any]] = json.loads(done.stdout)
    return answer


def imported(code: str) -> Iterator[str]:
    """Yield the top-level names of everything that a block imports."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield (node.module or "").partition(".")[0] if not node.level else "."


def differences(blocks: list[Block], result: dict[str, Any]) -> list[str]:
    """Return where what blocks print is not what the page shows."""
    found = []
    for number, (block, printed) in enumerate(zip(blocks, result["printed"], strict=True), 1):
        if printed.rstrip("\n") != (block.output or "").rstrip("\n"):
            shown = "no output" if block.output is None else f"\n{block.output}"
            found.append(f"block {number} prints\n{printed}\nand the page shows {shown}")
        elif block.output is not None and not printed:
            found.append(f"block {number} prints nothing and the page shows an empty output")
    return found


def test_the_code_of_a_page_runs_and_prints_what_the_page_shows(
    site_page: Any, results: dict[Blocks, dict[str, Any]]
) -> None:
    blocks, wrong = read_blocks(site_page.html)
    assert not wrong
    if not blocks:
        assert not site_page.module
        return
    result = results[sequence(site_page.html)]
    assert "error" not in result, result["error"]
    assert not differences(blocks, result), "\n\n".join(differences(blocks, result))
    assert not result["uncalled"], f"the page defines and never calls {result['uncalled']}"
    assert not result["files"], f"the code leaves files behind: {result['files']}"
    foreign = {name for block in blocks for name in imported(block.code)} - ALLOWED
    assert not foreign, f"a reader may not have {foreign}"


def test_chapters_show_code(pages: list[Any]) -> None:
    """So that a change of the HTML cannot make the test above pass on nothing."""
    with_code = {page.path for page in pages if read_blocks(page.html)[0]}
    chapters = {page.path for page in pages if page.html.cssselect("#derivation")}
    assert chapters
    assert chapters <= with_code
    outputs = [block for p in pages for block in read_blocks(p.html)[0] if block.output]
    shown = sum(len(page.html.cssselect(".x0-out")) for page in pages)
    assert len(outputs) == shown > 0


def test_both_languages_show_the_same_code(pages: list[Any]) -> None:
    shown: dict[str, set[Blocks]] = {}
    for page in pages:
        shown.setdefault(page.name, set()).add(sequence(page.html))
    assert [name for name, sequences in shown.items() if len(sequences) > 1] == []


def test_a_module_page_shows_the_module(pages: list[Any], site: Path) -> None:
    """Also what is downloaded is the module, without the section marks."""
    shown = Counter(page.module for page in pages if page.module)
    modules = {
        path.relative_to(ROOT / "src" / "x0").as_posix().removesuffix(".py")
        for path in (ROOT / "src" / "x0").glob("*/*.py")
        if path.name != "__init__.py" and path.parent.name != "labs"
    }
    assert shown == Counter([*modules, *modules])  # once in each language
    for page in pages:
        if page.module:
            source = (ROOT / "src" / "x0" / f"{page.module}.py").read_text(encoding="utf-8")
            plain = "".join(x for x in source.splitlines(keepends=True) if "# --8<-- [" not in x)
            root = site / "en" if page.language == "en" else site
            assert (root / "code" / f"{page.module}.py").read_text(encoding="utf-8") == plain
            (block,) = read_blocks(page.html)[0]
            # On the page there are two blank lines where sections meet.
            assert block.code.strip() == re.sub(r"\n{4,}", "\n\n\n", plain).strip()


def test_a_lab_shows_and_offers_its_code(pages: list[Any], site: Path) -> None:
    labs = read_labs(Project(ROOT))
    shown = {page.path: page for page in pages if page.html.cssselect(".x0-lab")}
    assert set(shown) == {f"{x}labs/{lab.name}/" for lab in labs for x in ("", "en/")}
    for lab in labs:
        code = [cell.source.strip() for cell in lab.code]
        for root in ("", "en/"):
            page = shown[f"{root}labs/{lab.name}/"]
            assert [block.code.strip() for block in read_blocks(page.html)[0]] == code
            text = (site / root / "labs" / f"{lab.name}.ipynb").read_text(encoding="utf-8")
            cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "code"]
            assert ["".join(cell["source"]).strip() for cell in cells] == code
            assert all(not cell["outputs"] and not cell["execution_count"] for cell in cells)
            script = (site / root / "labs" / f"{lab.name}.py").read_text(encoding="utf-8")
            assert all(source in script for source in code)
            links = {a.get("href") for a in page.html.cssselect(".x0-lab a")}
            assert {f"../{lab.name}.ipynb", f"../{lab.name}.py"} <= links


def test_a_lab_is_as_light_as_a_chapter(pages: list[Any]) -> None:
    """mkdocs-jupyter brings 590 KB of styles, prompts and a second copy of each cell."""
    for page in pages:
        if page.html.cssselect(".x0-lab"):
            text = page.file.read_bytes()
            assert len(gzip.compress(text)) < 60_000
            assert not re.search(rb"jp-|In \[|clipboard-copy|mathjax|requirejs", text)


def test_a_page_that_shows_tests_shows_them_as_they_are(pages: list[Any]) -> None:
    found: Counter[str] = Counter()
    for page in pages:
        for listing in page.html.cssselect(".x0-testsource"):
            (code,) = listing.iter("code")
            shown = code.text_content().strip()
            if page.module:
                area, _, stem = page.module.partition("/")
                source = (ROOT / "tests" / area / f"test_{stem}.py").read_text(encoding="utf-8")
                assert shown == source.strip()
            else:  # the checks of one concept's equations, each by itself
                stem = page.name.rstrip("/").rpartition("/")[2].replace("-", "_")
                source = (ROOT / "tests" / "equations" / f"test_{stem}.py").read_text("utf-8")
                assert shown in source
            found[page.language] += 1
    assert found["zh"] == found["en"] > 0


# The runner itself must notice what it is there to notice.

ERRORS = {
    "import x0": "No module named 'x0'",
    "from x0_build import paths": "No module named 'x0_build'",
    "import warnings\nwarnings.warn('old', stacklevel=1)": "UserWarning: old",
    "1 / 0": "ZeroDivisionError",
    "raise SystemExit": "SystemExit",
    "def f(:": "SyntaxError",
    "import numpy\nnumpy.sqrt(numpy.array([-1.0]))": "RuntimeWarning",
    "import os\nos._exit(3)": "died with 3",
}
READER = (
    "import os, torch\nimport matplotlib.pyplot as plt\nprint(__name__, os.listdir())",
    "from dataclasses import dataclass\nfrom functools import cache\n"
    "@dataclass(frozen=True)\nclass Point:\n    x: float\n"
    "class Box:\n    def get(self): return 1\n"
    "from typing import NamedTuple\nclass Pair(NamedTuple):\n    x: float\n"
    "class Unused: pass\n"
    "@cache\ndef double(x): return 2 * x\n"
    "def unused(): pass\n",
    "print(double(Point(2.0).x) + Box().get() + Pair(0).x)\nplt.figure(); plt.show()\n"
    "print(torch.get_num_threads())",
)


def test_the_runner_runs_as_a_reader_does_and_notices_errors() -> None:
    codes = [READER, *((code,) for code in ERRORS)]
    good, *bad = run([tuple((f"block {n}", x) for n, x in enumerate(code, 1)) for code in codes])
    assert good == {
        "printed": ["__main__ []\n", "", "5.0\n1\n"],
        "uncalled": ["Unused", "unused"],
        "files": [],
    }
    for result, error in zip(bad, ERRORS.values(), strict=True):
        assert error in result["error"]


def test_outputs_are_compared() -> None:
    shown = Block("print(1)", "1\n")
    assert differences([shown], {"printed": ["1\n"]}) == []
    assert differences([shown], {"printed": ["2\n"]})
    assert differences([shown], {"printed": [""]})
    assert differences([Block("print(1)")], {"printed": ["1\n"]})
    assert differences([Block("")], {"printed": [""]}) == []
