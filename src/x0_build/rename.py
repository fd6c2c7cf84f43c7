"""Renaming an equation or a concept, with everything that names it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from x0_build.data.checked import read_equations
from x0_build.new import check_name
from x0_build.project import BuildError, Problem, Project, write
from x0_build.run import modules

USAGE = "make rename from=he-normal to=he-gaussian"
FOLDERS = ("docs/zh", "docs/en", "snippets", "src/x0", "tests")
SUFFIXES = {".md", ".py", ".tex", ".toml"}
END = r"(?![\w-])"


@dataclass
class Plan:
    """What changes inside files, and which files move."""

    changes: list[tuple[str, str, str]] = field(default_factory=list)  # where, pattern, new text
    moves: dict[Path, Path] = field(default_factory=dict)

    def add(self, before: str, old: str, new: str, where: str = "") -> None:
        """Change a name that stands behind some text, in files whose path holds `where`."""
        self.changes.append((where, rf"({before}){re.escape(old)}{END}", rf"\g<1>{new}"))


def rename(project: Project, old: str, new: str) -> None:
    """Give an equation (its key) or a concept (the name of its page) another name everywhere.

    Raises:
        BuildError: There is no such thing, or the new name is taken; nothing is changed.
    """
    for name in (old, new):
        check_name(project, name, USAGE)
    pages = [path for path in sorted((project.docs / "zh").rglob("*.md")) if path.stem == old]
    known = read_equations(project)
    if old in known:
        plan = _equation(known[old].file, old, new, set(known))
    elif pages:
        plan = _concept(project, old, new, pages[0].parent.name, set(known))
    else:
        raise _refused(f"there is no equation and no page {old}", USAGE)
    if taken := [path for path in plan.moves.values() if path.exists()]:
        raise _refused(f"{project.relative(taken[0])} exists", "choose another name")
    total = sum(_change(project, path, plan) for path in _sources(project))
    for path, target in plan.moves.items():
        moved = ["git", "mv", str(path), str(target)]
        if subprocess.run(moved, cwd=project.root, capture_output=True).returncode:
            path.rename(target)  # git does not know it yet
        print(f"moved    {project.relative(path)} → {target.name}")
    print(f"{old} is {new} in {total} places. Next: `make format`, `make check`.")


def _equation(file: str, old: str, new: str, known: set[str]) -> Plan:
    concept = Path(file).stem
    if new in known:
        raise _refused(f"the equation {new} exists", "choose another name")
    if not new.startswith(f"{concept}-"):
        message = f"an equation of {concept} is called {concept}-…, not {new}"
        raise _refused(message, f"write to={concept}-…")
    plan, short = Plan(), len(concept) + 1
    plan.add(r"\{eq:|#eq-|[\"']", old, new)
    plan.add("(?m:^%% )", old[short:], new[short:], file)
    return plan


def _concept(project: Project, old: str, new: str, area: str, known: set[str]) -> Plan:
    plan, root = Plan(), project.root
    names = [path.stem for path in (project.docs / "zh" / area).glob("*.md")]
    stems = [
        module.stem
        for module in modules(project).values()
        if module.area == area and _owner(module.stem, names) == old
    ]
    for stem in stems:
        other = new.replace("-", "_") + stem[len(old) :]
        plan.add(
            rf"\b(?:x0|code)/{area}/|\bx0\.{area}(?: import (?:\w+, )*|\.)|\{{val:", stem, other
        )
        plan.add(r"\b(?:values|printed)\([\"']", stem, other, "tests/")
        plan.add(r"[\"']", stem, other, "claims.toml")
        plan.changes.append(("tests/", rf"\b{stem}(?=\.\w)", other))
        for path in (f"src/x0/{area}/{stem}.py", f"tests/{area}/test_{stem}.py"):
            plan.moves[root / path] = root / path.replace(f"{stem}.py", f"{other}.py")
        figures = re.findall(
            r"^def plot_(\w+)", project.text(root / f"src/x0/{area}/{stem}.py"), re.M
        )
        for figure in figures:
            key, renamed = (f"{s}_{figure}".replace("_", "-") for s in (stem, other))
            plan.add(r"\{fig:|#fig-|[\"']", key, renamed)
    for key in sorted(key for key in known if key.startswith(f"{old}-")):
        plan.add(r"\{eq:|#eq-|[\"']", key, new + key[len(old) :])
    plan.add(rf"\b{old}\.md#", old, new)
    plan.add(rf"\b(?:{area}|equations)/", old, new)
    plan.add(r"(?m:^# .*)\{#", old, new, f"/{area}/")
    plan.changes.append(("", rf"(?<![\w/-]){old}(?=\.md\b)", new))
    plan.changes.append(("", rf"(\[\^|proves\([\"']){old}(?=-)", rf"\g<1>{new}"))
    a, b = old.replace("-", "_"), new.replace("-", "_")
    for path in (f"docs/zh/{area}/{old}.md", f"docs/en/{area}/{old}.md"):
        plan.moves[root / path] = root / path.replace(f"{old}.md", f"{new}.md")
    plan.moves[root / f"snippets/equations/{old}.tex"] = root / f"snippets/equations/{new}.tex"
    checks = root / "tests/equations"
    plan.moves[checks / f"test_{a}.py"] = checks / f"test_{b}.py"
    plan.moves = {path: target for path, target in plan.moves.items() if path.exists()}
    return plan


def _owner(stem: str, names: list[str]) -> str:
    """Return the page to which a module belongs: the longest name that begins its own."""
    owners = [name for name in names if f"{stem}_".startswith(name.replace("-", "_") + "_")]
    return max(owners, key=len, default="")


def _sources(project: Project) -> Iterator[Path]:
    for folder in FOLDERS:
        paths = sorted((project.root / folder).rglob("*"))
        yield from (path for path in paths if path.suffix in SUFFIXES and path.is_file())
    yield project.root / "mkdocs.yml"


def _change(project: Project, path: Path, plan: Plan) -> int:
    """Change one file; return how many names changed."""
    file, text, count = project.relative(path), project.text(path), 0
    for where, pattern, new in plan.changes:
        if where in file:
            text, times = re.subn(pattern, new, text)
            count += times
    if write(path, text):
        print(f"changed  {file} ({count})")
    return count


def _refused(message: str, remedy: str) -> BuildError:
    return BuildError([Problem("make rename", 0, message, remedy)])
