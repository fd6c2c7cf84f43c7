"""Execution: run the snippet modules that changed, once for both languages, and keep the results.

Nothing here imports PyTorch or Matplotlib: when nothing changed, knowing so takes milliseconds.
"""

from __future__ import annotations

import ast
import contextlib
import hashlib
import json
import multiprocessing
import os
import platform
import shutil
import sys
import time
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

from x0_build import worker
from x0_build.labels import Labels, MissingLabelError
from x0_build.paths import LANGUAGES, Project
from x0_build.problems import BuildError, Problem
from x0_build.worker import Value

LIBRARIES = ("numpy", "torch", "matplotlib", "scikit-learn")
# What decides how a module is run and drawn: part of every fingerprint.
CODE = ("execute.py", "worker.py", "figures.py", "labels.py", "x0.mplstyle")


@dataclass(frozen=True)
class Module:
    """A snippet module."""

    stem: str  # "he_depth"
    area: str  # "initialization"
    path: Path  # src/x0/initialization/he_depth.py


@dataclass(frozen=True)
class Result:
    """What the last good run of a module gave."""

    module: Module
    output: str
    values: dict[str, Value]
    figures: list[str]  # keys such as "he-depth-moments", in source order
    seconds: float
    cached: bool
    seeds: dict[str, int | list[int]]
    versions: dict[str, str]


def modules(project: Project) -> list[Module]:
    """Return every snippet module, sorted by area and stem.

    Raises:
        BuildError: Two modules have the same stem.
    """
    found = [
        Module(path.stem, path.parent.name, path)
        for path in sorted((project.src / "x0").glob("*/*.py"))
        if path.parent.name != "labs" and path.name != "__init__.py"
    ]
    first: dict[str, Module] = {}
    problems = [
        Problem(
            project.relative(module.path),
            1,
            f"Stem “{module.stem}” is also that of {project.relative(other.path)}.",
            "Rename one of them, with its test, pages, equations and labels.",
        )
        for module in found
        if (other := first.setdefault(module.stem, module)) is not module
    ]
    if problems:
        raise BuildError(problems)
    return found


def load(project: Project) -> dict[str, Result]:
    """Return by stem what the last execution stored, without executing anything."""
    times = _read_json(_run(project) / "times.json")
    stored = {}
    for module in modules(project):
        if (_folder(project, module) / "meta.json").is_file():
            stored[module.stem] = _load(project, module, times, cached=True)
    return stored


def execute(
    project: Project, *, progress: bool = True, jobs: int | None = None
) -> dict[str, Result]:
    """Run the modules that changed and return all results by stem.

    Args:
        project: Where the modules are; results go to its build/run.
        progress: Show what runs, and a table at the end.
        jobs: How many modules run at once; by default one per core.

    Raises:
        BuildError: Everything that went wrong. Modules without a problem are stored all the
            same; one with a problem keeps its former results and runs again next time.
    """
    found = modules(project)
    labels = Labels.read(project)
    with _locked(project):
        _remove_vanished(project, found)
        times: dict[str, float] = _read_json(_run(project) / "times.json")
        environment = _environment(project)
        stale = [m for m in found if not _fresh(project, m, labels, environment)]
        # The longest first, so that no core idles at the end; what is new may take long.
        stale.sort(key=lambda module: -times.get(module.stem, float("inf")))
        show = _display(progress, len(found), stale)
        problems: list[Problem] = []
        with show:
            for module, source, outcome in _run_all(project, stale, labels, jobs, show.started):
                problems += outcome.problems
                if outcome.problems:
                    (_folder(project, module) / "fingerprint").unlink(missing_ok=True)
                else:
                    times[module.stem] = round(outcome.seconds, 3)
                    _store(project, module, source, outcome, environment)
                show.finished(module.stem, outcome.seconds, failed=bool(outcome.problems))
        if stale:
            stems = {module.stem for module in found}
            kept = {stem: times[stem] for stem in sorted(times) if stem in stems}
            _write(_run(project) / "times.json", _json(kept))
    ran = {module.stem for module in stale}
    results = {
        module.stem: _load(project, module, times, cached=module.stem not in ran)
        for module in found
        if (_folder(project, module) / "meta.json").is_file()
    }
    problems += _shared_keys(project, results)
    if problems:
        raise BuildError(problems)
    show.table(results)
    return results


