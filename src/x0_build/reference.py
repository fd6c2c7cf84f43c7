"""The reference part: ledger, glossary, bibliography and figures, from the data of the book.

Each function of `INDEXES` builds what `{index:<name>}` stands for on a page.
"""

from __future__ import annotations

import posixpath
import re
import xml.etree.ElementTree as etree
from collections import Counter
from collections.abc import Callable
from typing import TYPE_CHECKING

from markdown.util import AtomicString

from x0_build.ledger import VERDICTS, Claim

if TYPE_CHECKING:
    from x0_build.markdown import Context

LEDGER = "reference/claims"
GLOSSARY = "reference/glossary"
BIBLIOGRAPHY = "reference/bibliography"

_LOCAL_LINK = re.compile(r"\]\((?![a-z]+:)([^)#\s]*)(#[^)\s]*)?\)")


def _add(parent: etree.Element, tag: str, text: str = "", **attributes: str) -> etree.Element:
    """Append an element whose text is Markdown."""
    names = {name.rstrip("_").replace("_", "-"): value for name, value in attributes.items()}
    element = etree.SubElement(parent, tag, names)
    element.text = text
    return element


def _plain(parent: etree.Element, tag: str, text: object, **attributes: str) -> etree.Element:
    """Append an element whose text is shown as it is."""
    element = _add(parent, tag, **attributes)
    element.text = AtomicString(str(text))
    return element


def _after(parent: etree.Element, text: str) -> None:
    """Append text behind the last child."""
    if len(parent):
        parent[-1].tail = AtomicString((parent[-1].tail or "") + text)
    elif isinstance(parent.text, AtomicString):
        parent.text = AtomicString(parent.text + text)
    else:
        parent.text = (parent.text or "") + text


def _list(c: Context, parent: etree.Element, items: list[etree.Element]) -> None:
    """Append elements with the language's comma between them."""
    for number, item in enumerate(items):
        parent.append(item)
        if number < len(items) - 1:
            _after(parent, "、" if c.language == "zh" else ", ")


def _title(c: Context, name: str) -> str:
    return c.book.pages[c.language][name].title


def _moved(c: Context, text: str, name: str) -> str:
    """Return a text of another page with its links as they must be on this one."""

    def put(match: re.Match[str]) -> str:
        path = posixpath.join(posixpath.dirname(name), match[1]) if match[1] else f"{name}.md"
        target = c.href(posixpath.normpath(path))
        return f"]({target}{match[2] or ''})"

    return text if name == c.page.name else _LOCAL_LINK.sub(put, text)


# The ledger


def claim(c: Context, row: Claim, *, ledger: bool = False) -> etree.Element:
    """Return one claim: on the page that treats it, or as a row of the ledger."""
    w = c.words
    anchor = row.id if ledger else f"claim-{row.id}"
    box = etree.Element("article", {"class": f"x0-claim x0-claim--{row.verdict}", "id": anchor})
    head = _add(box, "header")
    if ledger:
        head.append(c.link(f"#{row.id}", row.id, "x0-claim__id"))
    else:
        head.append(c.to(LEDGER, row.id, row.id, "x0-claim__id"))
    _after(head, " ")
    _plain(head, "span", w[row.verdict], class_="x0-claim__verdict")
    _after(head, " ")
    _plain(head, "span", f"{w['from']} {row.source} · {row.where}", class_="x0-claim__where")
    if ledger:
        box.attrib |= {
            "data-source": row.source,
            "data-verdict": row.verdict,
            "data-topic": row.page,
            "data-proof": "editorial" if row.editorial else "test",
        }
        _after(head, " ")
        page = c.book.pages[c.language][row.page]
        place = f"claim-{row.id}" if page.keys("claims") else ""
        head.append(c.to(row.page, place, page.title, "x0-claim__page"))
    _add(box, "p", _moved(c, row.text[c.language], row.page), class_="x0-claim__text")
    _add(box, "p", _moved(c, row.correct[c.language], row.page), class_="x0-claim__fact")
    proof = _add(box, "p", class_="x0-claim__proof")
    if row.editorial:
        proof.text = f"{w['editorial']}{w['colon']}{row.editorial.get(c.language, '')}"
    elif tests := c.book.proofs.get(row.id):
        proof.text = f"{w['proved_by']}{w['colon']}"
        for test in tests:
            proof.append(c.test_link(test))
            _after(proof, " ")
    return box


def ledger(c: Context) -> etree.Element:
    """Return every claim, by source, and the form that filters them."""
    root = etree.Element("div", {"class": "x0-claims x0-ledger"})
    root.append(_filter(c))
    for source in c.book.ledger.sources.values():
        rows = [row for row in c.book.claims.values() if row.source == source.id]
        group = _add(root, "section", class_="x0-ledger__source")
        title = f"{source.id} · {source.name[c.language]}"
        _plain(group, "h3", title, id=f"source-{source.id}")
        for row in sorted(rows, key=lambda row: row.id):
            group.append(claim(c, row, ledger=True))
    return root


