"""A small copy of the project: real pages, run through the real pipeline, free to be broken."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from x0_build.book import Book
from x0_build.markdown import Context
from x0_build.paths import LANGUAGES, Project

ROOT = Path(__file__).parents[2]
START = "guide/notation"  # the copy holds this page, and what it leads to
PROBLEM = re.compile(
    r"^(?P<file>[^\s:]+)(?::(?P<line>\d+))?: (?P<message>.+(?:\n {6}.*)*)\n    → (?P<remedy>.+)$",
    re.MULTILINE,
)


@dataclass(frozen=True)
class Found:
    """One problem as it was printed."""

    file: str
    line: int
    message: str
    remedy: str


@dataclass(frozen=True)
class Run:
    """What a build said."""

    code: int
    output: str

    @property
    def problems(self) -> list[Found]:
        return [
            Found(m["file"], int(m["line"] or 0), m["message"], m["remedy"])
            for m in PROBLEM.finditer(self.output)
        ]


@dataclass(frozen=True)
class Copy:
    """A copy of the project."""

    root: Path

    def build(self) -> Run:
        """Build the site as a person does."""
        done = subprocess.run(
            [sys.executable, "-m", "x0_build", "site"],
            cwd=self.root,
            env={**os.environ, "X0_ROOT": str(self.root)},
            capture_output=True,
            text=True,
            check=False,
        )
        return Run(done.returncode, done.stdout + done.stderr)

    def read(self, name: str) -> str:
        return (self.root / name).read_text(encoding="utf-8")

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def replace(self, name: str, old: str, new: str) -> int:
        """Replace the first occurrence of a text; return the line where the new one starts."""
        text = self.read(name)
        assert old in text, f"{name} no longer holds {old!r}"
        self.write(name, text.replace(old, new, 1))
        return text.count("\n", 0, text.index(old)) + 1

    def site_hash(self) -> str:
        """Return a hash of every path and byte of the finished site."""
        digest = hashlib.sha256()
        for path in sorted(path for path in (self.root / "site").rglob("*") if path.is_file()):
            digest.update(f"{path.relative_to(self.root)}\0".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
        return digest.hexdigest()


def closure(book: Book, start: str) -> list[str]:
    """Return a page and all that it needs: what it links to, refers to and builds upon."""
    found: list[str] = []
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in found or name not in book.pages["zh"]:
            continue
        found.append(name)
        page = book.pages["zh"][name]
        waiting += page.meta.get("prerequisites", [])
        for target, _ in page.links:
            if not re.match(r"[a-z]+:|#", target):
                uri = os.path.normpath(os.path.join(os.path.dirname(page.uri), target))
                waiting.append(uri.partition("#")[0].removesuffix(".md"))
        for use in page.uses:
            if use.kind in ("eqref", "figref") and (home := book.home(use.kind[:-3], use.key)):
                waiting.append(home)
            stem = use.key.partition(".")[0] if use.kind == "val" else ""
            if use.kind in ("fig", "figref"):
                stem = book.figure_modules.get(use.key, "")
            if stem in book.modules and book.modules[stem].area == "labs":
                waiting.append(f"labs/{stem.replace('_', '-')}")
            if use.kind == "tag":
                waiting.append("guide/notation")
    return sorted(found)


def copy_project(target: Path) -> None:
    """Copy what a few pages need; the rest of the project stays away."""
    book = Book(Project(ROOT))
    names = closure(book, START)
    stems = {stem for name in names for stem in _stems(book, name)}
    labs = {lab.uri.removesuffix(".md"): lab.module.stem for lab in book.labs}
    for name in names:
        for language in LANGUAGES if name not in labs else ():
            _copy(target, f"docs/{language}/{name}.md")
        if name in labs:
            _copy(target, f"src/x0/labs/{labs[name]}.py")
            _copy(target, f"build/labs/{labs[name]}")
    for stem in stems - set(labs.values()):
        module = book.modules[stem]
        _copy(target, f"src/x0/{module.area}/{stem}.py")
        _copy(target, f"build/run/{module.area}/{stem}")
    for name in ("docs/theme", "snippets", "tests", "src/x0_build", "src/x0/__init__.py"):
        _copy(target, name)
    for name in ("build/run/machine.json", "build/run/times.json"):
        if (ROOT / name).is_file():  # else there is nothing to reuse yet
            _copy(target, name)
    (target / "node_modules").symlink_to(ROOT / "node_modules", target_is_directory=True)
    for name in ("mkdocs.yml", "mkdocs.en.yml"):
        head, _, _ = (ROOT / name).read_text(encoding="utf-8").partition("\nnav:")
        nav = yaml.safe_dump({"nav": [f"{page}.md" for page in names]})
        (target / name).write_text(f"{head}\n{nav}", encoding="utf-8")
    # Claims and headings of pages that stayed away.
    path = target / "snippets" / "claims.toml"
    head, *rows = re.split(r"(?m)^(?=\[\[\w+\]\])", path.read_text(encoding="utf-8"))
    homes = re.compile(r'^"[A-Z]-H\d+" = .*home = "([^"#]+)', re.MULTILINE)
    lines = head.splitlines(keepends=True)
    head = "".join(x for x in lines if not (home := homes.match(x)) or home[1] in names)
    pages = {row: re.search(r'^page = "([^"]+)"', row, re.MULTILINE) for row in rows}
    kept = [row for row, page in pages.items() if page and page[1] in names]
    path.write_text("".join([head, *kept]), encoding="utf-8")
    # So do pages that explain terms.
    path = target / "snippets" / "glossary.toml"
    terms = path.read_text(encoding="utf-8").split("\n\n")
    homes = re.compile(r'^page = "([^"]+)"', re.MULTILINE)
    kept = [x for x in terms if not (home := homes.search(x)) or home[1] in names]
    used = {key for name in names for key in book.pages["zh"][name].keys("term")}
    table = re.compile(r"^\[([\w-]+)\]", re.MULTILINE)
    kept = [x for x in kept if not (key := table.search(x)) or key[1] in used or homes.search(x)]
    path.write_text("\n\n".join(kept) + "\n", encoding="utf-8")


def _stems(book: Book, name: str) -> list[str]:
    from markdown import Markdown

    context = Context(Markdown(), book, "zh", "")
    context.page = book.pages["zh"][name]
    own = [stem for stem in book.modules if stem.replace("_", "-").startswith(context.page.stem)]
    return [*context.stems, *own]


def _copy(target: Path, name: str) -> None:
    source = ROOT / name
    (target / name).parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        ignored = shutil.ignore_patterns("__pycache__", "*.new")
        shutil.copytree(source, target / name, ignore=ignored, dirs_exist_ok=True)
    elif source.exists() or not name.startswith("build/"):
        shutil.copy2(source, target / name)


@pytest.fixture(scope="session")
def good_build(tmp_path_factory: pytest.TempPathFactory) -> tuple[Copy, Run]:
    """A small copy that has been built, and what its build said."""
    copy = Copy(tmp_path_factory.mktemp("x0"))
    copy_project(copy.root)
    return copy, copy.build()


@pytest.fixture
def project_copy(good_build: tuple[Copy, Run], tmp_path: Path) -> Copy:
    """A copy with a good site/, for one test to break."""
    copy, run = good_build
    assert run.code == 0, run.output
    shutil.copytree(copy.root, tmp_path / "x0", symlinks=True)
    return Copy(tmp_path / "x0")


@pytest.fixture
def assert_stops(
    project_copy: Copy,
) -> Callable[..., None]:
    """Build a broken copy and compare what it says with what it must say."""
    before = project_copy.site_hash()

    def stops(*expected: tuple[str, int, str, str], mkdocs: bool = False) -> None:
        run = project_copy.build()
        assert run.code == 1, run.output
        assert "Traceback" not in run.output
        places = [(found.file, found.line) for found in run.problems]
        assert places == sorted((file, line) for file, line, _, _ in expected), run.output
        for found, (_, _, message, remedy) in zip(run.problems, sorted(expected), strict=True):
            assert message in found.message
            assert remedy in found.remedy
        assert f"{len(expected)} problem(s); nothing was published." in run.output
        assert project_copy.site_hash() == before, "the last good site was touched"
        started = (project_copy.root / "build" / "staging" / "site").exists()
        assert started == mkdocs, "MkDocs must start only when the sources are good"

    return stops
