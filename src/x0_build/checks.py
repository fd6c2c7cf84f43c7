"""The check pass: everything that can be wrong with the sources, with file and line.

It runs before MkDocs, because MkDocs and Markdown extensions know neither the file nor the line
of most of what they see.
"""

from __future__ import annotations

import posixpath
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from difflib import get_close_matches

from x0_build.book import Book
from x0_build.ledger import VERDICTS
from x0_build.paths import LANGUAGES
from x0_build.problems import Problem
from x0_build.reference import INDEXES
from x0_build.source import INCLUDE, INLINE, PATTERNS, STRAY, Page
from x0_build.tex import TexError

# What must stand in the same order in both languages, and what only equally often: the order
# inside a sentence belongs to the language.
_ORDERED = ("eq", "fig", "out", "index", "claims", "refs")
_COUNTED = ("eqref", "figref", "val", "exact", "cited", "cite", "tag", "term")

_NUMBER = re.compile(r"(?<![\w.^_{#-])\d[\d,]*(?:\.\d+)?")
_DISPLAY = re.compile(r"(?<!\\)\$\$|\\\[|\\begin\{(?:equation|align)")
_TEX_WORD = re.compile(r"\\(?:text|textrm|mbox|textit|textbf)\s*\{[^}]*[A-Za-z\u4e00-\u9fff]{2}")


def check(book: Book) -> list[Problem]:
    """Return every problem of the sources, sorted."""
    found: list[Problem] = []
    found += _twins(book)
    found += _equations(book)
    found += check_data(book)
    for pages in book.pages.values():
        for page in pages.values():
            found += _page(book, page)
    return sorted(set(found))


def _at(book: Book, page: Page, line: int, message: str, remedy: str) -> Problem:
    return Problem(book.project.relative(page.path), line, message, remedy)


def _nearest(key: str, known: Iterable[str], otherwise: str) -> str:
    near = get_close_matches(key, list(known), 1)
    return f"did you mean {near[0]}? If not, {otherwise}" if near else otherwise


# One page


def _page(book: Book, page: Page) -> Iterator[Problem]:
    yield from _headings(book, page)
    yield from _typed(book, page)
    yield from _includes(book, page)
    yield from _keys(book, page)
    yield from _math(book, page)
    yield from _links(book, page)
    yield from _prose_numbers(book, page)
    read = {m.end() for pattern in PATTERNS.values() for m in pattern.finditer(page.prose)}
    # \mathrm{out} in a formula is none of ours.
    text = PATTERNS["math"].sub(lambda m: " " * len(m.group()), page.prose)
    for stray in STRAY.finditer(text):
        if stray.end() not in read:
            yield _at(
                book,
                page,
                page.line_of(stray.start()),
                f"{stray.group()} is no reference that can be read",
                "a block ({eq:…}, {out:…}, {claims}, {refs}) stands alone on its line; "
                "see the table of the page syntax in CONTRIBUTING.md",
            )


def _headings(book: Book, page: Page) -> Iterator[Problem]:
    seen: set[str] = set()
    if sum(heading.level == 1 for heading in page.headings) != 1:
        yield _at(
            book, page, 1, "a page has exactly one heading of level 1", "write one `# Title {#id}`"
        )
    for heading in page.headings:
        if not heading.id:
            remedy = f"write `{'#' * heading.level} {heading.title} {{#some-id}}`, the same id in both languages"
            yield _at(book, page, heading.line, f"the heading “{heading.title}” has no id", remedy)
        elif heading.id in seen:
            yield _at(
                book, page, heading.line, f"the id {heading.id} is used twice", "choose another id"
            )
        seen.add(heading.id)
        if "$" in heading.title:
            yield _at(book, page, heading.line, "a heading holds a formula", "say it in words")


def _typed(book: Book, page: Page) -> Iterator[Problem]:
    for fence in page.fences:
        language = re.match(r"[{. ]*([\w+-]*)", fence.info)
        if not language or language[1].lower() not in {"python", "py", "python3", "pycon"}:
            continue
        for offset, line in enumerate(fence.body.split("\n"), 1):
            if line.strip() and not INCLUDE.match(line):
                remedy = (
                    'move the code to src/x0 and write `--8<-- "x0/<area>/<stem>.py:<section>"`'
                )
                yield _at(book, page, fence.line + offset, "Python is typed into a page", remedy)
                break
    for match in _DISPLAY.finditer(page.prose):
        remedy = (
            "move it to snippets/equations/<concept>-<name>.tex and write `{eq:<concept>-<name>}`"
        )
        yield _at(
            book,
            page,
            page.line_of(match.start()),
            "a display equation is typed into a page",
            remedy,
        )


