"""What the page syntax becomes, without MkDocs."""

import re
import textwrap
from pathlib import Path

import markdown
import pytest

from x0_build.book import Book
from x0_build.execute import Module, Result
from x0_build.markdown import FILL, X0Extension, checks_pages, clean_source, fill
from x0_build.paths import Project
from x0_build.source import Page
from x0_build.tex import TexError, expand

ROOT = Path(__file__).parents[2]
BIB = """@article{he2015, author = {He, Kaiming and Zhang, Xiangyu and Ren, Shaoqing}, title = {Delving},
 journal = {ICCV}, year = 2015}
@article{glorot2010, author = {Glorot, Xavier and Bengio, Yoshua}, title = {Understanding}, journal = {AISTATS}, year = 2010}
"""


@pytest.fixture
def book(tmp_path: Path) -> Book:
    for folder in (
        "src/x0/area",
        "snippets/equations",
        "tests/area",
        "docs/zh/area",
        "docs/en/area",
    ):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")
    (tmp_path / "mkdocs.yml").write_text("")
    snippets = tmp_path / "snippets"
    (snippets / "macros.toml").write_text(
        '"\\\\Var" = "\\\\operatorname{Var}[#1]"\n"\\\\gain" = "g"\n'
    )
    (snippets / "equations" / "he-law.tex").write_text("\\Var{w} = 2\n")
    (snippets / "equations" / "he-two.tex").write_text("x = 1\n")
    (snippets / "references.bib").write_text(BIB)
    (snippets / "glossary.toml").write_text(
        '[fan-in]\nzh = "输入数"\nen = "fan-in"\nzh_def = "输入的个数 $n$"\nen_def = "number of inputs"\n'
    )
    (snippets / "claims.toml").write_text(
        '[[claim]]\nid = "A-1"\nsource = "001"\nwhere = "1.1"\nverdict = "wrong"\npage = "area/he"\n'
        'zh = "转述"\nen = "claimed"\nzh_correct = "值是 {val:he.ratio:.1f}"\nen_correct = "it is"\n'
    )
    (tmp_path / "src/x0/area/he.py").write_text(
        "# --8<-- [start:imports]\nimport math\n# --8<-- [end:imports]\n"
    )
    (tmp_path / "tests/area/test_he.py").write_text(
        'import pytest\n\n\n@pytest.mark.claim("A-1")\ndef test_law():\n    assert True\n'
    )
    for language in ("zh", "en"):
        folder = tmp_path / "docs" / language
        (folder / "area/he.md").write_text(
            "# He {#he}\n\n{eq:he-law}\n\n{eq:he-two}\n\n{fig:he-depth} Caption.\n"
        )
        (folder / "index.md").write_text("# Home {#index}\n")
    figures = tmp_path / "build/run/area/he/figures"
    figures.mkdir(parents=True)
    for language in ("zh", "en"):
        (figures / f"he-depth.{language}.svg").write_text(f"<svg>{language}</svg>")
    book = Book(Project(tmp_path))
    module = Module("he", "area", tmp_path / "src/x0/area/he.py")
    values = {"ratio": (1.5, 0.25), "tiny": -1.23e-7, "half": -0.5}
    result = Result(
        module, "0.5 < 1\n", values, ["he-depth"], 0.1, True, {"SEED": 7}, {"python": "3"}
    )
    book.__dict__["results"] = {"he": result}
    return book


def render(
    book: Book, text: str, language: str = "zh", uri: str = "area/other.md", *, defer: bool = False
) -> str:
    page = Page(language, uri, book.project.docs / language / uri, text)
    book.pages[language][page.name] = page
    book.__dict__.pop("numbers", None)
    extension = X0Extension(
        book=book, language=language, repository="https://example.org/r", defer=defer
    )
    md = markdown.Markdown(
        extensions=["attr_list", "tables", "pymdownx.superfences", "pymdownx.snippets", extension],
        extension_configs={"pymdownx.snippets": {"base_path": [str(book.project.src)]}},
    )

    class Relpath:
        class file:
            src_uri = uri

        def run(self, root: object) -> None:
            """Stand where MkDocs registers its own."""

    md.treeprocessors.register(Relpath(), "relpath", 0)
    return md.convert(text)


