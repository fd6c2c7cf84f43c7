"""Labs: notebooks in percent format, executed once for both languages.

A lab's Markdown cells come in pairs, Chinese and English, and speak the language of the pages; its
code cells are shared. Here they are read, checked and executed; `notebooks.py` publishes them.
"""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlparse

from x0_build import execute as execution
from x0_build.execute import LIBRARIES, Module, Result
from x0_build.labels import Labels, MissingLabelError
from x0_build.paths import LANGUAGES, Project
from x0_build.problems import BuildError, Problem
from x0_build.source import Page
from x0_build.worker import Value

AREA = "labs"
BRANCH = "notebooks"  # of the repository: holds the clean notebooks, for Colab
SECONDS = 120  # for one cell
MIME = "application/vnd.x0+json"  # what kernel.py answers with
# What decides how a lab is run, besides what decides how a figure is drawn.
CODE = ("labs.py", "kernel.py")


@dataclass(frozen=True)
class Cell:
    """One cell of a lab."""

    language: str  # "zh", "en"; empty for code
    line: int  # where its source starts in the file
    source: str


@dataclass(frozen=True)
class Lab:
    """One lab."""

    module: Module
    cells: tuple[Cell, ...]

    @property
    def name(self) -> str:
        """Return its name in addresses: deep-relu."""
        return self.module.stem.replace("_", "-")

    @property
    def uri(self) -> str:
        """Return the page that shows it; MkDocs takes a notebook for it."""
        return f"{AREA}/{self.name}.md"

    @property
    def code(self) -> list[Cell]:
        """Return the code cells."""
        return [cell for cell in self.cells if not cell.language]

    @cached_property
    def pages(self) -> dict[str, Page]:
        """The Markdown of each language, at the lines of the file where it stands."""
        lines = self.module.path.read_text(encoding="utf-8").count("\n") + 1
        pages = {}
        for language in LANGUAGES:
            text = [""] * lines
            for cell in self.cells:
                if cell.language == language:
                    written = cell.source.split("\n")
                    text[cell.line - 1 : cell.line - 1 + len(written)] = written
            pages[language] = Page(language, self.uri, self.module.path, "\n".join(text))
        return pages

    @property
    def figures(self) -> list[str]:
        """Return the keys of its figures, in the order of the Chinese text."""
        return self.pages["zh"].keys("fig")


@dataclass
class Run:
    """What executing a lab gave."""

    outputs: list[str] = field(default_factory=list)  # what each code cell printed
    values: dict[str, Value] = field(default_factory=dict)
    figures: dict[str, dict[str, str]] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    seconds: float = 0.0  # of the processor: the wall clock tells how busy the machine was


# --- reading


def read(project: Project) -> list[Lab]:
    """Return all labs, sorted by name."""
    return [_read(path) for path in sorted((project.src / "x0" / AREA).glob("[a-z]*.py"))]


def _read(path: Path) -> Lab:
    import jupytext

    text = path.read_text(encoding="utf-8")
    lines = text.split("\n")
    starts = [n for n, line in enumerate(lines, 2) if line.startswith("# %%")]
    cells = []
    for start, cell in zip(starts, jupytext.reads(text, "py:percent").cells, strict=False):
        while start <= len(lines) and not lines[start - 1].strip():
            start += 1  # jupytext drops blank lines at the start of a cell
        language = cell.metadata.get("lang", "?") if cell.cell_type == "markdown" else ""
        cells.append(Cell(language, start, cell.source))
    return Lab(Module(path.stem, AREA, path), tuple(cells))