# --- what is stored


def _run(project: Project) -> Path:
    return project.build / "run"


def _folder(project: Project, module: Module) -> Path:
    return _run(project) / module.area / module.stem


def _load(project: Project, module: Module, times: dict[str, float], *, cached: bool) -> Result:
    folder = _folder(project, module)
    meta = _read_json(folder / "meta.json")
    values = _read_json(folder / "values.json")
    return Result(
        module=module,
        output=(folder / "output.txt").read_text(encoding="utf-8"),
        values={name: tuple(v) if isinstance(v, list) else v for name, v in values.items()},
        figures=meta["figures"],
        seconds=times.get(module.stem, 0.0),
        cached=cached,
        seeds=meta["seeds"],
        versions=meta["versions"],
    )


def _store(
    project: Project,
    module: Module,
    source: str,
    outcome: worker.Outcome,
    environment: dict[str, str],
) -> None:
    folder = _folder(project, module)
    files = {
        "output.txt": outcome.output,
        "values.json": _json(outcome.values),
        "meta.json": _json(
            {
                "figures": list(outcome.figures),
                "seeds": _seeds(source),
                "versions": {name: environment[name] for name in ("python", *LIBRARIES)},
                "labels": outcome.labels,
            }
        ),
    }
    for key, drawn in outcome.figures.items():
        files |= {f"figures/{key}.{language}.svg": svg for language, svg in drawn.items()}
    fingerprint = folder / "fingerprint"
    text = _fingerprint(source, environment, outcome.labels) + "\n"
    if not fingerprint.is_file() or fingerprint.read_text(encoding="utf-8") != text:
        fingerprint.unlink(missing_ok=True)  # an interruption from here on runs the module again
    for old in folder.glob("figures/*"):
        if old.relative_to(folder).as_posix() not in files:
            old.unlink()
    for name, content in files.items():
        _write(folder / name, content)
    _write(fingerprint, text)


def _seeds(source: str) -> dict[str, Any]:
    """Read the constants SEED and SEEDS of a module."""
    seeds: dict[str, Any] = {}
    for node in ast.parse(source).body:
        match node:
            case (
                ast.Assign(targets=[ast.Name(id="SEED" | "SEEDS" as name)], value=value)
                | ast.AnnAssign(target=ast.Name(id="SEED" | "SEEDS" as name), value=value)
            ):
                match value:
                    case ast.Call(func=ast.Name(id="range"), args=bounds):
                        seeds[name] = list(range(*map(ast.literal_eval, bounds)))
                    case ast.expr():
                        seeds[name] = ast.literal_eval(value)
    return seeds


def _write(path: Path, content: str) -> None:
    """Write only what changed (a watcher must not wake for nothing), whole or not at all."""
    data = content.encode()
    if path.is_file() and path.read_bytes() == data:
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(path.name + ".new")
    temporary.write_bytes(data)
    os.replace(temporary, path)


