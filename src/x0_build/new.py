"""Laying out the files of a new concept."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from x0_build.paths import Project

_MODULE = '''"""One sentence that states a fact about $name.

The law as one plain line, and the paper (author, year).
"""

# --8<-- [start:imports]
from __future__ import annotations

# --8<-- [end:imports]


# --8<-- [start:demo]
def demo() -> dict[str, float | tuple[float, float]]:
    """Print and return the numbers that the page shows."""
    value = 2.0**0.5
    print(f"{value:.3f}")
    return {"value": value}


if __name__ == "__main__":
    demo()
# --8<-- [end:demo]
'''

_TEST = """from x0.$area import $stem


def test_replace_this_by_the_law_of_the_concept() -> None:
    assert $stem.demo()["value"] ** 2 == 3.0  # fails until the law is written
"""

_CHECK = '''"""Checks of snippets/equations/$name-*.tex."""

from __future__ import annotations

from x0_equations.check import Equation, equation


@equation("$name-law", kind="numerical")
def test_law(eq: Equation) -> None:
    eq.holds(x=2.0)  # bind symbols from their definitions: sample, integrate, differentiate
'''

_PAGE = """---
title: $name
description: $sentence
prerequisites: [guide/notation]
---
# $name {#$name}

$sentence

```python
--8<-- "x0/$area/$stem.py:imports"


--8<-- "x0/$area/$stem.py:demo"
```
{out:$stem}

{eq:$name-law}

## $sources {#sources}

{claims}

## $references {#references}

{refs}
"""

_WORDS = {
    "zh": {"sentence": "用一句话说出结论。", "sources": "来源里的说法", "references": "参考文献"},
    "en": {
        "sentence": "One sentence that states the result.",
        "sources": "From the sources",
        "references": "References",
    },
}


def lay_out(project: Project, area: str, concept: str) -> list[Path]:
    """Write the files of a concept and return them; nothing that exists is touched.

    Raises:
        ValueError: A name is not in lower-case words joined by hyphens.
        FileExistsError: One of the files exists.
    """
    for name in (area, concept):
        if not re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", name):
            raise ValueError(f"Names are lower-case words joined by hyphens. Received: {name!r}")
    stem = concept.replace("-", "_")
    names = {"name": concept, "stem": stem, "area": area}
    files = {
        project.src / "x0" / area / f"{stem}.py": Template(_MODULE).substitute(names),
        project.tests / area / f"test_{stem}.py": Template(_TEST).substitute(names),
        project.tests / "equations" / f"test_{stem}.py": Template(_CHECK).substitute(names),
        project.snippets / "equations" / f"{concept}-law.tex": "x = 1\n",
    }
    for language, words in _WORDS.items():
        page = project.docs / language / area / f"{concept}.md"
        files[page] = Template(_PAGE).substitute(names | words)
    if existing := [path for path in files if path.exists()]:
        raise FileExistsError(
            f"{concept} has files already. Received: {project.relative(existing[0])}"
        )
    package = project.src / "x0" / area / "__init__.py"
    if not package.exists():
        files[package] = f'"""{area.capitalize()}."""\n'
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(files)
