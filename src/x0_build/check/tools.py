"""`make check`: the content, and what ruff and mypy say of the code, as one list of problems."""

from __future__ import annotations

import re
import subprocess
import sys

from x0_build.book import read_book
from x0_build.check import check, pending
from x0_build.project import BuildError, Problem, Project

TOOLS = {
    "ruff": ["ruff", "check", "--output-format=concise", "--quiet", "."],
    "format": ["ruff", "format", "--check", "--output-format=concise", "--quiet", "."],
    "mypy": ["mypy", "--no-error-summary", "--hide-error-context"],
}
REMEDIES = {
    "ruff": "`make format` repairs most of it",
    "format": "`make format`",
    "mypy": "give the type that is meant",
}
_LINE = re.compile(r"^(?P<file>[^\s:]+):(?P<line>\d+):(?:\d+:)? (?:error: )?(?P<message>.+)$")


def report(project: Project, *, tools: bool = False) -> None:
    """Say what is wrong with the sources; nothing is executed.

    Args:
        project: The checkout.
        tools: Ask ruff and mypy too.
    """
    running = {name: _start(project, command) for name, command in TOOLS.items() if tools}
    try:
        book = read_book(project)
        problems = check(book)
        if waiting := pending(book):
            print(
                f"Execution is pending: {len(waiting)} of {len(book.modules)} modules (`make site`)."
            )
    except BuildError as error:
        problems = error.problems
    for name, process in running.items():
        problems += _finish(name, process)
    if problems:
        raise BuildError(problems)
    print("No problem was found.")


def _start(project: Project, command: list[str]) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", *command],
        cwd=project.root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _finish(name: str, process: subprocess.Popen[str]) -> list[Problem]:
    """Wait for a tool and return what it found."""
    said, found = process.communicate()[0].strip().splitlines(), []
    for line in said if process.returncode else ():
        if (match := _LINE.match(line)) and " note: " not in line:
            place = (match["file"], int(match["line"]), match["message"])
            found.append(Problem(*place, REMEDIES[name]))
    if process.returncode and not found:
        message = f"{name} fails:\n" + "\n".join(f"      {line}" for line in said[-9:])
        found.append(Problem("pyproject.toml", 0, message, "see the lines above"))
    return found
