"""Publishing the labs: notebooks that any reader can open, and the pages that show them.

A page is made of two halves. Its Markdown is converted as that of every page; its code and what
it printed come from mkdocs-jupyter, which renders the executed notebook. `weave` joins them.
"""

from __future__ import annotations

import html
import os
import posixpath
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import lxml.html
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File

from x0_build import labs
from x0_build.book import Book
from x0_build.labs import AREA, BRANCH, Lab
from x0_build.paths import LANGUAGES, Project
from x0_build.source import HEADING, LINK, PATTERNS, Page
from x0_build.tex import expand
from x0_build.words import WORDS

_SLOT = '<div data-x0-cell="{}"></div>'


# --- pages


def files(book: Book, language: str, config: MkDocsConfig) -> list[File]:
    """Return the files of the labs: the notebook behind each page, and what a reader downloads."""
    import jupytext

    found = []
    for lab in book.labs:
        site = config.site_url or ""
        executed = book.project.build / "executed" / language / f"{lab.name}.ipynb"
        executed.parent.mkdir(parents=True, exist_ok=True)
        notebook = make(book, lab, language, site, outputs=True)
        executed.write_text(jupytext.writes(notebook, "ipynb"), encoding="utf-8")
        # It is called .md, like all pages, so that links to it are like all links.
        found.append(File.generated(config, lab.uri, abs_src_path=str(executed)))
        for name, text in downloads(book, lab, language, site).items():
            found.append(File.generated(config, f"{AREA}/{name}", content=text))
    return found


def markdown(lab: Lab, language: str) -> str:
    """Return the Markdown of a lab's page, with an empty slot for each code cell."""
    number, parts = 0, []
    for cell in lab.cells:
        if cell.language == language:
            parts.append(cell.source)
        elif not cell.language:
            parts.append(_SLOT.format(number))
            number += 1
    return "\n\n".join(parts)


def description(lab: Lab, language: str) -> str:
    """Return the first sentences of a lab, for search engines."""
    text = re.sub(r"^#.*", "", lab.pages[language].text, flags=re.MULTILINE)
    return _bare(text.strip().split("\n\n")[0].replace("\n", " "))


def weave(page: str, rendered: str, language: str) -> str:
    """Put the code cells of a notebook, as mkdocs-jupyter renders them, into their slots.

    They take the form that code has on every page. mkdocs-jupyter's own styles (590 KB), prompts
    and second copies of the code stay behind.
    """
    root = lxml.html.document_fromstring(rendered)
    cells = [cell for cell in root.find_class("jp-CodeCell") if not _inside(cell, "jp-CodeCell")]
    if len(cells) != page.count("data-x0-cell"):
        raise ValueError(
            f"mkdocs-jupyter rendered {len(cells)} code cells of {page.count('data-x0-cell')}"
        )
    for number, cell in enumerate(cells):
        (code,) = cell.find_class("highlight-ipynb")
        (pre,) = code.iter("pre")
        inner = "".join(
            [html.escape(pre.text or "", quote=False)]
            + [lxml.html.tostring(child, encoding="unicode") for child in pre]
        ).removeprefix("<span></span>")
        shown = _block("python", inner)
        printed = "".join(
            output.text_content()
            for area in cell.find_class("jp-OutputArea-output")
            for output in area.iter("pre")
        )
        if printed.strip():
            label = f'<span class="x0-out__label">{WORDS[language]["output"]}</span>'
            text = html.escape(printed.strip("\n") + "\n", quote=False)
            shown += f'\n<div class="x0-out">{label}{_block("text", text)}</div>'
        page = page.replace(_SLOT.format(number), shown)
    return page


def _inside(element: Any, name: str) -> bool:
    return any(name in (parent.get("class") or "").split() for parent in element.iterancestors())


def _block(language: str, inner: str) -> str:
    return f'<div class="language-{language} highlight"><pre><span></span><code>{inner}</code></pre></div>'


# --- notebooks