def check(project: Project, lab: Lab) -> Iterator[Problem]:
    """Find what is wrong with the form of a lab; its text is checked like that of any page."""
    file = project.relative(lab.module.path)
    first = lab.module.path.read_text(encoding="utf-8").split("\n", 1)[0]
    if not first.startswith("# %% [markdown]"):
        yield Problem(
            file, 1, "a lab starts with a Markdown cell", 'write `# %% [markdown] lang="zh"` first'
        )
        return
    waiting: Cell | None = None
    for cell in (*lab.cells, Cell("", 0, "")):
        if cell.language not in ("", *LANGUAGES):
            remedy = 'write `# %% [markdown] lang="zh"`, and its twin with lang="en" below it'
            yield Problem(file, cell.line - 1, "the Markdown cell names no language", remedy)
            return
        if waiting and cell.language != "en":
            remedy = 'write its twin, `# %% [markdown] lang="en"`, right below it'
            yield Problem(file, waiting.line - 1, "the Chinese cell has no English twin", remedy)
        elif not waiting and cell.language == "en":
            remedy = 'write its twin, `# %% [markdown] lang="zh"`, right above it'
            yield Problem(file, cell.line - 1, "the English cell has no Chinese twin", remedy)
        elif waiting:
            yield from _same_headings(file, waiting, cell)
        waiting = cell if cell.language == "zh" else None
    shown = Counter(lab.figures)
    for use in lab.pages["zh"].uses:
        if use.kind == "fig" and not use.key.startswith(f"{lab.name}-"):
            remedy = f"name it {lab.name}-<name>"
            yield Problem(file, use.line, f"the figure {use.key} is not this lab's", remedy)
        elif use.kind == "fig" and shown[use.key] > 1:
            remedy = f"refer to it with (fig:{use.key})"
            yield Problem(file, use.line, f"the figure {use.key} is shown twice", remedy)


def _same_headings(file: str, zh: Cell, en: Cell) -> Iterator[Problem]:
    ids = [
        [(h.level, h.id) for h in Page("", "", Path(), cell.source).headings] for cell in (zh, en)
    ]
    if ids[0] != ids[1]:
        names = [", ".join(f"{'#' * level} {name}" for level, name in found) for found in ids]
        message = (
            f"the cell has the headings {names[1] or 'none'}; its twin has {names[0] or 'none'}"
        )
        remedy = f"give both the same ids in the same order; compare with line {zh.line}"
        yield Problem(file, en.line, message, remedy)


def colab(repository: str, lab: Lab, language: str) -> str:
    """Return the address that opens a lab in Colab; empty if the repository is not on GitHub."""
    place = urlparse(repository)
    if place.netloc != "github.com":
        return ""
    root = "https://colab.research.google.com/github"
    return f"{root}{place.path.rstrip('/')}/blob/{BRANCH}/{language}/{lab.name}.ipynb"


# --- what is stored


def folder(project: Project, stem: str) -> Path:
    """Return where the results of a lab are kept."""
    return project.build / AREA / stem


def load(project: Project) -> dict[str, Result]:
    """Return by stem what the last execution stored, without executing anything."""
    stored = {}
    for lab in read(project):
        meta = execution._read_json(folder(project, lab.module.stem) / "meta.json")
        if meta:
            values = {
                name: tuple(value) if isinstance(value, list) else value
                for name, value in meta["values"].items()
            }
            stored[lab.module.stem] = Result(
                module=lab.module,
                output="",
                values=values,
                figures=meta["figures"],
                seconds=execution._read_json(folder(project, lab.module.stem) / "time.json").get(
                    "seconds", 0.0
                ),
                cached=True,
                seeds=meta["seeds"],
                versions=meta["versions"],
            )
    return stored


def outputs(project: Project, lab: Lab) -> list[str]:
    """Return what each code cell printed."""
    meta = execution._read_json(folder(project, lab.module.stem) / "meta.json")
    return list(meta.get("outputs", []))


def figure_file(project: Project, stem: str, key: str, language: str) -> Path:
    """Return the file of a drawn figure."""
    return folder(project, stem) / "figures" / f"{key}.{language}.svg"


