"""The book: everything that pages can refer to, read once, then fixed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from x0_build.data.bibliography import Reference, read_references
from x0_build.data.checked import Check, Checked, Statement, Test, read_checked, read_equations
from x0_build.data.explorers import read_explorers
from x0_build.data.glossary import Term, read_glossary
from x0_build.data.ledger import Claim, Ledger, read_ledger
from x0_build.data.nav import Part, read_nav
from x0_build.data.tex import Katex
from x0_build.data.words import Words, read_words
from x0_build.project import LANGUAGES, BuildError, Problem, Project
from x0_build.run import Module, Result, load, modules, number
from x0_build.run.lab import Lab
from x0_build.run.lab import read as read_labs
from x0_build.run.module import LABS
from x0_build.syntax import Page, read_page, scan, sections
from x0_equations import Printed

Pages = dict[str, dict[str, Page]]


@dataclass(frozen=True)
class Book:
    """The sources of one checkout, and what executing them gave."""

    project: Project
    words: Words
    nav: tuple[Part, ...]
    pages: Pages  # by language and name, those of the labs among them
    labs: dict[str, Lab]  # by stem
    modules: dict[str, Module]  # by stem, labs among them
    sources: dict[str, str]  # text of a module by stem
    results: dict[str, Result]  # by stem; what was not executed is missing
    equations: dict[str, Printed]
    checks: dict[str, Check]  # by the key of the equation
    macros: dict[str, str]  # name with backslash to expansion
    glossary: dict[str, Term]
    references: dict[str, Reference]
    ledger: Ledger
    tests: dict[str, list[Test]]  # by file
    statements: dict[str, Statement]  # sentences that tests prove, by key
    explorers: dict[str, Any]  # rows of explorers.toml, by the figure whose place they take

    @cached_property
    def either(self) -> dict[str, Page]:
        """Each page once: in Chinese, or in English while its translation is pending."""
        return self.pages["zh"] | {
            name: page for name, page in self.pages["en"].items() if name not in self.pages["zh"]
        }

    # Numbers run per page in the order of the Chinese page and serve both languages.

    @cached_property
    def numbers(self) -> dict[tuple[str, str, str], int]:
        """(page, kind, key) to number, for equations and figures."""
        return {
            (page.name, kind, key): number
            for page in self.either.values()
            for kind in ("eq", "fig")
            for number, key in enumerate(dict.fromkeys(page.keys(kind)), 1)
        }

    @cached_property
    def homes(self) -> dict[tuple[str, str], str]:
        """(kind, key) to the page that displays it: its own concept's, else the first."""
        shown: dict[tuple[str, str], list[str]] = {}
        for name, kind, key in self.numbers:
            shown.setdefault((kind, key), []).append(name)
        return {
            (kind, key): min(
                [n for n in names if key.startswith(n.rpartition("/")[2] + "-")] or names, key=len
            )
            for (kind, key), names in shown.items()
        }

    @cached_property
    def sections(self) -> dict[str, dict[str, str]]:
        """Sections of modules by stem and name."""
        return {stem: sections(text) for stem, text in self.sources.items()}

    @cached_property
    def figures(self) -> dict[str, str]:
        """Key of a figure to the stem of the module that draws it."""
        return {key: stem for stem, result in self.results.items() for key in result.figures}

    @cached_property
    def figures_of(self) -> dict[str, list[str]]:
        """Keys of figures by the page that is their home, in the order of their numbers."""
        shown = [(home, key) for (kind, key), home in self.homes.items() if kind == "fig"]
        shown.sort(key=lambda row: self.numbers[row[0], "fig", row[1]])
        return grouped(row for row in shown if row[1] in self.figures)

    @cached_property
    def notebooks(self) -> dict[str, Lab]:
        """Labs by the page that shows them."""
        return {lab_uri(lab): lab for lab in self.labs.values()}

    def shown_on(self, stem: str) -> str:
        """Return the page that shows a module or a lab."""
        area = self.modules[stem].area
        return lab_uri(self.labs[stem]) if area == LABS else f"code/{area}/{stem}.md"

    def heading(self, language: str, page: str, anchor: str) -> str:
        """Return the heading of a section."""
        found = self.pages[language].get(page)
        return next((h.title for h in found.headings if h.id == anchor), "") if found else ""

    @cached_property
    def claims(self) -> dict[str, Claim]:
        """Claims of the ledger by id."""
        return {claim.id: claim for claim in self.ledger.claims}

    @cached_property
    def claims_of(self) -> dict[str, list[Claim]]:
        """Claims by the page that treats them."""
        return grouped((claim.page, claim) for claim in self.ledger.claims)

    @cached_property
    def mistakes_of(self) -> dict[str, list[Claim]]:
        """Claims to correct, by the page that corrects them: the ledger alone shows the others."""
        return grouped((claim.page, claim) for claim in self.ledger.claims if claim.mistaken)

    @cached_property
    def order(self) -> list[str]:
        """All pages in the order of the navigation."""
        listed = [name for part in self.nav for name in part.pages if name in self.either]
        return list(dict.fromkeys([*listed, *self.either]))

    def cited(self, page: Page) -> list[str]:
        """Return the references that a page cites, in order; its mistakes cite for it."""
        rows = self.mistakes_of.get(page.name, [])
        texts = [text[page.language] for row in rows for text in (row.text, row.correct)]
        uses = [*page.uses, *(use for text in texts for use in scan(text))]
        return list(dict.fromkeys(k for u in uses if u.kind in ("cite", "cited") for k in u.keys))

    def works(self, keys: Iterable[str]) -> list[Reference]:
        """Return references by name."""
        rows = [self.references[key] for key in keys if key in self.references]
        return sorted(rows, key=lambda row: row.label["en"].casefold())

    @cached_property
    def citing(self) -> dict[str, list[str]]:
        """The pages that cite a reference, in order."""
        pages = self.either
        return grouped((key, name) for name in self.order for key in self.cited(pages[name]))

    @cached_property
    def using(self) -> dict[str, list[str]]:
        """The pages that explain or mark a term of the glossary, in order."""
        explained = [(term.key, term.page) for term in self.glossary.values() if term.page]
        marked = [(key, n) for n in self.order for key in self.either[n].keys("term")]
        return grouped(dict.fromkeys(explained + marked))

    @cached_property
    def proofs(self) -> dict[str, list[Test]]:
        """The tests that name a claim."""
        tests = [test for found in self.tests.values() for test in found]
        return grouped((claim, test) for test in tests for claim in test.claims)

    def tests_of(self, stem: str) -> list[Test]:
        """Return the tests that mirror a module."""
        return self.tests.get(f"tests/{self.modules[stem].area}/test_{stem}.py", [])

    def concept(self, key: str) -> str | None:
        """Return the page that a statement belongs to: the longest whose name begins its key."""
        names = [n for n in self.either if key.startswith(n.rpartition("/")[2] + "-")]
        return max(names, key=lambda name: len(name.rpartition("/")[2]), default=None)

    @cached_property
    def katex(self) -> Katex:
        """KaTeX with the house macros."""
        return Katex(self.project, self.macros)

    def value(self, key: str) -> float | tuple[float, float]:
        """Return a named value: `he.ratio`, `momentum_noise.fixed[0.9]`.

        Raises:
            KeyError: There is none; the message says what there is.
        """
        stem, _, path = key.partition(".")
        if stem not in self.results:
            known = "has not been executed" if stem in self.modules else "does not exist"
            raise KeyError(f"the module {stem} {known}")
        return number(self.results[stem].values, path)


