"""What readers take along says what the site says: numbers, words, links, sizes."""

from __future__ import annotations

import io
import json
import re
import zipfile
from collections import Counter
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import lxml.html
import pytest
from playwright.sync_api import Browser, Page, Request
from pypdf import PdfReader

from x0_build.book import Book, read_book
from x0_build.project import LANGUAGES, BuildError, Project
from x0_take.__main__ import home
from x0_take.data import packed
from x0_take.offline import adapted, offline
from x0_take.paper import CUT, Paper, slug
from x0_take.printing import HEIGHT, WIDTH, print_book, printed
from x0_take.site import compared, fits
from x0_take.twin import Twin, address

ROOT = Path(__file__).parents[2]
HOME = "https://x0.example/x0/"
CODE = re.compile(r"(?ms)^[> ]*(`{3,})\w*$.*?^[> ]*\1$|`[^`\n]+`|\$\$.*?\$\$|\$[^$\n]+\$")
LINK = re.compile(r"\]\(([^)\s]+)\)")
PRINTED = {"en": "initialization/seeds", "zh": "initialization/beyond"}


@pytest.fixture(scope="module")
def book(site: Path) -> Book:
    return read_book(Project(ROOT))


@pytest.fixture(scope="module", params=LANGUAGES)
def paper(request: pytest.FixtureRequest, site: Path, book: Book) -> Paper:
    return Paper(book, request.param, site, HOME)


def displayed(page: Path) -> list[str]:
    """Return the numbers of the equations that a page of the site displays."""
    text = page.read_text(encoding="utf-8")
    return re.findall(r'<span class="x0-eq__no">\((\d+)\)</span>', text)


# Twins


def test_every_page_has_a_twin_with_its_numbers_and_figures(site: Path) -> None:
    wrong = []
    for page in site.rglob("index.html"):
        twin = page.with_suffix(".md")
        text = twin.read_text(encoding="utf-8") if twin.is_file() else ""
        shown = page.read_text(encoding="utf-8")
        if re.findall(r"\\tag\{(\d+)\}", text) != displayed(page):
            wrong.append(f"equations of {twin}")
        if len(re.findall(r"(?m)^[> ]*!\[", text)) != shown.count('<figure class="x0-fig"'):
            wrong.append(f"figures of {twin}")
    assert wrong == []


def test_twins_hold_nothing_that_only_the_build_understands(site: Path) -> None:
    wrong = []
    for twin in site.rglob("index.md"):
        text = CODE.sub("", twin.read_text(encoding="utf-8"))
        signs = (
            r"\{ ?[.#:]|\{(?:val|eq|fig|cite|term)\b|</?(?:div|span|a|li|object)\b|[\ue000\ue001]"
        )
        wrong += [f"{twin}: {m[0]}" for m in re.finditer(signs, text)]
        notes = re.findall(r"\[\^([\w-]+)\](:?)", text)
        if {key for key, _ in notes} != {key for key, told in notes if told}:
            wrong.append(f"{twin}: a footnote is missing")
    assert wrong == []


def test_links_of_twins_lead_to_files(site: Path) -> None:
    known = {path.resolve() for path in site.rglob("*") if path.is_file()}
    wrong = []
    for twin in [*site.rglob("index.md"), *site.rglob("llms*.txt")]:
        for link in LINK.findall(CODE.sub("", twin.read_text(encoding="utf-8"))):
            inside = not re.match(r"[a-z]+:", link)
            if inside and Path(f"{twin.parent}/{link}").resolve() not in known:
                wrong.append(f"{twin.relative_to(site)}: {link}")
    assert wrong == []


