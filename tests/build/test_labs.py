"""Labs: the form of a lab, what executes again, what stops the build where, what is published."""

from __future__ import annotations

import ast
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest

from x0_build import labs, notebooks
from x0_build.book import Book
from x0_build.labs import execute
from x0_build.paths import LANGUAGES, Project
from x0_build.problems import BuildError, Problem

ROOT = Path(__file__).parents[2]
FILE = "src/x0/labs/wave_lab.py"
LABELS = '[keep]\nnames = ["ReLU"]\n[wave_lab]\n"layer" = "层"\n'
LAB = """\
# %% [markdown] lang="zh"
# # 波 {#wave-lab}
#
# 一句话，{val:wave_lab.mean:.2f}。

# %% [markdown] lang="en"
# # Wave {#wave-lab}
#
# One sentence, {val:wave_lab.mean:.2f}.

# %%
import matplotlib.pyplot as plt
import numpy as np

SEED = 3

# %%
draws = np.random.default_rng(SEED).normal(size=100)
mean = float(draws.mean())
pair = (mean, 0.1)
print(f"{mean:.1f}")

# %%
fig, ax = plt.subplots(layout="constrained")
ax.plot(draws[:9], label="ReLU")
ax.set(xlabel="layer")
plt.show()
print("after")

# %% [markdown] lang="zh"
# {fig:wave-lab-draws} 见 $x_1$ 与 (fig:wave-lab-draws)。

# %% [markdown] lang="en"
# {fig:wave-lab-draws} See $x_1$ and (fig:wave-lab-draws).

# %%
assert mean < 1
"""