def downloads(book: Book, lab: Lab, language: str, site: str) -> dict[str, str]:
    """Return what a reader downloads, by file name: a notebook without outputs, and a script."""
    import jupytext

    notebook = make(book, lab, language, site)
    script = make(book, lab, language, site)
    script.metadata["jupytext"] = {
        "notebook_metadata_filter": "-all",
        "cell_metadata_filter": "-all",
    }
    return {
        f"{lab.name}.ipynb": jupytext.writes(notebook, "ipynb"),
        f"{lab.name}.py": jupytext.writes(script, "py:percent"),
    }


def write(book: Book, target: Path, sites: dict[str, str]) -> list[Path]:
    """Write the clean notebooks of both languages, for the branch that Colab reads.

    Args:
        book: The book.
        target: A folder, which is emptied first.
        sites: The address of the site of each language, for links.
    """
    shutil.rmtree(target, ignore_errors=True)
    files = {
        f"{language}/{lab.name}.ipynb": downloads(book, lab, language, sites[language])[
            f"{lab.name}.ipynb"
        ]
        for language in LANGUAGES
        for lab in book.labs
    }
    files["README.md"] = "The labs of x0 as clean notebooks. Generated: change their sources.\n"
    for name, text in files.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text(text, encoding="utf-8")
    return [target / name for name in files]


def push(project: Project, folder: Path) -> None:
    """Make a folder the only commit of the branch that Colab reads, and push it to origin."""
    who = {f"GIT_{x}_NAME": "x0 contributors" for x in ("AUTHOR", "COMMITTER")}
    who |= {f"GIT_{x}_EMAIL": "x0@users.noreply.github.com" for x in ("AUTHOR", "COMMITTER")}
    index = project.build / "notebooks.index"  # the checkout's own index stays as it is
    index.unlink(missing_ok=True)

    def git(*arguments: str, cwd: Path = project.root) -> str:
        environment = {**os.environ, **who, "GIT_INDEX_FILE": str(index)}
        command = ["git", *arguments]
        return subprocess.run(
            command, cwd=cwd, env=environment, check=True, capture_output=True, text=True
        ).stdout.strip()

    place = git("rev-parse", "--absolute-git-dir")
    git(f"--git-dir={place}", "--work-tree=.", "add", "--all", "--force", ".", cwd=folder)
    source = git("rev-parse", "--short", "HEAD")
    commit = git("commit-tree", "-m", f"Notebooks of {source}", git("write-tree"))
    git("push", "--force", "origin", f"{commit}:refs/heads/{BRANCH}")


def make(book: Book, lab: Lab, language: str, site: str, *, outputs: bool = False) -> Any:
    """Return a lab as a notebook of one language, in Markdown that any viewer reads.

    Args:
        book: Where equations, values and references stand.
        lab: The lab.
        language: The language of its Markdown cells.
        site: The address of the site of that language, for links; without it they are left out.
        outputs: Put in what each code cell printed.
    """
    from nbformat import v4

    printed = labs.outputs(book.project, lab)
    cells: list[Any] = []
    for cell in lab.cells:
        name = f"{lab.name}-{len(cells)}"
        if cell.language == language:
            text = plain(cell.source, book, lab.pages[language], site)
            cells.append(v4.new_markdown_cell(text, id=name))  # type: ignore[no-untyped-call]
        elif not cell.language:
            code = v4.new_code_cell(cell.source, id=name)  # type: ignore[no-untyped-call]
            number = sum(cell.cell_type == "code" for cell in cells)
            if outputs and number < len(printed) and printed[number]:
                output = v4.new_output("stream", name="stdout", text=printed[number])  # type: ignore[no-untyped-call]
                code.outputs.append(output)
            cells.append(code)
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    metadata = {"kernelspec": kernel, "language_info": {"name": "python"}}
    return v4.new_notebook(cells=cells, metadata=metadata)  # type: ignore[no-untyped-call]


