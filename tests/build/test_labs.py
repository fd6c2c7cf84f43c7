"""Labs: what each of them holds, and the branch that Colab reads."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from x0_build import publish
from x0_build.book import Book, read_book
from x0_build.project import Project
from x0_build.run.lab import Lab, read

ROOT = Path(__file__).parents[2]
LABS = read(Project(ROOT))
LAB = """\
# %% [markdown] lang="zh"
# # 走 {#walk}

# %% [markdown] lang="en"
# # Walk {#walk}

# %%
print(1)
"""


@pytest.mark.parametrize("lab", LABS.values(), ids=LABS)
def test_a_lab_asks_for_a_guess_measures_and_asserts_its_finding(lab: Lab) -> None:
    book = _book()
    for language in ("zh", "en"):
        ids = [heading.id for heading in book.pages[language][f"labs/{lab.name}"].headings]
        assert ids[0] == lab.name
        wanted = ["question", "learned", "try"]
        assert [name for name in ids if name in wanted] == wanted
        texts = "\n".join(cell.source for cell in lab.cells if cell.language == language)
        assert {"zh": "猜", "en": "guess"}[language] in texts.partition("{#learned}")[0]
    assert not lab.cells[-1].language
    assert "assert " in lab.cells[-1].source
    assert any(re.search(r"^SEEDS?\b.* = ", cell.source, re.M) for cell in lab.code)
    assert (ROOT / "tests" / "labs" / f"test_{lab.module.stem}.py").is_file()


def _book(found: list[Book] = []) -> Book:  # noqa: B006 (read once)
    if not found:
        found.append(read_book(Project(ROOT), {}))
    return found[0]


def test_the_branch_of_notebooks_is_one_commit_and_leaves_the_checkout_alone(
    small, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    small.write("src/x0/labs/walk.py", LAB)
    small.write("mkdocs.yml", (ROOT / "mkdocs.yml").read_text(encoding="utf-8"))
    monkeypatch.setattr(publish.building, "load", lambda project: read_book(project, {}))
    remote = tmp_path / "remote.git"

    def git(*arguments: str, cwd: Path = small.root) -> str:
        command = ["git", "-c", "user.name=x", "-c", "user.email=x@y.z", *arguments]
        done = subprocess.run(command, cwd=cwd, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    git("init", "--bare", "-q", str(remote), cwd=tmp_path)
    git("init", "-q")
    git("add", "src")
    git("commit", "-q", "-m", "x")
    git("remote", "add", "origin", str(remote))
    small.write(".gitignore", "build\n")
    before = git("status", "--porcelain")
    for _ in range(2):
        publish.notebooks(small.project, push=True)
    names = git("ls-tree", "-r", "--name-only", "notebooks", cwd=remote).split("\n")
    assert names == ["README.md", "en/walk.ipynb", "zh/walk.ipynb"]
    assert git("rev-list", "--count", "notebooks", cwd=remote) == "1"
    assert git("log", "-1", "--format=%an", "notebooks", cwd=remote) == "x0 contributors"
    assert git("status", "--porcelain") == before
