"""`make new` lays out a concept that is valid at once; `make rename` forgets no place."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import pytest

from x0_build.new import new
from x0_build.project import BuildError
from x0_build.rename import rename


def files(root: Path) -> dict[str, bytes]:
    paths = [
        p
        for p in root.rglob("*")
        if p.is_file() and not {"build", "node_modules", ".git"} & {*p.parts}
    ]
    return {path.relative_to(root).as_posix(): path.read_bytes() for path in paths}


def refused(call: Any, *arguments: Any) -> str:
    with pytest.raises(BuildError) as caught:
        call(*arguments)
    return str(caught.value)


def test_a_new_concept_fails_only_with_what_is_to_do(small: Any) -> None:
    new(small.project, "training", "cool-down")
    problems = small.problems()
    assert all(problem.message.startswith("TODO: ") for problem in problems), "\n".join(
        map(str, problems)
    )
    named = {problem.file for problem in problems}
    assert named == {
        "docs/en/training/cool-down.md",
        "docs/zh/training/cool-down.md",
        "snippets/labels.toml",
        "src/x0/training/cool_down.py",
        "tests/equations/test_cool_down.py",
        "tests/training/test_cool_down.py",
    }
    assert "      - training/cool-down.md\n" in small.read("mkdocs.yml")


@pytest.mark.parametrize(
    ("area", "concept", "message"),
    [
        ("trainig", "x", "there is no area 'trainig'\n    → did you mean training?"),
        ("labs", "x", "one of foundations, taylor, initialization, training"),
        ("training", "warm-up", "src/x0/training/warm_up.py: warm-up has files already"),
        ("training", "", "lower-case words joined by hyphens, not ''"),
        ("training", "Warm", "not 'Warm'"),
        ("training", "warm_up", "not 'warm_up'"),
        ("training", "../up", "not '../up'"),
        ("training", "1up", "not '1up'"),
    ],
)
def test_what_cannot_be_laid_out_is_refused(
    small: Any, area: str, concept: str, message: str
) -> None:
    before = files(small.root)
    assert message in refused(new, small.project, area, concept)
    assert files(small.root) == before


def test_an_equation_is_renamed_wherever_it_stands(small: Any, expect: Any) -> None:
    for page in ("docs/en/training/warm-up.md", "docs/zh/training/warm-up.md"):
        small.replace(
            page, "{#limits}\n", "{#limits}\n\n{eq:warm-up-ratio} [x](#eq-warm-up-ratio)\n"
        )
    rename(small.project, "warm-up-ratio", "warm-up-law")
    expect()
    assert "%% law\n" in small.read("snippets/equations/warm-up.tex")
    text = small.read("docs/en/training/warm-up.md")
    assert text.count("{eq:warm-up-law}") == 2
    assert "#eq-warm-up-law" in text
    assert "{fig:warm-up-ratio}" in text  # the figure has the same key and another home


def test_a_concept_is_renamed_with_its_files(small: Any, expect: Any) -> None:
    subprocess.run(["git", "init", "-q"], cwd=small.root, check=True)
    subprocess.run(["git", "add", "docs", "src"], cwd=small.root, check=True)
    small.replace("docs/en/guide/notation.md", "{term", "[x](../training/warm-up.md#warm-up) {term")
    small.replace("docs/zh/guide/notation.md", "{term", "[x](../training/warm-up.md#warm-up) {term")
    rename(small.project, "warm-up", "ramp")
    expect()
    texts = [text.replace(b"warm_up_ratio", b"") for text in files(small.root).values()]
    assert [t for t in texts if b"warm-up" in t or b"warm_up" in t] == []
    staged = subprocess.run(
        ["git", "status", "--porcelain"], cwd=small.root, capture_output=True, text=True, check=True
    ).stdout
    assert "src/x0/training/ramp.py" in staged


@pytest.mark.parametrize(
    ("old", "other", "message"),
    [
        ("nowhere", "x", "there is no equation and no page nowhere"),
        ("warm-up-ratio", "warm-up-ratio", "the equation warm-up-ratio exists"),
        ("warm-up-ratio", "cold-ratio", "an equation of warm-up is called warm-up-…"),
        ("warm-up", "notation", "training/notation.md"),
        ("warm-up", "Ramp", "not 'Ramp'"),
    ],
)
def test_what_cannot_be_renamed_is_refused(small: Any, old: str, other: str, message: str) -> None:
    small.write("docs/zh/training/notation.md", "# x {#x}\n")
    before = files(small.root)
    assert message in refused(rename, small.project, old, other)
    assert files(small.root) == before