def _filter(c: Context) -> etree.Element:
    """Return the form: hidden without a script (x0.css), brought to life by x0.js."""
    w, rows = c.words, c.book.claims.values()
    form = etree.Element("form", {"class": "x0-filter", "aria-label": w["filter"]})
    label = _plain(form, "label", w["find"] + " ")
    _add(label, "input", type="search", name="text", autocomplete="off")
    verdicts = [(name, w[name]) for name in VERDICTS]
    sources = [(s.id, f"{s.id} · {s.name[c.language]}") for s in c.book.ledger.sources.values()]
    _options(_select(c, form, "source"), sources)
    _options(_select(c, form, "verdict"), verdicts)
    topics = _select(c, form, "topic")
    for title, names in c.book.nav[c.language]:
        treated = [n for n in names if any(row.page == n for row in rows)]
        if treated:
            group = _add(topics, "optgroup", label=title)
            _options(group, [(name, _title(c, name)) for name in treated])
    _options(_select(c, form, "proof"), [("test", w["by_test"]), ("editorial", w["by_reason"])])
    _plain(form, "button", w["reset"], type="reset")
    shown = w["shown"].format(len(rows), len(rows))
    _plain(form, "output", shown, aria_live="polite", data_shown=w["shown"])
    return form


def _select(c: Context, form: etree.Element, name: str) -> etree.Element:
    label = _plain(form, "label", c.words[f"by_{name}"] + " ")
    select = _add(label, "select", name=name)
    _plain(select, "option", c.words["all"], value="")
    return select


def _options(parent: etree.Element, options: list[tuple[str, str]]) -> None:
    for value, text in options:
        _plain(parent, "option", text, value=value)


def tally(c: Context) -> etree.Element:
    """Return how many claims there are, by verdict and by proof, of each source."""
    w, rows = c.words, list(c.book.claims.values())
    root = etree.Element("div", {"class": "x0-tally"})
    table = _add(root, "table")
    head = _add(_add(table, "thead"), "tr")
    _plain(head, "th", w["by_verdict"], scope="col")
    for source in c.book.ledger.sources:
        cell = _add(head, "th", scope="col", style="text-align: right")
        cell.append(c.link(f"#source-{source}", source))
    _plain(head, "th", w["total"], scope="col", style="text-align: right")
    some = {name: [row for row in rows if row.verdict == name] for name in VERDICTS}
    lines = [(w[name], some[name]) for name in VERDICTS]
    lines.append((w["total"], rows))
    lines.append((w["by_test"], [row for row in rows if not row.editorial]))
    lines.append((w["by_reason"], [row for row in rows if row.editorial]))
    body = _add(table, "tbody")
    for title, counted in lines:
        line = _add(body, "tr")
        _plain(line, "th", title, scope="row")
        count = Counter(row.source for row in counted)
        for number in (*(count[source] for source in c.book.ledger.sources), len(counted)):
            _plain(line, "td", number or "–", style="text-align: right")
    note = _plain(root, "p", f"{w['by_reason']}{w['colon']}", class_="x0-tally__editorial")
    editorials = sorted(row.id for row in rows if row.editorial)
    _list(c, note, [c.link(f"#{name}", name, "x0-ref") for name in editorials])
    return root


def headings(c: Context) -> etree.Element:
    """Return the table that gives every heading of the sources its section."""
    table = etree.Element("table", {"class": "x0-headings"})
    head = _add(_add(table, "thead"), "tr")
    for key in ("heading", "home"):
        _plain(head, "th", c.words[key], scope="col")
    for source in c.book.ledger.sources.values():
        body = _add(table, "tbody")
        title = f"{source.id} · {source.name[c.language]}"
        _plain(_add(body, "tr"), "th", title, colspan="2", scope="rowgroup")
        for row in c.book.ledger.headings:
            if row.id.partition("-")[0] == source.letter:
                line = _add(body, "tr", id=row.id)
                _plain(line, "td", row.text[c.language])
                cell = _add(line, "td")
                page = c.book.pages[c.language].get(row.page)
                if page is None:
                    cell.append(c.error(f"no page {row.page}"))
                    continue
                title = next((h.title for h in page.headings if h.id == row.section), "")
                cell.append(c.to(row.page, row.section, f"{page.title} · {title}"))
    return table


def code(c: Context) -> etree.Element:
    """Return what became of every block of code of the sources."""
    w = c.words
    root = etree.Element("div", {"class": "x0-claims x0-sourcecode"})
    for row in c.book.ledger.code:
        box = _add(root, "article", class_="x0-claim", id=f"code-{row.id}")
        head = _add(box, "header")
        _plain(head, "span", row.id, class_="x0-claim__id")
        _after(head, " ")
        _plain(head, "span", f"{w['from']} {row.source} · {row.where}", class_="x0-claim__where")
        _add(box, "p", row.text[c.language], class_="x0-claim__text")
        facts = _add(box, "dl")
        for key, texts in (
            ("alone", row.alone),
            ("in_order", row.in_order),
            ("defects", row.defects),
        ):
            _plain(facts, "dt", w[key])
            fact = _add(facts, "dd", texts[c.language])
        if row.claims:
            _after(fact, " ")
            _list(c, fact, [c.link(f"#{name}", name, "x0-ref") for name in row.claims])
        _plain(facts, "dt", w["repair"])
        fact = _add(facts, "dd")
        _list(c, fact, [_repair(c, name) for name in row.repair])
    return root


