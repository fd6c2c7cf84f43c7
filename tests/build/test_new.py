"""`make new` lays out a concept whose test fails until it is written."""

from pathlib import Path

import pytest

from x0_build.new import lay_out
from x0_build.paths import Project


def test_the_files_of_a_concept_share_its_stem(tmp_path: Path) -> None:
    written = lay_out(Project(tmp_path), "training", "warm-up")
    names = {path.relative_to(tmp_path).as_posix() for path in written}
    assert names == {
        "src/x0/training/__init__.py",
        "src/x0/training/warm_up.py",
        "tests/training/test_warm_up.py",
        "tests/equations/test_warm_up.py",
        "snippets/equations/warm-up-law.tex",
        "docs/zh/training/warm-up.md",
        "docs/en/training/warm-up.md",
    }
    page = (tmp_path / "docs/zh/training/warm-up.md").read_text(encoding="utf-8")
    assert "# warm-up {#warm-up}" in page
    assert '--8<-- "x0/training/warm_up.py:demo"' in page


def test_nothing_that_exists_is_touched(tmp_path: Path) -> None:
    lay_out(Project(tmp_path), "training", "warm-up")
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(FileExistsError, match=r"Received: src/x0/training/warm_up\.py"):
        lay_out(Project(tmp_path), "training", "warm-up")
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


@pytest.mark.parametrize("name", ["", "Warm", "warm_up", "warm--up", "../up", "1up"])
def test_names_are_checked(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="Received: "):
        lay_out(Project(tmp_path), "training", name)
    assert not list(tmp_path.iterdir())
