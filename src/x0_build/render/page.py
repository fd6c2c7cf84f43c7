"""Writes one page as plain Markdown: its blocks, and what stands above and below them."""

from __future__ import annotations

import json
import re
import textwrap
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from x0_build.data.ledger import VERDICTS
from x0_build.render.files import files
from x0_build.render.gallery import size
from x0_build.render.home import CHOOSING, choices, counts, equivalents, minutes, parts
from x0_build.render.links import after, exercises
from x0_build.render.snippets import copies, fence
from x0_build.render.writer import Writer, attributes, escape
from x0_build.run.module import LABS
from x0_build.syntax import EXERCISE, HEADING, Block

BRANCH = "notebooks"  # of the repository: holds the clean notebooks, for Colab


def _inert(fragment: str) -> str:
    """Return HTML in which Markdown finds nothing to do."""
    parts = re.split(r"(<[^>]*>)", fragment)
    return "".join(x if x[:1] == "<" else re.sub(r"[\\`*_\[\]$]", r"\\\g<0>", x) for x in parts)


@cache
def templates() -> Environment:
    """Return the templates of pages."""
    found = Environment(
        loader=FileSystemLoader(Path(__file__).parents[1] / "templates" / "page"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        comment_start_string="<#",  # {# begins the id of a heading
        comment_end_string="#>",
    )
    found.filters |= {"md": escape, "inert": _inert}
    found.globals |= {"verdicts": VERDICTS, "after": after, "exercises": exercises, "size": size}
    found.globals |= {"verdicts": VERDICTS, "choosing": CHOOSING, "choices": choices}
    found.globals |= {"equivalents": equivalents, "counts": counts, "parts": parts}
    found.globals |= {"minutes": minutes, "files": files}
    return found


def show(w: Writer, template: str, **names: Any) -> str:
    """Return a template filled for a page."""
    found = templates().get_template(template)
    return found.render(w=w, book=w.book, words=w.words, language=w.language, **names).strip()


def page(w: Writer) -> str:
    """Return a page of the book."""
    terms = [w.book.glossary[key] for key in dict.fromkeys(w.page.keys("term"))]
    above = [*body(w, w.page.blocks)]
    below = [show(w, "terms.md", terms=terms)] if terms else []
    text = "\n\n".join([*above, *below, foot(w, _stems(w))])
    return "\n\n".join(filter(None, [f"{front(w, text)}{text}", copies(w)])) + "\n"


def front(w: Writer, text: str, **more: str) -> str:
    """Return the front matter that a generator and the theme read."""
    home = w.page.name == "index"
    open_text = re.sub(r"(?m)^\?\?\? .*\n(?:[ ]{4}.*\n|\n)*|`[^`\n]*`", "", text)
    meta = {
        "title": "x0" if home else plain(w.page.title),
        "part": next((p.title[w.language] for p in w.book.nav if w.page.name in p.pages), ""),
        "home": home,
        "math": "$" in open_text,
        "pending": w.page.path.suffix == ".md" and w.page.name not in w.book.pages[w.other],
        **{k: v for k, v in w.page.meta.items() if k not in ("prerequisites", "translation")},
        **more,
    }
    # JSON is YAML, and quick to write.
    rows = [f"{k}: {json.dumps(v, ensure_ascii=False)}\n" for k, v in meta.items() if v]
    return f"---\n{''.join(rows)}---\n"


def plain(title: str) -> str:
    """Return a heading without its markup."""
    return re.sub(r"[`*$]", "", title)


def body(w: Writer, found: Iterable[Block]) -> Iterator[str]:
    """Return blocks as Markdown, with what belongs under headings that ask for it."""
    section, indexed = "", False
    for block in found:
        heading = HEADING.match(block.text) if block.kind == "heading" else None
        if heading:
            yield from _under(w, section, indexed)
            section, indexed = heading["id"] or "", False
        indexed |= block.kind == "index"
        yield from filter(None, _block(w, block))
        if heading and heading["level"] == "#":
            yield from _head(w)
    yield from _under(w, section, indexed)


def _under(w: Writer, section: str, indexed: bool) -> Iterator[str]:
    if section == "sources" and w.page.name in w.book.mistakes_of:
        yield show(w, "claims.md")
    if section == "references" and not indexed:
        yield show(w, "references.md")


def _head(w: Writer) -> Iterator[str]:
    """Return what stands under the title."""
    if w.page.name not in w.book.pages[w.other]:
        yield f"{w.words['pending']}\n{attributes('x0-pending')}"
    wanted = [n for n in w.page.meta.get("prerequisites", []) if n in w.book.pages[w.language]]
    if wanted:
        links = " · ".join(map(w.to, wanted))
        yield f"{w.words['prerequisites']}{w.words['colon']}{links}\n{attributes('x0-prereq')}"
    if w.lab:
        files = [f"{w.lab.name}.{suffix}" for suffix in ("ipynb", "py")]
        shown = [w.link(n, w.href(f"{LABS}/files/{n}"), download=n) for n in files]
        _, github, place = w.repository.partition("https://github.com/")
        if github:
            root = f"https://colab.research.google.com/github/{place}/blob/{BRANCH}"
            shown.append(w.link(w.words["colab"], f"{root}/{w.language}/{files[0]}"))
        mark = attributes("x0-lab", **{"data-search-exclude": "yes"})
        yield f"{w.words['run_it']}{w.words['colon']}{' · '.join(shown)}\n{mark}"


def _block(w: Writer, block: Block) -> Iterator[str]:
    if block.kind == "fence":
        yield from fence(w, block)
    elif block.kind == "comment":
        yield block.text.rstrip("\n")
    elif block.kind == "index":
        yield show(w, f"{block.key}.md")
    elif block.kind == "eq":
        yield textwrap.indent(_equation(w, block), block.indent)
    elif block.kind == "fig":
        yield textwrap.indent(_figure(w, block), block.indent)
    elif block.kind not in ("front", "blank"):
        text = w.text(block.text.rstrip("\n"), line=block.line)
        number = EXERCISE.match(block.text)
        yield f"{text}\n{{ #exercise-{number[1]} }}" if number else text


def _equation(w: Writer, block: Block) -> str:
    """Return a displayed equation: `finish` knows it by the anchor and the tag."""
    try:
        w.book.katex.render(w.book.equations[block.key].tex.strip(), display=True)
    except (KeyError, ValueError) as error:
        w.missing(block.line, f"equation {block.key}: {error}")
        return ""
    return displayed(w, block.key, w.book.numbers[w.page.name, "eq", block.key])


def displayed(w: Writer, key: str, number: int) -> str:
    """Return an equation with its number."""
    tex = w.book.katex.plain(w.book.equations[key].tex.strip())
    return f"[](){{ #eq-{key} }}\n\n$$\n{tex} \\tag{{{number}}}\n$$"


def _figure(w: Writer, block: Block) -> str:
    """Return a figure; `finish` puts the drawing in."""
    if block.key not in w.book.figures:
        w.missing(block.line, f"there is no figure {block.key}")
    number = w.numbered("fig", w.book.numbers[w.page.name, "fig", block.key])
    caption = w.text(block.arg, line=block.line)
    return show(w, "figure.md", key=block.key, number=number, caption=caption)


def _stems(w: Writer) -> list[str]:
    """Return the modules whose code, figures, output or values a page shows."""
    found = [include.stem for include in w.page.includes]
    for use in w.page.uses:
        if use.kind in ("val", "fig"):
            found.append(use.stem if use.kind == "val" else w.book.figures.get(use.key, ""))
    return [stem for stem in dict.fromkeys(found) if stem in w.book.modules]


def foot(w: Writer, stems: list[str]) -> str:
    """Return what stands at the end of a page: what was executed for it, and links."""
    results = [w.book.results[stem] for stem in stems if stem in w.book.results]
    issue = f"{w.page.name} ({w.language})".replace("/", "%2F").replace(" ", "%20")
    return show(w, "foot.md", results=results, issue=issue)
