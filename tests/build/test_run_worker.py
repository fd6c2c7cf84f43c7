"""What a module or a lab gives when it is run, and which of its mistakes are named where."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator
from pathlib import Path

import matplotlib
import pytest
import torch
from matplotlib import pyplot

from x0_build.data.labels import Labels
from x0_build.project import BuildError, Project
from x0_build.run import execute, lab, load, number, pool, worker
from x0_build.run.job import Job, Outcome
from x0_build.run.module import modules
from x0_build.run.values import collect, decode, encode

LABELS = 'keep = ["ReLU"]\n"layer" = "层"\n"layer {}" = "第 {} 层"\n"long" = "' + 60 * "长" + '"\n'
HEAD = """\
import sys, warnings
import matplotlib.pyplot as plt
import numpy as np
import torch
SEED = 3
"""
FIGURE = (
    "def plot_a():\n    fig, ax = plt.subplots()\n    ax.plot([1, 2])\n    {}\n    return fig\n"
)
SHOWN = '\nif __name__ == "__main__":\n    plot_a()\n    plt.show()\n'
LAB = """\
# %% [markdown] lang="zh"
# # 波 {#wave-lab}

# %% [markdown] lang="en"
# # Wave {#wave-lab}

# %%
import matplotlib.pyplot as plt

mean = 0.5
print("one")

# %%
plt.plot([1, 2], label="layer 2")
plt.legend()
plt.show()
print("two")

# %% [markdown] lang="zh"
# {fig:wave-lab-draws} 见 {fig:wave-lab-draws}。

# %% [markdown] lang="en"
# {fig:wave-lab-draws} See {fig:wave-lab-draws}.

# %%
assert mean < 1
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Project]:
    """An empty project; what a worker changes in its process is put back."""
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.setattr(pyplot, "show", pyplot.show)
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    monkeypatch.setattr(pool, "run", lambda jobs, _: ((job, worker.run(job)) for job in jobs))
    monkeypatch.setattr(pool, "capability", lambda: "some")
    (tmp_path / "snippets").mkdir()
    (tmp_path / "snippets" / "labels.toml").write_text(LABELS, encoding="utf-8")
    with matplotlib.rc_context():
        yield Project(tmp_path)


def write(project: Project, name: str, text: str) -> Path:
    path = project.src / "x0" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def run(project: Project, text: str, name: str = "area/wave.py") -> Outcome:
    path = write(project, name, text)
    module, labs = modules(project)[path.stem], lab.read(project)
    file, labels = project.relative(path), Labels.read(project)
    return worker.run(Job(module, file, text, project.src, labels, labs.get(path.stem)))


# --- what a run gives


def test_output_values_and_figures_of_a_module(project: Project) -> None:
    demo = "    means = {0.9: (1.0, np.float32(0.5)), (2, 'a'): torch.ones(2)}\n    print(SEED)\n"
    found = run(project, HEAD + FIGURE.format("ax.set(xlabel=f'layer {SEED}')") + SHOWN + demo)
    assert not found.problems
    assert found.outputs == ["3\n"]
    assert found.values == {"SEED": 3, "means": {0.9: (1.0, 0.5), (2, "a"): [1.0, 1.0]}}
    assert found.labels == {"layer 3": "第 3 层"}
    assert list(found.figures) == ["wave-a"]
    assert ">第 3 层<" in found.figures["wave-a"]["zh"]
    assert ">layer 3<" in found.figures["wave-a"]["en"]


def test_what_each_section_of_the_main_part_prints(project: Project) -> None:
    mark = "    # --8<-- [{}:{}]\n"
    parts = [
        mark.format("start", name) + f"    print('{name}')\n" + mark.format("end", name)
        for name in ("first", "then")
    ]
    guard = 'if __name__ == "__main__":\n'
    found = run(project, HEAD + guard + parts[0] + "    print('between')\n" + parts[1])
    assert not found.problems
    assert found.sections == ["first", "then"]
    assert found.outputs == ["first\nbetween\n", "then\n"]


