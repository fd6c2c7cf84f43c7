"""What leaves the checkout: the site, the clean notebooks, the figure of the README."""

from __future__ import annotations

import os
import runpy
import shutil
import subprocess
import sys

from x0_build import site as building
from x0_build.project import LANGUAGES, Project, write


def site(project: Project) -> None:
    """Build both languages and say how to look at them."""
    seconds = building.build(project)
    print(f"Both languages rendered in {seconds:.1f} s." if seconds else "Nothing has changed.")
    command = f"{sys.executable} -m http.server -d site 8000"
    print(f"Open it with:  {command}   (http://localhost:8000/)")


def explain(_: Project, key: str) -> None:
    """Say how the TeX of an equation is read."""
    sys.argv = ["explain", key]
    runpy.run_module("x0_equations.explain", run_name="__main__")


def readme(project: Project) -> None:
    """Write the figure of the README: the first of the landing page, on paper of its own."""
    book = building.load(project)
    key = book.pages["en"]["index"].keys("fig")[0]
    svg = book.results[book.figures[key]].figure(key, "en")
    # Nothing of the page reaches an image: it needs its own background, font and namespace.
    alone = svg.replace("<svg ", '<svg font-family="sans-serif" ', 1)
    alone = alone.replace('style="', 'style="background:#fbf9f4;', 1)
    path = project.docs / "theme" / "assets" / "figure.svg"
    write(path, alone)
    print(project.relative(path))


def notebooks(project: Project, *, push: bool = False) -> None:
    """Write the clean notebooks of both languages; push them to the branch that Colab reads."""
    from x0_build.render.labs import lab_files

    book, target = building.load(project), project.build / "notebooks"
    sites = {"zh": os.getenv("X0_SITE_URL", ""), "en": os.getenv("X0_SITE_URL_EN", "")}
    shutil.rmtree(target, ignore_errors=True)
    for language in LANGUAGES:
        for lab in book.labs.values():
            files = dict(lab_files(book, lab, language, "", [], site=sites[language]))
            clean = files[f"labs/files/{lab.name}.ipynb"]
            write(target / language / f"{lab.name}.ipynb", clean)
    write(
        target / "README.md",
        "The labs of x0 as clean notebooks. Generated: change their sources.\n",
    )
    print(project.relative(target))
    if push:
        _push(project)


def _push(project: Project) -> None:
    """Make the notebooks the only commit of the branch that Colab reads, and push it."""
    who = {f"GIT_{x}_NAME": "x0 contributors" for x in ("AUTHOR", "COMMITTER")}
    who |= {f"GIT_{x}_EMAIL": "x0@users.noreply.github.com" for x in ("AUTHOR", "COMMITTER")}
    index = project.build / "notebooks.index"  # the checkout's own index stays as it is
    index.unlink(missing_ok=True)
    folder = project.build / "notebooks"

    def git(*arguments: str, cwd: str = str(project.root)) -> str:
        return subprocess.run(
            ["git", *arguments],
            cwd=cwd,
            env={**os.environ, **who, "GIT_INDEX_FILE": str(index)},
            check=True,
            capture_output=True,
            text=True,
        ).stdout.strip()

    place = git("rev-parse", "--absolute-git-dir")
    git(f"--git-dir={place}", "--work-tree=.", "add", "--all", "--force", ".", cwd=str(folder))
    source = git("rev-parse", "--short", "HEAD")
    commit = git("commit-tree", "-m", f"Notebooks of {source}", git("write-tree"))
    git("push", "--force", "origin", f"{commit}:refs/heads/notebooks")
