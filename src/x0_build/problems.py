"""What is wrong with the sources, in a form that a person can act on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Problem:
    """One thing that stops the build."""

    file: str  # relative to the project's root
    line: int  # 1-based; 0 if the problem belongs to the whole file
    message: str
    remedy: str

    def __str__(self) -> str:
        """Return `file:line: message` and the remedy on the next line."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        return f"{place}: {self.message}\n    → {self.remedy}"


class BuildError(Exception):
    """Everything that one pass found, sorted by place."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))