def test_a_twin_names_checks_and_proofs(book: Book) -> None:
    prepared = (
        '---\ntitle: x\n---\n# Title {#title}\n\n!!! result "Box"\n\n    [](){ #eq-he-variance }\n\n'
        '    $$\n    v \\tag{7}\n    $$\n\nA [term](../reference/glossary.md#term-x){ .x0-term id="u" } holds.'
        '[⊢](../code/equations/he.md#st-KEY){ .x0-proof data-tip="{ }" }\n\n'
        '``` { .python data-copy="a.b" }\nx = 1  # { .y }\n```\n'
    )
    key = next(iter(book.statements))
    twin = Twin(book, "en", "initialization/he.md", "initialization/he")
    text = twin.whole(prepared.replace("KEY", key))
    check = book.checks["he-variance"].mark
    assert "> **Box**\n>\n> $$\n> v \\tag{7}\n> $$\n>\n> *Equation 7*: " in text
    assert check.tolerance in text.partition("*Equation 7*")[2].partition("\n")[0]
    assert f"A [term](../../reference/glossary/index.md) holds.[^{key}]" in text
    statement = book.statements[key]
    assert f"[^{key}]: Proof of this sentence: " in text
    assert f"`{statement.file}::{statement.test}`" in text
    assert "```python\nx = 1  # { .y }\n```" in text


def test_the_button_copies_the_twin(page: Page, site: Path) -> None:
    page.goto("en/initialization/he/")
    page.get_by_role("button", name="Copy page", exact=True).press("Enter")
    page.wait_for_selector(".md-dialog--active")
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied == (site / "en/initialization/he/index.md").read_text(encoding="utf-8")


# Data


def test_the_data_are_those_of_the_book(site: Path, book: Book) -> None:
    rows = {
        name: json.loads((site / "data" / f"{name}.json").read_text(encoding="utf-8"))
        for name in ("equations", "statements", "claims")
    }
    assert {row["key"] for row in rows["equations"]} == set(book.checks)
    assert {row["key"] for row in rows["statements"]} == set(book.statements)
    assert {row["id"] for row in rows["claims"]} == set(book.claims)
    for row in rows["equations"]:
        for page, number in row["pages"].items():
            assert book.numbers[page, "eq", row["key"]] == number
    with zipfile.ZipFile(site / "figures.zip") as archive:
        names = {f"{x}/figures/{key}.svg" for x in LANGUAGES for key in book.figures}
        assert set(archive.namelist()) == names


def test_archives_are_the_same_in_every_run() -> None:
    files = {"b": b"2", "a/c": b"1"}
    again = dict(reversed(files.items()))
    assert packed(files) == packed(again)
    with zipfile.ZipFile(io.BytesIO(packed(files))) as archive:
        assert {row.date_time[0] for row in archive.infolist()} == {1980}


def test_the_list_of_files_is_kept(site: Path, book: Book, tmp_path: Path) -> None:
    with pytest.raises(BuildError, match=r"does not tell what is made: b, c"):
        compared(book.project, {"a", "b"}, {"a", "c"})
    (tmp_path / "x").write_bytes(bytes(100_000))
    with pytest.raises(BuildError, match=r"has 100000 bytes, not less than 100 KB"):
        fits(book, "llms.txt", tmp_path / "x")
    (tmp_path / "x").write_bytes(bytes(99_999))
    fits(book, "llms.txt", tmp_path / "x")


# Paper


def test_numbers_on_paper_are_those_of_the_site_behind_the_chapter(paper: Paper) -> None:
    for chapter in paper.chapters:
        page = paper.site / paper.root / address(f"{chapter.name}.md") / "index.html"
        parts = [chapter.article, *(found for _, _, (_, found) in chapter.solutions)]
        found = [x.text for part in parts for x in part.find_class("x0-eq__no")]
        numbers = [f"({chapter.number}.{n})" for n in displayed(page)] if chapter.number else []
        if chapter.name != "guide/reading":  # what it shows explains marks of the screen
            assert Counter(found) == Counter(numbers), chapter.name


def test_links_on_paper_lead_somewhere_and_say_the_number_there(paper: Paper) -> None:
    document = lxml.html.document_fromstring(paper.document({}, "."))
    named = document.xpath("//*[@id][not(ancestor::svg)]")  # a figure may stand in two chapters
    places = {element.get("id"): element for element in named}
    assert len(places) == len(named), "ids are unique"
    outside = set[str]()
    for link in document.xpath("//a[@href]"):
        target, text = link.get("href"), link.text_content()
        if not target.startswith("#"):
            outside.add(target)
            continue
        place = places[target[1:]]
        if "x0-ref" in link.get("class", ""):
            numbers = place.find_class("x0-eq__no") or place.find_class("x0-fig__no")
            assert numbers[0].text.strip("()") == text.strip("()"), (target, text)
    inside = {re.split("[?#]", x.removeprefix(HOME))[0] for x in outside if x.startswith(HOME)}
    files = [paper.site / (f"{x}index.html" if x.endswith("/") or not x else x) for x in inside]
    assert [path for path in files if not path.is_file()] == []
    assert [x for x in outside if not re.match(r"https?://|mailto:", x)] == []


