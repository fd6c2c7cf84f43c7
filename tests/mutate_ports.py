"""Make the ports of the explorers wrong, one change at a time, and see whether their tests notice.

    python tests/mutate_ports.py --sample 100

Operators, comparisons, numbers and calls in docs/theme/explorers/numerics are changed in a copy of
that folder; the tests run in this process, so that PyTorch is loaded once. What survives is listed.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import os
import random
import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from mutate_modules import ROOT, Mutant

FOLDER = ROOT / "docs" / "theme" / "explorers" / "numerics"
INPUTS = "200"  # random ones are enough to notice
SWAPPED = {
    " + ": " - ",
    " - ": " + ",
    " * ": " / ",
    " / ": " * ",
    " ** ": " * ",
    " < ": " >= ",
    " <= ": " > ",
    " > ": " <= ",
    " >= ": " < ",
    " && ": " || ",
    " || ": " && ",
    " === ": " !== ",
    " !== ": " === ",
    "Math.max": "Math.min",
    "Math.min": "Math.max",
    "Math.sin": "Math.cos",
    "Math.cos": "Math.sin",
    "Math.sqrt": "Math.abs",
    "Math.exp": "Math.abs",
    "Math.log": "Math.abs",
}
TOKEN = re.compile(
    r'//[^\n]*|/\*.*?\*/|"[^"\n]*"|/\\s[^\n]*|import [^\n]*|'  # comments, texts, patterns: not changed
    rf"(?P<swap>{'|'.join(re.escape(x) for x in SWAPPED)})(?![\w.])|"
    r"(?P<number>(?<![\w.\]])\d+\.?\d*(?:e-?\d+)?(?!\w))",
    re.DOTALL,
)


def mutants(path: Path) -> Iterator[Mutant]:
    """Find every change of a file of numerics."""
    text = path.read_text(encoding="utf-8")
    for match in TOKEN.finditer(text):
        if old := match["swap"]:
            new = SWAPPED[old]
        elif number := match["number"]:
            new = str(int(number) + 1) if number.isdigit() else repr(float(number) * 1.5)
        else:
            continue
        yield Mutant(path, text.count("\n", 0, match.start()) + 1, *match.span(), new)


def tests_of(path: Path) -> list[str]:
    """Return the tests that load a file of numerics."""
    tests = sorted((ROOT / "tests" / "explorers").glob("test_*.py"))
    name = re.compile(rf'port\([^)]*"{path.stem}"')
    return [x.relative_to(ROOT).as_posix() for x in tests if name.search(x.read_text("utf-8"))]


def code(paths: list[str]) -> int:
    """Run tests and return pytest's code."""
    options = ["-q", "-x", "-p", "no:cacheprovider", "-p", "no:xdist", f"--rootdir={ROOT}"]
    with contextlib.redirect_stdout(io.StringIO()):
        return int(pytest.main([*options, *(str(ROOT / path) for path in paths)]))


def main() -> int:
    """Run the command; 1 if fewer than nine in ten mutants are killed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("stems", nargs="*", help="files of numerics; all by default")
    parser.add_argument("--sample", type=int, default=100, help="judge this many, at random")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    options = parser.parse_args()
    start, fates = time.perf_counter(), Counter[str]()
    paths = [x for x in sorted(FOLDER.glob("*.js")) if x.stem in options.stems or not options.stems]
    found = [mutant for path in paths for mutant in mutants(path)]
    chosen = random.Random(options.seed).sample(found, min(options.sample, len(found)))
    with tempfile.TemporaryDirectory() as name:
        copy = shutil.copytree(FOLDER, Path(name) / "numerics")
        os.environ |= {"X0_INPUTS": INPUTS, "X0_PORTS": str(copy)}
        for path in sorted({mutant.path for mutant in chosen}):
            if code(tests_of(path)):
                raise SystemExit(f"tests fail without any change: {path.name}")
        for mutant in chosen:
            (copy / mutant.path.name).write_text(mutant.apply(), encoding="utf-8")
            fate = "killed" if code(tests_of(mutant.path)) in (1, 2) else "survived"
            shutil.copyfile(mutant.path, copy / mutant.path.name)
            fates[fate] += 1
            if fate != "killed":
                print(f"{fate:10} {mutant}", flush=True)
    share = fates["killed"] / (len(chosen) or 1)
    print(
        f"{fates['killed']} of {len(chosen)} mutants of ports killed ({share:.1%}); "
        f"{len(found)} are possible; seed {options.seed}, {time.perf_counter() - start:.0f} s"
    )
    return int(share < 0.9)


if __name__ == "__main__":
    raise SystemExit(main())
