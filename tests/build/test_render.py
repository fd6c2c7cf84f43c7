"""What pages become: plain Markdown, and what is filled into the built pages."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
from pathlib import Path

import pytest

from x0_build.book import Book
from x0_build.data.bibliography import read_references
from x0_build.project import BuildError
from x0_build.render import write_tree
from x0_build.render.finish import finished
from x0_build.render.page import body, page
from x0_build.render.writer import Writer, attributes, escape, written
from x0_build.run import Result
from x0_build.syntax import Page, blocks

REPOSITORY = "https://github.com/a/b"
NAME = "training/warm-up"


@pytest.fixture
def book(small) -> Book:
    """The small book as if it had been executed, with values of all forms."""
    book = small.book()
    values = {"ratio": {2: 1.98, 8: 1.14}, "pair": (1.5, 0.25), "tiny": -1.23e-7, "table": [[1.0]]}
    result = Result(
        book.modules["warm_up"],
        outputs=("2  1.98 < 2\n",),
        values={**values, "by name": 1.0, "named": {"tanh, x": 2.0}, "SEED": 7},
        figures=("warm-up-ratio",),
        versions={"python": "3"},
        drawn=json.dumps({"warm-up-ratio": {"zh": "<svg>zh</svg>", "en": "<svg>en</svg>"}}),
    )
    return dataclasses.replace(book, results={"warm_up": result})


def shown(book: Book, text: str, language: str = "zh", name: str = NAME) -> str:
    """Return what a text becomes that stands on a page."""
    page = dataclasses.replace(book.pages[language][name], text=text)
    writer = Writer(book, page, REPOSITORY)
    found = "\n\n".join(body(writer, page.blocks))
    assert writer.problems == []
    return found


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("zh", "{val:warm_up.ratio[2]:.1f}", "[2.0](../code/training/warm_up.md){ .x0-val title="),
        ("en", "{val:warm_up.pair:.2f}", "[1.50 ± 0.25]("),
        ("en", "{val:warm_up.tiny:.1e}", "[−1.2 × 10⁻⁷]("),
        ("en", "{val:warm_up.table[0][-1]:.0f}", "title=\"x0.training.warm_up: table[0][-1]\""),
        ("en", '{val:warm_up.named["tanh, x"]:.0f}', "title='x0.training.warm_up: named[\"tanh"),
        ("en", "$x = {val:warm_up.tiny:.1e}$", r"$x = -1.2 \times 10^{-7}$"),
        ("en", "$x = {exact:195}/128$", "$x = 195/128$"),
        ("zh", r"`$a$` 5\$ $\Var{w}$", r"`$a$` 5\$ $\operatorname{Var}\left[w\right]$"),
        ("zh", "见 [@bessel1838, §2]。", '见（[Bessel 1838](#ref-bessel1838){ .x0-cite id="cite-bessel1838" }，§2）。'),
        ("en", "See [@bessel1838].", 'See ([Bessel 1838](#ref-bessel1838){ .x0-cite id="cite-bessel1838" }).'),
        ("zh", "{cited:0.02|bessel1838} 层", '0.02（[Bessel 1838](#ref-bessel1838){ .x0-cite id="cite-bessel1838" }）层'),
        ("en", "{exact:768}", "768"),
        ("en", "{A1 A2}", '<span class="x0-tags">[A1](../guide/notation.md#a1){ .x0-tag } [A2]('),
        ("zh", "{fig:warm-up-ratio} 说", '<span class="x0-fig__no">图 1</span> 说</figcaption>'),
        ("zh", "见{fig:warm-up-ratio}", "见[图 1](#fig-warm-up-ratio){ .x0-ref }"),
        ("en", "{eq:warm-up-ratio}", "[](){ #eq-warm-up-ratio }\n\n$$\n"),
        ("en", "see {eq:warm-up-ratio}", "see [(1)](#eq-warm-up-ratio){ .x0-ref }"),
        ("zh", "第一行，\n第二行\nthird 第四", "第一行，第二行\nthird 第四"),
        ("en", "one\ntwo", "one\ntwo"),
        ("en", "[x](../guide/notation.md#a1)", "[x](../guide/notation.md#a1)"),
        ("en", "`{val:a.b}` <!-- {x:y} -->", "`{val:a.b}` <!-- {x:y} -->"),
    ],
)  # fmt: skip
def test_signs_become_markdown(book: Book, language: str, text: str, expected: str) -> None:
    text = f"# T {{#t}}\n\n## R {{#references}}\n\n{text}\n"
    assert expected in shown(book, text, language)


def test_a_text_of_another_page_has_links_that_fit_this_one(book: Book) -> None:
    writer = Writer(book, book.pages["zh"]["guide/notation"], REPOSITORY)
    text = writer.text("[a](#result) {term:variance} {eq:warm-up-ratio}", NAME)
    assert "[a](../training/warm-up.md#result)" in text
    assert "[方差](#term-variance)" in text  # this page marks the term itself
    assert "\N{NO-BREAK SPACE}(1)](../training/warm-up.md#eq-warm-up-ratio)" in text


def test_code_enters_by_its_section_and_what_it_prints_follows_the_demo_once(book: Book) -> None:
    fence = '```python\n--8<-- "x0/training/warm_up.py:imports"\n\n\n\n\n{}\n```\n'
    demo = '--8<-- "x0/training/warm_up.py:demo"'
    again = f"- item\n\n    ```python\n    {demo}\n    ```\n"
    found = shown(book, f"{fence.format(demo)}\n{again}")
    assert found.startswith('??? code "怎样运行 · 3 行"\n\n')  # it calls nothing shown here
    assert "SEED = 0\n\n\n    ratio = {" in found  # dedented, two blank lines
    assert "--8<--" not in found
    assert found.count("```output\n2  1.98 < 2\n```") == 1
    assert "[x0/training/warm\\_up.py]" not in found
    assert '[x0/training/warm_up.py](../code/training/warm_up.md){ title="完整模块" } · ' in found


def test_what_a_page_asks_for_and_is_not_there_is_a_problem_with_its_line(
    small, book: Book
) -> None:
    line = small.read(f"docs/zh/{NAME}.md").count("\n") + 2
    small.write(f"docs/zh/{NAME}.md", small.read(f"docs/zh/{NAME}.md") + "\n{val:warm_up.no:.1f}\n")
    broken = dataclasses.replace(book, pages=small.book().pages)
    with pytest.raises(BuildError) as caught:
        write_tree(broken, REPOSITORY)
    (problem,) = caught.value.problems
    assert (problem.file, problem.line) == (f"docs/zh/{NAME}.md", line)
    assert "there is no “no”" in problem.message
    assert not (small.root / "build" / "docs").exists()


def test_sources_references_terms_and_the_foot_come_by_themselves(book: Book) -> None:
    found = page(Writer(book, book.pages["en"][NAME], REPOSITORY))
    claim = found.index('<article class="x0-claim x0-claim--wrong" id="claim-A-01"')
    assert found.index("{#sources}") < claim < found.index("{#references}")
    assert "a factor of [1.98](../code/training/warm_up.md)" in found
    assert "[test_" in found[claim:]  # the proof, linked
    assert "| [training/warm_up.py](../code/training/warm_up.md) | 7 | [" in found
    assert f"{REPOSITORY}/edit/main/docs/en/{NAME}.md" in found
    assert found.startswith('---\ntitle: "')
    assert "prerequisites" not in found.split("---")[1]
    notation = page(Writer(book, book.pages["en"]["guide/notation"], REPOSITORY))
    assert "\n[variance](../reference" not in notation  # this book has no such page
    assert 'variance <span lang="zh">方差</span> {#term-variance}\n:   The expectation' in notation


def test_a_page_corrects_mistakes_and_the_ledger_keeps_the_rest(book: Book) -> None:
    claim = book.ledger.claims[0]
    assert claim.mistaken
    for change in ({"verdict": "correct"}, {"verdict": "promise"}, {"slip": True}):
        other = dataclasses.replace(claim, **change)  # type: ignore[arg-type]
        ledger = dataclasses.replace(book.ledger, claims=(other,))
        changed = dataclasses.replace(book, ledger=ledger)
        assert not changed.mistakes_of
        assert claim.page in changed.claims_of
        assert 'class="x0-claim' not in page(Writer(changed, changed.pages["en"][NAME], REPOSITORY))


def test_each_index_is_made_of_the_data(book: Book) -> None:
    names = ("tally", "ledger", "headings", "glossary", "bibliography", "figures", "code")
    text = "# T {#t}\n\n" + "\n\n".join(f"{{index:{name}}}" for name in names)
    found = shown(book, text, "en", "guide/notation")
    assert "| wrong | 1 | 1 |\n" in found
    assert "| editorial | – | – |\n\n\neditorial: \n{ .x0-tally__editorial }" in found
    assert 'id="A-01" data-source="001" data-verdict="wrong" data-topic="training/warm-up"' in found
    assert '<optgroup label="Training"><option value="training/warm-up">' in found
    assert (
        '<tr id="A-H01" markdown="1"><td markdown="span">Variance</td><td markdown="span">['
        in found
    )
    assert (
        '### Guide {#terms-guide}\n\nvariance <span lang="zh">方差</span> {#term-variance}' in found
    )
    assert '<li id="ref-bessel1838" markdown="span">' in found
    assert "[Figure 1](../training/warm-up.md#fig-warm-up-ratio)" in found


def test_a_page_without_twin_says_so(small, book: Book) -> None:
    pages = {"zh": book.pages["zh"], "en": {}}
    found = page(Writer(dataclasses.replace(book, pages=pages), pages["zh"][NAME]))
    assert "这一页还没有英文版。\n{ .x0-pending }" in found


def test_filling_in(book: Book) -> None:
    built = (
        '<p><a href="" id="eq-warm-up-ratio"></a></p>\n<div class="arithmatex">\n'
        '<script type="math/tex; mode=display">\na &lt; b \\tag{3}\n</script>\n</div>'
        '<p>a <span class="arithmatex"><script type="math/tex">x &lt; 1</script></span>，b</p>'
        '<object data-figure="warm-up-ratio"></object>'
        '<div class="language-output highlight"><pre><span></span><code><span class="go">1 &lt; 2'
        '</span>\n</code></pre></div><span class="n">name</span><span class="k">def</span>'
    )
    found = finished(book, "en", built, "training/warm-up")
    assert "<script" not in found
    assert 'id="eq-warm-up-ratio"' in found
    assert 'data-tex="a &lt; b"' in found
    assert ">(3)</span>" in found
    assert 'href="../../code/equations/warm-up/#warm-up-ratio"' in found
    assert re.search(
        r'x0-nowrap"><span class="x0-math"><span class="katex">.*</span>，</span>b', found
    )
    assert "<svg>en</svg>" in found
    assert (
        '<div class="x0-out"><span class="x0-out__label">Output</span><pre><code>1 &lt; 2\n</code>'
        in found
    )
    assert 'name<span class="k">def</span>' in found


def test_only_what_changed_is_written_and_what_vanished_goes(small, book: Book) -> None:
    changed, moved = write_tree(book, REPOSITORY)
    tree = small.root / "build" / "docs"
    assert moved
    assert {"zh.json", "en.json"} <= {path.name for path in changed}
    assert (tree / "zh" / "code" / "training" / "warm_up.py").read_text().startswith('"""')
    assert "--8<--" not in (tree / "zh" / "code" / "training" / "warm_up.py").read_text()
    assert write_tree(book, REPOSITORY) == ([], False)
    (tree / "zh" / "old.md").write_text("left behind")
    small.replace(f"docs/en/{NAME}.md", "{#limits}\n", "{#limits}\n\nA sentence.\n")
    changed, moved = write_tree(dataclasses.replace(book, pages=small.book().pages), REPOSITORY)
    assert changed == [tree / "en" / f"{NAME}.md"]
    assert moved
    assert not (tree / "zh" / "old.md").exists()
    settings = json.loads((tree / "en.json").read_text())
    assert [next(iter(part)) for part in settings["nav"]] == ["Guide", "Training"]