def plain(text: str, book: Book, page: Page, site: str) -> str:
    """Write the Markdown of our pages in the Markdown of notebooks.

    Args:
        text: A Markdown cell.
        book: Where equations, values and references stand.
        page: The page that holds the cell.
        site: The address of the site; without it, links become plain text.
    """
    w, language, macros = WORDS[page.language], page.language, book.katex.macros
    wide = language == "zh"

    def label(keys: str) -> str:
        rows = [book.references.get(key.strip().lstrip("@")) for key in keys.split(";")]
        return ("；" if wide else "; ").join(row.label[language] for row in rows if row)

    def reference(kind: str, key: str) -> str:
        home = page.name if book.number(page.name, kind, key) else book.home(kind, key) or ""
        number = book.number(home, kind, key)
        shown = f"({number})" if kind == "eq" else f"{w['figure']} {number}"
        return shown if home == page.name else f"{book.pages[language][home].title} {shown}"

    def equation(m: re.Match[str]) -> str:
        tex = expand(book.equations[m["key"]].read_text(encoding="utf-8").strip(), macros)
        return f"$$\n{tex} \\tag{{{book.number(page.name, 'eq', m['key'])}}}\n$$"

    def cited(m: re.Match[str]) -> str:
        where = f"{'，' if wide else ', '}{m['arg']}" if m["arg"] else ""
        return f"（{label(m['key'])}{where}）" if wide else f"({label(m['key'])}{where})"

    def references(_: re.Match[str]) -> str:
        keys = [k.strip().lstrip("@") for u in page.keys("cite") for k in u.split(";")]
        keys += page.keys("cited")
        rows = sorted({book.references[key].html for key in keys if key in book.references})
        return "\n".join(f"- {_text(row)}" for row in rows)

    def link(m: re.Match[str]) -> str:
        target, shown = m["target"], m[0][1 : m[0].rindex("](")]
        if re.match(r"[a-z]+:", target):
            return m[0]
        path, _, anchor = target.partition("#")
        if not site or not path:
            return shown
        uri = posixpath.normpath(posixpath.join(posixpath.dirname(page.uri), path))
        address = uri.removesuffix(".md").removesuffix("index").rstrip("/")
        address = urljoin(site, f"{address}/" if address else "")
        return f"[{shown}]({address}{'#' + anchor if anchor else ''})"

    # Formulas first: nothing in them is Markdown.
    rules: list[tuple[str | re.Pattern[str], Any]] = [
        (PATTERNS["val"], lambda m: book.value(m["key"], m["arg"] or "")),
        (PATTERNS["math"], lambda m: f"${expand(m['key'], macros)}$"),
        (PATTERNS["eq"], equation),
        (PATTERNS["eqref"], lambda m: reference("eq", m["key"])),
        (PATTERNS["fig"], lambda m: f"**{reference('fig', m['key'])}**"),
        (PATTERNS["figref"], lambda m: reference("fig", m["key"])),
        (PATTERNS["exact"], lambda m: m["key"]),
        (
            re.compile(PATTERNS["cited"].pattern + (" *" if wide else "")),
            lambda m: (
                f"{m['arg']}（{label(m['key'])}）" if wide else f"{m['arg']} ({label(m['key'])})"
            ),
        ),
        (re.compile((" *" if wide else "") + PATTERNS["cite"].pattern), cited),
        (
            PATTERNS["term"],
            lambda m: m["arg"] or book.glossary[m["key"]].name[language],
        ),
        (PATTERNS["tag"], lambda m: m["key"]),
        (PATTERNS["refs"], references),
        (LINK, link),
    ]
    for pattern, put in rules:
        text = re.sub(pattern, put, text)
    lines = [HEADING.sub(r"\g<level> \g<title>", line) for line in text.split("\n")]
    return "\n".join(lines)


def _text(fragment: str) -> str:
    """Return HTML as text, with the addresses of its links."""
    root = lxml.html.fragment_fromstring(fragment, create_parent="p")
    for anchor in root.iter("a"):
        if (anchor.get("href") or "") not in (anchor.text or ""):
            anchor.text = f"{anchor.text} <{anchor.get('href')}>"
    return " ".join(root.text_content().split())


def _bare(text: str) -> str:
    """Return a paragraph without markup, for a description."""
    text = re.sub(r"\[@[^\]]*\]|\((?:eq|fig):[^)]*\)", "", text)
    text = re.sub(r"\{(?:exact|term):(?:[^}|]*\|)?([^}]*)\}", r"\1", text)
    text = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", text)
    return re.sub(r"[`*$\\]|\{[^}]*\}", "", text).strip()
