"""What happens inside a fresh process: one module or lab is run as a reader runs it, and drawn.

The libraries are already there when this module is imported, thanks to the fork server.
"""

from __future__ import annotations

import ast
import contextlib
import functools
import io
import itertools
import re
import sys
import time
import traceback
import types
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import torch
from matplotlib import pyplot
from matplotlib.figure import Figure

from x0_build.project import Problem
from x0_build.run import drawing, figures
from x0_build.run.job import Job, Outcome
from x0_build.run.lab import Lab
from x0_build.run.origin import Origin, unseeded
from x0_build.run.values import collect
from x0_build.syntax.blocks import MARK

MOST_OUTPUT = 64 * 1024  # characters that a page can show
KEEP, CUT = "_x0_keep", "_x0_cut"


def run(job: Job) -> Outcome:
    """Run a module or a lab, in a process that is used for nothing else."""
    start = time.perf_counter()
    torch.set_num_threads(1)
    figures.set_style()
    # A snippet stands alone: it runs where no x0 is installed.
    sys.path[:] = [path for path in sys.path if Path(path).resolve() != job.src]
    work = _Run(job)
    with warnings.catch_warnings(), contextlib.suppress(_Failed):
        warnings.simplefilter("error")
        work.all()
    work.outcome.seconds = time.perf_counter() - start
    return work.outcome


class _Failed(Exception):
    """The problem is already noted; what comes after it cannot run."""


class _TooMuch(BaseException):
    """More is printed than a page can show; no `except Exception` of a snippet stops it."""


class _Output(io.StringIO):
    def write(self, text: str) -> int:
        if self.tell() + len(text) > MOST_OUTPUT:
            raise _TooMuch
        if lone := re.search(r"± ?0\.0+(?![\d.])", text):
            raise ValueError(f"the error in “{lone[0]}” has no digit: print more of them")
        return super().write(text)


