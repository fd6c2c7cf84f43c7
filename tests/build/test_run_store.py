"""What is kept, what runs again, and what a broken store or a runaway module does."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from x0_build.data import cache
from x0_build.data.labels import Labels, MissingLabelError
from x0_build.project import BuildError, Project
from x0_build.run import execute, load, pool, store
from x0_build.run.job import Job, Outcome

LABELS = 'keep = ["ReLU"]\n"layer" = "层"\n"unused" = "未用"\n"layer {}" = "第 {} 层"\n'
RAN: list[str] = []


def stand_in(jobs: list[Job], _: int | None = None) -> Iterator[tuple[Job, Outcome]]:
    """Say that the jobs ran: their numbers are a store's concern only."""
    for job in jobs:
        RAN.append(job.module.stem)
        labels = {"layer 3": job.labels.translate("layer 3")} if "wave" in job.source else {}
        key = "wave-b-a" if "another" in job.source else f"{job.module.stem.replace('_', '-')}-a"
        drawn = {key: {"zh": "<svg>层</svg>", "en": "<svg/>"}} if labels else {}
        yield job, Outcome([job.source], {"SEED": 3, "x": {0.9: (1, 2)}}, drawn, labels)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setattr(pool, "run", stand_in)
    monkeypatch.setattr(pool, "capability", lambda: "some")
    project = Project(tmp_path)
    for name, text in {"first/wave": "wave", "second/plain": "plain"}.items():
        write(project, name, text)
    (tmp_path / "snippets").mkdir()
    (tmp_path / "snippets" / "labels.toml").write_text(LABELS, encoding="utf-8")
    assert ran(project) == ["plain", "wave"]
    return project


def write(project: Project, name: str, text: str) -> Path:
    path = project.src / "x0" / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def ran(project: Project) -> list[str]:
    RAN.clear()
    found = execute(project, progress=False)
    assert load(project).keys() == found.keys()
    assert [x.module.stem for x in found.values() if not x.cached] == sorted(RAN, reverse=True)
    return sorted(RAN)


def relabel(project: Project, old: str, new: str) -> None:
    path = project.snippets / "labels.toml"
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")


def stored(project: Project) -> Path:
    return project.build / "run" / "first" / "wave.txt"


# --- what is kept


def test_what_is_stored_comes_back(project: Project) -> None:
    found = load(project)
    assert list(found) == ["wave", "plain"]
    wave = found["wave"]
    assert (wave.output, wave.outputs, wave.seeds) == ("wave", ("wave",), {"SEED": 3})
    assert wave.values == {"SEED": 3, "x": {0.9: (1, 2)}}
    assert wave.figure("wave-a", "zh") == "<svg>层</svg>"
    assert set(wave.versions) == {"python", "numpy", "torch", "matplotlib", "scikit-learn"}


def test_unchanged_runs_and_writes_nothing(project: Project) -> None:
    before = {path: path.stat().st_mtime_ns for path in project.build.rglob("*")}
    assert ran(project) == []
    assert {path: path.stat().st_mtime_ns for path in project.build.rglob("*")} == before


