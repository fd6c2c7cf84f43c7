"""What happens inside a fresh worker process: one snippet module is run and drawn.

Importing this module is cheap: the execution's own process imports it too and must not wait for
PyTorch. The libraries are already there when `run` imports them, thanks to the fork server.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.util
import io
import math
import re
import sys
import time
import traceback
import types
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING, Any

from x0_build.labels import Labels, MissingLabelError
from x0_build.problems import Problem

if TYPE_CHECKING:
    from matplotlib.figure import Figure

Value = float | tuple[float, float]


@dataclass(frozen=True)
class Job:
    """One module to run. The source travels along: what runs is what was fingerprinted."""

    stem: str
    name: str  # dotted
    path: Path
    file: str  # relative to the project, for problems
    source: str
    src: Path  # where a snippet must not import from
    labels: Labels


@dataclass
class Outcome:
    """What running a module gave, or why it failed."""

    output: str = ""
    values: dict[str, Value] = field(default_factory=dict)
    figures: dict[str, dict[str, str]] = field(default_factory=dict)  # key → language → SVG
    labels: dict[str, str] = field(default_factory=dict)  # each text seen → its Chinese text
    problems: list[Problem] = field(default_factory=list)
    seconds: float = 0.0


def capability(connection: Connection) -> None:
    """Send PyTorch's CPU capability, on which floating-point results depend."""
    import torch

    connection.send(torch.backends.cpu.get_cpu_capability())
    connection.close()


def run(job: Job, connection: Connection) -> None:
    """Run a module and send its `Outcome`."""
    start = time.perf_counter()
    outcome = Outcome()
    with contextlib.suppress(_Failed):
        _Run(job, outcome).all()
    outcome.seconds = time.perf_counter() - start
    connection.send(outcome)
    connection.close()


class _Failed(Exception):
    """The problem is already noted; what comes after it cannot run."""


