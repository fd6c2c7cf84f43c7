"""Where everything lives: the one place that knows the folders of the project."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

LANGUAGES = ("zh", "en")


@dataclass(frozen=True)
class Project:
    """The folders of one checkout."""

    root: Path

    @classmethod
    def find(cls) -> Project:
        """Return the project named by X0_ROOT, else the one around the working folder.

        Raises:
            FileNotFoundError: No folder above holds a mkdocs.yml and a src/x0.
        """
        start = Path(os.environ.get("X0_ROOT") or Path.cwd()).resolve()
        for folder in (start, *start.parents):
            if (folder / "mkdocs.yml").is_file() and (folder / "src" / "x0").is_dir():
                return cls(folder)
        raise FileNotFoundError(
            f"No x0 project (mkdocs.yml, src/x0) here or above. Received: {start}"
        )

    @property
    def src(self) -> Path:
        """The snippets and the build layer."""
        return self.root / "src"

    @property
    def docs(self) -> Path:
        """The pages, by language, and the theme."""
        return self.root / "docs"

    @property
    def snippets(self) -> Path:
        """Equations, labels, glossary, references, claims."""
        return self.root / "snippets"

    @property
    def tests(self) -> Path:
        """The tests."""
        return self.root / "tests"

    @property
    def build(self) -> Path:
        """What the build keeps between runs."""
        return self.root / "build"

    @property
    def site(self) -> Path:
        """The finished site."""
        return self.root / "site"

    def relative(self, path: Path) -> str:
        """Return a path as it is shown to people: relative to the root, with slashes."""
        return path.resolve().relative_to(self.root).as_posix()
