"""The rules of the repository that are neither content nor code."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from x0_build.book import read_book
from x0_build.project import Project
from x0_build.run import load

ROOT = Path(__file__).parents[2]
HOSTS = re.compile(
    r"""(?:src|href)=["']https?://[^"']+\.(?:js|css|woff2?)|@import\s+url\(["']?https?:"""
    r"|fonts\.googleapis|unpkg\.com|jsdelivr"
)


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", ["ci.yml", "pages.yml", "release.yml"])
def test_a_workflow_is_short_and_pinned_and_calls_make(name: str) -> None:
    text = read(f".github/workflows/{name}")
    workflow = yaml.safe_load(text)
    assert len(text.splitlines()) < 60
    uses = re.findall(r"uses: (\S+)", text)
    assert [use for use in uses if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", use)] == []
    assert workflow["permissions"] == {"contents": "read"}
    runs = [s["run"] for job in workflow["jobs"].values() for s in job["steps"] if "run" in s]
    assert all(run.startswith("make ") for run in runs)


def test_the_lock_names_no_address_and_torch_no_build() -> None:
    lock = read("requirements.txt")
    assert "://" not in lock
    assert "resolved" not in read("package-lock.json")
    assert not re.search(r"^(torch|nvidia|triton)\b", lock, re.MULTILINE)
    pins = re.findall(r"^[\w.-]+==[^\n]*\n(    --hash)?", lock, re.MULTILINE)
    assert pins
    assert all(pins), "every package carries hashes"
    assert re.search(r"^TORCH := torch==\d+\.\d+\.\d+$", read("Makefile"), re.MULTILINE)


def test_no_asset_is_loaded_from_another_host() -> None:
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    names = [name for name in done.stdout.split("\0") if (ROOT / name).is_file()]
    pages = [name for name in names if Path(name).suffix in {".html", ".css", ".js", ".yml", ".md"}]
    assert pages
    assert [name for name in pages if HOSTS.search(read(name))] == []


def test_the_readme_shows_the_figure_of_the_landing_page() -> None:
    results = load(Project(ROOT))
    (key,) = read_book(Project(ROOT), {}).pages["en"]["index"].keys("fig")[:1]
    (drawn,) = (r.figure(key, "en") for r in results.values() if key in r.figures)
    texts = [
        re.findall(r"<text[^>]*>([^<]+)</text>", svg)
        for svg in (drawn, read("docs/theme/assets/figure.svg"))
    ]
    assert texts[0] == texts[1] != [], "run `python -m x0_build readme`"
    for readme in ("README.md", "README.zh.md"):
        assert "docs/theme/assets/figure.svg" in read(readme)


def test_no_claim_and_no_heading_of_the_sources_is_missing() -> None:
    """Each source says how many it has; their ids run from 1."""
    ledger = read_book(Project(ROOT), {}).ledger
    found = sorted([claim.id for claim in ledger.claims] + [row.id for row in ledger.headings])
    assert found == sorted(
        f"{source.letter}-{kind}{number:02}"
        for source in ledger.sources.values()
        for kind, count in (("", source.claims), ("H", source.headings))
        for number in range(1, count + 1)
    )
