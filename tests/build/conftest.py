"""A small book, valid as it stands, free to be broken: one concept and the page it builds upon."""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from x0_build.book import Book, read_book
from x0_build.check import check
from x0_build.new import new
from x0_build.project import BuildError, Problem, Project
from x0_build.site import build

ROOT = Path(__file__).parents[2]
FILES = {
    "mkdocs.yml": "nav:\n  - 导读:\n      - guide/notation.md\n  - 训练:\n      - training/warm-up.md\n",
    "mkdocs.en.yml": "INHERIT: mkdocs.yml\n",
    "CHANGELOG.md": "# Changes\n\n## 0.1 · 2026-11-30\n\n- The first one.\n  第一版。\n",
    "snippets/labels.toml": '"predicted" = "预测"\n"measured" = "实测"\n"draws of warm up" = "抽样个数"\n',
    "snippets/glossary.toml": """\
[variance]
zh = "方差"
en = "variance"
zh_def = "离均值的平方的期望"
en_def = "The expectation of the squared distance from the mean."
zh_variants = ["变异数"]
""",
    "snippets/references.bib": """\
@book{bessel1838,
  author = {Bessel, Friedrich},
  title = {Untersuchungen},
  publisher = {Bessel},
  year = {1838},
  url = {https://example.org/bessel},
}
""",
    "snippets/claims.toml": """\
[sources.001]
letter = "A"
claims = 1
headings = 1
zh = "文章"
en = "an article"

[headings]
"A-H01" = { zh = "方差", en = "Variance", home = "training/warm-up#result" }

[[claim]]
id = "A-01"
source = "001"
where = "1"
verdict = "wrong"
page = "training/warm-up"
zh = "样本方差没有偏差。"
en = "The sample variance has no bias."
zh_correct = "错。见[结果](#result)，{val:warm_up.ratio[2]:.2f} 倍。"
en_correct = "Wrong. See [the result](#result), a factor of {val:warm_up.ratio[2]:.2f}."

[[code]]
id = "001-1"
source = "001"
where = "1"
zh = "样本方差的代码。"
en = "Code of the sample variance."
zh_alone = "能运行。"
en_alone = "It runs."
zh_order = "能运行。"
en_order = "It runs."
zh_defects = "没有修正。"
en_defects = "It lacks the correction."
claims = ["A-01"]
repair = ["warm_up", "training/warm-up#result"]
""",
}
LAB = """\
# %% [markdown] lang="zh"
# # 抽样 {#draws}
#
# 画出样本。

# %% [markdown] lang="en"
# # Draws {#draws}
#
# One sample is drawn.

# %%
import matplotlib.pyplot as plt
import numpy as np

SEED = 0
draws = np.random.default_rng(SEED).standard_normal(9)
print(f"{draws.mean():.2f}")
plt.plot(draws)
plt.show()

# %% [markdown] lang="zh"
# {fig:draws-line} 样本，平均 {val:draws.draws[0]:.2f}。

# %% [markdown] lang="en"
# {fig:draws-line} The sample, {val:draws.draws[0]:.2f} first.

# %%
assert abs(draws.mean()) < 2
"""
NOTATION = """\
---
description: {0}
---
# {1} {{#notation}}

## A1 {{#a1}}

{{term:variance}} $\\Var{{x}}$ [@bessel1838].
"""


@dataclass(frozen=True)
class Small:
    """A copy of the small book."""

    root: Path

    @property
    def project(self) -> Project:
        return Project(self.root)

    def read(self, name: str) -> str:
        return (self.root / name).read_text(encoding="utf-8")

    def write(self, name: str, text: str | bytes) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)

    def replace(self, name: str, old: str, new: str) -> int:
        """Replace the first occurrence of a text; return the line where the new one starts."""
        text = self.read(name)
        assert old in text, f"{name} does not hold {old!r}"
        self.write(name, text.replace(old, new, 1))
        return text.count("\n", 0, text.index(old)) + 1

    def site(self) -> dict[str, str]:
        """Return what the site holds."""
        paths = (path for path in (self.root / "site").rglob("*") if path.is_file())
        return {
            path.relative_to(self.root).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in paths
        }

    def book(self) -> Book:
        return read_book(self.project, {})

    def problems(self) -> list[Problem]:
        """Return what the check says, before anything is executed."""
        try:
            return check(self.book())
        except BuildError as error:
            return error.problems