def _includes(book: Book, page: Page) -> Iterator[Problem]:
    for area, stem, section, line in page.includes:
        module = book.modules.get(stem)
        if module is None or module.area != area:
            known = [f"x0/{m.area}/{m.stem}.py" for m in book.modules.values()]
            name = f"x0/{area}/{stem}.py"
            yield _at(
                book,
                page,
                line,
                f"there is no module {name}",
                _nearest(name, known, "write the path of a module below src/"),
            )
            continue
        text = module.path.read_text(encoding="utf-8")
        sections = re.findall(r"# --8<-- \[start:([\w-]+)\]", text)
        if section and section not in sections:
            remedy = f"its sections are: {', '.join(sections) or 'none'}"
            message = f"{book.project.relative(module.path)} has no section {section}"
            yield _at(book, page, line, message, remedy)
        elif section and f"# --8<-- [end:{section}]" not in text:
            message = f"the section {section} of {book.project.relative(module.path)} has no end"
            yield _at(book, page, line, message, f"add `# --8<-- [end:{section}]`")
    for fence in page.fences:
        for offset, text in enumerate(fence.body.split("\n"), 1):
            if "--8<--" in text and not INCLUDE.match(text):
                message = f"{text.strip()} cannot be read"
                remedy = 'write `--8<-- "x0/<area>/<stem>.py:<section>"`'
                yield _at(book, page, fence.line + offset, message, remedy)


def _keys(book: Book, page: Page) -> Iterator[Problem]:
    for use in page.uses:
        problem: tuple[str, str] | None = None
        parts = [part.strip().lstrip("@") for part in use.key.split(";")]
        if use.kind in ("eq", "eqref") and use.key not in book.equations:
            file = f"write snippets/equations/{use.key}.tex"
            problem = f"there is no equation {use.key}", _nearest(use.key, book.equations, file)
        elif use.kind in ("fig", "figref") and use.key not in book.figure_modules:
            problem = (
                f"there is no figure {use.key}",
                _nearest(
                    use.key,
                    book.figure_modules,
                    "write plot_<name>() in a module: it draws the figure <stem>-<name>",
                ),
            )
        elif use.kind in ("eqref", "figref") and book.home(use.kind[:-3], use.key) is None:
            problem = (
                f"{use.key} is referred to but shown on no page",
                f"show it with {{{use.kind[:-3]}:{use.key}}}",
            )
        elif use.kind == "val":
            problem = _value(book, use.key, use.arg)
        elif use.kind == "out" and use.key not in book.results:
            problem = (
                f"there is no module {use.key}",
                _nearest(use.key, book.results, "write the stem of a module that has a demo()"),
            )
        elif use.kind == "index" and use.key not in INDEXES:
            problem = f"there is no index {use.key}", f"write one of: {', '.join(INDEXES)}"
        elif use.kind in ("cite", "cited"):
            for key in parts:
                if key not in book.references:
                    add = "add it to snippets/references.bib"
                    problem = f"there is no reference {key}", _nearest(key, book.references, add)
        elif use.kind == "term" and use.key not in book.glossary:
            add = "add it to snippets/glossary.toml"
            problem = f"there is no term {use.key}", _nearest(use.key, book.glossary, add)
        if problem:
            yield _at(book, page, use.line, *problem)
    for kind, noun in (("eq", "equation"), ("fig", "figure")):
        for key, count in Counter(page.keys(kind)).items():
            if count > 1:
                line = max(use.line for use in page.uses if (use.kind, use.key) == (kind, key))
                yield _at(
                    book,
                    page,
                    line,
                    f"the {noun} {key} is shown twice",
                    f"refer to it with ({kind}:{key})",
                )


def _value(book: Book, key: str, form: str) -> tuple[str, str] | None:
    stem, _, name = key.partition(".")
    if stem not in book.results:
        return f"there is no module {stem}", _nearest(
            stem, book.results, "write {val:<stem>.<key>:<format>}"
        )
    values = book.results[stem].values
    if name not in values:
        return (
            f"demo() of {stem} returns no value {name}",
            f"it returns: {', '.join(values) or 'nothing'}",
        )
    try:
        book.value(key, form)
    except ValueError as error:
        return (
            f"{key} cannot be written with the format {form!r}: {error}",
            "write a format such as .3f or .2e",
        )
    return None


