"""TeX: the house macros, and KaTeX in process with a memory of what it has rendered."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass, field
from typing import Any

from x0_build.data.cache import digest, keep, recall
from x0_build.project import Project
from x0_equations.lexer import expand_all
from x0_equations.tree import TexError as MacroError

# A failure is data, not an exception.
_RENDER = """
function render(asked) {
  const [tex, display, macros] = JSON.parse(asked);
  try {
    return JSON.stringify({html: katex.renderToString(
      tex, {displayMode: display, throwOnError: true, strict: "error", macros})});
  } catch (error) {
    return JSON.stringify({error: error.rawMessage || error.message,
                           position: error.position === undefined ? -1 : error.position});
  }
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


@dataclass
class Katex:
    """KaTeX, started when the first formula is not remembered."""

    project: Project
    macros: dict[str, str]
    _known: dict[str, str] = field(default_factory=dict)
    _plain: dict[str, str] = field(default_factory=dict)
    _script: Any = None
    _new: bool = False

    def __post_init__(self) -> None:
        self._folder = self.project.root / "node_modules" / "katex"
        package = self._folder / "package.json"
        if not package.is_file():
            raise self.project.error(package, 0, "KaTeX is not installed", "run `make site`")
        version = self.project.json(package, {"version": str, "*": object})["version"]
        self._of = digest(version, _RENDER)
        self._path = self.project.build / "cache" / "katex.json"
        self._known = recall(self._path, self._of) or {}

    def plain(self, tex: str) -> str:
        """Return TeX without house macros.

        Raises:
            TexError: A macro is used wrongly.
        """
        if tex not in self._plain:
            try:
                self._plain[tex] = expand_all(tex, self.macros)
            except MacroError as error:
                raise TexError(str(error), error.at) from None
        return self._plain[tex]

    def render(self, tex: str, *, display: bool = False) -> str:
        """Return HTML and MathML of one formula.

        Raises:
            TexError: KaTeX refuses it, or a macro is used wrongly.
        """
        key = "d:" if display else "m:"
        if found := self._known.get(key + tex):  # nothing to expand in it
            return found
        plain = self.plain(tex)
        if key + plain not in self._known:
            answer = self._ask(plain, display, {})
            if "error" in answer:
                # Once more as it was written, so that the position fits the author's text.
                written = self._ask(tex, display, self.macros)
                answer = written if "error" in written else answer
                raise TexError(str(answer["error"]), int(answer["position"]))
            self._known[key + plain] = str(answer["html"])
            self._new = True
        return self._known[key + plain]

    def save(self) -> None:
        """Keep what was rendered for the next build; a full or read-only disk is no error."""
        if self._new:
            with contextlib.suppress(OSError):
                keep(self._path, self._of, self._known)
            self._new = False

    def _ask(self, tex: str, display: bool, macros: dict[str, str]) -> dict[str, Any]:
        if self._script is None:
            import quickjs

            context, path = quickjs.Context(), self._folder / "dist" / "katex.min.js"
            try:
                context.eval(self.project.data(path).decode(errors="replace") + _RENDER)
            except quickjs.JSException as error:
                remedy = "remove node_modules and run `make site`: it is installed again"
                raise self.project.error(path, 0, f"is no KaTeX: {error}", remedy) from None
            self._script = context.get("render")
        answer: dict[str, Any] = json.loads(self._script(json.dumps([tex, display, macros])))
        return answer

    def assets(self) -> dict[str, bytes]:
        """Return the style sheet and fonts to serve, by path below the site's root.

        Only woff2 is kept: every browser of the last eight years reads it.
        """
        dist = self._folder / "dist"
        css = self.project.data(dist / "katex.min.css").decode(errors="replace")
        css = re.sub(r',url\([^)]+\.(?:woff|ttf)\) format\("(?:woff|truetype)"\)', "", css)
        fonts = sorted((dist / "fonts").glob("*.woff2"))
        files = {f"assets/katex/fonts/{font.name}": self.project.data(font) for font in fonts}
        return {"assets/katex/katex.min.css": css.encode(), **files}