def grouped(rows: Any) -> dict[str, list[Any]]:
    """Return lists of the second parts of pairs, by their first."""
    found: dict[str, list[Any]] = {}
    for key, value in rows:
        found.setdefault(key, []).append(value)
    return found


def lab_uri(lab: Lab) -> str:
    """Return the page that shows a lab."""
    return f"{LABS}/{lab.name}.md"


def _lab_page(project: Project, lab: Lab, language: str) -> Page:
    """Return the Markdown of a lab in one language, at the lines of the file where it stands."""
    lines: list[str] = []
    for cell in lab.cells:
        if cell.language == language:
            lines += [""] * (cell.line - 1 - len(lines))
            lines += cell.source.split("\n")
    return read_page(project, language, lab_uri(lab), lab.module.path, "\n".join([*lines, ""]))


def read_pages(project: Project, labs: dict[str, Lab]) -> Pages:
    """Return the pages by language and name, those of the labs among them."""
    pages: Pages = {}
    problems: list[Problem] = []
    for language in LANGUAGES:
        found = []
        folder = project.docs / language
        for path in sorted(folder.rglob("*.md")):
            try:
                uri = path.relative_to(folder).as_posix()
                found.append(read_page(project, language, uri, path))
            except BuildError as error:
                problems += error.problems
        found += [_lab_page(project, lab, language) for lab in labs.values()]
        pages[language] = {page.name: page for page in found}
    if problems:
        raise BuildError(problems)
    return pages


def read_book(project: Project, results: dict[str, Result] | None = None) -> Book:
    """Read everything.

    Args:
        project: The checkout.
        results: What executing the modules gave; what is stored, if it is not given.
    """
    problems: list[Problem] = []

    def read(reader: Callable[..., Any], *arguments: Any) -> Any:
        try:
            return reader(*arguments) if None not in arguments else None
        except BuildError as error:
            problems.extend(error.problems)
            return None

    words, labs = read(read_words, project), read(read_labs, project)
    found: dict[str, Module] = read(modules, project) or {}
    checked: Checked | None = read(read_checked, project)
    book = Book(
        project=project,
        words=words,
        nav=read(read_nav, project, words),
        pages=read(read_pages, project, labs),
        labs=labs,
        modules=found,
        sources={stem: read(project.text, module.path) for stem, module in found.items()},
        results=read(load, project) if results is None else results,
        equations=read(read_equations, project),
        checks=checked.equations if checked else {},
        macros=read(project.toml, project.snippets / "macros.toml", {"*": str}),
        glossary=read(read_glossary, project),
        references=read(read_references, project),
        ledger=read(read_ledger, project),
        tests=checked.tests if checked else {},
        statements=checked.statements if checked else {},
        explorers=read(read_explorers, project),
    )
    if problems:
        raise BuildError(problems)
    return book
