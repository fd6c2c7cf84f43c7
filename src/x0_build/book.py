"""The book: everything that pages can refer to, loaded once per build."""

from __future__ import annotations

import ast
import html
import re
import tomllib
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import yaml

from x0_build import execute, labs
from x0_build.ledger import Claim, Ledger, read
from x0_build.paths import Project
from x0_build.problems import BuildError, Problem
from x0_build.source import Page, load_pages
from x0_build.tex import Katex, equation_files
from x0_equations import Mark, marks


@dataclass(frozen=True)
class Term:
    """One entry of the glossary, by language."""

    key: str
    name: dict[str, str]
    definition: dict[str, str]
    page: str  # where it is explained, if no page marks it with {term:…}
    variants: tuple[str, ...]  # other Chinese words for it, which the book does not use


@dataclass(frozen=True)
class Reference:
    """One entry of the bibliography."""

    key: str
    label: dict[str, str]  # "Glorot & Bengio 2010", by language
    html: str
    fields: dict[str, str]  # as in the file, and `people`


@dataclass(frozen=True)
class Test:
    """One test function."""

    name: str
    file: str  # relative to the root
    line: int
    claims: tuple[str, ...]


@dataclass
class Book:
    """The sources of one checkout, read once."""

    project: Project
    _functions: dict[str, dict[str, str]] = field(default_factory=dict)  # by file and name

    @cached_property
    def pages(self) -> dict[str, dict[str, Page]]:
        """Pages by language and name, those of the labs among them."""
        pages = load_pages(self.project)
        for lab in self.labs:
            for language, page in lab.pages.items():
                pages[language][page.name] = page
        return pages

    @cached_property
    def labs(self) -> list[labs.Lab]:
        """The labs, by name."""
        return labs.read(self.project)

    @cached_property
    def katex(self) -> Katex:
        """KaTeX with the house macros."""
        return Katex(self.project)

    @cached_property
    def equations(self) -> dict[str, Path]:
        """Files of displayed equations by key."""
        return equation_files(self.project)

    @cached_property
    def marks(self) -> dict[str, Mark]:
        """How each equation is checked, by key."""
        return marks(self.project.root)

    @cached_property
    def results(self) -> dict[str, execute.Result]:
        """What the last execution stored, by the stem of the module or lab."""
        return execute.load(self.project) | labs.load(self.project)

    @cached_property
    def modules(self) -> dict[str, execute.Module]:
        """Snippet modules and labs by stem."""
        found = [*execute.modules(self.project), *(lab.module for lab in self.labs)]
        return {module.stem: module for module in found}

    @cached_property
    def figure_modules(self) -> dict[str, str]:
        """Figure key to the stem of the module that draws it."""
        return {key: stem for stem, result in self.results.items() for key in result.figures}

    def figure_file(self, key: str, language: str) -> Path:
        """Return the file of a drawn figure."""
        stem = self.figure_modules[key]
        module = self.modules[stem]
        if module.area == labs.AREA:
            return labs.figure_file(self.project, stem, key, language)
        folder = self.project.build / "run" / module.area / stem / "figures"
        return folder / f"{key}.{language}.svg"

    # Numbers run per page in the order of the Chinese page and serve both languages.

    @cached_property
    def numbers(self) -> dict[tuple[str, str, str], int]:
        """(page, kind, key) to number, for equations and figures."""
        found: dict[tuple[str, str, str], int] = {}
        for page in self.pages["zh"].values():
            for kind in ("eq", "fig"):
                for number, key in enumerate(dict.fromkeys(page.keys(kind)), 1):
                    found[page.name, kind, key] = number
        return found

    def home(self, kind: str, key: str) -> str | None:
        """Return the page that displays an equation or figure: its own concept's, else the first."""
        names = [name for name, k, x in self.numbers if (k, x) == (kind, key)]
        own = [n for n in names if key.startswith(n.rpartition("/")[2] + "-")]
        return min(own or names, key=len) if names else None

    def number(self, page: str, kind: str, key: str) -> int | None:
        """Return the number of an equation or figure on a page."""
        return self.numbers.get((page, kind, key))

    @cached_property
    def glossary(self) -> dict[str, Term]:
        """Terms by key."""
        rows = self._toml("glossary.toml")
        return {
            key: Term(
                key,
                {"zh": row.get("zh", ""), "en": row.get("en", "")},
                {"zh": row.get("zh_def", ""), "en": row.get("en_def", "")},
                row.get("page", ""),
                tuple(row.get("zh_variants", [])),
            )
            for key, row in rows.items()
        }

    @cached_property
    def ledger(self) -> Ledger:
        """Everything that snippets/claims.toml says."""
        text = (self.project.snippets / "claims.toml").read_text(encoding="utf-8")
        return read(self._toml("claims.toml"), text)

    @cached_property
    def claims(self) -> dict[str, Claim]:
        """Claims of the ledger by id."""
        return {claim.id: claim for claim in self.ledger.claims}

    @cached_property
    def nav(self) -> dict[str, list[tuple[str, list[str]]]]:
        """The navigation by language: titles of areas, and the pages of each in order."""
        return {
            language: self._nav(language, file)
            for language, file in (("zh", "mkdocs.yml"), ("en", "mkdocs.en.yml"))
        }

    def _nav(self, language: str, file: str) -> list[tuple[str, list[str]]]:
        path = self.project.root / file
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        areas: list[tuple[str, list[str]]] = []
        for entry in yaml.safe_load(text.partition("\nnav:")[2]) or []:
            title, value = next(iter(entry.items())) if isinstance(entry, dict) else ("", entry)
            rows = value if isinstance(value, list) else [value]
            uris = [next(iter(r.values())) if isinstance(r, dict) else r for r in rows]
            names = [str(uri).removesuffix(".md") for uri in uris]
            areas.append((title, [name for name in names if name in self.pages[language]]))
        return areas

    @cached_property
    def order(self) -> list[str]:
        """All pages in the order of the navigation."""
        listed = [name for _, names in self.nav["zh"] for name in names]
        return list(dict.fromkeys([*listed, *self.pages["zh"]]))

    def cited(self, page: Page) -> list[str]:
        """Return the references that a page cites, in order; its claims cite for it."""
        keys: list[str] = []
        claims = " ".join(
            text
            for claim in self.claims.values()
            if claim.page == page.name
            for text in (claim.text[page.language], claim.correct[page.language])
        )
        for use in (*page.uses, *Page(page.language, "", page.path, claims).uses):
            if use.kind in ("cite", "cited"):
                keys += [part.strip().lstrip("@") for part in use.key.split(";")]
        return list(dict.fromkeys(keys))

    @cached_property
    def citing(self) -> dict[str, list[str]]:
        """The pages that cite a reference, in order, by key."""
        found: dict[str, list[str]] = {}
        for name in self.order:
            for key in self.cited(self.pages["zh"][name]):
                found.setdefault(key, []).append(name)
        return found

    @cached_property
    def using(self) -> dict[str, list[str]]:
        """The pages that explain or mark a term of the glossary, in order, by key."""
        found: dict[str, list[str]] = {
            key: [term.page] for key, term in self.glossary.items() if term.page
        }
        for name in self.order:
            for key in self.pages["zh"][name].keys("term"):
                if name not in found.setdefault(key, []):
                    found[key].append(name)
        return found

    @cached_property
    def references(self) -> dict[str, Reference]:
        """Bibliography entries by key."""
        path = self.project.snippets / "references.bib"
        from pybtex.database import parse_file
        from pybtex.plugin import find_plugin
        from pybtex.scanner import PybtexError

        try:
            entries = parse_file(str(path), "bibtex").entries
        except PybtexError as error:
            line = int(getattr(error, "lineno", 0) or 0)
            problem = Problem(
                self.project.relative(path), line, str(error), "repair the BibTeX entry"
            )
            raise BuildError([problem]) from error
        style = find_plugin("pybtex.style.formatting", "unsrt")()
        backend = find_plugin("pybtex.backends", "html")("utf-8")
        texts = {x.key: x.text.render(backend) for x in style.format_entries(entries.values())}
        return {
            key: Reference(
                key,
                {"zh": _label(entry, "zh"), "en": _label(entry, "en")},
                re.sub(r'<span class="bibtex-protected">(.*?)</span>', r"\1", texts[key]),
                {**entry.fields, "people": " and ".join(map(str, _people(entry)))},
            )
            for key, entry in entries.items()
        }

    @cached_property
    def tests(self) -> dict[str, list[Test]]:
        """Tests by the stem of the module they mirror."""
        found = {}
        for stem, module in self.modules.items():
            path = self.project.tests / module.area / f"test_{stem}.py"
            found[stem] = _tests(self.project, path) if path.is_file() else []
        return found

    @cached_property
    def proofs(self) -> dict[str, list[Test]]:
        """Tests by the claim they name."""
        found: dict[str, list[Test]] = {}
        for path in sorted(self.project.tests.rglob("test_*.py")):
            for test in _tests(self.project, path):
                for claim in test.claims:
                    found.setdefault(claim, []).append(test)
        return found

    def check_source(self, mark: Mark) -> str:
        """Return the source of the function that checks an equation, decorator included."""
        return self._check_sources(mark.file)[mark.test]

    def _check_sources(self, file: str) -> dict[str, str]:
        if file not in self._functions:
            text = (self.project.root / file).read_text(encoding="utf-8")
            lines = text.split("\n")
            self._functions[file] = {
                node.name: "\n".join(
                    lines[
                        min((d.lineno for d in node.decorator_list), default=node.lineno)
                        - 1 : node.end_lineno
                    ]
                )
                for node in ast.parse(text).body
                if isinstance(node, ast.FunctionDef)
            }
        return self._functions[file]

    def value(self, key: str, form: str) -> str:
        """Return a named value as text: `he.ratio` with format `.3f`; pairs as mean ± error.

        Raises:
            KeyError: No such module or value.
            ValueError: The format does not fit.
        """
        stem, _, name = key.partition(".")
        value = self.results[stem].values[name]
        if isinstance(value, tuple | list):
            return " ± ".join(_plain(part, form) for part in value)
        return _plain(value, form)

    def _toml(self, name: str) -> dict[str, Any]:
        path = self.project.snippets / name
        try:
            with open(path, "rb") as file:
                return tomllib.load(file)
        except tomllib.TOMLDecodeError as error:
            match = re.search(r"line (\d+)", str(error))
            line = int(match.group(1)) if match else 0
            problem = Problem(self.project.relative(path), line, str(error), "repair the TOML")
            raise BuildError([problem]) from error


