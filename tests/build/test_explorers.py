"""Explorers in the build: what is wrong with the table or a script has a place; the same bytes come out."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from x0_build.data.explorers import read_explorers, scripts
from x0_build.project import BuildError, Project

ROOT = Path(__file__).parents[2]
TABLE = "snippets/explorers.toml"
ROW = """\
[signal]
figure = "warm-up-law"
title = "measured"
texts = ["predicted"]
longest = { zh = "长", en = "long" }
mirrors = {}

[[signal.control]]
name = "weight"
label = "predicted"
min = 0
max = 1
step = 0.5
value = 0.5
"""


@pytest.fixture
def bare(tmp_path: Path) -> Project:
    """A project that holds nothing but the explorers."""
    for name in ("docs/theme/explorers", "snippets"):
        shutil.copytree(ROOT / name, tmp_path / name)
    shutil.copy(ROOT / "package-lock.json", tmp_path)
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules", target_is_directory=True)
    return Project(tmp_path)


def test_the_table_is_checked(small: Any) -> None:
    small.write(TABLE, ROW)
    (problem,) = [x for x in small.problems() if x.file == TABLE]
    assert "takes the place of warm-up-law, which no page shows" in problem.message
    small.write(TABLE, ROW.replace('"predicted"]', '"never seen"]'))
    with pytest.raises(BuildError, match="“never seen” has no Chinese text"):
        read_explorers(small.project)
    small.write(TABLE, ROW.replace("step = 0.5", "stride = 0.5"))
    (problem,) = [x for x in small.problems() if x.file == TABLE]
    assert "did you mean step?" in problem.remedy
    assert problem.line


def test_scripts_are_the_same_bytes_and_made_once(bare: Project, tmp_path: Path) -> None:
    rows = read_explorers(bare)
    first = scripts(bare, rows)
    names = {f"assets/explorers/{row['name']}.js" for row in rows.values()}
    assert names < set(first)
    shutil.rmtree(bare.build)
    assert scripts(bare, rows) == first
    shutil.rmtree(bare.build / "explorers")
    assert scripts(bare, rows) == first
    assert not (bare.build / "explorers").exists()  # remembered
    assert not [text for text in first.values() if "://" in text.replace("http://www.w3.org", "")]
    assert scripts(bare, {}) == {}


def test_a_broken_script_is_named(bare: Project) -> None:
    path = bare.docs / "theme" / "explorers" / "numerics" / "chain.js"
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("let delta = ", "let let delta = "), encoding="utf-8")
    with pytest.raises(BuildError) as error:
        scripts(bare, read_explorers(bare))
    (problem,) = error.value.problems
    assert problem.file == "docs/theme/explorers/numerics/chain.js"
    assert problem.line == 1 + text[: text.index("let delta")].count("\n")