def test_links_on_paper_lead_where_those_of_the_site_lead(paper: Paper) -> None:
    document = lxml.html.document_fromstring(paper.document({}, "."))
    places, found = set(document.xpath("//@id")), set(document.xpath("//a/@href"))
    wanted = set[str]()
    for name in [x for x in (*paper.numbers, "reference/bibliography") if x != "guide/reading"]:
        base = f"{HOME}{paper.root}{address(f'{name}.md')}/"
        page = paper.site / base.removeprefix(HOME) / "index.html"
        for link in lxml.html.parse(page).xpath("//article//*[self::p or self::td or self::li]//a"):
            classes = " ".join(x.get("class", "") for x in link.iterancestors())
            if not CUT.search(classes) and "x0-refs" not in classes:
                path, _, anchor = urljoin(base, link.get("href", "")).partition("#")
                target = paper.urls.get(path.removeprefix(HOME), "")
                wanted.add(f"{slug(target)}--{anchor}")
                if "x0-cite" in link.get("class", ""):
                    wanted.add(f"reference-bibliography--{anchor}")
    exact = wanted & places
    assert len(exact) > 900
    assert sorted(x for x in exact if f"#{x}" not in found) == []


def test_own_addresses_have_no_empty_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("X0_SITE_URL", raising=False)
    assert re.fullmatch(r"https://[\w.-]+/[\w.-]+/", home())
    monkeypatch.setenv("X0_SITE_URL", "https://x0.example/a")
    assert home() == "https://x0.example/a/"


def test_paper_leaves_what_explains_a_screen(paper: Paper) -> None:
    assert [x.number for x in paper.chapters if x.number] == list(paper.numbers.values())
    assert "guide/explorers" not in paper.numbers
    for chapter in paper.chapters:
        sections = [x.text for x in chapter.article.xpath("./h2/span[@class='number']")]
        if chapter.number:
            assert sections == [f"{chapter.number}.{n + 1}" for n in range(len(sections))]
    text = " ".join(lxml.html.document_fromstring(paper.document({}, ".")).itertext())
    screen = r"Point at (?:it|the sign)|copy button|with the keyboard|鼠标|复制键|点开|点一下"
    assert re.findall(screen, text) == []
    first = paper.chapters[0].article
    assert "⊢" in first.xpath("./p[1]")[0].text_content()
    assert first.xpath("./p[1]/a/@href") == [f"{HOME}{paper.root}guide/reading/"]


def test_a_wide_table_becomes_two_on_paper(paper: Paper) -> None:
    page = paper.site / paper.root / "initialization/recipes/index.html"
    (table,) = lxml.html.parse(page).xpath("//article//table[count(thead/tr/th) > 9]")
    recipes = next(x for x in paper.chapters if x.name == "initialization/recipes").article
    halves = recipes.xpath(".//table[thead/tr/th[1] = $x]", x=table.xpath("string(.//th[1])"))
    rows = [[x.xpath("count(./*)") for x in half.iter("tr")] for half in halves]
    assert len(rows) == 2
    assert max(rows[0] + rows[1]) < 9
    for row, left, right in zip(table.iter("tr"), *(x.iter("tr") for x in halves), strict=True):
        codes = [x.xpath("string(.//code)") for x in (*left, *right[1:])]
        assert codes == [x.xpath("string(.//code)") for x in row]
        assert left[0].text_content() == right[0].text_content()