def text_of(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def test_macros_are_expanded_and_arguments_kept_whole() -> None:
    macros = {r"\Var": r"\operatorname{Var}[#1]", r"\gain": "g"}
    assert expand(r"\Var{x_{i}} \gain^2", macros) == r"\operatorname{Var}[x_{i}] g^2"
    assert expand(r"\gain x", macros) == "g x"
    assert expand(r"\gainful", macros) == r"\gainful"
    with pytest.raises(TexError, match="argument in braces"):
        expand(r"\Var x", macros)
    with pytest.raises(TexError, match="itself"):
        expand(r"\a", {r"\a": r"\a x"})


def test_broken_tex_names_the_position_in_the_text_as_written(book: Book) -> None:
    with pytest.raises(TexError) as caught:
        book.katex.render(r"\Var{w} = \wrong")
    assert caught.value.position == len(r"\Var{w} = ")
    assert "Undefined control sequence" in caught.value.message


def test_formulas_leave_code_and_escaped_dollars_alone(book: Book) -> None:
    html = render(book, "`$a$` 值 5\\$ 和 $\\Var{w}$。完")
    assert "<code>$a$</code>" in html
    assert "5$ 和" in html
    assert html.count('<span class="katex">') == 1
    assert r"\operatorname{Var}[w]</annotation>" in html  # copied TeX compiles elsewhere
    assert re.search(r'x0-nowrap"><span class="x0-math">.*</span>。</span>完', html)


def test_lines_of_a_chinese_paragraph_are_joined_without_a_space(book: Book) -> None:
    assert "第一行，第二行\nthird 第四" in render(book, "第一行，\n第二行\nthird 第四")
    assert "one\ntwo" in render(book, "one\ntwo", "en")


def test_deferred_formulas_are_placeholders_until_filled(book: Book) -> None:
    html = render(book, 'a $x < "1"$ b', defer=True)
    assert "katex" not in html
    assert FILL.search(html)
    assert 'class="katex"' in fill(html, book, "zh")


def test_equations_are_numbered_in_the_order_of_the_chinese_page(book: Book) -> None:
    html = render(book, "{eq:he-two}\n\n见 (eq:he-two) 与 (eq:he-law)。")
    assert 'id="eq-he-two"' in html
    assert 'data-tex="x = 1"' in html
    assert '<a class="x0-ref" href="#eq-he-two">(1)</a>' in html
    # The other one is shown on the concept's own page: title and number there.
    assert (
        '<a class="x0-ref x0-ref--page" href="he.md#eq-he-law">He\N{NO-BREAK SPACE}(1)</a>' in html
    )


def test_an_equation_says_how_it_was_checked(book: Book) -> None:
    tests = book.project.tests / "equations"
    tests.mkdir()
    check = '@equation("he-two", kind="statistical")\ndef test_two(eq):\n    eq.holds(x=1)\n'
    (tests / "test_he.py").write_text(check)
    html = render(book, "{eq:he-two}")
    assert 'href="../code/equations/he.md#he-two"' in html
    assert ">±</a>" in html
    assert "统计检验；4 SE, SE ≤ 5 %；求值的就是页面上的 TeX" in html
    (shown,) = checks_pages(book, "zh").values()
    assert "## `he-two` {#he-two}" in shown
    assert textwrap.indent(check.strip(), "    ") in shown


def test_figures_carry_a_number_and_a_caption_that_names_them(book: Book) -> None:
    html = render(book, "{fig:he-depth} 说明 $q_l$ 与 {val:he.half:.1f}。", "en", "area/he.md")
    assert 'id="fig-he-depth"' in html
    assert "Figure 1" in html
    assert '<div class="x0-fig__img"><svg>en</svg></div>' in html
    assert '<figcaption id="fig-he-depth-caption">' in html


def test_values_are_formatted_and_linked_to_their_module(book: Book) -> None:
    html = render(book, "{val:he.ratio:.2f}, {val:he.tiny:.1e}, $x = {val:he.tiny:.1e}$")
    assert ">1.50 ± 0.25</a>" in html
    assert ">−1.2 × 10⁻⁷</a>" in html
    assert 'href="../code/area/he.md"' in html
    assert r"x = -1.2 \times 10^{-7}" in html


def test_citations_terms_tags_and_references(book: Book) -> None:
    html = render(
        book, "{A1 A2} {term:fan-in} [@he2015; @glorot2010, §2]\n\n{cited:0.02|he2015} 层\n\n{refs}"
    )
    assert ">A1</a>" in html
    assert "../guide/notation.md#a2" in html
    assert '<a class="x0-term" href="#term-fan-in" title="输入的个数 n">输入数</a>' in html
    text = re.sub(r"<[^>]+>", "", html)
    assert "输入数（He 等 2015；Glorot &amp; Bengio 2010，§2）" in text, "no space beside （ ）"
    assert "0.02（He 等 2015）层" in text
    assert 'id="ref-he2015"' in html
    assert "输入的个数" in html


def test_a_page_without_references_of_its_own_cites_the_bibliography(book: Book) -> None:
    assert "<span" in render(book, "[@he2015]")  # which this small book does not have
    text = "# Bibliography {#bibliography}\n"
    page = Page("zh", "reference/bibliography.md", book.project.docs, text)
    book.pages["zh"][page.name] = page
    html = render(book, "[@he2015]")
    assert 'href="../reference/bibliography.md#ref-he2015"' in html


def test_claims_show_verdict_correction_and_proof(book: Book) -> None:
    html = render(book, "{claims}\n\n{eq:he-law}\n\n{fig:he-depth} x", uri="area/he.md")
    assert "x0-claim--wrong" in html
    assert "1.5 ± 0.2" in text_of(html)
    assert "test_law" in html


def test_code_is_followed_by_its_module_and_output(book: Book) -> None:
    html = render(book, '```python\n--8<-- "x0/area/he.py:imports"\n```\n{out:he}\n')
    code, source, out = (html.index(part) for part in ("highlight", "x0-source", "x0-out"))
    assert code < source < out
    assert "0.5 &lt; 1" in html
    assert 'href="../code/area/he.py"' in html
    assert "测试 1" in html
    foot = html[html.index("x0-foot") :]
    assert "<td>7</td>" in foot
    assert "issues/new?title=area%2Fother%20(zh)" in foot


def test_what_is_unknown_is_marked_and_logged(book: Book, caplog: pytest.LogCaptureFixture) -> None:
    html = render(book, "{eq:none}\n\n{val:he.none:.1f} [@none] {term:none} $\\wrong$")
    assert html.count("x0-error") == 5
    assert len(caplog.records) == 5
    assert all(record.levelname == "ERROR" for record in caplog.records)


def test_a_downloaded_module_has_no_section_markers() -> None:
    assert clean_source("# --8<-- [start:a]\nx = 1\n# --8<-- [end:a]\n") == "x = 1\n"