@pytest.mark.parametrize("text", ["a_b _c_ *d* `e` [f](g) $h$ <i> & \\ j", "__init__.py"])
def test_escaped_text_is_shown_as_it_is(text: str) -> None:
    from markdown import markdown

    html = markdown(f"x{escape(text)}x", extensions=["attr_list"])
    assert (
        re.sub(r"\\\$", "$", html)
        == f"<p>x{text.replace('&', '&amp;').replace('<', '&lt;').replace('>', '&gt;')}x</p>"
    )


def test_numbers_and_attributes() -> None:
    assert written(-0.5, ".1f") == "−0.5"
    assert written((1.0, 2e-9), ".0e", tex=True) == r"1 \times 10^{0} \pm 2 \times 10^{-9}"
    assert attributes("a", title='it\'s "so"', download="") == "{ .a title='it’s \"so\"' download }"


def test_blocks_are_the_whole_text_and_stray_signs_are_named() -> None:
    text = (
        "---\na: b\n---\n# T {#t}\ntext {eq:a-b} on\n\n{eq:a-b}\n\n- x\n\n    {eq:c}\n\n"
        "{fig:f} Caption\nmore\n\n```sh\n{val:no}\n```\n<!-- {z:z}\n\n-->\n(eq:old) {claims} {wird:x} `{u:v}` $\\a{b:c}$\n"
    )
    page = Page("en", "a/b.md", Path(), text)
    assert "".join(block.text for block in blocks(text)) == text
    kinds = [(use.kind, use.key) for use in page.uses if use.kind not in ("code", "math")]
    assert kinds == [("eqref", "a-b"), ("eq", "a-b"), ("eq", "c"), ("fig", "f")]
    assert page.strays == [("(eq:old)", 22), ("{claims}", 22), ("{wird:x}", 22)]
    assert page.target("../c/d.md#e") == ("c/d.md", "e")
    assert page.target("#e") == ("a/b.md", "e")
    assert page.target("https://x.org") is None


