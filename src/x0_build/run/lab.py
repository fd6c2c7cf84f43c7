"""Labs: notebooks in percent format, whose Markdown cells come in pairs, Chinese and English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby, zip_longest

from x0_build.project import LANGUAGES, BuildError, Problem, Project
from x0_build.run.module import LABS, Module, modules

# A paragraph that opens with it shows the figure; elsewhere the sign refers to it.
SHOWN = re.compile(r"(?:\A|\n[ \t]*\n)\{fig:(?P<key>[a-z0-9-]+)\}")
_HEAD = re.compile(r"# %%(?P<markdown> \[markdown\])?(?: lang=\"(?P<language>\w+)\")?\s*$")


@dataclass(frozen=True)
class Cell:
    """One cell of a lab."""

    language: str  # "zh", "en"; empty for code
    line: int  # where its source starts in the file
    source: str  # Markdown without the signs of comments

    @property
    def figures(self) -> list[tuple[str, int]]:
        """Return the key and the line of each figure that a Markdown cell shows."""
        return [
            (m["key"], self.line + self.source.count("\n", 0, m.start("key")))
            for m in SHOWN.finditer(self.source if self.language else "")
        ]


@dataclass(frozen=True)
class Lab:
    """One lab."""

    module: Module
    cells: tuple[Cell, ...]

    @property
    def name(self) -> str:
        """Return its name in addresses and keys: deep-relu."""
        return self.module.stem.replace("_", "-")

    @property
    def code(self) -> list[Cell]:
        """Return the code cells."""
        return [cell for cell in self.cells if not cell.language]

    @cached_property
    def shown(self) -> list[tuple[list[Cell], list[tuple[str, int]]]]:
        """Return code cells that follow each other, with the figures that the text below names."""
        cells = [cell for cell in self.cells if cell.language != "en"]
        groups = [list(group) for _, group in groupby(cells, lambda cell: not cell.language)]
        pairs = [
            (group, below)
            for group, below in zip(groups, [*groups[1:], []], strict=False)
            if not group[0].language
        ]
        return [(code, [key for cell in text for key in cell.figures]) for code, text in pairs]


def read(project: Project) -> dict[str, Lab]:
    """Return every lab by its stem."""
    found = [module for module in modules(project).values() if module.area == LABS]
    problems: list[Problem] = []
    labs = {module.stem: Lab(module, tuple(_cells(project, module, problems))) for module in found}
    if problems:
        raise BuildError(problems)
    return labs


def _cells(project: Project, module: Module, problems: list[Problem]) -> Iterator[Cell]:
    lines = project.text(module.path).split("\n")

    def problem(line: int, message: str, remedy: str) -> None:
        problems.append(Problem(project.relative(module.path), line, message, remedy))

    starts = [n for n, line in enumerate(lines) if line.startswith("# %%")]
    if not starts or starts[0]:
        problem(1, "a lab starts with a cell", 'write `# %% [markdown] lang="zh"` first')
    for start, end in zip_longest(starts, starts[1:], fillvalue=len(lines)):
        head = _HEAD.match(lines[start])
        if not head or bool(head["markdown"]) != (head["language"] in LANGUAGES):
            remedy = 'write `# %%` or `# %% [markdown] lang="zh"`, and its twin with lang="en"'
            problem(start + 1, "the cell is neither code nor Markdown of a language", remedy)
            continue
        first, last = start + 1, end
        while first < last and not lines[first].strip():
            first += 1
        while first < last and not lines[last - 1].strip():
            last -= 1
        body = lines[first:last]
        if head["markdown"]:
            for n, line in enumerate(body, first + 1):
                if line and not line.startswith("#"):
                    problem(n, "code in a Markdown cell", "write `# %%` above it")
            body = [line[1:].removeprefix(" ") for line in body]
        yield Cell(head["language"] or "", first + 1, "\n".join(body))