def _math(book: Book, page: Page) -> Iterator[Problem]:
    for use in page.uses:
        if use.kind != "math":
            continue
        tex = PATTERNS["val"].sub("1", use.key)
        try:
            book.katex.render(tex)
        except TexError as error:
            offset = use.start + max(error.position, 0)
            message = f"KaTeX cannot read ${use.key}$: {error.message}"
            yield _at(
                book,
                page,
                page.line_of(offset),
                message,
                "repair the formula; macros stand in snippets/macros.toml",
            )


def _links(book: Book, page: Page) -> Iterator[Problem]:
    for target, line in page.links:
        if re.match(r"[a-z]+:", target):
            continue
        path, _, anchor = target.partition("#")
        uri = (
            posixpath.normpath(posixpath.join(posixpath.dirname(page.uri), path))
            if path
            else page.uri
        )
        if not uri.endswith(".md"):
            if not (book.project.docs / page.language / uri).is_file() and not uri.startswith(
                "code/"
            ):
                yield _at(
                    book,
                    page,
                    line,
                    f"the link {target} leads nowhere",
                    "link to the .md file of a page",
                )
            continue
        other = book.pages[page.language].get(uri.removesuffix(".md"))
        if other is None and not uri.startswith("code/"):
            folder = posixpath.dirname(page.uri) or "."
            names = [posixpath.relpath(f"{n}.md", folder) for n in book.pages[page.language]]
            remedy = _nearest(path, names, "write the path of a .md file, relative to this one")
            yield _at(book, page, line, f"the link {target} leads to no page", remedy)
        elif other and anchor and anchor not in _anchors(book, other):
            remedy = _nearest(anchor, _anchors(book, other), f"write an id of {other.uri}")
            yield _at(book, page, line, f"the link {target} leads to no section", remedy)


def _anchors(book: Book, page: Page) -> set[str]:
    anchors = {heading.id for heading in page.headings}
    anchors |= {f"{kind}-{key}" for kind in ("eq", "fig") for key in page.keys(kind)}
    anchors |= {f"term-{key}" for key in page.keys("term")}
    anchors |= {f"claim-{claim.id}" for claim in book.claims.values() if claim.page == page.name}
    if page.keys("refs"):
        anchors |= {f"ref-{key}" for key in book.cited(page)}
    for kind in page.keys("index"):
        anchors |= _index_anchors(book, kind)
    anchors |= set(re.findall(r'id="([\w-]+)"', page.prose))
    anchors |= set(re.findall(r"\{[^}\n]*#([\w-]+)[^}\n]*\}", page.prose))
    return anchors


def _index_anchors(book: Book, kind: str) -> set[str]:
    ledger = book.ledger
    anchors = {
        "ledger": {*book.claims, *(f"source-{key}" for key in ledger.sources)},
        "headings": {row.id for row in ledger.headings},
        "code": {f"code-{row.id}" for row in ledger.code},
        "glossary": {f"term-{key}" for key in book.glossary},
        "bibliography": {f"ref-{key}" for key in book.references},
        "figures": {f"figure-{key}" for key in book.figure_modules},
    }
    return anchors.get(kind, set())


def _prose_numbers(book: Book, page: Page) -> Iterator[Problem]:
    text = page.prose
    for kind in ("eq", "fig", "out", *INLINE):
        if kind != "math":
            text = PATTERNS[kind].sub(lambda m: " " * len(m.group()), text)
    # Addresses, attributes, HTML tags and TeX lengths are no statements.
    text = re.sub(
        r"\]\([^)\n]*\)|\{[^{}\n]*[#:=][^{}\n]*\}|<[^>\n]+>|https?://\S+",
        lambda m: " " * len(m.group()),
        text,
    )
    for match in _NUMBER.finditer(text):
        digits = re.sub(r"\D", "", match.group()).lstrip("0")
        if len(digits.rstrip("0") if "." not in match.group() else digits) >= 3:
            remedy = (
                "return it from a demo() and write {val:…}, or mark it {exact:…} or {cited:…|key}"
            )
            yield _at(
                book,
                page,
                page.line_of(match.start()),
                f"the number {match.group()} is typed",
                remedy,
            )


# Both languages


def _twins(book: Book) -> Iterator[Problem]:
    for language, other in (LANGUAGES, LANGUAGES[::-1]):
        for name, page in book.pages[language].items():
            twin = book.pages[other].get(name)
            if twin is None:
                remedy = f"write docs/{other}/{page.uri} with the same headings, equations, code and figures"
                yield _at(book, page, 1, f"the page has no twin in docs/{other}", remedy)
            elif language == "en":
                yield from _parity(book, page, twin)