class _Run:
    def __init__(self, job: Job) -> None:
        self.job, self.outcome = job, Outcome()
        self.path = str(job.module.path)
        self.main = types.ModuleType("__main__")
        self.main.__file__ = self.path
        self.names = vars(self.main)
        self.kept: dict[str, Any] = {}  # what the main part drew, by the function's name

    def all(self) -> None:
        sys.modules["__main__"] = self.main  # dataclasses look there
        self.tree = self.guarded("the module", 1, lambda: ast.parse(self.job.source, self.path))
        for line, call in unseeded(self.tree):
            remedy = "draw from np.random.default_rng(SEED), or pass generator="
            self.problem(line, f"{call}() draws from a generator that nobody seeded", remedy)
        if self.job.lab:
            self.cells(self.job.lab)
        else:
            self.module()

    def module(self) -> None:
        plots = [node for node in self.tree.body if isinstance(node, ast.FunctionDef)]
        plots = [node for node in plots if node.name.startswith("plot_")]
        for node in plots:
            place = node.decorator_list[0] if node.decorator_list else node
            node.decorator_list.insert(0, ast.copy_location(ast.Name(KEEP, ast.Load()), place))
        self.names[KEEP] = self.keep
        cuts: list[int] = []
        self.names[CUT] = lambda: cuts.append(sys.stdout.tell())
        self.outcome.sections = _cut(self.tree, self.job.source)
        pyplot.show = lambda *_, **__: pyplot.close("all")
        with contextlib.suppress(_Failed):
            self.execute("the module", 1, self.tree.body)
            text = self.outcome.outputs.pop()
            ends = [0, *cuts[1:], len(text)]
            self.outcome.outputs = [text[a:b] for a, b in itertools.pairwise(ends)]
            self.outcome.values = collect(self.names)
        for node in plots:
            with contextlib.suppress(_Failed):
                self.plot(node)

    def keep(self, plot: Callable[..., Any]) -> Callable[..., Any]:
        """Keep the figure that the main part draws: it is not drawn again."""

        @functools.wraps(plot)
        def call(*args: Any, **kwargs: Any) -> Any:
            if args or kwargs:
                return plot(*args, **kwargs)
            self.kept[plot.__name__] = _Failed  # should it fail, once is enough
            self.kept[plot.__name__] = figure = plot()
            return figure

        return call

    def plot(self, node: ast.FunctionDef) -> None:
        name, line = node.name, node.lineno
        if name in self.names and name not in self.kept:
            with self.printing(f"{name}()", line):
                self.guarded(f"{name}()", line, self.names[name])
        figure = self.kept.get(name, _Failed)
        if isinstance(figure, Figure):
            key = f"{self.job.module.stem}-{name.removeprefix('plot_')}".replace("_", "-")
            self.draw(key, figure, Origin(self.job.file, self.tree, line, node))
        elif figure is not _Failed:
            message = f"{name}() returns {type(figure).__name__} {figure!r}"[:80]
            self.problem(line, f"{message}, not a Figure", "end with `return fig`")
        pyplot.close("all")

    def cells(self, lab: Lab) -> None:
        number = 0
        for code, keys in lab.shown:
            waiting = iter(keys)
            for cell in code:
                number += 1
                end = cell.line + cell.source.count("\n")
                body = [node for node in self.tree.body if cell.line <= node.lineno <= end]
                pyplot.show = functools.partial(self.show, waiting, cell.line)
                self.execute(f"code cell {number}", cell.line, body)
            for key, line in waiting:
                remedy = "call plt.show() in the code cell above, once for each figure"
                self.problem(line, f"no cell shows the figure {key}", remedy)
        self.outcome.values = collect(self.names)

    def show(self, waiting: Iterator[tuple[str, int]], line: int, *_: Any, **__: Any) -> None:
        """Draw the open figures; the Markdown cell below names them."""
        for number in pyplot.get_fignums():
            key, _line = next(waiting, ("", 0))
            if not key:
                name = self.job.module.stem.replace("_", "-")
                raise LookupError(
                    "no Markdown cell below names this figure; "
                    f"write {{fig:{name}-<name>}} and a caption there"
                )
            with contextlib.suppress(_Failed):  # noted; the cells that follow can still run
                self.draw(key, pyplot.figure(number), Origin(self.job.file, self.tree, line))
        pyplot.close("all")

    def execute(self, what: str, line: int, body: list[ast.stmt]) -> None:
        """Run statements; what they print is the next output."""
        last = ast.Expression(ast.Constant(None))
        if self.job.lab and body and isinstance(body[-1], ast.Expr):
            last, body = ast.Expression(body[-1].value), body[:-1]

        def work() -> object:
            for tree, mode in ((ast.Module(body, []), "exec"), (last, "eval")):
                code = compile(ast.fix_missing_locations(tree), self.path, mode, dont_inherit=True)
                value = eval(code, self.names)
            return value

        with self.printing(what, line) as printed:
            value = self.guarded(what, line, work)
        self.outcome.outputs.append(printed.getvalue())
        if value is not None:
            message = f"{what} ends in an expression, whose value a page does not show"
            self.problem(line, message, "print it")

    @contextlib.contextmanager
    def printing(self, what: str, line: int) -> Iterator[io.StringIO]:
        printed, errors = _Output(), _Output()
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(errors):
            yield printed
        if said := errors.getvalue().strip():
            remedy = "change the code so that it does not"
            self.problem(line, f"{what} writes to stderr: {said[:200]}", remedy)

    def draw(self, key: str, figure: Figure, origin: Origin) -> None:
        labels = self.job.labels
        drawn = self.guarded(
            f"drawing {key}", origin.line, lambda: drawing.draw(figure, key, origin, labels)
        )
        self.outcome.figures[key] = drawn.svgs
        self.outcome.labels |= drawn.labels
        self.outcome.problems += drawn.problems

    def guarded(self, what: str, line: int, call: Callable[[], Any]) -> Any:
        """Call; note an exception with its line."""
        try:
            return call()
        except _TooMuch as error:
            message = f"{what} prints more than {MOST_OUTPUT // 1024} KB"
            self.problem(self.place(error) or line, message, "print what a page can show")
        except BaseException as error:
            kind, text = type(error).__name__, " ".join(str(error).split())
            self.problem(self.place(error) or line, f"{what} raises {kind}: {text}", _remedy(error))
        raise _Failed

    def place(self, error: BaseException) -> int:
        """Return the line of the innermost frame inside the module, 0 if there is none."""
        if isinstance(error, SyntaxError) and error.filename == self.path:
            return error.lineno or 0
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == self.path]
        return (lines[-1] or 0) if lines else 0

    def problem(self, line: int, message: str, remedy: str) -> None:
        self.outcome.problems.append(Problem(self.job.file, line, message, remedy))


def _cut(tree: ast.Module, source: str) -> list[str]:
    """Call CUT where a section of the main part starts; return the names of these sections."""
    rows = source.splitlines()
    marks = {n: m["name"] for n, row in enumerate(rows, 1) if (m := MARK.match(row))}
    names: list[str] = []
    for guard in (node for node in tree.body if isinstance(node, ast.If)):
        for place, node in reversed([*enumerate(guard.body)]):
            # Between a statement and the one before it stand at most an end and a start.
            before = guard.body[place - 1].end_lineno if place else guard.lineno
            between = range(before or 0, node.lineno)
            if found := [marks[n] for n in between if n in marks and "[start:" in rows[n - 1]]:
                names.insert(0, found[-1])
                guard.body[place:place] = ast.parse(f"{CUT}()").body
    return names


def _remedy(error: BaseException) -> str:
    if "layout has changed to tight" in str(error):
        return 'drop tight_layout(); plt.subplots(layout="constrained") does it for readers too'
    if isinstance(error, Warning):
        return "change the code so that it does not warn: whoever runs it would see it too"
    if isinstance(error, ImportError):
        return "a snippet imports the standard library, numpy, torch, matplotlib, sklearn only"
    if isinstance(error, MemoryError) or "can't allocate memory" in str(error):
        return "make its arrays smaller"
    return "run the file alone to see the whole traceback, and repair the line"
