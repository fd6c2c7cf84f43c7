"""The navigation: mkdocs.yml lists paths under the Chinese titles of the book's parts."""

from __future__ import annotations

from dataclasses import dataclass

from x0_build.data.words import Words
from x0_build.project import LANGUAGES, BuildError, Problem, Project
from x0_build.shape import misfits


@dataclass(frozen=True)
class Part:
    """One part of the book; the landing page stands in none, so its part has no title."""

    title: dict[str, str]  # by language
    pages: tuple[str, ...]  # names: initialization/he


def read_nav(project: Project, words: Words) -> tuple[Part, ...]:
    """Return the parts in their order."""
    project.yaml(project.root / "mkdocs.en.yml", {"INHERIT": str, "*": object})
    path = project.root / "mkdocs.yml"
    lines, problems, parts = project.text(path).split("\n"), [], []
    for entry in filter(None, project.yaml(path, {"nav": list, "*": object})["nav"]):
        title, rows = next(iter(entry.items())) if isinstance(entry, dict) else ("", [entry])
        message = remedy = ""
        if any(misfits(rows, [str])):
            message = f"“{title}” of nav holds no paths"
            remedy = "list paths only, `- initialization/he.md`; the title is the page's heading"
        elif title and title not in words.parts["en"]:
            message = f"the part “{title}” has no English title"
            remedy = f'add `"{title}" = "…"` to [parts] of snippets/words.toml'
        if message:
            line = next((n for n, row in enumerate(lines, 1) if row.strip() == f"- {title}:"), 0)
            problems.append(Problem(project.relative(path), line, message, remedy))
            continue
        titles = {x: words.parts[x][title] if title else "" for x in LANGUAGES}
        parts.append(Part(titles, tuple(row.removesuffix(".md") for row in rows)))
    if problems:
        raise BuildError(problems)
    return tuple(parts)