@pytest.fixture(scope="session")
def small_book(tmp_path_factory: pytest.TempPathFactory) -> Small:
    """What `make new` lays out, with its marks removed, and a page of notation."""
    small = Small(tmp_path_factory.mktemp("small"))
    for name, text in FILES.items():
        small.write(name, text)
    for name in ("macros.toml", "words.toml"):
        shutil.copy(ROOT / "snippets" / name, small.root / "snippets")
    (small.root / "node_modules").symlink_to(ROOT / "node_modules", target_is_directory=True)
    small.write("docs/zh/guide/notation.md", NOTATION.format("记号", "记号"))
    small.write("docs/en/guide/notation.md", NOTATION.format("Signs", "Notation"))
    new(small.project, "training", "warm-up")
    for name, text in FILES.items():
        small.write(name, text)
    for path in small.root.rglob("*warm*"):
        text = path.read_text(encoding="utf-8").replace("TODO：", "").replace("TODO: ", "")
        if path.suffix == ".md":
            title = "常见误解" if "zh" in path.parts else "Common mistakes"
            end = text.index("\n## 参考") if "zh" in path.parts else text.index("\n## References")
            text = f"{text[:end]}\n## {title} {{#sources}}\n{text[end:]}"
        path.write_text(text, encoding="utf-8")
    small.replace(
        "tests/training/test_warm_up.py",
        "@pytest.mark.parametrize",
        '@pytest.mark.claim("A-01")\n@pytest.mark.parametrize',
    )
    assert small.problems() == []
    return small


@pytest.fixture
def small(small_book: Small, tmp_path: Path) -> Small:
    """A copy for one test to break."""
    shutil.copytree(small_book.root, tmp_path / "x0", symlinks=True)
    return Small(tmp_path / "x0")


@pytest.fixture(scope="session")
def site_book(small_book: Small, tmp_path_factory: pytest.TempPathFactory) -> Small:
    """The small book with a lab, the theme and the settings of the real one, and its site."""
    root = tmp_path_factory.mktemp("site") / "x0"
    shutil.copytree(small_book.root, root, ignore=shutil.ignore_patterns("node_modules"))
    small = Small(root)
    shutil.copytree(ROOT / "docs" / "theme", root / "docs" / "theme")
    katex = "node_modules/katex"
    shutil.copytree(ROOT / katex / "dist/fonts", root / katex / "dist/fonts")
    for name in ("package.json", "dist/katex.min.js", "dist/katex.min.css"):
        shutil.copy(ROOT / katex / name, root / katex / name)
    (root / "src" / "x0_build").symlink_to(ROOT / "src" / "x0_build")
    shutil.copy(ROOT / "mkdocs.en.yml", root)
    small.write("src/x0/labs/draws.py", LAB)
    settings = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").partition("\nnav:\n")[0]
    # Twins and data are those of the whole book (tests/site/test_take.py).
    settings = re.sub(r"\n  finish:.*(\n    - .*)*", "", settings)
    nav = small.read("mkdocs.yml") + "  - 实验:\n      - labs/draws.md\n"
    small.write("mkdocs.yml", f"{settings}\n{nav}")
    assert build(small.project, progress=False) > 0
    return small


@pytest.fixture
def built(site_book: Small, tmp_path: Path) -> Small:
    """A copy of it for one test to break."""
    shutil.copytree(site_book.root, tmp_path / "x0", symlinks=True)
    return Small(tmp_path / "x0")


@pytest.fixture
def expect(small: Small) -> Callable[..., None]:
    """Compare what the check says with (file, line, words of the message, words of the remedy)."""

    def expected(*rows: tuple[str, int, str, str]) -> None:
        found = small.problems()
        text = "\n".join(map(str, found))
        assert [(p.file, p.line) for p in found] == sorted((r[0], r[1]) for r in rows), text
        for problem, (_, _, message, remedy) in zip(found, sorted(rows), strict=True):
            assert message in problem.message, text
            assert remedy in problem.remedy, text

    return expected


@pytest.fixture
def style() -> Iterator[None]:
    """The style of the book's figures; what a test draws is closed afterwards."""
    import matplotlib.pyplot as plt

    from x0_build.run import figures

    with plt.rc_context():
        figures.set_style()
        yield
    plt.close("all")