def _store(project: Project, lab: Lab, run: Run, environment: dict[str, str]) -> None:
    target = folder(project, lab.module.stem)
    (target / "fingerprint").unlink(missing_ok=True)
    shutil.rmtree(target / "figures", ignore_errors=True)
    source = "\n".join(cell.source for cell in lab.code)
    meta = {
        "figures": list(run.figures),
        "values": run.values,
        "outputs": run.outputs,
        "seeds": execution._seeds(source),
        "versions": {name: environment[name] for name in ("python", *LIBRARIES)},
        "labels": run.labels,
    }
    for key, drawn in run.figures.items():
        for language, svg in drawn.items():
            execution._write(figure_file(project, lab.module.stem, key, language), svg)
    execution._write(target / "meta.json", execution._json(meta))
    execution._write(target / "time.json", execution._json({"seconds": round(run.seconds, 3)}))
    execution._write(target / "fingerprint", _fingerprint(lab, environment, run.labels))


def _fresh(project: Project, lab: Lab, labels: Labels, environment: dict[str, str]) -> bool:
    target = folder(project, lab.module.stem)
    stored = target / "fingerprint"
    if not stored.is_file():
        return False
    meta = execution._read_json(target / "meta.json")
    try:
        now = {text: labels.translate(text) for text in meta["labels"]}
    except (MissingLabelError, ValueError):
        return False
    drawn = [
        figure_file(project, lab.module.stem, key, language)
        for key in meta["figures"]
        for language in LANGUAGES
    ]
    return stored.read_text(encoding="utf-8") == _fingerprint(lab, environment, now) and all(
        path.is_file() for path in drawn
    )


def _fingerprint(lab: Lab, environment: dict[str, str], labels: dict[str, str]) -> str:
    """Return what changes when results may: the text of a lab is no part of it."""
    source = json.dumps([[cell.source for cell in lab.code], lab.figures])
    here = Path(__file__).parent
    code = {name: (here / name).read_text(encoding="utf-8") for name in CODE}
    return execution._fingerprint(source, environment | code, labels) + "\n"


# --- executing


def execute(project: Project, *, progress: bool = True) -> None:
    """Run the labs that changed.

    Raises:
        BuildError: Everything that went wrong. A lab with a problem keeps its former results
            and runs again next time.
    """
    found = read(project)
    for path in (project.build / AREA).glob("*/"):
        if path.name not in {lab.module.stem for lab in found}:
            shutil.rmtree(path)
    if problems := [problem for lab in found for problem in check(project, lab)]:
        raise BuildError(problems)
    labels = Labels.read(project)
    with execution._locked(project):
        environment = execution._environment(project)
        stale = [lab for lab in found if not _fresh(project, lab, labels, environment)]
        if progress:
            print(f"Labs: {len(stale)} to run, {len(found) - len(stale)} unchanged.", flush=True)

        def work(lab: Lab) -> Run:
            run = _run(project, lab)
            if progress:
                word = "failed" if run.problems else "ran   "
                print(f"  {word} {lab.name} ({run.seconds:.1f} s)", flush=True)
            return run

        with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
            for lab, run in zip(stale, pool.map(work, stale), strict=True):
                problems += run.problems
                if run.problems:
                    (folder(project, lab.module.stem) / "fingerprint").unlink(missing_ok=True)
                else:
                    _store(project, lab, run, environment)
    if problems:
        raise BuildError(problems)


