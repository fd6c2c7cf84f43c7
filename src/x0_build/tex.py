"""TeX: the house macros and KaTeX itself, with a cache that both builds share."""

from __future__ import annotations

import hashlib
import json
import re
import sqlite3
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from x0_build.paths import Project

_COMMAND = re.compile(r"\\[A-Za-z]+")

# KaTeX is asked for many formulas at once; a failure is data, not an exception.
_RENDER = """
function render(batch) {
  return JSON.stringify(JSON.parse(batch).map(([tex, display, macros]) => {
    try {
      return {html: katex.renderToString(tex, {displayMode: display, throwOnError: true,
                                               strict: "error", macros: macros})};
    } catch (error) {
      return {error: error.rawMessage || error.message,
              position: error.position === undefined ? -1 : error.position};
    }
  }));
}
"""


class TexError(ValueError):
    """KaTeX refused a formula.

    Attributes:
        message: KaTeX's own words.
        position: Index into the formula as it was written; -1 if KaTeX named none.
    """

    def __init__(self, message: str, position: int) -> None:
        self.message, self.position = message, position
        super().__init__(message)


def load_macros(project: Project) -> dict[str, str]:
    """Return the house macros, name (with backslash) to expansion."""
    with open(project.snippets / "macros.toml", "rb") as file:
        return {str(name): str(value) for name, value in tomllib.load(file).items()}


def expand(tex: str, macros: dict[str, str]) -> str:
    r"""Return TeX without house macros, so that it compiles anywhere.

    >>> expand(r"\\Var{w} = \\frac{2}{\\fanin}", {"\\Var": r"V[#1]", "\\fanin": "n"})
    'V[w] = \\frac{2}{n}'
    """
    for _ in range(20):  # macros may use macros; a cycle would never end
        done = _expand_once(tex, macros)
        if done == tex:
            return tex
        tex = done
    raise TexError("a macro of snippets/macros.toml expands to itself", -1)


def _expand_once(tex: str, macros: dict[str, str]) -> str:
    out, position = [], 0
    for match in _COMMAND.finditer(tex):
        body = macros.get(match.group())
        if body is None or match.start() < position:
            continue
        out.append(tex[position : match.start()])
        position = match.end()
        wanted = max((int(n) for n in re.findall(r"#(\d)", body)), default=0)
        for number in range(1, wanted + 1):
            argument, position = _argument(tex, position, match.group())
            body = body.replace(f"#{number}", argument)
        if body[-1].isalpha() and tex[position : position + 1].isalpha():
            body += " "  # \gain x, not \gx
        out.append(body)
    return "".join(out) + tex[position:]


def _argument(tex: str, position: int, command: str) -> tuple[str, int]:
    while tex[position : position + 1].isspace():
        position += 1
    if tex[position : position + 1] != "{":
        raise TexError(f"{command} needs an argument in braces", position)
    level = 0
    for end in range(position, len(tex)):
        if tex[end] in "{}" and tex[end - 1] != "\\":
            level += 1 if tex[end] == "{" else -1
            if level == 0:
                return tex[position + 1 : end], end + 1
    raise TexError(f"the argument of {command} is not closed", position)


@dataclass
class Katex:
    """KaTeX in process, started when the first formula misses the cache."""

    project: Project
    macros: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.macros = self.macros or load_macros(self.project)
        self._folder = self.project.root / "node_modules" / "katex"
        if not (self._folder / "package.json").is_file():
            raise FileNotFoundError(
                f"KaTeX is not installed; run `make site`. Looked in {self._folder}"
            )
        self.version: str = json.loads((self._folder / "package.json").read_text())["version"]
        self.project.build.mkdir(parents=True, exist_ok=True)
        self._cache = sqlite3.connect(self.project.build / "katex.sqlite", timeout=30)
        self._cache.execute("PRAGMA journal_mode=WAL")
        self._cache.execute("PRAGMA synchronous=OFF")  # a cache: losing it costs seconds
        self._cache.execute("CREATE TABLE IF NOT EXISTS formula (key TEXT PRIMARY KEY, html TEXT)")
        self._render: Any = None

    def render(self, tex: str, *, display: bool = False) -> str:
        """Return HTML and MathML of one formula.

        Raises:
            TexError: KaTeX refuses it, or a macro is used wrongly.
        """
        plain = expand(tex, self.macros)
        key = hashlib.sha256(f"{self.version}\0{display}\0{plain}".encode()).hexdigest()
        row = self._cache.execute("SELECT html FROM formula WHERE key = ?", (key,)).fetchone()
        if row:
            return str(row[0])
        answer = self._ask(plain, display, {})
        if "error" in answer:
            # Once more as it was written, so that the position fits the author's text.
            written = self._ask(tex, display, self.macros)
            answer = written if "error" in written else answer
            raise TexError(str(answer["error"]), int(answer["position"]))
        html = str(answer["html"])
        with self._cache:
            self._cache.execute("INSERT OR REPLACE INTO formula VALUES (?, ?)", (key, html))
        return html

    def _ask(self, tex: str, display: bool, macros: dict[str, str]) -> dict[str, Any]:
        if self._render is None:
            import quickjs

            context = quickjs.Context()
            context.eval((self._folder / "dist" / "katex.min.js").read_text(encoding="utf-8"))
            context.eval(_RENDER)
            self._render = context.get("render")
        answer: list[dict[str, Any]] = json.loads(
            self._render(json.dumps([[tex, display, macros]]))
        )
        return answer[0]


def katex_assets(project: Project) -> dict[str, bytes]:
    """Return the style sheet and fonts to serve, by path below the site's root.

    Only woff2 is kept: every browser of the last eight years reads it.
    """
    dist = project.root / "node_modules" / "katex" / "dist"
    css = (dist / "katex.min.css").read_text(encoding="utf-8")
    css = re.sub(r',url\([^)]+\.(?:woff|ttf)\) format\("(?:woff|truetype)"\)', "", css)
    files = {"assets/katex/katex.min.css": css.encode()}
    for font in sorted((dist / "fonts").glob("*.woff2")):
        files[f"assets/katex/fonts/{font.name}"] = font.read_bytes()
    return files


def equation_files(project: Project) -> dict[str, Path]:
    """Return every displayed equation's file by key."""
    return {path.stem: path for path in sorted((project.snippets / "equations").glob("*.tex"))}