def test_only_what_changed_runs(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    write(project, "second/plain", "plainer")
    assert ran(project) == ["plain"]
    relabel(project, "未用", "没有用到")
    assert ran(project) == []
    relabel(project, "第 {} 层", "层 {}")
    assert ran(project) == ["wave"]
    monkeypatch.setattr(store, "_code", lambda: "changed")
    assert ran(project) == ["plain", "wave"]
    (project.src / "x0/second/plain.py").unlink()
    assert ran(project) == []
    assert not (project.build / "run/second/plain.txt").exists()


def test_only_the_modules_asked_for_run(project: Project) -> None:
    for name in ("first/wave", "second/plain"):
        write(project, name, "new")
    RAN.clear()
    assert list(execute(project, progress=False, stems=["plain"])) == ["plain"]
    assert RAN == ["plain"]


def test_stems_and_keys_are_unique(project: Project) -> None:
    other = write(project, "second/wave", "wave")
    with pytest.raises(BuildError, match=r"second/wave.py:1: stem “wave” is also that of"):
        execute(project, progress=False)
    other.rename(other.with_name("wave_b.py"))
    write(project, "first/wave", "wave, drawing the key of another")
    with pytest.raises(BuildError, match=r"wave_b.py:1: figure wave-b-a is also drawn by"):
        execute(project, progress=False)


# --- a broken store


@pytest.mark.parametrize(
    "broken",
    [
        lambda data: b"",
        lambda data: data[: len(data) // 2],
        lambda data: data.replace(b"wave", b"wavy", 1),
        lambda data: b"\xff\0" + data,
        lambda data: data.partition(b"\n")[2],
        lambda data: None,
    ],
    ids=["empty", "truncated", "flipped", "garbage", "no hash", "lost"],
)
def test_what_does_not_fit_is_made_again(project: Project, broken: object) -> None:
    path = stored(project)
    good = path.read_bytes()
    data = broken(good)  # type: ignore[operator]
    path.unlink()
    if data is not None:
        path.write_bytes(data)
    assert list(load(project)) == ["plain"]
    assert ran(project) == ["wave"]
    assert path.read_bytes() == good


def test_a_result_of_another_version_is_made_again(project: Project) -> None:
    result, fingerprint = store.Store(project).read(load(project)["wave"].module) or (None, "")
    assert result
    store.Store(project).write(result, fingerprint[::-1])
    assert ran(project) == ["wave"]


def test_broken_notes_are_written_anew(project: Project) -> None:
    (project.build / "run" / "machine.json").write_text('{"half', encoding="utf-8")
    write(project, "second/plain", "plainer")
    assert ran(project) == ["plain"]


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_disk_that_refuses(project: Project, monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(cache, "write", refuse)
    assert ran(project) == []  # what is there can be read
    write(project, "second/plain", "plainer")
    with pytest.raises(BuildError) as caught:
        execute(project, progress=False)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == ("build/run", 0)
    assert os.strerror(code) in problem.message
    assert "make room" in problem.remedy


def test_of_two_builds_at_once_one_runs_what_changed(project: Project) -> None:
    write(project, "second/plain", "plainer")
    RAN.clear()
    threads = [threading.Thread(target=execute, args=(project,)) for _ in range(2)]
    with store.Store(project).locked():
        for thread in threads:
            thread.start()
        time.sleep(0.2)
        assert RAN == []
    for thread in threads:
        thread.join()
    assert RAN == ["plain"]


# --- labels


def test_translation(project: Project) -> None:
    labels = Labels.read(project)
    assert labels.translate("layer 10") == "第 10 层"
    for same in ("ReLU", "10⁻³", "σw² = 1", "n = 256", "q", "10 px", "", "ηλ", "1 ms"):
        assert labels.translate(same) == same
    for missing in ("ReLUs", "layers", "a depth", "layer of", "ms"):
        with pytest.raises(MissingLabelError):
            labels.translate(missing)


@pytest.mark.parametrize(
    ("addition", "line", "message"),
    [
        ('"layer" = "层"\n', 5, "is no TOML"),
        ('"step {}" = "步"\n', 5, "different numbers of {}"),
        ('"step" = ""\n', 5, "“step” is empty"),
        ('[table]\n"step" = "步"\n', 5, "“table” is not a text"),
    ],
)
def test_labels_file_is_checked(project: Project, addition: str, line: int, message: str) -> None:
    path = project.snippets / "labels.toml"
    path.write_text(LABELS + addition, encoding="utf-8")
    with pytest.raises(BuildError) as caught:
        execute(project, progress=False)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == ("snippets/labels.toml", line)
    assert message in problem.message


# --- the pool

RUNAWAYS = {
    "dies": "import os\nos._exit(7)\n",
    "hangs": "import os, time\nif not os.fork():\n"
    "    open(__file__ + '.pid', 'w').write(str(os.getpid()))\n    time.sleep(99)\n"
    "while True:\n    pass\n",
    "eats": "import numpy\nnumpy.ones(2**40)\n",
    "forks": "import os, time\nif os.fork():\n    print('once')\nelse:\n    time.sleep(0.1)\n",
    "good": "import os, sys\nprint(os.environ['OMP_NUM_THREADS'], hash('a'))\n",
}


def test_a_module_that_dies_hangs_or_forks_fails_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pool, "SECONDS", 8)
    project = Project(tmp_path)
    for stem, text in RUNAWAYS.items():
        write(project, f"area/{stem}", text)
    with pytest.raises(BuildError) as caught:
        execute(project, jobs=2)
    found = {problem.file: problem for problem in caught.value.problems}
    assert {Path(file).stem for file in found} == {"dies", "eats", "hangs"}
    assert "died (exit code 7)" in found["src/x0/area/dies.py"].message
    assert "runs for more than 8 s" in found["src/x0/area/hangs.py"].message
    assert "Unable to allocate" in found["src/x0/area/eats.py"].message
    assert found["src/x0/area/eats.py"].line == 2
    assert load(project)["forks"].output == "once\n"
    assert load(project)["good"].output.split()[0] == "1"
    child = (project.src / "x0/area/hangs.py.pid").read_text(encoding="ascii")
    command = ["ps", "-o", "stat=", "-p", child]
    for _ in range(50):  # the signal may be on its way
        left = subprocess.run(command, capture_output=True, text=True, check=False).stdout
        if not left.strip("Z+s \n"):
            break
        time.sleep(0.1)
    assert not left.strip("Z+s \n"), "its child lives on"
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "Modules: 5 to run, 0 unchanged."
    assert sorted(line.split()[0] for line in lines[1:]) == [*3 * ["failed"], *2 * ["ran"]]
    program = (
        "import sys\nfrom pathlib import Path\nfrom x0_build.project import Project\n"
        "from x0_build.run import execute\n"
        f"execute(Project(Path({str(tmp_path)!r})), stems=['good', 'forks'])\n"
        "assert not {'torch', 'matplotlib', 'numpy', 'lxml', 'pebble'} & set(sys.modules)\n"
    )
    here = str(Path(pool.__file__).parents[2])
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONPATH": here},
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "Modules: 2 unchanged.\n"), done.stderr
