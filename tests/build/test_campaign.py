"""The fault campaign: whatever is wrong with a file is named, with its line and what to do about it.

Of each kind of fault there are several members. Every one ends `python -m x0_build site` with exit
code 1, and leaves the last good site as it is; what the build can heal, it heals.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from x0_build import __main__, site
from x0_build.data import cache
from x0_build.project import BuildError
from x0_build.run import pool

EN, ZH = "docs/en/training/warm-up.md", "docs/zh/training/warm-up.md"
NOTATION = "docs/en/guide/notation.md"
MODULE, TEST = "src/x0/training/warm_up.py", "tests/training/test_warm_up.py"
LAB, CHECK = "src/x0/labs/draws.py", "tests/equations/test_warm_up.py"
TEX, MACROS = "snippets/equations/warm-up.tex", "snippets/macros.toml"
TERMS, CLAIMS, LABELS = (f"snippets/{x}.toml" for x in ("glossary", "claims", "labels"))
WORDS, BIB = "snippets/words.toml", "snippets/references.bib"
YML, EN_YML = "mkdocs.yml", "mkdocs.en.yml"
PAGE, SCRIPT, HEADER = (
    f"docs/theme/{x}" for x in ("main.html", "assets/x0.js", "partials/header.html")
)
KATEX = "node_modules/katex"
GONE = None
HERE = "+0"  # the line where the edit stands
BEFORE = (Path(__file__).parents[2] / SCRIPT).read_text("utf-8").partition("words.formula")[0]
READ = BEFORE.count("\n") + 1  # where the script reads a word

Edit = tuple[str, str] | bytes | Callable[[bytes], bytes] | None


def put(data: bytes, line: int = 1) -> Callable[[bytes], bytes]:
    """Put bytes at the start of a line."""

    def edit(text: bytes) -> bytes:
        rows = text.split(b"\n")
        rows[line - 1] = data + rows[line - 1]
        return b"\n".join(rows)

    return edit


def plot(call: str) -> tuple[str, str]:
    """Draw something else first in the figure of the module."""
    return (
        "    law = [",
        f"    nothing = np.full(4, np.nan)\n    {call}\n    return fig\n    law = [",
    )


# Kind, file, edit, line, words of the message, words of the remedy.
FAULTS: list[tuple[str, str, Edit, int | str, str, str]] = [
    ("missing", NOTATION, GONE, 1, "the page has no twin in docs/en", "docs/en/guide"),
    ("missing", MACROS, GONE, 0, "cannot be read: No such file", "restore the file"),
    ("missing", WORDS, GONE, 0, "cannot be read: No such file", "restore the file"),
    ("missing", BIB, GONE, 0, "cannot be read: No such file", "restore the file"),
    ("missing", EN_YML, GONE, 0, "cannot be read: No such file", "restore the file"),
    ("missing", f"{KATEX}/package.json", GONE, 0, "KaTeX is not installed", "make site"),
    ("missing", f"{KATEX}/dist/katex.min.css", GONE, 0, "cannot be read", "restore the file"),
    ("missing", TEX, GONE, 13, "there is no equation warm-up-ratio", "snippets/equations"),
    ("no UTF-8", ZH, put(b"\xff", 7), 7, "byte 0xff is no UTF-8", "save the file as UTF-8"),
    ("no UTF-8", TEX, put(b"\xb5", 2), 2, "is no UTF-8", "save the file as UTF-8"),
    ("no UTF-8", TERMS, put(b"\xe6\x96", 3), 3, "byte 0xe6 is no UTF-8", "as UTF-8"),
    ("no UTF-8", MODULE, put(b"# \x80\n", 3), 3, "byte 0x80 is no UTF-8", "as UTF-8"),
    ("no UTF-8", BIB, put(b"\xc0", 2), 2, "byte 0xc0 is no UTF-8", "save the file as UTF-8"),
    ("no UTF-8", YML, put(b"\xfe", 3), 3, "byte 0xfe is no UTF-8", "save the file as UTF-8"),
    ("no UTF-8", EN_YML, put(b"\xfe", 2), 2, "byte 0xfe is no UTF-8", "save the file as UTF-8"),
    ("no UTF-8", CHECK, put(b"\xe9", 4), 4, "byte 0xe9 is no UTF-8", "save the file as UTF-8"),
    ("no UTF-8", PAGE, put(b"\xe9", 2), 2, "byte 0xe9 is no UTF-8", "save the file as UTF-8"),
    ("characters", ZH, put(b"\xef\xbb\xbf"), 1, "byte-order mark", "UTF-8 without"),
    ("characters", TEX, put(b"\xef\xbb\xbf"), 1, "names no equation", "%% name"),
    ("characters", WORDS, put(b"\xef\xbb\xbf"), 1, "byte-order mark", "UTF-8 without"),
    ("characters", NOTATION, put(b"\0", 6), 6, "control character '\\x00'", "remove it"),
    ("characters", EN, put("\u2028".encode(), 9), 9, "control character '\\u2028'", "remove it"),
    ("characters", MODULE, put(b"\x0c", 5), 5, "control character '\\x0c'", "remove it"),
    ("syntax", MACROS, ('"\\\\E" =', '"\\\\E"'), HERE, "is no TOML", "repair the line"),
    ("syntax", CLAIMS, ('where = "1"', "where = 1_"), HERE, "is no TOML", "repair the line"),
    ("syntax", LABELS, ('"预测"', '"预测'), HERE, "is no TOML", "repair the line"),
    ("syntax", YML, ("  - 导读:", "  - 导读: ["), "+1", "is no YAML", "repair the line"),
    ("syntax", EN_YML, ("site_url:", "site_url: : :"), HERE, "is no YAML", "repair the line"),
    ("syntax", EN, ("prerequisites: [", "prerequisites: [["), 4, "is no YAML", "repair the line"),
    ("syntax", BIB, ("year = {1838}", "year = {1838"), 8, "syntax error", "BibTeX entry"),
    ("syntax", BIB, ("@book", "@boko"), 1, "bessel1838 cannot be shown", "BibTeX entry"),
    ("syntax", TEST, ("def test_the", "def def test_the"), HERE, "is no Python", "repair the line"),
    ("syntax", CHECK, ('"numerical"', "KIND"), HERE, "takes one key and literal", "the decorator"),
    ("syntax", MODULE, ("SEED = 0", "SEED = = 0"), HERE, "raises SyntaxError", "repair the line"),
    ("syntax", TEX, ("\\frac", "\\fra"), HERE, "KaTeX cannot read warm-up-ratio", "macros.toml"),
    ("syntax", f"{KATEX}/package.json", b"{", 1, "is no JSON", "restore the file"),
    ("syntax", PAGE, ("{% block", "{% blok"), HERE, "is no template", "repair the line"),
    ("shape", TERMS, ('zh = "方差"', "zh = 3"), HERE, "“zh” is not a text: 3", "write a text"),
    ("shape", TERMS, ("zh_variants", "variants"), HERE, "is read by nobody", "mean zh_variants?"),
    ("shape", LABELS, put(b"keep = 3\n"), 1, "“keep” is not a list: 3", "write a list"),
    ("shape", LABELS, ('"预测"', "[1]"), HERE, "“predicted” is not a text: [1]", "write a text"),
    ("shape", CLAIMS, ("claims = 1", 'claims = "1"'), HERE, "is not a number: '1'", "a number"),
    ("shape", CLAIMS, ('source = "001"\n', ""), 11, "number 1 has no “source”", "give it a text"),
    ("shape", CLAIMS, ('["A-01"]', "[1]"), HERE, "number 1 is not a text: 1", "write a text"),
    ("shape", CLAIMS, ("[headings]", "[[headings]]"), 8, "is not a table", "write a table"),
    ("shape", MACROS, ('"\\\\gain" = "g"', '"\\\\gain" = 1'), HERE, "is not a text: 1", "a text"),
    ("shape", WORDS, ('en = "Figure"', 'fr = "Figure"'), HERE, "“fr” is read by nobody", "zh or en?"),
    ("shape", WORDS, ("figure = {", "figur = {"), 0, "there is no word “figure”", "figure = {"),
    ("shape", WORDS, ('"x0.menu" =', '"x0.men" ='), 4, "no word “x0.menu”", "to [theme] of"),
    ("shape", WORDS, ("formula = {", "formul = {"), READ, "no word “formula”", "to [script] of"),
    ("shape", EN, ("prerequisites: [", "prerequisites: 3 # ["), HERE, "not a list: 3", "a list"),
    ("shape", EN, ("description: ", "descripton: "), HERE, "read by nobody", "mean description?"),
    ("shape", NOTATION, ("description: ", "- "), 0, "the file is not a table", "write a table"),
    ("shape", YML, ("\nnav:", "\nnav: 3\nnav2:"), "+1", "“nav” is not a list: 3", "write a list"),
    ("shape", YML, ("- training/warm-up.md", "- 3"), "-1", "“训练” of nav holds no", "paths only"),
    ("shape", YML, ("\nnav:", "\nnav2:"), 0, "the file has no “nav”", "give it a list: nav"),
    ("shape", EN_YML, ("INHERIT: ", "INHERIT: [] # "), HERE, "is not a text: []", "write a text"),
    ("empty", TEX, ("\\frac{n}{n - 1} \\E{s} = v\n", ""), 1, "warm-up-ratio is empty", "its TeX"),
    ("empty", EN, b"", 1, "a page has exactly one heading of level 1", "# Title {#id}"),
    ("empty", MODULE, b"", 1, "the module has no section demo", "[start:demo]"),
    ("empty", WORDS, b"", 0, "the file has no “parts”", "give it a table: parts"),
    ("empty", LAB, b"", 1, "a lab starts with a cell", "[markdown]"),
    ("empty", YML, b"", 0, "the file has no “nav”", "give it a list: nav"),
    ("MkDocs", YML, ("plugins:\n", "plugins:\n  - nowhere\n"), HERE, '"nowhere"', "lines above"),
    ("MkDocs", YML, ("site_name: x0", "site_name: [1]"), HERE, "site_name", "lines above"),
    ("MkDocs", YML, ("  - abbr", "  - abb"), "-1", "No module named 'abb'", "stands below"),
    ("MkDocs", PAGE, ("{% block styles %}", "{% block styles %}{{ no.such }}"), HERE, "'no'", "above"),
    ("MkDocs", HEADER, ("{{ lang.t", "{{ lang.u(1) }}{{ lang.t"), HERE, "", "lines above"),
    ("figure", MODULE, plot("ax.plot(nothing)"), 41, "none of which is finite", "find the over"),
    ("figure", MODULE, plot("ax.scatter(range(4), nothing)"), 41, "none of which", "find the over"),
    ("figure", MODULE, plot("ax.bar(range(4), nothing)"), 41, "none of which", "find the over"),
    ("figure", MODULE, plot("ax.fill_between(range(4), nothing)"), 41, "none of", "find the over"),
    ("figure", MODULE, plot("ax.contourf([nothing] * 4)"), 41, "none of which", "find the over"),
    ("figure", MODULE, plot("ax.errorbar(range(4), nothing, 1)"), 41, "none of", "find the over"),
    ("figure", MODULE, plot(""), 41, "has axes without data", "plot something"),
    ("figure", LAB, ("plt.plot(draws)", "plt.figure()"), 12, "draws-line is empty", "draw some"),
    ("number", MODULE, (" in (2, 4, 8)}", " in (2,)} | {8: np.inf}"), 27, "not finite", "{val:"),
    ("number", MODULE, ("in (2, 4, 8)", "in (2, 4)"), 27, "ratio has no [8]", "{val:"),
    ("number", LAB, ("()) < 2", "()) < 2\ndraws[0] = np.nan"), 22, "which is not finite", "{val:"),
    ("limits", MODULE, ("    ratio = {", "    print('x' * 10**7)\n    ratio = {"), HERE, "more than 64 KB", "print"),
    ("limits", MODULE, ("    ratio = {", "    sum(iter(int, 1))\n    ratio = {"), 1, "runs for more than 3 s", "loop"),
    ("limits", MODULE, ("    ratio = {", "    np.ones(2**40)\n    ratio = {"), HERE, "Unable to allocate", "smaller"),
    ("limits", MODULE, plot("ax.pcolormesh(np.random.default_rng(SEED).random((90, 90)))"), 41, "KB gzipped", "thin"),
    ("limits", MODULE, ("SEED = 0", "SEED = 0\nimport os\nos._exit(9)"), 1, "exit code 9", "last words"),
    ("failing", MODULE, ("    ratio = {", "    1 / 0\n    ratio = {"), HERE, "ZeroDivisionError", "alone"),
    ("failing", LAB, ("< 2", "> 2"), HERE, "AssertionError", "alone"),
    ("failing", NOTATION, ("## A1", "It is 1.234.\n\n## A1"), HERE, "1.234 is typed", "{val:…}"),
]  # fmt: skip


def change(small: Any, file: str, edit: Edit) -> int:
    """Make an edit; return the line where it stands."""
    path = small.root / file
    if edit is None:
        path.unlink()
    elif isinstance(edit, tuple):
        return int(small.replace(file, *edit))
    else:
        small.write(file, edit if isinstance(edit, bytes) else edit(path.read_bytes()))
    return 0


@pytest.fixture
def build(
    built: Any, monkeypatch: pytest.MonkeyPatch, capsys: Any
) -> Callable[[], tuple[int, str]]:
    """Return how `python -m x0_build site` ends, and what it says."""
    monkeypatch.setenv("X0_ROOT", str(built.root))
    monkeypatch.setattr(sys, "argv", ["x0_build", "site"])
    monkeypatch.setattr(pool, "SECONDS", 60)

    def run() -> tuple[int, str]:
        code = __main__.main()
        return code, capsys.readouterr().err

    return run


@pytest.mark.parametrize(
    "fault", FAULTS, ids=[f"{n:02} {row[0]} {Path(row[1]).name}" for n, row in enumerate(FAULTS)]
)
def test_a_fault_is_named(
    built: Any, build: Any, fault: tuple[Any, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    _, file, edit, line, message, remedy = fault
    if "more than 3 s" in message:
        monkeypatch.setattr(pool, "SECONDS", 3)
    good = built.site()
    at = change(built, file, edit)
    code, said = build()
    assert code == 1, said
    assert "Traceback" not in said
    where = at + int(line) if isinstance(line, str) else line
    place = rf"(?m)^(\S+):{where}: " if where else rf"(?m)^{re.escape(file)}: "
    rows = re.split(r"\n(?=\S+: )", said)
    named = [row for row in rows if re.match(place, row) and message in row and remedy in row]
    assert named, f"{where}: {said}"
    assert built.site() == good


def test_an_english_page_that_the_glossary_names_is_gone(built: Any, build: Any) -> None:
    change(built, TERMS, ("zh_variants", 'page = "guide/notation"\nzh_variants'))
    change(built, NOTATION, GONE)
    code, said = build()
    assert (code, "the page has no twin in docs/en" in said) == (1, True), said
    assert "Traceback" not in said


def test_katex_is_needed_for_what_it_has_not_rendered(built: Any, build: Any) -> None:
    good = built.site()
    change(built, f"{KATEX}/dist/katex.min.js", b"katex = (")
    change(built, TEX, ("= v", "= w"))
    code, said = build()
    assert code == 1
    assert f"{KATEX}/dist/katex.min.js: is no KaTeX: SyntaxError" in said
    assert "remove node_modules and run `make site`" in said
    assert built.site() == good


# What heals


def half(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def flipped(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:-9] + bytes([data[-9] ^ 1]) + data[-8:])


def other(path: Path) -> None:
    """Seal something that another version wrote."""
    cache.seal(path, '{"of": "", "is": [1], "fingerprint": 3}\n{}')


BROKEN: dict[str, Callable[[Path], object]] = {
    "empty": lambda path: path.write_bytes(b""),
    "half": half,
    "flipped": flipped,
    "other": other,
    "none": lambda path: path.unlink(),
}


def test_whatever_is_stored_is_made_again(built: Any, build: Any) -> None:
    """Each file of the store is broken in each way; the site comes out the same."""
    good = built.site()
    paths = [path for path in sorted((built.root / "build").rglob("*")) if path.is_file()]
    paths = [path for path in paths if "docs" not in path.parts or path.suffix in (".md", ".json")]
    assert {path.name for path in paths} >= {"katex.json", "tests.json", "machine.json"}
    for name, break_it in BROKEN.items():
        for path in paths:
            if path.stat().st_size > 9:
                break_it(path)
        half_written = built.root / "build" / "run" / "training" / "warm_up.txt.1.new"
        half_written.write_text("half", encoding="utf-8")
        if name in ("half", "other"):
            (built.root / "site" / "index.html").write_text("torn", encoding="utf-8")
            assert build() == (0, ""), name
            assert built.site() == good
            assert not half_written.exists()
        else:  # without MkDocs
            assert site.load(built.project, progress=False).results.keys() == {"warm_up", "draws"}


def test_a_build_that_was_killed_while_it_put_the_site_in_place(built: Any, build: Any) -> None:
    good = built.site()
    staging = built.root / "build" / "staging" / "site"
    staging.mkdir(parents=True)
    (built.root / "site").rename(staging / "previous")
    change(built, NOTATION, ("## A1", "It is 1.234.\n\n## A1"))
    assert build()[0] == 1
    assert built.site() == good


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EROFS, errno.EACCES])
def test_a_disk_that_refuses_the_site(
    built: Any, build: Any, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    good = built.site()
    change(built, NOTATION, ("## A1", "More.\n\n## A1"))

    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code), "build/docs")

    monkeypatch.setattr("x0_build.render.tree.write", refuse)
    found, said = build()
    assert found == 1
    assert f"build: cannot be written: {os.strerror(code)}" in said
    assert "make room" in said
    assert "Traceback" not in said
    assert built.site() == good


def test_a_file_where_a_folder_should_be(built: Any, build: Any) -> None:
    change(built, NOTATION, ("## A1", "More.\n\n## A1"))
    (built.root / "build" / "docs").rename(built.root / "build" / "old")
    built.write("build/docs", "")
    code, said = build()
    assert code == 1
    assert "build: cannot be written: File exists" in said or "Not a directory" in said
    assert "remove what is in the way" in said


def test_of_two_builds_at_once_one_waits(built: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    begun = threading.Event()

    def load(*_: object, **__: object) -> None:
        begun.set()
        raise BuildError([])

    def build() -> None:
        with contextlib.suppress(BuildError):
            site.build(built.project, progress=False)

    monkeypatch.setattr(site, "load", load)
    change(built, NOTATION, ("## A1", "More.\n\n## A1"))
    thread = threading.Thread(target=build)
    with cache.locked(built.root / "build" / "site.lock"):
        thread.start()
        assert not begun.wait(0.5)
    thread.join()
    assert begun.is_set()


def test_an_error_of_ours_says_so(built: Any, build: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(site, "load", lambda *_, **__: 1 / 0)
    change(built, NOTATION, ("## A1", "More.\n\n## A1"))
    code, said = build()
    assert code == 2
    assert "ZeroDivisionError" in said
    assert said.rstrip().endswith("An error of x0_build, not of your sources: please report it.")


# The same bytes

OTHER = {
    "TZ": "Pacific/Kiritimati",
    "PYTHONHASHSEED": "4321",
    "LC_ALL": "C",
    "LANG": "C",
    "OMP_NUM_THREADS": "7",
    "COLUMNS": "40",
    "SOURCE_DATE_EPOCH": "1700000000",
}


def test_the_same_bytes_elsewhere(built: Any, tmp_path: Path) -> None:
    """Another folder, time zone, hash seed, locale, one core, lines of Windows: nothing differs."""
    good, place = built.site(), tmp_path / "another folder" / "with more parts"
    place.parent.mkdir()
    built.root.rename(place)
    for name in ("build", "site"):
        (place / name).rename(tmp_path / name)
    for name in (NOTATION, TEX, TERMS, MODULE, YML):
        path = place / name
        path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
        os.utime(path, (0, 0))
    src = str(Path(__main__.__file__).parents[1])
    done = subprocess.run(
        [sys.executable, "-m", "x0_build", "site"],
        cwd=place,
        env={**os.environ, **OTHER, "PYTHONPATH": src},
        preexec_fn=lambda: os.sched_setaffinity(0, {min(os.sched_getaffinity(0))}),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = {
        path.replace(str(place), ""): digest for path, digest in type(built)(place).site().items()
    }
    assert [path for path in {**good, **found} if good.get(path) != found.get(path)] == []


COPIED = (
    "docs",
    "snippets",
    "src",
    "tests",
    "mkdocs.yml",
    "mkdocs.en.yml",
    "CHANGELOG.md",
    "build/run",
)


@pytest.mark.skipif("X0_WHOLE" not in os.environ, reason="minutes; `make bench` does it")
def test_the_same_bytes_of_the_whole_book(tmp_path: Path) -> None:
    """Rendered again from a copy of the results, elsewhere and under other conditions."""
    root = Path(__file__).parents[2]
    for name in COPIED:
        copy = shutil.copytree if (root / name).is_dir() else shutil.copy
        (tmp_path / name).parent.mkdir(exist_ok=True)
        copy(root / name, tmp_path / name)
    (tmp_path / "node_modules").symlink_to(root / "node_modules")
    for folder, more in ((root, {}), (tmp_path, OTHER)):
        environment = {**os.environ, **more, "PYTHONPATH": str(folder / "src")}
        command = [sys.executable, "-m", "x0_build", "site"]
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
    good, found = (
        {
            path.relative_to(folder / "site").as_posix(): path.read_bytes()
            for path in (folder / "site").rglob("*")
            if path.is_file()
        }
        for folder in (root, tmp_path)
    )
    assert [path for path in {**good, **found} if good.get(path) != found.get(path)] == []


# One way in

READS = re.compile(
    r"\b(read_text|read_bytes|open|tomllib\.loads?|yaml\.(safe_)?load|json\.loads?|parse_string"
    r"|ast\.parse)\("
)
# What reads something else than sources, or is the way in itself.
ALLOWED = {
    "project.py": "the way in",
    "shape.py": "a key in quotes",
    "data/cache.py": "what is stored, verified; hashes of files",
    "data/bibliography.py": "a text that the project has read",
    "data/tex.py": "what KaTeX answers",
    "render/cards.py": "what resvg answers",
    "render/search.py": "what find.js answers",
    "hook.py": "what MkDocs made of a notebook",
    "check/prose.py": "a list that belongs to the package",
    "syntax/sentences.py": "a list that belongs to the package",
    "syntax/code.py": "the text of a section",
    "render/snippets.py": "the text of a section",
    "run/pool.py": "/proc",
    "run/store.py": "/proc, and what is stored",
    "run/origin.py": "an example",
    "run/values.py": "a path of a value",
    "run/worker.py": "the text that the job brought",
}


def test_no_other_place_opens_sources() -> None:
    package = Path(__main__.__file__).parent
    found = {
        path.relative_to(package).as_posix()
        for path in package.rglob("*.py")
        if READS.search(path.read_text(encoding="utf-8"))
    }
    assert found == set(ALLOWED)
