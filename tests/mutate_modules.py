"""Make the modules wrong, one change at a time, and see whether their tests notice.

    python tests/mutate_modules.py [--sample 300] [--seed 0] [--jobs 1] [stem …]

Operators, comparisons, numbers and calls inside the functions of src/x0 are changed in a copy of
the project. The tests that mirror the module or import it decide, those that wait for its main part
last; what survives them meets the zoo. What survives that is listed with its place. Not changed, and
counted in the last line, are the sizes of experiments (SIZED, SIZES): half the points, draws or
steps give other numbers, no wrong ones. What tests/mutants.toml explains is as right as the original.
"""

from __future__ import annotations

import argparse
import ast
import gc
import math
import multiprocessing
import os
import random
import re
import resource
import shutil
import signal
import tempfile
import time
import tomllib
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from queue import SimpleQueue

import pytest

import x0_build.run
from x0_build.run import pool, worker
from x0_build.run.job import Job, Outcome

ROOT = Path(__file__).parents[1]
EQUAL = ROOT / "tests" / "mutants.toml"
COPIED = ("src", "tests", "snippets", "docs", "pyproject.toml", "mkdocs.yml")
SECONDS = 180  # of processor time for the tests of one mutant; a loop that does not end is noticed
PATIENCE = 1800  # until a mutant counts as not judged, on a machine that does other things
# Imported once; the process of each mutant begins with them.
LIBRARIES = ["numpy", "torch", "matplotlib.pyplot", "sklearn", "sympy", "scipy.stats", "pytest"]
LIBRARIES += ["sklearn.datasets", "x0_build.run.worker", "x0_build.run.pool"]
LIBRARIES += ["torch._dynamo"]  # otherwise the first optimizer or seed spends two seconds on it
SURROUNDINGS = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
SURROUNDINGS |= {"MPLBACKEND": "Agg", "PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
BINARY = {ast.Add: "-", ast.Sub: "+", ast.Mult: "/", ast.Div: "*", ast.Pow: "*"}
COMPARED = {ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "=="}
CALLED = {"min": "max", "max": "min", "mean": "sum", "sum": "mean", "sqrt": "abs", "ones": "zeros"}
CALLED |= {"zeros": "ones", "exp": "abs", "log": "abs", "any": "all", "all": "any", "cos": "sin"}
MANY, TINY = 10, 1e-3
# Another seed gives other numbers, no wrong ones; the rest is for those who read the source.
SEEDED = {"default_rng", "manual_seed", "seed", "SeedSequence", "warn", "print"}
QUIET = {"strict", "stacklevel", "seed", "generator", "fused"}  # fused: the same step, faster
# How much is computed: half an experiment is no error. Whole numbers from MANY on stay what they are
# among these arguments, by position (all, if none is told), and as defaults of these parameters.
SIZED: dict[str, tuple[int, ...]] = {"linspace": (2,), "geomspace": (2,), "range": ()}
SIZED |= dict.fromkeys(("leggauss", "hermegauss"), ())
SIZED |= dict.fromkeys(("Linear", "LSTM", "RNN", "Embedding", "LayerNorm"), ())
DRAWS = {"rand", "randn", "standard_normal"}  # here from 2 on: one more row is drawn
SIZED |= dict.fromkeys(DRAWS, ())
SIZES = {"networks", "nets", "runs", "repeats", "resamples", "splits", "steps", "layers"}
SIZES |= {"width", "depth", "n", "c", "count"}
DRAWN = {"plt", "Axes", "Figure", "Axis"}


@dataclass(frozen=True)
class Mutant:
    """One change of one module."""

    path: Path
    line: int
    start: int  # offset of what is replaced
    end: int
    text: str
    function: str

    def apply(self) -> str:
        """Return the module with the change."""
        source = self.path.read_text(encoding="utf-8")
        return source[: self.start] + self.text + source[self.end :]

    @property
    def change(self) -> str:
        """What becomes what."""
        old = self.path.read_text(encoding="utf-8")[self.start : self.end]
        return f"{' '.join(old.split())} → {' '.join(self.text.split())}"

    @property
    def name(self) -> str:
        """The change and its function; it stays when the lines of the module move."""
        return f"{self.path.stem}.{self.function}: {self.change}"

    def __str__(self) -> str:
        return f"{self.path.relative_to(ROOT).as_posix()}:{self.line}: {self.change}"


def mutants(path: Path) -> Iterator[Mutant]:
    """Find every change of a module: inside functions that compute, not in what they say."""
    source = path.read_text(encoding="utf-8")
    starts = [0]
    for line in source.splitlines(keepends=True):
        starts.append(starts[-1] + len(line.encode()))
    data = source.encode()

    def offset(line: int, column: int) -> int:
        return len(data[: starts[line - 1] + column].decode())

    for function in _functions(path, source):
        sizes = set(_sizes(function))
        for node in _inside(function):
            if node in sizes:
                continue
            for old, new in _changes(node):
                begin = offset(old.lineno, old.col_offset)
                end = offset(old.end_lineno or 1, old.end_col_offset or 0)
                yield Mutant(path, old.lineno, begin, end, new, function.name)


def _functions(path: Path, source: str) -> Iterator[ast.FunctionDef | ast.ClassDef]:
    for function in ast.parse(source).body:
        if not isinstance(function, ast.FunctionDef | ast.ClassDef) or _draws(function):
            continue
        if home().get(ast.unparse(function), path) == path:
            yield function


@cache
def home() -> dict[str, Path]:
    """Return for functions that several modules share where they are changed: where a test names them.

    They are the same code everywhere, as `make check` sees to.
    """
    found: dict[str, list[tuple[str, Path]]] = {}
    for path in sorted((ROOT / "src" / "x0").glob("*/[a-z]*.py")):
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                found.setdefault(ast.unparse(node), []).append((node.name, path))

    def named(row: tuple[str, Path]) -> int:
        files = [ROOT / name for name in tests_of(row[1])]
        return sum(file.read_text().count(row[0]) for file in files if file.is_file())

    shared = {text: rows for text, rows in found.items() if len(rows) > 1}
    return {text: max(rows, key=named)[1] for text, rows in shared.items()}


def _draws(function: ast.AST) -> bool:
    return any(isinstance(node, ast.Name) and node.id in DRAWN for node in ast.walk(function))


def _inside(node: ast.AST) -> Iterator[ast.AST]:
    """Walk through what is computed: no annotations, decorators, messages, texts or seeds."""
    skipped: list[ast.AST | None] = []
    match node:
        case ast.FunctionDef(decorator_list=decorators, returns=returns):
            skipped = [*decorators, returns]
        case ast.arguments():
            skipped = [value for name, value in _defaults(node) if name in QUIET]
        case ast.AnnAssign(annotation=annotation):
            skipped = [annotation]
        case ast.Assert(msg=message):
            skipped = [message]
    for child in ast.iter_child_nodes(node):
        match child:
            case ast.Raise() | ast.JoinedStr() | ast.arg() | ast.Slice() | ast.Import():
                continue
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if name in SEEDED:
                continue
            case ast.keyword(arg=name) if name in QUIET:
                continue
        if not any(child is other for other in skipped):
            yield child
            yield from _inside(child)


def _defaults(node: ast.arguments) -> list[tuple[str, ast.expr | None]]:
    places = reversed([*node.posonlyargs, *node.args])
    pairs: list[tuple[ast.arg, ast.expr | None]] = [
        *zip(places, reversed(node.defaults), strict=False)
    ]
    pairs += zip(node.kwonlyargs, node.kw_defaults, strict=True)
    return [(argument.arg, value) for argument, value in pairs]


def _sizes(function: ast.AST) -> Iterator[ast.AST]:
    """Find the numbers that say how many points, draws or steps there are."""
    found: list[tuple[ast.AST | None, int]] = []
    for node in ast.walk(function):
        match node:
            case ast.arguments():
                found += [(value, MANY) for name, value in _defaults(node) if name in SIZES]
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name)) if name in SIZED:
                where = SIZED[name] or range(len(node.args))
                given = [node.args[i] for i in where if i < len(node.args)]
                for one in given:
                    several = one.elts if isinstance(one, ast.Tuple) else [one]
                    found += [(size, 2 if name in DRAWS else MANY) for size in several]
    for size, least in found:
        if isinstance(size, ast.Constant) and type(size.value) is int and size.value >= least:
            yield size


