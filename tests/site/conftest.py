"""The built site, its pages, a server that mounts it where GitHub Pages would, and a browser."""

from __future__ import annotations

import functools
import hashlib
import http.server
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import browser
import lxml.html
import published
import pytest
import visit
from playwright.sync_api import Browser, Page, sync_playwright

ROOT = Path(__file__).parents[2]
MOUNT = "/x0/"
collect_ignore = [
    "bench.py",
    "browser.py",
    "published.py",
    "published_explorers.py",
]  # programs; they hold no doctests


@dataclass(frozen=True)
class SitePage:
    """One page of the built site."""

    path: str  # "", "en/initialization/he/", "404.html"

    def __str__(self) -> str:
        return self.path or "index"

    @property
    def language(self) -> str:
        return "en" if self.path.startswith("en/") else "zh"

    @property
    def name(self) -> str:
        """The same in both languages: "", "initialization/he/"."""
        return self.path.removeprefix("en/")

    @property
    def folder(self) -> str:
        """Its language and area: "", "initialization", "en", "en/initialization"."""
        return self.path.rstrip("/").rpartition("/")[0] if self.name else self.path.rstrip("/")

    @property
    def file(self) -> Path:
        path = published.SITE / self.path
        return path if path.suffix == ".html" else path / "index.html"

    @functools.cached_property
    def html(self) -> lxml.html.HtmlElement:
        return lxml.html.document_fromstring(self.file.read_bytes())

    @property
    def is_code(self) -> bool:
        """Whether it was generated to show a module or checks, and not written."""
        return self.name.startswith("code/")

    @property
    def is_written(self) -> bool:
        """Whether it is neither generated nor a 404 page."""
        return not (self.is_code or self.path.endswith(".html"))

    @property
    def is_first(self) -> bool:
        """Whether it is the first written page of its folder."""
        return self == next(x for x in site_pages() if x.is_written and x.folder == self.folder)

    @property
    def is_typical(self) -> bool:
        """Whether it is written, or the shortest or longest that one template makes."""
        return not self.is_code or self in _extremes()[self.folder]

    @property
    def prepared(self) -> Path:
        """The Markdown of which it was made, or the notebook."""
        name = self.name.rstrip("/")
        stem = published.TREE / self.language / name
        index = not name or (stem / "index.md").is_file()
        found = [stem / "index.md"] if index else [stem.with_suffix(x) for x in (".md", ".ipynb")]
        return next(path for path in found if path.is_file())


@functools.cache
def site_pages() -> list[SitePage]:
    """Return every page of the built site, the 404 page included."""
    root = published.publish()
    paths = sorted(path.relative_to(root).as_posix() for path in root.rglob("*.html"))
    return [SitePage(path.removesuffix("index.html")) for path in paths]


@functools.cache
def _extremes() -> dict[str, tuple[SitePage, SitePage]]:
    sizes: dict[str, list[tuple[int, str, SitePage]]] = {}
    for page in site_pages():
        sizes.setdefault(page.folder, []).append((page.file.stat().st_size, page.path, page))
    return {folder: (min(rows)[2], max(rows)[2]) for folder, rows in sizes.items()}


# What a test is given by the name of its argument.
KINDS: dict[str, Callable[[SitePage], bool]] = {
    "site_page": lambda page: not page.path.endswith(".html"),
    "typical_page": lambda page: page.is_typical,
    "first_page": lambda page: page.is_written and page.is_first,
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test every page of the kind that its argument names."""
    for fixture in KINDS.keys() & set(metafunc.fixturenames):
        pages = [page for page in site_pages() if KINDS[fixture](page)]
        metafunc.parametrize(fixture, pages, ids=str)


@pytest.fixture(scope="session")
def site() -> Path:
    """The folder of the site, built for the address at which it is served here."""
    return published.publish()


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Serves the site below MOUNT and answers like GitHub Pages where there is nothing."""

    protocol_version = "HTTP/1.1"

    def translate_path(self, path: str) -> str:
        if not path.startswith(MOUNT):
            return str(published.SITE / "nothing-here")
        return super().translate_path(path.removeprefix(MOUNT.rstrip("/")))

    def send_error(self, code: int, *args: object, **kwargs: object) -> None:
        page = published.SITE / "404.html"
        if code != 404 or not page.is_file():
            super().send_error(code, *args, **kwargs)  # type: ignore[arg-type]
            return
        body = page.read_bytes()
        self.send_response(404)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *args: object) -> None:
        pass


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128  # with the usual 5, a browser that opens many connections may wait

    def handle_error(self, *args: object) -> None:
        """Say nothing of a browser that leaves before it has everything."""


@pytest.fixture(scope="session")
def chromium(site: Path) -> Iterator[Browser]:
    """A running browser, in which the address of the published site leads to a free port here."""
    handler = functools.partial(_Handler, directory=str(site))
    try:
        path = browser.find()
    except browser.NoBrowserError as error:
        pytest.fail(f"{error}\nRun `python tests/site/browser.py`.", pytrace=False)
    with _Server(("127.0.0.1", 0), handler) as server, sync_playwright() as playwright:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        rule = f"--host-resolver-rules=MAP {published.HOST} 127.0.0.1:{server.server_port}"
        with playwright.chromium.launch(
            executable_path=path, args=[*browser.ARGUMENTS, rule, "--no-proxy-server"]
        ) as running:
            yield running
        server.shutdown()


@pytest.fixture
def page(chromium: Browser) -> Iterator[Page]:
    """A page in a browser of its own; at the end nothing may have gone wrong in it."""
    context = chromium.new_context(viewport=visit.SIZES["wide"], base_url=published.URL)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    page = context.new_page()
    faults: list[str] = []
    visit.listen(page, faults.append)
    yield page
    cookies = context.cookies()
    context.close()
    assert [fault for fault in faults if not fault.startswith("fetched before")] == []
    assert cookies == []


class Memory:
    """What was found good, by a hash of everything that it depends on: it need not be done twice.

    `make clean` forgets it.
    """

    def __init__(self, *depends_on: bytes) -> None:
        self.depends_on = depends_on

    def _path(self, kind: str, content: bytes) -> Path:
        digest = hashlib.sha256()
        for part in (*self.depends_on, content):
            digest.update(hashlib.sha256(part).digest())
        return ROOT / "build" / "tested" / kind / digest.hexdigest()

    def once(self, kind: str, content: bytes, find: Callable[[], list[Any]]) -> list[Any]:
        """Return the faults that `find` finds; nothing if it has found none in the same before."""
        path = self._path(kind, content)
        if path.is_file():
            return []
        if not (faults := find()):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
        return faults


@pytest.fixture(scope="session")
def memory() -> type[Memory]:
    """The class of memories."""
    return Memory
