"""The words of the interface and the titles of the book's parts: snippets/words.toml."""

from __future__ import annotations

from dataclasses import dataclass

from x0_build.project import LANGUAGES, BuildError, Problem, Project

FILE = "snippets/words.toml"
_PAIRS = {"*": dict.fromkeys(LANGUAGES, str)}
SHAPE = {"parts": {"*": str}, **dict.fromkeys(("page", "theme", "script", "proof"), _PAIRS)}


class Group(dict[str, str]):
    """Words of one language by name; a word that is asked for and not there is a problem."""

    def __missing__(self, name: str) -> str:
        """Say which word is missing."""
        remedy = f'add {name} = {{ zh = "…", en = "…" }} beside the others'
        raise BuildError([Problem(FILE, 0, f"there is no word “{name}”", remedy)])


@dataclass(frozen=True)
class Words:
    """Words by language; parts by their Chinese title."""

    parts: dict[str, Group]
    page: dict[str, Group]
    theme: dict[str, Group]
    script: dict[str, Group]
    proof: dict[str, Group]


def read_words(project: Project) -> Words:
    """Return the words."""
    data = project.toml(project.root / FILE, SHAPE)
    data["parts"] = {name: {"zh": name, "en": title} for name, title in data["parts"].items()}
    return Words(
        **{
            group: {x: Group({name: row[x] for name, row in rows.items()}) for x in LANGUAGES}
            for group, rows in data.items()
        }
    )