def sizes() -> int:
    """Count the sizes of experiments, which are not changed."""
    found = [f for path in sources() for f in _functions(path, path.read_text(encoding="utf-8"))]
    return sum(len([*_sizes(function)]) for function in found)


def _changes(node: ast.AST) -> Iterator[tuple[ast.expr, str]]:
    match node:
        case ast.BinOp(right=ast.BinOp(left=ast.Constant(value=0), op=ast.Mult())):
            pass  # "+ 0 * z" adds nothing: that there is something to differentiate
        case ast.BinOp(left=ast.Constant(value=0), op=ast.Mult()):
            pass
        case ast.BinOp(left=a, op=op, right=b) if type(op) in BINARY:
            yield node, f"(({ast.unparse(a)}) {BINARY[type(op)]} ({ast.unparse(b)}))"
        case ast.Compare(left=a, ops=[op], comparators=[b]) if type(op) in COMPARED:
            yield node, f"({ast.unparse(a)} {COMPARED[type(op)]} {ast.unparse(b)})"
        case ast.BoolOp(op=op, values=values):
            word = " or " if isinstance(op, ast.And) else " and "
            yield node, "(" + word.join(f"({ast.unparse(value)})" for value in values) + ")"
        case ast.UnaryOp(op=ast.USub() | ast.Not(), operand=operand):
            yield node, f"({ast.unparse(operand)})"
        case ast.Constant(value=bool(value)):
            yield node, str(not value)
        case ast.Constant(value=int(value)):  # a count off by one is another experiment, no error
            yield node, str(value + 1 if value < MANY else value // 2)
        case ast.Constant(value=float(value)):  # so is a tolerance half as large again
            new = value * (1.5 if value > TINY else 1000) if value else 1.0
            yield node, repr(float(f"{new:.12g}"))
        case ast.Call(func=ast.Attribute(attr=name, value=owner)) if name in CALLED:
            whose, new = ast.unparse(owner), CALLED[name]
            new = "f" * (whose == "math" and new == "abs") + new  # a function that there is
            yield node.func, f"({whose}).{new}"
        case ast.Call(func=ast.Name(id=name)) if name in CALLED and name not in ("sum",):
            yield node.func, CALLED[name]


def tests_of(path: Path) -> list[str]:
    """Return the tests that know a module: its mirror, and others that name it."""
    mirror = f"tests/{path.parent.name}/test_{path.stem}.py"
    name = re.compile(rf"import (\([^)]*)?\b{path.stem}\b")
    others = [
        test.relative_to(ROOT).as_posix()
        for test in sorted((ROOT / "tests" / path.parent.name).glob("test_*.py"))
        if name.search(test.read_text(encoding="utf-8"))
    ]
    return list(dict.fromkeys([mirror, *others]))


def wider(path: Path) -> list[str]:
    """Return the tests in which functions of a module meet odd arguments: they see what is left."""
    return ["tests/zoo/test_contract.py", "-k", f"[{path.stem}."]


def _here(jobs: Sequence[Job], workers: int | None = None) -> Iterator[tuple[Job, Outcome]]:
    """Run modules as x0_build.run.pool does, in children of a process that knows the libraries."""
    context = multiprocessing.get_context("fork")
    for job in jobs:
        with warnings.catch_warnings(), ProcessPoolExecutor(1, context) as executor:
            warnings.simplefilter("ignore")
            yield job, executor.submit(worker.run, job).result()


@dataclass
class _Order:
    """The tests that do not wait for the main part of a module come first: most decide.

    Of a table for all modules of an area only the rows of this module run.
    """

    stem: str

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        row = re.compile(rf"\b{self.stem}\b")
        table = {x for x in items if "test_borders" in x.nodeid and hasattr(x, "callspec")}
        items[:] = [x for x in items if x not in table or row.search(x.name)]
        waiting = {"values", "printed"}
        items.sort(key=lambda item: not waiting.isdisjoint(getattr(item, "fixturenames", ())))


def _test(copy: str, names: list[str]) -> None:
    """Run tests in a copy of the project and end with pytest's code; a process of its own."""
    os.setsid()  # so that what the tests start ends with them
    os.chdir(copy)
    resource.setrlimit(resource.RLIMIT_CPU, (SECONDS, SECONDS))
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(nowhere, stream)
    gc.freeze()  # what was imported stays: pytest collects garbage at its end, twice
    x0_build.run.load = lambda _: {}  # each result that a test asks for is read by itself
    pool.run = _here
    quiet = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", "--doctest-modules"]
    code = pytest.main([*quiet, *names], plugins=[_Order(Path(names[0]).stem)])
    os._exit(int(code))


def run(copy: Path, names: list[str]) -> int:
    """Run tests in a copy of the project; return pytest's code, 1 if they use up their time."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(LIBRARIES)
    process = context.Process(target=_test, args=(str(copy), names))
    process.start()
    process.join(PATIENCE)
    if process.exitcode is None:
        os.killpg(process.pid or 0, signal.SIGKILL)
        process.join()
        return -1
    return 1 if process.exitcode in (-signal.SIGXCPU, -signal.SIGKILL) else process.exitcode


def judge(mutant: Mutant, copy: Path, green: bool) -> str:
    """Run the tests of a module with a change, before that without; return the mutant's fate."""
    path = copy / mutant.path.relative_to(ROOT)
    names = [str(path), *tests_of(mutant.path)]
    if not green and not (copy / path.name).is_file():
        if run(copy, names):
            return "tests fail without it:"
        (copy / path.name).touch()  # once for each module
    path.write_text(mutant.apply(), encoding="utf-8")
    try:
        code = run(copy, names) or run(copy, wider(mutant.path))
    finally:
        shutil.copyfile(mutant.path, path)
    fates = {0: "survived", 5: "survived", 1: "killed", 2: "killed"}  # 5: there are no wider tests
    return fates.get(code, "not judged")


def copies(folder: Path, count: int) -> SimpleQueue[Path]:
    """Return copies of the project to work in, one for each worker."""
    found: SimpleQueue[Path] = SimpleQueue()
    for number in range(count):
        copy = folder / str(number)
        for name in COPIED:
            source = ROOT / name
            if source.is_dir():
                shutil.copytree(source, copy / name)
            else:
                shutil.copyfile(source, copy / name)
        shutil.copytree(ROOT / "build" / "run", copy / "build" / "run")
        found.put(copy)
    return found


def sources() -> list[Path]:
    """Return the modules whose changes count: all but the labs."""
    found = (ROOT / "src" / "x0").glob("*/[a-z]*.py")
    return sorted(path for path in found if path.parent.name != "labs")


def draw(stems: list[str], sample: int, seed: int) -> tuple[list[Mutant], int]:
    """Choose mutants at random; return them, and how many there are."""
    equal = tomllib.loads(EQUAL.read_text(encoding="utf-8"))
    found = [m for path in sources() if not stems or path.stem in stems for m in mutants(path)]
    if not stems and (gone := equal.keys() - {m.name for m in found}):
        raise SystemExit(f"{EQUAL.name} explains what is no mutant: {', '.join(sorted(gone))}")
    found = [mutant for mutant in found if mutant.name not in equal]
    return random.Random(seed).sample(found, min(sample, len(found))), len(found)


def main() -> int:
    """Run the command; 1 if fewer than nine in ten mutants are killed, and chance is no excuse."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stems", nargs="*", help="modules; all by default")
    parser.add_argument("--sample", type=int, default=300, help="judge this many, at random")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="at once")
    parser.add_argument("--green", action="store_true", help="all tests have just passed")
    options = parser.parse_args()
    os.environ.update(SURROUNDINGS)
    start = time.perf_counter()
    chosen, possible = draw(options.stems, options.sample, options.seed)
    fates: Counter[str] = Counter()
    with (
        tempfile.TemporaryDirectory() as folder,
        ThreadPoolExecutor(options.jobs) as threads,
    ):
        free = copies(Path(folder), options.jobs)

        def work(mutant: Mutant) -> tuple[Mutant, str]:
            copy = free.get()
            try:
                return mutant, judge(mutant, copy, options.green)
            finally:
                free.put(copy)

        for mutant, fate in threads.map(work, chosen):
            fates[fate] += 1
            if fate != "killed":
                print(f"{fate:10} {mutant}", flush=True)
            if not (done := sum(fates.values())) % 20:
                print(f"{fates['killed']} of {done} killed so far", flush=True)
    count = len(chosen) or 1
    print(
        f"{fates['killed']} of {len(chosen)} mutants of modules killed "
        f"({fates['killed'] / count:.1%}); {possible} are possible, "
        f"{sizes()} sizes of experiments are not changed; "
        f"seed {options.seed}, {time.perf_counter() - start:.0f} s"
    )
    return int(fates["killed"] < 0.9 * count - 2 * math.sqrt(0.09 * count))


if __name__ == "__main__":
    raise SystemExit(main())
