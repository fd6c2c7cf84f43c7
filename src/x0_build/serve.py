"""Serving both languages on one port; what changes is rendered again while one reads."""

from __future__ import annotations

import html
import logging
import os
import re
import time
import traceback
from pathlib import Path
from threading import Thread
from typing import Any

from mkdocs.commands.build import build as mkdocs_build
from mkdocs.config import load_config
from mkdocs.livereload import LiveReloadServer

from x0_build import render, run, site
from x0_build.book import Book, read_book
from x0_build.check import check
from x0_build.data.cache import digest_of
from x0_build.project import LANGUAGES, BuildError, Project

_STYLE = (
    "position:fixed;inset:auto 0 0;z-index:99;margin:0;padding:1rem;max-height:50vh;overflow:auto;"
    "background:#7a1f10;color:#fff;font:.8125rem/1.5 monospace;white-space:pre-wrap"
)


class _Server(LiveReloadServer):
    """Renders what changes, and shows on every page what is wrong with the sources."""

    def __init__(self, project: Project, host: str, port: int) -> None:
        self.project, self.target = project, project.build / "serve"
        self.problems, self.shell = "", self._shell()
        self.book: Book | None = None
        self.target.mkdir(parents=True, exist_ok=True)
        super().__init__(builder=self.again, host=host, port=port, root=str(self.target))
        # Before the first good build there is no page.
        self.error_handler = lambda code: self._box(f"{code}: no such page") + b"</body>"

    def _box(self, otherwise: str = "") -> bytes:
        text = html.escape(self.problems or otherwise)
        return f'<pre style="{_STYLE}">{text}</pre>'.encode() if text else b""

    def _inject_js_into_html(self, content: bytes, epoch: float) -> bytes:
        content = content.replace(b"</body>", self._box() + b"</body>")
        return bytes(super()._inject_js_into_html(content, epoch))  # type: ignore[no-untyped-call]

    def _shell(self) -> str:
        """Return what stands around all pages; if it changes, all are rendered again."""
        configs = [self.project.root / name for name in site.CONFIGS.values()]
        return digest_of([self.project.docs / "theme", *configs])

    def first(self) -> None:
        """Build what is not built yet."""
        self._try(lambda: site.build(self.project, self.target))

    def again(self) -> None:
        """Render what changed, then check it while one reads."""
        self._try(self._changed)

    def _try(self, make: Any) -> None:
        start = time.perf_counter()
        try:
            make()
            self.problems = ""
            print(f"Rendered in {time.perf_counter() - start:.1f} s.", flush=True)
        except BuildError as error:
            self._say(error)
        except Exception:  # an error of our own must not hold every request
            self._say(f"An error of x0_build itself:\n{traceback.format_exc()}")

    def _say(self, problems: object) -> None:
        self.problems = str(problems)
        print(f"\n{problems}\n\nServing goes on.", flush=True)

    def _changed(self) -> None:
        self.book = book = read_book(self.project, run.execute(self.project))
        try:
            files, moved = site.prepare(self.project, book)
        except BuildError as error:
            raise BuildError(check(book) or error.problems) from None
        shell, self.shell = self.shell, self._shell()
        if moved or shell != self.shell or not (self.target / "index.html").is_file():
            site.build(self.project, self.target, book=book)
        else:
            render_again(self.project, book, files, self.target)
        Thread(target=self._judge, args=(book,), daemon=True).start()

    def _judge(self, book: Book) -> None:
        problems = check(book)
        if problems and self.book is book:  # nothing has changed meanwhile
            self._say(BuildError(problems))
            with self._epoch_cond:  # browsers load the page again
                self._wanted_epoch = self._visible_epoch = time.monotonic_ns() // 1_000_000
                self._epoch_cond.notify_all()


def render_again(project: Project, book: Book, files: list[Path], target: Path) -> None:
    """Let MkDocs render the pages that changed, as `mkdocs serve --dirty` does."""
    for language in LANGUAGES:
        tree = project.build / "docs" / language
        uris = [path.relative_to(tree).as_posix() for path in files if tree in path.parents]
        if not uris:
            continue
        built = target if language == "zh" else target / "en"
        config = str(project.root / site.CONFIGS[language])
        loaded = load_config(config, site_dir=str(built))
        loaded.plugins.on_startup(command="serve", dirty=True)
        mkdocs_build(loaded, dirty=True)
        pages = [built / re.sub(r"(index)?\.(md|ipynb)$", "", uri) / "index.html" for uri in uris]
        render.finish(book, language, built, [page for page in pages if page.is_file()])


def serve(project: Project, host: str = "127.0.0.1", port: int = 8000) -> None:
    """Serve both languages and render again what changes; problems do not end it."""
    os.environ.setdefault("X0_SITE_URL", f"http://{host}:{port}/")
    os.environ.setdefault("X0_SITE_URL_EN", f"http://{host}:{port}/en/")
    os.environ[site.PREPARED] = "1"
    logging.getLogger("mkdocs.commands.build").setLevel(logging.ERROR)  # "a dirty build"
    server = _Server(project, host, port)
    server.first()
    for path in site.sources(project):
        server.watch(str(path))
    print(f"Serving both languages on http://{host}:{port}/ (Ctrl+C stops)", flush=True)
    try:
        server.serve()  # type: ignore[no-untyped-call]
    except KeyboardInterrupt:
        pass
    finally:
        server.shutdown()