def _json(content: object) -> str:
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def _read_json(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8"))) if path.is_file() else {}


def _remove_vanished(project: Project, found: list[Module]) -> None:
    folders = {_folder(project, module) for module in found}
    for path in _run(project).glob("*/*/"):
        if path.is_dir() and path not in folders:
            shutil.rmtree(path)
    for area in _run(project).glob("*/"):
        if area.is_dir() and not any(area.iterdir()):
            area.rmdir()


def _shared_keys(project: Project, results: dict[str, Result]) -> list[Problem]:
    """Find keys that two modules give: `xavier.plot_depth_gain`, `xavier_depth.plot_gain`."""
    owners: dict[str, Module] = {}
    return [
        Problem(
            project.relative(result.module.path),
            1,
            f"Figure {key} is also drawn by {project.relative(other.path)}.",
            "Rename one of the two plot functions.",
        )
        for result in results.values()
        for key in result.figures
        if (other := owners.setdefault(key, result.module)) is not result.module
    ]


@contextlib.contextmanager
def _locked(project: Project) -> Iterator[None]:
    """Let the second of two builds wait: then it finds everything done."""
    import fcntl

    _run(project).mkdir(parents=True, exist_ok=True)
    with (_run(project) / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


# --- what changed


def _fresh(project: Project, module: Module, labels: Labels, environment: dict[str, str]) -> bool:
    """Say whether the stored results are those that running the module now would give."""
    folder = _folder(project, module)
    stored = folder / "fingerprint"
    if not stored.is_file():
        return False
    try:
        meta = _read_json(folder / "meta.json")
        # The texts that the figures contained, as today's labels translate them.
        now = {text: labels.translate(text) for text in meta["labels"]}
    except (MissingLabelError, ValueError, KeyError):
        return False
    figures = [f"figures/{key}.{language}.svg" for key in meta["figures"] for language in LANGUAGES]
    source = module.path.read_text(encoding="utf-8")
    return stored.read_text(encoding="utf-8").strip() == _fingerprint(
        source, environment, now
    ) and all((folder / name).is_file() for name in ("output.txt", "values.json", *figures))


def _fingerprint(source: str, environment: dict[str, str], labels: dict[str, str]) -> str:
    content = json.dumps([source, environment, sorted(labels.items())])
    return hashlib.sha256(content.encode()).hexdigest()


@cache
def _code() -> str:
    """Return a hash of the code and the style that run and draw a module."""
    here = Path(__file__).parent
    return hashlib.sha256(b"\0".join((here / name).read_bytes() for name in CODE)).hexdigest()


def _environment(project: Project) -> dict[str, str]:
    """Return everything but the module and its labels that results depend on."""
    versions = {name: metadata.version(name) for name in LIBRARIES}
    return {
        "python": platform.python_version(),
        **versions,
        "architecture": platform.machine(),
        "capability": _capability(project, versions["torch"]),
        "code": _code(),
    }


def _capability(project: Project, torch: str) -> str:
    """Return PyTorch's CPU capability; a worker finds it once per machine."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as file:
            processor = next((line for line in file if line.startswith(("flags", "Features"))), "")
    except OSError:
        processor = platform.processor()
    known = [torch, processor, os.environ.get("ATEN_CPU_CAPABILITY", "")]
    key = hashlib.sha256(json.dumps(known).encode()).hexdigest()
    path = _run(project) / "machine.json"
    stored = _read_json(path)
    if stored.get("key") != key:
        process, connection = _start(worker.capability)
        with connection:
            stored = {"key": key, "capability": connection.recv()}
        process.join()
        _write(path, _json(stored))
    return str(stored["capability"])


# --- running


def _run_all(
    project: Project,
    stale: list[Module],
    labels: Labels,
    jobs: int | None,
    started: Callable[[str], None],
) -> Iterator[tuple[Module, str, worker.Outcome]]:
    """Run modules, each in its own process; yield module, source and outcome as they end."""
    jobs = jobs or (
        len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    )
    waiting = list(reversed(stale))
    running: dict[Connection, tuple[BaseProcess, Module, str, float]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                module = waiting.pop()
                source = module.path.read_text(encoding="utf-8")
                job = worker.Job(
                    stem=module.stem,
                    name=f"x0.{module.area}.{module.stem}",
                    path=module.path,
                    file=project.relative(module.path),
                    source=source,
                    src=project.src.resolve(),
                    labels=labels,
                )
                started(module.stem)
                process, connection = _start(worker.run, job)
                running[connection] = process, module, source, time.perf_counter()
            for ready in wait(list(running)):
                assert isinstance(ready, Connection)
                process, module, source, since = running.pop(ready)
                try:
                    outcome = ready.recv()
                except EOFError:
                    outcome = None
                ready.close()
                process.join()
                if outcome is None:
                    outcome = worker.Outcome(seconds=time.perf_counter() - since)
                    outcome.problems.append(
                        Problem(
                            project.relative(module.path),
                            1,
                            f"Its process died (exit code {process.exitcode}).",
                            "Look above for its last words; a negative code is a signal: "
                            "-9 is often too little memory.",
                        )
                    )
                yield module, source, outcome
    finally:
        for process, *_ in running.values():
            process.terminate()


def _start(target: Callable[..., None], *arguments: object) -> tuple[BaseProcess, Connection]:
    """Start a process from the fork server, which has imported the libraries once.

    Forking from a server that never computed anything is safe where forking this process might
    not be (macOS, threads).
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(
        ["torch", "sklearn.datasets", "matplotlib.pyplot", "x0_build.figures"]
    )
    mine, its = context.Pipe(duplex=False)
    process = context.Process(target=target, args=(*arguments, its), daemon=True)
    with _server_surroundings():
        process.start()
    its.close()
    return process, mine


@contextlib.contextmanager
def _server_surroundings() -> Iterator[None]:
    """Set what the fork server and its children inherit when they start."""
    one = dict.fromkeys(
        ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "VECLIB_MAXIMUM_THREADS"),
        "1",  # results must not depend on the number of cores
    )
    path = os.pathsep.join(filter(None, [str(Path(__file__).parents[1]), os.getenv("PYTHONPATH")]))
    wanted = {
        **one,
        "PYTHONHASHSEED": "0",
        "MPLBACKEND": "Agg",
        "PYTHONPATH": path,  # the server does not get sys.path
        "PYTHONDONTWRITEBYTECODE": "1",
        "OBJC_DISABLE_INITIALIZE_FORK_SAFETY": "YES",  # macOS: a fork without exec is meant
    }
    before = {name: os.environ.get(name) for name in wanted}
    main = sys.modules["__main__"]
    os.environ.update(wanted)
    # Otherwise each child imports the calling program (mkdocs, pytest) once more.
    sys.modules["__main__"] = types.ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


# --- what people see


class _Silent:
    """No display, and what the displays have in common."""

    def __enter__(self) -> _Silent:
        return self

    def __exit__(self, *_: object) -> None: ...

    def started(self, stem: str) -> None:
        """Say that a module runs."""

    def finished(self, stem: str, seconds: float, *, failed: bool) -> None:
        """Say that a module ended."""

    def table(self, results: dict[str, Result]) -> None:
        """Say at the end what ran, how long it took and what was kept."""


class _Unchanged(_Silent):
    """Nothing runs: one line, without importing rich."""

    def __init__(self, total: int) -> None:
        self.total = total

    def table(self, results: dict[str, Result]) -> None:
        print(f"Snippets: {self.total} unchanged, none to run.")


class _Shown(_Silent):
    """A progress bar on a terminal, plain lines elsewhere."""

    def __init__(self, total: int, stale: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self.console = Console(highlight=False)
        self.console.print(f"Snippets: {stale} to run, {total - stale} unchanged.")
        self.running: list[str] = []
        self.bar = Progress(
            SpinnerColumn(),
            TextColumn("{task.completed}/{task.total}"),
            BarColumn(20),
            TimeElapsedColumn(),
            TextColumn("{task.description}"),
            console=self.console,
            disable=not self.console.is_terminal,
            transient=True,
        )
        self.task = self.bar.add_task("importing PyTorch, Matplotlib", total=stale)

    def __enter__(self) -> _Shown:
        self.bar.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.bar.stop()

    def started(self, stem: str) -> None:
        self.running.append(stem)
        self.bar.update(self.task, description=", ".join(self.running))

    def finished(self, stem: str, seconds: float, *, failed: bool) -> None:
        self.running.remove(stem)
        self.bar.update(self.task, advance=1, description=", ".join(self.running))
        self.console.print(f"  {'failed' if failed else 'ran   '} {stem} ({seconds:.1f} s)")

    def table(self, results: dict[str, Result]) -> None:
        from rich.table import Table

        table = Table("module", "", box=None, pad_edge=False)
        table.add_column("seconds", justify="right")
        for stem, result in results.items():
            kept = "cached" if result.cached else "ran"
            table.add_row(stem, kept, f"{result.seconds:.1f}", style="dim" if result.cached else "")
        self.console.print(table)


def _display(progress: bool, total: int, stale: list[Module]) -> _Silent:
    if not progress:
        return _Silent()
    return _Shown(total, len(stale)) if stale else _Unchanged(total)
