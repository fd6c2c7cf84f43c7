"""What `make bench` measures of the explorers: weights, response times, agreement with the modules."""

from __future__ import annotations

import gzip
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Iterable
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import browser
import published

from x0_build.book import read_book
from x0_build.data.explorers import FOLDER
from x0_build.project import Project

Rows = tuple[str, *tuple[Iterable[object], ...]]
CHANGES = 15  # of every slider


def weights() -> Rows:
    """Return the bytes of each explorer's own script, and of what they share."""
    folder = published.publish() / FOLDER
    sizes = {x.name: len(gzip.compress(x.read_bytes())) for x in sorted(folder.glob("*.js"))}
    own = {name: sizes.pop(f"{name}.js") for name in _names()}
    rows = [(name, f"{size / 1000:.1f}") for name, size in own.items()]
    shared = sum(sizes.values()) / 1000
    return ("Explorers, KB (gzip)", ("", "KB"), *rows, ("shared by them", f"{shared:.1f}"))


def _names() -> dict[str, str]:
    """Return the page of each explorer."""
    book = read_book(Project(published.ROOT))
    return {row["name"]: book.homes["fig", figure] for figure, row in book.explorers.items()}


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_: object) -> None:
        pass


def answers() -> Rows:
    """Return milliseconds from a change of a slider to the drawing, with the processor slowed down too."""
    from playwright.sync_api import sync_playwright

    handler = partial(_Quiet, directory=str(published.publish()))
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    Thread(target=server.serve_forever, daemon=True).start()
    rows: list[Iterable[object]] = []
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=str(browser.find()), args=list(browser.ARGUMENTS)
        )
        for name, page in _names().items():
            tab = chromium.new_context().new_page()
            tab.goto(f"http://127.0.0.1:{server.server_port}/en/{page}/")
            root = tab.locator(f"[data-explorer={name}]")
            root.scroll_into_view_if_needed()
            tab.wait_for_selector(f"[data-explorer={name}][data-ready]")
            cells: list[object] = [name]
            for slowed in (1, 4):
                tab.context.new_cdp_session(tab).send(
                    "Emulation.setCPUThrottlingRate", {"rate": slowed}
                )
                found = []
                for slider in root.locator("input[type=range]").all():
                    slider.focus()
                    for press in range(CHANGES):
                        slider.press("ArrowRight" if press % 10 < 8 else "ArrowLeft")
                        found.append(float(root.get_attribute("data-ms") or "nan"))
                found.sort()
                cells += [f"{statistics.median(found):.0f}", f"{found[int(0.95 * len(found))]:.0f}"]
            rows.append(cells)
            tab.context.close()
        chromium.close()
    server.shutdown()
    head = ("", "median", "19 of 20", "median, ¼ speed", "19 of 20, ¼ speed")
    return ("Explorers, milliseconds from a change to the drawing", head, *rows)


def agreement() -> Rows:
    """Return the largest relative difference between ports and modules, by test."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "agreement.tsv"
        command = [sys.executable, "-m", "pytest", "-q", "tests/explorers"]
        environment = {**os.environ, "X0_AGREEMENT": str(path)}
        subprocess.run(
            command, cwd=published.ROOT, env=environment, check=True, capture_output=True
        )
        worst: dict[str, float] = {}
        for row in path.read_text(encoding="utf-8").splitlines():
            test, value = row.split("\t")
            name = test.partition("[")[0].removeprefix("tests/explorers/").replace(".py::", ": ")
            worst[name] = max(worst.get(name, 0.0), float(value))
    rows = [(name, f"{value:.0e}") for name, value in sorted(worst.items())]
    return ("Explorers, largest relative difference from the modules", ("", "difference"), *rows)
