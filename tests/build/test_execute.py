"""Execution: what runs again, what is kept, and what stops the build where."""

from __future__ import annotations

import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

from x0_build import execute as execution
from x0_build.execute import Result, execute, load, modules
from x0_build.labels import Labels
from x0_build.paths import Project
from x0_build.problems import BuildError, Problem

LABELS = """\
[keep]
names = ["ReLU"]
[common]
"layer" = "层"
"unused" = "未用"
"layer {}" = "第 {} 层"
"""

WAVE = '''\
"""A wave."""

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure

SEED = 3


def demo() -> dict[str, float | tuple[float, float]]:
    rng = np.random.default_rng(SEED)
    draws = rng.normal(size=100)
    print(f"mean {draws.mean():.1f}")
    return {"mean": float(draws.mean()), "pair": (0.1, 0.2), "count": 100}


def plot_up() -> Figure:
    fig, ax = plt.subplots()
    ax.semilogy([1, 2, 3], [1e-3, 1e-2, 0.1], label=f"layer {SEED}")
    ax.set(xlabel="layer", title="ReLU")
    ax.legend()
    return fig


def plot_to_the_side() -> Figure:
    fig, ax = plt.subplots()
    ax.plot([1, 2])
    return fig
'''

PLAIN = """\
SEEDS = (1, 2)


def demo() -> dict[str, float]:
    print("plain")
    return {"one": 1.0}
"""


def write(project: Project, name: str, source: str) -> Path:
    path = project.src / "x0" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(source, encoding="utf-8")
    return path


@pytest.fixture
def empty(tmp_path: Path) -> Project:
    (tmp_path / "snippets").mkdir()
    (tmp_path / "src" / "x0").mkdir(parents=True)
    (tmp_path / "snippets" / "labels.toml").write_text(LABELS, encoding="utf-8")
    return Project(tmp_path)