def _parity(book: Book, page: Page, twin: Page) -> Iterator[Problem]:
    """Compare an English page with its Chinese twin."""
    mine = [(h.level, h.id) for h in page.headings]
    theirs = [(h.level, h.id) for h in twin.headings]
    for number, (a, b) in enumerate(zip(mine, theirs, strict=False)):
        if a != b:
            line = page.headings[number].line
            message = f"the heading #{a[1]} (level {a[0]}) stands where docs/zh has #{b[1]} (level {b[0]})"
            yield _at(
                book,
                page,
                line,
                message,
                f"compare with docs/zh/{twin.uri}:{twin.headings[number].line}",
            )
            return
    if len(mine) != len(theirs):
        longer = page if len(mine) > len(theirs) else twin
        extra = longer.headings[min(len(mine), len(theirs))]
        message = f"the heading #{extra.id} has no counterpart in the other language"
        yield _at(
            book, longer, extra.line, message, "write the section in both languages, or in neither"
        )
        return
    yield from _same(book, page, twin, "included code", _code(page), _code(twin), ordered=True)
    for kind in (*_ORDERED, *_COUNTED):
        ordered = kind in _ORDERED
        yield from _same(
            book, page, twin, kind, _used(page, kind), _used(twin, kind), ordered=ordered
        )
    local = [(t, line) for t, line in page.links if not t.startswith("http")]
    other = [(t, line) for t, line in twin.links if not t.startswith("http")]
    yield from _same(book, page, twin, "link", local, other, ordered=False)
    if page.meta.get("prerequisites") != twin.meta.get("prerequisites"):
        yield _at(book, page, 1, "the prerequisites differ from docs/zh", "make both lists equal")


def _code(page: Page) -> list[tuple[str, int]]:
    return [(f"{area}/{stem}.py:{section}", line) for area, stem, section, line in page.includes]


def _used(page: Page, kind: str) -> list[tuple[str, int]]:
    fixed = kind in ("val", "cited")  # the format belongs to the number; a locator is words
    return [
        (f"{use.key}:{use.arg}" if fixed and use.arg else use.key, use.line)
        for use in page.uses
        if use.kind == kind
    ]


def _same(
    book: Book,
    page: Page,
    twin: Page,
    what: str,
    mine: list[tuple[str, int]],
    theirs: list[tuple[str, int]],
    *,
    ordered: bool,
) -> Iterator[Problem]:
    a, b = Counter(key for key, _ in mine), Counter(key for key, _ in theirs)
    for keys, rows, here, there in ((a - b, mine, page, twin), (b - a, theirs, twin, page)):
        for key in keys:
            line = [row for k, row in rows if k == key][-1]
            message = (
                f"{what} {key} stands {keys[key]} time(s) more here than in docs/{there.language}"
            )
            yield _at(book, here, line, message, "both languages hold the same; add or remove one")
    if a == b and ordered:
        for (key, line), (other, where) in zip(mine, theirs, strict=True):
            if key != other:
                message = f"{what} {key} stands where docs/zh/{twin.uri}:{where} has {other}"
                yield _at(book, page, line, message, "put them in the same order")
                return


# Equations and data files


def _equations(book: Book) -> Iterator[Problem]:
    for path in book.equations.values():
        text = path.read_text(encoding="utf-8")
        file = book.project.relative(path)
        tex = text.strip()
        try:
            book.katex.render(tex, display=True)
        except TexError as error:
            offset = max(error.position, 0) + len(text) - len(text.lstrip())
            line = text.count("\n", 0, offset) + 1
            yield Problem(
                file,
                line,
                f"KaTeX cannot read it: {error.message}",
                "repair the TeX; macros stand in snippets/macros.toml",
            )
        if match := _TEX_WORD.search(text):
            line = text.count("\n", 0, match.start()) + 1
            yield Problem(
                file,
                line,
                "an equation file holds words",
                "both languages share it; move the words to the pages",
            )


def check_data(book: Book) -> list[Problem]:
    """Return every problem of glossary, references and ledger, sorted."""
    parts = (_glossary, _references, _claims, _source_headings, _source_code)
    return sorted({problem for part in parts for problem in part(book)})


