"""What is asked of a fresh process, and what it answers."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from x0_build.data.labels import Labels
from x0_build.project import Problem
from x0_build.run.lab import Lab
from x0_build.run.module import Module
from x0_build.run.values import Tree


@dataclass(frozen=True)
class Job:
    """One module to run. The source travels along: what runs is what was fingerprinted."""

    module: Module
    file: str  # relative to the project, for problems
    source: str
    src: Path  # where a snippet must not import from
    labels: Labels
    lab: Lab | None = None


@dataclass
class Outcome:
    """What running a module gave, or why it failed."""

    outputs: list[str] = field(default_factory=list)  # of each section that runs, or code cell
    values: dict[str, Tree] = field(default_factory=dict)
    figures: dict[str, dict[str, str]] = field(default_factory=dict)  # key → language → SVG
    labels: dict[str, str] = field(default_factory=dict)  # each text seen → its Chinese text
    problems: list[Problem] = field(default_factory=list)
    seconds: float = 0.0
    sections: list[str] = field(default_factory=list)  # of the module's main part, in order
