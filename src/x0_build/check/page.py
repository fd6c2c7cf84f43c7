"""The rules of one page."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise

from x0_build.check.prose import language_problems
from x0_build.check.seen import Found, Seen, nearest
from x0_build.run.module import LABS
from x0_build.syntax import INCLUDE, Block, Page

CHAPTERS = ("foundations", "taylor", "initialization", "training")  # areas of chapters
SECTIONS = ("result", "derivation", "limits", "references")
BOXES = ("result", "derivation", "solution", "code", "warning")
FORMS = {
    "eq": "{eq:he-variance}",
    "fig": "{fig:he-depth-forward}",
    "val": "{val:he.ratio:.3f}, without spaces",
    "exact": "{exact:1797}",
    "cited": "{cited:0.02|radford2018}",
    "term": "{term:fan-in} or {term:fan-in|shown text}",
    "index": "{index:glossary}, alone in a paragraph",
    "claims": "nothing: what the sources say stands under the heading {#sources}",
    "refs": "nothing: the references stand under the heading {#references}",
    "out": "nothing: what a module prints follows its section demo",
    "@": "[@he2015] or [@he2015, §2.2]",
}
_PYTHON = {"python", "py", "python3", "pycon"}
_DISPLAY = re.compile(r"(?<!\\)\$\$|\\\[|\\begin\{(?:equation|align)")
_BOX = re.compile(r'^( *)(?:!!!|\?\?\?\+?) *([\w-]*)( +"[^"\n]+")?( *)(.*)$', re.M)
_NUMBER = re.compile(r"(?<![\w.^_{#-])\d[\d,]*(?:\.\d+)?")
_BARE = re.compile(r"\]\([^)\n]*\)|\{[^{}\n]*[#:=][^{}\n]*\}|<[^>\n]+>|https?://\S+")


def problems(seen: Seen, page: Page) -> Iterator[Found]:
    """Find what is wrong with a page."""
    for rule in (_headings, _sections, _settings, _fences, _includes, _signs, _boxes):
        yield from rule(seen, page)
    for link, line in page.links:
        if wrong := seen.lost(page, link):
            yield line, *wrong
    text = blanked(page, "code", "comment")
    yield from numbers(text)
    yield from language_problems(page.language, blanked(page, "code", "comment", "math"))


def blanked(page: Page, *kinds: str) -> str:
    """Return the prose without signs, addresses and tags; offsets stay."""
    text = page.prose
    for use in page.uses:
        if use.kind != "math" or "math" in kinds:
            text = text[: use.start] + " " * (use.end - use.start) + text[use.end :]
    return _BARE.sub(lambda m: re.sub(r"[^\n]", " ", m[0]), text)


def _headings(_: Seen, page: Page) -> Iterator[Found]:
    ids: set[str] = set()
    if sum(heading.level == 1 for heading in page.headings) != 1:
        yield 1, "a page has exactly one heading of level 1", "write one `# Title {#id}`"
    for heading in page.headings:
        if not heading.id:
            remedy = f"write `{'#' * heading.level} {heading.title} {{#some-id}}`, the same id in both languages"
            yield heading.line, f"the heading “{heading.title}” has no id", remedy
        elif heading.id in ids:
            yield heading.line, f"the id {heading.id} is used twice", "choose another id"
        ids.add(heading.id)
        if "$" in heading.title:
            yield heading.line, "a heading holds a formula", "say it in words"


def _sections(seen: Seen, page: Page) -> Iterator[Found]:
    twin = seen.book.pages["en" if page.language == "zh" else "zh"].get(page.name, page)
    if page.name.partition("/")[0] in CHAPTERS:
        for anchor in SECTIONS:
            if not page.has(anchor) and not twin.has(anchor):
                remedy = f"write `## … {{#{anchor}}}`, in both languages"
                yield 1, f"a chapter has a section #{anchor}, this one has none", remedy
    blocks = [block for block in page.blocks if block.kind != "blank"]
    below = {block.line: after.kind for block, after in pairwise(blocks)}
    line = next((h.line for h in page.headings if h.id == "sources"), 0)
    claims = page.name in seen.book.mistakes_of
    if claims and not line and not twin.has("sources"):
        remedy = "write `## … {#sources}`: what they say is put below it"
        yield 1, "sources speak of this page, and it has no section #sources", remedy
    if line and not claims and below.get(line, "heading") == "heading":
        yield line, "the section is empty: no source speaks of this page", "remove the heading"


def _settings(seen: Seen, page: Page) -> Iterator[Found]:
    def line(word: str) -> int:
        place = re.search(rf"^.*{re.escape(word)}", page.text, re.M)
        return page.line_of(place.start()) if place else 1

    if not page.name.startswith(f"{LABS}/") and not page.meta.get("description"):
        remedy = "write `description: one sentence that states the result` between two lines ---"
        yield 1, "the page has no description", remedy
    for name in page.meta.get("prerequisites", []):
        if name not in seen.book.either:
            remedy = nearest(name, seen.book.either, "write a list: [guide/notation]")
            yield line("prerequisites:"), f"the prerequisite {name} is no page", remedy


def _fences(_: Seen, page: Page) -> Iterator[Found]:
    for fence in page.fences:
        rows = fence.text.rstrip("\n").split("\n")
        if len(rows) == 1 or rows[-1].strip().strip(fence.key[0]) or not rows[-1].strip():
            yield fence.line, "the fence is not closed", f"write {fence.key} on a line after it"
        elif re.split(r"[{. ]+", f"{fence.arg} ")[0].lower() in _PYTHON:
            yield from _typed(fence)
    for match in _DISPLAY.finditer(page.prose):
        remedy = "move it to snippets/equations/<concept>.tex and write `{eq:<concept>-<name>}`"
        yield page.line_of(match.start()), "a display equation is typed into a page", remedy


def _typed(fence: Block) -> Iterator[Found]:
    remedy = 'write `--8<-- "x0/<area>/<stem>.py:<section>"`'
    for line, row in enumerate(fence.body.split("\n"), fence.line + 1):
        if "--8<--" in row and not INCLUDE.match(row):
            yield line, f"{row.strip()} cannot be read", remedy
        elif row.strip() and not INCLUDE.match(row):
            yield line, "Python is typed into a page", f"move the code to src/x0 and {remedy}"
            return


def _includes(seen: Seen, page: Page) -> Iterator[Found]:
    begun: set[str] = set()
    for include in page.includes:
        name, module = f"x0/{include.area}/{include.stem}.py", seen.book.modules.get(include.stem)
        if module is None or module.area != include.area:
            known = [f"x0/{m.area}/{m.stem}.py" for m in seen.book.modules.values()]
            remedy = nearest(name, known, "write the path of a module below src/")
            yield include.line, f"there is no module {name}", remedy
            continue
        sections = [section for section in seen.book.sections[include.stem] if section]
        if include.section and include.section not in sections:
            remedy = f"its sections are: {', '.join(sections) or 'none'}"
            yield include.line, f"{name} has no section {include.section}", remedy
        elif include.stem not in begun and include.section not in ("imports", ""):
            message = f"the section {include.section} of {name} stands before its imports"
            yield include.line, message, f'write `--8<-- "{name}:imports"` above it'
        begun.add(include.stem)


def _signs(seen: Seen, page: Page) -> Iterator[Found]:
    for use in page.uses:
        if wrong := seen.wrong(use):
            yield use.line, *wrong
        elif use.kind == "fig" and not use.arg:
            yield use.line, f"the figure {use.key} has no caption", "write it after the sign"
    for kind, noun in (("eq", "equation"), ("fig", "figure")):
        for key, count in Counter(page.keys(kind)).items():
            if count > 1:
                line = max(use.line for use in page.uses if (use.kind, use.key) == (kind, key))
                remedy = f"refer to it with {{{kind}:{key}}} inside a sentence"
                yield line, f"the {noun} {key} is shown twice", remedy
    for text, line in page.strays:
        word = "@" if text[1] == "@" else re.split(r"[:}]", text[1:])[0]
        if word in FORMS:
            yield line, f"{text} cannot be read", f"write {FORMS[word]}"
        else:
            words = ", ".join(f"{{{word}:…}}" for word in FORMS if word.isalpha())
            yield line, f"{text} is no sign", nearest(word, FORMS, f"write one of {words}")


def _boxes(_: Seen, page: Page) -> Iterator[Found]:
    for match in _BOX.finditer(page.prose):
        line, (indent, kind, title, _space, rest) = page.line_of(match.start()), match.groups()
        if kind not in BOXES:
            remedy = nearest(kind, BOXES, f"write one of {', '.join(BOXES)}")
            yield line, f"there is no box “{kind}”", remedy
        elif rest or not title:
            yield line, "the title of the box cannot be read", f'write `!!! {kind} "Title"`'
        below = page.text[match.end() :].lstrip("\n").partition("\n")[0]
        if len(below) - len(below.lstrip()) < len(indent) + 4:
            after = page.text[match.end() :]
            at = page.line_of(match.end() + len(after) - len(after.lstrip("\n")))
            yield at, "the body of the box is not indented", "indent it by four spaces"


def numbers(text: str) -> Iterator[Found]:
    """Find the numbers that look measured: two digits and a point, or three that are not round."""
    for match in _NUMBER.finditer(text):
        digits = re.sub(r"\D", "", match[0]).lstrip("0")
        if "." in match[0]:
            free = len(digits.strip("0")) < 2
        else:
            power = bool(digits) and int(digits) & (int(digits) - 1) == 0
            free = len(digits) < 3 or len(digits.rstrip("0")) < 3 or power
        if not free:
            remedy = "leave it in a module and write {val:…}, or mark it {exact:…} or {cited:…|key}"
            yield text.count("\n", 0, match.start()) + 1, f"the number {match[0]} is typed", remedy
