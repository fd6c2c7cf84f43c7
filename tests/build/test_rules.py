"""The rules of the house, each a test (CONTRIBUTING.md lists them)."""

import ast
import json
import re
import subprocess
import tomllib
from collections import defaultdict
from pathlib import Path

import pytest
import yaml

from x0_build.book import Book
from x0_build.checks import check
from x0_build.paths import Project

ROOT = Path(__file__).parents[2]
ALLOWED = {"numpy", "torch", "matplotlib", "sklearn"}
CHAPTER_AREAS = {"foundations", "taylor", "initialization", "training"}


@pytest.fixture(scope="module")
def book() -> Book:
    return Book(Project(ROOT))


def modules() -> list[Path]:
    found = sorted(p for p in (ROOT / "src" / "x0").glob("*/*.py") if p.name != "__init__.py")
    return [path for path in found if path.parent.name != "labs"]  # theirs are in test_labs.py


def tracked() -> list[Path]:
    names = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split("\0")
    return [ROOT / name for name in names if name and (ROOT / name).is_file()]


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_the_sources_have_no_problem(book: Book) -> None:
    assert [str(problem) for problem in check(book)] == []


# One stem per concept


def test_stems_are_unique_and_belong_to_a_page(book: Book) -> None:
    stems = [path.stem for path in modules()]
    assert len(stems) == len(set(stems))
    for path in modules():
        concepts = [
            page.rpartition("/")[2].replace("-", "_")
            for page in book.pages["zh"]
            if page.startswith(path.parent.name + "/") or page == "index"
        ]
        owners = [c for c in concepts if path.stem == c or path.stem.startswith(c + "_")]
        assert owners, f"{name(path)} belongs to no page of docs/zh/{path.parent.name}"


@pytest.mark.parametrize("path", modules(), ids=name)
def test_every_module_is_mirrored_by_a_test(path: Path) -> None:
    mirror = ROOT / "tests" / path.parent.name / f"test_{path.stem}.py"
    assert mirror.is_file(), f"write {name(mirror)}"
    assert re.search(r"^def test_", mirror.read_text(encoding="utf-8"), re.MULTILINE)


def test_every_equation_figure_reference_and_term_is_used(book: Book) -> None:
    pages = [page for pages in book.pages.values() for page in pages.values()]
    used = {kind: {key for page in pages for key in page.keys(kind)} for kind in ("eq", "fig")}
    claims = " ".join(
        text for c in book.claims.values() for text in (*c.text.values(), *c.correct.values())
    )
    cited = set(re.findall(r"(?:\[|; ?)@([\w-]+)", claims)) | set(
        re.findall(r"\{cited:[^|}]+\|([\w-]+)\}", claims)
    )
    for page in pages:
        for use in page.uses:
            if use.kind in ("cite", "cited"):
                cited |= {part.strip().lstrip("@") for part in use.key.split(";")}
    assert sorted(set(book.equations) - used["eq"]) == []
    assert sorted(set(book.figure_modules) - used["fig"]) == []
    assert sorted(set(book.glossary) - set(book.using)) == []
    assert sorted(set(book.references) - cited) == []


def test_every_value_is_read_by_a_page_or_a_test(book: Book) -> None:
    pages = [page for pages in book.pages.values() for page in pages.values()]
    shown = {key for page in pages for key in page.keys("out")}
    unseen = [
        stem
        for stem in book.modules
        if stem not in shown
        and not any(k.startswith(f"{stem}.") for p in pages for k in p.keys("val"))
    ]
    assert unseen == []


# A module stands alone


@pytest.mark.parametrize("path", modules(), ids=name)
def test_a_module_stands_alone(path: Path) -> None:
    import sys

    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        names = []
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{name(path)}:{node.lineno} imports relatively"
            names = [node.module or ""]
        for imported in names:
            top = imported.partition(".")[0]
            assert top in ALLOWED | set(sys.stdlib_module_names), (
                f"{name(path)}:{node.lineno} imports {imported}"
            )


