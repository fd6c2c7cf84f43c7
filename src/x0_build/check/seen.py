"""What pages can refer to, executed or not yet, and what is wrong with one reference."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property
from typing import Any

from x0_build.book import Book
from x0_build.project import BuildError, Problem
from x0_build.syntax import PATTERNS, Page, Use

Found = tuple[int, str, str]  # line, message, remedy
Wrong = tuple[str, str]  # message, remedy

INDEXES = ["bibliography", "choose", "code", "contents", "counts", "exercises", "figures"]
INDEXES += ["files", "glossary", "headings", "ledger", "tally"]
_KINDS = {
    "eq": ("equation", "write it in snippets/equations/<concept>.tex, below `%% <name>`"),
    "fig": ("figure", "write plot_<name>() in a module: it draws the figure <stem>-<name>"),
    "index": ("index", f"write one of: {', '.join(INDEXES)}"),
    "cite": ("reference", "add it to snippets/references.bib"),
    "term": ("term", "add it to snippets/glossary.toml"),
    "proof": ("proof", "mark a test @pytest.mark.proves(key, kind=…), or write [^-]"),
    "tag": ("assumption", "write one that guide/notation states"),
}
_KIND = {"eqref": "eq", "figref": "fig", "cited": "cite"}
# Names that these hold are not left at the top level; of the last two there are only many.
_CLOSED: tuple[type[ast.AST], ...] = (ast.FunctionDef, ast.ClassDef, ast.Lambda, ast.GeneratorExp)
_CLOSED += (ast.ListComp, ast.DictComp, ast.SetComp, ast.expr_context, ast.operator)


def nearest(key: str, known: Iterable[str], otherwise: str) -> str:
    """Return a remedy that names the nearest key, if one is near."""
    near = get_close_matches(key, list(known), 1)
    return f"did you mean {near[0]}? If not, {otherwise}" if near else otherwise


def assigned(node: ast.AST) -> Iterator[ast.Name]:
    """Find the names that statements leave, those inside functions left out."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.Name) and isinstance(child.ctx, ast.Store):
            yield child
        elif not isinstance(child, _CLOSED):
            yield from assigned(child)