def test_labs_pass_through_jupyter_and_download_as_plain_notebooks(small, book: Book) -> None:
    from mkdocs_jupyter.convert import nb2html

    from x0_build.render.labs import lab_page

    shutil.copy(Path(__file__).parents[2] / "mkdocs.yml", small.root)
    cells = '# %% [markdown] lang="{}"\n# # {} {{#walk}}\n#\n# $x < 1$, {{eq:warm-up-ratio}}\n#\n# {{eq:warm-up-ratio}}\n#\n# [n](../guide/notation.md#a1)\n\n'
    small.write(
        "src/x0/labs/walk.py",
        cells.format("zh", "走") + cells.format("en", "Walk") + "# %%\nprint(1)\n",
    )
    found = small.book()
    results = {**book.results, "walk": Result(found.modules["walk"], outputs=("1 < 2\n",))}
    found = dataclasses.replace(found, results=results, nav=book.nav)
    write_tree(found, REPOSITORY)
    tree = small.root / "build" / "docs" / "en" / "labs"
    html, headings = lab_page(nb2html(str(tree / "walk.ipynb"), execute=False))
    assert headings == [{"level": 1, "id": "walk", "name": "Walk"}]
    html = finished(found, "en", html, "labs/walk")
    assert "jp-" not in html
    assert html.count('class="x0-eq"') == 1
    assert html.count('class="x0-math"') == 1
    assert 'href="../../guide/notation/#a1"' in html
    assert "<pre><code>1 &lt; 2\n</code></pre>" in html
    clean = json.loads((tree / "files" / "walk.ipynb").read_text())
    text = "".join(clean["cells"][0]["source"])
    assert text.startswith("# Walk\n\n$x < 1$, (1)\n\n$$\n")
    assert text.endswith("\\tag{1}\n$$\n\nn")
    assert clean["cells"][1]["outputs"] == []
    assert "# %%\nprint(1)\n" in (tree / "files" / "walk.py").read_text()


def test_an_error_is_shown_with_a_digit(book: Book) -> None:
    with pytest.raises(ValueError, match=r"the error 0\.2 has no digit in \.0f"):
        written((1.5, 0.25), ".0f")
    assert written((1.5, 0.0), ".1f") == "1.5 ± 0.0"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_citations_show_the_accents_of_names(language: str, small) -> None:
    """BibTeX writes accents with braces; a label writes letters."""
    path = small.project.snippets / "references.bib"
    entry = (
        '\n@book{accents, author = {Boull{\\\'e}, N. and Kr{\\"a}henb{\\"u}hl, P.}, '
        "title = {T}, publisher = {P}, year = {2020}}\n"
    )
    path.write_text(path.read_text() + entry)
    label = read_references(small.project)["accents"].label[language]
    assert label == "Boullé & Krähenbühl 2020"