def _glossary(book: Book) -> Iterator[Problem]:
    path = book.project.snippets / "glossary.toml"
    lines = path.read_text(encoding="utf-8").split("\n")
    for term in book.glossary.values():
        line = lines.index(f"[{term.key}]") + 1 if f"[{term.key}]" in lines else 0

        def at(message: str, remedy: str, line: int = line) -> Problem:
            return Problem(book.project.relative(path), line, message, remedy)

        if not all((*term.name.values(), *term.definition.values())):
            yield at(f"the term {term.key} is not complete", "give zh, en, zh_def and en_def")
        if term.page and term.page not in book.pages["zh"]:
            remedy = _nearest(term.page, book.pages["zh"], "name the page that explains it")
            yield at(f"the page {term.page!r} of {term.key} does not exist", remedy)
        elif term.page:
            for language in LANGUAGES:
                name, page = term.name[language], book.pages[language][term.page]
                if name.casefold() not in page.prose.casefold():
                    message = f"{book.project.relative(page.path)} does not speak of “{name}”"
                    yield at(message, f"name a page that does, in both languages, for {term.key}")
        elif term.key not in book.using:
            remedy = f"write {{term:{term.key}}} on a page, or give it a `page`"
            yield at(f"no page explains the term {term.key}", remedy)
    yield from _variants(book)


def _variants(book: Book) -> Iterator[Problem]:
    """Find Chinese text that says a settled term in another word."""
    texts = [(book.project.relative(p.path), 0, p.prose) for p in book.pages["zh"].values()]
    claims = book.project.relative(book.project.snippets / "claims.toml")
    texts += [(claims, c.line, f"{c.text['zh']}\n{c.correct['zh']}") for c in book.claims.values()]
    for term in book.glossary.values():
        for variant in term.variants:
            # A longer settled word may hold the variant; and a word in quotes is only mentioned.
            pattern = re.compile(f"{re.escape(term.name['zh'])}|“[^“”\n]*”|({re.escape(variant)})")
            for file, line, text in texts:
                for match in pattern.finditer(text) if variant in text else ():
                    if match[1]:
                        yield Problem(
                            file,
                            line or text.count("\n", 0, match.start()) + 1,
                            f"“{variant}” is not the word of this book",
                            f"write {term.name['zh']} (snippets/glossary.toml: {term.key})",
                        )


_VENUES = ("journal", "booktitle", "publisher", "institution", "howpublished", "school")


def _references(book: Book) -> Iterator[Problem]:
    path = book.project.snippets / "references.bib"
    text = path.read_text(encoding="utf-8")
    seen: dict[tuple[str, str], str] = {}
    for row in book.references.values():
        match = re.search(rf"^@\w+\{{{re.escape(row.key)},", text, re.MULTILINE)
        line = text.count("\n", 0, match.start()) + 1 if match else 0

        def at(message: str, remedy: str, line: int = line) -> Problem:
            return Problem(book.project.relative(path), line, message, remedy)

        have = {name for name, value in row.fields.items() if value}
        for what, names in (
            ("author", ("people",)),
            ("title", ("title",)),
            ("year", ("year",)),
            ("venue", _VENUES),
            ("link", ("url", "doi")),
        ):
            if not have & set(names):
                wanted = "author" if what == "author" else " or ".join(names)
                yield at(f"the reference {row.key} has no {what}", f"give {wanted}")
        for name in ("title", "url", "doi"):
            value = re.sub(r"[{}\\]", "", row.fields.get(name, "")).casefold()
            first = seen.setdefault((name, value), row.key) if value else row.key
            if first != row.key:
                yield at(f"{row.key} and {first} have the same {name}", "keep one of them")