@pytest.fixture(scope="session")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one lab, executed; tests copy it."""
    root = tmp_path_factory.mktemp("lab")
    (root / "snippets" / "equations").mkdir(parents=True)
    (root / "snippets" / "labels.toml").write_text(LABELS, encoding="utf-8")
    shutil.copy(ROOT / "snippets" / "macros.toml", root / "snippets")
    for name in ("claims.toml", "references.bib", "glossary.toml"):
        (root / "snippets" / name).write_text("", encoding="utf-8")
    for language in LANGUAGES:
        (root / "docs" / language).mkdir(parents=True)
    (root / "node_modules").symlink_to(ROOT / "node_modules", target_is_directory=True)
    (root / FILE).parent.mkdir(parents=True)
    (root / FILE).write_text(LAB, encoding="utf-8")
    execute(Project(root), progress=False)
    return root


@pytest.fixture
def project(ready: Path, tmp_path: Path) -> Project:
    shutil.copytree(ready, tmp_path / "copy", symlinks=True)
    return Project(tmp_path / "copy")


def change(project: Project, old: str, new: str, file: str = FILE) -> int:
    """Replace a text; return the line where the new one starts."""
    path = project.root / file
    text = path.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{text.count(old)} × {old!r}"
    path.write_text(text.replace(old, new), encoding="utf-8")
    return text.count("\n", 0, text.index(old)) + 1


def problems(project: Project) -> list[Problem]:
    with pytest.raises(BuildError) as caught:
        execute(project, progress=False)
    return caught.value.problems


def stored(project: Project) -> dict[str, bytes]:
    folder = labs.folder(project, "wave_lab")
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def stamps(project: Project) -> dict[str, int]:
    folder = labs.folder(project, "wave_lab")
    return {p.name: p.stat().st_mtime_ns for p in folder.rglob("*") if p.is_file()}


# --- execution


def test_a_run_gives_output_values_and_figures_in_both_languages(ready: Path) -> None:
    project = Project(ready)
    result = labs.load(project)["wave_lab"]
    (lab,) = labs.read(project)
    assert labs.outputs(project, lab) == ["", "-0.1\n", "after\n", ""]
    assert set(result.values) == {"SEED", "mean", "pair"}
    assert result.values["pair"] == (result.values["mean"], 0.1)
    assert result.seeds == {"SEED": 3}
    assert result.figures == ["wave-lab-draws"]
    for language, word in (("zh", ">层<"), ("en", ">layer<")):
        svg = labs.figure_file(project, "wave_lab", "wave-lab-draws", language).read_text("utf-8")
        assert word in svg
        assert "var(--x1" in svg
        assert 'id="fig-wave-lab-draws-' in svg


def test_nothing_runs_when_nothing_changed(project: Project) -> None:
    before = stamps(project)
    execute(project, progress=False)
    assert stamps(project) == before


def test_the_text_of_a_lab_is_not_executed(project: Project) -> None:
    before = stamps(project)
    change(project, "# One sentence", "# One other sentence")
    change(project, "ReLU", "ReLU", "snippets/labels.toml")
    execute(project, progress=False)
    assert stamps(project) == before


def test_code_and_labels_that_changed_run_again_and_give_the_same(project: Project) -> None:
    before = stored(project)
    change(project, '"layer" = "层"', '"layer" = "第几层"', "snippets/labels.toml")
    execute(project, progress=False)
    after = stored(project)
    changed = {name for name in before if before[name] != after[name]} - {"time.json"}
    assert changed == {"figures/wave-lab-draws.zh.svg", "meta.json", "fingerprint"}
    change(project, "SEED = 3", "SEED = 4")
    execute(project, progress=False)
    assert labs.load(project)["wave_lab"].seeds == {"SEED": 4}


# --- what stops the build

FAILURES = {
    "a cell that raises": (
        'print(f"{mean:.1f}")',
        "mean / 0",
        "Code cell 2 raises ZeroDivisionError: float division by zero",
        "repair the cell",
    ),
    "a cell that warns": (
        'print(f"{mean:.1f}")',
        "np.sqrt(-np.ones(1))",
        "Code cell 2 raises RuntimeWarning: invalid value encountered in sqrt",
        "so that it does not warn",
    ),
    "a cell that cannot be read": (
        'print(f"{mean:.1f}")',
        "mean = = 1",
        "Code cell 2 raises SyntaxError",
        "repair the cell",
    ),
    "a finding that fails": (
        "assert mean < 1",
        "assert mean > 1",
        "Code cell 4 raises AssertionError",
        "repair the cell",
    ),
    "a figure that no cell names": (
        "plt.show()",
        "plt.show(); plt.plot([1]); plt.show()",
        "Code cell 3 raises LookupError: No Markdown cell below names this figure",
        "repair the cell",
    ),
    "an import of the project": (
        "import numpy as np",
        "import numpy as np; from x0 import nothing",
        "Code cell 1 raises ",
        "repair the cell",
    ),
}


@pytest.mark.parametrize("case", FAILURES)
def test_a_bad_cell_is_named(project: Project, case: str) -> None:
    old, new, message, remedy = FAILURES[case]
    before = {name: data for name, data in stored(project).items() if name != "fingerprint"}
    line = change(project, old, new)
    (found,) = problems(project)
    assert (found.file, found.line) == (FILE, line)
    assert message in found.message
    assert remedy in found.remedy
    after = stored(project)
    assert {n: d for n, d in after.items() if n != "fingerprint"} == before
    assert "fingerprint" not in after, "it must run again next time"


def test_what_does_not_stop_a_lab_is_found_in_one_run(project: Project) -> None:
    value = change(project, 'print(f"{mean:.1f}")', "mean")
    change(project, 'xlabel="layer"', r'xlabel="layers", ylabel=r"$q\alpha$"')
    change(project, 'print("after")', 'import sys; print("x", file=sys.stderr)')
    found = {problem.message.partition(",")[0]: problem for problem in problems(project)}
    text = (project.root / FILE).read_text(encoding="utf-8").split("\n")
    drawn = text.index(r'ax.set(xlabel="layers", ylabel=r"$q\alpha$")') + 1
    show = text.index('fig, ax = plt.subplots(layout="constrained")') + 1
    assert {message: problem.line for message, problem in found.items()} == {
        "Code cell 2 ends in an expression": value - 3,
        "Code cell 3 writes to stderr: x": show,
        "Figure wave-lab-draws has no Chinese text for its label “layers”.": drawn,
        r"Figure wave-lab-draws has mathtext in its label “$q\alpha$”.": drawn,
    }
    assert all(problem.file == FILE and problem.remedy for problem in found.values())


def test_a_figure_that_no_cell_shows(project: Project) -> None:
    for language in ("见", "See"):
        change(project, f"draws}} {language}", f"draws}} {language}\n#\n# {{fig:wave-lab-more}} x")
    (found,) = problems(project)
    assert "no cell shows the figure wave-lab-more" in found.message
    assert "plt.show()" in found.remedy


def test_an_error_inside_a_function_is_found_where_it_stands(project: Project) -> None:
    change(project, "SEED = 3", "SEED = 3\n\n\ndef broken():\n    return 1 / 0")
    change(project, 'print(f"{mean:.1f}")', "broken()")
    (found,) = problems(project)
    text = (project.root / FILE).read_text(encoding="utf-8").split("\n")
    assert text[found.line - 1] == "    return 1 / 0"


FORMS = {
    "a missing English twin": (
        re.compile(r'# %% \[markdown\] lang="en"\n# \{fig.*?\n\n', re.S),
        "",
        "the Chinese cell has no English twin",
        'lang="en"',
    ),
    "a missing Chinese twin": (
        re.compile(r'# %% \[markdown\] lang="zh"\n# \{fig.*?\n\n', re.S),
        "",
        "the English cell has no Chinese twin",
        'lang="zh"',
    ),
    "a cell without a language": (
        re.compile(r'(?<=\[markdown\]) lang="zh"(?=\n# \{fig)'),
        "",
        "names no language",
        'lang="zh"',
    ),
    "other headings": (
        re.compile(r"Wave \{#wave-lab\}"),
        "Wave {#wave}",
        "the headings # wave; its twin has # wave-lab",
        "the same ids",
    ),
    "a text above the first cell": (
        re.compile(r"\A"),
        "import this\n\n",
        "a lab starts with a Markdown cell",
        "lang=",
    ),
}


@pytest.mark.parametrize("case", FORMS)
def test_a_lab_of_a_wrong_form(project: Project, case: str) -> None:
    pattern, new, message, remedy = FORMS[case]
    path = project.root / FILE
    path.write_text(pattern.sub(new, path.read_text(encoding="utf-8"), count=1), encoding="utf-8")
    found = problems(project)[0]
    assert found.file == FILE
    assert message in found.message
    assert remedy in found.remedy


# --- publishing


def test_the_notebooks_are_clean_and_read_by_any_viewer(ready: Path) -> None:
    book = Book(Project(ready))
    (lab,) = book.labs
    for language, figure, sentence in (
        ("zh", "**图 1** 见 $x_1$ 与 图 1。", "一句话，−0.06。"),
        ("en", "**Figure 1** See $x_1$ and Figure 1.", "One sentence, −0.06."),
    ):
        files = notebooks.downloads(book, lab, language, "https://x0.example/")
        notebook = nbformat.reads(files["wave-lab.ipynb"], as_version=4)
        nbformat.validate(notebook)
        assert [c.cell_type for c in notebook.cells] == [
            "markdown",
            *3 * ["code"],
            "markdown",
            "code",
        ]
        assert sentence in notebook.cells[0].source
        assert notebook.cells[0].source.split("\n")[0] in ("# 波", "# Wave")
        assert notebook.cells[4].source == figure
        assert all(not c.get("outputs") for c in notebook.cells)
        tree = ast.parse(files["wave-lab.py"])
        assert ast.unparse(tree).count("plt.show()") == 1
        executed = notebooks.make(book, lab, language, "", outputs=True)
        texts = [[o.text for o in c.outputs] for c in executed.cells if c.cell_type == "code"]
        assert texts == [[], ["-0.1\n"], ["after\n"], []]


PLAIN = {
    "{eq:newton-descent}": "$$\nc_{t+1} = \\left(1 - \\eta \\lambda\\right) c_t \\tag{1}\n$$",
    "(eq:newton-descent)": "(1)",
    "$\\Var{x}$": "$\\operatorname{Var}\\left[x\\right]$",
    "{exact:1797}": "1797",
    "[@he2015, §2]": "(He et al. 2015, §2)",
    "## Title {#some-id}": "## Title",
    "{term:fan-in}": "fan-in",
    "[b](../initialization/he.md#limits)": "[b](https://x.org/en/initialization/he/#limits)",
    "[b](../index.md)": "[b](https://x.org/en/)",
    "[b](https://a.org/c)": "[b](https://a.org/c)",
}


def test_our_markdown_becomes_that_of_notebooks() -> None:
    book = Book(Project(ROOT))
    lab = next(lab for lab in book.labs if lab.name == "newton")
    for ours, theirs in PLAIN.items():
        found = notebooks.plain(ours, book, lab.pages["en"], "https://x.org/en/")
        assert found == theirs
    assert notebooks.plain("[b](../index.md)", book, lab.pages["en"], "") == "b"


def test_code_is_woven_into_its_slots_without_what_surrounds_it() -> None:
    rendered = (
        "<style>x</style><div class='jp-Cell jp-CodeCell'><div class='jp-CodeCell'>In [1]"
        "<div class='highlight-ipynb'><pre><span></span><span class='n'>a</span> &lt; b</pre></div>"
        "<div class='clipboard-copy-txt'>a &lt; b</div></div>"
        "<div class='jp-OutputArea-output'><pre>1 &lt; 2\n</pre></div></div>"
    )
    page = notebooks.weave("<p>x</p>" + notebooks._SLOT.format(0), rendered, "en")
    assert page == (
        '<p>x</p><div class="language-python highlight"><pre><span></span><code>'
        '<span class="n">a</span> &lt; b</code></pre></div>\n<div class="x0-out">'
        '<span class="x0-out__label">Output</span><div class="language-text highlight"><pre>'
        "<span></span><code>1 &lt; 2\n</code></pre></div></div>"
    )
    with pytest.raises(ValueError, match="1 code cells of 0"):
        notebooks.weave("<p>x</p>", rendered, "en")


def test_the_branch_of_notebooks_is_one_commit_and_leaves_the_checkout_alone(
    project: Project, tmp_path: Path
) -> None:
    remote = tmp_path / "remote.git"

    def git(*arguments: str, cwd: Path = project.root) -> str:
        command = ["git", "-c", "user.name=x", "-c", "user.email=x@y.z", *arguments]
        done = subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    git("init", "--bare", "-q", str(remote), cwd=tmp_path)
    git("init", "-q")
    git("add", FILE)
    git("commit", "-q", "-m", "x")
    git("remote", "add", "origin", str(remote))
    before = git("status", "--porcelain")
    for _ in range(2):
        target = project.build / "notebooks"
        notebooks.write(Book(project), target, {"zh": "", "en": ""})
        notebooks.push(project, target)
    names = git("ls-tree", "-r", "--name-only", "notebooks", cwd=remote).split("\n")
    assert names == ["README.md", "en/wave-lab.ipynb", "zh/wave-lab.ipynb"]
    assert git("rev-list", "--count", "notebooks", cwd=remote) == "1"
    assert git("log", "-1", "--format=%an", "notebooks", cwd=remote) == "x0 contributors"
    assert git("status", "--porcelain") == before


def test_colab_reads_the_branch_of_the_repository() -> None:
    lab = labs.read(Project(ROOT))[0]
    address = labs.colab("https://github.com/a/b", lab, "zh")
    root = "https://colab.research.google.com/github/a/b/blob/notebooks/zh/"
    assert address == f"{root}{lab.name}.ipynb"
    assert labs.colab("https://example.org/a/b", lab, "zh") == ""


# --- the rules of the house


LABS = sorted((ROOT / "src" / "x0" / "labs").glob("*.py"))


@pytest.mark.parametrize("path", LABS, ids=lambda path: path.stem)
def test_a_lab_stands_alone_fits_the_page_and_asserts_its_finding(path: Path) -> None:
    lab = labs._read(path)
    allowed = {"numpy", "torch", "matplotlib", "sklearn"} | set(sys.stdlib_module_names)
    for cell in lab.code:
        for number, line in enumerate(cell.source.split("\n"), cell.line):
            assert len(line) <= 80, f"{path.name}:{number} has {len(line)} characters"
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.Import | ast.ImportFrom):
                module = node.names[0].name if isinstance(node, ast.Import) else node.module or ""
                assert module.partition(".")[0] in allowed
        for node in ast.parse(cell.source).body:
            if isinstance(node, ast.FunctionDef):
                assert ast.get_docstring(node), f"{path.name} {node.name} has no docstring"
                assert node.returns is not None
    text = "\n".join(cell.source for cell in lab.code)
    assert re.search(r"(?:manual_seed|default_rng)\((?:SEED|seed)", text)
    assert "SEED = " in text
    assert "torch.manual_seed" not in text
    assert "assert " in lab.cells[-1].source
    assert not lab.cells[-1].language
    ids = [heading.id for heading in lab.pages["en"].headings]
    assert ids[0] == lab.name
    wanted = ["question", "prediction", "learned", "try"]
    assert [name for name in ids if name in wanted] == wanted
    mirror = ROOT / "tests" / "labs" / f"test_{path.stem}.py"
    assert mirror.is_file()


def test_all_labs_together_take_less_than_three_minutes() -> None:
    seconds = [result.seconds for result in labs.load(Project(ROOT)).values()]
    assert sum(seconds) < 180


def test_the_results_name_no_place_on_this_machine() -> None:
    for path in (ROOT / "build" / "labs").glob("*/meta.json"):
        assert str(ROOT) not in json.dumps(json.loads(path.read_text(encoding="utf-8")))