def test_a_figure_that_the_main_part_draws_is_not_drawn_again(project: Project) -> None:
    counted = HEAD + "CALLS = []\n" + FIGURE.format("CALLS.append(1)") + SHOWN
    found = run(project, counted + "    print(len(CALLS))\n    plot_b = 1\n")
    assert found.outputs == ["1\n"]
    assert list(found.figures) == ["wave-a"]
    before = found.figures
    assert run(project, HEAD + FIGURE.format("")).figures == before
    found = run(project, HEAD + FIGURE.format("1 / 0") + SHOWN)
    assert len(found.problems) == 1  # neither is what fails called again


def test_values_keep_their_shape_and_leave_out_the_rest() -> None:
    names = {"a": True, "_b": 1, "c": "text", "d": [1, "x"], "e": [0] * 6000, "f": range(2)}
    names |= {"g": {"k": math.inf, "t": "x", math.inf: 1}, "h": {}, "i": torch.Tensor}
    values = collect(names)
    assert values == {"d": [1, None], "f": [0, 1], "g": {"k": math.inf}}
    tree = {"a": {0.9: (1, 2), "x": [1.5], (1, "y"): 2}}
    assert decode(encode(tree)) == tree


@pytest.mark.parametrize(
    ("path", "message"),
    [
        ("b", "there is no “b”; there are a, bad"),
        ("a[0.8]", "a has no [0.8]; it has 0.9, x"),
        ("a", "a is no number; it has 0.9, x"),
        ('a["x"][2]', "a['x'] has no [2]; it has 0, 1"),
        ("bad", "bad is inf, which is not finite"),
        ("a[", "“a[” is no name with literals in brackets"),
    ],
)
def test_a_value_that_is_not_there(path: str, message: str) -> None:
    tree = {"a": {0.9: (1, 2), "x": [1.5, [1, 2, 3]]}, "bad": math.inf}
    assert number(tree, "a[0.9]") == (1, 2)
    assert number(tree, 'a["x"][-1][0]') == 1
    with pytest.raises(KeyError) as caught:
        number(tree, path)
    assert message in caught.value.args[0]


# --- what stops the build