def _plain(value: float, form: str) -> str:
    """Format a number for prose: a true minus sign, powers of ten in Unicode."""
    text = format(value, form)
    mantissa, _, exponent = text.partition("e")
    if exponent:
        power = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
        text = f"{mantissa} × 10{power}"
    return text.replace("-", "−")


def _people(entry: Any) -> list[Any]:
    return list(entry.persons.get("author") or entry.persons.get("editor") or [])


def _label(entry: Any, language: str) -> str:
    names = [" ".join([*p.prelast_names, *p.last_names]).strip("{}") for p in _people(entry)]
    names = [re.sub(r"[{}\\]", "", name) for name in names] or [entry.key]
    if len(names) > 2:
        who = f"{names[0]} 等" if language == "zh" else f"{names[0]} et al."
    else:
        who = " & ".join(names)
    year = entry.fields.get("year", "")
    return html.unescape(f"{who} {year}".strip())


def _tests(project: Project, path: Path) -> list[Test]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            claims = [
                str(argument.value)
                for decorator in node.decorator_list
                if isinstance(decorator, ast.Call)
                and isinstance(decorator.func, ast.Attribute)
                and decorator.func.attr == "claim"
                for argument in decorator.args
                if isinstance(argument, ast.Constant)
            ]
            found.append(Test(node.name, project.relative(path), node.lineno, tuple(claims)))
    return found
