"""Files of equations: names, places, and what cannot be read."""

from pathlib import Path

import pytest

from x0_equations import SourceError, equations


def read(root: Path, content: str | bytes) -> dict[str, object]:
    folder = root / "snippets" / "equations"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "he.tex").write_bytes(content.encode() if isinstance(content, str) else content)
    return equations(root)


def test_keys_tex_and_lines(tmp_path: Path) -> None:
    found = read(tmp_path, "%% law\na = b\n\n%% two-parts\n% why\nc\n= d\n")
    assert list(found) == ["he-law", "he-two-parts"]
    assert found["he-law"].tex == "a = b\n"
    assert (found["he-two-parts"].tex, found["he-two-parts"].line) == ("% why\nc\n= d\n", 5)


@pytest.mark.parametrize(
    ("content", "line", "message"),
    [
        ("a = b\n", 1, "has no name"),
        ("%% law\na\n%% law\nb\n", 4, "he-law stands in snippets/equations/he.tex:2 too"),
        ("%% law\n\n%% two\nb\n", 1, "he-law is empty"),
        ("%% Law\na\n", 1, "names no equation"),
        ("\ufeff%% law\na\n", 1, "names no equation"),
        ("%% law\na\0b\n", 2, "names no equation"),
        (b"%% law\na\n\xff\n", 3, "no UTF-8"),
    ],
)
def test_what_cannot_be_read(tmp_path: Path, content: str | bytes, line: int, message: str) -> None:
    with pytest.raises(SourceError, match=r"he\.tex") as caught:
        read(tmp_path, content)
    assert caught.value.line == line
    assert message in str(caught.value)
    assert caught.value.remedy