@dataclass
class _Run:
    job: Job
    outcome: Outcome

    def all(self) -> None:
        import torch

        from x0_build import figures

        torch.set_num_threads(1)
        figures.set_style()
        # A snippet stands alone: it runs where no x0 is installed.
        sys.path[:] = [path for path in sys.path if Path(path).resolve() != self.job.src]
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            module = self.load()
            with contextlib.suppress(_Failed):
                self.demo(module)
            for name, plot in vars(module).copy().items():
                if name.startswith("plot_") and isinstance(plot, types.FunctionType):
                    with contextlib.suppress(_Failed):
                        self.plot(name, plot)

    def load(self) -> types.ModuleType:
        """Execute the module from its text, under its dotted name."""
        spec = importlib.util.spec_from_file_location(self.job.name, self.job.path)
        assert spec is not None
        module = importlib.util.module_from_spec(spec)
        sys.modules[self.job.name] = module  # dataclasses look there

        def load() -> None:
            code = compile(self.job.source, str(self.job.path), "exec", dont_inherit=True)
            exec(code, module.__dict__)

        self.guarded("Importing the module", 1, load)
        return module

    def demo(self, module: types.ModuleType) -> None:
        demo = getattr(module, "demo", None)
        if demo is None:
            return
        line = self.line_of("demo")
        output, values = self.guarded("demo()", line, demo)
        self.outcome.output = output
        remedy = "Return a dict from names to a float, or to a pair (mean, standard error)."
        if not isinstance(values, dict):
            self.problem(line, f"demo() returns {_shown(values)}, not a dict.", remedy)
            return
        for name, value in values.items():
            place = self.literal(str(name), "demo") or line
            if not isinstance(name, str) or not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name):
                self.problem(
                    place, f"demo() names a value {name!r}.", "Use an identifier as its name."
                )
            elif (number := _value(value)) is None:
                self.problem(place, f"demo() returns {_shown(value)} as “{name}”.", remedy)
            elif not all(map(math.isfinite, number if isinstance(number, tuple) else [number])):
                self.problem(
                    place,
                    f"demo() returns “{name}” = {value}, which is not finite.",
                    "Find the overflow or the 0/0 behind it; a page shows finite numbers only.",
                )
            else:
                self.outcome.values[name] = number

    def plot(self, name: str, plot: Callable[[], Figure]) -> None:
        from matplotlib import pyplot
        from matplotlib.cbook import is_math_text
        from matplotlib.figure import Figure

        from x0_build import figures

        line = self.line_of(name)
        _, figure = self.guarded(f"{name}()", line, plot)
        if not isinstance(figure, Figure):
            self.problem(
                line, f"{name}() returns {_shown(figure)}, not a Figure.", "End with `return fig`."
            )
            return
        if figure.get_figwidth() > figures.MAX_INCHES + 1e-9:
            self.problem(
                line,
                f"{name}() draws a figure {figure.get_figwidth():g} inches wide.",
                f"Use at most {figures.MAX_INCHES} inches and stack the panels: "
                "wider figures cannot be read on a phone.",
            )
        key = f"{self.job.stem}-{name.removeprefix('plot_')}".replace("_", "-")
        missing: set[str] = set()
        mathtext: set[str] = set()

        def chinese(text: str) -> str:
            if is_math_text(text):
                mathtext.add(text)
                return text
            try:
                out = self.job.labels.translate(text)
            except MissingLabelError:
                missing.add(text)
                return text
            if any(character.isalpha() for character in text):
                self.outcome.labels[text] = out
            return out

        drawn = {}
        for language, translate in (("en", str), ("zh", chinese)):
            draw = partial(figures.draw, figure, key, translate)
            _, drawn[language] = self.guarded(f"Drawing {name}()", line, draw)
        pyplot.close("all")
        for text in mathtext:
            self.problem(
                self.literal(text, name) or self.literal(text) or line,
                f"Figure {key} has mathtext in its label “{text}”.",
                "Write it in Unicode (σ², qˡ, 10⁻¹): Chinese does not render in mathtext.",
            )
        for text in missing:
            self.problem(
                self.literal(text, name) or self.literal(text) or line,
                f"Figure {key} has no Chinese text for its label “{text}”.",
                f'Add `{_toml(text)} = "…"` to snippets/labels.toml, '
                "or its name to [keep] if it is the same in Chinese.",
            )
        size = max(map(figures.gzipped, drawn.values()))
        if size > figures.MAX_BYTES:
            self.problem(
                line,
                f"Figure {key} is {size / 1024:.0f} KB gzipped; "
                f"at most {figures.MAX_BYTES // 1024} KB may be.",
                "Thin its curves, draw fields as contours with few levels on a coarse grid, "
                "or pass rasterized=True to what is dense.",
            )
        self.outcome.figures[key] = drawn

    def guarded(self, what: str, line: int, call: Callable[[], Any]) -> tuple[str, Any]:
        """Call and return what was printed and the result; note an exception with its line."""
        printed = io.StringIO()
        try:
            with contextlib.redirect_stdout(printed):
                result = call()
                return printed.getvalue(), result
        except (Exception, SystemExit) as error:
            kind, text = type(error).__name__, " ".join(str(error).split())
            self.problem(self.place(error) or line, f"{what} raises {kind}: {text}", _remedy(error))
            raise _Failed from None

    def place(self, error: BaseException) -> int:
        """Return the line of the innermost frame inside the module, 0 if there is none."""
        if isinstance(error, SyntaxError) and error.filename == str(self.job.path):
            return error.lineno or 0
        frames = traceback.extract_tb(error.__traceback__)
        lines = [frame.lineno for frame in frames if frame.filename == str(self.job.path)]
        return (lines[-1] or 0) if lines else 0

    def problem(self, line: int, message: str, remedy: str) -> None:
        self.outcome.problems.append(Problem(self.job.file, line, message, remedy))

    def function(self, name: str) -> ast.FunctionDef | None:
        for node in ast.parse(self.job.source).body:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                return node
        return None

    def line_of(self, name: str) -> int:
        node = self.function(name)
        return node.lineno if node else 1

    def literal(self, text: str, function: str = "") -> int:
        """Return the line of the string or f-string that gives a text, 0 if there is none."""
        tree = self.function(function) if function else ast.parse(self.job.source)
        inside = (
            {
                id(part)
                for node in ast.walk(tree)
                if isinstance(node, ast.JoinedStr)
                for part in node.values
            }
            if tree
            else set()
        )
        for node in ast.walk(tree) if tree else ():
            if isinstance(node, ast.Constant) and node.value == text and id(node) not in inside:
                return node.lineno
            if isinstance(node, ast.JoinedStr):
                parts = [
                    re.escape(str(part.value)) if isinstance(part, ast.Constant) else ".+"
                    for part in node.values
                ]
                if set(parts) != {".+"} and re.fullmatch("".join(parts), text, re.DOTALL):
                    return node.lineno
        return 0


def _value(value: object) -> Value | None:
    """Return a float or a pair of floats, None for anything else."""

    def number(item: object) -> bool:
        return isinstance(item, float | int) and not isinstance(item, bool)

    if number(value):
        return float(value)  # type: ignore[arg-type]
    if isinstance(value, tuple) and len(value) == 2 and all(map(number, value)):
        return float(value[0]), float(value[1])
    return None


def _shown(value: object) -> str:
    return f"{type(value).__name__} {value!r}"[:80]


def _toml(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def _remedy(error: BaseException) -> str:
    if "layout has changed to tight" in str(error):
        return 'Drop tight_layout(); plt.subplots(layout="constrained") does it for readers too.'
    if isinstance(error, Warning):
        return "Change the code so that it does not warn: whoever copies it would see it too."
    if isinstance(error, ImportError):
        return "A snippet imports the standard library, numpy, torch, matplotlib, sklearn only."
    return "Run the file alone to see the whole traceback, and repair the line."
