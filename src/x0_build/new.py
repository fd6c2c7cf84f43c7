"""Laying out a concept: files that are valid at once, with marks where its author writes."""

from __future__ import annotations

import re
from difflib import get_close_matches
from pathlib import Path
from string import Template

from x0_build.check.page import CHAPTERS
from x0_build.project import Project, write

SKELETON = Path(__file__).with_name("templates") / "new"
FILES = {
    "module.py.txt": "src/x0/{area}/{stem}.py",
    "test.py.txt": "tests/{area}/test_{stem}.py",
    "equations.tex": "snippets/equations/{name}.tex",
    "check.py.txt": "tests/equations/test_{stem}.py",
    "page.zh.md": "docs/zh/{area}/{name}.md",
    "page.en.md": "docs/en/{area}/{name}.md",
}


def new(project: Project, area: str, concept: str) -> None:
    """Write the files of a concept, its line in the navigation, and the label of its figure.

    Raises:
        BuildError: The area is none, the name cannot be one, or is taken; nothing is written.
    """
    usage = "make new area=training concept=warm-up"
    if area not in CHAPTERS:
        near = get_close_matches(area, CHAPTERS, 1)
        remedy = f"did you mean {near[0]}?" if near else f"one of {', '.join(CHAPTERS)}: {usage}"
        raise project.error(project.src / "x0", 0, f"there is no area {area!r}", remedy)
    check_name(project, concept, usage)
    names = {"area": area, "name": concept, "stem": concept.replace("-", "_")}
    names["words"] = concept.replace("-", " ")
    files = {project.root / path.format(**names): source for source, path in FILES.items()}
    for path in files:
        if path.exists():
            remedy = "choose another name; nothing was written"
            raise project.error(path, 0, f"{concept} has files already", remedy)
    for path, source in files.items():
        write(path, Template(project.text(SKELETON / source)).substitute(names))
    _append(project, project.snippets / "labels.toml", names)
    _navigate(project, project.root / "mkdocs.yml", area, concept)
    shown = [*map(project.relative, files), "mkdocs.yml", "snippets/labels.toml"]
    print("\n".join([*shown, "", "`make check` lists what is to do in them."]))


def check_name(project: Project, name: str, usage: str) -> None:
    """Refuse what is no name.

    Raises:
        BuildError: It is not made of lower-case words joined by hyphens.
    """
    if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
        message = f"a name is lower-case words joined by hyphens, not {name!r}"
        raise project.error(project.root / "Makefile", 0, message, usage)


def _append(project: Project, path: Path, names: dict[str, str]) -> None:
    row = '\n# {name}\n"draws of {words}" = "TODO：{words}的抽样个数"\n'.format(**names)
    write(path, project.text(path).rstrip("\n") + "\n" + row)


def _navigate(project: Project, path: Path, area: str, concept: str) -> None:
    """Put the page behind the last one of its area."""
    rows = project.text(path).split("\n")
    places = [n for n, row in enumerate(rows) if re.match(rf" *- {area}/", row)]
    place = places[-1] if places else len(rows) - 1
    indent = re.match(" *", rows[place])
    rows.insert(place + 1, f"{indent[0] if indent else ''}- {area}/{concept}.md")
    write(path, "\n".join(rows))