@pytest.mark.parametrize("language", LANGUAGES)
def test_calls_in_printed_tables_break_between_words(
    language: str, site: Path, book: Book, chromium: Browser, tmp_path: Path
) -> None:
    paper = Paper(book, language, site, HOME, frozenset(["initialization/choosing"]))
    (tmp_path / "x.html").write_text(paper.document({}, site.resolve().as_uri()), "utf-8")
    context = chromium.new_context(viewport={"width": WIDTH, "height": HEIGHT})
    page = context.new_page()
    assert printed(page, tmp_path / "x.html")[1] == []
    ends = page.evaluate(
        """() => [...document.querySelectorAll("td code")].flatMap((code) => {
          const found = [], walker = document.createTreeWalker(code, NodeFilter.SHOW_TEXT);
          let text = "", low = null;
          for (let node; (node = walker.nextNode()); )
            for (let i = 0; i < node.length; i++) {
              const range = new Range();
              range.setStart(node, i), range.setEnd(node, i + 1);
              const { top, width } = range.getBoundingClientRect();
              if (width && low !== null && top > low + 3) found.push(text);
              if (width) low = top;
              text += node.data[i];
            }
          return found;
        })"""
    )
    context.close()
    assert len(ends) > 20
    assert [x for x in ends if x[-1] not in " (,"] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_printed_chapter_holds_its_words_and_links(
    language: str, site: Path, book: Book, chromium: Browser
) -> None:
    paper = Paper(book, language, site, HOME, frozenset([PRINTED[language]]))
    context = chromium.new_context(viewport={"width": WIDTH, "height": HEIGHT})
    reader = PdfReader(io.BytesIO(print_book(paper, context.new_page())))
    context.close()
    (chapter,) = paper.chapters
    for found in chapter.article.xpath(".//*[local-name() = 'svg'] | .//*[@class = 'katex']"):
        found.drop_tree()
    pieces = r"[A-Za-z]{4,}" if language == "en" else r"[\u4e00-\u9fff]"
    text = "".join(page.extract_text() for page in reader.pages)
    told = Counter(re.findall(pieces, " ".join(chapter.article.itertext())))
    shown = re.sub(r"\s", "", text)
    assert {word: n for word, n in told.items() if shown.count(word) < n} == {}
    named = reader.named_destinations
    goes = [
        annotation["/Dest"]
        for page in reader.pages
        for annotation in (row.get_object() for row in page.get("/Annots", []))
        if "/Dest" in annotation
    ]
    assert goes
    assert [
        place for place in goes if f"/{str(place).lstrip('/')}" not in named and place not in named
    ] == []
    titles = [row.title for row in flat(reader.outline)]
    assert f"{chapter.number} {chapter.title}" in titles
    number = reader.get_destination_page_number(named[f"/{slug(chapter.name)}"])
    assert re.search(rf"(?<!\d){(number or 0) + 1}(?!\d)", reader.pages[1].extract_text())


def flat(rows: list[Any]) -> list[Any]:
    return [x for row in rows for x in (flat(row) if isinstance(row, list) else [row])]


# Without a network


def test_links_without_a_server_name_files() -> None:
    page = (
        '<head><a href="../he/#x"><a href=".."><a href="#y"><a href="https://x.org/"><a href="a.py">'
        '<script type="module" src="l.js"></script>"navigation.instant", "b"'
    )
    assert adapted(page, "en/a/index.html") == (
        '<head><script src="../../assets/offline.js"></script><a href="../he/index.html#x">'
        '<a href="../index.html"><a href="#y"><a href="https://x.org/"><a href="a.py">"b"'
    )


def test_the_copy_works_from_a_folder(site: Path, tmp_path: Path, chromium: Browser) -> None:
    with zipfile.ZipFile(io.BytesIO(offline(site))) as archive:
        archive.extractall(tmp_path)
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page, faults = context.new_page(), []
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))

    def failed(request: Request) -> None:
        if (
            request.failure != "net::ERR_ABORTED"
        ):  # the next page was asked for before this one was whole
            faults.append(request.url)

    page.on("requestfailed", failed)
    root = (tmp_path / "x0").as_uri()
    for name in ("index.html", "en/guide/explorers/index.html", "labs/newton/index.html"):
        page.goto(f"{root}/{name}")
    page.keyboard.press("Control+k")
    page.keyboard.type("momentum")
    page.locator(".x0-find__link").first.click()
    page.wait_for_url(f"{root}/training/**")
    page.locator("#x0-lang").click()
    page.wait_for_url(f"{root}/en/training/**/index.html*")
    page.locator(".x0-order__link--next").click()
    page.wait_for_load_state()
    assert page.url.endswith("/index.html")
    context.close()
    assert faults == []
