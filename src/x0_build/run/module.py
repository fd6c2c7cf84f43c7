"""The modules of a checkout: what runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from x0_build.project import BuildError, Problem, Project

LABS = "labs"  # the area of notebooks


@dataclass(frozen=True)
class Module:
    """A snippet module or a lab."""

    area: str  # "initialization"
    stem: str  # "he_depth"
    path: Path  # src/x0/initialization/he_depth.py


def modules(project: Project) -> dict[str, Module]:
    """Return every module by its stem, sorted by area and stem, labs among them."""
    found: dict[str, Module] = {}
    problems = []
    for path in sorted((project.src / "x0").glob("*/[a-z]*.py")):
        module = Module(path.parent.name, path.stem, path)
        if (other := found.setdefault(path.stem, module)) is not module:
            message = f"stem “{path.stem}” is also that of {project.relative(other.path)}"
            remedy = "rename one of them, with its test, pages, equations and labels"
            problems.append(Problem(project.relative(path), 1, message, remedy))
    if problems:
        raise BuildError(problems)
    return found
