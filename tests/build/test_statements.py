"""Sentences and their proofs: what is strong, what counts as a reference, what a proof must tell."""

import re
from pathlib import Path
from typing import Any

import pytest

from x0_build.book import read_book
from x0_build.project import LANGUAGES, BuildError, Project
from x0_build.render import code
from x0_build.render.writer import Writer
from x0_build.run import load
from x0_build.syntax import Page
from x0_build.syntax.sentences import sentences

ROOT = Path(__file__).parents[2]
EN, ZH = "docs/en/training/warm-up.md", "docs/zh/training/warm-up.md"
TEST = "tests/training/test_warm_up.py"


def read(language: str, text: str) -> list[tuple[str, bool, str]]:
    page = Page(language, "training/warm-up.md", Path("warm-up.md"), text)
    return [(s.text, s.referred, s.strong) for s in sentences(page)]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "It never fails. See.", [("It never fails.", False, "never"), ("See.", False, "")]),
        (
            "en",
            "It never fails.[^warm-up-a] See.",
            [("It never fails.[^warm-up-a]", True, "never"), ("See.", False, "")],
        ),
        (
            "en",
            "All die, e.g. ReLU {eq:he-law}.",
            [("All die, e.g. ReLU {eq:he-law}.", True, "All")],
        ),
        ("en", "Not only here, at all.", [("Not only here, at all.", False, "")]),
        ("en", "`all` of $any$.", [("`all` of $any$.", False, "")]),
        ("en", "1. Because of it:\n\n    {eq:he-law}\n", [("Because of it:", True, "Because")]),
        ("en", "Can it never fail?", [("Can it never fail?", True, "never")]),
        ("en", "- **No norm.**", [("**No norm.**", True, "No")]),
        (
            "en",
            "- It never fails\n- Nor here",
            [("It never fails", False, "never"), ("Nor here", False, "")],
        ),
        (
            "en",
            "It is. `f` never is.",
            [("It is.", False, ""), ("`f` never is.", False, "never")],
        ),
        ("en", "It must [be](why.md#a).", [("It must [be](why.md#a).", True, "must")]),
        ("en", "It must [be](https://a.b).", [("It must [be](https://a.b).", False, "must")]),
        ("zh", "从不失败。看。", [("从不失败。", False, "从不"), ("看。", False, "")]),
        (
            "zh",
            "从不失败。[^warm-up-a]看。",
            [("从不失败。[^warm-up-a]", True, "从不"), ("看。", False, "")],
        ),
        ("zh", "最后一层，最小值。", [("最后一层，最小值。", False, "")]),
        ("zh", "比它大得多。", [("比它大得多。", False, "比它大得多")]),
    ],
)
def test_sentences(language: str, text: str, expected: list[tuple[str, bool, str]]) -> None:
    assert read(language, text) == expected


@pytest.mark.parametrize(("language", "said"), [("en", "It never fails."), ("zh", "从不失败。")])
def test_captions_cells_and_boxes_are_sentences(language: str, said: str) -> None:
    word = {"en": "never", "zh": "从不"}[language]
    proved = f"{said}[^warm-up-a]"
    for before, after in [
        ("{fig:warm-up-curve} ", ""),  # a caption
        ("| a | b |\n|---|---|\n| 1 | ", " |"),  # a cell of a table
        ('!!! result "A"\n\n    ', ""),  # a box
        ('!!! warning "A"\n    ', ""),
        ("??? solution\n\n    1. ", ""),
        ("- **B.** ", ""),
        ("> ", ""),
    ]:
        *_, bare = read(language, f"{before}{said}{after}")
        assert bare[1:] == (False, word)
        *_, good = read(language, f"{before}{proved}{after}")
        assert good[1:] == (True, word)
    # The head of a table names its columns; the sentence above a table may prove its rows.
    table = "| {} | b |\n|---|---|\n| 1 | {} |"
    assert [row[2] for row in read(language, table.format(said, "2"))] == [""]
    for above, referred in ((said, False), (proved, True)):
        *_, row = read(language, f"{above}\n\n{table.format('a', said)}")
        assert row[1] is referred
    # So does the last row of a call that somebody pastes.
    assert read(language, table.format("a", "`f(x)`"))[0][2] == "`f(x)`"


@pytest.mark.parametrize(
    ("language", "said"), [("en", "Show why all fail."), ("zh", "证明都会失败。")]
)
def test_a_task_of_the_exercises_has_its_solution(language: str, said: str) -> None:
    assert read(language, f"## T {{#limits}}\n\n{said}")[0][1] is False
    assert read(language, f"## T {{#exercises}}\n\n{said}")[0][1] is True
    assert read(language, f"## T {{#exercises}}\n\n    {said}\n\n## U {{#x}}")[0][1] is False


@pytest.mark.parametrize(
    ("language", "strong"),
    [
        # generalizes, gives a cause, compares, advises, promises
        (
            "en",
            "Whatever fails.|Hence it dies.|It is faster than A.|Lower is best.|It ensures that.",
        ),
        ("zh", "不可能失败。|所以失败。|它比前者快得多。|建议加大。|它保证不变。"),
    ],
)
def test_words_of_every_kind_are_caught(language: str, strong: str) -> None:
    assert all(read(language, sentence)[0][2] for sentence in strong.split("|"))


