"""Figure labels: which strings need a Chinese text, and where it stands (snippets/labels.toml)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from x0_build.project import BuildError, Problem, Project
from x0_build.shape import Data

LETTER = r"[^\W\d_]"
# Two or more ASCII letters that stand alone: `layer`, but not the symbols `σw`, `ηλ`, `qˡ`.
WORD = re.compile(rf"(?<!{LETTER})[A-Za-z]{{2,}}(?!{LETTER})")
UNIT = re.compile(r"(?<=\d)\s*(?:[kMG]?B|[mµn]s|px|pt|dB|k?Hz)\b")


class MissingLabelError(LookupError):
    """A label without a Chinese text."""


@dataclass(frozen=True)
class Labels:
    """The entries of labels.toml, and the names that stay as they are."""

    entries: dict[str, str]
    names: tuple[str, ...] = ()

    @classmethod
    def read(cls, project: Project) -> Labels:
        """Read and check snippets/labels.toml."""
        path = project.snippets / "labels.toml"
        rows = project.toml(path, {"keep?": [str], "*": str}) if path.is_file() else Data()
        names = rows.pop("keep", [])
        message = "label “{}” and its Chinese text have different numbers of {{}}"
        remedy = 'write "English" = "中文", with as many {} on both sides'
        if wrong := [
            Problem(project.relative(path), rows.line(english), message.format(english), remedy)
            for english, chinese in rows.items()
            if english.count("{}") != len(re.findall(r"{\d?}", chinese))
        ]:
            raise BuildError(wrong)
        return cls(rows, tuple(names))

    def translate(self, text: str) -> str:
        """Return the Chinese text of a label; what has no words stays as it is.

        Raises:
            MissingLabelError: The text has words and no entry matches it.
        """
        if text in self.entries:
            return self.entries[text]
        for pattern, chinese in self._templates:
            if match := pattern.fullmatch(text):
                try:
                    return chinese.format(*map(self.translate, match.groups()))
                except MissingLabelError:
                    continue  # another template may fit
        if WORD.search(UNIT.sub("", self._kept.sub(" ", text))):
            raise MissingLabelError(text)
        return text

    @cached_property
    def _templates(self) -> list[tuple[re.Pattern[str], str]]:
        """Entries with {}, those with the most fixed text first."""
        found = [pair for pair in self.entries.items() if "{}" in pair[0]]
        found.sort(key=lambda pair: (-len(pair[0]), pair[0]))
        return [
            (re.compile("(.+?)".join(map(re.escape, english.split("{}"))), re.DOTALL), chinese)
            for english, chinese in found
        ]

    @cached_property
    def _kept(self) -> re.Pattern[str]:
        names = "|".join(re.escape(name) for name in sorted(self.names, key=len, reverse=True))
        return re.compile(rf"(?<!{LETTER})(?:{names})(?!{LETTER})" if names else r"(?!)")
