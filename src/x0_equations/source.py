"""Reads snippets/equations: one file per concept, each equation under a line with its name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

FOLDER = "snippets/equations"
_NAME = re.compile(r"%% (?P<name>[a-z0-9]+(?:-[a-z0-9]+)*)")


class SourceError(ValueError):
    """A file of equations cannot be read; `file`, `line` and `remedy` say where and what to do."""

    def __init__(self, file: str, line: int, message: str, remedy: str) -> None:
        super().__init__(f"{file}:{line}: {message}\n    → {remedy}")
        self.file, self.line, self.message, self.remedy = file, line, message, remedy


@dataclass(frozen=True)
class Printed:
    """One displayed equation."""

    key: str  # the concept and the name: `he-variance` is `%% variance` in `he.tex`
    tex: str  # what stands under the name
    file: str  # relative to the project
    line: int  # where the TeX begins


def equations(root: Path) -> dict[str, Printed]:
    """Return every displayed equation by key, by file and in the order of the file."""
    found: dict[str, Printed] = {}
    for path in sorted((root / FOLDER).glob("*.tex")):
        file = f"{FOLDER}/{path.name}"
        for equation in _read(file, path.stem, text_of(file, path)):
            if equation.key in found:
                other = found[equation.key]
                message = f"{equation.key} stands in {other.file}:{other.line} too"
                raise SourceError(file, equation.line, message, "choose another name")
            found[equation.key] = equation
    return found


def text_of(file: str, path: Path) -> str:
    """Return the text of a source file.

    Raises:
        SourceError: It cannot be read, or is no UTF-8.
    """
    try:
        return path.read_bytes().decode("utf-8").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise SourceError(file, line, "is no UTF-8", "save the file as UTF-8") from None
    except OSError as error:
        message = f"cannot be read: {error.strerror}"
        raise SourceError(file, 0, message, "restore the file") from None


def _read(file: str, concept: str, text: str) -> list[Printed]:
    found: list[tuple[str, int, list[str]]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if match := _NAME.fullmatch(line.rstrip()):
            found.append((match["name"], number + 1, []))
        elif line.startswith("%%") or not line.replace("\t", "").isprintable():
            remedy = "write `%% name`: lower-case words joined by hyphens"
            raise SourceError(file, number, f"{line.strip()!r} names no equation", remedy)
        elif found:
            found[-1][2].append(line)
        elif line.strip():
            remedy = f"write `%% name` above it: its key is then {concept}-name"
            raise SourceError(file, number, "an equation has no name", remedy)
    for name, first, body in found:
        if not "".join(body).strip():
            message = f"the equation {concept}-{name} is empty"
            raise SourceError(file, first - 1, message, "write its TeX below its name")
    return [
        Printed(f"{concept}-{name}", "\n".join(body).strip("\n") + "\n", file, first)
        for name, first, body in found
    ]
