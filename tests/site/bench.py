"""How large the project is, how long a build takes and what a page weighs (`make bench`).

The yardstick is MkDocs alone: the same prepared pages with the same theme, plugins and navigation,
without our hook. Absolute times depend on the machine; the ratios are what to compare.
"""

from __future__ import annotations

import ast
import gzip
import os
import re
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree as ET
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import browser
import published
import yaml

from x0_build.project import LANGUAGES, Project

ROUNDS = 3
ROOT = published.ROOT
COPIED = ("docs", "snippets", "src", "tests", "mkdocs.yml", "mkdocs.en.yml", "pyproject.toml")
COPIED += ("requirements.txt", "package-lock.json", "CHANGELOG.md")
Times = tuple[float, float]  # seconds on the clock, seconds of all processors


def table(title: str, *rows: Iterable[object]) -> None:
    """Print rows in columns."""
    cells = [[x if isinstance(x, str) else f"{x:,}" for x in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    print(f"\n{title}")
    for name, *numbers in cells:
        print(
            " ",
            name.ljust(widths[0]),
            *(x.rjust(w) for x, w in zip(numbers, widths[1:], strict=True)),
        )


def sizes() -> None:
    """Print lines and files of the code, and the packages that it takes."""
    rows: list[Iterable[object]] = [("", "lines", "files", "longest file", "longest function")]
    for package in ("x0_build", "x0_beside", "x0_equations", "x0_take"):
        files = {x: x.read_text(encoding="utf-8") for x in (ROOT / "src" / package).rglob("*.py")}
        functions = [
            (node.end_lineno - node.lineno + 1, node.name)
            for text in files.values()
            for node in ast.walk(ast.parse(text))
            if isinstance(node, ast.FunctionDef)
        ]
        lines = {path.name: text.count("\n") for path, text in files.items()}
        long, (length, name) = max(lines, key=lines.__getitem__), max(functions)
        total = sum(text.count("\n") for text in files.values())
        rows.append((package, total, len(files), f"{long} {lines[long]}", f"{name} {length}"))
    table("Code", *rows)
    assets = sorted((ROOT / "docs" / "theme" / "assets").glob("*.[cj]s*"))
    theme = {path.name: path for path in assets}
    lock = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    table(
        "Theme and dependencies",
        *((name, path.read_text("utf-8").count("\n"), "lines") for name, path in theme.items()),
        ("requirements.txt", len(set(re.findall(r"(?m)^([\w.-]+)==", lock))), "packages"),
    )


def copy_of(folder: Path) -> Project:
    """Copy the sources to a folder; installed packages are linked."""
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    (folder / "node_modules").symlink_to(ROOT / "node_modules")
    return Project(folder)


def timed(commands: list[list[str]], folder: Path, **environment: str) -> Times:
    """Run commands side by side until the last has ended."""
    start, before = time.perf_counter(), resource.getrusage(resource.RUSAGE_CHILDREN)
    runs = [
        subprocess.Popen(
            command, cwd=folder, env={**os.environ, **environment}, stdout=subprocess.DEVNULL
        )
        for command in commands
    ]
    codes = [run.wait() for run in runs]
    if any(codes):
        raise SystemExit(f"try it by hand in {folder}: {' '.join(commands[0])}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = (after.ru_utime - before.ru_utime) + (after.ru_stime - before.ru_stime)
    return time.perf_counter() - start, used


def median(run: Callable[[], Times]) -> Times:
    """Return the medians of some rounds."""
    clock, used = zip(*(run() for _ in range(ROUNDS)), strict=True)
    return statistics.median(clock), statistics.median(used)


def alone(folder: Path) -> list[list[str]]:
    """Write the settings with which MkDocs builds the prepared pages, and return the commands."""
    commands = []
    folder.mkdir(parents=True, exist_ok=True)
    for language in LANGUAGES:
        config, path = published.settings(language), folder / f"{language}.yml"
        config["site_dir"] = str(folder / language)
        path.write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
        commands.append([sys.executable, "-m", "mkdocs", "build", "--quiet", "-f", str(path)])
    return commands


def builds() -> None:
    """Print how long builds take."""
    published.prepare()
    with tempfile.TemporaryDirectory() as name:
        yardstick = alone(Path(name) / "alone")
        copy = copy_of(Path(name) / "copy")
        site = [sys.executable, "-m", "x0_build", "site"]
        build = partial(timed, [site], copy.root, X0_ROOT=str(copy.root), PYTHONPATH=str(copy.src))

        def after(path: Path, comment: str) -> Times:
            path.write_text(f"{path.read_text(encoding='utf-8')}{comment}", encoding="utf-8")
            return build()

        module, page = copy.src / "x0/guide/notation.py", copy.docs / "zh/guide/notation.md"
        found = {"MkDocs alone": median(lambda: timed(yardstick, Path(name)))}
        found["cold (once)"] = build()
        found["nothing changed"] = median(build)
        found["one page changed"] = median(lambda: after(page, "\n<!-- changed -->\n"))
        found["one snippet changed"] = median(lambda: after(module, "\n# changed\n"))
    clock, used = found["MkDocs alone"]
    rows = [
        (name, f"{a:.1f}", f"{a / clock:.2f}", f"{b:.1f}", f"{b / used:.2f}")
        for name, (a, b) in found.items()
    ]
    table(
        f"Builds, medians of {ROUNDS} (what modules use themselves is not in “processor”)",
        ("", "seconds", "× alone", "processor", "× alone"),
        *rows,
    )


def tests() -> None:
    """Print how long the tests took when they ran last."""
    report = ROOT / "build" / "tests.xml"
    if report.is_file():
        seconds: Counter[str] = Counter()
        for case in ET.parse(report).iter("testcase"):
            place = (case.get("classname") or "").split(".")
            seconds[".".join(place[: 3 if place[1:2] == ["site"] else 2])] += float(
                case.get("time") or 0
            )
        rows = [(name, f"{value:.0f}") for name, value in seconds.most_common()]
        table("Tests, seconds of the last run in all its processes", *rows)


class Quiet(SimpleHTTPRequestHandler):
    """Serves without a line per request."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def weights() -> None:
    """Print the bytes that a first visit transfers, compressed, by kind."""
    from playwright.sync_api import Response, sync_playwright

    published.publish()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(published.SITE)))
    Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}/"
    kinds = ("document", "stylesheet", "script", "font", "fetch", "other")
    rows: list[Iterable[object]] = [("", *kinds, "all")]
    sources = sorted((ROOT / "docs" / "zh").rglob("*.md"))
    names = [path.relative_to(ROOT / "docs" / "zh").with_suffix("").as_posix() for path in sources]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=str(browser.find()), args=list(browser.ARGUMENTS)
        )
        for address in [root + name for root in ("", "en/") for name in names]:
            answers: list[Response] = []
            tab = chromium.new_context().new_page()
            tab.on("response", lambda answer, into=answers: into.append(answer))
            place = re.sub(r"(^|/)index$", r"\1", address)
            tab.goto(f"{base}{place}{'/' if place and place[-1] != '/' else ''}")
            tab.wait_for_load_state("networkidle")
            bytes_of: Counter[str] = Counter()
            for answer in answers:
                kind, body = answer.request.resource_type, answer.body()
                packed = body if kind == "font" else gzip.compress(body, 6)
                bytes_of[kind if kind in kinds else "other"] += len(packed)
            shown = [*(bytes_of[kind] for kind in kinds), bytes_of.total()]
            rows.append((address, *(f"{value / 1000:.1f}" for value in shown)))
            tab.context.close()
        chromium.close()
    server.shutdown()
    table("First visit, KB (gzip)", *rows)


def explorers() -> None:
    """Print what each explorer weighs, how fast it answers, and how far its port lies from the modules."""
    import published_explorers

    table(*published_explorers.weights())
    table(*published_explorers.answers())
    table(*published_explorers.agreement())


def searches() -> None:
    """Print what a search fetches, compressed, and how long it takes until its first result."""
    from playwright.sync_api import sync_playwright

    published.publish()
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(published.SITE)))
    Thread(target=server.serve_forever, daemon=True).start()
    asked = {
        "": ("梯度消失 怎么办", "凯明", "残差网络最后一层置零"),
        "en/": ("why not zero", "kaimng"),
    }
    rows: list[Iterable[object]] = [("", "files", "KB", "ms")]
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=str(browser.find()), args=list(browser.ARGUMENTS)
        )
        for folder, query in ((x, y) for x, queries in asked.items() for y in queries):
            tab = chromium.new_context().new_page()
            tab.goto(f"http://127.0.0.1:{server.server_port}/{folder}")
            tab.wait_for_load_state("networkidle")
            answers: list[Any] = []
            tab.on("response", lambda answer, into=answers: into.append(answer))
            start = time.perf_counter()
            tab.keyboard.press("/")
            tab.locator(".x0-find__input").fill(query)
            tab.locator(".x0-find__text").first.wait_for()
            clock = 1000 * (time.perf_counter() - start)
            tab.wait_for_load_state("networkidle")
            size = sum(len(gzip.compress(answer.body(), 6)) for answer in answers)
            rows.append((query, len(answers), f"{size / 1000:.1f}", f"{clock:.0f}"))
            tab.context.close()
        chromium.close()
    server.shutdown()
    table("First result of a search that nothing has been fetched for", *rows)


if __name__ == "__main__":
    sizes()
    tests()
    builds()
    weights()
    explorers()
    searches()
