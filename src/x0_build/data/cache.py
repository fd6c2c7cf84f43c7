"""What the build keeps between runs, sealed: whatever is not what was written is made again."""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from x0_build.project import Project, write


def digest(*parts: str) -> str:
    """Return a hash of texts."""
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


def digest_of(paths: Iterable[Path]) -> str:
    """Return a hash of files and of all files in folders: their names and contents."""
    found = hashlib.sha256()
    for path in paths:
        files = sorted(path.rglob("*")) if path.is_dir() else [path]
        for file in files:
            if file.is_file() and "__pycache__" not in file.parts:
                found.update(f"{file.relative_to(path.parent)}\0".encode())
                found.update(hashlib.sha256(file.read_bytes()).digest())
    return found.hexdigest()


def seal(path: Path, text: str) -> None:
    """Write a text below its hash, whole or not at all."""
    write(path, f"{digest(text)}\n{text}")


def unseal(path: Path) -> str:
    """Return what was sealed; nothing if it is missing, or no longer what was written."""
    with contextlib.suppress(OSError, ValueError):
        found, _, text = path.read_bytes().decode().partition("\n")
        return text if found == digest(text) else ""
    return ""


def keep(path: Path, of: str, content: Any) -> None:
    """Seal something that was made of sources with this digest."""
    seal(path, json.dumps({"of": of, "is": content}, ensure_ascii=False))


def recall(path: Path, of: str) -> Any:
    """Return what was kept, if it was made of the same; else None."""
    with contextlib.suppress(ValueError, AttributeError):  # another version wrote it
        stored = json.loads(unseal(path))
        return stored.get("is") if stored.get("of") == of else None
    return None


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait until nobody else holds this lock."""
    import fcntl

    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def remembered(project: Project, name: str, of: str, make: Callable[[], Any]) -> Any:
    """Return what `make` gives, or gave when sources and code were the same.

    A full or read-only disk is no error.
    """
    path, of = project.build / "cache" / f"{name}.json", digest(of, _code())
    found = recall(path, of)
    if found is None:
        found = make()
        with contextlib.suppress(OSError):
            keep(path, of, found)
    return found


@cache
def _code() -> str:
    return digest_of(sorted(Path(__file__).parent.glob("*.py")))