# The line of each problem is the one that ends in "# here".
BROKEN = {
    "syntax": ("x = = 1  # here\n", "the module raises SyntaxError"),
    "an import of the project": ("import x0.area.good  # here\n", "raises ModuleNotFoundError"),
    "an exception": ("def f(x):\n    return 1 / x  # here\n\n\nf(0)\n", "ZeroDivisionError"),
    "a warning": ("np.log(np.zeros(1))  # here\n", "RuntimeWarning: divide by zero"),
    "an exit": ("sys.exit(3)  # here\n", "the module raises SystemExit: 3"),
    "ten megabytes": ("while True:\n    print('x' * 999)  # here\n", "prints more than 64 KB"),
    "an error of nothing": ("print('1 ± 0.00')  # here\n", "“± 0.00” has no digit"),
    "a draw, torch": ("x = torch.rand(2)  # here\n", "torch.rand() draws from a generator that"),
    "a draw, NumPy": ("x = np.random.rand()  # here\n", "np.random.rand() draws from"),
    "a draw, in place": ("x = torch.ones(1).normal_()  # here\n", "draws from"),
    "no figure": ("def plot_a():  # here\n    return 1\n", "plot_a() returns int 1, not a Figure"),
    "a wide figure": (
        "def plot_a():  # here\n    fig = plt.figure(figsize=(7, 3))\n"
        "    fig.add_subplot().plot([1])\n    return fig\n",
        "figure wave-a is 7 inches wide",
    ),
    "an empty figure": ("def plot_a():  # here\n    return plt.figure()\n", "wave-a is empty"),
    "empty axes": ("def plot_a():  # here\n    return plt.subplots()[0]\n", "axes without data"),
    "only NaN": (
        "def plot_a():  # here\n    fig, ax = plt.subplots()\n"
        "    ax.plot([np.nan, np.inf])\n    return fig\n",
        "draws data none of which is finite",
    ),
    "NaN in an image": (
        "def plot_a():  # here\n    fig, ax = plt.subplots()\n"
        "    ax.imshow(np.full((2, 2), np.nan))\n    return fig\n",
        "draws data none of which is finite",
    ),
    "no label": (FIGURE.format("ax.set_title('not there')  # here"), 'add `"not there" = "…"`'),
    "no template": (FIGURE.format("ax.set_title(f'n of {SEED}')  # here"), 'add `"n of {}" = "…"`'),
    "mathtext": (FIGURE.format(r"ax.set_title(r'$\sigma$')  # here"), "has mathtext in its label"),
    "a long label": (FIGURE.format("ax.set_title('long')  # here"), "off at the edge"),
    "no glyph": (
        FIGURE.format(r"ax.set_title('\U0001d6d4')").replace(":", ":  # here", 1),
        "Glyph",
    ),
    "a heavy figure": (
        "def plot_a():  # here\n    fig, ax = plt.subplots()\n"
        "    ax.pcolormesh(np.random.default_rng(0).random((90, 90)))\n    return fig\n",
        "KB gzipped; at most 30 KB may be",
    ),
    "stderr": ("sys.stderr.write('x')\n", "writes to stderr: x"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_mistake_in_a_module(project: Project, case: str) -> None:
    body, message = BROKEN[case]
    (found,) = run(project, HEAD + body).problems
    rows = (HEAD + body).split("\n")
    lines = [n for n, row in enumerate(rows, 1) if row.endswith("# here")] or [1]
    assert (found.file, found.line) == ("src/x0/area/wave.py", lines[0])
    assert message in str(found)
    assert found.remedy


def test_all_problems_of_one_module_are_reported(project: Project) -> None:
    body = "def plot_a():\n    raise ValueError\ndef plot_b():\n    return 1\nprint(1 / 0)\n"
    assert [problem.line for problem in run(project, HEAD + body).problems] == [10, 7, 8]


# --- labs


def test_a_lab_is_run_cell_by_cell(project: Project) -> None:
    found = run(project, LAB, "labs/wave_lab.py")
    assert not found.problems
    assert found.outputs == ["one\n", "two\n", ""]
    assert found.values == {"mean": 0.5}
    assert ">第 2 层<" in found.figures["wave-lab-draws"]["zh"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('print("one")', "1 / 0", "code cell 1 raises ZeroDivisionError"),
        ('print("one")', "mean", "code cell 1 ends in an expression"),
        ("assert mean < 1", "assert mean > 1", "code cell 3 raises AssertionError"),
        ("plt.show()", "plt.show(); plt.plot([1]); plt.show()", "no Markdown cell below names"),
        ("plt.show()", "plt.close()", "no cell shows the figure wave-lab-draws"),
        ("plt.legend()", "plt.title('no label')", "no Chinese text for its label"),
        ("plt.legend()", "plt.title('\U0001d6d4')", "drawing wave-lab-draws raises UserWarning"),
    ],
)
def test_a_mistake_in_a_lab(project: Project, old: str, new: str, message: str) -> None:
    text = LAB.replace(old, new)
    (found,) = run(project, text, "labs/wave_lab.py").problems
    assert message in found.message
    assert found.line >= 7


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("# %% [markdown] lang", "import this\n# %% [markdown] lang", 1),
        ("[markdown] lang=", "[markdown] tongue=", 1),
        ("# # 波 {#wave-lab}\n", "# # 波 {#wave-lab}\nprint()\n", 3),
    ],
)
def test_a_lab_of_a_wrong_form(project: Project, old: str, new: str, line: int) -> None:
    write(project, "labs/wave_lab.py", LAB.replace(old, new, 1))
    with pytest.raises(BuildError) as caught:
        lab.read(project)
    assert caught.value.problems[0].line == line


def test_the_text_of_a_lab_is_not_executed(project: Project) -> None:
    path = write(project, "labs/wave_lab.py", LAB)
    assert not execute(project, progress=False)["wave_lab"].cached
    path.write_text(LAB.replace("# # Wave", "#\n# # Waves"), encoding="utf-8")
    assert list(load(project)) == ["wave_lab"]
    path.write_text(LAB.replace("mean < 1", "mean < 2"), encoding="utf-8")
    assert not load(project)
    assert list(load(project, stale=True)) == ["wave_lab"]
