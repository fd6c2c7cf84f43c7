"""The built site, its pages, a server that mounts it where GitHub Pages would, and a browser."""

from __future__ import annotations

import functools
import hashlib
import http.server
import importlib.util
import json
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lxml.html
import pytest
from playwright.sync_api import Browser, Playwright, sync_playwright

from x0_build.paths import Project
from x0_build.site import build

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
SITE = ROOT / "site"
# One for each process that tests: the pages hold the address, with the port, of its server.
PUBLISHED = ROOT / "build" / f"published{os.environ.get('PYTEST_XDIST_WORKER', '')}"
MOUNT = "/x0/"
MISSING = "(site/ is missing)"
collect_ignore = ["bench.py", "browser.py", "run_blocks.py"]  # programs; they hold no doctests


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
        path = SITE / self.path
        return path if path.suffix == ".html" else path / "index.html"

    @functools.cached_property
    def html(self) -> lxml.html.HtmlElement:
        return lxml.html.document_fromstring(self.file.read_bytes())

    @property
    def is_code(self) -> bool:
        """Whether it was generated to show a module or checks, and not written."""
        return self.name.startswith("code/")

    @property
    def module(self) -> str:
        """The module that it shows as a whole, such as `guide/notation`; else empty."""
        if not self.is_code or self.name.startswith("code/equations/"):
            return ""
        name = self.name.removeprefix("code/").rstrip("/")
        return name if "/" in name else f"{name}/index"


@functools.cache
def site_pages() -> list[SitePage]:
    """Return every page of the built site, 404 pages included."""
    paths = sorted(path.relative_to(SITE).as_posix() for path in SITE.rglob("*.html"))
    return [SitePage(path.removesuffix("index.html")) for path in paths]


def is_written(page: SitePage) -> bool:
    """Whether it is neither generated nor a 404 page."""
    return not (page.is_code or page.path.endswith(".html"))


def is_first(page: SitePage) -> bool:
    """Whether it is the first written page of its folder."""
    return page == next(x for x in site_pages() if is_written(x) and x.folder == page.folder)


def is_typical(page: SitePage) -> bool:
    """Whether it is not generated, or the shortest or longest of those that one template makes."""
    if not page.is_code:
        return True
    sizes = {x: x.file.stat().st_size for x in site_pages() if x.folder == page.folder}
    return page in (min(sizes, key=sizes.__getitem__), max(sizes, key=sizes.__getitem__))


# What a test is given by the name of its argument. The two languages of a page have the same code
# and the same formulas (tested), so that one of them is enough where a test is slow.
KINDS: dict[str, Callable[[SitePage], bool]] = {
    "site_page": lambda page: True,
    "typical_page": is_typical,
    "book_page": is_written,
    "chinese_page": lambda page: is_written(page) and page.language == "zh",
    "english_page": lambda page: is_written(page) and page.language == "en",
    "first_page": lambda page: is_written(page) and is_first(page),
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test every page of the kind that its argument names."""
    for fixture in KINDS.keys() & set(metafunc.fixturenames):
        pages = [page for page in site_pages() if KINDS[fixture](page)]
        # Without a site there must be a test that fails, not none.
        metafunc.parametrize(fixture, pages or [SitePage(MISSING)], ids=str)


@pytest.fixture(scope="session")
def site() -> Path:
    """The folder of the built site."""
    if not (SITE / "index.html").is_file() or not (SITE / "en" / "index.html").is_file():
        pytest.fail("site/ holds no finished site. Run `make site` first.", pytrace=False)
    return SITE


@pytest.fixture(scope="session")
def pages(site: Path) -> list[SitePage]:
    """Every page of the site."""
    return site_pages()


class _Handler(http.server.SimpleHTTPRequestHandler):
    """Serves the site below MOUNT and answers like GitHub Pages where there is nothing."""

    protocol_version = "HTTP/1.1"

    def translate_path(self, path: str) -> str:
        if not path.startswith(MOUNT):
            return str(PUBLISHED / "nothing-here")
        return super().translate_path(path.removeprefix(MOUNT.rstrip("/")))

    def send_error(self, code: int, *args: object, **kwargs: object) -> None:
        page = PUBLISHED / "404.html"
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


@pytest.fixture(scope="session")
def base_url(site: Path) -> Iterator[str]:
    """The address of the published site: a free port here, and a sub-path as on GitHub Pages."""
    del site  # must be there first: the tests' parameters are its pages
    handler = functools.partial(_Handler, directory=str(PUBLISHED))
    with _Server(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}{MOUNT}"
        server.shutdown()


@pytest.fixture(scope="session")
def published(base_url: str) -> Path:
    """The same pages as in site/, built for the address at which they are served."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("X0_SITE_URL", base_url)
        environment.setenv("X0_SITE_URL_EN", f"{base_url}en/")
        build(Project(ROOT), PUBLISHED, progress=False)
    return PUBLISHED


@dataclass(frozen=True)
class Memory:
    """What was found good, by a hash of everything that it depends on: it need not be done twice.

    `make clean` forgets it.
    """

    kind: str
    depends_on: tuple[bytes, ...]

    def _path(self, content: str) -> Path:
        digest = hashlib.sha256()
        for part in (*self.depends_on, content.encode()):
            digest.update(hashlib.sha256(part).digest())
        return ROOT / "build" / "tested" / self.kind / f"{digest.hexdigest()}.json"

    def recall(self, content: str) -> Any:
        path = self._path(content)
        return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else None

    def keep(self, content: str, result: Any) -> None:
        path = self._path(content)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(result), encoding="utf-8")


@pytest.fixture(scope="session")
def memory() -> type[Memory]:
    """The class of memories."""
    return Memory


@pytest.fixture(scope="session")
def launch(published: Path) -> Callable[[Playwright], Browser]:
    """How to start the browser that browser.py finds, once there is something to look at."""
    del published
    spec = importlib.util.spec_from_file_location("x0_browser", HERE / "browser.py")
    assert spec
    assert spec.loader
    browser = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(browser)
    try:
        path = browser.find()
    except browser.NoBrowserError as error:
        pytest.fail(f"{error}\nRun `python tests/site/browser.py`.", pytrace=False)
    return lambda playwright: playwright.chromium.launch(
        executable_path=path, args=list(browser.ARGUMENTS)
    )


@pytest.fixture(scope="session")
def chromium(launch: Callable[[Playwright], Browser]) -> Iterator[Browser]:
    """A running browser."""
    with sync_playwright() as playwright, launch(playwright) as running:
        yield running