def _claims(book: Book) -> Iterator[Problem]:
    path = book.project.snippets / "claims.toml"
    file = book.project.relative(path)
    seen: set[str] = set()
    for claim in book.ledger.claims:

        def at(message: str, remedy: str, line: int = claim.line) -> Problem:
            return Problem(file, line, message, remedy)

        if claim.id in seen:
            yield at(f"the claim {claim.id} stands twice", "remove one")
        seen.add(claim.id)
        if claim.source not in book.ledger.sources:
            known = ", ".join(book.ledger.sources)
            yield at(f"the source {claim.source!r} is unknown", f"one of {known}")
        if claim.verdict not in VERDICTS:
            yield at(f"the verdict {claim.verdict!r} is unknown", f"one of {', '.join(VERDICTS)}")
        if claim.page not in book.pages["zh"]:
            remedy = _nearest(claim.page, book.pages["zh"], "name the page that treats it")
            yield at(f"the page {claim.page!r} of {claim.id} does not exist", remedy)
        if not claim.where or not all((*claim.text.values(), *claim.correct.values())):
            remedy = "give where, zh, en, zh_correct, en_correct"
            yield at(f"the claim {claim.id} is not complete", remedy)
        if claim.editorial and set(claim.editorial) != set(LANGUAGES):
            yield at(f"the reason why {claim.id} has no test is not complete", "give zh and en")
        if claim.editorial and claim.id in book.proofs:
            test = book.proofs[claim.id][0]
            message = f"{claim.id} is editorial, yet {test.file}:{test.line} proves it"
            yield at(message, "remove `editorial`, or the mark of the test")
        if not claim.editorial and claim.id not in book.proofs:
            remedy = f'mark a test with @pytest.mark.claim("{claim.id}"), or say in `editorial` why none applies'
            yield at(f"no test proves the claim {claim.id}", remedy)
        for language in LANGUAGES:
            text = "\n".join((claim.text[language], claim.correct[language]))
            page = Page(language, claim.page + ".md", path, text)
            for problem in (*_keys(book, page), *_math(book, page), *_links(book, page)):
                yield at(f"{claim.id}: {problem.message}", problem.remedy)


def _source_headings(book: Book) -> Iterator[Problem]:
    file = book.project.relative(book.project.snippets / "claims.toml")
    letters = {source.letter for source in book.ledger.sources.values()}
    for row in book.ledger.headings:

        def at(message: str, remedy: str, line: int = row.line) -> Problem:
            return Problem(file, line, message, remedy)

        if row.id.partition("-")[0] not in letters or not all(row.text.values()):
            remedy = "write an id such as A-H01, and zh, en, home"
            yield at(f"the heading {row.id} is not complete", remedy)
        page = book.pages["zh"].get(row.page)
        if page is None:
            remedy = _nearest(row.page, book.pages["zh"], 'write home = "<page>#<section>"')
            yield at(f"{row.id}: the page {row.page!r} does not exist", remedy)
            continue
        ids = [heading.id for heading in page.headings]
        if row.section not in ids:
            remedy = _nearest(row.section, ids, f"its sections are: {', '.join(ids)}")
            yield at(f"{row.id}: {page.uri} has no section {row.section!r}", remedy)
        elif not _holds_something_checked(book, page, row.section):
            message = f"{row.id}: #{row.section} of {page.uri} holds no executed block and no checked equation"
            yield at(message, "name a section that does: a heading's home is not a mention")


def _holds_something_checked(book: Book, page: Page, section: str) -> bool:
    """Whether a section, with those below it, shows code, output, a figure or an equation."""
    start = next(heading for heading in page.headings if heading.id == section)
    after = [h.line for h in page.headings if h.line > start.line and h.level <= start.level]
    end = min(after, default=page.text.count("\n") + 2)
    if any(start.line < line < end for *_, line in page.includes):
        return True
    return any(
        start.line < use.line < end
        and (use.kind in ("out", "fig") or (use.kind == "eq" and use.key in book.marks))
        for use in page.uses
    )


def _source_code(book: Book) -> Iterator[Problem]:
    path = book.project.snippets / "claims.toml"
    file = book.project.relative(path)
    for row in book.ledger.code:
        texts = (row.text, row.alone, row.in_order, row.defects)
        if not all(text[language] for text in texts for language in LANGUAGES) or not row.repair:
            remedy = "give zh, en and the same with _alone, _order, _defects; and repair"
            yield Problem(file, row.line, f"the code {row.id} is not complete", remedy)
        for name in row.claims:
            if name not in book.claims:
                remedy = _nearest(name, book.claims, "name rows of this file")
                yield Problem(file, row.line, f"{row.id}: there is no claim {name}", remedy)
        for name in row.repair:
            page, _, section = name.partition("#")
            known = page in book.pages["zh"] and section in {
                "",
                *_anchors(book, book.pages["zh"][page]),
            }
            if name not in book.modules and not known:
                remedy = "name the stem of a module, or a page and its section"
                yield Problem(file, row.line, f"{row.id}: there is no repair {name}", remedy)
        for language in LANGUAGES:
            text = "\n".join(text[language] for text in texts)
            page_of = Page(language, "reference/claims.md", path, text)
            for problem in (*_keys(book, page_of), *_math(book, page_of), *_links(book, page_of)):
                yield Problem(file, row.line, f"{row.id}: {problem.message}", problem.remedy)
