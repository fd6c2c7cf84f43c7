"""The folders of a checkout, the one way to read and write its files, and what is wrong with them."""

from __future__ import annotations

import ast
import errno
import json
import os
import re
import tomllib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from x0_build.shape import Data, Lines, lines_of, misfits, named

LANGUAGES = ("zh", "en")
REFUSALS = {errno.ENOSPC, errno.EROFS, errno.EACCES, errno.EPERM, errno.EDQUOT, errno.EFBIG}
REFUSALS |= {errno.EEXIST, errno.ENOTDIR, errno.EISDIR}  # a file stands where a folder should
# What no editor shows, and Python or Markdown take for the end of a line.
_CONTROL = re.compile(r"[\0-\x08\x0b-\x1f\x7f\x85\u2028\u2029\ufeff]")


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
    """Everything that one pass found, sorted by place: what reads or checks sources raises it."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = sorted(set(problems))
        super().__init__("\n".join(str(problem) for problem in self.problems))


@dataclass(frozen=True)
class Project:
    """One checkout."""

    root: Path
    src: Path = field(init=False)  # the snippets and the build layer
    docs: Path = field(init=False)  # the pages, by language, and the theme
    snippets: Path = field(init=False)  # equations, labels, glossary, references, claims
    tests: Path = field(init=False)
    build: Path = field(init=False)  # what the build keeps between runs
    site: Path = field(init=False)  # the finished site

    def __post_init__(self) -> None:
        """Find the folders."""
        for name in ("src", "docs", "snippets", "tests", "build", "site"):
            object.__setattr__(self, name, self.root / name)

    @classmethod
    def find(cls) -> Project:
        """Return the project named by X0_ROOT, else the one around the working folder."""
        start = Path(os.environ.get("X0_ROOT") or Path.cwd()).resolve()
        for folder in (start, *start.parents):
            if (folder / "mkdocs.yml").is_file() and (folder / "src" / "x0").is_dir():
                return cls(folder)
        message = "there is no x0 project (mkdocs.yml, src/x0) here or above"
        raise BuildError([Problem(str(start), 0, message, "run the command inside a clone of x0")])

    def relative(self, path: Path) -> str:
        """Return a path as it is shown to people: relative to the root, with slashes."""
        try:
            return path.resolve().relative_to(self.root).as_posix()
        except ValueError:
            return str(path)

    def error(self, path: Path, line: int, message: str, remedy: str) -> BuildError:
        """Return the error that one problem with a file makes."""
        return BuildError([Problem(self.relative(path), line, message, remedy)])

    def data(self, path: Path) -> bytes:
        """Return the content of a file. No other place opens sources."""
        try:
            return path.read_bytes()
        except OSError as error:
            reason = error.strerror or str(error)
            raise self.error(path, 0, f"cannot be read: {reason}", "restore the file") from None

    def text(self, path: Path) -> str:
        """Return the text of a file."""
        data = self.data(path)
        try:
            text = data.decode("utf-8")
        except UnicodeDecodeError as error:
            line = data.count(b"\n", 0, error.start) + 1
            message = f"byte {data[error.start]:#04x} is no UTF-8"
            raise self.error(path, line, message, "save the file as UTF-8") from None
        if text.startswith("\ufeff"):
            raise self.error(path, 1, "begins with a byte-order mark", "save it as UTF-8 without")
        text = text.replace("\r\n", "\n")
        if control := _CONTROL.search(text):
            line = text.count("\n", 0, control.start()) + 1
            message = f"holds the control character {control[0]!r}"
            raise self.error(path, line, message, "remove it")
        return text

    def python(self, path: Path) -> ast.Module:
        """Return the tree of a Python file."""
        try:
            return ast.parse(self.text(path))
        except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
            line = getattr(error, "lineno", 0) or 0
            raise self.error(path, line, f"is no Python: {error}", "repair the line") from None

    def toml(self, path: Path, shape: Any) -> Data:
        """Return the content of a TOML file, which has a shape (see `misfits`)."""
        text = self.text(path)
        try:
            return self._fitting(path, tomllib.loads(text), shape, lines_of(text))
        except (tomllib.TOMLDecodeError, RecursionError) as error:
            match = re.search(r"line (\d+)", str(error))
            line = int(match[1]) if match else text.rstrip().count("\n") + 1
            raise self.error(path, line, f"is no TOML: {error}", "repair the line") from None

    def yaml(self, path: Path, shape: Any, text: str | None = None, first: int = 1) -> Data:
        """Return settings in YAML; a text inside a file begins at its line `first`."""
        loader = type("Loader", (yaml.SafeLoader,), {})
        # !ENV and !!python/name of mkdocs.yml are none of ours.
        loader.add_multi_constructor("", lambda *_: None)  # type: ignore[attr-defined]
        text = self.text(path) if text is None else text
        try:
            found = yaml.load(text, Loader=loader)
        except (yaml.YAMLError, ValueError, RecursionError) as error:
            mark = getattr(error, "problem_mark", None)
            line = mark.line + first if mark else 0
            said = getattr(error, "problem", None) or str(error).splitlines()[0]
            remedy = "repair the line; a text with “: ” in it stands in quotes"
            raise self.error(path, line, f"is no YAML: {said}", remedy) from None
        return self._fitting(path, {} if found is None else found, shape, lines_of(text, first))

    def json(self, path: Path, shape: Any) -> Data:
        """Return the content of a JSON file."""
        try:
            return self._fitting(path, json.loads(self.text(path)), shape, {})
        except (json.JSONDecodeError, RecursionError) as error:
            line = getattr(error, "lineno", 0)
            raise self.error(path, line, f"is no JSON: {error}", "restore the file") from None

    def _fitting(self, path: Path, found: Any, shape: Any, lines: Lines) -> Data:
        data, file = Data(found if isinstance(found, dict) else {}), self.relative(path)
        data.lines = lines
        if wrong := [
            Problem(file, data.line(*place), f"{named(place)} {message}", remedy)
            for place, message, remedy in misfits(found, shape)
        ]:
            raise BuildError(wrong)
        return data

    @contextmanager
    def writing(self, path: Path) -> Iterator[None]:
        """Turn what the disk refuses, while something is written there, into a problem."""
        try:
            yield
        except OSError as error:
            if error.errno not in REFUSALS:
                raise
            message = f"cannot be written: {os.strerror(error.errno)}"
            remedy = "make room, let the folder be written to, or remove what is in the way"
            raise self.error(path, 0, message, remedy) from None


def write(path: Path, content: str | bytes) -> bool:
    """Write only what changed (a watcher must not wake for nothing), whole or not at all."""
    data = content.encode() if isinstance(content, str) else content
    if path.is_file() and path.read_bytes() == data:
        return False
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return True