def _repair(c: Context, name: str) -> etree.Element:
    if name in c.book.modules:
        module = c.book.modules[name]
        return c.link(c.href(c.code_uri(name)), f"x0/{module.area}/{name}.py")
    page, _, section = name.partition("#")
    return c.to(page, section, _title(c, page))


# Glossary, bibliography, figures


def glossary(c: Context) -> etree.Element:
    """Return every term with its name in the other language, by the area that explains it."""
    other = "en" if c.language == "zh" else "zh"
    root = etree.Element("div", {"class": "x0-glossary"})
    done: set[str] = set()
    for area, names in c.book.nav[c.language]:
        terms = [
            term
            for key, term in c.book.glossary.items()
            if key not in done and c.book.using.get(key, [""])[0] in names
        ]
        if not terms:
            continue
        done |= {term.key for term in terms}
        anchor = next(n for n in names).partition("/")[0]
        _plain(root, "h3", area, id=f"terms-{anchor}")
        items = _add(root, "dl")
        for term in sorted(terms, key=lambda term: term.name["en"].casefold()):
            name = _plain(items, "dt", term.name[c.language], id=f"term-{term.key}")
            if term.name[other] != term.name[c.language]:
                _after(name, " ")
                _plain(name, "span", term.name[other], lang=other)
            text = _add(items, "dd", term.definition[c.language])
            places = _add(text, "span", class_="x0-glossary__pages")
            users = c.book.using[term.key]
            _list(c, places, [c.to(page, "", _title(c, page)) for page in users[:3]])
            text.text = f"{text.text}{'。' if c.language == 'zh' else ' '}"
    return root


def bibliography(c: Context) -> etree.Element:
    """Return all references, each with the pages that cite it."""
    items = etree.Element("ol", {"class": "x0-refs"})
    for row in sorted(c.book.references.values(), key=lambda row: row.label["en"].casefold()):
        item = _add(items, "li", id=f"ref-{row.key}")
        item.text = c.md.htmlStash.store(row.html)
        pages = _add(item, "span", class_="x0-refs__pages")
        pages.text = f" {c.words['cited_on']}{c.words['colon']}"
        names = [name for name in c.book.citing.get(row.key, []) if name != c.page.name]
        _list(
            c,
            pages,
            [c.to(n, f"ref-{row.key}" if _lists(c, n) else "", _title(c, n)) for n in names],
        )
        if not names:
            item.remove(pages)
    return items


def _lists(c: Context, name: str) -> bool:
    return bool(c.book.pages[c.language][name].keys("refs"))


def figures(c: Context) -> etree.Element:
    """Return all figures: number, caption, page, module, tests."""
    w = c.words
    root = etree.Element("div", {"class": "x0-figures"})
    for area, names in c.book.nav[c.language]:
        pages = [c.book.pages[c.language][name] for name in names]
        shown = [page for page in pages if _own_figures(c, page.name)]
        if not shown:
            continue
        _plain(root, "h3", area, id=f"figures-{shown[0].name.partition('/')[0]}")
        for page in shown:
            heading = _add(root, "h4")
            heading.append(c.to(page.name, "", page.title))
            items = _add(root, "ul")
            for key in _own_figures(c, page.name):
                stem = c.book.figure_modules[key]
                item = _add(items, "li", id=f"figure-{key}")
                number = c.book.number(page.name, "fig", key)
                item.append(c.to(page.name, f"fig-{key}", f"{w['figure']} {number}"))
                _after(item, " ")
                _add(item, "span", _moved(c, _caption(page.prose, key), page.name))
                _after(item, " ")
                links = _add(item, "span", f"{key} · ", class_="x0-figures__code")
                links.append(c.link(c.href(c.code_uri(stem)), f"{stem}.py"))
                if tests := c.book.tests.get(stem):
                    _after(links, " · ")
                    text = f"{w['tests']} {len(tests)}"
                    links.append(c.link(c.href(c.code_uri(stem), "tests"), text))
    return root


def _own_figures(c: Context, name: str) -> list[str]:
    """Return the figures that have their home on a page."""
    keys = dict.fromkeys(c.book.pages["zh"][name].keys("fig"))
    return [k for k in keys if k in c.book.figure_modules and c.book.home("fig", k) == name]


def _caption(prose: str, key: str) -> str:
    match = re.search(rf"\{{fig:{re.escape(key)}\}}[ \t]*((?:.+\n?)+)", prose)
    return match[1].strip() if match else ""


INDEXES: dict[str, Callable[[Context], etree.Element]] = {
    function.__name__: function
    for function in (tally, ledger, headings, code, glossary, bibliography, figures)
}
