"""Bytes of any source file are cut, doubled or flipped: a named problem, or a correct book.

`X0_CASES=500 pytest tests/build/test_fuzz.py` tries more than the normal run, at random.
"""

from __future__ import annotations

import os
import random
import warnings
from typing import Any

import pytest

from x0_build import site
from x0_build.project import BuildError
from x0_build.run import pool

CASES = int(os.environ.get("X0_CASES", 0))
RENDERED = CASES // 10 or 2  # as many correct books go through MkDocs too
PATTERNS = ("*.yml", "docs/**/*", "snippets/**/*.*", "src/x0/**/*.py", "tests/**/*.py")
SUFFIXES = {".md", ".yml", ".toml", ".bib", ".tex", ".py", ".html", ".xml", ".css", ".js"}
# Where a problem may lie: a source, or what its name is derived from.
SOURCES = ("docs/", "snippets/", "src/x0/", "tests/", "mkdocs.yml", "mkdocs.en.yml")
LEFT = ("math/tex", "<object data-figure", "{val:", "{eq:", "{fig:", "{term:")


def mutated(data: bytes, how: str, place: float, size: int, bit: int) -> bytes:
    at = int(place * len(data))
    part = data[at : at + size]
    if how == "flip":
        part = bytes(byte ^ 1 << bit for byte in part[:1]) + part[1:]
    return data[:at] + {"cut": b"", "double": part * 2, "flip": part}[how] + data[at + size :]


def outcome(project: Any, rendered: list[str], file: str) -> None:
    """Build as far as the case allows."""
    try:
        book = site.load(project, progress=False)
        site.prepare(project, book)
        if len(rendered) < RENDERED:
            rendered.append(file)
            site.build(project, book=book, progress=False)
    except BuildError as error:
        for problem in error.problems:
            assert problem.file.startswith(SOURCES), problem
            assert problem.message.strip(), problem
            assert problem.remedy.strip(), problem
            assert problem.line >= 0, problem
    else:
        pages = [path.read_text(encoding="utf-8") for path in project.site.rglob("*.html")]
        assert pages
        assert [sign for page in pages for sign in LEFT if sign in page] == []


@pytest.mark.filterwarnings("default")
def test_any_bytes_end_in_a_problem_or_a_book(built: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pool, "SECONDS", 20)
    project = built.project
    paths = {p for pattern in PATTERNS for p in built.root.glob(pattern) if p.suffix in SUFFIXES}
    files = {p.relative_to(built.root).as_posix(): p.read_bytes() for p in sorted(paths)}
    assert len(files) > 20
    rendered: list[str] = []

    names = [name for name, data in files.items() if data]
    rng = random.Random() if CASES else random.Random(0)
    for _ in range(CASES or 60):
        file, how = rng.choice(names), rng.choice(["cut", "double", "flip"])
        place, size, bit = rng.random(), rng.randint(1, 12), rng.randint(0, 7)
        path = built.root / file
        path.write_bytes(mutated(files[file], how, place, size, bit))
        try:
            with warnings.catch_warnings():
                outcome(project, rendered, file)
        finally:
            path.write_bytes(files[file])
