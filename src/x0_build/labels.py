"""Figure labels: which strings need a Chinese text, and where it stands (snippets/labels.toml)."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cached_property

from x0_build.paths import Project
from x0_build.problems import BuildError, Problem

LETTER = r"[^\W\d_]"
# Two or more ASCII letters that stand alone: `layer`, but not the symbols `σw`, `ηλ`, `qˡ`.
WORD = re.compile(rf"(?<!{LETTER})[A-Za-z]{{2,}}(?!{LETTER})")
UNIT = re.compile(r"(?<=\d)\s*(?:[kMG]?B|[mµn]s|px|pt|dB|k?Hz)\b")


class MissingLabelError(LookupError):
    """A label without a Chinese text."""


@dataclass(frozen=True)
class Labels:
    """The entries of labels.toml, all tables together."""

    entries: dict[str, str]
    names: tuple[str, ...]

    @classmethod
    def read(cls, project: Project) -> Labels:
        """Read and check snippets/labels.toml.

        Raises:
            BuildError: The file is not TOML, an entry is no text, has other placeholders than
                its English label, or appears twice.
        """
        path = project.snippets / "labels.toml"
        file = project.relative(path)
        text = path.read_text(encoding="utf-8") if path.is_file() else ""
        try:
            tables = tomllib.loads(text)
        except tomllib.TOMLDecodeError as error:
            place = re.search(r"at line (\d+)", str(error))
            raise BuildError(
                [
                    Problem(
                        file,
                        int(place[1]) if place else 0,
                        f"This is not valid TOML: {error}",
                        "Repair the line; a label may appear only once.",
                    )
                ]
            ) from None
        names = tables.pop("keep", {}).get("names", [])
        entries: dict[str, str] = {}
        problems = []
        for table, pairs in tables.items():
            for english, chinese in pairs.items():
                message = ""
                if not isinstance(chinese, str) or not chinese:
                    message = "has no Chinese text"
                elif english.count("{}") != len(re.findall(r"{\d?}", chinese)):
                    message = "and its Chinese text have different numbers of {}"
                elif english in entries:
                    message = "appears twice"
                if message:
                    line = _line(text, table, english)
                    remedy = "Keep one entry per label, in [common] if several figures use it."
                    if message != "appears twice":
                        remedy = 'Write "English" = "中文", with as many {} on both sides.'
                    problems.append(Problem(file, line, f"Label “{english}” {message}.", remedy))
                else:
                    entries[english] = chinese
        if problems:
            raise BuildError(problems)
        return cls(entries, tuple(names))

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
        found = [(english, chinese) for english, chinese in self.entries.items() if "{}" in english]
        found.sort(key=lambda pair: (-len(pair[0]), pair[0]))
        return [
            (re.compile("(.+?)".join(map(re.escape, english.split("{}"))), re.DOTALL), chinese)
            for english, chinese in found
        ]

    @cached_property
    def _kept(self) -> re.Pattern[str]:
        names = "|".join(re.escape(name) for name in sorted(self.names, key=len, reverse=True))
        return re.compile(rf"(?<!{LETTER})(?:{names})(?!{LETTER})" if names else r"(?!)")


def _line(text: str, table: str, english: str) -> int:
    """Find the line of an entry: read line by line, which entries of one line allow."""
    current = ""
    for number, line in enumerate(text.splitlines(), 1):
        if header := re.fullmatch(r"\s*\[(.+)\]\s*(?:#.*)?", line):
            current = header[1].strip("\"' ")
        elif current == table:
            try:
                if english in tomllib.loads(line):
                    return number
            except tomllib.TOMLDecodeError:
                continue
    return 0