@dataclass(frozen=True)
class Seen:
    """A book, seen by its rules."""

    book: Book
    broken: list[Problem] = field(default_factory=list)  # of modules that are no Python
    _anchors: dict[tuple[str, str], set[str]] = field(default_factory=dict)

    @cached_property
    def trees(self) -> dict[str, ast.Module]:
        """The syntax of each module."""
        found = {}
        for stem, module in self.book.modules.items():
            try:
                found[stem] = self.book.project.python(module.path)
            except BuildError as error:
                self.broken.extend(error.problems)
        return found

    @cached_property
    def left(self) -> dict[str, set[str]]:
        """The names that each module leaves."""
        return {stem: {name.id for name in assigned(tree)} for stem, tree in self.trees.items()}

    @cached_property
    def plots(self) -> dict[str, tuple[str, int]]:
        """The figures that modules can draw, by key: stem and line."""
        found = {}
        for stem, tree in self.trees.items():
            for node in tree.body:
                if isinstance(node, ast.FunctionDef) and node.name.startswith("plot_"):
                    key = f"{stem}-{node.name.removeprefix('plot_')}".replace("_", "-")
                    found[key] = (stem, node.lineno)
        for stem, lab in self.book.labs.items():
            found |= {key: (stem, line) for _, keys in lab.shown for key, line in keys}
        return found

    @cached_property
    def every(self) -> list[Page]:
        """All pages of both languages."""
        return [page for pages in self.book.pages.values() for page in pages.values()]

    @cached_property
    def shown(self) -> set[tuple[str, str]]:
        """(kind, key) of what some page shows."""
        return {(use.kind, use.key) for page in self.every for use in page.uses}

    @cached_property
    def known(self) -> dict[str, Any]:
        """The keys that there are, by kind."""
        notation = self.book.either.get("guide/notation")
        ids = [heading.id for heading in notation.headings] if notation else []
        found = {"eq": self.book.equations, "fig": self.plots, "index": INDEXES}
        found |= {"cite": self.book.references, "term": self.book.glossary}
        found |= {"proof": ["-", *self.book.statements]}
        return {**found, "tag": [id.upper() for id in ids if re.fullmatch(r"a\d", id)]}

    def wrong(self, use: Use) -> Wrong | None:
        """Say what is wrong with a sign, if something is, and what to do."""
        if use.kind == "val":
            return self._value(use)
        if use.kind == "math":
            try:
                self.book.katex.render(PATTERNS["val"].sub("1", use.key))
            except ValueError as error:
                remedy = "repair the formula; macros stand in snippets/macros.toml"
                return f"KaTeX cannot read ${use.key}$: {error}", remedy
        kind = _KIND.get(use.kind, use.kind)
        if kind not in _KINDS:
            return None
        noun, remedy = _KINDS[kind]
        for key in use.key.split() if kind == "tag" else use.keys:
            if key not in self.known[kind]:
                return f"there is no {noun} {key}", nearest(key, self.known[kind], remedy)
        if use.kind in ("eqref", "figref") and (kind, use.key) not in self.shown:
            remedy = f"show it on a page, {{{kind}:{use.key}}} alone in a paragraph"
            return f"{use.key} is referred to but shown on no page", remedy
        return None

    def _value(self, use: Use) -> Wrong | None:
        book, name = self.book, re.split(r"[.\[]", use.key)[1]
        if use.stem not in book.modules:
            remedy = nearest(use.stem, book.modules, "write {val:<stem>.<name>:<format>}")
            return f"there is no module {use.stem}", remedy
        samples: Any = (1, 1.0)
        if use.stem in book.results:
            try:
                value = book.value(use.key)
            except KeyError as error:
                remedy = "write {val:stem.name:.2f}, or {val:stem.name[0.9]:.2f} for a part of it"
                near = nearest(name, book.results[use.stem].values, remedy)
                return f"{use.stem}: {error.args[0]}", near
            samples = value if isinstance(value, tuple) else (value,)
        elif name not in (left := self.left.get(use.stem, {name})):
            remedy = nearest(name, left, "leave it at the top level of the module")
            return f"{use.stem} leaves no name {name}", remedy
        errors = []
        for sample in samples:
            try:
                format(sample, use.arg)
            except ValueError as error:
                errors.append(str(error))
        if len(errors) == len(samples):
            message = f"{use.key} cannot be written with the format {use.arg!r}: {errors[-1]}"
            return message, "write a format such as .3f or .2e"
        return None

    def lost(self, page: Page, link: str) -> Wrong | None:
        """Say where a link leads, if it leads nowhere, and what to do."""
        found = page.target(link)
        if found is None:
            return None
        (uri, anchor), code = found, {f"code/{m.area}/{m.stem}" for m in self.book.modules.values()}
        pages, name = self.book.pages[page.language], uri.removesuffix(".md")
        if uri.startswith("code/equations/") or name in code:
            return None
        if not uri.endswith(".md"):
            if (self.book.project.docs / page.language / uri).is_file():
                return None
            return f"the link {link} leads nowhere", "link to the .md file of a page"
        if name not in pages:
            if name in self.book.either:  # that its twin is missing is said once
                return None
            near = nearest(name, [*pages, *code], "write the path of a page, relative to this one")
            return f"the link {link} leads to no page", near
        anchors = self.anchors(pages[name])
        if anchor and anchor not in anchors:
            remedy = nearest(anchor, anchors, f"write an id of {uri}")
            return f"the link {link} leads to no section", remedy
        return None

    def anchors(self, page: Page) -> set[str]:
        """Return what can be linked to on a page."""
        place = (page.language, page.name)
        if place not in self._anchors:
            found = {heading.id for heading in page.headings}
            found |= {f"{kind}-{key}" for kind in ("eq", "fig") for key in page.keys(kind)}
            found |= {f"term-{key}" for key in page.keys("term")}
            found |= {f"claim-{claim.id}" for claim in self.book.mistakes_of.get(page.name, [])}
            found |= {f"ref-{key}" for key in self.book.cited(page)}
            for kind in page.keys("index"):
                found |= self._indexed(kind)
            found |= set(re.findall(r'(?:id="|\{[^}\n]*#)([\w-]+)', page.prose))
            self._anchors[place] = found
        return self._anchors[place]

    def _indexed(self, kind: str) -> set[str]:
        ledger = self.book.ledger
        found: dict[str, Iterable[str]] = {
            "ledger": [*self.book.claims, *(f"source-{key}" for key in ledger.sources)],
            "headings": [row.id for row in ledger.headings],
            "code": [f"code-{row.id}" for row in ledger.code],
            "glossary": [f"term-{key}" for key in self.book.glossary],
            "bibliography": [f"ref-{key}" for key in self.book.references],
            "figures": [f"figure-{key}" for key in self.plots],
        }
        return set(found.get(kind, ()))