def _run(project: Project, lab: Lab) -> Run:
    """Execute the cells of a lab in a kernel of its own."""
    import nbformat
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError

    file = project.relative(lab.module.path)
    arguments = ", ".join(map(repr, (str(project.root), file, lab.figures)))
    before = (
        "import sys\n"
        f"sys.path.insert(0, {str(Path(__file__).parents[1])!r})\n"
        f"from x0_build import kernel\nkernel.start({arguments})\ndel kernel, sys"
    )
    after = "from x0_build import kernel as _kernel\n_kernel.finish(globals())"
    sources = [before, *(cell.source for cell in lab.code), after]
    cells = [nbformat.v4.new_code_cell(text) for text in sources]  # type: ignore[no-untyped-call]
    notebook = nbformat.v4.new_notebook(cells=cells)  # type: ignore[no-untyped-call]
    run = Run()
    client = NotebookClient(notebook, timeout=SECONDS, kernel_name="python3")
    environment = {
        **os.environ,
        **dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS"), "1"),
        "MPLBACKEND": "Agg",
        "PYTHONHASHSEED": "0",
        "PYTHONDONTWRITEBYTECODE": "1",
        "IPYTHONDIR": str(project.build / "ipython"),  # nobody's own settings
    }
    place = project.build / "ipython"
    place.mkdir(parents=True, exist_ok=True)
    failed = ""
    try:
        # Not `execute`: it leaves an event loop open.
        asyncio.run(
            client.async_execute(env=environment, cwd=str(place), stderr=subprocess.DEVNULL)
        )
    except CellExecutionError:
        pass  # noted in the cell's outputs
    except (CellTimeoutError, DeadKernelError) as error:
        failed = str(error).strip().split("\n")[0]
    for number, cell in enumerate(notebook.cells):
        _collect(run, lab, file, number, cell)
    if failed:
        number = sum(cell.execution_count is not None for cell in notebook.cells)
        line = lab.code[min(max(number - 1, 0), len(lab.code) - 1)].line
        run.problems.append(
            Problem(file, line, f"Code cell {number}: {failed}", "make it smaller, or repair it")
        )
    if not run.problems and len(run.figures) < len(lab.figures):
        key = lab.figures[len(run.figures)]
        line = next(use.line for use in lab.pages["zh"].uses if (use.kind, use.key) == ("fig", key))
        remedy = "call plt.show() in the code cell above, once for each figure"
        run.problems.append(Problem(file, line, f"no cell shows the figure {key}", remedy))
    return run


def _collect(run: Run, lab: Lab, file: str, number: int, cell: Any) -> None:
    """Take what one cell gave; cell 0 and the last one are ours."""
    own = number == 0 or number > len(lab.code)
    line = 1 if own else lab.code[number - 1].line
    printed = ""
    for output in cell.outputs:
        message = remedy = ""
        if output.output_type == "stream" and output.name == "stdout":
            printed += output.text
        elif output.output_type == "display_data" and MIME in output.data:
            sent = output.data[MIME]
            run.values |= {
                name: tuple(value) if isinstance(value, list) else value
                for name, value in sent.get("values", {}).items()
            }
            run.seconds = sent.get("seconds", run.seconds)
            run.figures |= sent.get("figures", {})
            run.labels |= sent.get("labels", {})
            for problem in sent.get("problems", []):
                found = Problem(**problem)
                run.problems.append(
                    dataclasses.replace(found, line=line) if found.line <= 1 else found
                )
        elif output.output_type == "error":
            line = _line(lab, output.traceback) or line
            text = " ".join(output.evalue.split())
            message = f"Code cell {number} raises {output.ename}: {text}"
            remedy = f"repair the cell; `python {file}` runs the whole lab"
            if output.ename.endswith("Warning"):
                remedy = (
                    "change the code so that it does not warn: whoever runs it would see it too"
                )
        elif output.output_type == "stream":
            message = f"Code cell {number} writes to stderr: {output.text.strip()[:200]}"
            remedy = "change the code so that it does not"
        else:
            message = f"Code cell {number} ends in an expression, whose value a page does not show"
            remedy = "print it"
        if message:
            run.problems.append(Problem(file, line, message, remedy))
    if not own:
        run.outputs.append(printed)


def _line(lab: Lab, traceback: list[str]) -> int:
    """Return the line of the innermost frame that stands in a cell, 0 if there is none."""
    text = re.sub(r"\x1b\[[\d;]*m", "", "\n".join(traceback))
    frames = re.findall(r"Cell In\[(\d+)\], line (\d+)", text)
    for number, line in reversed(frames):
        if 2 <= int(number) <= len(lab.code) + 1:  # In[1] is ours
            return lab.code[int(number) - 2].line + int(line) - 1
    return 0