@pytest.mark.parametrize("path", modules(), ids=name)
def test_code_fits_the_page(path: Path) -> None:
    for number, line in enumerate(path.read_text(encoding="utf-8").split("\n"), 1):
        assert len(line) <= 80, f"{name(path)}:{number} has {len(line)} characters; a page shows 80"


def test_helpers_of_one_name_are_one_piece_of_code() -> None:
    found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for path in modules():
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if (
                isinstance(node, ast.FunctionDef)
                and node.name != "demo"
                and not node.name.startswith("plot_")
            ):
                found[node.name][ast.dump(node)].append(f"{name(path)}:{node.lineno}")
    different = {
        function: [v[0] for v in trees.values()]
        for function, trees in found.items()
        if len(trees) > 1
    }
    assert different == {}, "make them equal, or give different things different names"


@pytest.mark.parametrize("path", modules(), ids=name)
def test_randomness_is_local_and_seeded(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    tree = ast.parse(text)
    calls = {ast.unparse(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    assert not calls & {"torch.manual_seed", "np.random.seed", "numpy.random.seed", "random.seed"}
    if any("default_rng" in call or "Generator" in call for call in calls):
        constants = {
            t.id
            for n in tree.body
            if isinstance(n, ast.Assign)
            for t in n.targets
            if isinstance(t, ast.Name)
        }
        assert constants & {"SEED", "SEEDS"}, f"{name(path)} draws numbers but names no SEED"


@pytest.mark.parametrize("path", modules(), ids=name)
def test_a_module_explains_itself(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), name(path)
    functions = [n for n in tree.body if isinstance(n, ast.FunctionDef)]
    assert "demo" in {f.name for f in functions}
    for function in functions:
        assert ast.get_docstring(function), (
            f"{name(path)}:{function.lineno} {function.name} has no docstring"
        )
        assert function.returns is not None, f"{name(path)}:{function.lineno} has no return type"


@pytest.mark.parametrize("path", modules(), ids=name)
def test_sections_are_closed_and_imports_come_first(path: Path) -> None:
    marks = re.findall(r"# --8<-- \[(start|end):([\w-]+)\]", path.read_text(encoding="utf-8"))
    assert marks[0] == ("start", "imports")
    for opened, closed in zip(marks[::2], marks[1::2], strict=True):
        assert (opened[0], closed[0], opened[1]) == ("start", "end", closed[1])
    assert len({section for _, section in marks}) * 2 == len(marks)


# A page is prose and references


def test_the_first_code_of_a_module_on_a_page_is_its_imports(book: Book) -> None:
    for pages in book.pages.values():
        for page in pages.values():
            seen: set[str] = set()
            for _, stem, section, line in page.includes:
                if stem not in seen:
                    assert section == "imports", (
                        f"{name(page.path)}:{line} shows {stem}:{section} before its imports"
                    )
                seen.add(stem)


def test_chapters_have_the_form_of_a_chapter(book: Book) -> None:
    for pages in book.pages.values():
        for page in pages.values():
            if page.name.partition("/")[0] in CHAPTER_AREAS:
                ids = [heading.id for heading in page.headings]
                wanted = [
                    i
                    for i in ("result", "derivation", "limits", "sources", "references")
                    if i not in ids
                ]
                assert wanted == [], f"{name(page.path)} lacks {wanted}"
                assert page.keys("claims") == ["claims"]
                assert page.keys("refs") == ["refs"]


def test_every_page_is_in_both_navigations(book: Book) -> None:
    for language, file in (("zh", "mkdocs.yml"), ("en", "mkdocs.en.yml")):
        nav = re.findall(
            r"[\w/-]+\.md", (ROOT / file).read_text(encoding="utf-8").partition("\nnav:")[2]
        )
        assert sorted(nav) == sorted(page.uri for page in book.pages[language].values())


def test_every_label_is_drawn(book: Book) -> None:
    drawn: set[str] = set()
    for stem, module in book.modules.items():
        area = ("labs",) if module.area == "labs" else ("run", module.area)
        meta = ROOT.joinpath("build", *area, stem, "meta.json")
        drawn |= set(json.loads(meta.read_text(encoding="utf-8"))["labels"])
    tables = tomllib.loads((ROOT / "snippets" / "labels.toml").read_text(encoding="utf-8"))
    unused = [
        label
        for table, rows in tables.items()
        for label in (rows if table != "keep" else ())
        if not any(
            re.fullmatch("(.+)".join(map(re.escape, label.split("{}"))), text) for text in drawn
        )
    ]
    assert unused == []


def test_chinese_and_latin_are_spaced_and_punctuated(book: Book) -> None:
    import autocorrect_py

    wrong = []
    for page in book.pages["zh"].values():
        for number, line in enumerate(page.prose.split("\n"), 1):
            # References, formulas and attributes are not prose.
            bare = re.sub(
                r"\{[^}\n]*\}|\$[^$\n]*\$|\[@[^\]]*\]|\]\([^)\n]*\)|\((?:eq|fig):[^)]*\)", " ", line
            )
            pairs = re.findall(r"[\u4e00-\u9fff][A-Za-z0-9]|[A-Za-z0-9][\u4e00-\u9fff]", bare)
            halves = re.findall(r"[\u4e00-\u9fff][,;:!?](?=\s|[\u4e00-\u9fff]|$)", bare)
            wrong += [f"{name(page.path)}:{number} {found}" for found in (*pairs, *halves)]
    assert wrong == []
    assert autocorrect_py.format("权重weight") == "权重 weight"


# The repository


def test_workflows_are_short_pinned_and_call_make() -> None:
    for path in sorted((ROOT / ".github" / "workflows").glob("*.yml")):
        text = path.read_text(encoding="utf-8")
        assert len(text.splitlines()) < 60
        assert all(
            re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", use) for use in re.findall(r"uses: (\S+)", text)
        )
        workflow = yaml.safe_load(text)
        assert workflow["permissions"] == {"contents": "read"}
        runs = [s["run"] for job in workflow["jobs"].values() for s in job["steps"] if "run" in s]
        assert all(run.startswith("make ") for run in runs)


def test_the_lock_names_no_address_and_torch_no_build() -> None:
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    assert "://" not in lock
    assert "resolved" not in (ROOT / "package-lock.json").read_text(encoding="utf-8")
    assert not re.search(r"^(torch|nvidia|triton)\b", lock, re.MULTILINE)
    pins = re.findall(r"^[\w.-]+==[^\n]*\n(    --hash)?", lock, re.MULTILINE)
    assert len(pins) > 100
    assert all(pins), "every package carries hashes"
    assert "TORCH := torch==2.13.0" in (ROOT / "Makefile").read_text(encoding="utf-8")


def test_no_asset_is_loaded_from_another_host() -> None:
    pattern = re.compile(
        r"""(?:src|href)=["']https?://[^"']+\.(?:js|css|woff2?)|@import\s+url\(["']?https?:|fonts\.googleapis|unpkg\.com|jsdelivr"""
    )
    for path in tracked():
        if path.suffix in {".html", ".css", ".js", ".yml", ".md"}:
            assert not pattern.search(path.read_text(encoding="utf-8")), name(path)


def test_the_readme_shows_the_figure_of_the_landing_page(book: Book) -> None:
    (key, *_) = book.pages["en"]["index"].keys("fig")
    module = book.modules[book.figure_modules[key]]
    folder = ROOT / "build" / "run" / module.area / module.stem / "figures"
    drawn = (folder / f"{key}.en.svg").read_text(encoding="utf-8")
    shown = (ROOT / "docs" / "theme" / "assets" / "figure.svg").read_text(encoding="utf-8")
    texts = [re.findall(r"<text[^>]*>([^<]+)</text>", svg) for svg in (drawn, shown)]
    assert texts[0] == texts[1], "run `python -m x0_build readme`"
    for readme in ("README.md", "README.zh.md"):
        assert "docs/theme/assets/figure.svg" in (ROOT / readme).read_text(encoding="utf-8")