def prove(small: Any, mark: str, says: str = "It never fails.") -> None:
    text = small.read(TEST)
    doc = f'    """{says}"""\n' if says else ""
    small.write(TEST, f"{text}\n\n@pytest.mark.proves({mark})\ndef test_it():\n{doc}    assert 1\n")


def state(small: Any, english: str, chinese: str) -> None:
    for file, text in ((EN, english), (ZH, chinese)):
        small.write(file, small.read(file).replace("## ", f"{text}\n\n## ", 1))


GOOD = '"warm-up-a", kind="search", range="1…9", seeds=3'


def test_a_proved_sentence_passes_and_says_what_was_run(small: Any) -> None:
    prove(small, GOOD)
    state(small, "It never fails.[^warm-up-a]", "从不失败。[^warm-up-a]")
    assert small.problems() == []
    book = small.book()
    writer = Writer(book, book.pages["en"]["training/warm-up"])
    shown = writer.text("It never fails.[^warm-up-a] We call it so.[^-]")
    assert "[⊢](../code/equations/warm-up.md#st-warm-up-a){ .x0-proof" in shown
    assert "search for a counterexample; seeds: 3; range: 1…9" in shown
    assert shown.endswith("We call it so.")


def test_the_checks_page_shows_sentence_proof_and_what_would_refute_it(small: Any) -> None:
    prove(small, GOOD)
    table = "| a | b |\n|---|---|\n| 1 | {}[^warm-up-a] |"
    state(small, table.format("It never fails."), table.format("从不失败。"))
    book = small.book()

    def shown(language: str) -> str:
        def make(uri: str, path: Path, _: str) -> Writer:
            return Writer(book, Page(language, uri, path, ""))

        ((_, text),) = code._proof_pages(book, make)
        return text

    pages = {language: shown(language) for language in LANGUAGES}
    assert "> 1 · It never fails. ([" in pages["en"]
    assert "> 1 · 从不失败。（[" in pages["zh"]
    assert (
        "Search for a counterexample; seeds: 3; range: 1…9. It would be refuted by" in pages["en"]
    )


@pytest.mark.parametrize(
    ("mark", "says", "english", "file", "message"),
    [
        (GOOD, "It.", "It holds.", TEST, "no sentence uses warm-up-a"),
        ('"nowhere-a", kind="fact"', "It.", "It holds.", TEST, "nowhere-a belongs to no page"),
        ("", "", "It never fails.", EN, "“never” without a proof: It never fails."),
        ("", "", "It never fails.[^warm-up-b]", EN, "there is no proof warm-up-b"),
        ('"warm-up-a", kind="sure"', "It.", "", TEST, "the kind is one of cause, search"),
        ('"warm-up-a", kind="cause"', "It.", "", TEST, "a proof of kind cause tells its effect"),
        ('"warm-up-a", kind="best"', "It.", "", TEST, "a proof of kind best tells its range"),
        ('"warm-up-a", kind="ratio", seeds=5', "It.", "", TEST, "a ratio needs 20 seeds"),
        ('"warm-up-a", kind="fact", runs=3', "It.", "", TEST, "nobody reads runs"),
        ('"warm-up-a", kind="fact"', "", "", TEST, "restates the sentence"),
        ('"warm-up-a", kind=str(1)', "It.", "", TEST, "takes one key and literals"),
    ],
)
def test_what_a_statement_lacks(
    small: Any, mark: str, says: str, english: str, file: str, message: str
) -> None:
    if mark:
        prove(small, mark, says)
    if english:
        state(small, english, "看下文。" + english.partition(".")[2])
    found = [p for p in small.problems() if p.file == file and message in p.message]
    assert len(found) == 1
    assert found[0].line
    assert found[0].remedy


@pytest.mark.proves("reading-stopped", kind="fact")
def test_a_strong_sentence_without_a_proof_stops_the_build(small: Any) -> None:
    """The problem names the file, the line, the word and what can be done."""
    state(small, "It never fails.", "看下文。")
    (problem,) = small.problems()
    assert problem.file == EN
    assert problem.message == "“never” without a proof: It never fails."
    assert "[^-]" in problem.remedy


def test_two_tests_cannot_prove_one_sentence(small: Any) -> None:
    prove(small, GOOD)
    prove(small, GOOD)
    with pytest.raises(BuildError, match=r"warm-up-a is proved in .* too"):
        small.book()


NAMES = re.compile(  # of code, functions and people
    "Adam|AdamW|Adj|gloo|jvp|hessian|dropout|Basic|BasicBlock|Conv|GELU|He|Lanczos|Linear|Nesterov|Newton|PReLU|ReLU|SELU|SGD|SIGKILL|SiLU|"
    "Transformer|TransformerEncoderLayer|True|dampening|en|exp|inplace|kdim|ln|logistic|logit|logits|nesterov|"
    "nonlinearity|relu|sigmoid|sin|softmax|softsign|tanh|vdim|zh"
)


def test_proofs_speak_chinese_on_chinese_pages() -> None:
    project = Project(ROOT)
    book = read_book(project, load(project, stale=True))
    writer = Writer(book, book.pages["zh"]["guide/reading"])
    left = {}
    for key, statement in book.statements.items():
        words = re.findall(r"(?<![\w.])[A-Za-z][a-z]+(?![\w.(])", writer.proof(statement))
        if english := {x for x in words if not NAMES.fullmatch(x)}:
            left[key] = english
    assert left == {}
