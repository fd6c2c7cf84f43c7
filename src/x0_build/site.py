"""Building both languages into one site."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from x0_build import run
from x0_build.data.cache import digest, digest_of, locked, seal, unseal
from x0_build.project import BuildError, Problem, Project

CONFIGS = {"zh": "mkdocs.yml", "en": "mkdocs.en.yml"}
PREPARED = "X0_PREPARED"  # says in the environment that the pages are prepared, and finished later
REPOSITORY = "https://github.com/x0-contributors/x0"


def sources(project: Project) -> list[Path]:
    """Return what decides what the site is."""
    names = (*CONFIGS.values(), "CHANGELOG.md", "requirements.txt", "package-lock.json")
    files = [project.root / name for name in names]
    folders = (project.docs, project.snippets, project.src, project.tests)
    return [*folders, *filter(Path.is_file, files)]


def load(project: Project, *, progress: bool = True) -> Any:
    """Execute what changed and return the book, checked."""
    from x0_build.book import read_book
    from x0_build.check import check

    book = read_book(project, run.execute(project, progress=progress))
    if problems := check(book):
        raise BuildError(problems)
    return book


def prepare(project: Project, book: Any) -> tuple[list[Path], bool]:
    """Write a book as plain Markdown; return the files that changed, and whether some came or went."""
    from x0_build import render

    return render.write_tree(book, os.environ.get("X0_REPOSITORY", REPOSITORY))


def settings(project: Project, language: str) -> dict[str, Any]:
    """Return what MkDocs must know of the prepared pages; nothing if there are none."""
    path = project.build / "docs" / f"{language}.json"
    return project.json(path, {"*": object}) if path.is_file() else {}


def build(
    project: Project, target: Path | None = None, *, book: Any = None, progress: bool = True
) -> float:
    """Build both languages and put the finished site in place of the last one.

    Args:
        project: The checkout.
        target: The folder of the site; `site/` by default.
        book: A book that has been prepared.
        progress: Show what is executed.

    Returns:
        Seconds that rendering took; 0 if nothing has changed since the last good build.
    """
    target = target or project.site
    stamp = project.build / "cache" / f"built-{target.name}.txt"
    staging = project.build / "staging" / target.name
    with project.writing(project.build), locked(project.build / f"{target.name}.lock"):
        if not target.exists() and (staging / "previous").is_dir():  # a build was killed
            (staging / "previous").rename(target)
        known = digest_of(sources(project))  # what changes from now on is built next time
        if book is None:
            run.execute(project, progress=progress)
            if unseal(stamp) == _stamp(known, target):
                return 0.0
            book = load(project, progress=False)
            prepare(project, book)
        start = time.perf_counter()
        shutil.rmtree(staging, ignore_errors=True)
        _render(project, book, staging)
        # A host serves the 404 page of the root for every missing address: that one is bilingual.
        (staging / "en" / "404.html").unlink(missing_ok=True)
        shutil.move(staging / "en", staging / "zh" / "en")
        if target.exists():
            target.rename(staging / "previous")
        (staging / "zh").rename(target)
        shutil.rmtree(staging, ignore_errors=True)
        seal(stamp, _stamp(known, target))
        return time.perf_counter() - start


def _stamp(known: str, target: Path) -> str:
    """Return a hash of everything that decides what the site is, and of what it is."""
    variables = [f"{name}={value}" for name, value in sorted(os.environ.items()) if "X0_" in name]
    files = [path for path in target.rglob("*") if path.is_file()] if target.is_dir() else []
    built = sorted(f"{path} {path.stat().st_size} {path.stat().st_mtime_ns}" for path in files)
    return digest(*variables, sys.version, known, *built)


def _render(project: Project, book: Any, staging: Path) -> None:
    """Let MkDocs build each language in a process of its own, and finish what it built."""
    from x0_build import render

    runs = {}
    for language, config in CONFIGS.items():
        command = [sys.executable, "-m", "mkdocs", "build", "--strict", "-f", config, "-d"]
        runs[language] = subprocess.Popen(
            [*command, str(staging / language)],
            cwd=project.root,
            env={**os.environ, PREPARED: "1", "SOURCE_DATE_EPOCH": "0", "PYTHONUTF8": "1"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            encoding="utf-8",
            errors="replace",
        )
    said = {language: process.communicate()[0] for language, process in runs.items()}
    if failed := [language for language, process in runs.items() if process.returncode]:
        raise BuildError(_complaint(project, CONFIGS[x], said[x]) for x in failed)
    for language in CONFIGS:
        render.finish(book, language, staging / language)


def _complaint(project: Project, config: str, output: str) -> Problem:
    """Return what MkDocs complains about, else its last lines; at a line of template or settings."""
    file, line = config, 0
    if frames := re.findall(r'File "(docs/[^"]+)", line (\d+)', output):
        file, line = frames[-1][0], int(frames[-1][1])
    elif option := re.search(r"Config value '(\w+)'", output):
        for file in dict.fromkeys((config, CONFIGS["zh"])):
            if line := project.yaml(project.root / file, {"*": object}).line(option[1]):
                break
    rows = output.strip().splitlines()
    if loud := [n for n, row in enumerate(rows) if row.startswith(("WARNING", "ERROR"))]:
        rows = output.strip().partition("\nTraceback")[0].splitlines()[loud[0] :]
    shown = [f"      {x}" for x in rows[-15:] if x and not x.startswith(("INFO", "DEBUG"))]
    message = "\n".join(["mkdocs build failed:", *shown])
    return Problem(file, line, message, "see the lines above")
