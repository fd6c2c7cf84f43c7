"""The site as a folder that a browser opens without a server: links name files, nothing is fetched."""

from __future__ import annotations

import json
import posixpath
import re
from pathlib import Path

from x0_build.project import LANGUAGES
from x0_take.data import packed

FOLDER = "x0"  # what the archive unpacks into
# What only a server needs, and archives inside the archive.
LEFT_OUT = re.compile(
    r"404\.html|sitemap\.xml.*|assets/cards/.*|(en/)?search/.*|.*\.zip|llms-full\.txt"
)
_LINK = re.compile(r'(\shref=")([^"#?:]*)([?#][^"]*)?"')
# Scripts of kind module, and fonts asked for ahead, count as requests to a foreign host.
_ASKED = re.compile(r'<script type="module"[^>]*></script>|<link rel="preload"[^>]*>')


def offline(site: Path) -> bytes:
    """Return a finished site as an archive."""
    files: dict[str, bytes] = {}
    for path in site.rglob("*"):
        name = path.relative_to(site).as_posix()
        if path.is_file() and not LEFT_OUT.fullmatch(name):
            content = path.read_bytes()
            page = path.suffix == ".html"
            files[name] = adapted(content.decode(), name).encode() if page else content
    for language in LANGUAGES:
        root = "" if language == "zh" else "en/"
        found = {x.name: x.read_text("utf-8") for x in sorted((site / root / "search").iterdir())}
        text = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
        files[f"{root}search/all.js"] = f"globalThis.x0Files = {text};\n".encode()
    shim = Path(__file__).parent / "templates" / "offline.js"
    files["assets/offline.js"] = shim.read_bytes()
    return packed({f"{FOLDER}/{name}": content for name, content in files.items()})


def adapted(text: str, name: str) -> str:
    """Return a page, of a path below the root, that asks for nothing a folder cannot give."""

    def link(m: re.Match[str]) -> str:
        path = m[2]
        if path and path.rpartition("/")[2] in ("", ".", ".."):
            path = f"{path.rstrip('/')}/index.html"
        return f'{m[1]}{path}{m[3] or ""}"'

    text = _ASKED.sub("", _LINK.sub(link, text)).replace('"navigation.instant", ', "")
    place = posixpath.relpath("assets/offline.js", posixpath.dirname(name) or ".")
    return text.replace("<head>", f'<head><script src="{place}"></script>', 1)
