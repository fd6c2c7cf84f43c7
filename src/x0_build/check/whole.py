"""The rules of the whole: the navigation, what nobody uses, what is still to do."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator

from jinja2 import Environment, TemplateSyntaxError

from x0_build.check.seen import Seen, nearest
from x0_build.data.explorers import FILE, texts_of
from x0_build.project import BuildError, Problem

# How templates and the script ask for words, and where those stand.
_SAID = {
    ".html": (r"\blang\.t\([\"'](x0[\w.]*)[\"']\)", "theme"),
    ".js": (r": words\.(\w+)", "script"),
}


def problems(seen: Seen) -> Iterator[Problem]:
    """Find what no page can know alone."""
    yield from _navigation(seen)
    yield from _figures(seen)
    yield from _labels(seen)
    yield from _to_do(seen)
    yield from _theme(seen)


def _navigation(seen: Seen) -> Iterator[Problem]:
    path = seen.book.project.root / "mkdocs.yml"
    rows = seen.book.project.text(path).split("\n")
    listed = Counter(name for part in seen.book.nav for name in part.pages)
    for name, count in listed.items():
        lines = [n for n, row in enumerate(rows, 1) if row.strip() == f"- {name}.md"] or [0]
        if name not in seen.book.either:
            remedy = nearest(name, seen.book.either, "write the page, or remove the line")
            yield Problem("mkdocs.yml", lines[0], f"nav names {name}.md, which is no page", remedy)
        elif count > 1:
            yield Problem("mkdocs.yml", lines[-1], f"nav names {name}.md twice", "remove one line")
    missing = {page.name: page for page in reversed(seen.every) if page.name not in listed}
    for name, page in missing.items():
        file = seen.book.project.relative(page.path)
        remedy = f"add `- {name}.md` to nav in mkdocs.yml"
        yield Problem(file, 1, "the page stands in no part of the navigation", remedy)


def _figures(seen: Seen) -> Iterator[Problem]:
    for key, (stem, line) in seen.plots.items():
        if ("fig", key) not in seen.shown:
            file = seen.book.project.relative(seen.book.modules[stem].path)
            remedy = f"write `{{fig:{key}}} Caption.` on a page, or remove the function"
            yield Problem(file, line, f"no page shows the figure {key}", remedy)
    for key, row in seen.book.explorers.items():
        if ("fig", key) not in seen.shown:
            message = f"{row['name']} takes the place of {key}, which no page shows"
            yield Problem(
                FILE,
                0,
                message,
                nearest(
                    key,
                    [x for kind, x in seen.shown if kind == "fig"],
                    "name one that a page shows",
                ),
            )


def _labels(seen: Seen) -> Iterator[Problem]:
    """Labels that no figure holds; known when all figures are drawn."""
    if seen.book.results.keys() != seen.book.modules.keys():
        return
    path = seen.book.project.snippets / "labels.toml"
    drawn = {text for result in seen.book.results.values() for text in result.labels}
    drawn |= {text for row in seen.book.explorers.values() for text in texts_of(row)}
    rows = seen.book.project.toml(path, {"*": object})
    for label in rows:
        pattern = re.compile("(.+)".join(map(re.escape, label.split("{}"))))
        if label != "keep" and not any(pattern.fullmatch(text) for text in drawn):
            message = f"no figure holds “{label}”"
            yield Problem("snippets/labels.toml", rows.line(label), message, "remove it")


def _to_do(seen: Seen) -> Iterator[Problem]:
    """What a skeleton leaves to its author."""
    project = seen.book.project
    paths = [page.path for page in seen.every] + [m.path for m in seen.book.modules.values()]
    paths += [project.root / file for file in seen.book.tests if "/build/" not in file]
    paths += [*(project.snippets / "equations").glob("*.tex"), *project.snippets.glob("*.toml")]
    for path in dict.fromkeys(paths):
        text = project.text(path)
        for match in re.finditer(r"\bTODO\b[:：]? ?(.*)", text) if "TODO" in text else ():
            line = text.count("\n", 0, match.start()) + 1
            what = re.sub(r"\W+$", "", match[1]) or "something is left to write"
            yield Problem(
                project.relative(path), line, f"TODO: {what}", "write it, remove the mark"
            )


def _theme(seen: Seen) -> Iterator[Problem]:
    """The theme can be read, and says only words that there are."""
    project = seen.book.project
    for path in sorted((project.docs / "theme").rglob("*.*")):
        pattern, group = _SAID.get(path.suffix, ("(?!)", "theme"))
        if path.suffix not in (".html", ".xml", ".js", ".css"):
            continue
        try:
            text, file = project.text(path), project.relative(path)
            if path.suffix in (".html", ".xml"):
                Environment().parse(text)
        except BuildError as error:
            yield from error.problems
        except TemplateSyntaxError as error:
            message = f"is no template: {error.message}"
            yield Problem(file, error.lineno, message, "repair the line")
        else:
            for match in re.finditer(pattern, text):
                if match[1] not in getattr(seen.book.words, group)["en"]:
                    line, message = text.count("\n", 0, match.start()) + 1, f"no word “{match[1]}”"
                    yield Problem(
                        file, line, message, f"add it to [{group}] of snippets/words.toml"
                    )
