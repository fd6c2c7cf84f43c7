"""Seconds of a build and bytes of a page, from one run on one machine (`make bench`).

The yardstick is MkDocs alone: the same pages in both languages with the code included, formulas
and figures left as text, without hook and extension of ours. Absolute times depend on the
machine; the ratios are what to compare.
"""

import gzip
import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import browser
from rich.console import Console
from rich.table import Table

from x0_build.book import Book
from x0_build.markdown import code_page
from x0_build.paths import LANGUAGES, Project

ROUNDS = 5
CONSOLE = Console(width=100)
COPIED = ("docs", "snippets", "src", "tests", "mkdocs.yml", "mkdocs.en.yml", "pyproject.toml")


def copy_of(project: Project, folder: Path) -> Project:
    """Copy the sources to a folder; installed packages are linked."""
    for name in COPIED:
        source = project.root / name
        if source.is_dir():
            shutil.copytree(source, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, folder / name)
    (folder / "node_modules").symlink_to(project.root / "node_modules")
    return Project(folder)


def timed_site(project: Project) -> float:
    """Build the site as a user would and return the seconds."""
    environment = {**os.environ, "X0_ROOT": str(project.root), "PYTHONPATH": str(project.src)}
    start = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "x0_build", "site"],
        cwd=project.root,
        env=environment,
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return time.perf_counter() - start


def yardstick(project: Project, folder: Path) -> list[list[str]]:
    """Write what MkDocs alone builds, and return the two commands."""
    plain = copy_of(project, folder)
    book = Book(project)
    commands = []
    for language, name in zip(LANGUAGES, ("mkdocs.yml", "mkdocs.en.yml"), strict=True):
        for stem, module in book.modules.items():
            path = plain.docs / language / "code" / module.area / f"{stem}.md"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(code_page(book, stem, language), encoding="utf-8")
        config = (plain.root / name).read_text(encoding="utf-8")
        config = re.sub(r"^hooks:\n(?:\s+.*\n)+", "", config, flags=re.MULTILINE)
        config = re.sub(
            r"^  - x0_build\.markdown:?\n(?:      .*\n)*", "", config, flags=re.MULTILINE
        )
        (plain.root / name).write_text(config, encoding="utf-8")
        target = folder / "plain" / language
        commands.append(
            [sys.executable, "-m", "mkdocs", "build", "-q", "-f", name, "-d", str(target)]
        )
    return commands


def timed(commands: list[list[str]], folder: Path) -> float:
    """Run commands side by side and return the seconds until the last has ended."""
    start = time.perf_counter()
    runs = [
        subprocess.Popen(c, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        for c in commands
    ]
    if any(run.wait() for run in runs):
        raise SystemExit(f"MkDocs alone failed; try it by hand in {folder}: {commands[0]}")
    return time.perf_counter() - start


def builds(project: Project) -> None:
    """Print the build times."""
    table = Table(
        "build", "seconds (median)", "× MkDocs alone", title=f"Builds, medians of {ROUNDS}"
    )
    with tempfile.TemporaryDirectory() as name:
        commands = yardstick(project, Path(name) / "plain")
        alone = statistics.median(timed(commands, Path(name) / "plain") for _ in range(ROUNDS))
        table.add_row("MkDocs alone", f"{alone:.2f}", "1.00")
        copy = copy_of(project, Path(name) / "copy")
        cold = timed_site(copy)
        table.add_row("cold (once)", f"{cold:.2f}", f"{cold / alone:.2f}")
        still = statistics.median(timed_site(copy) for _ in range(ROUNDS))
        table.add_row("nothing changed", f"{still:.2f}", f"{still / alone:.2f}")
        module = copy.src / "x0" / "guide" / "notation.py"
        page = copy.docs / "zh" / "guide" / "notation.md"
        for label, path, comment in (
            ("one snippet changed", module, "\n# {}\n"),
            ("one page changed", page, "\n<!-- {} -->\n"),
        ):
            seconds = []
            for number in range(ROUNDS):
                path.write_text(
                    path.read_text(encoding="utf-8") + comment.format(number), encoding="utf-8"
                )
                seconds.append(timed_site(copy))
            median = statistics.median(seconds)
            table.add_row(label, f"{median:.2f}", f"{median / alone:.2f}")
    CONSOLE.print(table)
    table = Table("module", "seconds", title="Execution of each module (last run)")
    for stem, result in sorted(Book(project).results.items(), key=lambda item: -item[1].seconds):
        table.add_row(f"{result.module.area}/{stem}", f"{result.seconds:.2f}")
    CONSOLE.print(table)


class Quiet(SimpleHTTPRequestHandler):
    """Serves without a line per request."""

    def log_message(self, *_: object) -> None:
        """Say nothing."""


def weights(project: Project) -> None:
    """Print the bytes that a first visit transfers, compressed, by kind."""
    from playwright.sync_api import Response, sync_playwright

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(project.site)))
    Thread(target=server.serve_forever, daemon=True).start()
    base = f"http://127.0.0.1:{server.server_port}/"
    kinds = ("document", "stylesheet", "script", "font", "fetch", "other")
    table = Table("page", *kinds, "all", title="First visit, KB (gzip)")
    book = Book(project)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=str(browser.find()), args=["--no-sandbox"]
        )
        for language in LANGUAGES:
            for page in book.pages[language].values():
                answers: list[Response] = []
                address = ("" if language == "zh" else "en/") + re.sub(r"index$", "", page.name)
                tab = chromium.new_context().new_page()
                tab.on("response", lambda answer, into=answers: into.append(answer))
                tab.goto(
                    base + address.rstrip("/") + ("/" if address else ""), wait_until="networkidle"
                )
                bytes_of: Counter[str] = Counter()
                for answer in answers:
                    kind = answer.request.resource_type
                    body = answer.body()
                    packed = body if kind == "font" else gzip.compress(body, 6)
                    bytes_of[kind if kind in kinds else "other"] += len(packed)
                row = [f"{bytes_of[kind] / 1000:.1f}" for kind in kinds]
                table.add_row(f"{language}/{page.name}", *row, f"{bytes_of.total() / 1000:.1f}")
                tab.context.close()
        chromium.close()
    server.shutdown()
    CONSOLE.print(table)


if __name__ == "__main__":
    found = Project.find()
    builds(found)
    weights(found)