@pytest.fixture(scope="module")
def ready(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project of two modules whose results are up to date; tests copy it."""
    root = tmp_path_factory.mktemp("ready")
    project = Project(root)
    (root / "snippets").mkdir()
    (root / "snippets" / "labels.toml").write_text(LABELS, encoding="utf-8")
    write(project, "first/wave.py", WAVE)
    write(project, "second/plain.py", PLAIN)
    write(project, "second/__init__.py", "")
    write(project, "labs/lab.py", "raise SystemExit")
    execute(project, progress=False)
    return root


@pytest.fixture
def project(ready: Path, tmp_path: Path) -> Project:
    copy = Project(tmp_path / "copy")
    shutil.copytree(ready, copy.root)
    return copy


def ran(results: dict[str, Result]) -> list[str]:
    return sorted(stem for stem, result in results.items() if not result.cached)


def relabel(project: Project, old: str, new: str) -> None:
    path = project.snippets / "labels.toml"
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def tree(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != "times.json"
    }


def problems_of(project: Project) -> list[Problem]:
    with pytest.raises(BuildError) as caught:
        execute(project, progress=False)
    return caught.value.problems


# --- what is stored


def test_results(project: Project) -> None:
    results = load(project)
    assert list(results) == ["wave", "plain"]
    wave = results["wave"]
    assert wave.output == "mean -0.1\n"
    assert wave.values["pair"] == (0.1, 0.2)
    assert wave.values["count"] == 100.0
    assert wave.figures == ["wave-up", "wave-to-the-side"]
    assert wave.seeds == {"SEED": 3}
    assert wave.seconds > 0
    assert set(wave.versions) == {"python", "numpy", "torch", "matplotlib", "scikit-learn"}
    assert results["plain"].seeds == {"SEEDS": [1, 2]}
    stored = {name for name in tree(project.build / "run") if name.startswith("first/")}
    assert stored == {
        "first/wave/" + name
        for name in (
            "fingerprint",
            "meta.json",
            "output.txt",
            "values.json",
            "figures/wave-up.en.svg",
            "figures/wave-up.zh.svg",
            "figures/wave-to-the-side.en.svg",
            "figures/wave-to-the-side.zh.svg",
        )
    }


def test_both_languages(project: Project) -> None:
    figures = project.build / "run" / "first" / "wave" / "figures"
    english = (figures / "wave-up.en.svg").read_text(encoding="utf-8")
    chinese = (figures / "wave-up.zh.svg").read_text(encoding="utf-8")
    for text in (">layer 3<", ">layer<", ">ReLU<", ">10⁻³<"):
        assert text in english
    for text in (">第 3 层<", ">层<", ">ReLU<", ">10⁻³<"):
        assert text in chinese
    assert "layer" not in chinese
    assert "层" not in english


def test_seeds_of_ranges_and_annotated_constants() -> None:
    assert execution._seeds("SEED: int = 5\nSEEDS = range(3)\nOTHER = 1") == {
        "SEED": 5,
        "SEEDS": [0, 1, 2],
    }


# --- what runs again


def test_unchanged_runs_nothing_and_imports_nothing(project: Project) -> None:
    before = {path: path.stat().st_mtime_ns for path in (project.build / "run").rglob("*")}
    program = (
        "import sys\nfrom pathlib import Path\nfrom x0_build.execute import execute\n"
        "from x0_build.paths import Project\n"
        f"results = execute(Project(Path({str(project.root)!r})))\n"
        "assert all(result.cached for result in results.values())\n"
        "assert not {'torch', 'matplotlib', 'numpy', 'rich'} & set(sys.modules)\n"
    )
    src = str(Path(execution.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": src, "PATH": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "Snippets: 2 unchanged, none to run.\n"
    after = {path: path.stat().st_mtime_ns for path in (project.build / "run").rglob("*")}
    lock = project.build / "run" / "lock"
    assert {**before, lock: 0} == {**after, lock: 0}


def test_checking_sixty_modules_is_fast(project: Project) -> None:
    run = project.build / "run"
    for n in range(60):  # as if they had run: the fingerprint holds no stem
        write(project, f"first/wave_{n}.py", WAVE)
        shutil.copytree(run / "first" / "wave", run / "first" / f"wave_{n}")
    labels = Labels.read(project)
    start = time.perf_counter()
    environment = execution._environment(project)
    assert all(execution._fresh(project, m, labels, environment) for m in modules(project))
    assert time.perf_counter() - start < 0.2  # 20 ms here when the machine is free


def test_changed_module_runs_alone(project: Project) -> None:
    path = write(project, "second/plain.py", PLAIN.replace('"plain"', '"other"'))
    results = execute(project, progress=False)
    assert ran(results) == ["plain"]
    assert results["plain"].output == "other\n"
    path.write_text(PLAIN + "\n", encoding="utf-8")
    assert ran(execute(project, progress=False)) == ["plain"]


def test_labels_run_only_modules_that_use_them(project: Project) -> None:
    relabel(project, "未用", "没有用到")
    assert ran(execute(project, progress=False)) == []
    relabel(project, "第 {} 层", "层 {}")
    assert ran(execute(project, progress=False)) == ["wave"]
    assert ran(execute(project, progress=False)) == []


def test_removed_label_stops_the_build_and_keeps_old_results(project: Project) -> None:
    before = load(project)["wave"]
    relabel(project, '"layer" = "层"\n', "")
    (problem,) = problems_of(project)
    line = next(n for n, text in enumerate(WAVE.splitlines(), 1) if 'xlabel="layer"' in text)
    assert (problem.file, problem.line) == ("src/x0/first/wave.py", line)
    assert "“layer”" in problem.message
    assert '"layer" = "…"' in problem.remedy
    assert "labels.toml" in problem.remedy
    assert load(project)["wave"] == before
    assert not (project.build / "run/first/wave/fingerprint").exists()


def test_code_of_the_build_layer_is_part_of_the_fingerprint(
    project: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execution, "_code", lambda: "changed")
    assert ran(execute(project, progress=False)) == ["plain", "wave"]


def test_lost_figure_is_drawn_again(project: Project) -> None:
    lost = project.build / "run/first/wave/figures/wave-up.zh.svg"
    content = lost.read_bytes()
    lost.unlink()
    assert ran(execute(project, progress=False)) == ["wave"]
    assert lost.read_bytes() == content


def test_vanished_module_and_figure_lose_their_files(project: Project) -> None:
    (project.src / "x0/second/plain.py").unlink()
    write(project, "first/wave.py", WAVE.replace("plot_to_the_side", "side"))
    results = execute(project, progress=False)
    assert list(results) == ["wave"]
    assert not (project.build / "run/second").exists()
    assert not list((project.build / "run").rglob("*side*"))


def test_two_clean_runs_give_the_same_bytes(project: Project, ready: Path) -> None:
    shutil.rmtree(project.build)
    execute(project, progress=False, jobs=1)
    assert tree(project.build) == tree(ready / "build")


def test_rerun_writes_only_changed_bytes(project: Project) -> None:
    figure = project.build / "run/first/wave/figures/wave-up.zh.svg"
    before = figure.stat().st_mtime_ns
    write(project, "first/wave.py", WAVE + "# A comment.\n")
    assert ran(execute(project, progress=False)) == ["wave"]
    assert figure.stat().st_mtime_ns == before


def test_progress_is_plain_text_without_a_terminal(
    project: Project, capfd: pytest.CaptureFixture[str]
) -> None:
    write(project, "second/plain.py", PLAIN + "\n")
    execute(project)
    lines = capfd.readouterr().out.splitlines()
    assert lines[0] == "Snippets: 1 to run, 1 unchanged."
    assert lines[1].startswith("  ran    plain (")
    table = [line.split()[:2] for line in lines[2:]]
    assert table == [["module", "seconds"], ["wave", "cached"], ["plain", "ran"]]


# --- what stops the build

HEAD = """\
import warnings
import matplotlib.pyplot as plt
import numpy as np
from matplotlib.figure import Figure
"""

# The line of each problem is the one that ends in "# here".
BROKEN = {
    "syntax": ("def demo()  # here\n", "Importing the module raises SyntaxError"),
    "imports_x0": ("import x0.area.good  # here\n", "ModuleNotFoundError"),
    "raises": (
        "def helper(depth):\n    return 1 / depth  # here\n\n\ndef demo():\n    return helper(0)\n",
        "demo() raises ZeroDivisionError: division by zero",
    ),
    "warns": (
        "def demo():\n    return {'x': float(np.log(np.zeros(1))[0])}  # here\n",
        "demo() raises RuntimeWarning: divide by zero encountered in log",
    ),
    "warns_itself": (
        "def plot_a():\n    warnings.warn('old')  # here\n",
        "plot_a() raises UserWarning: old",
    ),
    "infinite": (
        "def demo():\n    return {\n        'good': 1.0,\n"
        "        'bad': float('inf'),  # here\n    }\n",
        "demo() returns “bad” = inf, which is not finite",
    ),
    "infinite_pair": (
        "def demo():\n    return {'bad': (1.0, float('nan'))}  # here\n",
        "which is not finite",
    ),
    "no_dict": ("def demo():  # here\n    return [1.0]\n", "demo() returns list [1.0], not a dict"),
    "no_number": (
        "def demo():\n    return {'bad': np.ones(2)}  # here\n",
        "demo() returns ndarray array([1., 1.]) as “bad”",
    ),
    "boolean": ("def demo():\n    return {'yes': True}  # here\n", "demo() returns bool True"),
    "no_figure": (
        "def plot_a():  # here\n    return plt.subplots()\n",
        "plot_a() returns tuple",
    ),
    "wide": (
        "def plot_a():  # here\n    return plt.subplots(figsize=(7, 3))[0]\n",
        "plot_a() draws a figure 7 inches wide",
    ),
    "unlabeled": (
        "def plot_a():\n    fig, ax = plt.subplots()\n"
        "    ax.set_title('not there')  # here\n    return fig\n",
        "Figure unlabeled-a has no Chinese text for its label “not there”",
    ),
    "unlabeled_template": (
        "def plot_a():\n    fig, ax = plt.subplots()\n    for n in (2,):\n"
        "        ax.plot([1, n], label=f'rank {n}')  # here\n    ax.legend()\n    return fig\n",
        "Figure unlabeled-template-a has no Chinese text for its label “rank 2”",
    ),
    "unlabeled_data": (
        "def plot_a():  # here\n    fig, ax = plt.subplots()\n"
        "    ax.set_title('-'.join(['one', 'two']))\n    return fig\n",
        "label “one-two”",
    ),
    "mathtext": (
        "def plot_a():\n    fig, ax = plt.subplots()\n"
        "    ax.set_title(r'$\\sigma$')  # here\n    return fig\n",
        "Figure mathtext-a has mathtext in its label “$\\sigma$”",
    ),
    "no_glyph": (
        "def plot_a():  # here\n    fig, ax = plt.subplots()\n"
        "    ax.set_title('\\U0001d6d4')\n    return fig\n",
        "Drawing plot_a() raises UserWarning: Glyph",
    ),
    "heavy": (
        "def plot_a():  # here\n    fig, ax = plt.subplots()\n"
        "    ax.pcolormesh(np.random.default_rng(0).random((90, 90)))\n    return fig\n",
        "KB gzipped; at most 30 KB may be",
    ),
    "exits": ("import sys\nsys.exit(3)  # here\n", "Importing the module raises SystemExit: 3"),
}


def test_each_problem_has_its_file_line_and_remedy(empty: Project) -> None:
    expected = {}
    for stem, (body, message) in BROKEN.items():
        source = HEAD + body
        lines = [n for n, text in enumerate(source.splitlines(), 1) if text.endswith("# here")]
        assert len(lines) == 1, stem
        expected[f"src/x0/area/{stem}.py"] = lines[0], message
        write(empty, f"area/{stem}.py", source)
    write(empty, "area/dies.py", "import os\nos._exit(7)\n")
    expected["src/x0/area/dies.py"] = 1, "Its process died (exit code 7)"
    write(empty, "area/good.py", PLAIN)
    found = problems_of(empty)
    assert [problem.file for problem in found] == sorted(expected)
    for problem in found:
        line, message = expected[problem.file]
        assert problem.line == line, problem
        assert message in problem.message, problem
        assert problem.remedy.endswith((".", "memory."))
    assert list(load(empty)) == ["good"]  # the others' problems did not stop it


def test_all_problems_of_one_module_are_reported(empty: Project) -> None:
    write(
        empty,
        "area/two.py",
        HEAD + "def demo():\n    return {'a': None, 'b b': 1.0}\n"
        "def plot_a():\n    raise ValueError\ndef plot_b():\n    return 1\n",
    )
    assert [problem.line for problem in problems_of(empty)] == [6, 6, 8, 9]


def test_stem_and_figure_key_are_unique(empty: Project) -> None:
    write(empty, "area/plain.py", PLAIN)
    write(empty, "other/plain.py", PLAIN)
    (problem,) = problems_of(empty)
    assert problem.file == "src/x0/other/plain.py"
    assert "src/x0/area/plain.py" in problem.message
    (empty.src / "x0/other/plain.py").unlink()
    plot = HEAD + "def plot_{}():\n    return plt.figure()\n"
    write(empty, "area/wave.py", plot.format("depth_a"))
    write(empty, "area/wave_depth.py", plot.format("a"))
    (problem,) = problems_of(empty)
    assert problem.file == "src/x0/area/wave_depth.py"
    assert "wave-depth-a is also drawn by src/x0/area/wave.py" in problem.message


# --- labels


def test_translation(empty: Project) -> None:
    labels = Labels.read(empty)
    assert labels.translate("layer 10") == "第 10 层"
    for same in ("ReLU", "10⁻³", "σw² = 1", "n = 256", "q", "10 px", "", "ηλ", "1 ms"):
        assert labels.translate(same) == same
    for missing in ("ReLUs", "layers", "a depth", "layer of", "ms"):
        with pytest.raises(LookupError):
            labels.translate(missing)


@pytest.mark.parametrize(
    ("addition", "line", "message"),
    [
        ('[wave]\n"step" = "步"\n"layer" = "层数"\n', 9, "“layer” appears twice"),
        ('[wave]\n"layer" = "层"\n', 8, "“layer” appears twice"),
        ('"layer" = "层"\n', 7, "not valid TOML"),
        ('[wave]\n"step {}" = "步"\n', 8, "different numbers of {}"),
        ('[wave]\n"step" = ""\n', 8, "has no Chinese text"),
        ('[wave]\n"step" = \n', 8, "not valid TOML"),
    ],
)
def test_labels_file_is_checked(empty: Project, addition: str, line: int, message: str) -> None:
    path = empty.snippets / "labels.toml"
    path.write_text(LABELS + addition, encoding="utf-8")
    (problem,) = problems_of(empty)
    assert (problem.file, problem.line) == ("snippets/labels.toml", line)
    assert message in problem.message
