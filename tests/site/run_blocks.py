"""Runs sequences of code blocks, each as its reader would: `python -I run_blocks.py`, not a test.

Standard input holds a JSON list of sequences, each a list of [name, code]; standard output gets
one JSON object per sequence. A sequence runs in a process of its own, forked from one that has
imported NumPy and PyTorch and nothing else: that saves two seconds each and hides no import that
the code lacks. x0 itself cannot be imported.
"""

from __future__ import annotations

import ast
import contextlib
import importlib.abc
import io
import json
import linecache
import os
import shutil
import signal
import sys
import tempfile
import traceback
import types
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

SECONDS = 120  # for one sequence; a page's code runs in a few


class HideProject(importlib.abc.MetaPathFinder):
    """Makes x0 as absent as it is on a reader's machine."""

    def find_spec(self, fullname: str, path: Any = None, target: Any = None) -> None:
        if fullname.partition(".")[0] in {"x0", "x0_build", "x0_equations"}:
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)


class Called:
    """Collects which functions of the blocks are called and which classes are instantiated."""

    def __init__(self, files: set[str]) -> None:
        self.files = files
        self.functions: set[tuple[str, str]] = set()
        self.classes: set[str] = set()

    def __call__(self, frame: types.FrameType, event: str, _: object) -> None:
        if event != "call":
            return
        code = frame.f_code
        if code.co_filename in self.files:
            self.functions.add((code.co_filename, code.co_qualname))
        if code.co_argcount:  # what makes an instance of a dataclass or named tuple has no file
            first = code.co_varnames[0]
            if code.co_name == "__init__":
                self.classes |= {base.__qualname__ for base in type(frame.f_locals[first]).__mro__}
            elif first == "_cls":
                self.classes.add(frame.f_locals[first].__qualname__)


def uncalled(blocks: Sequence[tuple[str, str]], called: Called) -> list[str]:
    """Return the functions and classes that the blocks define at top level and never use."""
    found = []
    for name, code in blocks:
        for node in ast.parse(code).body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                if (name, node.name) not in called.functions:
                    found.append(node.name)
            elif isinstance(node, ast.ClassDef) and node.name not in called.classes:
                inside = {f for f, q in called.functions if q.startswith(f"{node.name}.")}
                if name not in inside:
                    found.append(node.name)
    return found


def run(blocks: Sequence[tuple[str, str]]) -> dict[str, Any]:
    """Run one sequence in this process; return what each block printed and what went wrong."""
    main = types.ModuleType("__main__")
    sys.modules["__main__"] = main  # dataclasses and pickle look there
    called = Called({name for name, _ in blocks})
    printed: list[str] = []
    warnings.simplefilter("error")
    for name, code in blocks:
        linecache.cache[name] = (len(code), None, code.splitlines(keepends=True), name)
        out = io.StringIO()
        try:
            with contextlib.redirect_stdout(out):
                compiled = compile(code, name, "exec", dont_inherit=True)
                sys.setprofile(called)
                try:
                    exec(compiled, main.__dict__)
                finally:
                    sys.setprofile(None)
        except BaseException:  # SystemExit too: a block that leaves is a block that fails
            text = traceback.format_exc()
            own = text.partition(f'  File "{name}"')
            return {
                "printed": printed,
                "error": f"in {name}:\n{own[1]}{own[2]}" if own[1] else text,
            }
        printed.append(out.getvalue())
    return {"printed": printed, "uncalled": uncalled(blocks, called)}


def child(blocks: Sequence[tuple[str, str]], folder: Path, answer: Path) -> None:
    """Run a sequence in an empty folder and leave the answer in a file."""
    signal.alarm(SECONDS)
    folder.mkdir()
    os.chdir(folder)
    result = run(blocks)
    result["files"] = sorted(path.name for path in folder.iterdir())
    answer.write_text(json.dumps(result), encoding="utf-8")


def run_all(sequences: Sequence[Sequence[tuple[str, str]]], folder: Path) -> list[dict[str, Any]]:
    """Run every sequence, as many at once as there are cores."""
    waiting = list(enumerate(sequences))
    running: dict[int, int] = {}
    results: dict[int, dict[str, Any]] = {}
    while waiting or running:
        while waiting and len(running) < (os.cpu_count() or 1):
            number, blocks = waiting.pop(0)
            pid = os.fork()
            if pid == 0:
                status = 1
                try:
                    child(blocks, folder / str(number), folder / f"{number}.json")
                    status = 0
                finally:
                    os._exit(status)
            running[pid] = number
        pid, status = os.wait()
        number = running.pop(pid)
        answer = folder / f"{number}.json"
        if status == 0 and answer.is_file():
            results[number] = json.loads(answer.read_text(encoding="utf-8"))
        else:
            code = os.waitstatus_to_exitcode(status)
            text = f"its process died with {code} (-{signal.SIGALRM}: after {SECONDS} s)"
            results[number] = {"printed": [], "error": text}
    return [results[number] for number in range(len(sequences))]


def main() -> None:
    """Read sequences, run them, write the results."""
    sys.meta_path.insert(0, HideProject())
    sequences = [[(name, code) for name, code in blocks] for blocks in json.load(sys.stdin)]
    import numpy  # noqa: F401
    import torch

    torch.set_num_threads(1)
    folder = Path(tempfile.mkdtemp(prefix="x0-blocks-"))
    try:
        json.dump(run_all(sequences, folder), sys.stdout)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
