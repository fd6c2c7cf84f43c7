"""Builds the site that the tests look at: as it is published, below a base path.

`python tests/site/published.py` runs before the tests; they build it again only if it is stale.
"""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path
from typing import Any
from unittest.mock import patch

import yaml

from x0_build import run, site
from x0_build.book import read_book
from x0_build.data.cache import locked
from x0_build.project import BuildError, Project

ROOT = Path(__file__).parents[2]
TREE = ROOT / "build" / "docs"  # the pages as plain Markdown
SITE = ROOT / "build" / "published"
# A host that browsers trust like their own machine (the clipboard needs that), and a sub-path.
HOST = "x0.localhost"
URL = f"http://{HOST}/x0/"


@functools.cache
def publish(*, progress: bool = False) -> Path:
    """Return the folder of the site, built if it is stale."""
    address = {"X0_SITE_URL": URL, "X0_SITE_URL_EN": f"{URL}en/"}
    with patch.dict(os.environ, address):
        site.build(Project(ROOT), SITE, progress=progress)
    return SITE


@functools.cache
def prepare() -> Path:
    """Return the folder of the pages as plain Markdown, written if they are stale."""
    project = Project(ROOT)
    with locked(ROOT / "build" / f"{SITE.name}.lock"):  # another process may do the same
        site.prepare(project, read_book(project, run.execute(project, progress=False)))
    return TREE


def settings(language: str) -> dict[str, Any]:
    """Return the settings of mkdocs.yml for the prepared pages of a language, without our hook."""

    class Loader(yaml.SafeLoader):
        pass

    Loader.add_constructor("!ENV", lambda loader, node: loader.construct_sequence(node)[1])
    config: dict[str, Any] = yaml.load((ROOT / "mkdocs.yml").read_bytes(), Loader)
    config |= site.settings(Project(ROOT), language) | {"extra": config["extra"]}
    config["extra"] |= site.settings(Project(ROOT), language)["extra"]
    config["site_url"] = URL + ("en/" if language == "en" else "")
    config["theme"] |= {"language": language, "custom_dir": str(ROOT / "docs" / "theme")}
    return {name: value for name, value in config.items() if name != "hooks"}


if __name__ == "__main__":
    try:
        publish(progress=True)
    except BuildError as error:
        print(f"\n{error}\n\n{len(error.problems)} problem(s).", file=sys.stderr)
        sys.exit(1)
