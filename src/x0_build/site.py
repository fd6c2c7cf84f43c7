"""Building both languages into one site, and serving it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

from x0_build import execute, labs
from x0_build.book import Book
from x0_build.checks import check
from x0_build.paths import Project
from x0_build.problems import BuildError, Problem

CONFIGS = {"zh": "mkdocs.yml", "en": "mkdocs.en.yml"}


def prepare(project: Project, *, progress: bool = True) -> list[Problem]:
    """Execute what changed, then check the sources; return what is wrong."""
    try:
        execute.execute(project, progress=progress)
        labs.execute(project, progress=progress)
        return check(Book(project))
    except BuildError as error:
        return error.problems


def build(project: Project, target: Path | None = None, *, progress: bool = True) -> float:
    """Build both languages and put the finished site in place of the last one.

    Args:
        project: The checkout.
        target: The folder of the site; `site/` by default.
        progress: Show what is executed.

    Returns:
        Seconds that MkDocs took.

    Raises:
        BuildError: The sources have problems; the last good site is untouched.
    """
    target = target or project.site
    if problems := prepare(project, progress=progress):
        raise BuildError(problems)
    start = time.perf_counter()
    # A folder for each target: tests build two sites at the same time.
    staging = project.build / "staging" / target.name
    shutil.rmtree(staging, ignore_errors=True)
    # MkDocs empties its target, so English is built beside Chinese and moved into it.
    folders = {"zh": staging / "zh", "en": staging / "en"}
    environment = {**os.environ, "X0_PREPARED": "1"}
    runs = {
        language: subprocess.Popen(
            [
                sys.executable,
                "-m",
                "mkdocs",
                "build",
                "--strict",
                "-f",
                CONFIGS[language],
                "-d",
                folders[language],
            ],
            cwd=project.root,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        for language in CONFIGS
    }
    outputs = {language: run.communicate()[0] for language, run in runs.items()}
    problems = [
        Problem(
            CONFIGS[language],
            0,
            f"mkdocs build failed:\n{_tail(outputs[language])}",
            "see the lines above",
        )
        for language, run in runs.items()
        if run.returncode
    ]
    if problems:
        raise BuildError(problems)
    # A host serves the 404 page of the root for every missing address: that one is bilingual.
    (folders["en"] / "404.html").unlink(missing_ok=True)
    shutil.move(folders["en"], folders["zh"] / "en")
    _swap(folders["zh"], target, staging / "previous")
    shutil.rmtree(staging, ignore_errors=True)
    return time.perf_counter() - start


def _tail(output: str) -> str:
    """Return what MkDocs complained about, else its last lines."""
    lines = output.strip().splitlines()
    quiet = ("INFO", "DEBUG")
    first = next(
        (n for n, line in enumerate(lines) if line.startswith(("WARNING", "ERROR"))), len(lines)
    )
    loud = [line for line in lines[first:] if not line.startswith(quiet)]
    return "\n".join(f"      {line}" for line in (loud or lines[-15:]))


def _swap(new: Path, target: Path, old: Path) -> None:
    shutil.rmtree(old, ignore_errors=True)
    if target.exists():
        target.rename(old)
    new.rename(target)
    shutil.rmtree(old, ignore_errors=True)


def serve(project: Project, host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve both languages on one port and rebuild when a source changes."""
    from mkdocs.livereload import LiveReloadServer

    target = project.build / "serve"
    os.environ.setdefault("X0_SITE_URL", f"http://{host}:{port}/")
    os.environ.setdefault("X0_SITE_URL_EN", f"http://{host}:{port}/en/")

    def rebuild() -> None:
        try:
            build(project, target)
        except BuildError as error:  # keep serving the last good pages
            print(
                f"\n{error}\n{len(error.problems)} problem(s); the pages are those of the last good build."
            )

    rebuild()
    target.mkdir(parents=True, exist_ok=True)
    server = LiveReloadServer(builder=rebuild, host=host, port=port, root=str(target))
    for path in (project.docs, project.snippets, project.src, project.tests):
        server.watch(str(path))
    for name in CONFIGS.values():
        server.watch(str(project.root / name))
    print(f"Serving both languages on http://{host}:{port}/ (Ctrl+C stops)")
    try:
        server.serve()  # type: ignore[no-untyped-call]
    except KeyboardInterrupt:
        pass
    finally:
        server.shutdown()
