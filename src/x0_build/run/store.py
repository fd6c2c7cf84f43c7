"""What is kept of a run: one file for each module, under build/run, verified when it is read.

A file holds a hash of the rest, a line of JSON, and a line of JSON with the drawings, which only
those who ask for a drawing take apart. Whatever does not fit is as good as missing.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import re
import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from importlib import metadata
from pathlib import Path

from x0_build.data.cache import digest, digest_of, keep, locked, recall, seal, unseal
from x0_build.project import Project
from x0_build.run.module import Module
from x0_build.run.values import Tree, decode, encode

LIBRARIES = ("numpy", "torch", "matplotlib", "scikit-learn")


@dataclass(frozen=True)
class Result:
    """What the last good run of a module gave."""

    module: Module
    outputs: tuple[str, ...] = ()  # printed by each section; of a lab, by each code cell
    values: dict[str, Tree] = field(default_factory=dict)
    figures: tuple[str, ...] = ()  # keys such as "he-depth-moments", in source order
    labels: dict[str, str] = field(default_factory=dict)  # texts of the figures → Chinese
    versions: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0
    cached: bool = True
    drawn: str = "{}"  # key → language → SVG, as JSON
    sections: tuple[str, ...] = ()  # that run, in order

    @property
    def output(self) -> str:
        """Return everything that was printed."""
        return "".join(self.outputs)

    def printed(self, section: str) -> str:
        """Return what a section printed; a module without sections is one, the demo."""
        return dict(zip(self.sections or ("demo",), self.outputs, strict=False)).get(section, "")

    @property
    def seeds(self) -> dict[str, Tree]:
        """Return the constants SEED and SEEDS."""
        return {name: self.values[name] for name in ("SEED", "SEEDS") if name in self.values}

    @cached_property
    def _drawings(self) -> dict[str, dict[str, str]]:
        return dict(json.loads(self.drawn))

    def figure(self, key: str, language: str) -> str:
        """Return a figure as SVG."""
        return self._drawings[key][language]


@dataclass(frozen=True)
class Store:
    """The results of a project."""

    project: Project

    @property
    def folder(self) -> Path:
        """Return where the results are."""
        return self.project.build / "run"

    def path(self, module: Module) -> Path:
        """Return the file of a module."""
        return self.folder / module.area / f"{module.stem}.txt"

    def read(self, module: Module) -> tuple[Result, str] | None:
        """Return what is stored, and its fingerprint; nothing if it is not what was written."""
        head, _, drawn = unseal(self.path(module)).partition("\n")
        with contextlib.suppress(ValueError, KeyError, TypeError, SyntaxError):  # another version
            found = json.loads(head)
            fingerprint = str(found.pop("fingerprint"))
            found["values"] = {name: decode(value) for name, value in found["values"].items()}
            found |= {name: tuple(found[name]) for name in ("outputs", "figures", "sections")}
            return Result(module, drawn=drawn, **found), fingerprint
        return None

    def write(self, result: Result, fingerprint: str) -> None:
        """Keep a result, whole or not at all."""
        names = ("outputs", "figures", "labels", "versions", "seconds", "sections")
        head = {name: getattr(result, name) for name in names}
        values = {name: encode(value) for name, value in result.values.items()}
        head |= {"fingerprint": fingerprint, "values": values}
        seal(self.path(result.module), f"{json.dumps(head, ensure_ascii=False)}\n{result.drawn}")

    def strangers(self, found: Iterable[Module]) -> list[Path]:
        """Return what belongs to no module."""
        kept = {self.path(module) for module in found}
        return [path for path in self.folder.glob("*/*") if path not in kept]

    def remove(self, paths: Iterable[Path]) -> None:
        """Remove files and folders."""
        for path in paths:
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Let the second of two builds wait: then it finds everything done."""
        with self.project.writing(self.folder), locked(self.folder / "lock"):
            yield

    def environment(self, find: Callable[[], str] | None = None) -> dict[str, str]:
        """Return everything but a module and its labels that results depend on.

        Args:
            find: Asks PyTorch for the processor's capability, which takes seconds; without
                it, what was found last on this machine stands.
        """
        versions = {name: metadata.version(name) for name in LIBRARIES}
        processor = platform.processor()
        with contextlib.suppress(OSError):
            text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
            if found := re.search(r"^(flags|Features).*", text, re.MULTILINE):
                processor = found[0]
        known = digest(versions["torch"], processor, os.environ.get("ATEN_CPU_CAPABILITY", ""))
        path = self.folder / "machine.json"
        capability = recall(path, known)
        if capability is None and find:
            capability = find()
            keep(path, known, capability)
        return {
            "python": platform.python_version(),
            **versions,
            "architecture": platform.machine(),
            "capability": str(capability or ""),
            "code": _code(),
        }


def fingerprint(source: object, environment: dict[str, str], labels: dict[str, str]) -> str:
    """Return what changes when results may."""
    return digest(json.dumps([source, environment, sorted(labels.items())]))


def _code() -> str:
    """Return a hash of the code and the style that run and draw a module."""
    names = ("drawing.py", "figures.py", "values.py", "worker.py", "x0.mplstyle")
    files = [Path(__file__).with_name(name) for name in names]
    return digest_of([*files, Path(__file__).parents[2] / "x0_beside"])
